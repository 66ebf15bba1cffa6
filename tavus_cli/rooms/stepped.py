"""A recording that is read step by step (``replay -i``)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from tavus_cli.protocol.events import Event
from tavus_cli.rooms.recorded import RecordedRoom
from tavus_cli.rooms.room import BATCH, Arrival, Participant, RoomNote


class SteppedRoom:
    """A Room (``room.Room``) over a recording; events arrive only through ``give``.

    ``start`` is the time of the first record with one, in Unix seconds;
    ``reached``, ``seq`` and ``turn`` are the latest time and the highest numbers given.
    """

    live = False
    leaving_may_end = False
    via = ""

    def __init__(self, recorded: RecordedRoom) -> None:
        self.target = recorded.target
        self.conversation_id = recorded.conversation_id
        self.timed = recorded.timed
        self.participants: Mapping[str, Participant] = {}
        self.start: float | None = None
        self.reached: float | None = None
        self.seq: int | None = None
        self.turn: int | None = None
        self._recorded = recorded
        self._source = recorded.arrivals()
        self._read: deque[Arrival] = deque()
        self._giving: list[Arrival] = []
        self._began = recorded.now()
        self._asked = asyncio.Event()
        self._taken = asyncio.Event()
        self._left = False

    def now(self) -> float:
        return self._began if self.reached is None else self.reached

    async def join(self) -> None:
        pass

    async def send(self, message: dict[str, Any]) -> None:
        await self._recorded.send(message)

    async def leave(self) -> None:
        self._left = True
        self._asked.set()
        await self._recorded.leave()

    async def arrivals(self) -> AsyncIterator[list[Arrival]]:
        try:
            while True:
                await self._asked.wait()
                self._asked.clear()
                if self._left or not self._giving:
                    return
                yield self._giving
                self._taken.set()
        finally:
            self._taken.set()
            await self._source.aclose()  # type: ignore[attr-defined]

    # -- on demand

    async def next(self) -> Arrival | None:
        """The next arrival that ``give`` would deliver; None at the end."""
        while not self._read:
            batch = await anext(self._source, None)
            if batch is None:
                return None
            self._read.extend(batch)
            if self.start is None:
                self.start = next(filter(None, map(time_of, batch)), None)
        return self._read[0]

    async def give(self, before: Callable[[Arrival], bool] | None = None) -> None:
        """Deliver the next arrival, or all as long as ``before`` is true of them, in one batch.

        Returns when the session has handled them. The end of the recording ends the room.
        """
        self._giving = []
        first = await self.next()
        while first is not None and self._read and len(self._giving) < BATCH:
            if before is not None and not before(self._read[0]):
                break
            self._giving.append(self._read.popleft())
            if before is None:
                break
        if first is not None and not self._giving:
            return
        for one in self._giving:
            self._note(one)
        self._taken.clear()
        self._asked.set()
        await self._taken.wait()

    def _note(self, given: Arrival) -> None:
        if at := time_of(given):
            self.reached = max(self.reached or at, at)
        if isinstance(given, Event):
            self.seq = _higher(self.seq, given.seq)
            self.turn = _higher(self.turn, given.turn_idx)


def _higher(one: int | None, other: int | None) -> int | None:
    return max((value for value in (one, other) if value is not None), default=None)


def time_of(arrival: Arrival) -> float | None:
    """When it arrived or, if that is unknown, when it was created; in Unix seconds."""
    if isinstance(arrival, Event):
        return arrival.timestamp if arrival.at is None else arrival.at
    return arrival.at if isinstance(arrival, RoomNote) else None
