"""The program as tests run it: in this process, which is fast, or as a separate process."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tavus_cli.cli import run_command
from tavus_cli.session.environment import Environment

SECONDS = 60.0  # no test waits this long unless it fails
SAMPLES = Path(__file__).parent.parent / "samples" / "events.jsonl"
NOWHERE = "http://127.0.0.1:9"  # nothing listens there, so no test calls Tavus by accident
CONSOLE = str(Path(sys.executable).with_name("tavus-console"))


@dataclass(frozen=True)
class Result:
    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


def console(*arguments: str, stdin: str | bytes = "", **environ: str) -> Result:
    """``tavus-console ARGUMENTS`` in this process, with pipes for streams."""
    out, err = io.StringIO(), io.StringIO()
    reading, writing = os.pipe()
    with os.fdopen(reading, encoding="utf-8") as source:
        with os.fdopen(writing, "wb") as typed:
            typed.write(stdin if isinstance(stdin, bytes) else stdin.encode())  # fits into a pipe's buffer
        variables = {"TAVUS_API_BASE_URL": NOWHERE} | environ
        status = run_command(list(arguments), Environment(source, out, err, variables))
    return Result(status, out.getvalue(), err.getvalue())


def commands() -> dict[str, Any]:
    """Every command of the tree by its words, "session start", as typer has made it."""
    from typer.main import get_command

    from tavus_cli.cli import app, load

    def below(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
        children = getattr(command, "commands", {})
        if not children:
            yield path, command
        for name, child in children.items():
            yield from below(child, f"{path} {name}".strip())

    load()
    return dict(below(get_command(app)))


def environ(**changes: str) -> dict[str, str]:
    """The environment of a child: ours, without variables that would affect the test."""
    left_out = (
        "NO_COLOR",
        "FORCE_COLOR",
        "CLICOLOR_FORCE",
        "TAVUS_CONVERSATION",
        "PYTHONUNBUFFERED",
        "COLUMNS",
    )
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    return kept | {"TZ": "UTC", "LC_ALL": "C.UTF-8"} | changes


def unmeasured(**changes: str) -> dict[str, str]:
    """The environment of a child without coverage, so that it writes and loads only what it must."""
    return {name: value for name, value in environ(**changes).items() if not name.startswith("COVERAGE_")}


def process(*arguments: str, stdin: str = "", **changes: str) -> Result:
    """``tavus-console ARGUMENTS`` as a separate process."""
    done = subprocess.run(
        [CONSOLE, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        env=environ(**changes),
    )
    return Result(done.returncode, done.stdout, done.stderr)
