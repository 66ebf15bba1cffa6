"""Several runs at once: one result each, limits, the first failure, signals."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import replace

import pytest

from tavus_cli.errors import CannotJoin, NotAuthorised
from tavus_cli.script.runner import Limits
from tavus_cli.suite.case import Case, Played, Verdict
from tavus_cli.suite.programs import load
from tavus_cli.suite.result import Result
from tavus_cli.suite.rooms import GivenRooms
from tavus_cli.suite.running import InOrder, Player, run_all
from tavus_cli.suite.surroundings import RunOptions, Surroundings
from tavus_cli.target import RoomOptions
from tests.kits.room_kit import until
from tests.suite.kit import MAX, Heard, case, environment, looped, player, result

CASES = [case(n, repeat=n) for n in range(1, 9)]


@looped
async def test_no_more_at_once_than_wanted() -> None:
    heard, gate = Heard(), asyncio.Event()

    async def act(one: Case, around: Surroundings) -> Played:
        await gate.wait()
        return Played(Verdict.OK)

    running = asyncio.create_task(run_all(CASES, player(act), 3, heard))
    await until(lambda: len(heard.began) == 3)
    gate.set()
    await running
    assert heard.most == 3
    assert heard.verdicts == dict.fromkeys(range(1, 9), Verdict.OK)


@looped
async def test_a_failure_is_a_result() -> None:
    async def act(one: Case, around: Surroundings) -> Played:
        match one.number:
            case 1:
                raise CannotJoin("nobody is there")
            case 2:
                raise ZeroDivisionError("oh")
            case 3:
                raise TimeoutError
            case 4:
                around.so_far = lambda: Played(Verdict.OK, lines=("it waits",), replies=(0.5,))
                await asyncio.Event().wait()
        return Played(Verdict.OK)

    heard = Heard()
    await run_all(CASES, player(act, limit=0.2), 4, heard)
    assert [heard.verdicts[n] for n in range(1, 6)] == ["not joined", "error", "error", "timeout", "ok"]
    late = next(one for one in heard.results if one.case.number == 4)
    assert late.played.detail == "not done within 0.2 s (--run-timeout)"
    assert (late.played.lines[0], late.played.replies) == ("it waits", (0.5,))


@looped
async def test_fail_fast_ends_after_the_first_failure() -> None:
    left: list[int] = []

    async def act(one: Case, around: Surroundings) -> Played:
        if one.number == 2:
            return Played(Verdict.EXPECTATION)
        try:
            await asyncio.Event().wait()
        finally:
            left.append(one.number)
        return Played(Verdict.OK)

    heard = Heard()
    await run_all(CASES, player(act), 2, heard, fail_fast=True)
    assert (left, heard.verdicts[2]) == ([1], "expectation")
    assert set(heard.verdicts) == set(range(1, 9))
    assert [heard.verdicts[n] for n in (1, 3, 8)] == ["not run"] * 3


@pytest.mark.parametrize("signals", [1, 2])
@looped
async def test_a_signal_lets_all_runs_leave(signals: int) -> None:
    left: list[int] = []
    leaving, leave = asyncio.Event(), asyncio.Event()

    async def act(one: Case, around: Surroundings) -> Played:
        try:
            await asyncio.Event().wait()
        finally:
            leaving.set()
            await leave.wait()
            left.append(one.number)
        return Played(Verdict.OK)

    heard = Heard()
    running = asyncio.create_task(run_all(CASES, player(act), 4, heard))
    await until(lambda: len(heard.began) == 4)
    for _ in range(signals):
        running.cancel()
        await leaving.wait()
    leave.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert sorted(left) == [1, 2, 3, 4]
    assert heard.verdicts == dict.fromkeys(range(1, 9), Verdict.NOT_RUN)


@looped
async def test_a_room_that_fails_unexpectedly_fails_its_run_only() -> None:
    class Broken:
        async def run(self, *_: object) -> Played:
            raise OSError("no more threads")

    async def act(one: Case, around: Surroundings) -> Played:
        return Played(Verdict.OK)

    heard = Heard()
    await run_all(CASES, replace(player(act), rooms=Broken()), 2, heard)
    assert heard.verdicts == dict.fromkeys(range(1, 9), Verdict.ERROR)


@looped
async def test_what_ends_the_whole_suite_is_raised() -> None:
    class NoKey:
        async def run(self, *_: object) -> Played:
            raise NotAuthorised("no key")

    async def act(one: Case, around: Surroundings) -> Played:
        return Played(Verdict.OK)

    heard, one = Heard(), replace(player(act), rooms=NoKey())
    with pytest.raises(NotAuthorised):
        await run_all(CASES, one, 2, heard)
    assert heard.verdicts == dict.fromkeys(range(1, 9), Verdict.NOT_RUN)


def test_results_are_handed_on_in_order() -> None:
    order = InOrder(CASES[:4])
    handed = [[one.case.number for one in order.put(result(CASES[n - 1]))] for n in (3, 1, 2, 4)]
    assert handed == [[], [1], [2, 3], [4]]


def test_a_case_is_known_by_its_group() -> None:
    assert CASES[0].group == CASES[1].group == ("a.tavus", MAX)


@pytest.mark.slow
@looped
async def test_a_thousand_runs_leave_nothing_behind() -> None:
    """After 1,000 runs of a real script in one process there are as many objects as after 200."""
    alive: dict[int, int] = {}

    class Counting:
        done = 0

        def begun(self, case: Case) -> None:
            pass

        def ended(self, result: Result) -> None:
            assert result.ok, result.played.detail
            self.done += 1
            if self.done in (200, 1_000):
                gc.collect()
                alive[self.done] = len(gc.get_objects())

    script = load("/respond Hello\n/expect reply within 10s\n", "a.tavus", Limits(30.0))
    rooms = GivenRooms(RoomOptions(), environment())
    playing = Player({"a.tavus": script}, rooms, RunOptions(), 60.0, environment())
    await run_all([case(n, repeat=n) for n in range(1, 1_001)], playing, 4, Counting())
    assert alive[1_000] < alive[200] + 1_000
