"""Suites: the wall time of several runs at once against one after the other, and memory over 1,000 runs."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path

from bench.measure import CONSOLE, aim

EXAMPLES = str(Path(__file__).parent.parent / "examples")
REPEAT, JOBS = 5, 4
RUNS = 1_000
EARLY = 200  # runs after which a process has created all it needs


def main() -> None:
    _side_by_side()
    _memory()


def _side_by_side() -> None:
    """In real time, at four times the pace; at the original pace it takes 4.5 minutes."""
    seconds = {}
    for jobs in (1, JOBS):
        words = ["run", "sim:?speed=4", EXAMPLES, "--repeat", str(REPEAT), "--jobs", str(jobs)]
        begun = time.monotonic()
        subprocess.run([CONSOLE, *words], check=True, stdout=subprocess.DEVNULL)
        seconds[jobs] = time.monotonic() - begun
    print(f"examples/, {REPEAT} times each, on the simulation in real time")
    aim("--jobs 1", f"{seconds[1]:6.1f} s", "", True)
    ratio = seconds[JOBS] / seconds[1]
    aim(f"--jobs {JOBS}", f"{seconds[JOBS]:6.1f} s  {ratio:.2f} ×", "at most 0.33 ×", ratio <= 1 / 3)


def _memory() -> None:
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.jsonl"
        words = ["run", "sim:?speed=max", f"{EXAMPLES}/context.tavus", "--jobs", str(JOBS)]
        command = [CONSOLE, *words, "--repeat", str(RUNS), "--results", str(results)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as child:
            early = last = 0
            while child.poll() is None:
                size = resident(child.pid)
                done = results.read_bytes().count(b"\n") if results.exists() else 0
                early = early or (size if done >= EARLY else 0)
                last = size or last
                time.sleep(0.02)
    print(f"{RUNS:,} runs in one process")
    aim(f"memory after {EARLY} runs", f"{early / 1e6:6.1f} MB", "", True)
    grown = (last - early) / (RUNS - EARLY)
    aim("memory at the end", f"{last / 1e6:6.1f} MB", "", True)
    aim("growth a run", f"{grown / 1e3:6.2f} kB", "at most 2 kB", grown <= 2_000)


def resident(pid: int) -> int:
    """Bytes; 0 once the process has ended."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0
