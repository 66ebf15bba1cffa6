"""Text that people give, of a file or of standard input, decoded in one place.

It is UTF-8, with or without a byte order mark, and with either end of line. What is not is refused by name
and line, with what to do about it; recordings (``rooms/files``) are read in other encodings too.
"""

from __future__ import annotations

import codecs
import os
import sys
from pathlib import Path
from typing import TextIO

from tavus_cli.errors import UsageError
from tavus_cli.files import cannot, read

STDIN = "standard input"
TERMINAL_LINE = 1_023 if sys.platform == "darwin" else 4_095  # bytes; a terminal drops the rest of a line

_MARKS = (  # UTF-32 before UTF-16, whose mark begins it
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PACKED = (
    (b"\x1f\x8b", "compressed by gzip: unpack it first (gzip -dc FILE)"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd: unpack it first (zstd -dc FILE)"),
    (b"\xfd7zXZ\x00", "compressed by xz: unpack it first (xz -dc FILE)"),
    (b"BZh", "compressed by bzip2: unpack it first (bzip2 -dc FILE)"),
    (b"PK\x03\x04", "a zip archive: unpack it first (unzip FILE)"),
)


def encoding(begins: bytes) -> str:
    """Of a text that begins so: by its mark, or by the zeros that UTF-16 puts beside ASCII letters."""
    for mark, name in _MARKS:
        if begins.startswith(mark):
            return name
    if len(begins) >= 4 and 0 < begins[0] < 0x80 and begins[1] == 0 and begins[2] and not begins[3]:
        return "utf-16-le"
    if len(begins) >= 4 and not begins[0] and begins[1] and not begins[2] and begins[3]:
        return "utf-16-be"
    return "utf-8"


def read_text(path: str | Path, stdin: TextIO | None = None) -> str:
    """All of a file; of ``stdin`` where ``path`` is "-". Raises UsageError."""
    if path == "-":
        return read_stdin(stdin if stdin is not None else sys.stdin)
    try:
        data = read(path)
    except (OSError, ValueError) as error:
        raise cannot(path, error) from None
    return decoded(data, str(path))


def read_stdin(stdin: TextIO) -> str:
    """All of standard input. Unbuffered: a thread in a buffered read would keep the program from ending.

    Raises UsageError.
    """
    return _from_stdin(stdin, until=None)


def read_line(stdin: TextIO) -> str:
    """Its first line, without waiting for more. Raises UsageError."""
    return _from_stdin(stdin, until=b"\n").partition("\n")[0]


def _from_stdin(stdin: TextIO, until: bytes | None) -> str:
    try:
        descriptor = stdin.fileno()
    except (OSError, ValueError):  # closed, or a test's
        return "" if stdin.closed else stdin.read()
    data = bytearray()
    try:
        while more := os.read(descriptor, 65_536):
            data += more
            if until is not None and until in more:
                break
        terminal = os.isatty(descriptor)
    except OSError as error:
        raise UsageError(f"{STDIN}: {error.strerror or error}") from None
    return decoded(bytes(data), STDIN, terminal=terminal)


def decoded(data: bytes, name: str, *, terminal: bool = False) -> str:
    """The text of ``name``. Raises UsageError."""
    lines = LineDecoder(name, terminal=terminal)
    return "\n".join([*lines.feed(data), lines.rest()])


class LineDecoder:
    """Bytes to lines, without their ends. ``terminal``: a line as long as one can be may be cut.

    ``feed`` and ``rest`` raise UsageError.
    """

    def __init__(self, name: str, *, terminal: bool = False) -> None:
        self._name = name
        self._terminal = terminal
        self._number = 0
        self._rest: list[bytes] = []  # joined once: a long line comes in many pieces

    def feed(self, data: bytes) -> list[str]:
        """The lines that are complete now."""
        first, *more = data.split(b"\n")
        self._rest.append(first)
        if not more:
            return []
        whole = [b"".join(self._rest), *more[:-1]]
        self._rest = [more[-1]]
        return [self._line(one).removesuffix("\r") for one in whole]

    def rest(self) -> str:
        """What follows the last end of line."""
        rest, self._rest = b"".join(self._rest), []
        return self._line(rest)

    def _line(self, data: bytes) -> str:
        self._number += 1
        if self._number == 1:
            self._check_kind(data)
            data = data.removeprefix(codecs.BOM_UTF8)
        if self._terminal and len(data) >= TERMINAL_LINE:
            raise self._wrong(
                f"the terminal cuts a line at {TERMINAL_LINE:,} bytes, and sent nothing of it: "
                "redirect a file (< FILE)"
            )
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            raise self._wrong(
                f"not UTF-8 text: convert it (iconv -f WINDOWS-1252 -t UTF-8 {self._shown()})"
            ) from None
        if "\0" in text:
            raise self._wrong("not text: it has a NUL character")
        return text

    def _check_kind(self, data: bytes) -> None:
        for mark, what in _PACKED:
            if data.startswith(mark):
                raise UsageError(f"{self._name}: {what.replace('FILE', self._shown())}")
        if (name := encoding(data)).startswith(("utf-16", "utf-32")):
            name = name.upper()
            raise UsageError(
                f"{self._name}: {name} text, not UTF-8: convert it (iconv -f {name} -t UTF-8 {self._shown()})"
            )

    def _wrong(self, what: str) -> UsageError:
        return UsageError(f"{self._name}:{self._number}: {what}")

    def _shown(self) -> str:
        from shlex import quote

        return "FILE" if self._name == STDIN else quote(self._name)
