"""Long work lets other tasks run, and a room's own time stands still meanwhile."""

from __future__ import annotations

import asyncio

from tavus_cli.rooms.sim.room import open_simulated
from tavus_cli.session.turns import Turns


async def ticking(ticks: list[int]) -> None:
    while True:
        ticks.append(1)
        await asyncio.sleep(0)


async def work(turns: Turns, at_least: int) -> None:
    while turns.given < at_least:  # without a turn given it would not end
        await turns.give()


def test_others_get_their_turn() -> None:
    async def main() -> int:
        ticks: list[int] = []
        other = asyncio.create_task(ticking(ticks))
        await work(Turns(), 5)
        other.cancel()
        return len(ticks)

    assert asyncio.run(main()) >= 5


def test_it_can_be_cancelled() -> None:
    async def main() -> bool:
        task = asyncio.create_task(work(Turns(), 1_000_000))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        return task.cancelled()

    assert asyncio.run(main())


def test_the_time_of_a_room_stands_still() -> None:
    async def main() -> None:
        room = open_simulated("sim:?speed=max")
        taking = asyncio.create_task(take(room))
        await room.join()
        begun = room.now()
        rings = room.alarm(begun + 60)
        await work(Turns(room), 30)
        assert room.now() == begun
        await rings
        assert room.now() >= begun + 60
        await room.leave()
        await taking

    async def take(room: object) -> None:
        async for _ in room.arrivals():  # type: ignore[attr-defined]
            pass

    asyncio.run(main())
