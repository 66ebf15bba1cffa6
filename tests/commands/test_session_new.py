"""``session start --new``: a conversation created for a resident session, and what is said about its cost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tavus_cli.api.notes import left_behind
from tavus_cli.resident import sockets as runtime
from tests.kits.command_kit import faked
from tests.kits.fake_daily import Scenario
from tests.kits.program import CONSOLE, SECONDS, Result, console, environ, process
from tests.kits.resident_kit import listed
from tests.kits.tavus_api import KEY, PAL, LocalApi, Request, local_api

pytestmark = [
    pytest.mark.skipif(not runtime.supported(), reason="no Unix sockets here"),
    pytest.mark.usefixtures("sessions"),
]
ID = "c000000000000001"
ENDS_IT = f"tavus-console conversation end {ID}"


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalApi]:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with local_api(behind="") as one:
        yield one


def keys(api: LocalApi) -> dict[str, str]:
    return {"TAVUS_API_KEY": KEY, "TAVUS_API_BASE_URL": api.base_url}


def started(api: LocalApi, *options: str, scenario: Scenario | None = None) -> Result:
    arguments = ("session", "start", "--new", "--pal", PAL, *options)
    return process(*arguments, **keys(api), **faked(scenario or Scenario()))


def test_it_is_created_joined_reported_and_ended(api: LocalApi) -> None:
    result = started(api, "--max-minutes", "15", "--chat")
    assert (result.status, result.out) == (0, f"{ID}\n")
    assert f"{ID} is billed until it ends, for at most 15 min: {ENDS_IT}\n" in result.err
    assert result.err.count(ENDS_IT) == 1
    assert api.requests[0].body == {
        "persona_id": PAL,
        "chat": True,
        "properties": {"max_call_duration": 900},
    }
    (about,) = listed()
    assert (about["conversation_id"], about["billed"]["most"]) == (ID, 900)
    assert about["billed"]["minutes"] >= 0
    row = console("session", "list").lines[1]
    assert " of 15 " in row
    assert left_behind() == []  # the session looks after it
    assert console("session", "stop", "--end", **keys(api)) == Result(0, "", "")
    assert (api.active, listed(), left_behind()) == ([], [], [])


def test_the_next_start_names_what_a_session_left_running(api: LocalApi) -> None:
    started(api)
    (about,) = listed()
    os.kill(about["pid"], signal.SIGKILL)
    while runtime.is_held(about["id"]):
        threading.Event().wait(0.02)
    assert [one.conversation_id for one in left_behind()] == [ID]
    assert ENDS_IT in console("join", "sim:?speed=max", **keys(api)).err
    assert console("conversation", "end", ID, "--yes", **keys(api)).status == 0
    assert left_behind() == []


def test_a_conversation_that_ends_during_the_session_leaves_no_note(api: LocalApi) -> None:
    started(api)
    assert console("conversation", "end", ID, "--yes", **keys(api)).status == 0
    console("session", "stop", "--all")
    assert left_behind() == []


def test_a_conversation_that_is_over_leaves_no_note(api: LocalApi) -> None:
    started(api, scenario=Scenario(steps=[{"after": 0.0, "end": "MeetingMoved"}]))
    while listed():
        threading.Event().wait(0.05)
    assert left_behind() == []


@pytest.mark.parametrize("join", ['RoomInfoError(Unhandled("exp-token"))', "AnyError(Lookup(Gone))"])
def test_what_cannot_be_joined_is_ended(api: LocalApi, join: str) -> None:
    result = started(api, scenario=Scenario(join=join))
    assert result.status in (4, 5)
    assert f"{ID} has ended" in result.err or api.active == []
    assert (api.active, listed(), left_behind()) == ([], [], [])


@pytest.mark.parametrize(
    "options",
    [
        ("sim", "--new", "--pal", PAL),
        ("--new",),
        ("sim", "--pal", PAL),
        ("sim", "--max-minutes", "3"),
        ("--new", "--pal", PAL, "--tool", "nonsense"),
        ("--new", "--pal", PAL, "--otlp", "http://"),
        ("--new", "--pal", PAL, "--body", "/nowhere/x"),
    ],
)
def test_mistakes_cost_nothing(api: LocalApi, options: tuple[str, ...]) -> None:
    result = process("session", "start", *options, **keys(api))
    assert (result.status, result.err.count("\n"), api.requests) == (2, 1, []), result


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_it_joins_ends_the_conversation(
    api: LocalApi, number: signal.Signals, tmp_path: Path
) -> None:
    log = tmp_path / "calls"
    with subprocess.Popen(
        [CONSOLE, "session", "start", "--new", "--pal", PAL],
        stderr=subprocess.PIPE,
        text=True,
        env=environ(**keys(api), **faked(Scenario(join="never", log=str(log)))),
    ) as child:
        while not (log.exists() and '"join"' in log.read_text()):
            threading.Event().wait(0.02)
        child.send_signal(number)
        _, err = child.communicate(timeout=SECONDS)
    assert child.returncode == 128 + number
    assert f"{ID} has ended" in err or api.active == [], err
    assert api.active == []
    while runtime.is_held(ID):  # the session's process ends too
        threading.Event().wait(0.02)
    assert left_behind() == []


@pytest.mark.parametrize("second", [False, True])
def test_a_stop_interrupted_before_ending_names_the_conversation(api: LocalApi, second: bool) -> None:
    started(api)
    asked, go_on = threading.Event(), threading.Event()

    def hold(request: Request) -> None:
        if request.path.endswith("/end"):
            asked.set()
            go_on.wait(SECONDS)

    api.before = hold
    try:
        with subprocess.Popen(
            [CONSOLE, "session", "stop", "--end"],
            stderr=subprocess.PIPE,
            text=True,
            env=environ(**keys(api)),
        ) as child:
            assert asked.wait(SECONDS)
            child.send_signal(signal.SIGTERM)
            if second:
                child.send_signal(signal.SIGTERM)
            _, err = child.communicate(timeout=SECONDS)
    finally:
        go_on.set()
    assert child.returncode == 143
    assert f"NOT ENDED: to end it: {ENDS_IT}" in err
    assert "Traceback" not in err


def test_a_client_sees_what_is_billed(api: LocalApi) -> None:
    about = json.loads(started(api, "--max-minutes", "7", "--json").out)
    assert about["billed"]["most"] == 420
