"""The scripts in examples/ work on the simulated PAL, and so does examples/local."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kits.program import CONSOLE, console, environ

FOLDER = Path(__file__).parent.parent / "examples"
SCRIPTS = sorted(FOLDER.glob("*.tavus"))
MAX = "sim:?speed=max"


@pytest.mark.parametrize("path", SCRIPTS, ids=[path.stem for path in SCRIPTS])
@pytest.mark.parametrize("faults", ["", "&seed=7&reorder=0.3&duplicate=0.2"])
def test_every_example_passes_and_says_how_it_is_run(path: Path, faults: str) -> None:
    result = console("run", MAX + faults, str(path))
    assert (result.status, result.err) == (0, "")
    assert f"tavus-console run sim examples/{path.name}" in path.read_text(encoding="utf-8")


def test_there_are_five() -> None:
    names = {path.stem for path in SCRIPTS}
    assert names == {"smoke", "tool_round_trip", "barge_in", "context", "latency"}


def test_the_sweep_is_a_table_of_moments_that_were_met() -> None:
    head, *rows = console("run", MAX, str(FOLDER / "barge_in.tavus")).lines
    assert head == "interrupted after  spoken"
    found = [re.fullmatch(r"(\d+) ms  ([\d.]+) s", row) for row in rows]
    pairs = [(int(match[1]), float(match[2])) for match in found if match]
    assert [asked for asked, _ in pairs] == list(range(100, 1_100, 100))
    lag = 0.06  # of an interaction on its way to the simulated PAL
    assert [spoken for _, spoken in pairs] == pytest.approx([asked / 1000 + lag for asked, _ in pairs])


def test_the_latency_budget_fails_where_it_is_exceeded() -> None:
    script = str(FOLDER / "latency.tavus")
    assert console("run", MAX, script, "--max-reply", "1500ms").status == 0
    result = console("run", MAX, script, "--max-reply", "100ms", "--json")
    assert result.status == 3
    told = json.loads(result.out)
    assert len(told["replies"]) == 5
    assert "over the budget of 0.1 s: turn 1 after" in told["lines"][-1]["failure"]


@pytest.mark.slow
def test_the_backend_passes_its_test(tmp_path: Path) -> None:
    """As people run it: pytest in a folder of theirs, tavus-console on the PATH."""
    path = f"{Path(CONSOLE).parent}{os.pathsep}{os.environ['PATH']}"
    variables = environ(PATH=path, TAVUS_CONSOLE_RUNTIME=str(tmp_path / "run"))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(FOLDER / "local")],
        cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert (done.returncode, "1 passed" in done.stdout) == (0, True), done.stdout
    assert len((FOLDER / "local" / "backend.py").read_text("utf-8").splitlines()) <= 33
