"""Lines of a JSON file, whether plain, gzip, zstd or UTF-16, with or without a byte order mark, or "-".

The first bytes decide. A file that cannot be a recording is refused, with what to give instead.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import select
import stat
import sys
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from tavus_cli.errors import UsageError
from tavus_cli.files import Patient, cannot, deserted, encoding, is_pipe, open_to_read

_OTHERS = (
    (b"PK\x03\x04", "a zip archive; unpack it first (unzip FILE)"),
    (b"\xfd7zXZ\x00", "compressed by xz; unpack it first (xz -d FILE)"),
    (b"BZh", "compressed by bzip2; unpack it first (bzip2 -d FILE)"),
    (b"RIFF", "sound or video, not events; give what --record wrote"),
    (b"OggS", "sound or video, not events; give what --record wrote"),
    (b"%PDF", "a PDF; give the recording it was made from"),
    (b"SQLite format 3", "a database; export the messages as JSON, one a line"),
    (b"WEBVTT", "subtitles; give the recording they were made from"),
)


_PORTION = 1 << 16  # bytes


class Lines:
    """The lines of a file, with their line ends. ``broken`` says why they end early; "" if they do not.

    For a pipe that is not compressed, "" says that the next line is not there yet; it is never first, and
    never twice in a row.

    Raises UsageError if the file cannot be opened, or its first bytes rule out a recording.
    """

    def __init__(self, path: str, stdin: TextIO | None = None) -> None:
        self.broken = ""
        self._source, self._file = _open(path, stdin)
        piped = self._file.buffer is self._source and isinstance(getattr(self._source, "raw", None), Patient)
        self._lines = self._read(_as_they_come(self._source, self._file.encoding) if piped else self._file)

    def __iter__(self) -> Iterator[str]:
        return self._lines

    def first(self) -> str:
        """The first line, "" at the end."""
        return next(self._lines, "")

    def rest(self) -> str:
        return "".join(self._lines)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
            self._source.close()  # which gzip leaves open

    def _read(self, lines: Iterable[str]) -> Iterator[str]:
        try:
            yield from lines
        except (OSError, EOFError, zlib.error, UnicodeError) as error:
            self.broken = getattr(error, "strerror", None) or str(error)
        except Exception as error:
            if type(error).__name__ != "ZstdError":
                raise
            self.broken = str(error)


def _open(path: str, stdin: TextIO | None) -> tuple[Any, TextIO]:
    try:
        source = _standard_input(stdin) if path == "-" else os.fdopen(open_to_read(path), "rb")
        if os.name != "nt" and not stat.S_ISREG(os.fstat(source.fileno()).st_mode):
            if path != "-":
                os.set_blocking(source.fileno(), False)
            source = io.BufferedReader(Patient(source), _PORTION)
    except IsADirectoryError:
        raise UsageError(f"{path}: a folder; give its files: {path.rstrip('/')}/*.jsonl") from None
    except (OSError, ValueError) as error:
        raise cannot(path, error) from None
    try:
        return source, _text(path, source)
    except UsageError:
        source.close()
        raise
    except OSError as error:
        source.close()
        raise UsageError(f"{path}: {error.strerror or error}") from None


def _standard_input(stdin: TextIO | None) -> Any:
    stream = sys.stdin if stdin is None else stdin
    if stream.closed or stream.buffer.closed:
        raise UsageError("standard input can be read once: give - once")
    return stream.buffer


def _text(path: str, source: Any) -> TextIO:
    begins = source.peek(16)
    if not begins and path != "-" and is_pipe(source.fileno()):
        raise deserted()
    if len(begins) >= 16 and not any(begins[:16]):
        raise UsageError(f"{path}: not a recording: it begins with zeros")
    if begins.startswith(b"\x1f\x8b"):
        import gzip

        source = gzip.GzipFile(fileobj=source)
        begins = _peek(path, source)
    elif begins.startswith(b"\x28\xb5\x2f\xfd"):
        import zstandard

        unpacked: Any = zstandard.ZstdDecompressor().stream_reader(source, read_across_frames=True)
        source = io.BufferedReader(unpacked, _PORTION)
        begins = _peek(path, source)
    for mark, what in _OTHERS:
        if begins.startswith(mark):
            raise UsageError(f"{path}: {what.replace('FILE', path)}")
    return io.TextIOWrapper(source, encoding(begins), "surrogateescape", newline="\n")


def _as_they_come(source: io.BufferedReader, encoding: str) -> Iterator[str]:
    """The lines of a pipe, and "" when it holds no more at the moment."""
    decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")
    rest: list[str] = []  # a long line comes in many pieces
    while data := source.read1(_PORTION):
        text = decoder.decode(data)
        if end := text.rfind("\n") + 1:
            yield from io.StringIO("".join([*rest, text[:end]]), newline="\n")
            rest = []
            if not select.select([source], [], [], 0)[0]:
                yield ""
        rest.append(text[end:])
    rest.append(decoder.decode(b"", final=True))
    if last := "".join(rest):
        yield last


def _peek(path: str, source: Any) -> bytes:
    """The first bytes. Raises UsageError if not even these can be unpacked."""
    try:
        begins: bytes = source.peek(16)
    except Exception as error:  # errors of three libraries
        raise UsageError(f"{path}: cannot be unpacked: {error}") from None
    return begins
