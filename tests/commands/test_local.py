"""``local`` as people start it: a process, a shell's variables, the real Daily client, Ctrl-C."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.kits.program import CONSOLE, SECONDS, Result, console, environ, process

ANY = ("--port", "0")
URL = re.compile(r"http://127\.0\.0\.1:(\d+)")


@dataclass
class Started:
    """A command that runs until it is stopped; ``err`` is its standard error so far, ``out`` its standard
    output.
    """

    process: subprocess.Popen[str]
    port: int
    err: list[str] = field(default_factory=list)
    out: list[str] = field(default_factory=list)

    def until(self, lines: list[str], words: str, times: int = 1) -> str:
        """The first line with these words, once there are so many."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            found = [line for line in list(lines) if words in line]
            if len(found) >= times:
                return found[0]
            time.sleep(0.01)
        raise AssertionError(f"{words!r} is not in {lines}")

    def stop(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(SECONDS)


@contextlib.contextmanager
def started(*arguments: str, cwd: Path, **variables: str) -> Iterator[Started]:
    child = subprocess.Popen(
        [CONSOLE, *arguments], cwd=cwd, text=True, env=environ(**variables), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    running = Started(child, 0)
    assert child.stdout is not None
    assert child.stderr is not None
    threads = [
        threading.Thread(target=lambda: running.err.extend(iter(child.stderr.readline, "")), daemon=True),  # type: ignore[union-attr]
        threading.Thread(target=lambda: running.out.extend(iter(child.stdout.readline, "")), daemon=True),  # type: ignore[union-attr]
    ]
    for thread in threads:
        thread.start()
    try:
        match = URL.search(running.until(running.err, "until Ctrl-C"))
        assert match is not None
        running.port = int(match[1])
        yield running
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
        for thread in threads:
            thread.join(SECONDS)
        child.stdout.close()
        child.stderr.close()


@pytest.fixture
def runtime(tmp_path: Path) -> dict[str, str]:
    """An empty folder, and no variables that point to a server."""
    (tmp_path / "empty").mkdir()
    home = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data"), "TAVUS_API_BASE_URL": ""}
    return {**home, "TAVUS_CONSOLE_RUNTIME": str(tmp_path / "run"), "TAVUS_API_KEY": ""}


def led_to(port: int, runtime: dict[str, str]) -> dict[str, str]:
    """The variables that ``eval "$(tavus-console local --env)"`` sets."""
    told = process("local", "--env", "--port", str(port), **runtime)
    assert (told.status, told.err) == (0, "")
    words = shlex.split(told.out)
    assert words[::2] == ["export"] * 4
    return dict(word.split("=", 1) for word in words[1::2])


@pytest.mark.slow
def test_from_an_empty_folder_to_the_end(tmp_path: Path, runtime: dict[str, str]) -> None:
    """conversation create → join ID → respond → reply → end, webhooks arriving at a handler."""
    folder = tmp_path / "empty"
    with (
        started("local", "--port", "0", "--speed", "20", "--record", "kept", cwd=folder, **runtime) as local,
        started(
            "webhooks", "listen", "--port", "0", "--record", "hooks.jsonl", cwd=folder, **runtime
        ) as hook,
    ):
        leads = led_to(local.port, runtime)
        assert leads["TAVUS_API_KEY"] == "local"
        bundle = Path(leads["SSL_CERT_FILE"])
        assert "PRIVATE" not in bundle.read_text()
        assert bundle.read_text().count("BEGIN CERTIFICATE") >= 1
        variables = runtime | leads

        def run(*arguments: str, stdin: str = "") -> Result:
            return process(*arguments, stdin=stdin, **variables)

        callback = f"http://127.0.0.1:{hook.port}/"
        body = json.dumps({"properties": {"participant_left_timeout": 60}, "callback_url": callback})
        created = run("conversation", "create", "--pal", "p1", "--body", "-", "--json", stdin=body)
        assert created.status == 0, created
        name = json.loads(created.out)["conversation_id"]
        asked = run("send", name, "respond", "xyzzy plover", "--wait", "reply")
        assert asked.status == 0, asked
        assert "xyzzy plover" in asked.out
        shown = run("join", name, stdin="/respond frobozz\n/quit\n")
        assert "frobozz" in shown.out, shown
        assert run("conversation", "end", name).status == 0
        hook.until(hook.out, "application.transcription_ready")
        webhooks = [json.loads(line) for line in hook.out]
        assert [one["event_type"] for one in webhooks] == [
            "system.replica_joined",
            "system.pal_joined",
            "system.shutdown",
            "application.transcription_ready",
        ]
        assert "xyzzy plover" in str(webhooks[-1]["properties"]["transcript"])
        local.until(local.err, "webhook application.transcription_ready  200 in")
        replayed = run("replay", str(folder / "kept" / f"{name}.jsonl"))
        assert "xyzzy plover" in replayed.out
        # ``pull`` posts what happened to a handler without a tunnel, and ``resend`` posts the recording.
        pulled = run("webhooks", "pull", name, "--forward-to", callback)
        assert (pulled.status, len(pulled.lines)) == (0, 3)
        again = run("webhooks", "resend", str(folder / "hooks.jsonl"), "--only", "shutdown", "--to", callback)
        assert again.status == 0
        assert all(line.startswith("system.shutdown  200 in") for line in again.lines)
        assert (local.stop(), hook.stop()) == (130, 130)
    assert not bundle.exists()
    gone = process("local", "--env", "--port", str(local.port), **runtime)
    assert (gone.status, gone.out, gone.err.count("\n")) == (5, "", 1)


BOT = """
import os, sys, threading
import daily

class Bot(daily.EventHandler):
    def __init__(self):
        self.heard = threading.Event()
        super().__init__()
    def on_app_message(self, message, sender):
        self.heard.set()

daily.Daily.init()
bot = Bot()
client = daily.CallClient(event_handler=bot)
PROXY_LINE
client.join(sys.argv[1])
print("heard the PAL" if bot.heard.wait(20) else "nothing")
client.leave()
client.release()
"""


@pytest.mark.slow
def test_a_bot_joins_with_the_two_lines_of_the_manual(tmp_path: Path, runtime: dict[str, str]) -> None:
    manual = (Path(__file__).parents[2] / "docs" / "local.md").read_text("utf-8")
    block = manual.partition("```python\n")[2].partition("```")[0]
    lines = [line for line in block.splitlines() if line.strip()]
    assert len(lines) == 2
    bot = tmp_path / "bot.py"
    bot.write_text(BOT.replace("PROXY_LINE", "\n".join(lines)))
    with started("local", "--port", "0", "--speed", "20", cwd=tmp_path, **runtime) as local:
        variables = runtime | led_to(local.port, runtime)
        name = process("conversation", "create", "--pal", "p", "--query", "conversation_url", **variables)
        done = subprocess.run(
            [sys.executable, str(bot), name.out.strip()], env=environ(**variables),
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (0, "heard the PAL\n"), done.stderr


def test_nothing_runs_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAVUS_CONSOLE_RUNTIME", str(tmp_path / "run"))
    result = console("local", "--env", "--port", "1")
    assert (result.status, result.out) == (5, "")
    assert (
        result.err == "tavus-console: nothing runs on port 1: start tavus-console local, or give its --port\n"
    )


@pytest.mark.parametrize("left", ["", "{", "[]", "{}", '{"TAVUS_API_BASE_URL": 7}'])
def test_files_left_by_a_killed_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: str) -> None:
    monkeypatch.setenv("TAVUS_CONSOLE_RUNTIME", str(tmp_path / "run"))
    (tmp_path / "run").mkdir(mode=0o700)
    addresses = {
        "TAVUS_API_BASE_URL": "http://127.0.0.1:9",
        "TAVUS_DAILY_PROXY": "p",
        "TAVUS_API_KEY": "local",
    }
    (tmp_path / "run" / "local-1.json").write_text(left or json.dumps(addresses))
    assert console("local", "--env", "--port", "1").status == 5


def test_a_port_that_is_taken(tmp_path: Path, runtime: dict[str, str]) -> None:
    with started("local", "--port", "0", cwd=tmp_path, **runtime) as local:
        second = process("local", "--port", str(local.port), **runtime)
        assert (second.status, second.err.count("\n")) == (1, 1)
        assert f"port {local.port} is in use" in second.err
        assert local.stop(signal.SIGTERM) == 143


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--pal", "p1"], "--pal takes ID=FILE.toml"),
        (["--pal", "p1=nowhere.toml"], "nowhere.toml"),
        (["--pal", "*=?speed=fast"], "speed must be"),
        (["--speed", "never"], "speed must be"),
        (["--record", "/dev/null/x"], "/dev/null/x"),
        (["--port", "99999"], "port"),
    ],
)
def test_what_is_wrong_is_reported_at_once(arguments: list[str], words: str) -> None:
    result = console("local", *arguments)
    assert (result.status, result.out, result.err.count("\n")) == (2, "", 1)
    assert words in result.err


@pytest.mark.parametrize("command", ["local", "webhooks listen", "webhooks trigger x --to y"])
def test_without_the_extra_it_says_what_to_install(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tavus_cli.local.find_spec", lambda name: None)
    result = console(*command.split())
    assert (result.status, result.out) == (1, "")
    wanted = "this command needs aiohttp and trustme: pip install 'tavus-console[local]'"
    assert result.err == f"tavus-console: {wanted}\n"


def test_other_commands_do_not_need_the_extra() -> None:
    """Also the --help of all commands."""
    code = (
        "import sys; from tavus_cli.cli import load; load(); print({'aiohttp', 'trustme'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
