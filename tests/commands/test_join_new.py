"""The whole life of a conversation: create, join, converse, end; and no secret is shown or written."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import threading
import traceback
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tavus_cli.api.client import TavusApi
from tavus_cli.api.ending import Ending, ended_after
from tavus_cli.api.notes import Note
from tavus_cli.errors import ConsoleError
from tavus_cli.session.environment import Environment
from tests.kits import fake_daily
from tests.kits.program import CONSOLE, SECONDS, Result, console, environ
from tests.kits.tavus_api import KEY, PAL, TOKEN, LocalApi, Odd, Request, local_api
from tests.kits.tmux import Pane, needs_tmux, pane

FAST = "sim:?speed=max"
ID = "c000000000000001"
ENDS_IT = f"tavus-console conversation end {ID}"


@pytest.fixture
def api() -> Iterator[LocalApi]:
    with local_api() as one:
        yield one


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")


def joined_new(api: LocalApi, *options: str, stdin: str = "", behind: str = FAST) -> Result:
    """``join --new`` from a pipe."""
    api.behind = behind
    variables = {"TAVUS_API_KEY": KEY, "TAVUS_API_BASE_URL": api.base_url}
    return console("join", "--new", "--pal", PAL, *options, stdin=stdin, **variables)


def ends(api: LocalApi) -> list[str]:
    return [one.path for one in api.requests if one.path.endswith("/end")]


# -- from a pipe ---------------------------------------------------------------------------------------


def test_create_converse_and_end(api: LocalApi) -> None:
    result = joined_new(api, "--chat", "--end-on-exit", stdin="How much is it?\n")
    assert (result.status, result.err.count("\n")) == (0, 1)
    assert f"{ID} is billed until it ends: {ENDS_IT}\n" in result.err
    assert "twelve euros" in result.out
    assert api.requests[0].body == {"persona_id": PAL, "chat": True}
    assert api.active == []


def test_the_end_is_a_command(api: LocalApi) -> None:
    assert joined_new(api, stdin="hello\n/end\nnever\n").status == 0
    assert api.active == []


def test_leaving_on_purpose_names_what_continues(api: LocalApi) -> None:
    result = joined_new(api)
    assert result.status == 0
    assert f"{ID} may continue and be billed; to end it: {ENDS_IT}" in result.err
    assert (api.active, ends(api)) == ([ID], [])


@pytest.mark.parametrize(
    ("behind", "status"),
    [(f"{FAST}&leave=1", 6), ("sim:?sped=1", 2), ("https://x.example.com/r", 2), ("", 5)],
)
def test_a_conversation_that_cannot_be_joined_is_ended(api: LocalApi, behind: str, status: int) -> None:
    if not behind:
        api.add(conversation_url=None)
        answer = {"conversation_id": ID, "conversation_url": None, "status": "active"}
        api.odd.append(Odd(200, json.dumps(answer)))
    result = joined_new(api, behind=behind, stdin="hello\nhello\n")
    assert result.status == status
    assert api.active == []


@pytest.mark.parametrize("odd", [Odd(500, "no"), Odd(403, "{}")])
def test_a_failed_end_is_reported(api: LocalApi, odd: Odd) -> None:
    def fail(request: Request) -> None:
        if request.path.endswith("/end"):
            odd.headers = {"Retry-After": "99"}  # no waiting in between
            api.odd.append(odd)

    api.before = fail
    result = joined_new(api, "--end-on-exit")
    assert result.status == 1
    assert f"NOT ENDED: {ID} may continue and be billed" in result.err
    assert f"NOT ENDED: to end it: {ENDS_IT}" in result.err


def test_a_test_mode_conversation_is_not_joined(api: LocalApi, tmp_path: Path) -> None:
    (tmp_path / "body.json").write_text('{"test_mode": true}')
    result = joined_new(api, "--body", str(tmp_path / "body.json"))
    assert result.status == 6
    assert "test mode" in result.err


WRONG = {
    "a target": ["join", "sim", "--new", "--pal", PAL],
    "nobody": ["join", "--new"],
    "no --new": ["join", "sim", "--pal", PAL],
    "nothing to end": ["join", "sim", "--end-on-exit"],
    "no such body": ["join", "--new", "--body", "/nowhere/x"],
}


@pytest.mark.parametrize("name", WRONG)
def test_mistakes_cost_nothing(api: LocalApi, name: str) -> None:
    result = console(*WRONG[name], TAVUS_API_KEY=KEY, TAVUS_API_BASE_URL=api.base_url)
    assert (result.status, result.err.count("\n"), api.requests) == (2, 1, [])


def test_the_target_of_the_environment_is_not_a_contradiction(
    api: LocalApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAVUS_CONVERSATION", "sim")
    api.behind = FAST
    variables = {"TAVUS_API_KEY": KEY, "TAVUS_API_BASE_URL": api.base_url, "TAVUS_CONVERSATION": "sim"}
    assert console("join", "--new", "--pal", PAL, **variables).status == 0
    assert api.active == [ID]


def test_end_on_exit_ends_an_existing_conversation(api: LocalApi) -> None:
    variables = {"TAVUS_API_KEY": KEY, "TAVUS_API_BASE_URL": api.base_url}
    api.behind = FAST
    names = [api.add(), api.add(), api.add()]
    assert console("join", names[0], **variables).status == 0
    assert api.active == names
    assert console("join", names[0], "--end-on-exit", **variables).status == 0
    assert console("join", names[1], stdin="/end\n", **variables).status == 0
    assert api.active == names[2:]


def test_a_missing_key_for_ending_is_reported_before_joining(api: LocalApi) -> None:
    assert console("join", ID, "--end-on-exit").status == 4
    refused = console("join", FAST, stdin="/end\nhello\n")
    assert "the conversation id is not known" in refused.err
    assert "respond hello" in refused.out


# -- a crash and signals -------------------------------------------------------------------------------


@pytest.mark.parametrize("new", [True, False])
def test_a_crash_ends_the_conversation(api: LocalApi, new: bool) -> None:
    name = api.add()
    note = Note(60) if new else None
    ending = Ending(name, lambda timeout: TavusApi(KEY, api.base_url, timeout=timeout), new=note)

    async def crash() -> int:
        raise RuntimeError("the view")

    with pytest.raises(RuntimeError, match="the view") as caught:
        asyncio.run(ended_after(crash(), ending, Environment()))
    assert api.active == ([] if new else [name])
    assert KEY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("when", ["while it is made", "in the room"])
def test_a_signal_ends_the_conversation(api: LocalApi, number: signal.Signals, when: str) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def hold(request: Request) -> None:
        if request.path == "/v2/conversations":
            asked.set()
            assert go_on.wait(SECONDS)

    api.before = hold
    with subprocess.Popen(
        [CONSOLE, "join", "--new", "--pal", PAL],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ(TAVUS_API_KEY=KEY, TAVUS_API_BASE_URL=api.base_url),
    ) as child:
        assert child.stdout is not None
        assert asked.wait(SECONDS)
        if when == "in the room":
            go_on.set()
            child.stdout.readline()
        child.send_signal(number)
        go_on.set()
        _, err = child.communicate(timeout=SECONDS)
    assert child.returncode == 128 + number
    assert (list(api.conversations), api.active) == ([ID], [])
    assert "Traceback" not in err


def test_a_closed_pipe_ends_the_conversation(api: LocalApi) -> None:
    with subprocess.Popen(
        [CONSOLE, "join", "--new", "--pal", PAL],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ(TAVUS_API_KEY=KEY, TAVUS_API_BASE_URL=api.base_url),
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        child.stdout.close()
        assert child.wait(timeout=SECONDS) == 141
    assert api.active == []


# -- in a terminal -------------------------------------------------------------------------------------


def terminal(api: LocalApi, folder: Path, *command: str) -> AbstractContextManager[Pane]:
    return pane(
        folder,
        *command,
        columns=120,
        PATH=f"{Path(CONSOLE).parent}{os.pathsep}{os.environ['PATH']}",
        TAVUS_API_KEY=KEY,
        TAVUS_API_BASE_URL=api.base_url,
        TAVUS_CONSOLE_HISTORY=str(folder / "history"),
    )


@needs_tmux
def test_create_join_respond_reply_end(api: LocalApi, tmp_path: Path) -> None:
    api.behind = "sim:?speed=20"
    with terminal(api, tmp_path, "sh") as shown:
        shown.type(f"cd {tmp_path} && tavus-console conversation create --pal {PAL} --private")
        shown.keys("Enter")
        shown.shows(f"{ID} is billed until it ends: {ENDS_IT}")
        shown.type(f"tavus-console join {ID}")
        shown.keys("Enter")
        shown.shows("PAL present")
        shown.type("How much is it?")
        shown.keys("Enter")
        shown.shows("twelve euros")
        shown.keys("C-d")
        shown.until(lambda: "PAL present" not in shown.screen, "the shell")
        assert api.active == [ID]
        shown.type(f"tavus-console conversation end {ID} --yes")
        shown.keys("Enter")
        shown.shows(f"{ID} has ended")
        assert TOKEN not in shown.all
    assert api.active == []


def leave(shown: Pane, way: str) -> None:
    pid = int(shown.tmux("display-message", "-p", "#{pane_pid}").strip())
    match way:
        case "/end":
            shown.type("/end")
            shown.keys("Enter")
        case "Ctrl-D":
            shown.keys("C-d")
        case "the window closed":
            shown.tmux("kill-pane")
        case _:
            os.kill(pid, signal.Signals[f"SIG{way}"])


@needs_tmux
@pytest.mark.parametrize("way", ["/end", "Ctrl-D", "TERM", "HUP", "INT", "the window closed"])
def test_it_is_ended_by(api: LocalApi, tmp_path: Path, way: str) -> None:
    options = ["--end-on-exit"] if way == "Ctrl-D" else []
    with terminal(api, tmp_path, CONSOLE, "join", "--new", "--pal", PAL, *options) as shown:
        shown.shows("PAL present")
        assert api.active == [ID]
        leave(shown, way)
        shown.until(lambda: not api.active, "the end of the conversation")
        if way != "the window closed":
            shown.ends()
            assert f"{ID} has ended" in shown.all
    assert ends(api) == [f"/v2/conversations/{ID}/end"]


@needs_tmux
def test_it_is_ended_once_its_room_is_over_while_the_console_stays(api: LocalApi, tmp_path: Path) -> None:
    """Nobody may be at the terminal to leave, and it is billed until then."""
    api.behind = "sim:?leave=1&speed=20"
    with terminal(api, tmp_path, CONSOLE, "join", "--new", "--pal", PAL) as shown:
        shown.shows("Enter or Ctrl-D leaves")
        assert api.active == []
        assert f"{ID} has ended" in shown.all
        shown.keys("Enter")
        assert shown.ends() == 6
        assert "may continue" not in shown.all
    assert ends(api) == [f"/v2/conversations/{ID}/end"]


# -- secrets -------------------------------------------------------------------------------------------


@needs_tmux
def test_no_secret_is_left_anywhere(api: LocalApi, tmp_path: Path) -> None:
    """Neither key nor token is on the screen, in our files, or in the title or name of a process."""
    api.behind = ""  # a Daily URL, so that the token is really used
    calls = tmp_path / "calls.jsonl"
    fake = fake_daily.environment(fake_daily.Scenario(log=str(calls)))
    record = tmp_path / "talk.jsonl"
    command = f"{CONSOLE} join --new --pal {PAL} --private --record {record}"
    with pane(
        tmp_path,
        "sh",
        "-c",
        f"{command}; {CONSOLE} conversation list --status active; echo done=$?",
        columns=120,
        TAVUS_API_KEY=KEY,
        TAVUS_API_BASE_URL=api.base_url,
        TAVUS_CONSOLE_HISTORY=str(tmp_path / "history"),
        PYTHONPATH=fake["PYTHONPATH"],
        FAKE_DAILY=fake["FAKE_DAILY"],
    ) as shown:
        shown.shows("PAL present")
        shown.type("hello")
        shown.keys("Enter")
        shown.shows("respond hello")
        titles = _titles(tmp_path)
        shown.type("/end")
        shown.keys("Enter")
        shown.shows("done=0")
        text = shown.all
    assert TOKEN in calls.read_text()  # it was used
    calls.unlink()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {record, tmp_path / "history"} <= set(files)
    assert any("join" in title for title in titles)
    for place in (text, *titles, *(path.read_text("utf-8", "replace") for path in files)):
        assert KEY not in place
        assert TOKEN not in place


def _titles(folder: Path) -> list[str]:
    """What ``ps`` shows of all processes that write into this folder."""
    shown = subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in shown.splitlines() if str(folder) in line]


@pytest.mark.parametrize(
    "odd", [Odd(401, KEY), Odd(500, f"{KEY} {TOKEN}"), Odd(400, json.dumps({"error": KEY}))]
)
@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_no_secret_is_in_an_error(api: LocalApi, odd: Odd, as_json: list[str]) -> None:
    odd.headers = {"Retry-After": "99"}
    api.odd.append(odd)
    result = joined_new(api, *as_json)
    assert result.status in (1, 4, 5)
    assert KEY not in result.err + result.out
    assert re.search(r"Tavus|API key", result.err)


def test_a_key_is_in_no_repr(api: LocalApi) -> None:
    with TavusApi(KEY, api.base_url) as one:
        assert KEY not in repr(one)
    with pytest.raises(ConsoleError) as caught:
        TavusApi(f"{KEY}\n", api.base_url)
    assert KEY not in str(caught.value)
