"""A room that joins again after being cut off.

To its users it is one room with a gap in its arrivals. It joins again only after a first join has succeeded,
and until the conversation ends.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from tavus_cli.errors import ConsoleError, ConversationOver, NotAuthorised, SendFailed
from tavus_cli.rooms.room import Arrival, LineChanged, Participant, ParticipantChanged, Room, RoomOver


class Policy(NamedTuple):
    """When to join again, in seconds: ``first`` after being cut off, then twice as long each time up to
    ``longest``, for at most ``timeout``, also if connections in between last less than ``longest``. ``pal``
    is how long the PAL may take to return.
    """

    timeout: float = 300.0
    first: float = 1.0
    longest: float = 30.0
    pal: float = 30.0

    def pause(self, attempt: int, chance: float) -> float:
        """The delay before attempt 0, 1, …; ``chance`` (0 to 1) varies it by up to a quarter either way."""
        base: float = min(self.longest, self.first * 2.0 ** min(attempt, 60))
        return base * (0.75 + chance / 2)


Ended = Callable[[], Awaitable[bool]]


def _chance() -> float:
    import random  # few conversations are cut off

    return random.random()


class ReconnectingRoom:
    """``open_room`` makes a new room for each join. ``has_ended`` asks whether the conversation is over, if
    that is possible. ``chance`` returns numbers from 0 to 1. ``joined`` is the current room.
    """

    def __init__(
        self,
        open_room: Callable[[], Room],
        policy: Policy | None = None,
        *,
        has_ended: Ended | None = None,
        chance: Callable[[], float] = _chance,
    ) -> None:
        self._open = open_room
        self.joined = room = open_room()
        self.target = room.target
        self.conversation_id = room.conversation_id
        self.live = room.live
        self.timed = room.timed
        self.leaving_may_end = room.leaving_may_end
        self.via = room.via
        self._policy = policy or Policy()
        self._has_ended = has_ended
        self._chance = chance
        self._entered = False
        self._down = False
        self._pal_awaited = False  # the PAL was there before a break, and has not come back yet
        self._attempt, self._give_up = 0, 0.0  # since the last connection that lasted
        self._lasting_at = 0.0  # loop time from which on the connection counts as one that lasted
        self._own: set[str] = set()  # our ids in earlier rooms; Daily lists one for a while after a break
        self._left = asyncio.Event()

    def __repr__(self) -> str:
        return f"ReconnectingRoom({self.target!r})"

    def now(self) -> float:
        return self.joined.now()

    @property
    def participants(self) -> Mapping[str, Participant]:
        return self.joined.participants

    async def join(self) -> None:
        await self.joined.join()
        self._entered = True

    async def send(self, message: dict[str, Any]) -> None:
        """Raises SendFailed while the connection is down, as a message might arrive at any later time."""
        if self._down:
            raise SendFailed("not sent: the connection to the room is down; try again when it is back")
        await self.joined.send(message)

    async def leave(self) -> None:
        self._left.set()
        await self.joined.leave()

    async def arrivals(self) -> AsyncIterator[list[Arrival]]:
        while True:
            cut: RoomOver | None = None
            async for batch in self._batches():
                last = batch[-1] if batch else None
                if isinstance(last, RoomOver) and last.cut_off and self._entered:
                    cut = last
                    down = LineChanged(False, f"cut off: {cut.reason}; joining again", cut.at)
                    self._down = True
                    yield [*batch[:-1], down]
                    break
                yield batch
            if cut is None or self._left.is_set():
                return
            before = self.joined.participants
            over = await self._rejoin(cut)
            if over is not None:
                yield [over]
            if over is not None or self._left.is_set():
                return
            self._down = False
            self._pal_awaited = self._pal_awaited or any(one.pal for one in before.values())
            yield self._back(cut, before)

    # -- joining again ---------------------------------------------------------------------------------

    async def _rejoin(self, cut: RoomOver) -> RoomOver | None:
        """Try to join again: None once joined, or left; otherwise how the room ended."""
        await self.joined.leave()  # releases the client
        policy, loop = self._policy, asyncio.get_running_loop()
        if loop.time() >= self._lasting_at:
            self._attempt, self._give_up = 0, loop.time() + policy.timeout
        why = ""
        while True:
            pause = policy.pause(self._attempt, self._chance())
            if loop.time() + pause > self._give_up:
                break
            self._attempt += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._left.wait(), pause)
            ended = await self._ended()
            if self._left.is_set():
                return None
            if ended:
                return RoomOver("it ended while we were cut off", self.now())
            try:
                await self._try(self._give_up)
                self._lasting_at = loop.time() + policy.longest
                return None
            except ConversationOver:
                return RoomOver("the room is no longer available", self.now())
            except (NotAuthorised, ConsoleError, TimeoutError) as error:
                if self._left.is_set():
                    return None
                if isinstance(error, NotAuthorised):
                    return RoomOver(f"{cut.reason}; {error}", self.now(), cut_off=True)
                why = f" ({error})" if isinstance(error, ConsoleError) else ""
        again = "again" if loop.time() >= self._lasting_at else "again for long"
        tried = f"{cut.reason}; could not join {again} within {policy.timeout:g} s{why}"
        return RoomOver(tried, self.now(), cut_off=True)

    async def _ended(self) -> bool:
        """Whether the conversation is known to be over. Nothing is asked once the room is left."""
        if self._has_ended is None or self._left.is_set():
            return False
        asking, left = asyncio.ensure_future(self._has_ended()), asyncio.ensure_future(self._left.wait())
        try:
            await asyncio.wait({asking, left}, return_when=asyncio.FIRST_COMPLETED)
            return asking.done() and asking.result()
        finally:
            asking.cancel()
            left.cancel()

    async def _try(self, give_up: float) -> None:
        """Raises the errors of joining, and TimeoutError; the room is left then."""
        self.joined = room = self._open()
        try:
            async with asyncio.timeout_at(give_up):
                await room.join()
        except BaseException:  # a cancelled join too leaves the room
            self._was_us(room.participants)
            await room.leave()
            raise

    def _was_us(self, participants: Mapping[str, Participant]) -> None:
        self._own.update(one.id for one in participants.values() if one.local)

    def _back(self, cut: RoomOver, before: Mapping[str, Participant]) -> list[Arrival]:
        """The arrivals that report the new join, and participants that left in between."""
        now, here = self.now(), self.joined.participants
        text = "joined again" + (f" after {now - cut.at:.1f} s" if cut.at is not None else "")
        gone = [one for one in before.values() if one.id not in here]
        self._was_us(before)
        if guests := [one.name or one.id[:8] for one in gone if not one.pal and one.id not in self._own]:
            text += f"; left meanwhile: {', '.join(guests)}"
        return [LineChanged(True, text, now), *(ParticipantChanged(one, "left", now) for one in gone)]

    async def _batches(self) -> AsyncIterator[list[Arrival]]:
        """The arrivals of the current room, which is over if an awaited PAL does not come in time."""
        room, loop = self.joined, asyncio.get_running_loop()
        batches = aiter(room.arrivals())
        pal_by = loop.time() + self._policy.pal
        while self._pal_awaited and not any(one.pal for one in room.participants.values()):
            coming = asyncio.ensure_future(anext(batches, None))
            try:
                await asyncio.wait({coming}, timeout=max(0.0, pal_by - loop.time()))
                if not coming.done():
                    seconds = f"{self._policy.pal:g} s"
                    await room.leave()
                    yield [RoomOver(f"the PAL was not there within {seconds} of joining again", room.now())]
                    return
            finally:
                coming.cancel()
            batch = coming.result()
            if batch is None:
                return
            yield batch
        self._pal_awaited = False
        async for batch in batches:
            yield batch
