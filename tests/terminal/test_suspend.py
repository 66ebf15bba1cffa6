"""Ctrl-Z, ``kill -TSTP``, ``kill -STOP`` and ``fg`` in a real shell (tmux): nothing is lost."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tavus_cli.terminal.suspend import NO_SHELL
from tests.kits.program import CONSOLE
from tests.kits.tmux import Pane, needs_tmux, pane

pytestmark = needs_tmux
EVENTS = 300
TYPED = "› half a line"


def shell(folder: Path) -> AbstractContextManager[Pane]:
    settings = folder / "bashrc"
    settings.write_text("PS1='sh$ '\n")
    command = ("bash", "--noprofile", "--rcfile", str(settings), "-i")
    return pane(folder, *command, TAVUS_CONSOLE_HISTORY=str(folder / "history"))


def start(shown: Pane, record: Path) -> int:
    """The console, begun by a shell with job control, half a line typed; its process."""
    shown.shows("sh$")
    pid = record.with_name("pid")
    # `exec` in a shell of its own, so that the file holds the console's number.
    inner = f'echo $$ > {pid}; exec {CONSOLE} join "sim:?rate=100&events={EVENTS}" --record {record}'
    shown.type(f"sh -c '{inner}'")
    shown.keys("Enter")
    shown.shows('"number":1,')
    shown.type("half a line")
    shown.until(lambda: TYPED in shown.screen, "what was typed")
    return int(pid.read_text())


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r'"number":(\d+),', text)]


STOPS: dict[str, Callable[[Pane, int], object]] = {
    "Ctrl-Z": lambda shown, pid: shown.keys("C-z"),
    "TSTP": lambda shown, pid: os.kill(pid, signal.SIGTSTP),
    "STOP": lambda shown, pid: os.kill(pid, signal.SIGSTOP),
}


@pytest.mark.parametrize("how", STOPS)
def test_what_comes_while_it_is_suspended_is_shown_after_fg(tmp_path: Path, how: str) -> None:
    record = tmp_path / "r.jsonl"
    with shell(tmp_path) as shown:
        pid = start(shown, record)
        STOPS[how](shown, pid)
        shown.shows("Stopped")
        assert state(pid) == "T"
        if how != "STOP":  # which leaves the terminal as it is
            assert TYPED not in shown.screen
            shown.type("stty -a | tr ' ' '\\n' | grep -xE -- '-?(echo|icanon|isig);?'")
            shown.keys("Enter")
            shown.until(lambda: {"isig", "icanon", "echo"} <= set(shown.screen.split()), "cooked mode")
            assert shown.tmux("display-message", "-p", "#{cursor_flag}").strip() == "1"
        shown.resize(120, 35)
        shown.type("fg")
        shown.keys("Enter")
        shown.until(lambda: TYPED in shown.screen and " · " in shown.screen, "the prompt")
        shown.shows(f'"number":{EVENTS - 1},')
        shown.type(" and the rest")
        shown.until(lambda: f"{TYPED} and the rest" in shown.screen, "what is typed now")
        shown.keys("C-c", "C-d")
        shown.until(lambda: shown.screen.rstrip().endswith("sh$"), "the shell")
        assert numbers(shown.all) == numbers(record.read_text()) == list(range(EVENTS))


def in_the_shell(shown: Pane) -> bool:
    return shown.screen.rstrip().endswith("sh$")


def test_several_times(tmp_path: Path) -> None:
    with shell(tmp_path) as shown:
        pid = start(shown, tmp_path / "r.jsonl")
        for _ in range(3):
            shown.keys("C-z")
            shown.until(lambda: state(pid) == "T" and in_the_shell(shown), "the stop")
            shown.type("clear; fg")
            shown.keys("Enter")
            shown.until(lambda: TYPED in shown.screen, "the prompt")
        shown.keys("C-c", "C-d")
        shown.until(lambda: in_the_shell(shown), "the shell")


def test_in_the_background_events_arrive_and_the_terminal_is_untouched(tmp_path: Path) -> None:
    record = tmp_path / "r.jsonl"
    with shell(tmp_path) as shown:
        start(shown, record)
        shown.keys("C-z")
        shown.shows("Stopped")
        shown.type("clear; bg")
        shown.keys("Enter")
        shown.until(lambda: len(numbers(record.read_text())) == EVENTS, "the last event")
        assert numbers(shown.screen) == []
        shown.type("fg")
        shown.keys("Enter")
        shown.until(lambda: TYPED in shown.screen and f'"number":{EVENTS - 1},' in shown.screen, "the prompt")
        shown.keys("C-c", "C-d")
        shown.until(lambda: in_the_shell(shown), "the shell")
        assert numbers(shown.all)[-100:] == list(range(EVENTS))[-100:]


def test_a_suspended_one_that_is_killed_leaves_the_room(tmp_path: Path) -> None:
    with shell(tmp_path) as shown:
        pid = start(shown, tmp_path / "r.jsonl")
        shown.keys("C-z")
        shown.shows("Stopped")
        shown.type("kill %1")  # bash sends SIGCONT along
        shown.keys("Enter")
        shown.until(lambda: not Path(f"/proc/{pid}").exists(), "the end of the process")
        shown.keys("Enter")
        shown.shows("Exit 143")


def test_an_editor_that_is_suspended_takes_the_console_along(tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nkill -TSTP 0\necho edited > "$1"\n')
    editor.chmod(0o700)
    with shell(tmp_path) as shown:
        shown.type(f"export EDITOR={editor} VISUAL={editor}")
        shown.keys("Enter")
        pid = start(shown, tmp_path / "r.jsonl")
        shown.keys("C-x", "C-e")
        shown.shows("Stopped")
        shown.until(lambda: state(pid) == "T", "the stop")
        shown.type("fg")
        shown.keys("Enter")
        shown.until(lambda: "› edited" in shown.screen, "what the editor left")
        shown.keys("C-c", "C-d")
        shown.until(lambda: in_the_shell(shown), "the shell")


@pytest.mark.parametrize("how", ["Ctrl-Z", "TSTP"])
def test_without_a_shell_it_continues(tmp_path: Path, how: str) -> None:
    """In a tmux pane, or by ``ssh host tavus-console``, there is no shell that could resume it."""
    with pane(tmp_path, CONSOLE, "join", "sim", TAVUS_CONSOLE_HISTORY=str(tmp_path / "h")) as shown:
        shown.shows("PAL present")
        STOPS[how](shown, int(shown.tmux("display-message", "-p", "#{pane_pid}")))
        if how == "Ctrl-Z":
            shown.shows(NO_SHELL)
        shown.type("it goes on")
        shown.until(lambda: "› it goes on" in shown.screen, "what is typed")
        shown.keys("C-c", "C-d")
        assert shown.ends() == 0
