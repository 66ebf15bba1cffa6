"""The adapter with the fake client: joining, traps included."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

import pytest

from tavus_cli.errors import CannotJoin, ConsoleError, ConversationOver, NotAuthorised, UsageError
from tavus_cli.rooms.daily import room as adapter
from tavus_cli.rooms.daily.room import DailyRoom
from tavus_cli.rooms.room import Arrival, RoomOver
from tests.kits.fake_daily import LOCAL, PAL, FakeDaily
from tests.kits.room_kit import URL, changes, fake_daily, joined, messages, notes, taking, until

SECRET = "s3cret.t0ken"
Install = Callable[..., FakeDaily]


@pytest.fixture
def daily(monkeypatch: pytest.MonkeyPatch) -> Install:
    return fake_daily(monkeypatch)


# -- joining -------------------------------------------------------------------------------------------


def test_join_uses_data_only(daily: Install) -> None:
    fake = daily()

    async def main() -> None:
        async with joined(f"{URL}?t={SECRET}", name="Ann", proxy="https://127.0.0.1:1"):
            pass

    asyncio.run(main())
    calls = dict(fake.calls)
    assert calls["set_user_name"] == {"user_name": "Ann"}
    assert calls["set_proxy_url"] == {"proxy_url": "https://127.0.0.1:1/"}
    assert set(calls["update_subscription_profiles"]["profile_settings"]["base"].values()) == {"unsubscribed"}
    assert calls["join"]["url"] == URL
    assert calls["join"]["token"] == SECRET
    assert calls["join"]["settings"] == {
        "inputs": {"camera": False, "microphone": False},
        "publishing": {"camera": False, "microphone": False},
    }
    before = fake.names()[: fake.names().index("join")]
    assert sorted(before) == ["init", "set_proxy_url", "set_user_name", "update_subscription_profiles"]
    assert not adapter.unfinished


@pytest.mark.parametrize(
    ("before", "during"),
    [(None, "off"), ("info", "off"), ("", "off"), ("daily_core=debug", "daily_core=debug")],
)
def test_the_log_is_silent_during_init_and_the_environment_as_before(
    daily: Install, monkeypatch: pytest.MonkeyPatch, before: str | None, during: str
) -> None:
    monkeypatch.delenv("RUST_LOG", raising=False)
    if before is not None:
        monkeypatch.setenv("RUST_LOG", before)
    fake = daily()

    async def main() -> None:
        async with joined():
            pass

    asyncio.run(main())
    assert fake.calls[0] == ("init", {"rust_log": during})
    assert os.environ.get("RUST_LOG") == before


def test_a_missing_authority_file_is_reported(daily: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = daily()
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/authority.pem")

    async def main() -> None:
        room = DailyRoom(URL)
        async with taking(room):
            with pytest.raises(CannotJoin, match=r"/nowhere/authority\.pem"):
                await room.join()

    asyncio.run(main())
    assert fake.calls == []


def test_two_rooms_one_after_the_other_start_the_client_once(daily: Install) -> None:
    fake = daily()

    async def main() -> None:
        async with joined():
            pass
        async with joined(), joined("https://x.daily.co/other"):
            pass

    asyncio.run(main())
    assert fake.names().count("init") == 1
    assert fake.names().count("release") == 3


def test_what_a_room_shows_of_itself_holds_no_token(daily: Install) -> None:
    daily(join=f"something quotes {SECRET}")

    async def main() -> tuple[DailyRoom, ConsoleError]:
        room = DailyRoom(f"{URL}?t={SECRET}")
        with pytest.raises(ConsoleError) as caught:
            await room.join()
        await room.leave()
        return room, caught.value

    room, error = asyncio.run(main())
    assert (room.target, room.conversation_id) == (URL, "c0ffee")
    assert SECRET not in repr(room) + str(room) + str(error)
    assert (room.live, room.timed) == (True, True)


@pytest.mark.parametrize("url", ["http://x.daily.co/r", "https://evil.example/r"])
def test_other_urls_are_refused_before_anything_is_loaded(daily: Install, url: str) -> None:
    fake = daily()
    with pytest.raises(UsageError):
        DailyRoom(f"{url}?t={SECRET}")
    with pytest.raises(UsageError):
        DailyRoom(URL, proxy="nonsense")
    assert fake.calls == []


def test_messages_before_joined_are_arrivals_and_join_data_is_merged(daily: Install) -> None:
    fake = daily(early=["first", {"n": 2}])

    async def main() -> None:
        async with joined() as (room, arrivals):
            fake.settle()
            await until(lambda: len(messages(arrivals)) == 2)
            assert messages(arrivals) == ["first", {"n": 2}]
            assert changes(arrivals) == [(LOCAL, "joined", False), (PAL, "joined", True)]
            assert set(room.participants) == {LOCAL, PAL}
            assert room.participants[PAL].name == "Charlie"

    asyncio.run(main())


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Connection(Api(RoomLookup(RoomInfoError(NoLongerAvailable))))", ConversationOver),
        ("Connection(Api(RoomLookup(RoomInfoError(NotYetAvailable))))", CannotJoin),
        ('Connection(Api(RoomLookup(RoomInfoError(Unhandled("exp-token")))))', NotAuthorised),
    ],
)
def test_a_join_that_fails(daily: Install, text: str, kind: type[ConsoleError]) -> None:
    fake = daily(join=text)

    async def main() -> list[Arrival]:
        room = DailyRoom(URL)
        async with taking(room) as arrivals:
            with pytest.raises(kind) as caught:
                await room.join()
            assert type(caught.value) is kind
        return arrivals

    arrivals = asyncio.run(main())
    assert notes(arrivals) == []  # the error says it all
    assert not any(isinstance(one, RoomOver) for one in arrivals)
    assert fake.names()[-1] == "release"
    assert "leave" not in fake.names()
    assert not adapter.unfinished


def test_an_endless_join_is_given_up_without_further_calls(daily: Install) -> None:
    fake = daily(join="never", early=["hello"])

    async def main() -> list[Arrival]:
        room = DailyRoom(URL, join_timeout=0.1)
        async with taking(room) as arrivals:
            with pytest.raises(CannotJoin, match=r"within 0\.1 s"):
                await room.join()
        return arrivals

    arrivals = asyncio.run(main())
    assert messages(arrivals) == ["hello"]
    assert fake.names()[-1] == "join"
    assert adapter.unfinished


def test_a_cancelled_join_is_left_pending_too(daily: Install) -> None:
    fake = daily(join="never")

    async def main() -> None:
        room = DailyRoom(URL)
        async with taking(room):
            task = asyncio.create_task(room.join())
            await until(lambda: "join" in fake.names())
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
    assert fake.names()[-1] == "join"
    assert adapter.unfinished


def test_a_join_cancelled_and_left_at_once_is_cancelled(daily: Install) -> None:
    fake = daily(join="never")

    async def main() -> None:
        room = DailyRoom(URL)
        async with taking(room):
            task = asyncio.create_task(room.join())
            await until(lambda: "join" in fake.names())
            task.cancel()
            await room.leave()
            await asyncio.wait({task})
            assert task.cancelled()

    asyncio.run(main())


def test_leaving_while_joining_ends_the_join(daily: Install) -> None:
    fake = daily(join="never")

    async def main() -> None:
        room = DailyRoom(URL)
        async with taking(room):
            task = asyncio.create_task(room.join())
            await until(lambda: "join" in fake.names())
            await room.leave()
            with pytest.raises(CannotJoin, match="left"):
                await task

    asyncio.run(main())


def test_a_join_that_succeeds_after_it_was_given_up_is_undone(daily: Install) -> None:
    fake = daily(join="never")

    async def main() -> None:
        room = DailyRoom(URL, join_timeout=0.1)
        with pytest.raises(CannotJoin):
            await room.join()
        await room.leave()
        assert adapter.unfinished
        client = fake.clients[-1]
        fake.scenario.join = "ok"
        client.native.post(lambda: client._join(completion_of(fake)))
        await until(lambda: not adapter.unfinished)

    asyncio.run(main())
    assert fake.names()[-2:] == ["leave", "release"]


def completion_of(fake: FakeDaily) -> Any:
    return fake.clients[-1].join_completion


def test_state_joined_counts_where_the_completion_is_lost(daily: Install) -> None:
    fake = daily(join="state only")

    async def main() -> None:
        async with joined() as (room, _):
            await room.send({"a": 1})
            assert PAL in room.participants

    asyncio.run(main())
    assert fake.sent == [{"a": 1}]
    assert not adapter.unfinished


def test_lost_completions_of_settings_do_not_stop_the_join(daily: Install) -> None:
    daily(settings="never")

    async def main() -> None:
        async with joined(proxy="https://127.0.0.1:1/"):
            pass

    asyncio.run(main())


def test_refused_settings_stop_it(daily: Install) -> None:
    fake = daily(settings="InvalidSettings")

    async def main() -> None:
        room = DailyRoom(URL)
        with pytest.raises(CannotJoin, match="InvalidSettings"):
            await room.join()
        await room.leave()

    asyncio.run(main())
    assert "join" not in fake.names()
    assert fake.names()[-1] == "release"


def test_a_room_is_joined_once(daily: Install) -> None:
    daily()

    async def main() -> None:
        async with joined() as (room, _):
            with pytest.raises(CannotJoin, match="once"):
                await room.join()
        with pytest.raises(CannotJoin, match="once"):
            await room.join()

    asyncio.run(main())
