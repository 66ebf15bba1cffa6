"""INT, TERM and HUP in a room whose client neither confirms leaving nor lets go: our limits end it.

States after "joined" use the fake client (tests/kits/fake_daily.py), in a separate process.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tavus_cli.resident import sockets as runtime
from tavus_cli.rooms.daily.room import LEAVE_SECONDS, RELEASE_SECONDS
from tests.kits.command_kit import faked
from tests.kits.fake_daily import Scenario
from tests.kits.program import CONSOLE, SECONDS, environ
from tests.kits.resident_kit import listed
from tests.kits.signals import MARK, NOT_ENDED, alive
from tests.kits.tavus_api import KEY, PAL, LocalApi, local_api

URL = "https://x.daily.co/c0ffee"
HELLO = {"event_type": "conversation.utterance", "seq": 1, "properties": {"role": "pal", "speech": "Hello"}}
LIMIT = LEAVE_SECONDS + RELEASE_SECONDS + 20.0  # two loaded cores; without our limits it never ends
NEW = ("join", "--new", "--pal", PAL)
COMMANDS = {
    "tail": ("tail", URL),
    "join": ("join", URL),
    "send": ("send", URL, "respond", "hi", "--wait", "reply", "--timeout", "50s"),
    "run": ("run", URL, "FOLDER/script"),
    "tools": ("tools", URL, "--tools", "FOLDER/tools.toml"),
    "join --new": NEW,
}
SIGNALS = {"INT": signal.SIGINT, "TERM": signal.SIGTERM, "HUP": signal.SIGHUP}


@dataclass
class Place:
    """``log``: a line for each call of the client, and one once it has joined."""

    folder: Path
    api: LocalApi
    mark: str

    @property
    def log(self) -> Path:
        return self.folder / "calls"

    @property
    def variables(self) -> dict[str, str]:
        scenario = Scenario(early=[HELLO], leave="never", release="never", log=str(self.log))
        return faked(scenario) | {
            "TAVUS_API_KEY": KEY,
            "TAVUS_API_BASE_URL": self.api.base_url,
            "XDG_STATE_HOME": str(self.folder / "state"),
            "TAVUS_CONSOLE_RUNTIME": str(self.folder / "run"),
            MARK: self.mark,
        }

    def start(self, words: tuple[str, ...]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [CONSOLE, *(one.replace("FOLDER", str(self.folder)) for one in words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environ(**self.variables),
        )

    def called(self, name: str) -> None:
        """Returns once the log has this line."""
        end = time.monotonic() + SECONDS
        while name not in self.lines():
            assert time.monotonic() < end, (name, self.lines())
            threading.Event().wait(0.02)

    def calls(self) -> list[str]:
        """Without "joined", which the client's thread may note after the program has gone on, and left."""
        return [name for name in self.lines() if name != "joined"]

    def lines(self) -> list[str]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [json.loads(line)[0] for line in lines]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    (tmp_path / "script").write_text("/wait 50s\n")
    (tmp_path / "tools.toml").write_text('[[tool]]\nname = "get_hours"\ncommand = ["true"]\n')
    with local_api(behind="") as api:
        yield Place(tmp_path, api, f"leaving-{tmp_path.name}-{os.getpid()}")


def _joined(place: Place, command: str) -> None:
    place.called("send_app_message" if command == "send" else "joined")


def _ended(child: subprocess.Popen[str], seconds: float) -> tuple[int, str, str]:
    """Raises TimeoutExpired if it is still running after the limit."""
    out, err = child.communicate(timeout=seconds)
    for text in (out, err):
        for stray in ("Traceback", "never awaited", "Exception ignored", "KeyboardInterrupt"):
            assert stray not in text, (out, err)
    return child.returncode, out, err


@pytest.mark.slow  # leave 3 s and release 3 s
@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_client_that_never_confirms_leaving(command: str, name: str, place: Place) -> None:
    child = place.start(COMMANDS[command])
    try:
        _joined(place, command)
        child.send_signal(SIGNALS[name])
        status, _, err = _ended(child, LIMIT)
    finally:
        child.kill()
    assert status == 128 + SIGNALS[name], err
    assert place.calls()[-2:] == ["leave", "release"], err
    assert alive(place.mark) == []
    if command == "join --new":
        assert place.api.active == []  # ended, though the client is stuck


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(one, marks=[] if one in ("tail", "join --new") else [pytest.mark.slow])
        for one in COMMANDS
    ],
)
def test_a_second_signal_while_leaving_ends_at_once(command: str, place: Place) -> None:
    go_on = threading.Event()
    place.api.before = lambda request: request.path.endswith("/end") and go_on.wait(SECONDS)
    child = place.start(COMMANDS[command])
    try:
        _joined(place, command)
        child.send_signal(signal.SIGINT)
        place.called("leave")
        child.send_signal(signal.SIGINT)
        status, _, err = _ended(child, LIMIT)
        active = len(place.api.active)
    finally:
        go_on.set()
        child.kill()
    assert status == 130, err
    assert "release" not in place.calls(), err  # it did not wait for a confirmation that never comes
    assert alive(place.mark) == []
    if command == "join --new":
        assert NOT_ENDED in err
        assert active == 1


def test_what_has_ended_is_not_named_by_a_second_signal(place: Place) -> None:
    """The client is still leaving, but Tavus has confirmed the end, so the conversation's note is gone."""
    notes = place.folder / "state" / "tavus-console" / "open"
    child = place.start(NEW)
    try:
        place.called("joined")
        assert list(notes.iterdir())
        child.send_signal(signal.SIGINT)
        end = time.monotonic() + SECONDS
        while list(notes.iterdir()):
            assert time.monotonic() < end
            threading.Event().wait(0.02)
        child.send_signal(signal.SIGINT)
        status, _, err = _ended(child, LIMIT)
    finally:
        child.kill()
    assert (status, place.api.active) == (130, [])
    assert "NOT ENDED" not in err


@pytest.mark.slow
@pytest.mark.skipif(not runtime.supported(), reason="no Unix sockets here")
@pytest.mark.parametrize("name", SIGNALS)
def test_the_server_of_a_session_ends_too(name: str, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAVUS_CONSOLE_RUNTIME", str(place.folder / "run"))
    # Its standard error may be ours for as long as it lives: the pipe is not waited for.
    done = place.start(("session", "start", URL, "--json"))
    assert done.wait(SECONDS) == 0
    assert done.stdout is not None
    pid = json.loads(done.stdout.readline())["pid"]
    os.kill(pid, SIGNALS[name])
    place.called("leave")
    end = time.monotonic() + LIMIT
    while Path(f"/proc/{pid}").exists() and not _zombie(pid):
        assert time.monotonic() < end, "the server lives on"
        threading.Event().wait(0.05)
    assert place.calls()[-2:] == ["leave", "release"]
    assert listed() == []
    done.kill()
    done.communicate(timeout=SECONDS)


def _zombie(pid: int) -> bool:
    """Whether it has ended without being waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
