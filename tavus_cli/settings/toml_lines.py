"""TOML files with line numbers, so that each mistake is one line: "FILE:LINE: what is wrong".

``tomllib`` reports lines only for syntax errors, so the line of a key is looked up in the text.
"""

from __future__ import annotations

import re
from datetime import date, time
from math import isfinite
from pathlib import Path
from typing import Any

from tavus_cli import files
from tavus_cli.errors import ConsoleError, UsageError
from tavus_cli.files import cannot

KeyPath = tuple[str | int, ...]  # ("reply", 1, "say"): the key ``say`` of the second [[reply]]

_HEADER = r"\s*(\[\[?)([^\[\]]+)\]\]?\s*(?:#.*)?$"
_KEY = r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=(.*)"""
_PART = r"""[\w-]+|"[^"]*"|'[^']*'"""


class Toml:
    """A parsed text: ``data``, and the lines of its keys. ``file`` is its name in messages.

    Raises UsageError for a syntax error.
    """

    def __init__(self, text: str, file: str) -> None:
        import tomllib

        self._text = text
        self._file = file
        self._lines: dict[KeyPath, int] | None = None
        try:
            self.data: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            at = re.search(r"at line (\d+)", str(error))
            line = int(at[1]) if at else text.rstrip().count("\n") + 1
            raise UsageError(f"{file}:{line}: {str(error).partition('(at ')[0].rstrip()}") from None
        except RecursionError:
            raise UsageError(f"{file}:1: nested too deep") from None
        except ValueError:  # Python refuses numbers with this many digits
            raise UsageError(f"{file}:{_line_of_digits(text)}: a number with too many digits") from None

    def wrong(self, path: KeyPath, what: str) -> UsageError:
        """The error to raise for the value of a key."""
        return UsageError(f"{self.where(path)}: {' '.join(what.splitlines())}")

    def where(self, path: KeyPath) -> str:
        """ "FILE:LINE" of a key."""
        return f"{self._file}:{self._line(path)}"

    def _line(self, path: KeyPath) -> int:
        """The line of a key.

        For a key of an inline table, the next line that has it, or the line of its table.
        """
        if self._lines is None:
            self._lines = lines_of_keys(self._text)
        if path in self._lines:
            return self._lines[path]
        if len(path) <= 1:
            return 1
        line = self._line(path[:-1])
        key = re.compile(rf"""(?<![\w-])["']?{re.escape(str(path[-1]))}["']?\s*=""")
        for number, text in enumerate(self._text.splitlines()[line - 1 :], line):
            if isinstance(path[-1], str) and key.search(text):
                return number
        return line


def read_text(path: str | Path) -> str:
    """The text of a TOML file.

    Raises UsageError if it is not UTF-8, and OSError or ValueError as ``open``.
    """
    return files.read_text("-") if path == "-" else files.decoded(files.read(path), str(path))


def as_json(value: Any) -> Any:
    """A TOML value as JSON: dates become strings. Raises ValueError for inf and nan."""
    if isinstance(value, dict):
        return {key: as_json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_json(inner) for inner in value]
    if isinstance(value, float) and not isfinite(value):
        raise ValueError("a value that JSON has; inf and nan are not")
    return value.isoformat() if isinstance(value, date | time) else value


def unreadable(path: str | Path, error: OSError | ValueError) -> ConsoleError:
    """The error to raise for one of ``read_text``."""
    return cannot(path, error)


def _line_of_digits(text: str) -> int:
    lines = enumerate(text.splitlines(), 1)
    return next((number for number, line in lines if re.search(r"[0-9_]{4000}", line)), 1)


def lines_of_keys(text: str) -> dict[KeyPath, int]:
    """The line of each table, and of each key that begins a line; not of keys in inline tables.

    Text inside long strings is skipped.
    """
    lines: dict[KeyPath, int] = {}
    counts: dict[KeyPath, int] = {}
    table: KeyPath = ()
    quote = ""
    for number, line in enumerate(text.splitlines(), 1):
        if quote:
            quote = "" if line.count(quote) % 2 else quote
            continue
        if header := re.match(_HEADER, line):
            table = ()
            for part in (names := _parts(header[2])):
                table = (*table, part)
                if len(header[1]) == 2 and part is names[-1]:
                    counts[table] = counts.get(table, -1) + 1
                    lines.setdefault(table, number)
                if table in counts:
                    table = (*table, counts[table])
            lines.setdefault(table, number)
        elif key := re.match(_KEY, line):
            names = _parts(key[1])
            for end in range(1, len(names) + 1):
                lines.setdefault((*table, *names[:end]), number)
        for mark in ('"""', "'''"):
            if line.count(mark) % 2:
                quote = mark
    return lines


def _parts(dotted: str) -> list[str]:
    return [part.strip("\"'") for part in re.findall(_PART, dotted)]
