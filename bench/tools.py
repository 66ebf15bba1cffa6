"""Tool calls: the time from a call to the start of its program, and the effects of misbehaving tools."""

from __future__ import annotations

import asyncio
import functools
import os
import resource
import shlex
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from bench.measure import aim, percentile
from tavus_cli.rooms.sim.room import open_simulated
from tavus_cli.session.session import Session
from tavus_cli.tools.bridge import Bridge, Run
from tavus_cli.tools.options import ToolOptions

ROUNDS = 300
LAG_SECONDS = 3.0
AT_ONCE = 2  # calls; with more programs than cores, the programs themselves would be measured
PAUSE = 0.05  # seconds before each makes its next
IN_A_SECOND = 200  # calls whose memory is measured
TICK = 0.001  # seconds between two looks at the clock
FLOOD = "import os\nfor _ in range(1600): os.write(%d, b'x' * 65536)"
MISBEHAVING = {
    "floods 100 MB of standard error": [sys.executable, "-S", "-c", FLOOD % 2],
    "floods standard output": [sys.executable, "-S", "-c", FLOOD % 1],
    "hangs": ["sleep", "600"],
    "exits at once": ["true"],
    "is not found": ["./no-such-program"],
    "is not executable": ["/etc/passwd"],
}


def main() -> None:
    asyncio.run(_memory())  # first, as the peak never falls
    asyncio.run(_started())
    asyncio.run(_lags())


class Bench:
    """A joined room whose PAL calls tools on request; ``call`` returns when the call has ended."""

    def __init__(self, session: Session, bridge: Bridge) -> None:
        self._session = session
        self._count = 0
        self._done: asyncio.Queue[Run] = asyncio.Queue()
        bridge.finished.append(self._done.put_nowait)

    async def call(self) -> Run:
        self._count += 1
        properties = {"name": "x", "arguments": "{}", "tool_call_id": f"call_{self._count}"}
        message = {"event_type": "conversation.tool_call", "properties": properties}
        session = self._session
        session._emit(session.conversation.receive(message, session.room.now(), "pal"))
        return await self._done.get()


@asynccontextmanager
async def _bench(command: list[str], more: str = "") -> AsyncIterator[Bench]:
    room = open_simulated("sim")
    session = Session(room)
    options = ToolOptions((f"x={shlex.join(command)}",), max_calls=1_000_000)
    bridge = Bridge(options, room, session.send, session.note, os.environ)
    session.sinks.append(bridge)
    async with bridge, session:
        await session.pal_ready(10)
        yield Bench(session, bridge)


async def _started() -> None:
    """In turns, so that a busy moment of the machine affects both equally."""
    bare: list[float] = []
    ours: list[float] = []
    pipe = asyncio.subprocess.PIPE
    async with _bench(["true"]) as bench:
        for number in range(ROUNDS + 10):
            begun = time.perf_counter()
            process = await asyncio.create_subprocess_exec("true", stdin=pipe, stdout=pipe, stderr=pipe)
            took = time.perf_counter() - begun
            await process.communicate()
            run = await bench.call()
            assert run.started is not None
            if number >= 10:  # the first warm the caches
                bare.append(took * 1000)
                ours.append(run.started * 1000)
    base, median = statistics.median(bare), statistics.median(ours)
    print(f"from a call to its program started  (median of {ROUNDS}, in turns)")
    print(f"  {'a bare create_subprocess_exec':<44}{base:.2f} ms")
    aim("a tool", f"{median:.2f} ms  {median / base:.2f} ×", "≤ 1.3 ×", median <= 1.3 * base)


async def _lags() -> None:
    """The loop's lag while calls are made and nothing else happens; and, for comparison, while the same
    programs run without tools and output.
    """
    print(f"the loop's lag during {LAG_SECONDS:g} s, while a tool …  (bare: the same programs, not as tools)")
    async with _bench(["true"]):
        lags = await _lag_during([])
    aim("(nothing is called)", _shown(lags), "", True)
    for what, command in MISBEHAVING.items():
        bare = await _lag_during([functools.partial(_alone, command)] * AT_ONCE)
        async with _bench(command) as bench:
            lags = await _lag_during([bench.call] * AT_ONCE)
        p99 = percentile(lags, 0.99)
        aim(what, f"{_shown(lags)}  (bare: {_shown(bare)})", "p99 < 10 ms", p99 < 10)


async def _lag_during(calls: Sequence[Callable[[], Awaitable[object]]]) -> list[float]:
    """The loop's lag in ms while each of ``calls`` is made repeatedly."""

    async def again(call: Callable[[], Awaitable[object]]) -> None:
        while True:
            await call()
            await asyncio.sleep(PAUSE)

    calling = [asyncio.create_task(again(call)) for call in calls]
    lags: list[float] = []
    until = time.perf_counter() + LAG_SECONDS
    while (begun := time.perf_counter()) < until:
        await asyncio.sleep(TICK)
        lags.append((time.perf_counter() - begun - TICK) * 1000)
    for task in calling:
        task.cancel()
    await asyncio.gather(*calling, return_exceptions=True)
    return lags


async def _alone(command: Sequence[str]) -> None:
    nowhere = asyncio.subprocess.DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=nowhere, stdout=nowhere, stderr=nowhere
        )
    except OSError:  # the programs that cannot be started
        return
    try:
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _shown(lags: Sequence[float]) -> str:
    median, p99 = statistics.median(lags), percentile(lags, 0.99)
    return f"median {median:.2f} ms, p99 {p99:.2f} ms, most {max(lags):.2f} ms"


async def _memory() -> None:
    """How much many calls at once add to this process' peak memory."""
    before = _peak()
    async with _bench(["cat"]) as bench:
        calls = []
        for _ in range(IN_A_SECOND):
            calls.append(asyncio.create_task(bench.call()))
            await asyncio.sleep(1 / IN_A_SECOND)
        await asyncio.gather(*calls)
    added = _peak() - before
    aim(f"memory that {IN_A_SECOND} calls in a second add", f"{added:.1f} MB", "≤ 10 MB", added <= 10)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
