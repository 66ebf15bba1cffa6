"""``tools``, and --tool in ``run``, ``join``, ``tail`` and ``session start``: programs that answer calls."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tavus_cli.errors import SendFailed, UsageError
from tavus_cli.protocol.entries import Entry, NoteEntry
from tavus_cli.protocol.interactions import interrupt, respond
from tavus_cli.session.session import Session
from tests.kits.program import CONSOLE, SECONDS, console, environ, process
from tests.kits.resident_kit import connected, listed
from tests.kits.room_kit import until
from tests.kits.tools_kit import pal
from tests.test_examples import FOLDER
from tests.tools.test_process import alive

EXAMPLES = FOLDER / "tools"
HOURS = f"get_hours={EXAMPLES / 'hours.sh'}"
SCRIPT = str(EXAMPLES / "hours.tavus")
MAX = "sim:?speed=max"


# -- run -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tool",
    [("--tool", HOURS), ("--tools", str(EXAMPLES / "tools.toml")), ("--tools", str(EXAMPLES / "mock.toml"))],
    ids=["command", "file", "mock"],
)
def test_a_script_without_tool_result_is_answered(tool: tuple[str, str]) -> None:
    result = console("run", MAX, SCRIPT, *tool)
    assert (result.status, result.err) == (0, "")
    assert "nine to five" in result.out


def test_a_script_through_a_real_server() -> None:
    command = ["python3", str(EXAMPLES / "server.py"), "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            result = console("run", MAX, SCRIPT, "--tool", f"get_*={url}")
        finally:
            server.kill()
    assert (result.status, result.err) == (0, "")
    assert '"hours":"nine to five"' in result.out


def test_reports_have_the_tool_calls(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    result = console("run", MAX, SCRIPT, "--tool", HOURS, "--json", "--junit", str(report))
    (call,) = json.loads(result.out)["tools"]
    assert (call["tool"], call["state"], call["result"]) == ("get_hours", "answered", "nine to five")
    assert 0 <= call["started_ms"] <= call["answered_ms"] <= call["spoken_ms"]
    (told,) = ElementTree.parse(report).getroot().iter("property")
    assert told.get("name") == f"tool get_hours {call['tool_call_id']}"
    assert (told.get("value") or "").startswith("answered, started after ")


def test_a_recording_has_what_became_of_a_call(tmp_path: Path) -> None:
    record = tmp_path / "talk.jsonl"
    assert console("run", MAX, SCRIPT, "--tool", HOURS, "--record", str(record)).status == 0
    lines = [json.loads(line) for line in record.read_text().splitlines()[1:]]
    notes = [one["message"] for one in lines if one["dir"] == "note"]
    assert any(
        note.startswith("tool get_hours call_") and " running: started after " in note for note in notes
    )
    assert any(" answered: " in note and "spoken after " in note for note in notes)
    assert "nine to five" in [
        one["message"]["properties"].get("output") for one in lines if one["dir"] == "out"
    ]


# -- mistakes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["tools", "sim"], "no tools: give --tool NAME=COMMAND"),
        (["tools", "sim", "--tool", "x"], "write NAME=COMMAND or NAME=URL"),
        (["tools", "sim", "--tools", "/no/such.toml"], "/no/such.toml: No such file or directory"),
        (["tools", "sim", "--tool", "x=y", "--rerun"], "--rerun needs a recording"),
        (["tools", "sim", "--tool", "x=y", "--tool-from", "me"], "--tool-from must be pal or any"),
        (
            ["tools", "sim", "--tool", "x=y", "--tool-reply", "shout"],
            "--tool-reply must be one of echo, append",
        ),
        (["tools", "sim", "--tool", "x=y", "--public-host", "a"], "--public-host goes with --listen"),
        (["tools", "sim", "--tool", "x=y", "--listen", "0"], "leave TARGET out"),
        (["tail", "sim", "--tool-log", "x"], "give --tool or --tools"),
        (["join", "sim", "--max-calls", "9"], "give --tool or --tools"),
        (["session", "start", "sim", "--tool", "x"], "write NAME=COMMAND or NAME=URL"),
    ],
)
def test_a_mistake_is_one_line_with_status_2(arguments: list[str], told: str) -> None:
    result = console(*arguments)
    assert result.status == 2
    assert told in result.err
    assert result.err.count("\n") == 1


def test_a_header_needs_its_variable(tmp_path: Path) -> None:
    file = tmp_path / "tools.toml"
    file.write_text('[[tool]]\nname = "x"\nurl = "http://127.0.0.1:9"\nheaders = { X-Key = "NO_SUCH_KEY" }\n')
    assert "NO_SUCH_KEY is not set" in console("tools", MAX, "--tools", str(file)).err
    result = console("tools", MAX, "--tools", str(file), NO_SUCH_KEY="a\nb")
    assert "NO_SUCH_KEY cannot be sent as a header" in result.err


# -- tools, tail, join ---------------------------------------------------------------------------------


def test_tools_prints_a_line_for_each_call(tmp_path: Path) -> None:
    target = pal(tmp_path, ("get_hours", {"day": "mon"}), ("other", {}), ("broken", "{"), every=5.0)
    result = console("tools", target, "--tool", "get_hours=echo nine", "--tool", "*=false")
    assert (result.status, result.err) == (0, "")
    first, second, third = result.lines
    assert first.startswith("get_hours call_")
    assert first.endswith(" ms: nine")
    assert " failed: exit status 1, started after " in second
    assert " failed: the arguments are not JSON: " in third


def test_tools_as_json_and_a_hostile_output_is_harmless(tmp_path: Path) -> None:
    target = pal(tmp_path, ("get_hours", {}))
    tool = "*=" + shlex.join(["printf", r"\033]0;title\007\n\302\233"])
    told = json.loads(console("tools", target, "--tool", tool, "--json").out)
    assert told["result"] == "\x1b]0;title\x07\n\x9b"
    out = console("tools", target, "--tool", tool).out
    assert "\x1b" not in out
    assert out.count("\n") == 1


def test_a_dry_run_answers_nothing(tmp_path: Path) -> None:
    result = console(
        "tools", pal(tmp_path, ("x", {"a": 1})), "--tool", f"x=touch {tmp_path}/ran", "--dry-run"
    )
    assert f'dry run: touch {tmp_path}/ran would run with {{"a":1}}' in result.out
    assert not (tmp_path / "ran").exists()


def test_a_recording_is_run_again_only_if_asked(tmp_path: Path) -> None:
    record, target = str(tmp_path / "talk.jsonl"), pal(tmp_path, ("get_hours", {"day": "mon"}))
    assert console("tail", target, "--record", record, "--tool", "*=echo then").status == 0
    before = Path(record).read_bytes()
    refused = console("tools", record, "--tool", "*=echo now")
    assert (refused.status, "--rerun runs them" in refused.err) == (2, True)
    again = console("tools", record, "--tool", "*=echo now", "--rerun")
    assert again.status == 0
    assert "unanswered: nothing is sent, started after " in again.out
    assert again.out.endswith(" ms: now\n")
    assert Path(record).read_bytes() == before


def test_tail_shows_what_becomes_of_a_call(tmp_path: Path) -> None:
    result = console("tail", pal(tmp_path, ("get_hours", {})), "--tool", "*=echo nine")
    assert "tool get_hours call_" in result.out
    assert "answers get_hours after" in result.out
    assert "spoken after" in result.out


def test_join_from_a_pipe_waits_for_the_words_and_retries() -> None:
    result = console("join", MAX, "--tool", HOURS, stdin="What are your hours?\n/retry call_9\n")
    assert "Here is what I found: nine to five." in result.out
    assert result.err == "tavus-console: no tool call call_9 is known here; /tools lists them\n"
    none = console("join", MAX, stdin="/retry call_9\n")
    assert none.err == "tavus-console: no tools run here: /retry needs --tool or --tools\n"


def test_any_sender_is_warned_of(tmp_path: Path) -> None:
    result = console("tools", pal(tmp_path, ("x", {})), "--tool", "x=true", "--tool-from", "any")
    assert "warning: --tool-from any: anybody in the room can run your tools" in result.err


# -- leaving -------------------------------------------------------------------------------------------


def wait_for(path: Path) -> str:
    """The text of a FIFO that a tool writes to; it opens when the tool runs."""
    return path.read_text()


@pytest.mark.parametrize(
    ("signals", "status"),
    [([signal.SIGINT], 130), ([signal.SIGTERM], 143), ([signal.SIGINT, signal.SIGINT], 130)],
    ids=["INT", "TERM", "INT twice"],
)
def test_a_signal_leaves_no_orphan(tmp_path: Path, signals: list[signal.Signals], status: int) -> None:
    fifo = tmp_path / "pids"
    os.mkfifo(fifo)
    tool = f"*=sh -c {shlex.quote(f'trap : TERM; sleep 600 & echo $$ $! > {fifo}; wait; sleep 600')}"
    file = tmp_path / "tools.toml"
    file.write_text(f"[[tool]]\nname='*'\ncommand={json.dumps(tool.removeprefix('*='))}\ntimeout='10m'\n")
    command = [CONSOLE, "tools", pal(tmp_path, ("x", {}), speed=""), "--tools", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ()) as child:
        pids = [int(word) for word in wait_for(fifo).split()]
        for number in signals:
            child.send_signal(number)
        assert child.wait(timeout=SECONDS) == status
        assert child.stderr is not None
        assert b"Traceback" not in child.stderr.read()
    end = time.monotonic() + SECONDS
    while any(map(alive, pids)) and time.monotonic() < end:  # killed, but not cleared away yet
        time.sleep(0.05)
    assert not any(map(alive, pids))


# -- resident sessions ---------------------------------------------------------------------------------


class Notes:
    """A sink that keeps the notes of the room and the session."""

    def __init__(self, notes: list[str]) -> None:
        self._notes = notes

    def entries(self, entries: list[Entry]) -> None:
        self._notes += [entry.text for entry in entries if isinstance(entry, NoteEntry)]

    async def drain(self) -> None:
        pass


@pytest.mark.usefixtures("sessions")
def test_the_session_answers_once_whoever_joins(tmp_path: Path) -> None:
    log = tmp_path / "ran"
    tool = f"get_hours=sh -c 'echo x >> {log}; echo nine to five'"
    started = process("session", "start", "sim:?speed=4", "--tool", tool)
    assert (started.status, started.err) == (0, "")
    session = started.out.strip()
    with subprocess.Popen(
        [CONSOLE, "tail", session, "--history", "20"], stdout=subprocess.PIPE, text=True, env=environ()
    ) as tail:
        assert tail.stdout is not None
        tail.stdout.readline()
        sent = process("send", session, "respond", "What are your hours?", "--wait", "utterance")
        assert sent.status == 0
        seen = ""
        for line in tail.stdout:
            seen += line
            if "Here is what I found: nine to five." in line:
                break
        tail.kill()  # a client that dies takes nothing with it
    assert "answers get_hours" in seen
    assert "tool get_hours call_" in seen
    assert log.read_text() == "x\n"
    for command in ("tail", "tools"):
        refused = console(command, session, "--tool", "x=true")
        assert refused.status == 2
        assert refused.err == (
            f"tavus-console: the session {session} runs tools already, for all that join it; for others stop "
            f"it (tavus-console session stop {session}) and give --tool to session start\n"
        )
    again = process("session", "start", "sim:?speed=4", "--tool", tool)
    assert (again.status, "--tool needs a new one" in again.err) == (2, True)


@pytest.mark.usefixtures("sessions")
def test_a_client_of_the_session_lists_its_calls_and_retries_one(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    tool = f"get_hours=sh -c 'test -e {flag} && echo nine to five'"
    started = process("session", "start", "sim:?speed=4", "--tool", tool)
    assert (started.status, started.err) == (0, "")
    session = started.out.strip()

    async def main() -> None:
        room = connected(session)
        assert room.tools
        client = Session(room)
        notes: list[str] = []
        client.sinks.append(Notes(notes))
        async with client:
            assert await room.rows() == []
            await client.send(respond("What are your hours?"))
            await until(lambda: any(" failed: exit status 1, " in note for note in notes))
            (row,) = await room.rows()
            assert (row.state, row.name, row.started is not None) == ("failed", "get_hours", True)
            with pytest.raises(UsageError, match="no tool call call_9 is known here; /tools lists them"):
                await room.retry("call_9")
            flag.touch()
            seen = len(notes)
            await room.retry(row.id)
            await until(lambda: any(f"{row.id} running" in note for note in notes[seen:]))
            async with asyncio.timeout(SECONDS):
                while (row := (await room.rows())[0]).state == "running":
                    pass
            assert row.state == "answered"
            with pytest.raises(UsageError, match=f"{row.id} was answered already"):
                await room.retry(row.id)
        with pytest.raises(SendFailed, match="not retried: the resident session is not joined"):
            await room.retry(row.id)

    asyncio.run(main())
    typed = process("join", session, stdin="/retry call_9\n")  # the same by what a person types
    assert typed.err == "tavus-console: no tool call call_9 is known here; /tools lists them\n"


@pytest.mark.usefixtures("sessions")
def test_a_session_without_tools_says_how_to_give_them() -> None:
    session = process("session", "start", "sim").out.strip()
    told = "no tools run here: /retry needs --tool or --tools of session start"
    typed = process("join", session, stdin="/retry call_9\n")
    assert typed.err == f"tavus-console: {told}\n"
    refused = console("tools", session, "--tool", "x=true")
    assert refused.status == 2
    assert "tools run in the process of the session sim" in refused.err
    assert "stop it (tavus-console session stop sim) and give --tool to session start" in refused.err

    async def main() -> None:
        room = connected(session)
        async with Session(room) as client:
            with pytest.raises(UsageError, match=told):
                await room.retry("call_9")
            with pytest.raises(UsageError, match=told):
                await room.rows()
            await client.send(interrupt())  # nothing else is disturbed

    asyncio.run(main())


@pytest.mark.usefixtures("sessions")
def test_stopping_the_session_and_killing_its_client_leave_no_orphan(tmp_path: Path) -> None:
    fifo = tmp_path / "pids"
    os.mkfifo(fifo)
    file = tmp_path / "tools.toml"
    command = ["sh", "-c", f"echo $$ > {fifo}; sleep 600"]
    file.write_text(f"[[tool]]\nname='*'\ncommand={json.dumps(command)}\ntimeout='10m'\n")
    started = process("session", "start", pal(tmp_path, ("x", {}), speed=""), "--tools", str(file))
    assert started.status == 0
    with subprocess.Popen([CONSOLE, "tail"], stdout=subprocess.PIPE, env=environ()) as client:
        asyncio.run(until(lambda: [one["clients"] for one in listed()] == [1]))
        pid = int(wait_for(fifo))
        client.kill()
    assert alive(pid)  # it is the session's
    assert process("session", "stop").status == 0
    assert not alive(pid)


# -- over HTTP -----------------------------------------------------------------------------------------


class Asked:
    """The outcome of a request."""

    def __init__(self, url: str, body: Any, headers: dict[str, str], method: str = "POST") -> None:
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(url, data, headers, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=SECONDS) as answer:
                self.status, self.text = answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                self.status, self.text = error.code, error.read().decode()


@contextlib.contextmanager
def listening(*options: str) -> Iterator[tuple[str, dict[str, str]]]:
    command = [CONSOLE, "tools", "--listen", "0", "--json", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ()) as child:
        assert child.stdout is not None
        told = json.loads(child.stdout.readline())
        headers = {"Authorization": f"Bearer {told['token']}", "Content-Type": "application/json"}
        try:
            yield told["url"], headers
        finally:
            child.send_signal(signal.SIGINT)
            assert child.wait(timeout=SECONDS) == 130
            assert child.stderr is not None
            assert b"Traceback" not in child.stderr.read()


def test_the_same_tools_over_http() -> None:
    with listening("--tools", str(EXAMPLES / "tools.toml"), "--public-host", "tools.example") as (url, ok):
        answer = Asked(f"{url}/get_hours", {"day": "sunday"}, ok)
        assert (answer.status, answer.text) == (200, "closed")
        call = {"name": "book_visit", "arguments": {"day": "mon"}, "tool_call_id": "call_1"}
        answer = Asked(f"{url}/", call, ok)
        assert (answer.status, json.loads(answer.text)) == (
            200,
            {"booked": "mon", "people": 1, "reference": "call_1"},
        )
        failed = Asked(f"{url}/book_visit", {}, ok)
        assert (failed.status, json.loads(failed.text)) == (500, {"error": "exit status 1: which day?"})
        assert Asked(f"{url}/get_hours", {}, ok | {"Host": "tools.example"}).status == 200

        assert Asked(f"{url}/get_hours", {}, ok | {"Authorization": "Bearer x"}).status == 401
        plain = {"Content-Type": "application/json"}
        assert Asked(f"{url}/get_hours", {}, plain).status == 401
        assert Asked(f"{url}/get_hours", {}, ok | {"Host": "evil.example"}).status == 403
        assert Asked(f"{url}/get_hours", {}, ok | {"Origin": "https://evil.example"}).status == 403
        assert Asked(f"{url}/get_hours", b"x" * 3_000_000, ok).status == 413
        assert Asked(f"{url}/get_hours", b"[1]", ok).status == 400
        assert Asked(f"{url}/get_hours", b"{", ok).status == 400
        assert Asked(f"{url}/get_hours", None, ok, "GET").status == 405
        assert Asked(f"{url}/..%2f..%2fetc", {}, ok).status == 404


def test_a_port_that_is_taken_is_one_line() -> None:
    with listening("--tool", "x=true") as (url, _):
        port = url.rpartition(":")[2]
        result = process("tools", "--tool", "x=true", "--listen", port)
        assert result.status == 1
        assert f"port {port} cannot be used: " in result.err
