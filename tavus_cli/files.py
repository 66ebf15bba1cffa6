"""Files that users name, and text in them or on standard input: opened, read and decoded in one place.

Nothing here blocks, reads without a limit, or changes files of other users. Text is UTF-8, with or without a
byte order mark, with LF or CRLF; anything else is refused with the file, the line and what to do. Recordings
(``rooms/files``) are read in other encodings too.

A name may belong to a folder, a pipe, a terminal, a device, or another user's file. Unsuitable ones raise an
OSError whose text says why; ``cannot`` turns it into an error of one line.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import io
import os
import select
import stat
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from tavus_cli.errors import ConsoleError, UsageError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

LARGEST = 64 << 20  # bytes of a file that is read as a whole
_PORTION = 1 << 20

# The name is right, but the machine cannot do it now, so it is not a usage error.
_MACHINE = {
    getattr(errno, name, None)
    for name in ("ENOSPC", "EDQUOT", "EFBIG", "EIO", "EROFS", "ENOMEM", "EMFILE", "ENFILE", "ESTALE")
}
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)
_CLOEXEC = getattr(os, "O_CLOEXEC", 0)
_BINARY = getattr(os, "O_BINARY", 0)
STDIN = "standard input"
_LOOK_UP = 0.5  # seconds: a signal may come right before the wait
TERMINAL_LINE = 1_023 if sys.platform == "darwin" else 4_095  # bytes; a terminal drops the rest of a line

_MARKS = (  # UTF-32 before UTF-16, as its mark begins with that of UTF-16
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


def cannot(path: str | Path, error: OSError | ValueError) -> ConsoleError:
    """The error to raise for an OSError or ValueError of these functions: "failed" for a full disk and the
    like, otherwise "usage".

    A BrokenPipeError is raised again unchanged: it has its own exit status.
    """
    if isinstance(error, BrokenPipeError):
        raise error
    if isinstance(error, ValueError) and "\0" in str(path):
        return UsageError(f"{path}: not a valid file name: it has a NUL character")
    kind = ConsoleError if getattr(error, "errno", None) in _MACHINE else UsageError
    return kind(f"{path}: {getattr(error, 'strerror', None) or error}")


def open_to_read(path: str | Path) -> int:
    """A descriptor to read from. A pipe that no program writes to is at its end at once. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | _NONBLOCK | _CLOEXEC | _BINARY)
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        if stat.S_ISCHR(status.st_mode) and not os.isatty(descriptor) and not _is_null(status):
            raise OSError(errno.EINVAL, "a device, not a file")
        if stat.S_ISBLK(status.st_mode):
            raise OSError(errno.EINVAL, "a device, not a file")
        if _NONBLOCK:
            os.set_blocking(descriptor, True)
    except BaseException:  # a signal too must not leave it open
        os.close(descriptor)
        raise
    return descriptor


def read(path: str | Path, largest: int = LARGEST) -> bytes:
    """The whole file.

    Raises OSError, also for more than ``largest`` bytes, and ValueError as ``open`` does.
    """
    descriptor = open_to_read(path)
    parts, size = [], 0
    try:
        while part := os.read(descriptor, _PORTION):
            parts.append(part)
            size += len(part)
            if size > largest:
                raise OSError(errno.EINVAL, f"larger than {largest >> 20} MiB: not a file of this kind")
        if not size and is_pipe(descriptor):
            raise deserted()
    finally:
        os.close(descriptor)
    return b"".join(parts)


def deserted() -> OSError:
    return OSError(errno.EINVAL, "a pipe that nobody writes to")


def open_to_write(path: str | Path, flags: int, *, file_only: bool = False) -> int:
    """A descriptor to write to; a new file gets mode 0600. ``flags``: O_APPEND, O_TRUNC or O_EXCL.

    ``file_only`` is for output written while a room is joined, when a slow reader must not stop anything: it
    allows only regular files and devices such as /dev/null. "-" is standard output, whatever that is. Raises
    OSError, and ValueError as ``open`` does.
    """
    if path == "-":
        return os.dup(1)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | _NONBLOCK | _CLOEXEC | _BINARY | flags, 0o600)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise OSError(errno.EINVAL, "a pipe that nobody reads, or a socket: give a file") from None
        raise
    try:
        status = os.fstat(descriptor)
        plain = stat.S_ISREG(status.st_mode) or (stat.S_ISCHR(status.st_mode) and not os.isatty(descriptor))
        if stat.S_ISBLK(status.st_mode) or (file_only and not plain):
            raise OSError(errno.EINVAL, "not a file: pipes, terminals and disks cannot be written to here")
        if _NONBLOCK:
            os.set_blocking(descriptor, True)
    except BaseException:  # a signal too must not leave it open
        os.close(descriptor)
        raise
    return descriptor


def make_private(descriptor: int) -> None:
    """Set mode 0600 on our regular file, which will hold people's words. Raises OSError if that fails."""
    status = os.fstat(descriptor)
    if not hasattr(os, "fchmod") or not stat.S_ISREG(status.st_mode):
        return  # never the mode of /dev/null
    if status.st_uid != os.geteuid():
        raise OSError(errno.EPERM, "belongs to another user: give a file of your own")
    if stat.S_IMODE(status.st_mode) != 0o600:
        os.fchmod(descriptor, 0o600)


def write(path: str | Path, texts: Iterable[str]) -> None:
    """Replace the content of a file. Raises the error that ``cannot`` makes."""
    try:
        descriptor = open_to_write(path, os.O_TRUNC)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.writelines(texts)
    except (OSError, ValueError) as error:
        raise cannot(path, error) from None


def make(path: str | Path, texts: Iterable[str]) -> None:
    """Create a file that is written again at the end.

    A full disk is reported only then. Raises UsageError.
    """
    try:
        write(path, texts)
    except UsageError:
        raise
    except ConsoleError:
        pass


class Patient(io.RawIOBase):
    """Reads a pipe or a terminal, which may be silent for hours.

    A signal handler sets ``stop``, and raises it if the main thread is ``waiting``. Our own pipes are read
    without waiting first: one that nobody has written to yet is at its end.
    """

    waiting = False
    stop: BaseException | None = None

    def __init__(self, source: io.BufferedReader) -> None:
        self._source = source  # kept, so that it stays open

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._source.fileno()

    def readinto(self, buffer: Buffer, /) -> int:
        if not os.get_blocking(self.fileno()):
            with contextlib.suppress(BlockingIOError):
                return os.readv(self.fileno(), [buffer])
        try:
            Patient.waiting = threading.current_thread() is threading.main_thread()
            if Patient.waiting and Patient.stop is not None:
                raise Patient.stop
            # a signal interrupts this wait, but not a read
            while not select.select([self], [], [], _LOOK_UP)[0]:
                pass
        finally:
            Patient.waiting = False
        return os.readv(self.fileno(), [buffer])

    def close(self) -> None:
        super().close()
        self._source.close()


def is_pipe(descriptor: int) -> bool:
    return stat.S_ISFIFO(os.fstat(descriptor).st_mode)


def _is_null(status: os.stat_result) -> bool:
    null = os.stat(os.devnull)
    return stat.S_ISCHR(null.st_mode) and null.st_rdev == status.st_rdev


def encoding(begins: bytes) -> str:
    """The encoding of bytes: from their mark, or from the zeros that UTF-16 puts beside ASCII letters."""
    for mark, name in _MARKS:
        if begins.startswith(mark):
            return name
    if len(begins) >= 4 and 0 < begins[0] < 0x80 and begins[1] == 0 and begins[2] and not begins[3]:
        return "utf-16-le"
    if len(begins) >= 4 and not begins[0] and begins[1] and not begins[2] and begins[3]:
        return "utf-16-be"
    return "utf-8"


def read_text(path: str | Path, stdin: TextIO | None = None) -> str:
    """The text of a file, or of ``stdin`` if ``path`` is "-". Raises UsageError."""
    if path == "-":
        return read_stdin(stdin if stdin is not None else sys.stdin)
    try:
        data = read(path)
    except (OSError, ValueError) as error:
        raise cannot(path, error) from None
    return decoded(data, str(path))


def read_stdin(stdin: TextIO) -> str:
    """The whole of standard input, unbuffered: a thread in a buffered read would keep the program from
    ending.

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
    """Bytes to lines, without line ends. ``terminal``: refuse a line of the maximum length, which may be cut.

    ``longest``: bytes that a line may have. ``feed`` and ``rest`` raise UsageError.
    """

    def __init__(self, name: str, *, terminal: bool = False, longest: int | None = None) -> None:
        self._name = name
        self._terminal = terminal
        self._longest = longest
        self._length = 0  # of what is in ``_rest``
        self._number = 0
        self._rest: list[bytes] = []  # joined once: a long line comes in many pieces

    def feed(self, data: bytes) -> Iterator[str]:
        """The lines that are complete now."""
        first, *more = data.split(b"\n")
        self._keep(first)
        for piece in more:
            yield self.rest().removesuffix("\r")
            self._keep(piece)

    def _keep(self, piece: bytes) -> None:
        self._rest.append(piece)
        self._length += len(piece)
        if self._longest is not None and self._length > self._longest:
            self._number += 1
            raise self._wrong(f"a line of over {self._longest:,} bytes: no message is that long")

    def rest(self) -> str:
        """What follows the last end of line."""
        rest, self._rest, self._length = b"".join(self._rest), [], 0
        return self._line(rest)

    def _line(self, data: bytes) -> str:
        self._number += 1
        if self._number == 1:
            self._check_kind(data)
            data = data.removeprefix(codecs.BOM_UTF8)
        if self._terminal and len(data) >= TERMINAL_LINE:
            raise self._wrong(
                f"the terminal cuts lines at {TERMINAL_LINE:,} bytes, so this one was not sent: "
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
