"""The same tests for every kind of room: what a Room guarantees (rooms/room.py)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tavus_cli.errors import CannotJoin, SendFailed
from tavus_cli.rooms.daily.room import DailyRoom
from tavus_cli.rooms.recorded import RecordedRoom
from tavus_cli.rooms.room import BATCH, Arrival, Received, Room, RoomOver
from tavus_cli.rooms.sim.room import open_simulated
from tests.kits.room_kit import MANY, ROOMS, URL, Open, as_received, fake_daily, numbers, taking, until

MESSAGE: dict[str, Any] = {
    "message_type": "conversation",
    "event_type": "conversation.echo",
    "conversation_id": "c1",
    "properties": {"modality": "text", "text": "hello"},
}


@pytest.fixture(params=list(ROOMS))
def stage(request: pytest.FixtureRequest) -> Open:
    return ROOMS[request.param]


def test_what_a_room_is(stage: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with stage(tmp_path, monkeypatch) as on, taking(on.room):
            room = on.room
            assert room.target
            assert isinstance(room.conversation_id, str)
            assert {type(room.live), type(room.timed), type(room.leaving_may_end)} == {bool}
            assert isinstance(room.participants, Mapping)
            await on.begin(room)
            assert isinstance(room.now(), float)

    asyncio.run(main())


def test_order_direction_and_times(stage: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with stage(tmp_path, monkeypatch) as on, taking(on.room) as arrivals:
            await on.begin(on.room)
            await until(lambda: len(numbers(arrivals)) >= on.count)
            came = numbers(arrivals)
            assert came == (sorted(set(came)) if on.numbers is None else on.numbers)
            received = [one for one in arrivals if isinstance(one, Received)]
            assert [one.direction for one in received].count("out") == on.outgoing
            times = [one.at for one in received if one.at is not None]
            assert len(times) == (len(received) if on.room.timed else 0)
            assert times == sorted(times)

    asyncio.run(main())


def test_send_results(stage: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused before joining and after leaving; accepted in between, if the room is joined at all."""

    async def main() -> None:
        async with stage(tmp_path, monkeypatch) as on, taking(on.room):
            with pytest.raises(SendFailed):
                await on.room.send(MESSAGE)
            await on.begin(on.room)
            if on.takes:
                await on.room.send(MESSAGE)
                await asyncio.gather(*(on.room.send(MESSAGE) for _ in range(10)))
            else:
                with pytest.raises(SendFailed):
                    await on.room.send(MESSAGE)
            await on.room.leave()
            with pytest.raises(SendFailed):
                await on.room.send(MESSAGE)

    asyncio.run(main())


@pytest.mark.parametrize("begun", [True, False])
def test_leave_twice_and_at_once(
    stage: Open, begun: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``taking`` checks that the arrivals end afterwards."""

    async def main() -> None:
        async with stage(tmp_path, monkeypatch) as on, taking(on.room) as arrivals:
            if begun:
                await on.begin(on.room)
            await asyncio.gather(on.room.leave(), on.room.leave())
            await on.room.leave()
        assert not any(isinstance(one, RoomOver) for one in arrivals)  # that is an end without our leaving

    asyncio.run(main())


@pytest.mark.parametrize("rounds", [0, 1, 20])
def test_a_cancelled_join_can_be_left(
    stage: Open, rounds: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with stage(tmp_path, monkeypatch) as on, taking(on.room):
            join = asyncio.create_task(on.room.join())
            for _ in range(rounds):
                await asyncio.sleep(0)
            join.cancel()
            await asyncio.wait({join})
            assert join.cancelled() or join.exception() is None

    asyncio.run(main())


def test_cancelling_the_reader(stage: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with stage(tmp_path, monkeypatch) as on:
            taken: list[Arrival] = []

            async def take() -> None:
                async for batch in on.room.arrivals():
                    taken.extend(batch)
                    await asyncio.sleep(0)

            task = asyncio.create_task(take())
            await on.begin(on.room)
            await until(lambda: taken)
            task.cancel()
            await asyncio.wait({task})
            await on.room.leave()

    asyncio.run(main())


def test_a_slow_reader_loses_nothing(stage: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches have a limit, and wait while nobody takes them."""

    async def main() -> None:
        async with stage(tmp_path, monkeypatch) as on:
            sizes: list[int] = []
            taken: list[Arrival] = []
            gate = asyncio.Event()

            async def take() -> None:
                async for batch in on.room.arrivals():
                    sizes.append(len(batch))
                    taken.extend(map(as_received, batch))
                    await gate.wait()

            task = asyncio.create_task(take())
            await on.begin(on.room)
            await until(lambda: taken)
            before = len(taken)
            for _ in range(100):
                await asyncio.sleep(0)
            assert len(taken) == before
            gate.set()
            await until(lambda: len(numbers(taken)) >= on.count)
            assert on.numbers is None or numbers(taken) == on.numbers
            assert max(sizes) <= BATCH
            await on.room.leave()
            await asyncio.wait_for(task, 10)

    asyncio.run(main())


# -- rooms that end by themselves ----------------------------------------------------------------------


def ending_sim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    return open_simulated("sim:?speed=max&leave=1")


def ending_fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    fake_daily(monkeypatch)(steps=[{"say": "hello"}, {"end": "Ejected"}])
    return DailyRoom(URL)


def ending_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    (tmp_path / "messages.jsonl").write_text('"hello"\n' * MANY)
    return RecordedRoom(str(tmp_path / "messages.jsonl"))


@pytest.mark.parametrize("ending", [ending_sim, ending_fake, ending_recording])
def test_a_room_that_ends(ending: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The arrivals end without our leaving; leaving is still safe, sending refused."""

    async def main() -> None:
        room: Room = ending(tmp_path, monkeypatch)
        await room.join()
        arrivals: list[Arrival] = []
        async with asyncio.timeout(20):
            async for batch in room.arrivals():
                arrivals.extend(batch)
        overs = [one for one in arrivals if isinstance(one, RoomOver)]
        assert overs == ([] if ending is ending_recording else arrivals[-1:])
        with pytest.raises(SendFailed):
            await room.send(MESSAGE)
        await room.leave()

    asyncio.run(main())


@pytest.mark.parametrize("name", [name for name in ("sim", "fake", "resident") if name in ROOMS])
def test_a_room_that_was_left_is_not_joined_again(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with ROOMS[name](tmp_path, monkeypatch) as on, taking(on.room):
            await on.begin(on.room)
            await on.room.leave()
            with pytest.raises(CannotJoin):
                await on.room.join()

    asyncio.run(main())
