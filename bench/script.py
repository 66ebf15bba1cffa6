"""Scripts: how near to its moment a /when is sent; and a whole ``send`` through a resident session."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

from bench.measure import CONSOLE, PYTHON, Contest
from bench.start import NOTHING

SHOTS = 400
AFTER = 0.05  # seconds
INSTANT = """
[timing]
think = 0
lag = 0
join = 0
jitter = 0
words_per_minute = 100000
[[reply]]
match = "."
say = "Yes."
"""
SCRIPT = f"""/repeat {SHOTS}
  /when conversation.sim.load as event after {AFTER:g}s /context append $event.number
  /wait conversation.sim.load
/wait 1s
"""
FLOOR = 2.63  # seconds: one turn of Tavus' own client against an instant replica, measured once


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TAVUS_CONSOLE_RUNTIME"] = os.path.join(folder, "run")
        _moments(Path(folder))
        _sends(Path(folder))


def _moments(folder: Path) -> None:
    script, record = folder / "moments.tavus", folder / "moments.jsonl"
    script.write_text(SCRIPT)
    subprocess.run([CONSOLE, "run", "sim:?rate=50", str(script), "--record", str(record)], check=True)
    came: dict[str, float] = {}
    errors = []
    for line in record.read_text().splitlines()[1:]:
        one = json.loads(line)
        if one["dir"] == "in" and one["message"].get("event_type") == "conversation.sim.load":
            came[str(one["message"]["properties"]["number"])] = one["at"]
        elif one["dir"] == "out":
            errors.append((one["at"] - came[one["message"]["properties"]["context"]] - AFTER) * 1000)
    errors.sort()
    p99 = errors[int(len(errors) * 0.99)]
    print(f"/when … after {AFTER * 1000:.0f} ms: {len(errors)} sendings, later than their moment by")
    print(f"  median {statistics.median(errors):.2f} ms   p99 {p99:.2f} ms   most {errors[-1]:.2f} ms")


def _sends(folder: Path) -> None:
    nothing, replica = folder / "nothing.py", folder / "instant.toml"
    nothing.write_text(NOTHING)
    replica.write_text(INSTANT)
    target = f"sim:{replica}"
    send = [CONSOLE, "send", target]
    commands = {
        "a do-nothing typer program": [PYTHON, str(nothing)],
        "tavus-console --help": [CONSOLE, "--help"],
        "send context append x": [*send, "context", "append", "x"],
        "send respond hi --wait reply": [*send, "respond", "hi", "--wait", "reply"],
    }
    if tavus := shutil.which("tavus"):
        commands["tavus --help"] = [tavus, "--help"]
    subprocess.run([CONSOLE, "session", "start", target], check=True, stdout=subprocess.DEVNULL)
    try:
        contest = Contest("a whole send through a resident session, instant replica", commands).run()
    finally:
        subprocess.run([CONSOLE, "session", "stop"], check=True)
    contest.table()
    answered = contest.median("send respond hi --wait reply")
    print(f"  to its answer: {answered / FLOOR:.3f} × the {FLOOR} s of one turn of Tavus' own client")
