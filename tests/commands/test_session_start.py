"""``session start`` with each kind of TARGET: it asks the API as the other commands do."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tavus_cli.api.credentials import Tokens
from tavus_cli.cli import NO_THREAD
from tavus_cli.resident import sockets as runtime
from tests.kits import fake_daily
from tests.kits.program import CONSOLE, SECONDS, Result, console, environ, process
from tests.kits.tavus_api import KEY, PAL, TOKEN, LocalApi, Odd, local_api

pytestmark = pytest.mark.skipif(not runtime.supported(), reason="no Unix sockets here")
ID = "c000000000000001"


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalApi]:
    """What a test leaves running is stopped."""
    monkeypatch.setenv("TAVUS_CONSOLE_RUNTIME", str(tmp_path / "run"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    with local_api() as one:
        yield one
    console("session", "stop", "--all")


def start(api: LocalApi, *arguments: str, key: str = KEY, stdin: str = "", **environ: str) -> Result:
    variables = {"TAVUS_API_BASE_URL": api.base_url, "TAVUS_API_KEY": key} | environ
    result = process("session", "start", *arguments, stdin=stdin, **variables)
    assert KEY not in result.out + result.err
    assert TOKEN not in result.out + result.err
    return result


def test_an_id_is_found_by_the_api_and_then_shared(api: LocalApi) -> None:
    variables = {"TAVUS_API_BASE_URL": api.base_url, "TAVUS_API_KEY": KEY}
    name = api.add()
    assert start(api, name) == Result(0, "sim\n", "")
    assert start(api, name).err == "tavus-console: the session sim is already running\n"
    shared = process("send", name, "respond", "How much is it?", "--wait", "reply", **variables)
    assert shared.out.startswith("A ticket")
    stopped = process("session", "stop", "--end", **variables)
    assert stopped == Result(0, "", "tavus-console: sim is simulated: there is no conversation to end\n")
    assert api.active == [name]


def test_two_sessions_are_named_where_no_target_is_given(api: LocalApi) -> None:
    start(api, "sim")
    other = start(api, "sim:?seed=7").out.strip()
    for arguments in (["tail"], ["join"], ["send", "respond", "hi"]):
        given = process(*arguments)
        message = f"tavus-console: no TARGET, and 2 sessions are running: give one of sim, {other}\n"
        assert given == Result(2, "", message)
    assert process("session", "stop").err == (
        f"tavus-console: 2 sessions are running: give one of sim, {other}, or --all\n"
    )
    assert process("tail", other, "--for", "0.1s", "--format", "{type}").status == 0


def test_what_create_prints_is_a_target(api: LocalApi) -> None:
    created = console(
        "conversation", "create", "--pal", PAL, TAVUS_API_BASE_URL=api.base_url, TAVUS_API_KEY=KEY
    ).out
    assert start(api, "-", stdin=created) == Result(0, "sim\n", "")


def test_the_url_and_the_kept_token_are_used_and_shown_nowhere(api: LocalApi, tmp_path: Path) -> None:
    calls = tmp_path / "calls.jsonl"
    fake = fake_daily.environment(fake_daily.Scenario(log=str(calls)))
    name = api.add(conversation_url="https://elsewhere.daily.co/other-room")
    Tokens().keep(name, TOKEN)
    result = start(api, name, PYTHONPATH=fake["PYTHONPATH"], FAKE_DAILY=fake["FAKE_DAILY"])
    assert result == Result(0, f"{name}\n", "")
    assert TOKEN in calls.read_text()
    assert "elsewhere.daily.co/other-room" in calls.read_text()
    listed = console("session", "list", "--json").out
    assert [json.loads(line)["conversation_id"] for line in listed.splitlines()] == [name]
    shown = subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "tavus_cli.commands.session_server" in shown
    for place in (listed, shown):
        assert TOKEN not in place
        assert KEY not in place
    assert process("send", name, "interrupt").status == 0  # without the API: the session has its name
    assert len(api.requests) == 1
    variables = {"TAVUS_API_BASE_URL": api.base_url, "TAVUS_API_KEY": KEY}
    assert process("session", "stop", name, "--end", **variables) == Result(0, "", "")
    assert api.active == []
    assert Tokens().get(name) is None


def test_what_does_not_end_is_reported_and_keeps_no_other_from_ending(api: LocalApi, tmp_path: Path) -> None:
    fake = fake_daily.environment(fake_daily.Scenario())
    names = [api.add(conversation_url=f"https://x.daily.co/{number}") for number in range(3)]
    for name in names:
        start(api, name, PYTHONPATH=fake["PYTHONPATH"], FAKE_DAILY=fake["FAKE_DAILY"])
    api.odd.append(Odd(403, "{}"))
    api.odd.append(Odd(403, "{}"))
    variables = {"TAVUS_API_BASE_URL": api.base_url, "TAVUS_API_KEY": KEY}
    result = process("session", "stop", "--all", "--end", **variables)
    assert result.status == 4
    told = result.err.splitlines()
    for name, said, remedy in zip(names[:2], told[::2], told[1::2], strict=True):
        assert said.startswith(f"tavus-console: NOT ENDED: {name} may continue and be billed (")
        assert remedy == f"tavus-console: NOT ENDED: to end it: tavus-console conversation end {name}"
    assert api.active == names[:2]
    assert console("session", "list").out == ""


def test_an_id_that_is_unknown_or_over_starts_nothing(api: LocalApi) -> None:
    unknown = start(api, ID)
    assert (unknown.status, unknown.out) == (1, "")
    assert f"no conversation {ID} " in unknown.err
    assert json.loads(start(api, ID, "--json").err)["error"]["reason"] == "not_found"
    over = start(api, api.add(status="ended"))
    assert over == Result(6, "", f"tavus-console: the conversation {ID} has ended\n")
    assert not os.path.exists(os.environ["TAVUS_CONSOLE_RUNTIME"])


def test_without_a_key_an_id_is_the_rooms_name(api: LocalApi, tmp_path: Path) -> None:
    calls = tmp_path / "calls.jsonl"
    fake = fake_daily.environment(fake_daily.Scenario(log=str(calls)))
    result = start(api, ID, key="", PYTHONPATH=fake["PYTHONPATH"], FAKE_DAILY=fake["FAKE_DAILY"])
    assert result == Result(0, f"{ID}\n", "")
    assert f"https://tavus.daily.co/{ID}" in calls.read_text()
    assert api.requests == []


def test_no_target_says_what_to_give(api: LocalApi) -> None:
    assert "no TARGET: give" in start(api).err
    assert "standard input is empty" in start(api, "-").err


def test_a_system_without_free_processes(api: LocalApi, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **more: object) -> None:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "Popen", refuse)
        result = console("session", "start", "sim")
    why = os.strerror(errno.EAGAIN)
    assert result == Result(1, "", f"tavus-console: the session's process cannot be started: {why}\n")


@pytest.mark.parametrize("command", ["tail sim", "join sim", "conversation list"])
def test_a_system_without_free_threads(command: str, api: LocalApi, monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {"TAVUS_API_BASE_URL": api.base_url, "TAVUS_API_KEY": KEY}

    def refuse(thread: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        result = console(*command.split(), **variables)
    assert (result.status, result.err) == (1, f"tavus-console: {NO_THREAD}\n")


@pytest.mark.slow  # 4 s: it is asked to, then sent TERM
def test_one_that_still_joins_can_be_stopped(api: LocalApi) -> None:
    fake = fake_daily.environment(fake_daily.Scenario(join="never"))
    child = subprocess.Popen(
        [CONSOLE, "session", "start", "https://x.daily.co/r", "--join-timeout", "50s"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ(PYTHONPATH=fake["PYTHONPATH"], FAKE_DAILY=fake["FAKE_DAILY"]),
    )
    try:
        end = time.monotonic() + SECONDS
        while "joining" not in console("session", "list").out:
            assert time.monotonic() < end
        assert console("session", "stop").status == 0
        out, err = child.communicate(timeout=SECONDS)
    finally:
        child.kill()
    assert (child.returncode != 0, out, err.count("\n")) == (True, "", 1), err
    assert console("session", "list").out == ""
