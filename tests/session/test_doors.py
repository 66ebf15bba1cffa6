"""Sending sound in every way: typed, piped, in a script, by /when, in a recording, by ``send`` and
``doctor``.
"""

from __future__ import annotations

import json
import wave
from pathlib import Path
from typing import Any

import pytest

from tests.kits.program import Result, console

FAST = "sim:?speed=max"
SOON = "/when utterance role=pal"  # the greeting

Door = tuple[list[str], str]  # the arguments and standard input; {} is the command, {script} a file of it

DOORS: dict[str, Door] = {
    "send": (["send", FAST, "echo", "--audio", "{sound}", "--wait", "stopped_speaking"], ""),
    "send many": (["send", FAST, "-"], "{}\n"),
    "typed": (["join", FAST], "{}\n"),
    "placed by typing": (["join", FAST], f"{SOON} {{}}\nhello\n"),
    "script": (["run", FAST, "{script:{}}"], ""),
    "placed by a script": (["run", FAST, f"{{script:{SOON} {{}}\n/wait stopped_speaking role=pal}}"], ""),
    "doctor": (["doctor", "--room", FAST, "--for", "10ms", "--send", "{}"], ""),
}


def through(door: Door, sound: Path, *more: str) -> Result:
    line = f"/echo --audio {sound}"
    arguments, typed = door
    filled = []
    for one in arguments:
        if one.startswith("{script:"):
            script = sound.with_name("script.txt")
            script.write_text(one.removeprefix("{script:")[:-1].replace("{}", line) + "\n")
            one = str(script)
        filled.append(one.replace("{}", line).replace("{sound}", str(sound)))
    return console(*filled, *more, stdin=typed.replace("{}", line))


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "hello.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 8_000, 0, "NONE", ""))
        file.writeframes(b"\1\2" * 2 * 1_600)  # a fifth of a second
    return path


def sent(record: Path) -> list[Any]:
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    return [line["message"] for line in lines if line.get("dir") == "out"]


@pytest.mark.parametrize("name", DOORS)
def test_sound_is_sent(name: str, sound: Path) -> None:
    """All of it is sent, in pieces that belong together; if the command can record, so says the recording."""
    record = sound.with_name("talk.jsonl")
    records = name in ("typed", "placed by typing", "script", "placed by a script")
    result = through(DOORS[name], sound, *(["--record", str(record)] if records else []))
    said = [line for line in result.err.splitlines() if not line.startswith(("spoken: ", "waiting: /when"))]
    assert (result.status, said) == (0, []), result
    if not records:
        return
    pieces = [one["properties"] for one in sent(record) if one["event_type"] == "conversation.echo"]
    assert [one["done"] for one in pieces] == [False] * (len(pieces) - 1) + [True]
    assert len({one["inference_id"] for one in pieces}) == 1
    assert {one["sample_rate"] for one in pieces} == {8_000}


@pytest.mark.parametrize("name", DOORS)
@pytest.mark.parametrize("damage", ["missing", "not a WAV file"])
def test_a_file_that_is_not_a_sound_is_named_and_nothing_is_sent(name: str, damage: str, sound: Path) -> None:
    if damage == "missing":
        sound.unlink()
    else:
        sound.write_text("words")
    record = sound.with_name("talk.jsonl")
    records = name in ("typed", "placed by typing", "script", "placed by a script")
    result = through(DOORS[name], sound, *(["--record", str(record)] if records else []))
    assert result.status in (1, 2), result
    assert str(sound) in result.err + result.out
    assert "Traceback" not in result.err
    if records:
        assert [one for one in sent(record) if one["event_type"] == "conversation.echo"] == []


@pytest.mark.parametrize("name", ["script", "placed by a script"])
def test_sound_is_compared_with_a_recording(name: str, sound: Path) -> None:
    record = sound.with_name("talk.jsonl")
    assert through(DOORS[name], sound, "--record", str(record)).status == 0
    script = str(sound.with_name("script.txt"))
    assert console("run", str(record), script).status == 0
    other = sound.with_name("other.txt")
    other.write_text(Path(script).read_text() + f"/echo --audio {sound}\n")
    result = console("run", str(record), str(other))
    assert result.status == 3
    assert "expected a sound, but the recording sent nothing more" in result.err
