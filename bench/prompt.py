"""The prompt of ``join`` while events come: how soon a typed letter and an event stand on the screen.

The console runs in a process of its own on a pseudo-terminal; this one types into it and reads what it
draws. A letter, or an event, counts as seen when the write that holds it has been read.
"""

from __future__ import annotations

import asyncio
import json
import os
import pty
import random
import re
import subprocess
import sys
import tempfile
import termios
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path

from bench.measure import PYTHON, aim, percentile

FRAME = 1000 / 30  # ms: a letter typed just after one waits for the next
COLUMNS, ROWS = 160, 40
LETTERS = "".join(map(chr, range(0x100, 0x180)))  # no event holds one of these
NUMBER = re.compile(rb'"number":(\d+)')
SECONDS = 15.0
BURST = 20_000
HOUR = 3_600 * 200  # events


def main() -> None:
    print("the prompt of join on a terminal, typed into while events come")
    steady = Run("sim:?rate=200", lambda run: run.type_for(SECONDS))
    steady.letters("a letter at 200 events/s")
    delays = steady.event_delays()
    p50, p99 = percentile(delays, 0.5), percentile(delays, 0.99)
    aim("  from the room to the screen", f"p50 {p50:.1f} ms, p99 {p99:.1f} ms", "p99 ≤ 35 ms", p99 <= 35)
    aim("  CPU of one core", f"{steady.cpu:.1%}", "≤ 10 %", steady.cpu <= 0.10)
    steady.lag()
    fast = Run("sim:?rate=1000", lambda run: run.type_for(SECONDS))
    fast.letters("a letter at 1,000 events/s")
    fast.lag()
    burst = Run(f"sim:?burst={BURST}", lambda run: run.type_until(BURST))
    burst.letters(f"a letter in a burst of {BURST:,}")
    burst.lag()


class Run:
    """One console in a child, from its start to its end; ``acts`` types."""

    def __init__(self, spec: str, acts: Callable[[Run], None]) -> None:
        self._seen: list[tuple[float, bytes]] = []
        self._typed: list[tuple[float, str]] = []
        self._events = threading.Condition()
        self._highest = -1
        with tempfile.TemporaryDirectory() as folder:
            self._record, figures = Path(folder, "record.jsonl"), Path(folder, "figures.json")
            self._master, slave = pty.openpty()
            tty.setraw(self._master)
            termios.tcsetwinsize(slave, (ROWS, COLUMNS))
            code = f"from bench.prompt import child; child({spec!r}, {str(self._record)!r}, {str(figures)!r})"
            process = subprocess.Popen(
                [PYTHON, "-c", code], stdin=slave, stdout=slave, env={**os.environ, "TERM": "xterm-256color"}
            )
            os.close(slave)
            reader = threading.Thread(target=self._read)
            reader.start()
            self._until(0)
            acts(self)
            os.write(self._master, b"\x15\x04")  # clear the line, leave
            process.wait()
            reader.join()
            os.close(self._master)
            measured = json.loads(figures.read_text())
            self.cpu: float = measured["cpu"]
            self._lags: list[float] = measured["lags"]
            self._came = dict(_recorded(self._record))

    def type_for(self, seconds: float) -> None:
        """A letter every 30 to 90 ms, as fast fingers do."""
        until = time.time() + seconds
        while time.time() < until:
            self._type()
            time.sleep(random.uniform(0.03, 0.09))

    def type_until(self, count: int) -> None:
        """Until the last event of a burst has been seen."""
        while self._highest < count - 1:
            self._type()
            time.sleep(random.uniform(0.01, 0.03))

    def letters(self, what: str) -> None:
        delays = []
        for begun, letter in self._typed:
            wanted = letter.encode()
            shown = next((at for at, data in self._seen if at >= begun and wanted in data), None)
            delays.append((shown - begun) * 1000 if shown else float("inf"))
        p50, p99, most = percentile(delays, 0.5), percentile(delays, 0.99), max(delays)
        text = f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, most {most:.1f} ms ({len(delays)} letters)"
        aim(what, text, f"p99 ≤ a frame, {FRAME:.0f} ms", p99 <= FRAME)

    def lag(self) -> None:
        p99, most = percentile(self._lags, 0.99), max(self._lags)
        aim("  the event loop late by", f"p99 {p99:.1f} ms, most {most:.1f} ms", "p99 ≤ 10 ms", p99 <= 10)

    def event_delays(self) -> list[float]:
        """Milliseconds from an event's arrival to its line on the screen."""
        shown: dict[int, float] = {}
        for at, data in self._seen:
            for match in NUMBER.finditer(data):
                shown.setdefault(int(match[1]), at)
        return [(shown[number] - at) * 1000 for number, at in self._came.items() if number in shown]

    def _type(self) -> None:
        letter = LETTERS[len(self._typed) % len(LETTERS)]
        if len(self._typed) % len(LETTERS) == 0:
            os.write(self._master, b"\x15")
        self._typed.append((time.time(), letter))
        os.write(self._master, letter.encode())

    def _until(self, number: int) -> None:
        with self._events:
            self._events.wait_for(lambda: self._highest >= number, timeout=30)

    def _read(self) -> None:
        rest = b""  # of the last line, whose number may not be whole
        try:
            while data := os.read(self._master, 1 << 20):
                self._seen.append((time.time(), rest + data))
                numbers = NUMBER.findall(rest + data)
                rest = (rest + data).rpartition(b"\n")[2]
                if numbers:
                    with self._events:
                        self._highest = max(self._highest, int(numbers[-1]))
                        self._events.notify()
        except OSError:  # the other side is closed
            pass


def _recorded(path: Path) -> list[tuple[int, float]]:
    events = []
    for line in path.read_text().splitlines()[1:]:
        one = json.loads(line)
        if one["dir"] == "in" and one["message"].get("event_type") == "conversation.sim.load":
            events.append((one["message"]["properties"]["number"], one["at"]))
    return events


# -- the console, in a process of its own -----------------------------------------------------------------


def child(spec: str, record: str, figures: str) -> None:
    from tavus_cli.session.session import run

    sys.exit(run(lambda: _join(spec, record, figures)))


async def _join(spec: str, record: str, figures: str) -> int:
    from tavus_cli.rooms.simulated import open_simulated
    from tavus_cli.session.commander import Join
    from tavus_cli.session.environment import Environment
    from tavus_cli.session.join import join

    lags: list[float] = []
    watching = asyncio.create_task(_watch(lags))
    begun, used = time.perf_counter(), time.process_time()
    status = await join(open_simulated(spec), Join(record=record), Environment())
    watching.cancel()
    cpu = (time.process_time() - used) / (time.perf_counter() - begun)
    Path(figures).write_text(json.dumps({"cpu": cpu, "lags": lags}))
    return status


async def _watch(lags: list[float]) -> None:
    """How many milliseconds too late the loop comes back, every few of them."""
    while True:
        before = time.perf_counter()
        await asyncio.sleep(0.005)
        lags.append((time.perf_counter() - before - 0.005) * 1000)
