"""The environment of a command: streams, colours, with or without a terminal."""

from __future__ import annotations

import errno
import io
import os
import re
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given

from tavus_cli.session.environment import Environment, is_tty, local_time
from tavus_cli.views.theme import DARK, PLAIN, ColorChoice
from tests.kits.conversations import HOSTILE_TEXTS, assert_harmless, some, texts
from tests.kits.program import CONSOLE, SAMPLES, SECONDS, environ, unmeasured


class Stream(io.StringIO):
    """A stream that may be a terminal, and fails on request."""

    def __init__(self, tty: bool = False, fails: Exception | None = None) -> None:
        super().__init__()
        self._tty = tty
        self._fails = fails

    def isatty(self) -> bool:
        return self._tty

    def write(self, text: str) -> int:
        if self._fails is not None:
            raise self._fails
        return super().write(text)

    def flush(self) -> None:
        if self._fails is not None:
            raise self._fails


def around(stdin: bool = False, stdout: bool = False, stderr: bool = False, **more: Any) -> Environment:
    """An environment in which each stream may be a terminal."""
    return Environment(Stream(stdin), Stream(stdout), Stream(stderr), more.pop("environ", {}), **more)


def told(environment: Environment) -> str:
    assert isinstance(environment.stderr, io.StringIO)
    assert isinstance(environment.stdout, io.StringIO)
    assert environment.stdout.getvalue() == ""
    return environment.stderr.getvalue()


# -- terminal or none -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "environ", "tty", "color"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"TERM": "dumb"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_colours(choice: ColorChoice, environ: dict[str, str], tty: bool, color: bool) -> None:
    assert around(stdout=tty, environ=environ, color=choice).theme is (DARK if color else PLAIN)


def test_colours_go_by_standard_output_only() -> None:
    assert around(stdin=True, stderr=True).theme is PLAIN


@pytest.mark.parametrize(
    ("stdin", "stdout", "term", "interactive"),
    [
        (True, True, "xterm-256color", True),
        (True, True, None, True),
        (True, True, "dumb", False),
        (False, True, "xterm", False),
        (True, False, "xterm", False),
        (False, False, "xterm", False),
    ],
)
def test_interactive(stdin: bool, stdout: bool, term: str | None, interactive: bool) -> None:
    environ = {} if term is None else {"TERM": term}
    assert around(stdin, stdout, environ=environ).interactive is interactive


def test_eighty_columns_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert around().columns == 80
    assert around(stdout=True).columns == 200


def test_what_is_not_a_terminal() -> None:
    closed = io.TextIOWrapper(io.BytesIO())
    closed.close()
    nothing: Any = None
    assert [is_tty(one) for one in (Stream(True), Stream(), io.StringIO(), closed, nothing)] == [
        True,
        False,
        False,
        False,
        False,
    ]


def test_a_closed_terminal_is_not_interactive() -> None:
    stream = io.TextIOWrapper(io.BytesIO())
    stream.close()
    environment = Environment(stream, stream, stream, {})
    assert not environment.interactive
    assert environment.columns == 80
    environment.warn("nobody hears it")
    environment.say("nor this")
    assert environment.flush() is None


# -- talking ----------------------------------------------------------------------------------------------


def test_progress_is_shown_only_on_a_terminal() -> None:
    environment = around(stderr=True)
    environment.say("joining …")
    assert told(environment) == "joining …\n"
    environment = around(stdin=True, stderr=False)
    environment.say("joining …")
    assert told(environment) == ""


@pytest.mark.parametrize("tty", [True, False])
def test_warnings_are_always_shown(tty: bool) -> None:
    environment = around(stderr=tty)
    environment.warn("mind the gap")
    environment.complain('{"error":1}')
    assert told(environment) == 'tavus-console: mind the gap\n{"error":1}\n'


@pytest.mark.parametrize("name", HOSTILE_TEXTS)
def test_a_warning_is_one_harmless_line(name: str) -> None:
    environment = around()
    environment.warn(HOSTILE_TEXTS[name])
    text = told(environment)
    assert text.endswith("\n")
    assert_harmless([text[:-1]])


@some
@given(texts())
def test_any_warning_is_one_harmless_line(text: str) -> None:
    environment = around()
    environment.warn(text)
    assert_harmless([told(environment)[:-1]])


@pytest.mark.parametrize(
    "fails",
    [
        BrokenPipeError(errno.EPIPE, "x"),
        OSError(errno.ENOSPC, "x"),
        OSError(errno.EIO, "x"),
        ValueError("closed"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_output_that_nobody_reads_does_not_matter(fails: Exception) -> None:
    environment = Environment(Stream(), Stream(), Stream(True, fails), {})
    environment.say("x")
    environment.warn("x")
    environment.complain("x")
    assert environment.flush() is None


def test_characters_that_cannot_be_encoded_are_harmless() -> None:
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="ascii") for _ in range(2))
    environment = Environment(Stream(), out, err, {})
    print("\ud83d é 時", file=environment.stdout, flush=True)
    environment.complain("\ud83d é")
    assert isinstance(out.buffer, io.BytesIO)
    assert isinstance(err.buffer, io.BytesIO)
    assert out.buffer.getvalue() == b"\\ud83d \\xe9 \\u6642\n"
    assert err.buffer.getvalue() == b"\\ud83d \\xe9\n"


# -- flushing ---------------------------------------------------------------------------------------------


def test_flush_writes_what_is_there() -> None:
    raw = io.BytesIO()
    environment = Environment(Stream(), io.TextIOWrapper(raw), Stream(), {})
    environment.stdout.write("data")
    assert raw.getvalue() == b""
    assert environment.flush() is None
    assert raw.getvalue() == b"data"


def test_after_a_flush_to_a_closed_pipe_output_is_discarded() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stdout:
        environment = Environment(Stream(), stdout, Stream(), {})
        stdout.write("data")
        os.close(reading)
        before = len(os.listdir("/dev/fd")) if os.path.isdir("/dev/fd") else 0
        assert isinstance(environment.flush(), OSError)
        assert before in (0, len(os.listdir("/dev/fd"))), "no descriptor is left open"
        stdout.write("more")  # else the interpreter complains at its end
        stdout.flush()


def test_flush_does_not_wait_for_a_stuck_thread() -> None:
    environment = Environment(Stream(), Stream(fails=AssertionError()), Stream(), {})
    environment.exit_hard = True
    assert environment.flush() is None


# -- streams that were closed before the program began ----------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="a POSIX shell closes them")
@pytest.mark.parametrize(
    ("command", "closed", "status", "shown"),
    [
        ("replay FILE", ">&-", 0, False),
        ("replay FILE", "2>&-", 0, True),
        ("tail nonsense", "2>&-", 2, False),
        ("tail nonsense", ">&- 2>&- <&-", 2, False),
        ("--version", ">&-", 0, False),
        ("--help", ">&-", 0, False),
        ("join 'sim:?speed=max'", "<&-", 0, True),
        ("send 'sim:?speed=max' respond hello --wait reply", ">&- <&-", 0, False),
    ],
)
def test_closed_streams(command: str, closed: str, status: int, shown: bool) -> None:
    line = f"'{CONSOLE}' {command.replace('FILE', str(SAMPLES))} {closed}"
    done = subprocess.run(
        ["sh", "-c", line],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        env=environ(),
    )
    assert (done.returncode, done.stderr) == (status, "")
    assert bool(done.stdout) is shown
    assert "tavus-console:" not in done.stdout


def test_a_closed_stream_is_discarded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    environment = Environment()
    try:
        assert environment.stdin.read() == ""
        environment.stdout.write("x")
        environment.warn("x")
        assert environment.flush() is None
        assert not environment.interactive
        assert sys.stdout is environment.stdout
    finally:
        for stream in (environment.stdin, environment.stdout, environment.stderr):
            stream.close()


# -- times ------------------------------------------------------------------------------------------------


def test_local_time() -> None:
    assert re.fullmatch(r"\d\d:\d\d:\d\d", local_time(1_790_000_000))


@pytest.mark.parametrize("second", [10**30, -(10**30), 10**14])
def test_times_beyond_the_calendar(second: int) -> None:
    assert re.fullmatch(r"--:--:--|\d\d:\d\d:\d\d", local_time(second))


ENDING = """
import atexit, os, sys
from tavus_cli.session.environment import end_process
atexit.register(os.write, 2, b"a plain exit\\n")
if {loaded}:
    sys.modules["daily"] = sys
print("all that was written")
{before}
end_process(3)
"""


@pytest.mark.parametrize("loaded", [False, True])
@pytest.mark.parametrize("before", ["", "sys.stdout.close()", "sys.stderr = None", "sys.stdout = None"])
def test_once_daily_was_loaded_a_process_ends_at_once(loaded: bool, before: str) -> None:
    """Output is flushed, and Daily's objects are not destroyed while its threads run."""
    done = subprocess.run(
        [sys.executable, "-c", ENDING.format(loaded=loaded, before=before)],
        capture_output=True, text=True, check=False, env=unmeasured(), timeout=SECONDS,
    )  # fmt: skip
    assert done.returncode == 3
    assert done.stdout == ("" if before == "sys.stdout = None" and loaded else "all that was written\n")
    assert done.stderr == ("" if loaded else "a plain exit\n")
