"""A closed pipe: every command that prints ends with 141, without a message.

A disk that takes only a part of the output: every command reports it, and ends with 1.
"""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tavus_cli.cli import run_command
from tavus_cli.session.environment import Environment
from tests.kits.program import CONSOLE, SAMPLES, commands, console, unmeasured
from tests.kits.tavus_api import KEY, PAL, local_api

ID = "c000000000000001"
SIM = "sim:?speed=max"
PRINTING = {  # what makes it print; a command that is not here is given a file
    "doctor": "",
    "join": SIM,
    "tail": SIM,
    "replay": "FILE",
    "send": f"{SIM} respond hi --wait reply",
    "completion": "zsh",
    "run": f"{SIM} - --json",
    "tools": f"{SIM} --tool x=true",
    "report": "FILE",
    "redact": "FILE",
    "help": "scripts",
    "conversation create": f"--pal {PAL}",
    "conversation list": "",
    "conversation get": ID,
    "conversation end": ID,
    "auth status": "",
    "webhooks trigger": "system.shutdown --to URL",
    "webhooks resend": "FILE --to URL --only system.shutdown",
    "webhooks pull": f"{ID} --forward-to URL",
    "config path": "",
    "config show": "",
}
SILENT = {
    "local": "serves until it is stopped",
    "webhooks listen": "serves until it is stopped",
    "auth login": "says so on standard error",
    "auth logout": "says so on standard error",
    "config edit": "starts an editor",
    "session start": "starts a process (tests/commands/test_session_start.py)",
    "session list": "prints nothing where none runs",
    "session stop": "says so on standard error",
}


@pytest.fixture
def variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    for name in ("HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    with local_api() as api:
        api.add()
        yield {"TAVUS_API_BASE_URL": api.base_url, "TAVUS_API_KEY": KEY}


def ended(arguments: list[str], variables: dict[str, str]) -> tuple[int, str]:
    """The exit status of the process, and its standard error."""
    reading, writing = os.pipe()
    os.close(reading)
    said = io.StringIO()
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        stdout = os.fdopen(writing, "w", encoding="utf-8")
        around = Environment(io.StringIO("hello\n"), stdout, said, variables)
        status = run_command(arguments, around)
        if isinstance(around.flush(), BrokenPipeError):
            status = 141
        os.dup2(nowhere.fileno(), stdout.fileno())
        stdout.close()
    return status, said.getvalue()


@pytest.mark.parametrize("name", sorted({*commands()} - {*SILENT}))
def test_a_closed_pipe(name: str, variables: dict[str, str]) -> None:
    line = f"{name} {PRINTING.get(name, 'FILE')}".replace("FILE", str(SAMPLES))
    words = [one.replace("URL", variables["TAVUS_API_BASE_URL"]) for one in line.split()]
    status, said = ended(words, variables)
    assert status == 141 or (status == 2 and name not in PRINTING), said
    assert "Traceback" not in said
    assert "roken pipe" not in said


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("name", ["redact FILE", "help scripts"])
def test_a_disk_that_takes_only_a_part(name: str, unbuffered: str, tmp_path: Path) -> None:
    """Python's own unbuffered standard output, as containers have it, would lose the rest without a word."""
    words = name.replace("FILE", str(SAMPLES)).split()
    limited = ["sh", "-c", 'ulimit -f 1; exec "$@"', "sh", CONSOLE, *words]
    variables = unmeasured(PYTHONUNBUFFERED=unbuffered, PYTHONDONTWRITEBYTECODE="1", HOME=str(tmp_path))
    with (tmp_path / "out").open("wb") as out:
        done = subprocess.run(
            limited, stdout=out, stderr=subprocess.PIPE, text=True, env=variables, timeout=60, check=False
        )
    assert (done.returncode, done.stderr) == (1, "tavus-console: standard output: File too large\n")


def test_a_log_of_tool_calls_that_cannot_be_written(tmp_path: Path) -> None:
    script = tmp_path / "s.tavus"
    script.write_text("/respond When are you open?\n/expect utterance text~found within 20s\n")
    options = ["--tool", "get_hours=echo 9", "--tool-log", "/dev/full"]
    result = console("run", SIM, str(script), *options)
    assert result.status == 1
    assert "/dev/full: No space left on device; the log of tool calls ends here" in result.err


class NoMemory(io.StringIO):
    def write(self, text: str, /) -> int:
        raise MemoryError


@pytest.mark.parametrize(("line", "words"), [("config show", "out of memory"), (f"tail {SIM}", "memory")])
def test_memory_that_runs_out(line: str, words: str) -> None:
    """One line, and nobody waits for the thread that writes."""
    said = io.StringIO()
    assert run_command(line.split(), Environment(io.StringIO(), NoMemory(), said, {})) == 1
    assert said.getvalue().startswith("tavus-console: ")
    assert words in said.getvalue()
