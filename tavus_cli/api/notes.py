"""Notes about conversations that our consoles created and have not ended, for the next start.

A console that is killed (KILL, ABRT, SEGV) cannot end its conversation, which is billed until its maximum
length. A note is a small file, mode 0600, in our folder. Its lock ends with the process that wrote it, so a
note without a lock was left behind. It holds an id and times, no secret.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tavus_cli.protocol.wire import is_conversation_id
from tavus_cli.session.environment import PROGRAM, Environment, local_time
from tavus_cli.settings.folders import state_folder

NAMED = 4  # conversations left behind that are named


class Left(NamedTuple):
    """``conversation_id`` is None if it is not known whether one was created. ``at`` in Unix seconds."""

    conversation_id: str | None
    at: float


class Note:
    """A note, written before creating, so that nothing is billed without one; ``remove`` it after the end.

    If nothing can be written there is no note, and ``trouble`` says why.
    """

    def __init__(
        self, seconds: float, folder: Path | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.trouble = ""
        self._about = {"at": clock(), "until": clock() + seconds}
        self._path = (folder or _folder()) / os.urandom(8).hex()
        self._handle: int | None = None
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            _lock(self._handle)
            self._write(self._about)
        except OSError as error:
            self.trouble = f"{error.filename or self._path}: {error.strerror or error}"

    def created(self, conversation_id: str) -> None:
        with contextlib.suppress(OSError):
            self._write(self._about | {"conversation_id": conversation_id})

    @property
    def shared(self) -> tuple[str, int] | None:
        """Its file, and the descriptor that a process inherits to hold the lock; None if there is no note."""
        return None if self._handle is None else (str(self._path), self._handle)

    def remove(self) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink()
        self.close()

    def close(self) -> None:
        """Keep the note for the next start: the conversation continues without us."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _write(self, about: dict[str, Any]) -> None:
        if self._handle is not None:
            data = json.dumps(about).encode()
            os.pwrite(self._handle, data, 0)
            os.ftruncate(self._handle, len(data))
            os.fsync(self._handle)


def left_behind(folder: Path | None = None, clock: Callable[[], float] = time.time) -> list[Left]:
    """Conversations that may still be billed and that no process holds. Expired notes are removed."""
    left: list[Left] = []
    for path, about in _notes(folder or _folder()):
        if about is None or clock() > about["until"]:
            with contextlib.suppress(OSError):
                path.unlink()
            continue
        name = about.get("conversation_id")
        known = isinstance(name, str) and is_conversation_id(name)
        left.append(Left(str(name) if known else None, about["at"]))
    return sorted(left, key=lambda one: one.at)


def warn_left_behind(environment: Environment) -> None:
    """Warn about conversations that an earlier console created and did not end."""
    for line in reminders():
        environment.warn(line)


def reminders() -> list[str]:
    """A line for each conversation that may still be billed and that no console is attached to."""
    left = left_behind()
    lines = [_reminder(one) for one in left[-NAMED:]]
    if len(left) > NAMED:
        lines.append(f"and {len(left) - NAMED} more: {PROGRAM} conversation list --status active")
    return lines


def _reminder(one: Left) -> str:
    at = local_time(int(one.at))
    if one.conversation_id is None:
        return f"a conversation may have been created at {at}: {PROGRAM} conversation list --status active"
    name = one.conversation_id
    return f"{name}, created here at {at}, may still be billed; to end it: {PROGRAM} conversation end {name}"


def forget(conversation_id: str, folder: Path | None = None) -> None:
    """Remove the note of a conversation that has ended, even if another process holds it."""
    for path, about in _notes(folder or _folder(), held=True):
        if about is not None and about.get("conversation_id") == conversation_id:
            with contextlib.suppress(OSError):
                path.unlink()


def _notes(folder: Path, *, held: bool = False) -> Iterator[tuple[Path, dict[str, Any] | None]]:
    """The notes that no process holds, each locked while it is read; with ``held`` also the others.

    The content is None if it cannot be read.
    """
    try:
        paths = sorted(folder.iterdir())
    except OSError:
        return
    for path in paths:
        try:
            handle = os.open(path, os.O_RDWR | os.O_NONBLOCK | getattr(os, "O_NOFOLLOW", 0))
        except OSError:
            continue
        try:
            if not held:
                _lock(handle)
            about = json.loads(os.read(handle, 4_096))
            times = isinstance(about, dict) and [about.get(name) for name in ("at", "until")]
            fits = times and all(isinstance(one, int | float) for one in times)
            yield path, about if fits else None
        except BlockingIOError:
            continue  # its process is running
        except (OSError, ValueError, RecursionError):
            yield path, None
        finally:
            os.close(handle)


def _lock(handle: int) -> None:
    """Raises BlockingIOError where another process holds it."""
    try:
        import fcntl
    except ImportError:  # Windows: a note does not show whether its process is running
        return
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _folder() -> Path:
    return state_folder() / "open"
