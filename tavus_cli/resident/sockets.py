"""Sockets and locks of resident sessions, one of each, in a folder that only their user can access."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import stat
import struct
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from tavus_cli.errors import ConsoleError, UsageError
from tavus_cli.protocol.wire import is_conversation_id
from tavus_cli.rooms.sim import is_simulated
from tavus_cli.settings.folders import runtime_folder

CONNECTING = (
    0.25  # seconds to connect: immediate, unless the other process accepts nothing and its queue is full
)
LONGEST_PATH = 103 if sys.platform == "darwin" else 107  # bytes of the path of a socket
AGAIN = 0.02  # seconds between two tries
_ID = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"


def supported() -> bool:
    """Whether this system has what resident sessions need."""
    return hasattr(socket, "AF_UNIX") and hasattr(os, "geteuid")


def folder() -> Path:
    """The folder of the sockets, or the one TAVUS_CONSOLE_RUNTIME names. It may not exist yet."""
    if named := os.environ.get("TAVUS_CONSOLE_RUNTIME"):
        return Path(named)
    return runtime_folder()


def own_folder() -> Path:
    """The folder, created if missing; an existing one is not changed.

    Raises ConsoleError if other users have access to it.
    """
    path = folder()
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = path.lstat()
        above = path.parent.stat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            raise ConsoleError(f"{path} is not a folder that you own: no resident session is run there")
        if above.st_uid not in (os.geteuid(), 0) or (
            above.st_mode & 0o022 and not above.st_mode & stat.S_ISVTX
        ):
            raise ConsoleError(f"{path.parent} is writable by other users: no resident session is run there")
        if status.st_mode & 0o077:
            raise ConsoleError(
                f"{path} is open to other users (mode {stat.S_IMODE(status.st_mode):04o}): chmod 700 it, "
                "or name another folder in TAVUS_CONSOLE_RUNTIME"
            )
    except OSError as error:
        raise ConsoleError(f"{path}: {error.strerror or error}") from None
    return path


def session_id(target: str, conversation_id: str | None = None) -> str:
    """The name of the resident session for a TARGET: the conversation id, if it is known."""
    if is_simulated(target):
        return "sim" if target == "sim" else f"sim-{_short(target)}"
    try:
        parts = urlsplit(target)
        host = parts.hostname
    except ValueError:  # joining reports the mistake, without the token
        return "none"
    room = conversation_id or parts.path.rstrip("/").rpartition("/")[2]
    if is_conversation_id(room):
        return room
    return f"{re.sub(r'[^A-Za-z0-9_-]', '-', room)[:40] or 'room'}-{_short(f'{host}/{parts.path}')}"


def is_session_id(word: str) -> bool:
    return re.fullmatch(_ID, word) is not None


def sockets() -> list[Path]:
    """The names of all sessions, running or dead."""
    try:
        return sorted(path for path in folder().iterdir() if path.suffix == ".sock")
    except OSError:
        return []


def path_of(name: str) -> Path:
    return folder() / f"{name}.sock"


def check_length(path: Path) -> None:
    """Raises UsageError for a path that is too long for a socket."""
    length = len(os.fsencode(path))
    if length > LONGEST_PATH:
        raise UsageError(
            f"{path} is {length} bytes long, and a socket's path at most {LONGEST_PATH}: "
            "name a shorter folder in TAVUS_CONSOLE_RUNTIME"
        )


def _connect(connection: socket.socket, path: Path, timeout: float) -> None:
    """Connect. Raises TimeoutError if the queue of the other side stays full, and OSError."""
    until = time.monotonic() + timeout
    while True:
        try:
            connection.connect(os.fspath(path))
            return
        except BlockingIOError:  # Linux does not wait by itself
            if time.monotonic() >= until:
                raise TimeoutError from None
            time.sleep(AGAIN)


def _lock_path(name: str) -> Path:
    return folder() / f"{name}.lock"


def check_owner(path: Path) -> bool:
    """Whether our socket exists. Raises UsageError for any other file in its place."""
    try:
        status, above = path.lstat(), path.parent.lstat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None
    if not stat.S_ISSOCK(status.st_mode) or {status.st_uid, above.st_uid} != {os.geteuid()}:
        raise UsageError(f"{path} is not a socket that you own: not connected")
    return True


def peer_uid(connection: socket.socket) -> int | None:
    """The user on the other end; None if the system does not say."""
    if hasattr(socket, "SO_PEERCRED"):
        size = struct.calcsize("3i")
        return int(struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))[1])
    try:  # macOS, the BSDs: struct xucred by LOCAL_PEERCRED
        return int(struct.unpack("2I", connection.getsockopt(0, 1, 8))[1])
    except OSError:
        return None


def peer_pid(connection: socket.socket) -> int | None:
    """The process that listens on the other end; None if the system does not say."""
    if hasattr(socket, "SO_PEERCRED"):
        size = struct.calcsize("3i")
        return int(struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))[0])
    try:  # macOS: LOCAL_PEERPID
        return int(connection.getsockopt(0, 2))
    except OSError:
        return None


def connect(path: Path, timeout: float) -> socket.socket | None:
    """A connection to one of our sessions; None if no process listens.

    Raises TimeoutError if its queue stays full, and UsageError.
    """
    if not check_owner(path):
        return None
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(timeout)
    try:
        _connect(connection, path, timeout)
        if peer_uid(connection) not in (os.geteuid(), None):
            raise UsageError(f"{path} is held open by another user: not connected")
    except (ConnectionRefusedError, FileNotFoundError):
        connection.close()
        return None
    except TimeoutError:
        connection.close()
        raise
    except OSError as error:
        connection.close()
        raise UsageError(f"{path}: {error.strerror or error}") from None
    except BaseException:  # a signal too must not leave it open
        connection.close()
        raise
    return connection


def lock(name: str) -> int | None:
    """A descriptor that locks the name while this process lives; None if another process has it."""
    import fcntl

    own_folder()
    path = _lock_path(name)
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        raise ConsoleError(f"{path}: {error.strerror or error}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    if sys.platform == "linux":  # a second lock, of the kind for which the kernel names the owner; see holder
        with contextlib.suppress(OSError):
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


def holder(name: str) -> int | None:
    """The process that holds the name, according to the kernel: by its lock, or else by its socket.

    None if no process does, or it cannot be found out.
    """
    if sys.platform == "linux":
        import fcntl

        shape = "hhqqi4x"  # struct flock
        try:
            descriptor = os.open(_lock_path(name), os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            asked = struct.pack(shape, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            kind, _, _, _, pid = struct.unpack(shape, fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
        except OSError:
            return None
        finally:
            os.close(descriptor)
        if kind != fcntl.F_UNLCK and pid > 0:
            return int(pid)
    try:
        connection = connect(path_of(name), CONNECTING)
    except (TimeoutError, UsageError):
        return None
    if connection is None:
        return None
    with connection:
        return peer_pid(connection)


def is_held(name: str) -> bool:
    """Whether a running process (not a zombie) holds the name. Raises ConsoleError."""
    descriptor = lock(name)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False


def signal_holder(name: str, *numbers: int) -> None:
    """Send signals to the process that holds the name, and never to another one that reuses its pid."""
    pid = holder(name)
    if pid is None or pid == os.getpid():
        return
    with contextlib.suppress(ProcessLookupError):
        if not hasattr(os, "pidfd_open"):
            for number in numbers:
                os.kill(pid, number)
            return
        process = os.pidfd_open(pid)
        try:
            if holder(name) == pid:  # still the holder, so the descriptor refers to it
                for number in numbers:
                    signal.pidfd_send_signal(process, number)
        finally:
            os.close(process)


def tidy(path: Path) -> None:
    """Remove the socket of a dead process."""
    descriptor = lock(path.stem)
    if descriptor is not None:
        try:
            if check_owner(path):
                path.unlink(missing_ok=True)
        finally:
            os.close(descriptor)


def _short(text: str) -> str:
    """A TARGET of the simulation with an absolute file name, as another process may have another folder."""
    import hashlib

    where = os.getcwd() if ".toml" in text else ""
    return hashlib.sha256(f"{where}\n{text}".encode()).hexdigest()[:8]
