"""Setting the wall clock while the program runs affects neither the times shown nor the waits."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from tavus_cli.resident import sockets as runtime
from tests.kits.program import console, process
from tests.kits.resident_kit import start

HOUR = 3_600
# Read by every Python that starts: ``time.time`` differs by STEP seconds, from its fourth call on or at once.
STEPPING = """
import os, time
real, calls = time.time, []
def stepping():
    calls.append(1)
    return real() + (float(os.environ["STEP"]) if len(calls) > int(os.environ["STEP_AFTER"]) else 0.0)
if "STEP" in os.environ:
    time.time = stepping
"""


@pytest.fixture
def stepped(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "sitecustomize.py").write_text(STEPPING)
    paths = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(paths), "STEP_AFTER": "3"}


@pytest.mark.parametrize("step", [-HOUR, HOUR])
def test_events_are_shown_and_holds_end(step: int, stepped: dict[str, str]) -> None:
    """With numbers out of order, so that events are held."""
    result = process(
        "tail", "sim:?seed=3&reorder=0.4&gap=0.2&rate=40", "--count", "30", STEP=str(step), **stepped
    )
    assert (result.status, result.err) == (0, "")
    assert len(result.lines) >= 30


@pytest.mark.parametrize("step", [-HOUR, HOUR])
def test_waits_of_a_script_end(step: int, stepped: dict[str, str], tmp_path: Path) -> None:
    script = tmp_path / "s.txt"
    script.write_text(
        "/wait 300ms\n/expect no guardrail.triggered within 500ms\n"
        "/when utterance role=user after 200ms /respond again\n/respond hello\n"
        "/expect utterance role=user text=again from start within 20s\n"
        "/expect guardrail.triggered within 1s\n"
    )
    result = process("run", "sim", str(script), "--json", STEP=str(step), **stepped)
    lines = json.loads(result.out)["lines"]
    assert [one["ok"] for one in lines] == [True] * 5 + [False]
    assert all(one["seconds"] < 60 for one in lines)


def test_what_is_recorded_is_wall_time(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    before = time.time()
    assert process("tail", "sim", "--count", "3", "--record", str(path)).status == 0
    first, *others = [json.loads(line) for line in path.read_text().splitlines()]
    assert before - 1 <= first["started"] <= time.time() + 1
    assert all(before - 1 <= one["at"] <= time.time() + 1 for one in others)


@pytest.mark.skipif(not runtime.supported(), reason="no Unix sockets here")
@pytest.mark.usefixtures("sessions")
@pytest.mark.parametrize("step", [-HOUR, HOUR])
def test_a_client_uses_the_clock_of_its_session(
    step: int, stepped: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session began before the clock was set, and the client after it."""
    for name, value in {**stepped, "STEP": str(step), "STEP_AFTER": "0"}.items():
        monkeypatch.setenv(name, value)
    name = start("sim:?seed=3&gap=0.2&rate=40")["id"]
    monkeypatch.delenv("STEP")
    result = process("tail", name, "--count", "30")
    assert (result.status, result.err) == (0, "")
    script = tmp_path / "s.txt"
    script.write_text("/expect guardrail.triggered within 1s\n")
    assert process("run", name, str(script)).status == 3
    assert console("session", "stop", name).status == 0
