"""What tests of rooms share: a room that is joined and read for the length of a block.

Tests that every room must pass are in tests/rooms/test_every_room.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tavus_cli.protocol.events import Event
from tavus_cli.resident import sockets as runtime
from tavus_cli.resident.sessions import stop
from tavus_cli.rooms.daily import room as adapter
from tavus_cli.rooms.daily.room import DailyRoom
from tavus_cli.rooms.recorded import RecordedRoom
from tavus_cli.rooms.room import Arrival, LineChanged, ParticipantChanged, Received, Room, RoomNote
from tavus_cli.rooms.sim.room import open_simulated
from tavus_cli.session.recorder import Recorder
from tests.kits.daily_room import LocalRoom, authority_file, room_url
from tests.kits.fake_daily import FakeDaily, Scenario, install
from tests.kits.program import SECONDS
from tests.kits.resident_kit import connected, start

URL = "https://x.daily.co/c0ffee"


def fake_daily(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeDaily]:
    """``daily(join="never", …)`` → a fake with this scenario; the adapter's limits are short."""
    for limit in ("PREPARE_SECONDS", "SEND_SECONDS", "LEAVE_SECONDS", "RELEASE_SECONDS", "GRACE_SECONDS"):
        monkeypatch.setattr(adapter, limit, 0.2)
    monkeypatch.setattr(adapter, "unfinished", set())
    return lambda **scenario: install(monkeypatch, Scenario(**scenario))


@contextlib.asynccontextmanager
async def joined(url: str = URL, **options: Any) -> AsyncIterator[tuple[DailyRoom, list[Arrival]]]:
    """A joined Daily room, and what has arrived."""
    room = DailyRoom(url, **options)
    async with taking(room) as arrivals:
        await room.join()
        yield room, arrivals


@contextlib.asynccontextmanager
async def taking(room: Room) -> AsyncIterator[list[Arrival]]:
    """What arrives during the block, joined or not; afterwards the room is left and the arrivals ended."""
    arrivals: list[Arrival] = []

    async def take() -> None:
        async for batch in room.arrivals():
            arrivals.extend(as_received(one) for one in batch)

    task = asyncio.create_task(take())
    try:
        yield arrivals
    finally:
        await room.leave()
        await asyncio.wait_for(task, 10)


async def until(condition: Callable[[], Any], timeout: float = SECONDS) -> None:
    """Return when ``condition`` is true. Use it only if there is nothing to await."""
    async with asyncio.timeout(timeout):
        while not condition():
            await asyncio.sleep(0.001)


def as_received(one: Arrival) -> Arrival:
    """An event of a recording as the arrival that it came from."""
    if isinstance(one, Event):
        return Received(one.message, one.at, one.sender, one.raw, one.direction)
    return one


def messages(arrivals: list[Arrival]) -> list[Any]:
    return [one.message for one in arrivals if isinstance(one, Received)]


def notes(arrivals: list[Arrival]) -> list[str]:
    return [one.text for one in arrivals if isinstance(one, RoomNote)]


def line_changes(arrivals: list[Arrival]) -> list[bool]:
    """For each change of the connection: whether it is up."""
    return [one.up for one in arrivals if isinstance(one, LineChanged)]


def changes(arrivals: list[Arrival]) -> list[tuple[str, str, bool]]:
    return [
        (one.participant.id, one.change, one.participant.pal)
        for one in arrivals
        if isinstance(one, ParticipantChanged)
    ]


# -- rooms of every kind behind one interface ------------------------------------------------

Begin = Callable[[Room], Awaitable[None]]


@dataclass
class Stage:
    """A room that is not joined yet, and how to start it.

    ``begin`` joins it as far as possible; then messages with these ``numbers`` arrive, or, if that is None,
    at least ``count`` with rising numbers. ``takes``: whether it is then joined, so that messages can be
    sent.
    """

    room: Room
    begin: Begin
    takes: bool
    numbers: list[int] | None
    count: int
    outgoing: int = 0  # how many of them this side had sent (recordings)


Open = Callable[[Path, pytest.MonkeyPatch], AbstractAsyncContextManager[Stage]]
MANY = 3000  # several batches


def utterance(number: int) -> dict[str, Any]:
    properties = {"role": "pal", "text": f"sentence {number}"}
    return {"event_type": "conversation.utterance", "properties": properties, "seq": number}


async def _join(room: Room) -> None:
    await room.join()


@contextlib.asynccontextmanager
async def sim(path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    yield Stage(open_simulated("sim:?speed=max"), _join, takes=True, numbers=None, count=5)


@contextlib.asynccontextmanager
async def recording(path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """With times, as the recorder writes it; every tenth message is one that was sent."""
    file = path / "recording.jsonl"
    recorder = Recorder(str(file), conversation_id="c1", target="x", started=1000.0)
    for number in range(MANY):
        if number % 10 == 9:
            recorder.sent(utterance(number), 1000.0 + number)
        else:
            recorder.received(utterance(number), 1000.0 + number, "pal", None)
    recorder.close()
    room = RecordedRoom(str(file))
    yield Stage(room, _join, takes=False, numbers=list(range(MANY)), count=MANY, outgoing=MANY // 10)


@contextlib.asynccontextmanager
async def bare(path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """A file of bare messages, without times."""
    file = path / "messages.jsonl"
    file.write_text("".join(json.dumps(utterance(number)) + "\n" for number in range(MANY)))
    yield Stage(RecordedRoom(str(file)), _join, takes=False, numbers=list(range(MANY)), count=MANY)


@contextlib.asynccontextmanager
async def fake(path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """Some messages before "joined", the others after."""
    early = [utterance(number) for number in range(10)]
    other = fake_daily(monkeypatch)(early=early)

    async def begin(room: Room) -> None:
        await room.join()
        for number in range(10, MANY):
            other.say(utterance(number))

    yield Stage(DailyRoom(URL), begin, takes=True, numbers=list(range(MANY)), count=MANY)


@contextlib.asynccontextmanager
async def local(path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """The real client, which gets as far as "joining"."""
    monkeypatch.setenv("SSL_CERT_FILE", authority_file())
    joins: list[asyncio.Task[None]] = []
    async with LocalRoom(socket="silent") as server:

        async def begin(room: Room) -> None:
            joins.append(asyncio.create_task(room.join()))
            await server.joining(room.conversation_id)
            await server.flood(MANY, utterance)

        room = DailyRoom(room_url(), proxy=server.proxy)
        try:
            yield Stage(room, begin, takes=False, numbers=list(range(MANY)), count=MANY)
        finally:
            for join in joins:
                join.cancel()
            await asyncio.gather(*joins, return_exceptions=True)


@contextlib.asynccontextmanager
async def resident(path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """The session's own room is the simulated one, in real time."""
    monkeypatch.setenv("TAVUS_CONSOLE_RUNTIME", str(path / "run"))
    name = start("sim:?rate=500&events=1000")["id"]
    room = connected(name)
    try:
        yield Stage(room, _join, takes=True, numbers=None, count=700)
    finally:
        room.close()
        stop(name)


ROOMS: dict[str, Open] = {"sim": sim, "recording": recording, "bare": bare, "fake": fake, "local": local}
if runtime.supported():
    ROOMS["resident"] = resident


def numbers(arrivals: list[Arrival]) -> list[int]:
    return [
        one.message["seq"]
        for one in arrivals
        if isinstance(one, Received) and isinstance(one.message, dict) and "seq" in one.message
    ]
