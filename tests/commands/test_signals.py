"""Every command in each state × INT, TERM, HUP, a second INT: it ends, and names what may be billed."""

from __future__ import annotations

import asyncio
import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.kits.program import CONSOLE, SAMPLES, environ
from tests.kits.signals import CASES, NEW, ROOMS, Case, Outcome, before, handles, stopped, world

FIRST = {"INT": signal.SIGINT, "TERM": signal.SIGTERM, "HUP": signal.SIGHUP}
FIRST_STATEMENT = re.compile(r'/tavus_cli/(__init__.py", line \d|__main__.py", line [0-7])\b')
# Python, while it starts: an interrupt in a callback of its own, or in a file of site-packages.
PYTHON_GOES_ON = re.compile(r"^(Exception ignored in|Error processing line)", re.MULTILINE)
# What the fast tests take of the table; the rest is slow.
SAMPLE = {
    *("creating", "ending", "looking up: tail", "joining: tail", "joining: join --new", "joined: join --new"),
    *("joined: tail", "leaving: join --new", "starting: tail"),
}


def _rows() -> list[object]:
    rows: list[object] = []
    for case in CASES:
        for name in (*FIRST, "INT INT"):
            if name == "INT INT" and case.doing == "starting":
                continue
            fast = any(case.name.startswith(one) for one in SAMPLE) and name in ("TERM", "INT INT")
            marks = [] if fast else [pytest.mark.slow]
            rows.append(pytest.param(case, name, id=f"{name}-{case.name[:40]}", marks=marks))
    return rows


@pytest.mark.parametrize(("case", "name"), _rows())
def test_a_signal_ends_it(case: Case, name: str, tmp_path: Path) -> None:
    first, *second = name.split()
    with world(tmp_path, case.socket) as around:
        if case.doing in ("ending", "looking up"):
            around.api.add()
        outcome = stopped(case, around, FIRST[first], signal.SIGINT if second else None)
    _clean(outcome)
    if case.doing == "starting":
        assert outcome.status in (128 + FIRST[first], -FIRST[first], 0), outcome  # before our first line
        return
    assert outcome.status == 128 + FIRST[first], outcome
    if case.billed and (second or case.doing in ("creating", "ending")):
        assert case.billed in outcome.err, outcome


def _clean(outcome: Outcome) -> None:
    for text in (outcome.out, outcome.err):
        for stray in ("Traceback", "never awaited", "Exception ignored", "KeyboardInterrupt"):
            assert stray not in text, outcome
    assert outcome.left == [], outcome


@pytest.mark.slow
@pytest.mark.parametrize("name", FIRST)
def test_no_traceback_in_the_first_moments(name: str, tmp_path: Path) -> None:
    """The signal comes 0 to 300 ms after the start: in our first line, while importing, in the command.

    INT is Python's own until ``__main__`` has had its first statement: where it comes inside a callback of
    the interpreter's start, Python prints a traceback of that and continues. A second Ctrl-C then ends it.
    """
    case = Case("starting", ROOMS[1], before)
    with world(tmp_path, "silent") as around:
        for step in range(30):
            outcome = stopped(case, around, FIRST[name], after=step / 100, patience=10)
            assert not outcome.again or PYTHON_GOES_ON.search(outcome.err), outcome
            ours = FIRST_STATEMENT.sub("", outcome.err)
            assert "/tavus_cli/" not in ours, outcome
            assert outcome.left == []


RAISES = "lambda *_: signal.raise_signal(15)"
WITHIN = {
    "a destructor": f"type('D', (), {{'__del__': {RAISES}}})()",
    "the making of a class": f"type('C', (), {{'x': type('S', (), {{'__set_name__': {RAISES}}})()}})",
    "code that drops it": f"dropping({RAISES}) or loop.run(never)",
    "the folding of constants": "folding()",
    "the making of an event loop": "half_built() or loop.run(never)",
}


@pytest.mark.parametrize("where", WITHIN)
def test_a_signal_is_not_lost_where_python_makes_another_error_of_it(where: str) -> None:
    code = f"""
import asyncio, os, signal
from tavus_cli import __main__, cli
from tavus_cli.session import loop

def dropping(call):
    try:
        call()
    except BaseException:
        pass

def folding():
    signal.signal(signal.SIGALRM, signal.getsignal(signal.SIGTERM))
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    compile("x = 3 ** 40 * 7 ** 20\\n" * 20_000, "", "exec")  # a tenth of a second, nearly all in C
    os._exit(7)

async def never():
    os._exit(7)

def half_built():
    usual = asyncio.BaseEventLoop.__init__
    asyncio.BaseEventLoop.__init__ = lambda loop: signal.raise_signal(15) or usual(loop) or print("built")

cli.run_command = lambda *_: {WITHIN[where]} and 0
__main__.main()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environ()
    )
    by = signal.SIGALRM if where == "the folding of constants" else signal.SIGTERM
    out = "built\n" if where == "the making of an event loop" else ""
    assert (done.returncode, done.stdout, done.stderr) == (128 + by, out, "")


SILENT = {
    "replay": ("replay", "-"),
    "report": ("report", "-"),
    "redact": ("redact", "-"),
    "replay at its pace": ("replay", "-", "--speed", "1"),
}


@pytest.mark.parametrize("first", [0, 5])
@pytest.mark.parametrize(
    "name",
    [pytest.param(one, marks=[] if one in ("report", "replay") else [pytest.mark.slow]) for one in SILENT],
)
def test_a_signal_ends_the_reading_of_a_silent_pipe(name: str, first: int) -> None:
    """``first``: lines of a recording that it has read before."""
    reading, writing = os.pipe()
    child = subprocess.Popen(
        [CONSOLE, *SILENT[name]],
        stdin=reading,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ(),
    )
    try:
        os.write(writing, b"".join(SAMPLES.read_bytes().splitlines(keepends=True)[:first]))
        asyncio.run(handles(child.pid))
        while select.select([reading], [], [], 0)[0]:
            time.sleep(0.02)
        child.send_signal(signal.SIGTERM)
        _, err = child.communicate(timeout=60)
    finally:
        child.kill()
        os.close(reading)
        os.close(writing)
    assert (child.returncode, err) == (143, "")


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_what_was_ignored_at_the_start_stays_ignored(number: int) -> None:
    """``nohup``, and what a shell without job control runs in the background."""
    with subprocess.Popen(
        [CONSOLE, "tail", "sim", "--count", "3"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ(),
        preexec_fn=lambda: signal.signal(number, signal.SIG_IGN),
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        child.send_signal(number)
        out, err = child.communicate(timeout=60)
    assert (child.returncode, err) == (0, "")
    assert len(out.splitlines()) >= 1


def test_the_table_has_every_command_that_waits() -> None:
    named = {case.arguments[0] for case in CASES}
    assert named >= {"join", "tail", "send", "run", "tools", "doctor", "session", "conversation"}
    assert NEW in {case.arguments for case in CASES if case.doing == "leaving"}
