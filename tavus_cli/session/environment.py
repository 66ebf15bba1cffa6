"""The environment of a command: streams, terminal, variables. Read once; tests make their own.

Only data goes to ``stdout``; ``say`` and ``warn`` are for everything else.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn, TextIO, cast

from tavus_cli.errors import UsageError, keep_of, keep_password, redacted
from tavus_cli.views.safe import safe
from tavus_cli.views.theme import PLAIN, ColorChoice, Theme, ThemeName, theme_named, use_color

if TYPE_CHECKING:
    from tavus_cli.settings.table import Settings

PROGRAM = "tavus-console"


@dataclass(slots=True, eq=False, repr=False)
class Environment:
    """``exit_hard``: a thread is stuck, so the process must end with ``os._exit``, after flushing."""

    stdin: TextIO = field(default_factory=lambda: _standard("stdin"))
    stdout: TextIO = field(default_factory=lambda: _standard("stdout"))
    stderr: TextIO = field(default_factory=lambda: _standard("stderr"))
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    color: ColorChoice = "auto"
    theme_name: ThemeName | None = None  # of the command line; None: the settings decide
    exit_hard: bool = False
    stdout_taken: bool = False  # by an option that writes to "-": other output goes to standard error
    _settings: Settings | None = None
    _wrong: UsageError | None = None

    def __post_init__(self) -> None:
        keep_of(self.environ)
        for stream in (self.stdout, self.stderr):  # a lone surrogate must not end the program
            with contextlib.suppress(AttributeError, ValueError):
                stream.reconfigure(errors="backslashreplace")  # type: ignore[attr-defined]

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
            from tavus_cli.settings.table import Settings

            self._settings, self._wrong = Settings(), error
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
            with open(os.devnull, "wb") as nowhere:
                os.dup2(nowhere.fileno(), self.stdout.fileno())
            return error
        except ValueError:  # closed
            pass
        return None

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
    sys.exit(status)


def _standard(name: str) -> TextIO:
    """A standard stream; os.devnull if it was closed before the program started (``>&-``)."""
    if getattr(sys, name) is None:
        nowhere = open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8")  # noqa: SIM115
        setattr(sys, name, nowhere)
    stream: TextIO = getattr(sys, name)
    if isinstance(getattr(stream, "buffer", None), io.FileIO):
        # PYTHONUNBUFFERED: where the system takes only a part, as a full disk does, the rest would be lost
        encoding, lines = stream.encoding, bool(stream.line_buffering)
        raw = cast(io.FileIO, cast(io.TextIOWrapper, stream).detach())
        stream = io.TextIOWrapper(io.BufferedWriter(raw), encoding=encoding, line_buffering=lines)
        setattr(sys, name, stream)
    return stream


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
