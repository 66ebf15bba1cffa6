"""Replaying 200,000 events against jq, to a pipe and to a terminal; and whether the cost stays flat."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time

from bench.generate import write
from bench.measure import CONSOLE, PYTHON, Contest

EVENTS = 200_000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "events.jsonl")
        write(path, EVENTS)
        replay = [CONSOLE, "replay", path]

        pretty = {"jq -C .": ["jq", "-C", ".", path], "replay --color always": [*replay, "--color", "always"]}
        lines = {"jq -c .": ["jq", "-c", ".", path], "replay --format jsonl": [*replay, "--format", "jsonl"]}
        only = {
            "jq -c 'select(.event_type == …)'": [
                *("jq", "-c", 'select(.event_type == "conversation.utterance")', path)
            ],
            "replay --format jsonl --only utterance": [*replay, "--format", "jsonl", "--only", "utterance"],
        }
        size = os.path.getsize(path)
        print(f"{EVENTS:,} generated events, {size / EVENTS:.0f} B each")
        for to_pty, where in ((False, "a pipe"), (True, "a pty")):
            Contest(f"pretty to {where}", pretty, 5, to_pty).run().table(EVENTS)
            Contest(f"JSON lines to {where}", lines, 5, to_pty).run().table(EVENTS)
        Contest("JSON lines through a filter", only, 5).run().table(EVENTS)


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
        write(path, count)
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
