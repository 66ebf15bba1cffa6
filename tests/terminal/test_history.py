"""The history file: private, bounded, and never a reason to fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from tavus_cli.terminal.history import ENTRIES, ENTRY_CHARACTERS, open_history


def test_history_file_is_private_and_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "state" / "history"
    history, note = open_history(path)
    assert note is None
    history.append_string("one")
    history.append_string("two\nlines \ud800")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700

    again, note = open_history(path)
    assert note is None
    assert list(again.load_history_strings()) == ["two\nlines \ud800", "one"]


def test_history_file_is_bounded_and_made_private(tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.touch(mode=0o644)
    history, _ = open_history(path)
    assert path.stat().st_mode & 0o777 == 0o600
    history.append_string("x" * (ENTRY_CHARACTERS + 1))
    for number in range(2 * ENTRIES + 1):
        history.append_string(str(number))

    again, note = open_history(path)
    assert note is None
    assert len(list(again.load_history_strings())) == ENTRIES
    assert path.read_bytes().count(b"\n") == ENTRIES
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["history"]


def test_history_survives_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_bytes(b'"good"\n\xff\xfe\n{"not": "ours"}\n"cut of')
    history, note = open_history(path)
    assert list(history.load_history_strings()) == ["good"]
    assert note is not None
    assert "3 damaged lines" in note
    history.append_string("next")
    again, note = open_history(path)
    assert note is None
    assert list(again.load_history_strings()) == ["next", "good"]


def test_history_leaves_other_files_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("my notes\n")
    history, note = open_history(path)
    assert note is not None
    history.append_string("typed")
    assert path.read_text() == "my notes\n"


@pytest.mark.parametrize("name", ["folder", "file/history"])
def test_history_falls_back_to_memory(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    history, note = open_history(tmp_path / name)
    assert note is not None
    assert "this session only" in note
    history.append_string("kept")
    assert history.get_strings() == ["kept"]


def test_history_continues_when_the_file_cannot_be_written_any_more(tmp_path: Path) -> None:
    path = tmp_path / "history"
    history, _ = open_history(path)
    path.unlink()
    path.mkdir()
    history.append_string("kept")
    assert history.get_strings() == ["kept"]
