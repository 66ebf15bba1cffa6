"""Times whole processes in turns, so that a busy moment of the machine affects all of them equally."""

from __future__ import annotations

import os
import pty
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

PYTHON = sys.executable
CONSOLE = os.path.join(os.path.dirname(sys.executable), "tavus-console")
# As on a person's machine: installed modules are compiled once, and output is buffered.
for _name in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"):
    os.environ.pop(_name, None)


def aim(what: str, value: str, wanted: str, met: bool) -> None:
    """A figure, and whether it reaches its aim."""
    outcome = "met" if met else "MISSED"
    print(f"  {what:<44}{value}" + (f"  [{wanted}: {outcome}]" if wanted else ""))


@dataclass
class Contest:
    """Commands run in turns; ``table`` compares each with the first."""

    title: str
    commands: Mapping[str, Sequence[str]]
    rounds: int = 11
    to_pty: bool = False
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def run(self) -> Contest:
        for number in range(self.rounds + 1):
            for name, command in self.commands.items():
                took = (_in_pty if self.to_pty else _in_pipe)(command)
                if number:  # the first round warms the caches
                    self.seconds.setdefault(name, []).append(took)
        return self

    def median(self, name: str) -> float:
        return statistics.median(self.seconds[name])

    def table(self, unit: int | None = None, against: str | None = None) -> None:
        """``unit``: events in each run, for a rate; ``against``: what the ratios are to."""
        base = self.median(against or next(iter(self.commands)))
        print(f"{self.title}  (median of {self.rounds}, in turns)")
        for name in self.commands:
            median = self.median(name)
            rate = f"{unit / median / 1000:8.0f} k/s" if unit else ""
            spread = f"{min(self.seconds[name]) * 1000:.0f}–{max(self.seconds[name]) * 1000:.0f}"
            print(f"  {name:<44}{median * 1000:9.1f} ms  ({spread}){rate}  {median / base:6.2f} ×")


def percentile(values: Sequence[float], part: float) -> float:
    """0.5 for the median; the values in any order."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def _in_pipe(command: Sequence[str]) -> float:
    begun = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        while process.stdout.read(1 << 20):
            pass
    return time.perf_counter() - begun


def _in_pty(command: Sequence[str]) -> float:
    master, slave = pty.openpty()
    reader = threading.Thread(target=_swallow, args=(master,))
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=slave, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    os.close(slave)
    reader.start()
    process.wait()
    reader.join()
    took = time.perf_counter() - begun
    os.close(master)
    return took


def _swallow(descriptor: int) -> None:
    try:
        while os.read(descriptor, 1 << 16):
            pass
    except OSError:  # the other side is closed
        pass
