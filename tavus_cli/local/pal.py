"""The simulated PAL behind a local room: it speaks to the guests, and receives what they send."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from tavus_cli.errors import SendFailed
from tavus_cli.local.room import Room
from tavus_cli.local.signalling import EVERYBODY
from tavus_cli.rooms.room import ParticipantChanged, Received, RoomOver
from tavus_cli.rooms.sim.model import Options, SimScript
from tavus_cli.rooms.sim.room import SimulatedRoom

FAST = 1000.0  # times real time: ``speed=max`` with real clients in the room

Over = Callable[[str], Awaitable[None]]
Seen = Callable[[Any, float, str], None]


class Pal:
    """``script`` and ``options`` as ``parse_spec`` gives them for a TARGET such as "sim:FILE.toml?seed=7"
    (docs/sim.md); with ``options.speed`` None it is FAST.

    It starts with the first guest and ends with its conversation; ``over`` is then called with the reason.
    ``seen`` is called with every message to or from the PAL, its time and its sender's id.
    """

    def __init__(
        self,
        room: Room,
        script: SimScript,
        options: Options,
        *,
        id: str = "",
        over: Over | None = None,
        seen: Seen | None = None,
    ) -> None:
        if options.speed is None:
            options = options._replace(speed=FAST)
        self.id = id or str(uuid.uuid4())  # the client drops messages from senders without a UUID
        self.script = script
        self.speed = options.speed or FAST
        self.present = False
        self._room = room
        self._over = over
        self._seen = seen
        self._sim = SimulatedRoom(script, options)
        self._sim.conversation_id = room.name
        self._task: asyncio.Task[None] | None = None
        self._ended = False

    async def enter(self) -> None:
        """Join the room, with nobody to talk to yet."""
        user_id = f"tavus-replica-{self.script.replica_id}"
        self.present = True
        await self._room.come(self.id, name=self.script.name, user_id=user_id)

    async def end(self, reason: str) -> None:
        """Shut the conversation down from outside; returns when its last message has gone out."""
        self._ended = True
        self._sim.end(reason)
        if self._task is not None:
            await asyncio.wait({self._task})
        elif self._over is not None:
            await self._over(reason)

    async def stop(self) -> None:
        """Stop at once."""
        await self._sim.leave()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    # -- Behind ------------------------------------------------------------------------------------------

    async def joined(self, who: str, name: str) -> None:
        if self._task is None and not self._ended:
            await self._sim.join()
            self._task = asyncio.create_task(self._talk())

    async def left(self, who: str) -> None:
        pass

    async def said(self, sender: str, to: str, message: Any) -> None:
        if to not in (EVERYBODY, self.id):
            return
        if self._seen is not None:
            self._seen(message, self._sim.now(), sender)
        with contextlib.suppress(SendFailed):  # the conversation is over
            await self._sim.send(message)

    async def _talk(self) -> None:
        async for batch in self._sim.arrivals():
            for arrival in batch:
                match arrival:
                    case Received(message, at):
                        if self._seen is not None:
                            self._seen(message, at or self._sim.now(), self.id)
                        await self._room.say(message, self.id)
                    case ParticipantChanged(participant, change) if participant.pal:
                        if change == "joined" and not self.present:
                            await self.enter()
                        elif change == "left" and self.present:
                            self.present = False
                            await self._room.go(self.id)
                    case RoomOver(reason):
                        if self._over is not None:
                            await self._over(reason)
