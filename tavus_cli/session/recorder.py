"""Writing a recording: JSON lines, mode 0600, one flush a record (docs/recordings.md)."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING, Any, TextIO

from tavus_cli import __version__
from tavus_cli.errors import UsageError
from tavus_cli.protocol.wire import to_json

if TYPE_CHECKING:
    from tavus_cli.rooms.room import Room


class Recorder:
    """Raises UsageError where the file exists with something in it, or cannot be made.

    A disk that fills up later is reported once, by ``failed``; the conversation continues.
    """

    def __init__(self, path: str, *, conversation_id: str, target: str, started: float) -> None:
        self.path = path
        self.failed: str | None = None
        self._started = started
        self._records = 0
        self._file, self._made = _create(path)
        self._write(
            to_json(
                {
                    "recording": 1,
                    "conversation_id": conversation_id,
                    "target": target,
                    "started": started,
                    "versions": {"tavus-console": __version__},
                }
            )
        )

    def received(self, message: Any, at: float, sender: str | None, raw: str | None) -> None:
        self._record(at, "in", sender, raw if raw is not None else to_json(message))

    def sent(self, message: Any, at: float) -> None:
        self._record(at, "out", None, to_json(message))

    def note(self, text: str, at: float) -> None:
        self._record(at, "note", None, to_json(text))

    def close(self) -> None:
        try:
            self._file.close()
        except OSError as error:
            self.failed = self.failed or str(error)

    def discard_if_empty(self) -> None:
        """After ``close``, where joining failed: nothing but a header must not keep the name taken."""
        if self._records or not os.path.isfile(self.path):
            return
        with contextlib.suppress(OSError):
            if self._made:
                os.unlink(self.path)
            else:
                os.truncate(self.path, 0)

    def _record(self, at: float, direction: str, sender: str | None, message: str) -> None:
        head = to_json(
            {"at": round(at, 6), "t": round(at - self._started, 6), "dir": direction, "from": sender}
        )
        self._records += 1
        self._write(f'{head[:-1]},"message":{message}}}')

    def _write(self, line: str) -> None:
        if self.failed is not None:
            return
        try:
            self._file.write(line + "\n")
            self._file.flush()
        except OSError as error:
            self.failed = f"{self.path}: {error.strerror or error}; the recording ends here"


def record_to(path: str | None, room: Room) -> Recorder | None:
    """Raises UsageError where the file cannot be made."""
    if path is None:
        return None
    return Recorder(path, conversation_id=room.conversation_id, target=room.target, started=room.now())


def _create(path: str) -> tuple[TextIO, bool]:
    """The file, and whether it was not there before; an empty one is taken."""
    try:
        made = not os.path.lexists(path)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        status = os.fstat(descriptor)
        if status.st_size:
            os.close(descriptor)
            raise UsageError(f"{path} already exists: choose another file for the recording")
        if hasattr(os, "fchmod") and stat.S_ISREG(status.st_mode):  # never the mode of /dev/null
            os.fchmod(descriptor, 0o600)
        # A lone surrogate stands in a JSON string, where \ud83d is what says it.
        file = os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="\n")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None
    return file, made
