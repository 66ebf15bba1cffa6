"""The next start names what a killed console left running."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tavus_cli.api import notes
from tavus_cli.api.notes import Left, Note, forget, left_behind
from tests.kits.program import CONSOLE, console, environ
from tests.kits.tavus_api import KEY, PAL, LocalApi, local_api

ID = "c000000000000001"
ENDS_IT = f"tavus-console conversation end {ID}"


@pytest.fixture
def api() -> Iterator[LocalApi]:
    with local_api(behind="sim") as one:
        yield one


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "tavus-console" / "open"


def test_a_note_shows_what_is_open(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    note = Note(60, folder, lambda: 100.0)
    (path,) = folder.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert left_behind(folder, lambda: 101.0) == []  # a console is responsible for it
    note.created(ID)
    note.close()
    assert left_behind(folder, lambda: 101.0) == [Left(ID, 100.0)]
    assert left_behind(folder, lambda: 161.0) == []
    assert list(folder.iterdir()) == []


def test_a_creation_without_an_answer_has_no_id(tmp_path: Path) -> None:
    Note(60, tmp_path, lambda: 100.0).close()
    assert left_behind(tmp_path, lambda: 101.0) == [Left(None, 100.0)]


def test_the_note_of_an_ended_conversation_is_removed(tmp_path: Path) -> None:
    for name in (ID, "c111111"):
        note = Note(60, tmp_path)
        note.created(name)
        note.close()
    forget(ID, tmp_path)
    assert [one.conversation_id for one in left_behind(tmp_path)] == ["c111111"]
    note = Note(60, tmp_path)
    note.created(ID)
    note.remove()
    assert len(list(tmp_path.iterdir())) == 1


STRAY = ("", "{", "[]", "null", '{"at": "x", "until": 9e99}', '{"until": 9e99}', "\x00" * 9, "[" * 9_999)


@pytest.mark.parametrize("text", STRAY)
def test_a_stray_file_is_harmless(tmp_path: Path, text: str) -> None:
    (tmp_path / "stray").write_text(text)
    assert left_behind(tmp_path) == []


@pytest.mark.parametrize("name", ["x; rm -rf ~", "\x1b[31m", "../x", 3, None, []])
def test_a_stray_id_is_not_shown(tmp_path: Path, name: object) -> None:
    (tmp_path / "stray").write_text(json.dumps({"at": 1, "until": 9e99, "conversation_id": name}))
    assert left_behind(tmp_path) == [Left(None, 1)]


def test_unexpected_files_in_the_folder_are_ignored(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "folder").mkdir()
    assert left_behind(tmp_path) == []
    assert left_behind(tmp_path / "nowhere") == []


def test_an_unwritable_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    note = Note(60, tmp_path / "file" / "open")
    assert "Not a directory" in note.trouble
    note.created(ID)
    note.remove()


# -- the console ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV])
def test_the_next_start_names_what_a_killed_console_left(api: LocalApi, state: Path, number: int) -> None:
    variables = {"TAVUS_API_KEY": KEY, "TAVUS_API_BASE_URL": api.base_url}
    with subprocess.Popen(
        [CONSOLE, "join", "--new", "--pal", PAL],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ(**variables),
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert console("join", "sim:?speed=max", **variables).err == ""  # its console is running
        child.send_signal(number)
        assert child.wait(60) == -number
    assert api.active == [ID]
    told = console("join", "sim:?speed=max", **variables).err
    assert f"{ID}, created here at " in told
    assert told.endswith(f"may still be billed; to end it: {ENDS_IT}\n")
    (found,) = [
        one for one in _checks(console("doctor", "--json", **variables).out) if one["check"] == "left"
    ]
    assert ENDS_IT in found["text"]
    assert console("conversation", "end", ID, **variables).status == 0
    assert console("join", "sim:?speed=max", **variables).err == ""
    assert list(state.iterdir()) == []


def _checks(out: str) -> list[dict[str, str]]:
    checks: list[dict[str, str]] = json.loads(out)["checks"]
    return checks


def test_the_note_is_removed_once_it_has_ended(api: LocalApi, state: Path) -> None:
    variables = {"TAVUS_API_KEY": KEY, "TAVUS_API_BASE_URL": api.base_url}
    api.behind = "sim:?speed=max"
    assert console("join", "--new", "--pal", PAL, "--end-on-exit", **variables).status == 0
    assert list(state.iterdir()) == []
    assert console("join", "--new", "--pal", PAL, **variables).status == 0  # it continues
    assert [one.conversation_id for one in left_behind(state)] == api.active


def test_a_creation_that_was_refused_leaves_no_note(api: LocalApi, state: Path) -> None:
    variables = {"TAVUS_API_KEY": "wrong-key-0123456789", "TAVUS_API_BASE_URL": api.base_url}
    assert console("join", "--new", "--pal", PAL, **variables).status == 4
    assert list(state.iterdir()) == []
    assert console("join", "--new", "--pal", PAL, TAVUS_API_KEY=KEY).status == 5  # nobody there
    assert list(state.iterdir()) == []


def test_the_most_minutes(api: LocalApi, state: Path) -> None:
    variables = {"TAVUS_API_KEY": KEY, "TAVUS_API_BASE_URL": api.base_url}
    api.behind = "sim:?speed=max"
    result = console("join", "--new", "--pal", PAL, "--max-minutes", "5", **variables)
    assert api.requests[0].body == {"persona_id": PAL, "properties": {"max_call_duration": 300}}
    assert f"{ID} is billed until it ends, for at most 5 min: {ENDS_IT}\n" in result.err
    refused = console("join", "sim", "--max-minutes", "5")
    assert (refused.status, "need --new" in refused.err) == (2, True)
    assert console("join", "--new", "--pal", PAL, "--max-minutes", "0").status == 2
    assert notes.left_behind(state)
