"""--from and --to: by time, number and turn."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.kits.conversations import START, message
from tests.kits.program import console


@pytest.fixture
def file(tmp_path: Path) -> str:
    lines = [
        message("conversation.utterance", seq=n, turn=n // 3, at=START + n, role="user", speech=f"w{n}")
        for n in range(1, 12)
    ]
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in lines))
    return str(path)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["--from", "seq:4"], range(4, 12)),
        (["--from", "seq 4", "--to", "seq:6"], range(4, 7)),
        (["--to", "turn:1"], range(1, 6)),
        (["--from", "turn 2", "--to", "turn 2"], range(6, 9)),
        (["--from", "+3s"], range(4, 12)),
        (["--to", "2s"], range(1, 4)),
        (["--from", "2026-09-21T14:13:25Z", "--to", "2026-09-21T14:13:27+00:00"], range(5, 8)),
        (["--from", "14:13:25", "--to", "14:13:26"], range(5, 7)),
        (["--from", "seq:99"], range(0)),
    ],
)
def test_a_part(file: str, monkeypatch: pytest.MonkeyPatch, words: list[str], shown: range) -> None:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    result = console("replay", file, *words, "--format", "{text}")
    assert (result.status, result.err) == (0, "")
    assert result.lines == [f"w{n}" for n in shown]


@pytest.mark.parametrize("word", ["later", "seq:x", "turn:-1", "25", "12:3", ""])
def test_invalid_places(file: str, word: str) -> None:
    result = console("replay", file, "--from", word)
    if word in ("25", ""):  # seconds; nothing
        assert result.status == 0
        return
    assert result.status == 2
    assert "is not a valid place in a recording" in result.err
