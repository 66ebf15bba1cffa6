"""What tests of rooms share: a room joined and drained for the length of a block, and what came.

The kit itself (the same tests over every room) is in test_room_kit.py.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tavus_cli.rooms import daily as adapter
from tavus_cli.rooms.daily import DailyRoom
from tavus_cli.rooms.room import Arrival, ParticipantChanged, Received, Room, RoomNote
from tests.fake_daily import FakeDaily, Scenario, install

URL = "https://x.daily.co/c0ffee"


def fake_daily(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeDaily]:
    """``daily(join="never", …)`` → a fake with this scenario; the adapter's limits are short."""
    for limit in ("PREPARE_SECONDS", "SEND_SECONDS", "LEAVE_SECONDS", "RELEASE_SECONDS", "GRACE_SECONDS"):
        monkeypatch.setattr(adapter, limit, 0.2)
    monkeypatch.setattr(adapter, "_hanging", set())
    return lambda **scenario: install(monkeypatch, Scenario(**scenario))


@contextlib.asynccontextmanager
async def joined(url: str = URL, **options: Any) -> AsyncIterator[tuple[DailyRoom, list[Arrival]]]:
    """A Daily room, joined, and what has arrived."""
    room = DailyRoom(url, **options)
    async with taking(room) as arrivals:
        await room.join()
        yield room, arrivals


@contextlib.asynccontextmanager
async def taking(room: Room) -> AsyncIterator[list[Arrival]]:
    """What arrives in the block, joined or not; after it the room is left and its arrivals have ended."""
    arrivals: list[Arrival] = []

    async def take() -> None:
        async for batch in room.arrivals():
            arrivals.extend(batch)

    task = asyncio.create_task(take())
    try:
        yield arrivals
    finally:
        await room.leave()
        await asyncio.wait_for(task, 10)


async def until(condition: Callable[[], Any], timeout: float = 10.0) -> None:
    """Returns when ``condition`` is true; only for what nothing can be awaited for."""
    async with asyncio.timeout(timeout):
        while not condition():
            await asyncio.sleep(0.001)


def messages(arrivals: list[Arrival]) -> list[Any]:
    return [one.message for one in arrivals if isinstance(one, Received)]


def notes(arrivals: list[Arrival]) -> list[str]:
    return [one.text for one in arrivals if isinstance(one, RoomNote)]


def changes(arrivals: list[Arrival]) -> list[tuple[str, str, bool]]:
    return [
        (one.participant.id, one.change, one.participant.pal)
        for one in arrivals
        if isinstance(one, ParticipantChanged)
    ]
