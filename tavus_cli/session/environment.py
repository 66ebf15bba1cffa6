"""The environment of a command: streams, terminal, variables. Read once; tests make their own.

Only data goes to ``stdout``; ``say`` and ``warn`` are for everything else.
"""

from __future__ import annotations

import contextlib
import copy
import gc
import io
import os
import shutil
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, NoReturn, Self, TextIO

from tavus_cli.errors import UsageError, keep_of, keep_password, redacted
from tavus_cli.views.safe import safe
from tavus_cli.views.theme import PLAIN, ColorChoice, Theme, ThemeName, theme_named, use_color

if TYPE_CHECKING:
    from tavus_cli.settings.table import Settings

PROGRAM = "tavus-console"


class Environment:
    """``exit_hard``: a thread is stuck, so the process must end with ``os._exit``, after flushing."""

    def __init__(
        self,
        stdin: TextIO | None = None,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
        environ: Mapping[str, str] | None = None,
        color: ColorChoice = "auto",
        theme_name: ThemeName | None = None,
    ) -> None:
        """What is not given is the process's own."""
        self.stdin = _standard("stdin") if stdin is None else stdin
        self.stdout = _standard("stdout") if stdout is None else stdout
        self.stderr = _standard("stderr") if stderr is None else stderr
        self.environ = os.environ if environ is None else environ
        self.color = color
        self.theme_name = theme_name  # of the command line; None: the settings decide
        self.exit_hard = False
        self.stdout_taken = False  # by an option that writes to "-": other output goes to standard error
        self._settings: Settings | None = None
        self._wrong: UsageError | None = None
        keep_of(self.environ)
        for stream in (self.stdout, self.stderr):  # a lone surrogate must not end the program
            with contextlib.suppress(AttributeError, ValueError):
                stream.reconfigure(errors="backslashreplace")  # type: ignore[attr-defined]

    def with_stderr(self, stream: TextIO) -> Self:
        """The same, with another standard error."""
        other = copy.copy(self)
        other.stderr = stream
        return other

    @property
    def theme(self) -> Theme:
        return self.theme_of(self.stdout)

    def theme_of(self, stream: TextIO) -> Theme:
        """Without colours where ``stream`` is to have none."""
        if not use_color(self.color, self.environ, is_tty(stream)):
            return PLAIN
        return theme_named(self.theme_name or self.settings.theme, self.environ)

    @property
    def settings(self) -> Settings:
        """The settings; their file is read on first use. Raises UsageError."""
        if self._settings is None:
            from tavus_cli.settings.file import load

            self._settings = load(self.environ)
            keep_password(self._settings.daily_proxy)
        return self._settings

    def check_settings(self) -> UsageError | None:
        """The mistake in the settings, if any; the defaults are used from then on."""
        try:
            _ = self.settings
        except UsageError as error:
            from tavus_cli.settings.table import Settings, default_history

            self._settings, self._wrong = Settings(default_history()), error
        return self._wrong

    @property
    def columns(self) -> int:
        """The width of the terminal; 80 if standard output is not one, whatever COLUMNS says."""
        if not is_tty(self.stdout):
            return 80
        return shutil.get_terminal_size().columns

    @property
    def interactive(self) -> bool:
        """Whether a prompt can be shown: a terminal on both sides that can move its cursor."""
        streams = not self.stdout_taken and is_tty(self.stdin) and is_tty(self.stdout)
        return streams and self.environ.get("TERM") != "dumb"

    def say(self, text: str) -> None:
        """Print progress, only if standard error is a terminal."""
        if is_tty(self.stderr):
            self._print(text)

    def warn(self, text: str) -> None:
        self._print(f"{PROGRAM}: {safe(text)}")

    def complain(self, line: str) -> None:
        """Print a line on standard error unchanged: an error as JSON."""
        self._print(line)

    def clear_interrupt(self) -> None:
        """Overwrite the ^C that the terminal has echoed, so that it does not precede the shell's prompt."""
        if is_tty(self.stderr):
            with contextlib.suppress(OSError, ValueError):
                self.stderr.write("\n" if self.environ.get("TERM", "dumb") == "dumb" else "\r\x1b[K")
                self.stderr.flush()

    def flush(self) -> OSError | None:
        """Flush the streams; returns the error of standard output, if it cannot be written."""
        with contextlib.suppress(OSError, ValueError):
            self.stderr.flush()
        if self.exit_hard:
            return None  # flushing would wait for the stuck thread
        try:
            self.stdout.flush()
        except OSError as error:
            self.discard_output()
            return error
        except ValueError:  # closed
            pass
        return None

    def discard_output(self) -> None:
        """From now on, what is written to standard output goes nowhere, also from its thread."""
        with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), self.stdout.fileno())

    def _print(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # no reader: continue
            print(redacted(text), file=self.stderr, flush=True)


def end_process(status: int, *, hard: bool = False) -> NoReturn:
    """End the process, as every process of the program does: flush, then end at once.

    A plain exit runs the destructors of Daily's client while its threads work: 3 of 600 aborted (134, 139),
    and one with a join under way hangs (docs/daily.md). ``hard``: another thread is stuck, in a write to
    standard output.
    """
    for stream in (sys.stderr,) if hard else (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # gone, closed, or missing
            stream.flush()
    if hard or "daily" in sys.modules:
        os._exit(status)
    gc.freeze()  # or the collector looks through everything once more, for a tenth of a short run
    sys.exit(status)


def _standard(name: str) -> TextIO:
    """A standard stream; os.devnull if it was closed before the program started (``>&-``)."""
    if getattr(sys, name) is None:
        nowhere = open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8")  # noqa: SIM115
        setattr(sys, name, nowhere)
    stream: TextIO = getattr(sys, name)
    return stream


def write_whole() -> None:
    """Buffer the output streams, even if PYTHONUNBUFFERED is set: Python's unbuffered ones lose the rest of
    a text of which the system takes only a part, as a full disk does.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(getattr(stream, "buffer", None), io.FileIO):
            encoding, lines = stream.encoding, stream.line_buffering
            buffer = io.BufferedWriter(stream.detach())
            setattr(sys, name, io.TextIOWrapper(buffer, encoding=encoding, line_buffering=lines))


def is_tty(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except (AttributeError, ValueError):  # closed, or missing
        return False


def local_strftime(at: float, form: str) -> str:
    """Unix seconds in a format of strftime; "" for a time outside the calendar."""
    try:
        return time.strftime(form, time.localtime(at))
    except (ValueError, OverflowError, OSError):
        return ""


def local_time(second: int) -> str:
    """Unix seconds as local time: "12:03:11"."""
    try:
        return time.strftime("%H:%M:%S", time.localtime(second))
    except (OverflowError, OSError, ValueError):
        return "--:--:--"
