"""The simulated PAL as a room: no account, no network (docs/sim.md)."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Mapping
from heapq import heappop, heappush
from itertools import count
from typing import Any

from tavus_cli.errors import CannotJoin, SendFailed
from tavus_cli.rooms.room import (
    BATCH,
    Arrival,
    Clock,
    Idle,
    Participant,
    ParticipantChanged,
    Received,
    RoomNote,
    RoomOver,
    steady_time,
)
from tavus_cli.rooms.sim.faults import Faults
from tavus_cli.rooms.sim.model import Options, SimScript
from tavus_cli.rooms.sim.replica import Replica
from tavus_cli.rooms.sim.script import parse_spec

START = 1_790_241_600.0  # Unix seconds at which the virtual clock of speed=max starts
REACTION = 8  # rounds of the event loop for others to react to arrivals before time passes


def open_simulated(spec: str, clock: Clock = steady_time) -> SimulatedRoom:
    """The room of "sim", "sim:FILE.toml", "sim:?seed=7&reorder=0.2" …; raises UsageError."""
    script, options = parse_spec(spec)
    return SimulatedRoom(script, options, target=spec, clock=clock)


class SimulatedRoom:
    """A Room (``room.Room``). With ``options.speed`` None, time is virtual: it jumps from one event to the
    next, and stands still while none is pending.

    ``clock`` gives Unix seconds; it is not read when time is virtual.
    """

    timed = True
    leaving_may_end = False
    via = ""

    def __init__(
        self, script: SimScript, options: Options, *, target: str = "sim", clock: Clock = steady_time
    ) -> None:
        self.target = target
        self.conversation_id = f"sim-{options.seed}"
        self.live = options.speed is not None
        self._script = script
        self._options = options
        self._clock = clock
        self._virtual = START
        self._replica: Replica | None = None
        self._faults = Faults(options.faults, options.seed)
        self._leave_at: float | None = None
        self._last_at = START  # of the last arrival, in virtual time
        self._local = Participant("local", "tavus-console", local=True)
        self._pal = Participant("pal", script.name, f"tavus-replica-{script.replica_id}", pal=True)
        self._participants: dict[str, Participant] = {}
        self._ready: deque[Arrival] = deque()
        self._wake = asyncio.Event()
        self._left = False
        self._over: str | None = None
        self._alarms: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = count()
        self._held = 0  # number of holders whose work takes real time

    @property
    def participants(self) -> Mapping[str, Participant]:
        return self._participants

    def now(self) -> float:
        return self._clock() if self.live else self._virtual

    async def join(self) -> None:
        if self._left or self._over is not None:
            raise CannotJoin("cannot join: the simulated conversation is over, or was left")
        if self._replica is None:
            now, options = self.now(), self._options
            pace = options.speed or 1.0
            self._replica = Replica(self._script, options, self.conversation_id, now, pace=pace)
            if options.faults.leave is not None:
                self._leave_at = now + options.faults.leave
            self._come(self._local)
            self._wake.set()

    async def send(self, message: dict[str, Any]) -> None:
        """Raises SendFailed before joining, after leaving, and when the conversation is over."""
        if self._left:
            raise SendFailed("not sent: the room was left")
        if self._over is not None:
            raise SendFailed(f"not sent: the conversation is over ({self._over})")
        if self._replica is None:
            raise SendFailed("not sent: the room is not joined yet")
        self._replica.receive(message, self.now())
        self._wake.set()

    def end(self, reason: str) -> None:
        """End the conversation as Tavus does on request: the PAL announces it (system.shutdown)."""
        if self._replica is not None and self._over is None:
            self._replica.end(reason, self.now())
            self._wake.set()

    async def leave(self) -> None:
        self._left = True
        self._ring(None)
        self._wake.set()

    async def arrivals(self) -> AsyncIterator[list[Arrival]]:
        """Events are generated as they are read: a slow reader slows the replica, except in real time."""
        reported_idle = True  # nothing arrives before joining
        while not self._left:
            self._wake.clear()
            self._collect(self.now())
            if self._ready:
                reported_idle = False
                yield [self._ready.popleft() for _ in range(min(BATCH, len(self._ready)))]
                if self._over is not None and not self._ready:
                    return
                await asyncio.sleep(0)
            elif self.live:
                await self._sleep_until(self._next_at())
            elif self._held:
                await self._wake.wait()
            elif (due := self._next_at()) is not None:
                await self._let_others_act()
                if not self._wake.is_set() and not self._held:
                    self._virtual = max(self._virtual, due)
                    self._ring(self._virtual)
            elif not reported_idle:
                reported_idle = True
                yield [Idle()]
            else:
                await self._wake.wait()
                reported_idle = self._replica is None

    def alarm(self, at: float) -> asyncio.Future[None]:
        """A future, done once virtual time reaches ``at`` or the room ends; time passes until then.

        Cancel it to stop waiting. In real time, use timers of the event loop.
        """
        rings = asyncio.get_running_loop().create_future()
        if self._left or self._over is not None or at <= self._virtual:
            rings.set_result(None)
        else:
            heappush(self._alarms, (at, next(self._count), rings))
            self._wake.set()
        return rings

    def hold(self) -> None:
        """Stop virtual time, without being idle, until ``release`` was called as often as this."""
        self._held += 1

    def release(self) -> None:
        self._held -= 1
        self._wake.set()

    # -- time ------------------------------------------------------------------------------------------

    def _ring(self, now: float | None) -> None:
        """Finish the alarms that are due; all of them without a time."""
        while (at := self._alarm_at()) is not None and (now is None or at <= now):
            heappop(self._alarms)[2].set_result(None)

    def _alarm_at(self) -> float | None:
        while self._alarms and self._alarms[0][2].done():
            heappop(self._alarms)
        return self._alarms[0][0] if self._alarms else None

    def _next_at(self) -> float | None:
        """When the next thing happens; None if nothing will, or only heartbeats in virtual time."""
        replica = self._replica
        if replica is None or self._over is not None:
            return None
        times = [replica.wake_at(idle=self._passes()), self._faults.wake_at(), self._leave_at]
        times.append(self._alarm_at())
        return min((at for at in times if at is not None), default=None)

    def _resting(self) -> bool:
        """Advance virtual time only for events on their way to us: for heartbeats it would never stop."""
        replica = self._replica
        driven = replica is not None and replica.wake_at(idle=False) is not None
        return not (self._passes() or driven or self._leave_at is not None)

    def _passes(self) -> bool:
        """Whether time passes even if nothing happens: it is real, or somebody waits for a moment."""
        return self.live or self._alarm_at() is not None

    async def _sleep_until(self, due: float | None) -> None:
        delay = None if due is None else max(0.0, due - self.now())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._wake.wait()

    async def _let_others_act(self) -> None:
        for _ in range(REACTION):
            if self._wake.is_set():
                return
            await asyncio.sleep(0)

    # -- what arrives ----------------------------------------------------------------------------------

    def _collect(self, now: float) -> None:
        """Move about a batch of the messages that have arrived by ``now`` into ``_ready``."""
        replica = self._replica
        if replica is None or self._over is not None:
            return
        leave_at = self._leave_at
        if leave_at is not None and leave_at <= now:
            self._take(leave_at, now)
            self._end("the connection was cut (leave fault)", now)
            return
        self._take(now, now)
        if replica.over is not None and self._faults.wake_at() is None:
            self._end(replica.over, now)

    def _take(self, until: float, now: float) -> None:
        replica = self._replica
        assert replica is not None
        if not self._resting():
            for at, message in replica.due(until, BATCH):
                self._faults.put(at, message)
        if replica.present and self._pal.id not in self._participants:
            self._come(self._pal)
        for text in replica.warnings:
            self._ready.append(RoomNote(text, now, warning=True))
        replica.warnings.clear()
        for at, message in self._faults.due(until):
            self._last_at = now if self.live else max(at, self._last_at)
            self._ready.append(Received(message, self._last_at, self._pal.id))

    def _come(self, participant: Participant) -> None:
        self._participants[participant.id] = participant
        self._ready.append(ParticipantChanged(participant, "joined", self.now()))

    def _end(self, reason: str, now: float) -> None:
        self._over = reason
        self._ring(None)
        if self._participants.pop(self._pal.id, None):
            self._ready.append(ParticipantChanged(self._pal, "left", now))
        self._ready.append(RoomOver(reason, now))
