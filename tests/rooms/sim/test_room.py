"""The simulated PAL as a room: real and virtual time, faults, and how it ends.

Real time is tested on an event loop that jumps forward in time, so nothing sleeps.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tavus_cli.errors import CannotJoin, SendFailed, UsageError
from tavus_cli.protocol.events import decode
from tavus_cli.protocol.interactions import append_context, interrupt, respond, tool_result
from tavus_cli.protocol.snapshot import Snapshot
from tavus_cli.rooms.room import BATCH, Arrival, Idle, ParticipantChanged, Past, Received, Room, RoomOver
from tavus_cli.rooms.sim.room import START, SimulatedRoom, open_simulated
from tests.kits.room_kit import changes, messages

# -- an event loop whose time jumps ------------------------------------------------------------------


class _Selector(selectors.DefaultSelector):
    """Does not wait, but makes the loop's time jump."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout:
            self.now += timeout
        return super().select(timeout if timeout is None else 0)


class _JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.selector = _Selector()
        super().__init__(self.selector)

    def time(self) -> float:
        return self.selector.now


def jumping(main: Callable[[Callable[[], float]], Coroutine[Any, Any, None]]) -> None:
    """Run ``main(clock)``; waiting takes no time, but ``clock`` and the loop's timers advance."""
    with asyncio.Runner(loop_factory=_JumpingLoop) as runner:
        loop = runner.get_loop()
        runner.run(main(lambda: START + loop.time()))


# -- helpers -----------------------------------------------------------------------------------------


@asynccontextmanager
async def joined(room: SimulatedRoom) -> AsyncIterator[list[Arrival]]:
    """What arrives during the block; afterwards the room is left and the arrivals have ended."""
    arrivals: list[Arrival] = []

    async def take() -> None:
        async for batch in room.arrivals():
            assert 0 < len(batch) <= BATCH
            arrivals.extend(batch)

    task = asyncio.create_task(take())
    await asyncio.sleep(0)  # arrivals begin before joining
    try:
        await room.join()
        yield arrivals
    finally:
        await room.leave()
        await asyncio.wait_for(task, 10)


async def until(arrivals: list[Arrival], kind: type[Arrival], times: int = 1) -> None:
    async with asyncio.timeout(10):
        while sum(isinstance(one, kind) for one in arrivals) < times:
            await asyncio.sleep(0)


def at_max(spec: str, *sends: Any, then: type[Any] = Idle) -> list[Arrival]:
    """What arrives when each of ``sends`` is sent as soon as nothing more comes."""

    async def main() -> list[Arrival]:
        room = open_simulated(spec, clock=_never)
        async with joined(room) as arrivals:
            for number, send in enumerate(sends, 1):
                await until(arrivals, Idle, number)
                await room.send(send.encode(room.conversation_id))
            await until(arrivals, then, len(sends) + 1 if then is Idle else 1)
        return arrivals

    return asyncio.run(main())


def _never() -> float:
    raise AssertionError("virtual time reads no clock")


def types(arrivals: list[Arrival]) -> list[str]:
    return [decode(one).short for one in messages(arrivals)]


def script(tmp_path: Path, text: str) -> str:
    path = tmp_path / "s.toml"
    path.write_text(text, "utf-8")
    return f"sim:{path}"


# -- virtual time ------------------------------------------------------------------------------------


def test_it_is_a_room() -> None:
    room: Room = open_simulated("sim:?seed=7")
    assert (room.target, room.conversation_id, room.live, room.timed) == ("sim:?seed=7", "sim-7", True, True)
    assert not open_simulated("sim:?speed=max").live
    with pytest.raises(UsageError, match="did you mean"):
        open_simulated("sim:?sped=max")


def test_everybody_is_announced() -> None:
    arrivals = at_max("sim:?speed=max")
    assert changes(arrivals) == [("local", "joined", False), ("pal", "joined", True)]
    who = [one.participant for one in arrivals if isinstance(one, ParticipantChanged)]
    assert "tavus-replica" in who[1].user_id
    assert who[0].local
    first = next(index for index, one in enumerate(arrivals) if isinstance(one, Received))
    assert arrivals[first - 1] == ParticipantChanged(who[1], "joined", arrivals[first].at)  # type: ignore[union-attr]


def test_a_reply_costs_milliseconds() -> None:
    at_max("sim:?speed=max")
    begun = time.perf_counter()
    arrivals = at_max("sim:?speed=max", respond("tell me a long story"))
    assert time.perf_counter() - begun < 1.0  # about 20 ms; this is for a busy machine
    replies = [
        one["properties"]["speech"] for one in messages(arrivals) if "speech" in one.get("properties", {})
    ]
    assert replies[-1].endswith("really said.")


def test_idle_comes_once_after_everything_and_again_after_what_has_no_effect() -> None:
    arrivals = at_max("sim:?speed=max", append_context("x"), respond("hello"))
    assert isinstance(arrivals[-1], Idle)
    idle = [index for index, one in enumerate(arrivals) if isinstance(one, Idle)]
    assert len(idle) == 3
    after = types(arrivals[idle[1] :])
    assert after[0] == "utterance"
    assert after[-1] == "stopped_speaking"


def test_times_never_go_back_and_heartbeats_do_not_continue_for_ever() -> None:
    arrivals = at_max("sim:?speed=max", respond("tell me a long story"))
    times = [one.at for one in arrivals if not isinstance(one, Idle | Past | Snapshot) and one.at is not None]
    assert times == sorted(times)
    assert times[0] == START
    beats = [one for one in types(arrivals) if one == "pal_present"]
    assert abs(len(beats) - (times[-1] - START)) < 2
    late = [
        one
        for one in arrivals
        if isinstance(one, Received) and abs((one.at or 0) - one.message["timestamp"]) > 0.001
    ]
    assert not late


def test_the_same_spec_gives_the_same_bytes() -> None:
    spec = "sim:?speed=max&seed=3&reorder=0.3&duplicate=0.2&late=0.1&drop=0.1&gap=0.1"
    sends = [respond("show me everything"), respond("when are you open?")]
    assert repr(at_max(spec, *sends)) == repr(at_max(spec, *sends))
    assert repr(at_max(spec, *sends)) != repr(at_max(spec.replace("seed=3", "seed=4"), *sends))


@pytest.mark.parametrize("fault", ["late=1", "reorder=1", "slow=30", "duplicate=1", "drop=1", "gap=1"])
def test_virtual_time_stops_with_any_fault(fault: str) -> None:
    arrivals = at_max(f"sim:?speed=max&{fault}", respond("hello"))
    assert isinstance(arrivals[-1], Idle)
    assert len(arrivals) < 2_000


def test_what_is_sent_at_an_event_takes_effect_before_time_continues() -> None:
    async def main() -> list[Arrival]:
        room = open_simulated("sim:?speed=max")
        async with joined(room) as arrivals:
            await until(arrivals, Idle)
            await room.send(respond("tell me a long story").encode("x"))
            while types(arrivals).count("utterance.streaming") < 6:
                await asyncio.sleep(0)
            for _ in range(4):  # a task that reacts is woken, decides, and sends
                await asyncio.sleep(0)
            await room.send(interrupt().encode("x"))
            await until(arrivals, Idle, 2)
        return arrivals

    came = asyncio.run(main())
    assert types(came).count("utterance.streaming") == 8  # three words, and the last snapshot of them
    assert decode(messages(came)[-1]).interrupted


def test_an_unanswered_tool_call_waits_for_its_result_and_only_time_lets_it_time_out() -> None:
    async def main(wait: bool) -> list[str]:
        room = open_simulated("sim:?speed=max")
        async with joined(room) as arrivals:
            await until(arrivals, Idle)
            await room.send(respond("when are you open?").encode("x"))
            await until(arrivals, Idle, 2)
            call = next(one for one in messages(arrivals) if one["event_type"] == "conversation.tool_call")
            if wait:
                await room.alarm(room.now() + 20)
                await until(arrivals, Idle, 3)
            result = tool_result(call["properties"]["tool_call_id"], "nine to five")
            await room.send(result.encode("x"))
            await until(arrivals, Idle, 4 if wait else 3)
        return [
            one["properties"]["speech"]
            for one in messages(arrivals)
            if one["event_type"].endswith(".utterance")
        ]

    assert asyncio.run(main(False))[-1] == "Here is what I found: nine to five."
    assert asyncio.run(main(True))[-1].startswith("Nobody has told me the hours")


def test_a_slow_reader_slows_the_replica() -> None:
    async def main() -> None:
        room = open_simulated("sim:?speed=max&rate=100000")
        taken = 0
        stream = room.arrivals()
        await room.join()
        async for batch in stream:
            taken += len(batch)
            if taken > 5_000:
                break
        assert room.now() - START < 1
        await room.leave()
        assert [batch async for batch in stream] == []

    asyncio.run(main())


def test_load() -> None:
    assert types(at_max("sim:?speed=max&burst=5000")).count("sim.load") == 5_000
    assert types(at_max("sim:?speed=max&rate=5000&events=999")).count("sim.load") == 999


# -- the end -----------------------------------------------------------------------------------------


def test_the_end_of_the_conversation(tmp_path: Path) -> None:
    spec = script(tmp_path, "shutdown_after = 5\n[faults]\nslow = 1")
    arrivals = at_max(f"{spec}?speed=max", then=RoomOver)
    assert types(arrivals)[-1] == "shutdown"
    assert changes(arrivals)[-1] == ("pal", "left", True)
    assert arrivals[-1] == RoomOver("max_call_duration reached", START + 6)


def test_the_leave_fault() -> None:
    arrivals = at_max("sim:?speed=max&leave=2.5", then=RoomOver)
    assert "shutdown" not in types(arrivals)
    assert arrivals[-1] == RoomOver("the connection was cut (leave fault)", START + 2.5)
    assert types(arrivals).count("pal_present") == 3
    before = at_max("sim:?speed=max&leave=0", then=RoomOver)
    assert changes(before) == [("local", "joined", False)]


def test_sending_before_and_after() -> None:
    async def main() -> None:
        room = open_simulated("sim:?speed=max&leave=1")
        with pytest.raises(SendFailed, match="not sent: the room is not joined yet"):
            await room.send({})
        async with joined(room) as arrivals:
            await until(arrivals, RoomOver)
            with pytest.raises(
                SendFailed, match=r"not sent: the conversation is over \(the connection was cut"
            ):
                await room.send({})
            with pytest.raises(CannotJoin):
                await room.join()
        with pytest.raises(SendFailed, match="not sent: the room was left"):
            await room.send({})

    asyncio.run(main())


def test_leaving_twice_before_joining_and_in_the_middle() -> None:
    async def main() -> None:
        room = open_simulated("sim")
        task = asyncio.create_task(_all(room))
        await asyncio.sleep(0)
        await room.leave()
        await room.leave()
        assert await asyncio.wait_for(task, 5) == []
        with pytest.raises(CannotJoin):
            await room.join()
        async with joined(open_simulated("sim:?speed=max&rate=1000")) as arrivals:
            await until(arrivals, Received)

    asyncio.run(main())


async def _all(room: Room) -> list[Arrival]:
    return [one async for batch in room.arrivals() for one in batch]


# -- real time ---------------------------------------------------------------------------------------


def test_real_time() -> None:
    async def main(clock: Callable[[], float]) -> None:
        room = open_simulated("sim", clock=clock)
        async with joined(room) as arrivals:
            assert changes(arrivals) == []
            await asyncio.sleep(12)
            await room.send(respond("when are you open?").encode("x"))
            await asyncio.sleep(1.5)
            assert "tool_call" in types(arrivals)
            await asyncio.sleep(20)
        came = [one for one in arrivals if isinstance(one, Received)]
        assert not any(isinstance(one, Idle) for one in arrivals)
        for one in came:
            assert one.at == pytest.approx(one.message["timestamp"], abs=0.01)
        assert 32 <= types(arrivals).count("pal_present") <= 34
        said = [
            one["properties"]["speech"]
            for one in messages(arrivals)
            if one["event_type"].endswith(".utterance")
        ]
        assert said[0].startswith("Hi, I'm Nora")
        assert said[-1].startswith("Nobody has told me")  # after 8 seconds without a result

    jumping(main)


def test_faster_than_life() -> None:
    async def main(clock: Callable[[], float]) -> None:
        room = open_simulated("sim:?speed=4", clock=clock)
        assert room.live
        async with joined(room) as arrivals:
            await asyncio.sleep(3.5)
        assert "stopped_speaking" in types(arrivals)  # the greeting takes about 9 seconds at speed 1
        assert types(arrivals).count("pal_present") == 4  # heartbeats have the pace of the wall

    jumping(main)


def test_faults_in_real_time() -> None:
    async def main(clock: Callable[[], float]) -> None:
        room = open_simulated("sim:?slow=2&leave=5", clock=clock)
        async with joined(room) as arrivals:
            await asyncio.sleep(10)
        assert isinstance(arrivals[-1], RoomOver)
        assert arrivals[-1].at == pytest.approx(START + 5, abs=0.01)
        first = next(one for one in arrivals if isinstance(one, Received))
        assert first.at == pytest.approx(first.message["timestamp"] + 2, abs=0.01)

    jumping(main)
