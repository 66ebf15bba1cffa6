"""Scripts: how precisely a /when is sent; and a whole ``send`` through a resident session.

Side by side with Tavus' own client, where TAVUS names it or it is on the PATH.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

from bench.measure import CONSOLE, PYTHON, Contest, aim
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
FLOOR = 2.63  # seconds: one turn of Tavus' own client with an instant replica, used if it is not installed


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
    shown = f"median {statistics.median(errors):.2f} ms, p99 {p99:.2f} ms, most {errors[-1]:.2f} ms"
    aim("", shown, "p99 ≤ 15 ms", p99 <= 15)


def _sends(folder: Path) -> None:
    nothing, replica = folder / "nothing.py", folder / "instant.toml"
    nothing.write_text(NOTHING)
    replica.write_text(INSTANT)
    target = f"sim:{replica}"
    append, answer = "send context append x", "send respond hi --wait reply"
    commands = {
        "a do-nothing typer program": [PYTHON, str(nothing)],
        append: [CONSOLE, "send", target, "context", "append", "x"],
        answer: [CONSOLE, "send", target, "respond", "hi", "--wait", "reply"],
    }
    tavus = os.environ.get("TAVUS") or shutil.which("tavus")
    if tavus:
        commands["tavus --help"] = [tavus, "--help"]
    subprocess.run([CONSOLE, "session", "start", target], check=True, stdout=subprocess.DEVNULL)
    try:
        contest = Contest("a whole send through a resident session, instant replica", commands).run()
        contest.table()
        floor, whose = FLOOR, "one turn of Tavus' client as measured once"
        if tavus:
            ratio = contest.median(append) / contest.median("tavus --help")
            aim("send", f"{ratio:.3f} × tavus --help", "≤ 0.35 ×", ratio <= 0.35)
            floor, whose = _turn(tavus), "tavus chat turn"
    finally:
        subprocess.run([CONSOLE, "session", "stop"], check=True)
    ratio = contest.median(answer) / floor
    aim("send to its answer", f"{ratio:.3f} × {whose} ({floor:.2f} s)", "≤ 0.15 ×", ratio <= 0.15)
    if not tavus:
        print("  no tavus (docs/architecture.md): send was not compared with its --help")


def _turn(tavus: str) -> float:
    """Seconds of one turn of Tavus' own client, in a room that answers at once, with an API on loopback."""
    from tests.kits.fake_daily import Scenario, environment
    from tests.kits.tavus_api import KEY, local_api

    said = {"event_type": "conversation.utterance", "properties": {"role": "replica", "speech": "Yes."}}
    with local_api(behind="") as api:
        child = environment(Scenario(answers={"conversation.respond": [said]}))
        variables = {
            "PYTHONPATH": child["PYTHONPATH"],
            "FAKE_DAILY": child["FAKE_DAILY"],
            "TAVUS_API_KEY": KEY,
            "TAVUS_PUBLIC_API_BASE_URL": f"{api.base_url}/v2",
        }
        command = [tavus, "chat", "turn", api.add(), "--message", "hi"]
        command = ["env", *(f"{name}={value}" for name, value in variables.items()), *command]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if "Yes." not in done.stdout:
            raise SystemExit(f"tavus chat turn does not answer here: {done.stdout}{done.stderr}")
        contest = Contest("tavus chat turn", {"tavus chat turn": command}, rounds=3).run()
    contest.table()
    return contest.median("tavus chat turn")
