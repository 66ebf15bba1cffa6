"""Rows from before a client joined: the latest, each once, marked, and without effects."""

from __future__ import annotations

import asyncio
import io
import json

import pytest

from tavus_cli.language.selection import Selection
from tavus_cli.protocol.entries import Entry, EventEntry
from tavus_cli.resident import past as module
from tavus_cli.resident import sockets as runtime
from tavus_cli.resident.past import Past
from tavus_cli.resident.room import with_past
from tavus_cli.resident.wire import arrival_json, arrival_of, encode
from tavus_cli.rooms.room import Arrival, LineChanged, Received, RoomNote, RoomOver
from tavus_cli.rooms.sim.room import open_simulated
from tavus_cli.session.environment import Environment
from tavus_cli.session.output import Output
from tavus_cli.session.printer import Printer
from tavus_cli.session.session import Session
from tavus_cli.views.jsonl import JsonlView, TemplateView
from tavus_cli.views.line import LineView
from tests.kits.conversations import START, message
from tests.kits.program import SECONDS
from tests.kits.resident_kit import connected, start
from tests.kits.room_kit import until

if not runtime.supported():
    pytest.skip("no Unix sockets here", allow_module_level=True)


def remembered(past: Past, most: int = 10_000) -> list[Arrival]:
    arrival = arrival_of(json.loads(past.line(most)))
    return list(arrival.arrivals)  # type: ignore[union-attr]


def add(past: Past, arrival: Arrival) -> None:
    past.add(arrival, encode(arrival_json(arrival) or {}))


def said(number: int, **properties: object) -> Received:
    return Received(message("conversation.utterance", seq=number, turn=1, **properties), START + number)


def test_events_without_a_row_are_not_kept() -> None:
    past = Past()
    kept: list[Arrival] = [
        said(1, speech="one"),
        RoomNote("a note", START),
        LineChanged(False, "the line is down", START),
        Received({"event_type": "conversation.interrupt"}, START, direction="out"),
        Received("not an object", START),
        Received(message("conversation.utterance.streaming", role="pal", speech="all", final=True), START),
    ]
    for one in kept:
        add(past, one)
    add(past, Received(message("system.replica_present"), START))
    add(past, Received(message("conversation.utterance.streaming", role="pal", speech="a"), START))
    add(past, RoomOver("over", START))
    assert remembered(past) == kept
    assert remembered(past, 2) == kept[-2:]
    assert remembered(past, 0) == []


def test_it_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_BYTES", 10_000)
    past = Past()
    for number in range(module.KEPT + 10):
        add(past, RoomNote(str(number)))
    assert len(remembered(past)) < module.KEPT
    assert len(past.line(10_000)) < 11_000
    assert remembered(past)[-1] == RoomNote(str(module.KEPT + 9))


class Acts:
    """A sink that would act on events, like one that answers tool calls."""

    def __init__(self) -> None:
        self.live: list[Entry] = []

    def entries(self, entries: list[Entry]) -> None:
        self.live += entries

    async def drain(self) -> None:
        pass


class Shows(Acts):
    """A sink that keeps earlier events separate."""

    def __init__(self) -> None:
        super().__init__()
        self.before: list[Entry] = []

    def past(self, entries: list[Entry]) -> None:
        self.before += entries


def numbers(entries: list[Entry]) -> list[int]:
    """The numbers of the events of ``rate=`` that are not folded."""
    loads = (
        one.event for one in entries if isinstance(one, EventEntry) and one.event.type.endswith("sim.load")
    )
    return [event.get("number") for event in loads]


@pytest.mark.usefixtures("sessions")
def test_earlier_and_new_events_together_are_complete_without_repeats() -> None:
    target = "sim:?rate=100&events=5000"
    start(target)

    async def main() -> Shows:
        room, shows = connected(target), Shows()
        with_past(room, 1_000)
        session = Session(room)
        session.sinks.append(shows)
        async with session, asyncio.timeout(SECONDS):
            await until(lambda: len(numbers(shows.live)) >= 20)
        return shows

    asyncio.run(main())  # until there are some
    shows = asyncio.run(main())
    assert numbers(shows.before)
    every = numbers(shows.before) + numbers(shows.live)
    assert every == list(range(every[0], every[-1] + 1))
    if every[-1] < 500:
        assert every[0] == 0


def test_each_view_marks_it_or_leaves_it_out() -> None:
    async def shown(view: LineView | JsonlView | TemplateView, history: int) -> str:
        environment = Environment(stdout=io.StringIO(), stderr=io.StringIO(), environ={})
        output = Output(environment)
        printer = Printer(view, Selection(), output, environment, count=1, history=history)
        session = Session(open_simulated("sim"))
        session.sinks += [printer, acts := Acts()]
        async with output:
            session._take([arrival_of({"past": past})])  # type: ignore[list-item]
        assert not printer.done.is_set()
        assert acts.live == []
        return str(environment.stdout.getvalue())  # type: ignore[attr-defined]

    past = [arrival_json(said(number, role="user", speech=f"word {number}")) for number in (5, 9)]

    async def main() -> None:
        lines = (await shown(LineView(lambda second: "12:00:00"), 200)).splitlines()
        assert lines[0].startswith("── before you joined: 2 rows ─")
        assert [line.split("user")[-1].strip() for line in lines[2:4]] == ["word 5", "word 9"]
        assert lines[4].startswith("── you joined ─")
        assert "word 5" not in await shown(LineView(lambda second: "12:00:00"), 1)
        marked = [json.loads(line) for line in (await shown(JsonlView(envelope=True), 200)).splitlines()]
        assert [one["past"] for one in marked] == [True, True]
        assert await shown(JsonlView(), 200) == ""
        assert await shown(TemplateView("{text}"), 200) == ""

    asyncio.run(main())
