"""Who may connect to a resident session, and to whom we connect: folders, sockets, users."""

from __future__ import annotations

import os
import socket
import warnings
from pathlib import Path

import pytest

from tavus_cli.errors import UsageError
from tavus_cli.resident import sockets as runtime
from tavus_cli.resident.room import find
from tests.kits.program import console, process
from tests.kits.resident_kit import start

pytestmark = [
    pytest.mark.skipif(not runtime.supported(), reason="no Unix sockets here"),
    pytest.mark.usefixtures("sessions"),
]


@pytest.fixture
def folder(sessions: Path) -> Path:
    return sessions


def test_the_peer_is_known() -> None:
    one, other = socket.socketpair(socket.AF_UNIX)
    with one, other:
        assert runtime.peer_uid(one) == os.geteuid()


def test_what_is_no_socket_of_ours_is_refused(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    (folder / "sim.sock").write_text("")
    result = console("tail", "sim")
    assert result.status == 2
    assert "not a socket of yours" in result.err
    assert console("session", "start", "sim").status != 0


def test_a_folder_that_others_may_change_is_made_ours_or_refused(folder: Path) -> None:
    folder.mkdir(mode=0o777)
    start()
    assert folder.stat().st_mode & 0o777 == 0o700
    console("session", "stop")
    link = folder.with_name("link")
    link.symlink_to(folder)
    result = process("session", "start", "sim", TAVUS_CONSOLE_RUNTIME=str(link))
    assert result.status == 1
    assert "not a folder of yours" in result.err


def as_nobody(path: Path) -> bytes:
    """What happens to another user who connects. Forked: that user may not even start this Python."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of forking beside threads: the child does nothing with them
        child = os.fork()
    if child == 0:
        try:
            os.setuid(65_534)
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(os.fspath(path))
                os.write(writing, connection.recv(1) or b"closed")
        except OSError as error:
            os.write(writing, type(error).__name__.encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        said = file.read()
    os.waitpid(child, 0)
    return said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_another_user_cannot_connect_and_is_not_connected_to(folder: Path) -> None:
    start()
    path = folder / "sim.sock"
    assert as_nobody(path) == b"PermissionError"
    for part in (folder, *folder.parents):
        if part in (Path("/"), Path("/tmp")):
            break
        part.chmod(0o755)
    path.chmod(0o777)
    assert as_nobody(path) == b"closed"
    os.chown(path, 65_534, 65_534)
    with pytest.raises(UsageError, match="not a socket of yours"):
        find("sim")
    os.chown(path, 0, 0)
