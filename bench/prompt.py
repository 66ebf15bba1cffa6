"""The prompt of ``join`` while events arrive: how soon typed letters and events are on the screen.

The console runs in a process of its own on a pseudo-terminal, in a room that a foreign thread fills, as
Daily's client does (with which ``bench.live`` measures). This process types, and reads the output. A
letter, or an event, counts as seen when the write that holds it has been read.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pty
import random
import re
import resource
import subprocess
import tempfile
import termios
import threading
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from bench.measure import PYTHON, aim, percentile

FRAME = 33.0  # ms: a letter typed just after one waits for the next
COLUMNS, ROWS = 160, 40
LETTERS = "".join(map(chr, range(0x100, 0x180)))  # no event holds one of these
NUMBER = re.compile(rb'"number":(\d+)')
SECONDS = 15.0
BURST = 20_000
AT_ONCE = 25_000  # events a second: the pace at which Daily's client hands over a burst
HOUR = 3_600 * 200  # events
SAMPLES = 12


def main() -> None:
    print("the prompt of join on a terminal, typed into while events come")
    steady = Run(200, lambda run: run.type_for(SECONDS))
    steady.letters("a letter at 200 events/s")
    delays = steady.event_delays()
    p50, p99 = percentile(delays, 0.5), percentile(delays, 0.99)
    aim("  from the callback to the screen", f"p50 {p50:.1f} ms, p99 {p99:.1f} ms", "p99 ≤ 35 ms", p99 <= 35)
    steady.lag()
    typed = Run(200, lambda run: run.type_for(SECONDS), watched=False).cpu
    aim("  CPU of one core, typed into", f"{typed:.1%}", "≤ 10 %", typed <= 0.10)
    seen = Run(200, lambda run: time.sleep(SECONDS), watched=False).cpu
    aim("  CPU of one core, looked at", f"{seen:.1%}", "≤ 10 %", seen <= 0.10)
    fast = Run(1_000, lambda run: run.type_for(SECONDS))
    fast.letters("a letter at 1,000 events/s")
    fast.lag()
    burst = Run(AT_ONCE, lambda run: run.type_until(BURST))
    for _ in range(4):
        burst.add(Run(AT_ONCE, lambda run: run.type_until(BURST)))
    burst.letters(f"a letter in a burst of {BURST:,}, five of them")
    burst.lag()


class Run:
    """One console in a child, from its start to its end, with ``rate`` events a second.

    ``acts`` types. ``watched``: whether the loop's lag is measured, which takes some time of its own.
    """

    def __init__(self, rate: int, acts: Callable[[Run], None], *, watched: bool = True) -> None:
        self._seen: list[tuple[float, bytes]] = []
        self._typed: list[tuple[float, str]] = []
        self._more: list[float] = []
        self._events = threading.Condition()
        self._highest = -1
        with tempfile.TemporaryDirectory() as folder:
            record, figures = Path(folder, "record.jsonl"), Path(folder, "figures.json")
            arguments = (rate, str(record), str(figures), watched)
            with self._console(f"from bench.prompt import child; child{arguments!r}"):
                with self._events:
                    self._events.wait_for(lambda: self._highest >= 0, timeout=30)
                acts(self)
            measured = json.loads(figures.read_text())
            self._came = dict(_recorded(record))
        self.cpu: float = measured["cpu"]
        self._lags: list[float] = measured["lags"]

    @contextlib.contextmanager
    def _console(self, code: str) -> Iterator[None]:
        self._master, slave = pty.openpty()
        tty.setraw(self._master)
        termios.tcsetwinsize(slave, (ROWS, COLUMNS))
        variables = {**os.environ, "TERM": "xterm-256color"}
        process = subprocess.Popen([PYTHON, "-c", code], stdin=slave, stdout=slave, env=variables)
        os.close(slave)
        reader = threading.Thread(target=self._read)
        reader.start()
        try:
            yield
        finally:
            os.write(self._master, b"\x15\x04")  # clear the line and leave
            process.wait()
            reader.join()
            os.close(self._master)

    def type_for(self, seconds: float) -> None:
        """Type a letter every 100 to 200 ms, about 80 words a minute."""
        until = time.time() + seconds
        while time.time() < until:
            self._type()
            time.sleep(random.uniform(0.1, 0.2))

    def type_until(self, count: int) -> None:
        """Until the last event of a burst has been seen."""
        while self._highest < count - 1:
            self._type()
            time.sleep(random.uniform(0.05, 0.1))

    def add(self, other: Run) -> None:
        """Add the letters and lags of another run."""
        self._more += other.letter_delays()
        self._lags += other._lags

    def letters(self, what: str) -> None:
        delays = self.letter_delays()
        p50, p99, most = percentile(delays, 0.5), percentile(delays, 0.99), max(delays)
        text = f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, most {most:.1f} ms ({len(delays)} letters)"
        aim(what, text, f"p99 ≤ a frame, {FRAME:.0f} ms", p99 <= FRAME)

    def letter_delays(self) -> list[float]:
        """Milliseconds from a key to its letter on the screen."""
        delays = list(self._more)
        for begun, letter in self._typed:
            wanted = letter.encode()
            shown = next((at for at, data in self._seen if at >= begun and wanted in data), None)
            delays.append((shown - begun) * 1000 if shown else float("inf"))
        return delays

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

    def _read(self) -> None:
        rest = b""  # of the last line, whose number may not be whole
        with contextlib.suppress(OSError):  # the other side is closed
            while data := os.read(self._master, 1 << 20):
                self._seen.append((time.time(), rest + data))
                numbers = NUMBER.findall(rest + data)
                rest = (rest + data).rpartition(b"\n")[2]
                if numbers:
                    with self._events:
                        self._highest = max(self._highest, int(numbers[-1]))
                        self._events.notify()


def _recorded(path: Path) -> Iterator[tuple[int, float]]:
    for line in path.read_text().splitlines()[1:]:
        one = json.loads(line)
        if one["dir"] == "in":
            yield one["message"]["properties"]["number"], one["at"]


# -- the console, in a process of its own -----------------------------------------------------------------


class Fed:
    """A room (``rooms.room.Room``) that a thread fills."""

    target, conversation_id = "bench", "c7f3a91d20be4b58"
    live = timed = True
    leaving_may_end = False
    via = ""
    participants: ClassVar[dict[str, Any]] = {}

    def __init__(self, rate: int) -> None:
        from tavus_cli.rooms.room import Inbox

        self._rate = rate
        self.fed = 0
        self._inbox = Inbox()
        self._left = threading.Event()

    def now(self) -> float:
        return time.time()

    def arrivals(self) -> Any:
        return self._inbox.batches()

    async def join(self) -> None:
        threading.Thread(target=self._feed, daemon=True).start()

    async def send(self, message: dict[str, Any]) -> None:
        pass

    async def leave(self) -> None:
        self._left.set()
        self._inbox.close()

    def _feed(self) -> None:
        from tavus_cli.rooms.room import Received

        begun = time.time()
        for number in range(BURST if self._rate == AT_ONCE else int(self._rate * SECONDS * 2)):
            due = begun + number / self._rate - time.time()
            if due > 0 and self._left.wait(due):
                return
            properties = {"number": number, "text": "We are open from nine to five."}
            message = {"message_type": "conversation", "event_type": "conversation.bench.load", "seq": number}
            message["properties"] = properties
            self._inbox.put(Received(message, time.time(), "pal"))
            self.fed += 1


def child(rate: int, record: str, figures: str, watched: bool) -> None:
    from tavus_cli.session.loop import run

    run(lambda: _join(rate, record, figures, watched))


async def _join(rate: int, record: str, figures: str, watched: bool) -> int:
    from tavus_cli.commands.join import console  # noqa: F401  importing it is no lag while events come
    from tavus_cli.commands.join.commander import JoinOptions
    from tavus_cli.commands.join.join import join
    from tavus_cli.language.selection import Selection
    from tavus_cli.session.environment import Environment

    lags: list[float] = []
    room = Fed(rate)
    watching = asyncio.create_task(_watch(room, lags) if watched else asyncio.sleep(0))
    begun, used = time.perf_counter(), time.process_time()
    status = await join(room, JoinOptions(Selection(), record=record), Environment())
    watching.cancel()
    cpu = (time.process_time() - used) / (time.perf_counter() - begun)
    Path(figures).write_text(json.dumps({"cpu": cpu, "lags": lags}))
    return status


async def _watch(room: Fed, lags: list[float]) -> None:
    """Measure the loop's lag in milliseconds, every few milliseconds, once events arrive."""
    while not room.fed:
        await asyncio.sleep(0.001)
    while True:
        before = time.perf_counter()
        await asyncio.sleep(0.005)
        lags.append((time.perf_counter() - before - 0.005) * 1000)


# -- an hour ---------------------------------------------------------------------------------------------


def hour() -> None:
    """An hour of 200 events a second, in simulated time: memory once the history is full."""
    code = "from bench.prompt import an_hour; an_hour()"
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        done = subprocess.run(
            [PYTHON, "-c", code], stdout=nowhere, stderr=subprocess.PIPE, text=True, check=True
        )
    sizes = [float(word) for word in done.stderr.split()]
    full = len(sizes) // 4  # 180,000 of 720,000: more than is kept
    print(f"an hour at 200 events/s ({HOUR:,}): memory in MB, each twelfth of it")
    print("  " + "  ".join(f"{size:.0f}" for size in sizes))
    growth = sizes[-1] / sizes[full] - 1
    aim("  growth since the history was full", f"{growth:.1%}", "flat, ≤ 3 %", growth <= 0.03)


def an_hour() -> None:
    from tavus_cli.session.loop import run

    run(_an_hour)


async def _an_hour() -> int:
    import sys

    from prompt_toolkit.data_structures import Size
    from prompt_toolkit.input import create_pipe_input
    from prompt_toolkit.output.vt100 import Vt100_Output

    from tavus_cli.commands.join.commander import JoinOptions
    from tavus_cli.commands.join.console import Console
    from tavus_cli.language.selection import Selection
    from tavus_cli.rooms.sim.room import open_simulated
    from tavus_cli.session.environment import Environment
    from tavus_cli.session.session import Session
    from tavus_cli.terminal.prompt import LivePrompt

    output = Vt100_Output(sys.stdout, lambda: Size(rows=ROWS, columns=COLUMNS))
    with create_pipe_input() as keys:

        def prompt(**options: Any) -> LivePrompt:
            return LivePrompt(input=keys, output=output, frame_seconds=0.0001, **options)

        session = Session(open_simulated(f"sim:?speed=max&rate=200&events={HOUR}"))
        session.sinks.append(Sizes())
        console = asyncio.create_task(Console(session, JoinOptions(Selection()), Environment(), prompt).run())
        while session.conversation.status.events < HOUR:
            await asyncio.sleep(0.1)
        keys.send_text("\x04")
        return await console


class Sizes:
    """A sink: the size of this process, each twelfth of an hour."""

    def __init__(self) -> None:
        self._count = 0

    def entries(self, entries: list[Any]) -> None:
        import sys

        before, self._count = self._count, self._count + len(entries)
        if before * SAMPLES // HOUR != self._count * SAMPLES // HOUR:
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            print(pages * resource.getpagesize() / 1e6, file=sys.stderr)

    async def drain(self) -> None:
        pass
