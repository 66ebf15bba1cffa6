"""What tests of ``tavus_cli.suite`` share: cases, results, and a program controlled by the test."""

from __future__ import annotations

import asyncio
import functools
import io
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, ParamSpec

from tavus_cli.rooms.room import Room
from tavus_cli.session.environment import Environment
from tavus_cli.suite.case import Case, Played, Verdict
from tavus_cli.suite.result import Result
from tavus_cli.suite.rooms import GivenRooms
from tavus_cli.suite.running import Player
from tavus_cli.suite.surroundings import RunOptions, Surroundings
from tavus_cli.target import RoomOptions

P = ParamSpec("P")

MAX = "sim:?speed=max"


def looped(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Runs a test that is a coroutine, on its own loop."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


def case(number: int = 1, script: str = "a.tavus", target: str = MAX, repeat: int = 1) -> Case:
    return Case(number, script, target, repeat, target)


def result(one: Case, verdict: Verdict = Verdict.OK, detail: str = "", *replies: float) -> Result:
    return Result(one, Played(verdict, detail, (detail,) if detail else (), 1.5, replies))


def environment() -> Environment:
    return Environment(io.StringIO(), io.StringIO(), io.StringIO(), {})


@dataclass
class Acting:
    """A Program: ``act`` is what it does, by the case."""

    act: Callable[[Case, Surroundings], Awaitable[Played]]
    warning: str | None = None
    chat: bool = False

    def check(self, environ: Mapping[str, str]) -> None:
        pass

    async def play(self, case: Case, room: Room, around: Surroundings) -> Played:
        return await self.act(case, around)


@dataclass
class Heard:
    """A Watcher that remembers."""

    began: list[int] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    most: int = 0  # at once

    def begun(self, case: Case) -> None:
        self.began.append(case.number)
        self.most = max(self.most, len(self.began) - len(self.results))

    def ended(self, result: Result) -> None:
        self.results.append(result)

    @property
    def verdicts(self) -> dict[int, Verdict]:
        return {one.case.number: one.played.verdict for one in self.results}


def player(act: Callable[[Case, Surroundings], Awaitable[Played]], limit: float = 60.0) -> Player:
    rooms = GivenRooms(RoomOptions(), environment())
    return Player({"a.tavus": Acting(act)}, rooms, RunOptions(), limit, environment())
