"""How every command handles unusual standard input and files, and "-" in place of a file."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import wave
from pathlib import Path

import pytest

from tests.kits.program import CONSOLE, SAMPLES, SECONDS, console, environ, process

FROM_STDIN = [
    ("send", "sim:?speed=max", "respond", "-"),
    ("send", "sim:?speed=max", "context", "append", "-"),
    ("send", "sim:?speed=max", "-"),
    ("join", "sim:?speed=max"),
    ("run", "--check", "-"),
    ("conversation", "create", "--body", "-"),
    ("tail", "-"),
    ("auth", "login"),
    ("webhooks", "resend", "-", "--to", "http://127.0.0.1:9"),
    ("tools", "sim", "--tools", "-"),
]
FROM_FILES = [
    ("run", "--check", "FILE"),
    ("join", "sim:FILE"),
    ("tools", "sim", "--tools", "FILE"),
    ("conversation", "create", "--body", "FILE"),
    ("webhooks", "resend", "FILE", "--to", "http://127.0.0.1:9"),
]
ODD = {
    "UTF-16": "hello\n".encode("utf-16"),
    "UTF-16-LE": "hello\n".encode("utf-16-le"),
    "not UTF-8": b"gr\xfc\xdf dich\n",
    "NUL": b"hello\0\n",
    "gzip": b"\x1f\x8b\x08\0\0\0\0\0",
}


@pytest.mark.parametrize("what", ODD)
@pytest.mark.parametrize("arguments", FROM_STDIN[:-1], ids=" ".join)
def test_standard_input_that_is_not_utf_8_is_named(arguments: tuple[str, ...], what: str) -> None:
    result = console(*arguments, stdin=ODD[what])
    assert result.status == 2
    assert what in result.err
    assert "standard input" in result.err
    assert len(result.err.splitlines()) == 1 + result.err.count("another account")


@pytest.mark.parametrize("what", ODD)
@pytest.mark.parametrize("arguments", FROM_FILES, ids=" ".join)
def test_a_file_that_is_not_utf_8_is_named(arguments: tuple[str, ...], what: str, tmp_path: Path) -> None:
    file = tmp_path / "odd"
    file.write_bytes(ODD[what])
    result = console(*(one.replace("FILE", str(file)) for one in arguments))
    assert (result.status, len(result.err.splitlines())) == (2, 1)
    assert what in result.err
    assert str(file) in result.err


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_marks_and_ends_of_lines_are_not_sent(mark: bytes, end: bytes) -> None:
    typed = mark + end.join([b"/interrupt", b"How are you?", b"# a comment", b""])
    sent = console("send", "sim:?speed=max", "-", "--json", stdin=typed)
    messages = [json.loads(line)["sent"] for line in sent.lines]
    assert [one["event_type"] for one in messages] == ["conversation.interrupt", "conversation.respond"]
    assert messages[1]["properties"]["text"] == "How are you?"
    one = console(
        "send", "sim:?speed=max", "respond", "-", "--json", stdin=mark + b"two" + end + b"lines" + end
    )
    assert json.loads(one.out)["sent"]["properties"]["text"] == "two\nlines"
    assert console("run", "--check", "-", stdin=typed).status == 0


def test_a_strict_locale_changes_nothing() -> None:
    strict = {
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "LC_ALL": "C",
        "PYTHONIOENCODING": "ascii:strict",
    }
    for arguments in FROM_STDIN:
        done = subprocess.run(
            [CONSOLE, *arguments], input=b"gr\xfc\xdf", env=environ(**strict), capture_output=True,
            timeout=SECONDS, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr.count(b"\n")) == (2, 1), done.stderr
    done = subprocess.run(
        [CONSOLE, "send", "sim:?speed=max", "respond", "-", "--wait", "reply"],
        input="grüß dich".encode(), env=environ(**strict), capture_output=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert b"gr\\xfc\\xdf dich" in done.stdout


# -- "-" ---------------------------------------------------------------------------------------------------


def test_a_recording_to_standard_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments in (
        ("tail", "sim", "--count", "2"),
        ("join", "sim:?speed=max"),
        ("run", "sim:?speed=max", "-"),
    ):
        result = process(*arguments, "--record", "-", stdin="hello\n")
        assert result.status == 0, result.err
        records = [json.loads(line) for line in result.lines]
        assert records[0]["recording"] == 1
        assert len(records) > 2
    assert list(tmp_path.iterdir()) == []


def test_reports_to_standard_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = ("run", "sim:?speed=max", "-")
    assert process(*run, "--junit", "-", stdin="hello\n").out.startswith("<?xml")
    assert process(*run, "--report", "-", stdin="hello\n").out.lower().startswith("<!doctype html")
    assert process("report", str(SAMPLES), "--html", "-").out.lower().startswith("<!doctype html")
    assert json.loads(process("report", str(SAMPLES), "--otlp", "-").lines[0])["resourceSpans"]
    result = process(*run, "--junit", "-", "--record", "-", stdin="hello\n")
    assert (result.status, result.out) == (2, "")
    assert "--record and --junit cannot both write to standard output" in result.err
    assert list(tmp_path.iterdir()) == []


def test_a_log_of_tool_calls_to_standard_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    log = ("--tool", "*=echo yes", "--tool-log", "-")
    script = "book a visit on saturday\n/wait tool_call\n/wait utterance\n"
    result = process("run", "sim:?speed=max", "-", *log, stdin=script)
    assert result.status == 0, result.err
    assert [json.loads(line)["tool"] for line in result.lines] == ["book_visit"]
    for command in (("run", "sim:?speed=max", "-"), ("join", "sim"), ("tail", "sim")):
        both = console(*command, *log, "--record", "-")
        assert (both.status, "cannot both write to standard output" in both.err) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_a_sound_from_standard_input(tmp_path: Path) -> None:
    file = tmp_path / "a.wav"
    with wave.open(str(file), "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
        sound.writeframes(bytes(3_200))
    done = subprocess.run(
        [CONSOLE, "send", "sim", "echo", "--audio", "-", "--json"], input=file.read_bytes(), env=environ(),
        capture_output=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert json.loads(done.stdout)["sent"]["properties"]["done"] is True


def test_a_closed_pipe_for_the_recording_ends_it() -> None:
    command = f"{CONSOLE} tail sim --record - 2>/dev/null | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, env=environ(), timeout=SECONDS, check=False
    )
    assert done.stdout.splitlines()[-1] == b"141"


# -- a terminal --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [("send", "sim:?speed=max", "-"), ("send", "sim:?speed=max", "respond", "-"), ("join", "sim:?speed=max")],
    ids=" ".join,
)
def test_a_pasted_line_cut_by_the_terminal_is_refused(arguments: tuple[str, ...]) -> None:
    master, slave = pty.openpty()
    try:
        with subprocess.Popen(
            [CONSOLE, *arguments], stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ()
        ) as child:
            os.write(master, b"x" * 5_000 + b"\n\x04")
            out, err = child.communicate(timeout=SECONDS)
    finally:
        os.close(master)
        os.close(slave)
    assert child.returncode == 2
    assert b"x" * 100 not in out
    assert b"the terminal cuts lines" in err


# -- a reader that has gone --------------------------------------------------------------------------------


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize(
    "arguments",
    [
        "config show",
        "config path",
        "completion zsh",
        "--help",
        "",
        "tail --help",
        "doctor --json",
        "help scripts",
        "send sim:?speed=max respond hi --wait reply",
        "run sim:?speed=max - --junit -",
        "run sim:?speed=max - --report -",
        "report FILE",
        "report FILE --json",
        "report FILE --html -",
        "redact FILE",
        "replay FILE",
    ],
)
def test_a_closed_pipe_ends_with_141(arguments: str, *, buffered: bool) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [CONSOLE, *arguments.replace("FILE", str(SAMPLES)).split()],
            input=b"hello\n",
            stdout=writing,
            stderr=subprocess.PIPE,
            env=environ(TAVUS_API_BASE_URL="http://127.0.0.1:9", PYTHONUNBUFFERED="" if buffered else "1"),
            timeout=SECONDS,
            check=False,
        )
    finally:
        os.close(writing)
    assert done.returncode == 141
    assert b"Traceback" not in done.stderr


def test_what_a_thread_writes_after_the_reader_has_gone() -> None:
    code = """
import atexit, sys
from tavus_cli import cli
atexit.register(sys.stdout.write, "late")
cli.run_command = lambda *_: 141
cli.main()
"""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=writing, stderr=subprocess.PIPE, env=environ(), check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


# -- run --check ---------------------------------------------------------------------------------------------


def test_run_check_looks_at_each_script(tmp_path: Path) -> None:
    good, bad, worse = (tmp_path / name for name in ("good.txt", "bad.txt", "worse.txt"))
    good.write_text("hello\n")
    bad.write_text("/expct x\n")
    worse.write_text("/wait\n")
    assert console("run", "--check", str(good), str(good), str(good)).status == 0
    for scripts in ((bad, worse), (good, bad, worse), (worse, good, bad)):
        result = console("run", "--check", *map(str, scripts))
        assert (result.status, len(result.err.splitlines())) == (2, 2)
        assert f"{bad}:1:1: unknown command" in result.err
        assert f"{worse}:1:" in result.err
    missing = console("run", "--check", str(bad), str(tmp_path / "missing.txt"))
    assert missing.status == 2
    assert "unknown command" in missing.err
    assert "No such file" in missing.err
    assert console("run", "--check", "sim", str(good)).status == 0


# -- a piped join ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        "tell me a long story\n/interrupt\n/quit\n",
        "tell me a long story\n/interrupt\n",
        "hello\n/quit\n",
        'hello\n/raw {"message_type": "conversation", "event_type": "conversation.interrupt"}\n/quit\n',
        "hello\n/interrupt\nhello again\n/interrupt\n",
    ],
)
def test_an_interrupt_ends_the_wait_for_the_interrupted_reply(typed: str) -> None:
    result = console("join", "sim", stdin=typed)  # a reply that is waited for in vain fails after a minute
    assert (result.status, result.err) == (0, "")


@pytest.mark.parametrize("line", ['{"at": 1, ' + "x" * 5_000, "[1,2]" + "y" * 3_000, "z" * 121])
def test_a_damaged_line_is_quoted_in_part(line: str, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"recording":1,"conversation_id":"c","target":"sim","started":1.0}\n' + line + "\n")
    result = console("replay", str(file))
    quoted = result.err.rstrip("\n").rpartition(": ")[2]
    assert quoted.endswith("…")
    assert len(quoted) == 120 or line.startswith('{"at')


@pytest.mark.parametrize("name", ["token", "meeting_token", "jwt", "access_token"])
def test_a_token_under_another_name_is_pointed_out(name: str) -> None:
    result = console("tail", f"https://x.daily.co/room?{name}=SECRETSECRET")
    assert (result.status, f"its meeting token is named t, not {name} (" in result.err) == (2, True)
    assert "SECRET" not in result.err


@pytest.mark.parametrize("term", ["xterm", "dumb"])
@pytest.mark.parametrize("arguments", [("tail", "sim"), ("join", "sim")])
def test_ctrl_c_is_not_echoed_before_the_next_prompt(arguments: tuple[str, ...], term: str) -> None:
    master, slave = pty.openpty()
    try:
        with subprocess.Popen(
            [CONSOLE, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=slave,
            env=environ(TERM=term),
        ) as child:  # fmt: skip
            assert child.stdout is not None
            child.stdout.readline()
            child.send_signal(signal.SIGINT)
            child.communicate(timeout=SECONDS)
        said = os.read(master, 65_536)
    finally:
        os.close(master)
        os.close(slave)
    assert child.returncode == 130
    assert said.endswith(b"\r\n" if term == "dumb" else b"\r\x1b[K")
