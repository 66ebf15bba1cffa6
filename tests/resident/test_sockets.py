"""Who may connect to a resident session, and to which ones we connect: folders, sockets, users."""

from __future__ import annotations

import os
import socket
import warnings
from pathlib import Path

import pytest

from tavus_cli.errors import ConsoleError, UsageError
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


def test_what_is_not_a_socket_of_ours_is_refused(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    (folder / "sim.sock").write_text("")
    result = console("tail", "sim")
    assert result.status == 2
    assert "not a socket that you own" in result.err
    assert console("session", "start", "sim").status != 0


def test_a_folder_that_others_can_use_is_refused_and_left_unchanged(folder: Path) -> None:
    """It may be /tmp, which root would close to everybody."""
    folder.mkdir()
    for mode in (0o777, 0o1777, 0o755, 0o710, 0o701):
        folder.chmod(mode)
        assert refused_folder(folder).startswith(
            f"{folder} is open to other users (mode {mode:04o}): chmod 700 it"
        )
        assert folder.stat().st_mode & 0o7777 == mode
    result = process("session", "start", "sim")
    assert result.status == 1
    assert "name another folder in TAVUS_CONSOLE_RUNTIME" in result.err
    folder.chmod(0o700)
    link = folder.with_name("link")
    link.symlink_to(folder)
    result = process("session", "start", "sim", TAVUS_CONSOLE_RUNTIME=str(link))
    assert result.status == 1
    assert "not a folder that you own" in result.err


def as_nobody(path: Path) -> bytes:
    """What happens if another user connects.

    It forks, because that user may be unable to start this Python.
    """
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
    with pytest.raises(UsageError, match="not a socket that you own"):
        find("sim")
    os.chown(path, 0, 0)


# -- every refusal -----------------------------------------------------------------------------------------

root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
NOBODY = 65_534


def listening(path: Path) -> socket.socket:
    one = socket.socket(socket.AF_UNIX)
    one.bind(os.fspath(path))
    one.listen(1)
    return one


def refused_folder(folder: Path) -> str:
    with pytest.raises(ConsoleError) as caught:
        runtime.own_folder()
    assert caught.value.status == 1
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_folder_is_made_with_all_above_it_and_is_ours_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = folder / "a" / "b"
    monkeypatch.setenv("TAVUS_CONSOLE_RUNTIME", str(inner))
    assert runtime.own_folder() == inner
    assert inner.stat().st_mode & 0o777 == 0o700


def test_a_file_in_place_of_the_folder(folder: Path) -> None:
    folder.write_text("")
    assert refused_folder(folder) == f"{folder}: File exists"
    assert runtime.sockets() == []


def test_a_file_above_the_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write_text("")
    monkeypatch.setenv("TAVUS_CONSOLE_RUNTIME", str(folder / "inner"))
    assert refused_folder(folder) == f"{folder / 'inner'}: Not a directory"
    with pytest.raises(UsageError, match="Not a directory"):
        runtime.connect(runtime.path_of("sim"), 1.0)


@pytest.mark.parametrize(
    ("mode", "fine"),
    [(0o755, True), (0o777, False), (0o775, False), (0o757, False), (0o1777, True)],
    ids=["ours", "all may write", "the group may", "others may", "all may, sticky"],
)
def test_a_parent_folder_that_others_can_change_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, mode: int, fine: bool
) -> None:
    folder.mkdir()
    folder.chmod(mode)
    inner = folder / "inner"
    monkeypatch.setenv("TAVUS_CONSOLE_RUNTIME", str(inner))
    if fine:
        assert runtime.own_folder() == inner
    else:
        assert refused_folder(folder).startswith(f"{folder} is writable by other users")


@root
@pytest.mark.parametrize("which", ["folder", "above"])
def test_a_folder_of_another_user(folder: Path, monkeypatch: pytest.MonkeyPatch, which: str) -> None:
    inner = folder / "inner"
    inner.mkdir(parents=True)
    monkeypatch.setenv("TAVUS_CONSOLE_RUNTIME", str(inner))
    os.chown(inner if which == "folder" else folder, NOBODY, NOBODY)
    says = (
        f"{inner} is not a folder that you own"
        if which == "folder"
        else f"{folder} is writable by other users"
    )
    assert refused_folder(folder).startswith(says)


def test_a_session_that_does_not_listen(folder: Path) -> None:
    """No folder, no socket, or a socket that a process left behind."""
    path = runtime.path_of("sim")
    assert (runtime.sockets(), runtime.connect(path, 1.0)) == ([], None)
    folder.mkdir(mode=0o700)
    assert runtime.connect(path, 1.0) is None
    listening(path).close()
    assert (runtime.sockets(), runtime.connect(path, 1.0)) == ([path], None)


@pytest.mark.parametrize("what", ["file", "folder", "link"])
def test_another_file_in_place_of_the_socket(folder: Path, what: str) -> None:
    folder.mkdir(mode=0o700)
    path = runtime.path_of("sim")
    with listening(folder / "real"):
        if what == "file":
            path.write_text("")
        elif what == "folder":
            path.mkdir()
        else:
            path.symlink_to(folder / "real")
        with pytest.raises(UsageError, match="is not a socket that you own"):
            runtime.connect(path, 1.0)
        with pytest.raises(UsageError, match="is not a socket that you own"):
            runtime.tidy(path)
    assert os.path.lexists(path)


@root
def test_a_socket_in_a_folder_of_another_user(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    path = runtime.path_of("sim")
    with listening(path):
        os.chown(folder, NOBODY, NOBODY)
        with pytest.raises(UsageError, match="is not a socket that you own"):
            runtime.connect(path, 1.0)


@root
def test_a_socket_that_another_user_listens_on(folder: Path) -> None:
    """Its file is ours, but the kernel says who is at the other end."""
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    for part in folder.parents:
        if part == Path("/tmp"):
            break
        part.chmod(0o755)
    path = runtime.path_of("sim")
    os.seteuid(NOBODY)
    try:
        other = listening(path)
    finally:
        os.seteuid(0)
    os.chown(folder, 0, 0)
    os.chown(path, 0, 0)
    with other, pytest.raises(UsageError, match="is held open by another user"):
        runtime.connect(path, 1.0)


def test_a_path_too_long_for_a_socket(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    with listening(folder / "short"):
        name = "x" * 120
        os.rename(folder / "short", runtime.path_of(name))
        with pytest.raises(UsageError, match=r"x\.sock: AF_UNIX path too long$"):
            runtime.connect(runtime.path_of(name), 1.0)


@pytest.mark.parametrize(
    "command", ["session start sim", "session start --new --pal p1", "session start sim:?seed=7"]
)
def test_a_folder_too_long_for_sockets_is_named_before_anything_is_done(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 100)
    monkeypatch.setenv("TAVUS_CONSOLE_RUNTIME", str(long))
    result = console(*command.split(), TAVUS_API_KEY="0123456789abcdef")
    assert (result.status, len(result.err.splitlines())) == (2, 1)
    assert f"a socket's path at most {runtime.LONGEST_PATH}" in result.err
    assert "name a shorter folder in TAVUS_CONSOLE_RUNTIME" in result.err
    assert list(long.iterdir()) == []


def test_the_wait_for_a_session_that_does_not_accept_is_limited(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    path = runtime.path_of("sim")
    waiting: list[socket.socket | None] = []

    def connect_often() -> None:
        for _ in range(10):  # more than the queue of the system takes
            waiting.append(runtime.connect(path, 0.05))

    with listening(path):
        with pytest.raises(TimeoutError):
            connect_often()
        for one in waiting:
            assert one is not None
            one.close()


def test_a_system_that_does_not_name_the_peer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then only the modes of folder and socket protect it."""
    folder.mkdir(mode=0o700)
    path = runtime.path_of("sim")
    monkeypatch.delattr(socket, "SO_PEERCRED", raising=False)
    with listening(path):
        connection = runtime.connect(path, 1.0)
        assert connection is not None
        with connection:
            assert runtime.peer_uid(connection) in (None, os.geteuid())


def test_a_name_is_held_once_and_freed_with_its_descriptor(folder: Path) -> None:
    one = runtime.lock("sim")
    assert one is not None
    assert runtime.lock("sim") is None
    other = runtime.lock("other")
    assert other is not None
    os.close(one)
    again = runtime.lock("sim")
    assert again is not None
    for descriptor in (other, again):
        os.close(descriptor)


@pytest.mark.parametrize("what", ["link", "folder"])
def test_another_file_in_place_of_the_lock(folder: Path, what: str) -> None:
    folder.mkdir(mode=0o700)
    path = folder / "sim.lock"
    if what == "link":
        path.symlink_to(folder / "elsewhere")
    else:
        path.mkdir()
    with pytest.raises(ConsoleError, match=r"sim\.lock: "):
        runtime.lock("sim")
    assert not (folder / "elsewhere").exists()


def test_files_of_dead_processes_are_removed_and_of_living_ones_kept(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    path = runtime.path_of("sim")
    listening(path).close()
    held = runtime.lock("sim")
    assert held is not None
    runtime.tidy(path)
    assert path.exists()
    os.close(held)
    runtime.tidy(path)
    assert not path.exists()
    runtime.tidy(path)  # another was faster


@pytest.mark.parametrize(
    ("word", "fits"),
    [("sim", True), ("c-1.a_b", True), ("x" * 64, True), ("x" * 65, False)]
    + [(word, False) for word in ("", "-x", ".x", "a/b", "..", "a b", "é", "x\n")],
)
def test_names_that_stay_in_the_folder(word: str, fits: bool) -> None:
    assert runtime.is_session_id(word) is fits


@pytest.mark.parametrize(
    "target", ["https://[", "https://x.daily.co/../..", "https://x.daily.co/a?t=../x", ""]
)
def test_the_name_of_any_target_stays_in_the_folder(folder: Path, target: str) -> None:
    path = runtime.path_of(runtime.session_id(target))
    assert Path(os.path.normpath(path)).parent == folder
    assert path.name.isascii()


def test_without_unix_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "AF_UNIX")
    for arguments in (["session", "list"], ["session", "start", "sim"]):
        result = console(*arguments)
        assert result.status == 2
        assert "resident sessions need Unix sockets" in result.err
    assert find("sim") is None
