"""The adapter with the fake client: sending, traps included."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tavus_cli.errors import CannotJoin, SendFailed
from tavus_cli.rooms.daily import room as adapter
from tavus_cli.rooms.daily.room import DailyRoom
from tavus_cli.rooms.room import Arrival
from tests.kits.fake_daily import FakeDaily
from tests.kits.room_kit import URL, fake_daily, joined, notes, until

Install = Callable[..., FakeDaily]


@pytest.fixture
def daily(monkeypatch: pytest.MonkeyPatch) -> Install:
    return fake_daily(monkeypatch)


def test_send_goes_to_everybody_and_waits_for_the_completion(daily: Install) -> None:
    fake = daily()

    async def main() -> None:
        async with joined() as (room, _):
            await room.send({"event_type": "conversation.echo", "n": None})
            await asyncio.gather(*(room.send({"n": number}) for number in range(100)))

    asyncio.run(main())
    assert fake.sent[0] == {"event_type": "conversation.echo", "n": None}
    assert fake.sent[1:] == [{"n": number} for number in range(100)]


@pytest.mark.parametrize(
    ("scenario", "words"),
    [({"send": "Custom(NotAllowed)"}, "NotAllowed"), ({"send": "never"}, "may have been sent")],
)
def test_send_that_fails(daily: Install, scenario: dict[str, Any], words: str) -> None:
    fake = daily(**scenario)

    async def main() -> list[Arrival]:
        async with joined() as (room, arrivals):
            with pytest.raises(SendFailed, match=words):
                await room.send({"a": 1})
            fake.settle()
        return arrivals

    assert notes(asyncio.run(main())) == []  # on_error says the same again: dropped


def test_send_checks_before_the_client_sees_it(daily: Install) -> None:
    fake = daily()

    async def main() -> None:
        async with joined() as (room, _):
            bads: list[Any] = [{"a": float("nan")}, {"a": "\ud800"}, {1: 2}, {"a": 2**64}]
            for bad in bads:
                with pytest.raises(SendFailed):
                    await room.send(bad)

    asyncio.run(main())
    assert fake.sent == []


def test_send_needs_a_joined_room(daily: Install) -> None:
    fake = daily(join="never")

    async def main() -> None:
        room = DailyRoom(URL)
        with pytest.raises(SendFailed, match="not joined yet"):
            await room.send({"a": 1})
        join = asyncio.create_task(room.join())
        await until(lambda: "join" in fake.names())
        with pytest.raises(SendFailed, match="not joined yet"):
            await room.send({"a": 1})
        await room.leave()
        with pytest.raises(SendFailed, match="left"):
            await room.send({"a": 1})
        with pytest.raises(CannotJoin):
            await join

    asyncio.run(main())
    assert fake.sent == []


def test_a_send_under_way_ends_with_the_room(daily: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "SEND_SECONDS", 60.0)
    fake = daily(send="never")

    async def main() -> None:
        async with joined() as (room, _):
            sending = asyncio.create_task(room.send({"a": 1}))
            await until(lambda: fake.sent)
            fake.end("Ejected")
            with pytest.raises(SendFailed, match=r"^not sent: the conversation is over \(.*removed"):
                await sending

    asyncio.run(main())


def test_a_cancelled_send_leaves_the_room_usable(daily: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "SEND_SECONDS", 60.0)
    fake = daily(send="never")

    async def main() -> None:
        async with joined() as (room, _):
            sending = asyncio.create_task(room.send({"a": 1}))
            await until(lambda: fake.sent)
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
            fake.scenario.send = "ok"
            await room.send({"a": 2})

    asyncio.run(main())
