"""For every option that takes a file: anything else is an error of one line, never a hang."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tavus_cli import files
from tavus_cli.errors import ConsoleError, ExitStatus, UsageError
from tests.kits.program import Result, console

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no pipes with names, no /dev")

FAST = "sim:?speed=max"
READING: dict[str, list[str]] = {
    "run": ["run", FAST, "FILE"],
    "run --check": ["run", "--check", "FILE"],
    "sim:FILE": ["tail", "sim:FILE", "--count", "1"],
    "replay": ["replay", "FILE"],
    "report": ["report", "FILE"],
    "redact": ["redact", "FILE"],
    "tools": ["tools", "--rerun", "FILE", "--tool", "x=true"],
    "--tools": ["run", FAST, "SCRIPT", "--tools", "FILE"],
    "--body": ["conversation", "create", "--body", "FILE"],
    "--audio": ["send", FAST, "echo", "--audio", "FILE"],
    "--baseline": ["report", "RECORDING", "--baseline", "FILE"],
    "config": ["config", "show"],
}
WRITING: dict[str, list[str]] = {
    "--record of run": ["run", FAST, "SCRIPT", "--record", "FILE"],
    "--record of tail": ["tail", FAST, "--count", "1", "--record", "FILE"],
    "--junit": ["run", FAST, "SCRIPT", "--junit", "FILE"],
    "--html": ["report", "RECORDING", "--html", "FILE"],
    "--report": ["run", FAST, "SCRIPT", "--report", "FILE"],
    "--tool-log": ["run", FAST, "SCRIPT", "--tool", "x=true", "--tool-log", "FILE"],
}
ODD = ("folder", "pipe", "socket", "loop", "dangling", "long", "below a file", "no such", "NUL")
ENDLESS = ("/dev/zero", "/dev/urandom", "/dev/full", "sparse")


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A path of each kind."""
    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")
    os.symlink("loop", folder / "loop")
    os.symlink("nowhere/at/all", folder / "dangling")
    (folder / "file").touch()
    with open(folder / "sparse", "wb") as file:
        file.truncate(100 << 30)
    paths = {name: str(folder / name) for name in ODD} | {name: name for name in ENDLESS}
    paths |= {
        "long": str(folder / ("x" * 5_000)),
        "below a file": str(folder / "file" / "x"),
        "NUL": str(folder / "a\0b"),
        "sparse": str(folder / "sparse"),
    }
    with socket.socket(socket.AF_UNIX) as one:
        os.chdir(folder)
        one.bind("socket")
        yield paths


@pytest.fixture(autouse=True)
def back() -> Iterator[None]:
    """Paths of sockets must be short, so their folder is entered."""
    before = os.getcwd()
    yield
    os.chdir(before)


def run(arguments: list[str], path: str, tmp_path: Path) -> Result:
    script, recording = tmp_path / "a.tavus", tmp_path / "a.jsonl"
    script.write_text("hello\n/expect reply\n")
    recording.write_text('{"event_type": "conversation.utterance", "properties": {"role": "user"}}\n')
    known = {"FILE": path, "SCRIPT": str(script), "RECORDING": str(recording), "sim:FILE": f"sim:{path}"}
    environ = {"TAVUS_CONSOLE_CONFIG": path} if arguments[0] == "config" else {}
    return console(*(known.get(one, one) for one in arguments), **environ)


@pytest.mark.parametrize(
    ("option", "kind"),
    [
        (option, kind)
        for option in READING
        for kind in [*ODD, *ENDLESS]
        if not (kind == "NUL" and READING[option][0] == "config")  # no variable holds one
    ],
)
def test_what_cannot_be_read(option: str, kind: str, odd: dict[str, str], tmp_path: Path) -> None:
    if kind.startswith("/dev") and not os.path.exists(kind):
        pytest.skip("not here")
    result = run(READING[option], odd[kind], tmp_path)
    assert result.status in (ExitStatus.FAILED, ExitStatus.USAGE), result
    assert result.err.startswith("tavus-console: "), result
    assert len(result.err.splitlines()) == 1, result


@pytest.mark.parametrize("kind", [one for one in ODD if one != "no such"])
@pytest.mark.parametrize("option", WRITING)
def test_what_cannot_be_written(option: str, kind: str, odd: dict[str, str], tmp_path: Path) -> None:
    result = run(WRITING[option], odd[kind], tmp_path)
    assert result.status == ExitStatus.USAGE, result
    assert result.err.startswith("tavus-console: "), result
    assert len(result.err.splitlines()) == 1, result


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full device here")
@pytest.mark.parametrize("option", [one for one in WRITING if one != "--tool-log"])  # nothing is written
def test_a_full_disk_is_a_failure_and_no_mistake_in_usage(option: str, tmp_path: Path) -> None:
    result = run(WRITING[option], "/dev/full", tmp_path)
    assert "/dev/full: No space left on device" in result.err
    assert len(result.err.splitlines()) == 1, result
    assert result.status == ExitStatus.FAILED


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full device here")
@pytest.mark.parametrize("times", [1, 2])
def test_a_full_disk_hides_no_failure_of_the_script(times: int, tmp_path: Path) -> None:
    script = tmp_path / "a.tavus"
    script.write_text("hello\n/expect no reply within 1s\n")
    result = console("run", FAST, str(script), "--repeat", str(times), "--junit", "/dev/full")
    assert result.status == ExitStatus.NOT_MET
    assert result.err.count("expected no reply") == times
    assert result.err.endswith("tavus-console: /dev/full: No space left on device\n")


# -- the functions -----------------------------------------------------------------------------------------


def test_a_pipe_that_is_written_to_is_read_and_one_that_is_not_is_empty(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"some text")
    os.close(writing)
    assert files.read(f"/dev/fd/{reading}") == b"some text"
    os.close(reading)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="a pipe that nobody writes to"):
        files.read(tmp_path / "pipe")


def test_at_most_so_many_bytes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * (1 << 20))
    assert len(files.read(path, 1 << 20)) == 1 << 20
    path.write_bytes(b"x" * ((1 << 20) + 1))
    with pytest.raises(OSError, match="larger than 1 MiB"):
        files.read(path, 1 << 20)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can be somebody else")
def test_a_file_of_another_user_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "theirs"
    path.touch(mode=0o644)
    os.chown(path, 65_534, 65_534)
    result = console("tail", FAST, "--count", "1", "--record", str(path))
    assert result == Result(
        2, "", f"tavus-console: {path}: belongs to another user: give a file of your own\n"
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_the_kind_of_error() -> None:
    assert type(files.cannot("x", OSError(28, "No space left on device"))) is ConsoleError
    assert type(files.cannot("x", FileNotFoundError(2, "No such file or directory"))) is UsageError
    assert str(files.cannot("x", ValueError("embedded null byte"))) == "x: embedded null byte"
