"""A report about 1,000,000 records against ``jq -c .`` over the same file, side by side; and its memory."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile

from bench.generate import messages, write
from bench.measure import CONSOLE, PYTHON, Contest, aim

EVENTS = 1_000_000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "events.jsonl")
        write(path, messages(EVENTS))
        print(f"{EVENTS:,} generated events, {os.path.getsize(path) / EVENTS:.0f} B each")
        jq, ours = "jq -c .", "report"
        commands = {jq: ["jq", "-c", ".", path], ours: [CONSOLE, "report", path]}
        contest = Contest("a report", commands, 3).run()
        contest.table(EVENTS)
        ratio = contest.median(jq) / contest.median(ours)
        aim("  as fast as jq", f"{ratio:.2f} ×", "≥ 1.5 ×", ratio >= 1.5)
        for words in (["report", path], ["report", path, "--json"]):
            peak = _peak(words)
            aim(
                f"  peak memory, {' '.join([words[0], *words[2:]])}",
                f"{peak:.0f} MB",
                "≤ 300 MB",
                peak <= 300,
            )


def _peak(words: list[str]) -> float:
    code = f"from bench.report import run_here; run_here({words!r})"
    done = subprocess.run(
        [PYTHON, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True
    )
    return float(done.stderr.split()[-1])


def run_here(words: list[str]) -> None:
    """In a process of its own: prints the peak of its memory in MB to standard error."""
    from tavus_cli.cli import run_command
    from tavus_cli.session.environment import Environment

    run_command(words, Environment())
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, file=sys.stderr)
