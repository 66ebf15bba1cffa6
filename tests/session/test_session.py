"""The wiring: arrivals to the sinks in order, timers, waiting, sending, and all ways to end.

The tests feed the rooms.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tavus_cli.errors import CannotJoin, ConversationOver, CutOff, NotMet, SendFailed
from tavus_cli.protocol.entries import Entry, EventEntry, GapEntry, NoteEntry, SentEntry
from tavus_cli.protocol.interactions import echo, interrupt, respond
from tavus_cli.protocol.snapshot import Snapshot
from tavus_cli.rooms.room import (
    Arrival,
    Idle,
    LineChanged,
    Participant,
    ParticipantChanged,
    Received,
    RoomNote,
    RoomOver,
)
from tavus_cli.session import session as module
from tavus_cli.session.recorder import Recorder
from tavus_cli.session.session import Session
from tests.kits.conversations import Message, message
from tests.kits.program import SECONDS

PAL = Participant("p", "Nora", "tavus-replica-r1", pal=True)
GUEST = Participant("g", "Dana")
ME = Participant("me", "tavus-console", local=True)


class FedRoom:
    """A room that the test puts arrivals into; it keeps what was sent, and counts how often it was left."""

    target = "fed"
    conversation_id = "c1"
    timed = True
    leaving_may_end = False
    via = ""

    def __init__(self, *, live: bool = False) -> None:
        self.live = live
        self.sent: list[Message] = []
        self.left = 0
        self.present: dict[str, Participant] = {}
        self.join_error: Exception | None = None
        self.send_error: Exception | None = None
        self.joining = asyncio.Event()
        self.may_join = asyncio.Event()
        self.may_join.set()
        self.stays = False  # the arrivals do not end when it is left
        self.taken = 0
        self._begun = False
        self._batches: asyncio.Queue[list[Arrival] | None] = asyncio.Queue()

    @property
    def participants(self) -> Mapping[str, Participant]:
        return self.present

    def now(self) -> float:
        return time.time()

    def feed(self, *arrivals: Arrival | Message) -> None:
        """Put in one batch, arriving now. The first number is expected, so nothing is held for the start."""
        batch = [Received(one, self.now(), "p") if isinstance(one, dict) else one for one in arrivals]
        numbered = [one["seq"] for one in arrivals if isinstance(one, dict) and "seq" in one]
        if numbered and not self._begun:
            self._begun = True
            batch.insert(
                0, Snapshot(seq=numbered[0] - 1, pal_present=any(p.pal for p in self.present.values()))
            )
        self._batches.put_nowait(batch)

    def end(self, reason: str | None = "expired") -> None:
        if reason is not None:
            self.feed(RoomOver(reason, self.now()))
        self._batches.put_nowait(None)

    async def join(self) -> None:
        self.joining.set()
        await self.may_join.wait()
        if self.join_error is not None:
            raise self.join_error

    async def send(self, message: dict[str, Any]) -> None:
        if self.send_error is not None:
            raise self.send_error
        self.sent.append(message)

    async def leave(self) -> None:
        self.left += 1
        if not self.stays:
            self._batches.put_nowait(None)

    async def arrivals(self) -> AsyncIterator[list[Arrival]]:
        while (batch := await self._batches.get()) is not None:
            self.taken += 1
            yield batch


class Sink:
    """A sink that keeps what it gets; ``hold`` makes it slow."""

    def __init__(self, name: str = "", log: list[str] | None = None) -> None:
        self.got: list[Entry] = []
        self.drained = 0
        self.free = asyncio.Event()
        self.free.set()
        self._name = name
        self._log = log
        self._more = asyncio.Event()

    def entries(self, entries: list[Entry]) -> None:
        assert entries
        self.got += entries
        if self._log is not None:
            self._log.append(self._name)
        self._more.set()

    async def drain(self) -> None:
        self.drained += 1
        await self.free.wait()

    async def has(self, count: int) -> None:
        while len(self.got) < count:
            self._more.clear()
            await self._more.wait()

    @property
    def brief(self) -> list[Any]:
        return [brief(entry) for entry in self.got]


def brief(entry: Entry) -> Any:
    if isinstance(entry, EventEntry):
        return entry.event.seq if entry.event.seq is not None else entry.event.short
    if isinstance(entry, SentEntry):
        return f"sent {entry.event.short}" + ("" if entry.echo is None else " heard")
    if isinstance(entry, GapEntry):
        return f"gap {entry.first}-{entry.last}"
    return entry.text


def run(main: Callable[[], Awaitable[Any]]) -> Any:
    async def bounded() -> Any:
        async with asyncio.timeout(SECONDS):
            return await main()

    return asyncio.run(bounded())


async def settle() -> None:
    """Let every task run as far as it can."""
    for _ in range(20):
        await asyncio.sleep(0)


def event(seq: int | None = None, name: str = "conversation.x", **more: Any) -> Message:
    return message(name, seq=seq, **more)


# -- from the room to the sinks ---------------------------------------------------------------------------


def test_entries_go_to_every_sink_in_the_order_of_the_numbers() -> None:
    async def main() -> None:
        room, log = FedRoom(), list[str]()
        first, second = Sink("first", log), Sink("second", log)
        session = Session(room)
        session.sinks += [first, second]
        async with session:
            room.feed(event(1), event(3), event(2))
            room.feed(event(), event(4))
            await first.has(5)
        assert first.brief == second.brief == [1, 2, 3, "x", 4]
        assert log == ["first", "second"] * 2
        assert room.left == 1

    run(main)


def test_arrivals_before_the_join_is_done_are_delivered() -> None:
    async def main() -> None:
        room, sink = FedRoom(), Sink()
        room.may_join.clear()
        session = Session(room)
        session.sinks.append(sink)
        room.feed(event(1))
        entering = asyncio.create_task(session.__aenter__())
        await sink.has(1)
        assert not entering.done()
        room.may_join.set()
        await entering
        await session.__aexit__(None, None, None)
        assert sink.brief == [1]

    run(main)


def test_what_arrived_is_delivered_when_the_room_is_left() -> None:
    async def main() -> None:
        room, sink = FedRoom(), Sink()
        session = Session(room)
        session.sinks.append(sink)
        async with session:
            for number in range(1, 6):
                room.feed(event(number))
            room.feed(event(9))  # held: the others may still arrive
        assert sink.brief == [1, 2, 3, 4, 5, "gap 6-8", 9]
        assert session.ended.is_set()
        assert session.over is None

    run(main)


def test_a_slow_sink_slows_the_room_and_loses_nothing() -> None:
    async def main() -> None:
        room, slow = FedRoom(), Sink()
        slow.free.clear()
        session = Session(room)
        session.sinks.append(slow)
        async with session:
            for number in range(1, 6):
                room.feed(event(number))
            await slow.has(1)
            await settle()
            assert (room.taken, slow.brief) == (1, [1])
            slow.free.set()
            await slow.has(5)
        assert slow.brief == [1, 2, 3, 4, 5]

    run(main)


def test_a_room_without_times_is_ordered_by_count() -> None:
    async def main() -> None:
        room, sink = FedRoom(), Sink()
        room.timed = False
        session = Session(room, hold=0.0)
        session.sinks.append(sink)
        async with session:
            room.feed(Received(event(3)), Received(event(1)), Received(event(2)))
        assert sink.brief == [1, 2, 3]

    run(main)


# -- time -------------------------------------------------------------------------------------------------


def test_what_is_held_in_a_live_room_comes_when_its_time_is_over() -> None:
    async def main() -> None:
        room, sink = FedRoom(live=True), Sink()
        session = Session(room, hold=0.02)
        session.sinks.append(sink)
        async with session:
            room.feed(event(1), event(4))
            await sink.has(3)
            assert sink.brief == [1, "gap 2-3", 4]
            room.feed(event(7))
            await sink.has(5)
            assert sink.brief[3:] == ["gap 5-6", 7]

    run(main)


def test_a_respond_nobody_heard_is_shown_in_a_live_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tavus_cli.protocol.conversation.ECHO_SECONDS", 0.02)

    async def main() -> None:
        room, sink = FedRoom(live=True), Sink()
        session = Session(room)
        session.sinks.append(sink)
        async with session:
            await session.send(respond("Hello"))
            await sink.has(1)
            assert sink.brief == ["sent respond"]

    run(main)


def test_a_room_without_real_time_holds_until_it_is_idle() -> None:
    async def main() -> None:
        room, sink = FedRoom(), Sink()
        session = Session(room, hold=0.0001)
        session.sinks.append(sink)
        async with session:
            room.feed(event(1), event(4))
            await sink.has(1)
            await session.send(respond("Hello"))
            await settle()
            assert sink.brief == [1]
            room.feed(Idle())
            await sink.has(4)
            assert sorted(sink.brief[1:], key=str) == [4, "gap 2-3", "sent respond"]

    run(main)


def test_the_end_of_the_room_releases_held_events() -> None:
    async def main() -> None:
        room, sink = FedRoom(live=True), Sink()
        session = Session(room, hold=60.0)
        session.sinks.append(sink)
        async with session:
            room.feed(event(1), event(4))
            room.end("expired")
            await session.ended.wait()
            assert session.over == "expired"
            assert sink.brief == [1, "gap 2-3", 4, "the conversation is over: expired"]

    run(main)


# -- waiting ----------------------------------------------------------------------------------------------


def is_number(seq: int) -> Callable[[Entry], Any]:
    return lambda entry: entry.event if isinstance(entry, EventEntry) and entry.event.seq == seq else None


def test_waiting_gives_the_first_that_is_found() -> None:
    async def main() -> None:
        room = FedRoom()
        async with Session(room) as session:
            wait = asyncio.create_task(session.waiter(is_number(2))(SECONDS, "it"))
            await settle()
            room.feed(event(1), event(2, a=1), event(3))
            found = await wait
            assert found.properties == {"a": 1}

    run(main)


def test_a_waiter_looks_from_the_moment_it_is_made() -> None:
    async def main() -> None:
        room, sink = FedRoom(), Sink()
        session = Session(room)
        session.sinks.append(sink)
        async with session:
            room.feed(event(1))
            await sink.has(1)
            wait, missed = session.waiter(is_number(2)), session.waiter(is_number(1))
            room.feed(event(2))
            await sink.has(2)
            assert (await wait(SECONDS, "it")).seq == 2
            with pytest.raises(NotMet, match=r"^it did not arrive within 0.01 s$"):
                await missed(0.01, "it")

    run(main)


def test_waiting_ends_with_the_room() -> None:
    async def main() -> None:
        room = FedRoom()
        async with Session(room) as session:
            wait = asyncio.create_task(session.waiter(is_number(2))(SECONDS, "it"))
            await settle()
            room.feed(event(1))
            room.end("expired")
            with pytest.raises(ConversationOver, match="the conversation is over: expired"):
                await wait
            with pytest.raises(ConversationOver):
                await session.waiter(is_number(3))(SECONDS, "it")

    run(main)


def test_being_cut_off_ends_waits_and_sendings_as_such() -> None:
    async def main() -> None:
        room = FedRoom()
        async with Session(room) as session:
            room.feed(RoomOver("lost", room.now(), cut_off=True))
            room.end(None)
            with pytest.raises(CutOff, match="cut off: lost; the conversation may continue"):
                await session.waiter(is_number(1))(SECONDS, "it")
            with pytest.raises(CutOff, match="not sent: cut off: lost"):
                await session.send(respond("hi"))

    run(main)


def test_a_failed_wait_reports_a_break_since_the_last_sending() -> None:
    async def main() -> None:
        room = FedRoom(live=True)
        lost = "the connection is interrupted; sent just before, it may not have arrived: respond"
        async with Session(room) as session:
            await session.send(respond("hi"))
            room.feed(LineChanged(False, lost, room.now()))
            await settle()
            with pytest.raises(CutOff, match=f"; {lost}$"):
                await session.waiter(is_number(1))(0.01, "it")
            room.feed(LineChanged(True, "back", room.now()))
            await settle()
            with pytest.raises(NotMet, match=rf"; \d+ s ago: {lost}$"):
                await session.waiter(is_number(1))(0.01, "it")
            await session.send(respond("again"))
            with pytest.raises(NotMet, match=r"within 0.01 s$"):
                await session.waiter(is_number(1))(0.01, "it")

    run(main)


def test_waiters_find_events_released_by_the_end() -> None:
    async def main() -> None:
        room = FedRoom()
        async with Session(room) as session:
            wait = asyncio.create_task(session.waiter(is_number(4))(SECONDS, "it"))
            await settle()
            room.feed(event(1), event(4))
            room.end(None)
            assert (await wait).seq == 4

    run(main)


def test_what_was_found_before_is_given_after_the_end() -> None:
    async def main() -> None:
        room = FedRoom()
        async with Session(room) as session:
            wait = session.waiter(is_number(1))
            room.feed(event(1))
            room.end()
            await session.ended.wait()
            assert (await wait(SECONDS, "it")).seq == 1

    run(main)


def test_waiters_that_are_done_look_no_more() -> None:
    async def main() -> None:
        room, looked = FedRoom(), list[Any]()

        def answer(entry: Entry) -> Any:
            looked.append(brief(entry))
            return looked[-1]

        async with Session(room) as session:
            first = asyncio.create_task(session.waiter(answer)(SECONDS, "it"))
            await settle()
            room.feed(event(1), event(2))
            assert await first == 1
            room.feed(event(3))
            await session.waiter(is_number(3))(SECONDS, "it")
        assert looked == [1]

    run(main)


# -- the PAL ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sign",
    [
        ParticipantChanged(PAL, "joined"),
        message("system.pal_present"),
        message("system.replica_joined"),
        message("conversation.started_speaking", role="replica"),
        Snapshot(pal_present=True),
    ],
    ids=["participant", "heartbeat", "joined", "speaks", "there before"],
)
def test_the_pal_is_there(sign: Any) -> None:
    async def main() -> None:
        room = FedRoom()
        async with Session(room) as session:
            ready = asyncio.create_task(session.pal_ready(SECONDS))
            room.feed(ParticipantChanged(GUEST, "joined"), event(1))
            await settle()
            assert not ready.done()
            room.feed(sign)
            await ready

    run(main)


def test_a_pal_that_is_there_already() -> None:
    async def main() -> None:
        room = FedRoom()
        room.feed(ParticipantChanged(ME, "joined"), ParticipantChanged(PAL, "joined"))
        async with Session(room) as session:
            await session.pal_ready(SECONDS)
            await session.pal_ready(0.0)  # it is known by now

    run(main)


def test_no_pal_comes() -> None:
    async def main() -> None:
        room = FedRoom()
        room.present = {"me": ME, "g": GUEST}
        async with Session(room) as session:
            with pytest.raises(CannotJoin, match=r"^the PAL did not join within 0.01 s$"):
                await session.pal_ready(0.01)
            room.end("expired")
            with pytest.raises(ConversationOver):
                await session.pal_ready(SECONDS)

    run(main)


def test_a_pal_that_left_is_not_present() -> None:
    async def main() -> None:
        room = FedRoom()
        async with Session(room) as session:
            room.feed(ParticipantChanged(PAL, "joined"))
            await session.pal_ready(SECONDS)
            room.feed(ParticipantChanged(PAL, "left"))
            await settle()
            assert not session.conversation.status.pal_present

    run(main)


# -- sending ----------------------------------------------------------------------------------------------


def test_what_is_sent_is_shown_in_its_place() -> None:
    async def main() -> None:
        room, sink = FedRoom(), Sink()
        session = Session(room)
        session.sinks.append(sink)
        async with session:
            sent = await session.send(interrupt())
            assert room.sent == [sent] == [interrupt().encode("c1")]
            await session.send(respond("Hello"))
            room.feed(message("conversation.utterance", turn=1, role="user", speech="Hello"))
            await sink.has(3)
            session.note("noted")
            assert sink.brief == ["sent interrupt", "sent respond heard", "utterance", "noted"]

    run(main)


def test_after_the_end_nothing_is_sent() -> None:
    async def main() -> None:
        room = FedRoom()
        async with Session(room) as session:
            room.end("expired")
            await session.ended.wait()
            with pytest.raises(ConversationOver, match="not sent: the conversation is over: expired"):
                await session.send(interrupt())
            assert room.sent == []

    run(main)


def test_what_the_room_refuses_is_an_error() -> None:
    async def main() -> None:
        room = FedRoom()
        room.send_error = SendFailed("not sent: too large")
        async with Session(room) as session:
            with pytest.raises(SendFailed, match="too large"):
                await session.send(echo("x"))
            room.feed(event(1))
            await session.waiter(is_number(1))(SECONDS, "it")

    run(main)


# -- ways out ---------------------------------------------------------------------------------------------


def test_a_join_that_fails_leaves_the_room() -> None:
    async def main() -> None:
        room, sink = FedRoom(), Sink()
        room.join_error = CannotJoin("no such room")
        session = Session(room)
        session.sinks.append(sink)
        room.feed(event(1))
        with pytest.raises(CannotJoin, match="no such room"):
            await session.__aenter__()
        assert room.left == 1
        assert sink.brief == [1]
        assert session.ended.is_set()

    run(main)


def test_cancelled_while_joining_it_leaves_the_room() -> None:
    async def main() -> None:
        room = FedRoom()
        room.may_join.clear()
        task = asyncio.create_task(Session(room).__aenter__())
        await room.joining.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert room.left == 1

    run(main)


def test_cancelled_in_the_room_it_leaves_the_room() -> None:
    async def main() -> None:
        room, inside = FedRoom(), asyncio.Event()

        async def work() -> None:
            async with Session(room):
                inside.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(work())
        await inside.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert room.left == 1

    run(main)


def test_an_error_inside_leaves_the_room_and_continues() -> None:
    async def main() -> None:
        room = FedRoom()
        with contextlib.suppress(ZeroDivisionError):
            async with Session(room):
                raise ZeroDivisionError
        assert room.left == 1

    run(main)


def test_a_room_whose_arrivals_do_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLOSE_SECONDS", 0.01)

    async def main() -> None:
        room, sink = FedRoom(), Sink()
        room.stays = True
        session = Session(room)
        session.sinks.append(sink)
        async with session:
            room.feed(event(1), event(5))
        assert sink.brief == [1, "gap 2-4", 5]
        assert session.ended.is_set()

    run(main)


def test_after_an_error_sinks_are_not_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal ends the program even if nobody reads its output."""
    monkeypatch.setattr(module, "CLOSE_SECONDS", 0.01)

    async def main() -> None:
        room, stuck = FedRoom(), Sink()
        stuck.free.clear()
        session = Session(room)
        session.sinks.append(stuck)
        with contextlib.suppress(ZeroDivisionError):
            async with session:
                room.feed(event(1))
                await stuck.has(1)
                raise ZeroDivisionError
        assert room.left == 1

    run(main)


def test_after_a_normal_end_sinks_are_awaited() -> None:
    async def main() -> None:
        room, slow = FedRoom(), Sink()
        session = Session(room)
        session.sinks.append(slow)
        await session.__aenter__()
        room.end()
        await session.ended.wait()
        slow.free.clear()
        leaving = asyncio.create_task(session.__aexit__(None, None, None))
        await settle()
        assert not leaving.done()
        slow.free.set()
        await leaving

    run(main)


class FailingSink:
    def entries(self, entries: list[Entry]) -> None:
        raise ZeroDivisionError

    async def drain(self) -> None:
        pass


def test_a_sink_that_fails_ends_the_session_with_its_error() -> None:
    """Even if it fails again on the last entries, the program does not wait for ever."""

    async def main() -> None:
        room = FedRoom()
        session = Session(room)
        session.sinks.append(FailingSink())
        await session.__aenter__()
        room.feed(event(1), event(5))
        await session.ended.wait()
        with pytest.raises(ZeroDivisionError):
            await session.__aexit__(None, None, None)
        assert room.left == 1

    run(main)


# -- recording --------------------------------------------------------------------------------------------


def records(file: Path) -> list[tuple[str, Any]]:
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()[1:]]
    return [(one["dir"], one["message"]) for one in lines]


def test_everything_is_recorded_as_it_came_and_went(tmp_path: Path) -> None:
    file = tmp_path / "talk.jsonl"

    async def main() -> None:
        room, sink = FedRoom(), Sink()
        recorder = Recorder(str(file), conversation_id="c1", target="fed", started=room.now())
        session = Session(room, recorder=recorder)
        session.sinks.append(sink)
        async with session:
            room.feed(ParticipantChanged(ME, "joined"), ParticipantChanged(GUEST, "joined"))
            room.feed(event(3), event(1))
            await sink.has(1)
            await session.send(respond("Hello"))
            room.feed(RoomNote("the network is back"), event(2))
            room.end("expired")
            await session.ended.wait()

    run(main)
    assert records(file) == [
        ("note", "participant joined: Dana"),
        ("in", event(3)),
        ("in", event(1)),
        ("out", respond("Hello").encode("c1")),
        ("note", "the network is back"),
        ("in", event(2)),
        ("note", "the conversation is over: expired"),
    ]


def test_the_text_of_a_message_is_recorded_untouched(tmp_path: Path) -> None:
    file, raw = tmp_path / "talk.jsonl", '{ "seq" : 1 , "big" : 10000000000000000000000.0 }'

    async def main() -> None:
        room = FedRoom()
        recorder = Recorder(str(file), conversation_id="c1", target="fed", started=1.0)
        async with Session(room, recorder=recorder):
            room.feed(Received(json.loads(raw), 5.0, "p", raw))

    run(main)
    assert file.read_text().splitlines()[1].endswith(f',"from":"p","message":{raw}}}')


def test_a_recording_is_closed_even_where_a_sink_fails(tmp_path: Path) -> None:
    async def main() -> Recorder:
        room = FedRoom()
        recorder = Recorder(str(tmp_path / "x"), conversation_id="", target="", started=1.0)
        session = Session(room, recorder=recorder)
        session.sinks.append(FailingSink())
        with contextlib.suppress(ZeroDivisionError):
            async with session:
                room.feed(event(1))
                await session.ended.wait()
        return recorder

    assert run(main)._file.closed
    assert records(tmp_path / "x") == [("in", event(1))]


def test_what_a_recording_says_was_sent_is_shown_as_sent() -> None:
    async def main() -> None:
        room, sink = FedRoom(), Sink()
        session = Session(room)
        session.sinks.append(sink)
        async with session:
            room.feed(Received(interrupt().encode("c1"), 5.0, direction="out"), RoomNote("cut", warning=True))
            await sink.has(2)
        assert sink.brief == ["sent interrupt", "cut"]
        note = sink.got[1]
        assert isinstance(note, NoteEntry)
        assert note.warning

    run(main)
