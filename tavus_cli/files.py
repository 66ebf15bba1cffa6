"""Opening the files that people name. Nothing here blocks, reads without end, or changes what is not ours.

A name may be that of a folder, a pipe, a terminal, a device, somebody else's file. What cannot serve is
refused by an OSError whose text says why; ``cannot`` makes the one line of it.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from tavus_cli.errors import ConsoleError, UsageError

LARGEST = 64 << 20  # bytes of a file that is read as a whole
_PORTION = 1 << 20

# The file is well named, and the machine cannot do it now: that is no mistake on the command line.
_MACHINE = {
    getattr(errno, name, None)
    for name in ("ENOSPC", "EDQUOT", "EFBIG", "EIO", "EROFS", "ENOMEM", "EMFILE", "ENFILE", "ESTALE")
}
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)
_CLOEXEC = getattr(os, "O_CLOEXEC", 0)
_BINARY = getattr(os, "O_BINARY", 0)


def cannot(path: str | Path, error: OSError | ValueError) -> ConsoleError:
    """The error to raise for one of these functions: failed for a full disk and its like, else usage.

    Raises a BrokenPipeError as it is: it has a status of its own.
    """
    if isinstance(error, BrokenPipeError):
        raise error
    if isinstance(error, ValueError) and "\0" in str(path):
        return UsageError(f"{path}: not a valid file name: it has a NUL character")
    kind = ConsoleError if getattr(error, "errno", None) in _MACHINE else UsageError
    return kind(f"{path}: {getattr(error, 'strerror', None) or error}")


def open_to_read(path: str | Path) -> int:
    """A descriptor; of a pipe too, which is at its end where no program writes to it. Raises OSError."""
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
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read(path: str | Path, largest: int = LARGEST) -> bytes:
    """All of a file. Raises OSError, also for one over ``largest`` bytes, and ValueError as ``open``."""
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
    """A descriptor; a new file is for its owner only. ``flags``: O_APPEND, O_TRUNC or O_EXCL.

    ``file_only``: for what is written while a room is joined, where no slow reader may stop anything: a
    regular file, or a device such as /dev/null. "-" is standard output, whatever that is. Raises OSError, and
    ValueError as ``open``.
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
            raise OSError(errno.EINVAL, "not a file: a pipe, a terminal and a disk cannot be written to here")
        if _NONBLOCK:
            os.set_blocking(descriptor, True)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def make_private(descriptor: int) -> None:
    """Mode 0600 for a regular file of ours that is about to hold people's words. Raises OSError otherwise."""
    status = os.fstat(descriptor)
    if not hasattr(os, "fchmod") or not stat.S_ISREG(status.st_mode):
        return  # never the mode of /dev/null
    if status.st_uid != os.geteuid():
        raise OSError(errno.EPERM, "belongs to another user: give a file of your own")
    if stat.S_IMODE(status.st_mode) != 0o600:
        os.fchmod(descriptor, 0o600)


def write(path: str | Path, texts: Iterable[str]) -> None:
    """Replace what the file holds. Raises what ``cannot`` makes of an OSError."""
    try:
        descriptor = open_to_write(path, os.O_TRUNC)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.writelines(texts)
    except (OSError, ValueError) as error:
        raise cannot(path, error) from None


def is_pipe(descriptor: int) -> bool:
    return stat.S_ISFIFO(os.fstat(descriptor).st_mode)


def _is_null(status: os.stat_result) -> bool:
    null = os.stat(os.devnull)
    return stat.S_ISCHR(null.st_mode) and null.st_rdev == status.st_rdev
