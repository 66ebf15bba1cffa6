"""A live room: the unmodified daily-python in a room of tests/kits/daily_room.py, in two processes.

From Daily's callback to the core's entry, a burst of 30,000, and from the start of a process to the call of
``CallClient.join``; each with its aim.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from bench.measure import CONSOLE, PYTHON, Contest, aim
from bench.start import NOTHING

RATE = 1_000  # messages a second
SECONDS = 10
BURST = 30_000
BURSTS = 5

# ``import daily`` gives the real module, except for a client that ends the process instead of joining.
UNTIL_JOIN = """import os, sys
here = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [path for path in sys.path if os.path.abspath(path) != here]
del sys.modules["daily"]
import daily
Real = daily.CallClient
class CallClient:
    def __init__(self, event_handler):
        self.real = Real(event_handler=event_handler)
    def __getattr__(self, name):
        return getattr(self.real, name)
    def join(self, *arguments, **options):
        os._exit(0)
daily.CallClient = CallClient
sys.modules["daily"] = daily
"""


def main() -> None:
    print("a live room: real client, local server in another process  (aim in brackets)")
    paced = _in_room(RATE * SECONDS, _paced)
    delays = f"p50 {paced['p50']:.2f} ms, p99 {paced['p99']:.2f} ms, worst {paced['worst']:.1f} ms"
    aim(f"callback to entry at {RATE:,} messages/s", delays, "p99 ≤ 5 ms", paced["p99"] <= 5)
    bursts = [_in_room(BURST, lambda room: room.flood(BURST, _message)) for _ in range(BURSTS)]
    lost = sum(burst["lost"] for burst in bursts)
    aim(f"{BURST:,} at once, {BURSTS} times: lost", f"{lost}", "0", lost == 0)
    stalls = sorted(burst["stall"] for burst in bursts)
    stall, spread = stalls[BURSTS // 2], f"({stalls[0]:.0f}–{stalls[-1]:.0f})"
    aim("  worst stall of the event loop, median", f"{stall:.1f} ms {spread}", "≤ 50 ms", stall <= 50)
    seconds = sorted(burst["seconds"] for burst in bursts)[BURSTS // 2]
    aim("  from the first entry to the last, median", f"{seconds:.2f} s", "", True)
    _start()


def _start() -> None:
    with tempfile.TemporaryDirectory() as folder:
        nothing = Path(folder, "nothing.py")
        nothing.write_text(NOTHING)
        module = Path(folder, "until", "daily.py")
        module.parent.mkdir()
        module.write_text(UNTIL_JOIN)
        os.environ["PYTHONPATH"] = str(module.parent)
        try:
            typer, send = "a do-nothing typer program", "tavus-console send URL, until CallClient.join"
            url = "https://standin.daily.co/r"
            contest = Contest(
                "process start to CallClient.join",
                {typer: [PYTHON, str(nothing)], send: [CONSOLE, "send", url, "respond", "hi"]},
                21,
            ).run()
        finally:
            del os.environ["PYTHONPATH"]
    contest.table()
    ratio = contest.median(send) / contest.median(typer)
    aim("  the ratio", f"{ratio:.2f} ×", "≤ 1.6 ×", ratio <= 1.6)


# -- the server's side -----------------------------------------------------------------------------------


def _message(number: int) -> dict[str, Any]:
    return {
        "message_type": "conversation",
        "event_type": "conversation.utterance.streaming",
        "conversation_id": "c7f3a91d20be4b58",
        "seq": number,
        "turn_idx": number // 100,
        "inference_id": f"i{number // 100}",
        "properties": {
            "role": "pal",
            "speech": "We are open from nine to five.",
            "content_index": number % 100,
        },
    }


async def _paced(room: Any) -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for number in range(RATE * SECONDS):
        if (delay := begun + number / RATE - loop.time()) > 0:
            await asyncio.sleep(delay)
        await room.say(_message(number))


def _in_room(count: int, says: Callable[[Any], Coroutine[Any, Any, None]]) -> dict[str, float]:
    from tests.kits.daily_room import LocalRoom, in_thread, room_url

    with in_thread(LocalRoom(socket="silent")) as room:
        code = f"from bench.live import take; take({room_url()!r}, {room.proxy!r}, {count})"
        child = subprocess.Popen(
            [PYTHON, "-c", code], env={**os.environ, **room.environment}, stdout=subprocess.PIPE, text=True
        )
        room.soon(room.joining()).result()
        room.soon(says(room)).result()
        out, _ = child.communicate(timeout=120)
    result: dict[str, float] = json.loads(out)
    return result


# -- the client's side: a process of its own -------------------------------------------------------------


def take(url: str, proxy: str, count: int) -> None:
    """Take ``count`` messages, print the figures as JSON, and end as after an endless join."""
    from tavus_cli.session.loop import run

    run(lambda: _take(url, proxy, count))
    sys.stdout.flush()
    os._exit(0)


async def _take(url: str, proxy: str, count: int) -> int:
    from tavus_cli.rooms.daily.room import DailyRoom
    from tavus_cli.session.session import Session

    room = DailyRoom(url, proxy=proxy)
    session, watch = Session(room), Watch(count)
    session.sinks.append(watch)
    joining = asyncio.create_task(session.__aenter__())
    ticking = asyncio.create_task(watch.tick())
    await asyncio.wait({asyncio.create_task(watch.done.wait())}, timeout=60)
    ticking.cancel()
    print(json.dumps(watch.figures()))
    joining.cancel()
    await asyncio.wait({joining})
    return 0


class Watch:
    """A sink that measures how old each entry is when it arrives, and how long the loop is blocked."""

    def __init__(self, count: int) -> None:
        self.done = asyncio.Event()
        self._count = count
        self._ages: list[float] = []
        self._numbers: set[int | None] = set()
        self._stall = 0.0
        self._first = self._last = 0.0

    def entries(self, entries: list[Any]) -> None:
        now = time.time()
        self._first = self._first or now
        self._last = now
        for entry in entries:
            self._ages.append(now - entry.at)
            self._numbers.add(entry.event.seq)
        if len(self._ages) >= self._count:
            self.done.set()

    async def drain(self) -> None:
        pass

    async def tick(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            if self._ages:  # not the joining itself
                self._stall = max(self._stall, time.perf_counter() - before - 0.001)

    def figures(self) -> dict[str, float]:
        ages = sorted(self._ages)
        return {
            "p50": ages[len(ages) // 2] * 1000,
            "p99": ages[len(ages) * 99 // 100] * 1000,
            "worst": ages[-1] * 1000,
            "lost": self._count - len(self._numbers & set(range(self._count))),
            "stall": self._stall * 1000,
            "seconds": self._last - self._first,
        }
