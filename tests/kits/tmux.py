"""A program in a real terminal: tmux types the keys and reads the screen."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

_numbers = count()
SECONDS = 30.0  # no test waits this long unless it fails

needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


class Pane:
    """One window of a server of our own. ``screen`` is what is visible, ``all`` with the scrollback."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    def tmux(self, *arguments: str) -> str:
        command = ["tmux", "-S", str(self._socket), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
        return done.stdout

    def keys(self, *keys: str) -> None:
        """Named keys: "Enter", "C-c", "Tab"."""
        self.tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        self.tmux("send-keys", "-l", text)

    @property
    def screen(self) -> str:
        return self.tmux("capture-pane", "-p")

    @property
    def all(self) -> str:
        return self.tmux("capture-pane", "-p", "-J", "-S", "-")

    def until(self, condition: Callable[[], object], what: str = "") -> None:
        deadline = time.monotonic() + SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"{what or 'the condition'} did not come; the screen:\n{self.screen}")
            time.sleep(0.02)  # tmux does not signal when its screen changes

    def shows(self, text: str) -> None:
        """Whether the text is on the screen, perhaps broken between words."""
        self.until(lambda: text in (shown := self.all) or text in " ".join(shown.split()), repr(text))

    def ends(self) -> int:
        """Wait for the program's end; its exit status, -1 if a signal ended it."""
        self.until(self._has_ended, "the end")
        return int(self._dead("status") or "-1")

    def _has_ended(self) -> bool:
        if self.tmux("display-message", "-p", "#{pane_dead}").strip() == "0":
            return False
        # tmux at times misses that its child ended until another one of its children does.
        self.tmux("run-shell", "true")
        return bool(self._dead("status") or self._dead("signal"))

    def _dead(self, what: str) -> str:
        return self.tmux("display-message", "-p", f"#{{pane_dead_{what}}}").strip()

    def resize(self, columns: int, rows: int) -> None:
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))


@contextmanager
def pane(folder: Path, *command: str, columns: int = 100, rows: int = 30, **environ: str) -> Iterator[Pane]:
    """``command`` in a terminal until the end of the block; a program that still runs is ended then."""
    socket = folder / f"tmux{next(_numbers)}"  # not the socket of a server that is still ending
    shown = Pane(socket)
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color", **environ}
    for name in ("TMUX", "TMUX_PANE", "NO_COLOR", "PYTHONUNBUFFERED", "COLUMNS", "LINES"):
        environment.pop(name, None)
    settings = folder / "tmux.conf"
    settings.write_text("set -g remain-on-exit on\nset -g history-limit 50000\nset -g status off\n")
    start = ["tmux", "-S", str(socket), "-f", str(settings), "new-session", "-d"]
    size = ["-x", str(columns), "-y", str(rows)]
    subprocess.run([*start, *size, shlex.join(command)], env=environment, check=True)
    try:
        yield shown
    finally:
        shown.tmux("kill-server")
