"""Rooms of targets: new simulations side by side, one conversation for one run at a time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tavus_cli.rooms.room import Room
from tavus_cli.suite.case import Case, Played, Verdict
from tavus_cli.suite.rooms import Billed, Budget, GivenRooms, OutOfBudget, simulated
from tavus_cli.target import RoomOptions
from tests.kits.room_kit import until
from tests.suite.kit import case, environment, looped


@pytest.mark.parametrize(("target", "at_once"), [("sim:?speed=max", 4), (None, 1)])
def test_runs_in_one_conversation_come_one_after_the_other(target: str | None, at_once: int) -> None:
    """None: the conversation that $TAVUS_CONVERSATION names."""
    inside: list[Case] = []
    most: list[int] = []

    async def main() -> None:
        gate = asyncio.Event()
        around = environment()
        around.environ = {"TAVUS_CONVERSATION": "sim:?speed=max"}
        rooms = GivenRooms(RoomOptions(), around)

        async def run(one: Case) -> Played:
            async def play(room: Room) -> Played:
                inside.append(one)
                most.append(len(inside))
                await gate.wait()
                inside.remove(one)
                return Played(Verdict.OK)

            return await rooms.run(one, play, Billed())

        cases = [replace(case(n), target=target) for n in range(1, 5)]
        running = [asyncio.create_task(run(one)) for one in cases]
        await until(lambda: len(inside) == at_once)
        gate.set()
        played = await asyncio.gather(*running)
        assert [one.verdict for one in played] == ["ok"] * 4

    asyncio.run(main())
    assert max(most) == at_once


def test_each_repeat_has_the_next_seed() -> None:
    rooms = [simulated("sim:?seed=7", repeat) for repeat in (1, 2, 3)]
    assert [one.conversation_id for one in rooms] == ["sim-7", "sim-8", "sim-9"]


@looped
async def test_a_room_that_cannot_be_opened_is_a_result() -> None:
    async def play(room: Room) -> Played:
        raise AssertionError

    rooms = GivenRooms(RoomOptions(), environment())
    for target, verdict in (("sim:?speed=never", "not joined"), (None, "not joined")):
        played = await rooms.run(replace(case(), target=target), play, Billed())
        assert (played.verdict, bool(played.detail)) == (verdict, True)


@looped
async def test_a_budget_waits_for_what_may_end_early() -> None:
    budget = Budget(5.0)
    await budget.reserve(3.0)
    waiting = asyncio.create_task(budget.reserve(3.0))
    await asyncio.sleep(0)
    assert not waiting.done()
    await budget.settle(3.0, 1.0)
    await waiting
    await budget.settle(3.0, 2.5)
    with pytest.raises(OutOfBudget):
        await budget.reserve(2.0)
    await budget.reserve(1.5)
