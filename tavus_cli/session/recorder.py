"""Writing a recording: JSON lines, mode 0600, flushed after each record (docs/recordings.md)."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from tavus_cli import __version__
from tavus_cli.errors import UsageError
from tavus_cli.files import cannot, make_private, open_to_write
from tavus_cli.protocol.wire import to_json

if TYPE_CHECKING:
    from tavus_cli.rooms.room import Room


class Redacts(Protocol):
    """The interface of ``report.redact.Redactor``, which is passed in from above."""

    def message(self, message: Any) -> Any: ...

    def text(self, text: str) -> str: ...

    def note(self, text: str) -> str: ...

    def target(self, text: str) -> str: ...


class Recorder:
    """Raises UsageError if the file exists and is not empty, or cannot be created.

    If the disk fills up later, ``failed`` is called once; the conversation continues.
    """

    def __init__(
        self,
        path: str,
        *,
        conversation_id: str,
        target: str,
        started: float,
        redactor: Redacts | None = None,
    ) -> None:
        self.path = path
        self.failed: str | None = None
        self._started = started
        self._records = 0
        self._file, self._made = _create(path)
        self._redactor = redactor
        if redactor is not None:
            conversation_id = conversation_id[:1] + redactor.text(conversation_id)[1:]
            target = redactor.target(target)
        head = head_line(conversation_id, target, started, redacted=redactor is not None)
        self._write(head.removesuffix("\n"))

    def received(self, message: Any, at: float, sender: str | None, raw: str | None) -> None:
        if self._redactor is not None:
            message, raw = self._redactor.message(message), None
            sender = None if sender is None else self._redactor.text(sender)
        self._record(at, "in", sender, raw if raw is not None else to_json(message))

    def sent(self, message: Any, at: float) -> None:
        if self._redactor is not None:
            message = self._redactor.message(message)
        self._record(at, "out", None, to_json(message))

    def note(self, text: str, at: float) -> None:
        if self._redactor is not None:
            text = self._redactor.note(text)
        self._record(at, "note", None, to_json(text))

    def close(self) -> None:
        try:
            self._file.close()
        except OSError as error:
            self.failed = self.failed or str(error)

    def discard_if_empty(self) -> None:
        """Remove the file if joining failed: a file with only a header must not block its name."""
        if self._records or self.path == "-" or not os.path.isfile(self.path):
            return
        with contextlib.suppress(OSError):
            if self._made:
                os.unlink(self.path)
            else:
                os.truncate(self.path, 0)

    def _record(self, at: float, direction: str, sender: str | None, message: str) -> None:
        self._records += 1
        self._write(record_line(at, self._started, direction, sender, message).removesuffix("\n"))

    def _write(self, line: str) -> None:
        if self.failed is not None:
            return
        try:
            self._file.write(line + "\n")
            self._file.flush()
        except OSError as error:
            if self.path == "-" and isinstance(error, BrokenPipeError):
                raise  # as for everything on standard output
            self.failed = f"{self.path}: {error.strerror or error}; the recording ends here"


def record_to(path: str | None, room: Room, redactor: Redacts | None = None) -> Recorder | None:
    """Raises UsageError if the file cannot be created."""
    if path is None:
        return None
    return Recorder(
        path,
        conversation_id=room.conversation_id,
        target=room.target,
        started=room.now(),
        redactor=redactor,
    )


def head_line(conversation_id: str, target: str, started: float, *, redacted: bool = False) -> str:
    """The first line of a recording."""
    head = {
        "recording": 1,
        "conversation_id": conversation_id,
        "target": target,
        "started": started,
        "versions": {"tavus-console": __version__},
    }
    return to_json(head | ({"redacted": True} if redacted else {})) + "\n"


def record_line(at: float, started: float, direction: str, sender: str | None, message: str) -> str:
    """A record; ``message`` is JSON text, and its last key."""
    head = to_json({"at": round(at, 6), "t": round(at - started, 6), "dir": direction, "from": sender})
    return f'{head[:-1]},"message":{message}}}\n'


def _create(path: str) -> tuple[TextIO, bool]:
    """The file, and whether it is new; an existing empty file is accepted."""
    if path == "-":
        return os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace", newline="\n"), False
    try:
        made = not os.path.lexists(path)
        descriptor = open_to_write(path, os.O_APPEND, file_only=True)
        try:
            if os.fstat(descriptor).st_size:
                raise UsageError(f"{path} already exists: choose another file for the recording")
            make_private(descriptor)
        except BaseException:  # a signal too must not leave it open
            os.close(descriptor)
            raise
        # A lone surrogate can only be in a JSON string, where \ud83d is its escape.
        file = os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="\n")
    except (OSError, ValueError) as error:
        raise cannot(path, error) from None
    return file, made
