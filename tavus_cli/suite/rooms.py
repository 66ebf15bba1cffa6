"""The room of each run: that of its target, or a new conversation, which is always ended."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from tavus_cli.errors import ConsoleError, ConversationOver, UsageError
from tavus_cli.rooms.room import Room
from tavus_cli.session.environment import Environment
from tavus_cli.suite.case import Case, Played, Verdict
from tavus_cli.target import Recording, RoomOptions, Sim, open_target, parse, room_of_new

CREATE_SECONDS = 600.0  # seconds to wait until the account allows another conversation
FIRST_WAIT, LONGEST_WAIT = 1.0, 15.0  # seconds between two attempts to create

clock = time.monotonic  # of what is billed

Play = Callable[[Room], Awaitable[Played]]


@dataclass(slots=True)
class Billed:
    """The cost of a room: minutes of a conversation created for it."""

    minutes: float = 0.0


class Rooms(Protocol):
    """``run`` opens the room of a case and plays in it.

    It raises only signals and errors that end the whole suite; a failure in one room is returned as a Played.
    """

    async def run(self, case: Case, play: Play, billed: Billed) -> Played: ...


def not_opened(case: Case, error: ConsoleError) -> Played:
    """The outcome of a run whose room could not be opened."""
    verdict = Verdict.OVER if isinstance(error, ConversationOver) else Verdict.NOT_JOINED
    return Played(verdict, str(error), (f"{case.script}: on {case.shown}", f"    {error}"))


class GivenRooms:
    """Rooms of the targets. Each run of a simulation gets a new one, with the next seed for each repeat, and
    each run of a recording reads it again. Anything else is one conversation, so its runs take turns.
    """

    def __init__(self, how: RoomOptions, environment: Environment) -> None:
        self._how = how
        self._environment = environment
        self._turns: defaultdict[str | None, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._left: set[str | None] = set()

    async def run(self, case: Case, play: Play, billed: Billed) -> Played:
        target = parse(case.target)
        if isinstance(target, Sim):
            try:
                room = simulated(target.spec, case.repeat)
            except UsageError as error:
                return not_opened(case, error)
            return await play(room)
        if isinstance(target, Recording):
            return await self._in(case, play)
        async with self._turns[case.target]:
            return await self._in(case, play)

    async def _in(self, case: Case, play: Play) -> Played:
        try:
            opened = await open_target(parse(case.target), self._how, self._environment, recorded=True)
        except ConsoleError as error:
            return not_opened(case, error)
        if case.target in self._left:  # it is warned of once that leaving may end it
            opened.room.leaving_may_end = False
        self._left.add(case.target)
        return await play(opened.room)


def simulated(spec: str, repeat: int) -> Room:
    """The simulation of a TARGET for the ``repeat``-th time, from 1. Raises UsageError."""
    from tavus_cli.rooms.sim.room import SimulatedRoom
    from tavus_cli.rooms.sim.script import parse_spec

    script, options = parse_spec(spec)
    return SimulatedRoom(script, options._replace(seed=options.seed + repeat - 1), target=spec)


class OutOfBudget(Exception):
    """No further conversation may be created: --max-cost-minutes."""


@dataclass(slots=True)
class Budget:
    """At most ``limit`` minutes of conversations. Those in progress count with the longest they may last."""

    limit: float
    used: float = 0.0
    reserved: float = 0.0
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def reserve(self, minutes: float) -> None:
        """Wait for conversations in progress, which may end early. Raises OutOfBudget."""
        async with self._changed:
            while self.used + self.reserved + minutes > self.limit + 1e-9:
                if self.reserved < 1e-9:
                    raise OutOfBudget
                await self._changed.wait()
            self.reserved += minutes

    async def settle(self, reserved: float, used: float) -> None:
        async with self._changed:
            self.reserved -= reserved
            self.used += used
            self._changed.notify_all()


class NewRooms:
    """A conversation for each run: created, joined, ended.

    ``body`` is that of the request, ``seconds`` the longest a conversation may last. ``left``: how many could
    not be ended, which was reported. If the account is full, or the API is asked too often, the run waits. If
    the answer to a creation is lost, it is not repeated, because the conversation may exist. Raises
    NotAuthorised, which would stop every other run too.
    """

    def __init__(
        self,
        connect: Callable[[float], Any],
        body: Callable[[Case], dict[str, Any]],
        seconds: float,
        max_cost_minutes: float,
        how: RoomOptions,
        environment: Environment,
    ) -> None:
        self.left = 0
        self.budget = Budget(max_cost_minutes)
        self._connect = connect
        self._body = body
        self._minutes = seconds / 60
        self._how = how
        self._environment = environment
        self._one_ended = asyncio.Event()

    async def run(self, case: Case, play: Play, billed: Billed) -> Played:
        try:
            await self.budget.reserve(self._minutes)
        except OutOfBudget:
            return Played(Verdict.NOT_RUN, f"--max-cost-minutes {self.budget.limit:g} is used up")
        try:
            return await self._created(case, play, billed)
        finally:
            await self.budget.settle(self._minutes, billed.minutes)

    async def _created(self, case: Case, play: Play, billed: Billed) -> Played:
        from tavus_cli.api.client import RateLimited, TooMany

        until, pause = time.monotonic() + CREATE_SECONDS, FIRST_WAIT
        while True:
            outcome: list[Played] = []
            try:
                return await self._once(case, play, billed, outcome)
            except (RateLimited, TooMany) as error:
                wait = max(pause, error.wait)
                if outcome or time.monotonic() + wait > until:
                    return outcome[0] if outcome else not_opened(case, error)
                await self._wait(wait, full=isinstance(error, TooMany))
                pause = min(2 * pause, LONGEST_WAIT)

    async def _once(self, case: Case, play: Play, billed: Billed, outcome: list[Played]) -> Played:
        """The result is added to ``outcome`` as soon as the case was played."""
        from tavus_cli.api.conversations import Found
        from tavus_cli.api.ending import Ending, join_new
        from tavus_cli.errors import ExitStatus, NotAuthorised

        begun: list[float] = []

        async def join(found: Found, ending: Ending) -> int:
            begun.append(clock())
            try:
                room = room_of_new(found, self._how, self._environment)
            except ConsoleError as error:
                outcome.append(not_opened(case, error))
            else:
                outcome.append(await play(room))
            return ExitStatus.DONE

        try:
            status = await join_new(
                self._connect, self._body(case), join, self._environment, end_on_exit=True, quiet=True
            )
        except NotAuthorised:
            raise
        except ConsoleError as error:
            if outcome or _may_be_repeated(error):
                raise
            return not_opened(case, error)
        finally:
            if begun:
                billed.minutes = (clock() - begun[0]) / 60
                self._one_ended.set()
        self.left += status != ExitStatus.DONE
        return outcome[0]

    async def _wait(self, seconds: float, *, full: bool) -> None:
        """If the account is full, wait until one of our conversations has ended; otherwise for the whole
        time.
        """
        self._one_ended.clear()
        try:
            async with asyncio.timeout(seconds):
                await (self._one_ended.wait() if full else asyncio.sleep(seconds + 1))
        except TimeoutError:
            pass


def _may_be_repeated(error: ConsoleError) -> bool:
    from tavus_cli.api.client import RateLimited, TooMany

    return isinstance(error, RateLimited | TooMany)
