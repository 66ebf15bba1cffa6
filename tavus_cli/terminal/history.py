"""The history of typed lines: a file of bounded size, readable only by its owner.

One JSON string a line, oldest first, so that an entry may hold newlines and a damaged line costs
only that entry. A file that cannot be used never stops a session: the history is then kept in
memory, and ``open_history`` says why.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from prompt_toolkit.history import History, InMemoryHistory

from tavus_cli.errors import redacted
from tavus_cli.files import make_private, open_to_read, open_to_write

ENTRIES = 1000  # kept from earlier sessions
ENTRY_CHARACTERS = 10_000  # a longer entry (a pasted file) is kept only in this session
_TAIL_BYTES = 2_000_000  # read at most, however large the file has become


class BoundedHistory(History):
    """The entries found in a file, and every new one appended to it at once."""

    def __init__(self, path: Path, entries: list[str]) -> None:
        super().__init__()
        self._path = path
        self._entries = entries
        self._writable = True

    def load_history_strings(self) -> Iterable[str]:
        """The entries found in the file, newest first."""
        return reversed(self._entries)

    def store_string(self, string: str) -> None:
        """Append one entry; after a failure (a full disk) the file is not touched again."""
        if not self._writable or len(string) > ENTRY_CHARACTERS:
            return
        try:
            with open(_open_private(self._path, os.O_APPEND), "ab", closefd=True) as file:
                file.write(_encode(redacted(string)))
        except OSError:
            self._writable = False


def open_history(path: Path) -> tuple[History, str | None]:
    """The history kept in ``path``, and a line for a person if something is wrong with it.

    Creates the file with mode 0600 and its folder with mode 0700.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        entries, damaged, oversized = _read(path) if os.path.lexists(path) else ([], 0, False)
        if damaged and not entries:
            raise OSError(f"{path} is not a history file")  # so we must not change it
        os.close(_open_private(path, os.O_APPEND))
        if damaged or oversized:
            _rewrite(path, entries)
    except (OSError, ValueError) as error:
        return (
            InMemoryHistory(),
            f"history is kept for this session only: {getattr(error, 'strerror', None) or error}",
        )
    note = f"history: {damaged} damaged lines in {path} were removed" if damaged else None
    return BoundedHistory(path, entries), note


def _open_private(path: Path, flags: int) -> int:
    """A descriptor for writing a file, which is made readable only by its owner."""
    descriptor = open_to_write(path, flags, file_only=True)
    try:
        make_private(descriptor)
    except BaseException:  # a signal too must not leave it open
        os.close(descriptor)
        raise
    return descriptor


def _read(path: Path) -> tuple[list[str], int, bool]:
    """The newest entries, oldest first; the number of damaged lines; whether the file has too many lines."""
    with os.fdopen(open_to_read(path), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(f"{path} is not a file")
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL_BYTES))
        lines = file.read(_TAIL_BYTES).splitlines()
    if size > _TAIL_BYTES:
        del lines[:1]  # the part that was read begins in the middle of a line
    entries: list[str] = []
    damaged = 0
    for line in lines:
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            entry = None
        if isinstance(entry, str):
            entries.append(entry)
        else:
            damaged += 1
    return entries[-ENTRIES:], damaged, len(lines) > 2 * ENTRIES or size > _TAIL_BYTES


def _rewrite(path: Path, entries: list[str]) -> None:
    """Replace the file in one step, so that a crash leaves the old one or the new one."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    with open(_open_private(fresh, os.O_TRUNC), "wb", closefd=True) as file:
        file.writelines(map(_encode, entries))
    os.replace(fresh, path)


def _encode(entry: str) -> bytes:
    # Escaped to ASCII, so that a lone surrogate from a broken terminal can be written too.
    return json.dumps(entry).encode("ascii") + b"\n"
