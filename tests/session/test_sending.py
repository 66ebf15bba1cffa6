"""Sending over Daily, and failed joins: what is shown and recorded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tavus_cli.errors import CannotJoin, SendFailed
from tavus_cli.protocol.entries import Entry, EventEntry, SentEntry
from tavus_cli.protocol.interactions import interrupt, respond
from tavus_cli.rooms.daily.room import DailyRoom
from tavus_cli.session.recorder import Recorder
from tavus_cli.session.session import Session
from tests.kits.fake_daily import FakeDaily
from tests.kits.room_kit import URL, fake_daily, until

Install = Callable[..., FakeDaily]
HEARD = {
    "message_type": "conversation",
    "event_type": "conversation.utterance",
    "seq": 1,
    "turn_idx": 1,
    "properties": {"role": "user", "speech": "hi"},
}


@pytest.fixture
def daily(monkeypatch: pytest.MonkeyPatch) -> Install:
    return fake_daily(monkeypatch)


class Shown:
    """A sink that keeps what it gets."""

    def __init__(self) -> None:
        self.all: list[Entry] = []

    def entries(self, entries: list[Entry]) -> None:
        self.all += entries

    async def drain(self) -> None:
        pass


def session_of(path: Path | None = None) -> tuple[Session, Shown]:
    room, shown = DailyRoom(URL, join_timeout=0.2), Shown()
    recorder = (
        Recorder(str(path), conversation_id="c0ffee", target=room.target, started=room.now())
        if path
        else None
    )
    session = Session(room, recorder=recorder)
    session.sinks.append(shown)
    return session, shown


def records(path: Path) -> list[tuple[str, Any]]:
    lines = [json.loads(line) for line in path.read_text().splitlines()[1:]]
    return [(line["dir"], line["message"]) for line in lines]


def test_what_was_refused_is_neither_shown_nor_recorded_as_sent(daily: Install, tmp_path: Path) -> None:
    daily(send="Custom(NotAllowed)", people=[])
    path = tmp_path / "r.jsonl"

    async def main() -> list[Entry]:
        session, shown = session_of(path)
        async with session:
            for interaction in (respond("hi"), interrupt()):
                with pytest.raises(SendFailed, match="NotAllowed"):
                    await session.send(interaction)
        return shown.all

    assert asyncio.run(main()) == []
    assert records(path) == [("note", "not sent: Custom(NotAllowed)")] * 2


def test_an_echo_that_comes_before_the_completion_is_still_merged(daily: Install, tmp_path: Path) -> None:
    fake = daily(send="never", people=[])
    path = tmp_path / "r.jsonl"

    async def main() -> list[Entry]:
        session, shown = session_of(path)
        async with session:
            sending = asyncio.create_task(session.send(respond("hi")))
            await until(lambda: fake.sent)
            before = session.room.now()
            fake.say(HEARD)
            fake.settle()
            await asyncio.sleep(0)
            assert shown.all == []
            fake.complete()
            await sending
            await until(lambda: len(shown.all) == 2)
            sent = shown.all[0]
            assert isinstance(sent, SentEntry)
            assert sent.at <= before  # when it was sent, not when the room said so
        return shown.all

    sent, heard = asyncio.run(main())
    assert isinstance(sent, SentEntry)
    assert isinstance(heard, EventEntry)
    assert sent.echo is not None
    assert sent.turn is heard.turn
    assert (sent.opens, heard.fold) == (True, "echo")
    assert [direction for direction, _ in records(path)] == ["out", "in"]


def test_a_completion_that_never_comes_holds_arrivals_up_for_a_moment_only(
    daily: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tavus_cli.session.session.SENDING_SECONDS", 0.05)
    monkeypatch.setattr("tavus_cli.rooms.daily.room.SEND_SECONDS", 60.0)
    fake = daily(send="never", people=[])

    async def main() -> None:
        session, shown = session_of()
        async with session:
            sending = asyncio.create_task(session.send(respond("hi")))
            await until(lambda: fake.sent)
            fake.say(HEARD)
            await until(lambda: shown.all)
            assert not sending.done()
            sending.cancel()

    asyncio.run(main())


@pytest.mark.parametrize("there", [False, True])
def test_a_failed_join_leaves_no_empty_recording(daily: Install, tmp_path: Path, there: bool) -> None:
    daily(join="never")
    path = tmp_path / "r.jsonl"
    if there:  # empty, as mktemp makes it
        path.touch()

    async def main() -> None:
        session, _ = session_of(path)
        with pytest.raises(CannotJoin):
            async with session:
                pass

    asyncio.run(main())
    assert path.exists() == there
    assert not there or path.read_text() == ""
    asyncio.run(main())  # the name may be used again


def test_a_failed_join_keeps_a_recording_with_messages(daily: Install, tmp_path: Path) -> None:
    daily(join="never", early=[HEARD])
    path = tmp_path / "r.jsonl"

    async def main() -> None:
        session, _ = session_of(path)
        with pytest.raises(CannotJoin):
            async with session:
                pass

    asyncio.run(main())
    assert records(path) == [("in", HEARD)]


def test_the_conversation_may_have_another_name_than_its_room(daily: Install) -> None:
    fake = daily()

    async def main() -> None:
        async with Session(DailyRoom(URL, conversation_id="c7f3a91d20be4b58")) as session:
            await session.send(interrupt())

    asyncio.run(main())
    assert fake.sent[0]["conversation_id"] == "c7f3a91d20be4b58"
