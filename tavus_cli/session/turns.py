"""Long work in small steps, so that keys, events, timers and signals are handled in between."""

from __future__ import annotations

import asyncio
from typing import cast

from tavus_cli.rooms.room import Room, VirtualTime

SLICE_SECONDS = 0.004


class Turns:
    """Call ``await turns.give()`` after each small step; now and then it lets the event loop run.

    If the ``room`` has a time of its own, that stands still during the work.
    """

    def __init__(self, room: Room | None = None) -> None:
        self._time: VirtualTime | None = None
        if room is not None and not room.live:
            self._time = cast(VirtualTime, room) if isinstance(room, VirtualTime) else None
        self._clock = asyncio.get_running_loop().time
        self._until = self._clock() + SLICE_SECONDS
        self.given = 0

    async def give(self) -> None:
        if self._clock() < self._until:
            return
        if self._time is not None:
            self._time.hold()
        try:
            await asyncio.sleep(0)
        finally:
            if self._time is not None:
                self._time.release()
        self.given += 1
        self._until = self._clock() + SLICE_SECONDS
