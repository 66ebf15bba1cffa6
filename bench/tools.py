"""Tool calls: from a call to its program started, and what a tool that misbehaves costs everybody else."""

from __future__ import annotations

import asyncio
import os
import shlex
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.measure import aim, percentile
from tavus_cli.rooms.sim.room import open_simulated
from tavus_cli.session.session import Session
from tavus_cli.tools.bridge import Bridge, Run
from tavus_cli.tools.options import ToolOptions

ROUNDS = 300
LAG_SECONDS = 3.0
AT_ONCE = 2  # calls; more programs than cores would be measured themselves
PAUSE = 0.05  # seconds before each makes its next
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
    asyncio.run(_started())
    asyncio.run(_lags())


class Bench:
    """A joined room whose PAL calls when told; ``call`` returns when the call has come to its end."""

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
    """In turns, so that a busy moment of the machine hits both alike."""
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
    """How late the loop is while calls are made for a while, and nothing else goes on."""
    print(f"the loop's lag during {LAG_SECONDS:g} s, while a tool …")
    for what, command in {"(nothing is called)": [], **MISBEHAVING}.items():
        lags: list[float] = []
        async with _bench(command or ["true"]) as bench:

            async def calling(bench: Bench = bench) -> None:
                while True:
                    await bench.call()
                    await asyncio.sleep(PAUSE)

            calls = [asyncio.create_task(calling()) for _ in range(AT_ONCE)] if command else []
            until = time.perf_counter() + LAG_SECONDS
            while (begun := time.perf_counter()) < until:
                await asyncio.sleep(TICK)
                lags.append((time.perf_counter() - begun - TICK) * 1000)
            for call in calls:
                call.cancel()
        p99 = percentile(lags, 0.99)
        shown = f"median {statistics.median(lags):.2f} ms, p99 {p99:.2f} ms, most {max(lags):.2f} ms"
        aim(what, shown, "p99 < 10 ms" if command else "", p99 < 10)
