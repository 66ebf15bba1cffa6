"""Unusual recordings in every output: the result is a report, or one line about the file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.kits.conversations import START, message
from tests.kits.program import console

OUTPUTS = {
    "terminal": (),
    "json": ("--json",),
    "markdown": ("--markdown",),
    **{format: ("--transcript", format) for format in ("srt", "vtt", "txt", "md")},
    "html": ("--html", "OUT"),
    "otlp": ("--otlp", "OUT"),
}
CONTROLS = "".join(map(chr, range(1, 0x20))) + "\x7f\x85\u2028\u202e\u2066\ufffe\ud800 --> \n\n<x>|`*&]]>"
HEAD = {"recording": 1, "conversation_id": "c0ffee11", "target": "sim:", "started": START}


def turn(at: float, number: int = 1, said: str = "Hi", **more: Any) -> list[Any]:
    """A question, a call and its answer."""
    about = {"turn": number, "inference": f"i{number}"}
    return [
        {**one, "seq": 4 * number + place, "timestamp": at + place, **more}
        for place, one in enumerate((
            message("conversation.utterance", **about, role="user", speech=said),
            message("conversation.tool_call", **about, name=said, arguments=said, tool_call_id=said),
            message("conversation.started_speaking", **about, role="pal"),
            message("conversation.stopped_speaking", **about, role="pal", duration=1e8),
        ))
    ]  # fmt: skip


def lines(messages: Iterable[Any]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in messages)


def records(times: Iterable[float]) -> bytes:
    pairs = zip(times, turn(START), strict=True)
    return lines([HEAD, *({"at": at, "dir": "in", "message": one} for at, one in pairs)])


ODD = {
    "only its head": lines([HEAD]),
    "only notes": lines([HEAD, {"at": START, "dir": "note", "message": CONTROLS}]),
    "cut in a line": lines(turn(START)) + lines(turn(START, 2))[:80],
    "cut in a character": lines(turn(START)) + '{"event_type": "conversation.é'.encode()[:-1],
    "NaN and infinity": records([START, float("nan"), float("inf"), float("-inf")]),
    "backward times": records([START - step for step in range(4)]),
    "huge times": lines(turn(5.0)) + lines(turn(9e10, 2)) + lines(turn(1e300, 3)),
    "huge numbers": lines(turn(START, 10**40)) + lines(turn(START, 2**53 - 1)),
    "thousands of digits": lines(turn(START)) + b'{"event_type": "x", "seq": ' + b"9" * 5_000 + b"}\n",
    "control characters": lines(turn(START, said=CONTROLS, conversation_id=CONTROLS)),
    "no turns": lines({**one, "turn_idx": None} for one in turn(START)),
    "no times": lines({**one, "timestamp": None} for one in turn(START)),
}


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
def test_every_output_is_a_report_or_one_line(content: bytes, tmp_path: Path) -> None:
    file, out = tmp_path / "a.jsonl", tmp_path / "out"
    file.write_bytes(content)
    for name, words in OUTPUTS.items():
        result = console("report", str(file), *(str(out) if word == "OUT" else word for word in words))
        said = [line for line in result.err.splitlines() if "skipped" not in line]
        if result.status:
            assert (name, result.status, len(said)) in {(one, 2, 1) for one in ("srt", "vtt", "otlp")}, result
            assert "has no times" in said[0]
        if name == "json":
            json.loads(result.out, parse_constant=pytest.fail)
            continue  # it holds everything as it is
        written = out.read_text("utf-8") if "OUT" in words and not result.status else result.out
        assert not {"\x1b", "\x08", "\u202e", "\u2066", "\ud800"} & set(written), name
        assert name == "otlp" or "<x>" not in written or name in ("terminal", "txt"), name
        if name in ("srt", "vtt"):
            assert written.count("-->") <= content.count(b"utterance"), name


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["-"], "-: not a recording: it is empty"),
        (["FILE", "--baseline", "OLDER"], "a recording of version 2; this program reads version 1"),
        (["FILE", "--baseline", "REPORT"], "a report, not a recording; give the recording it was made from"),
        (["FILE", "--otlp", "/dev/full"], "/dev/full: No space left on device"),
        (["FILE", "--html", "/dev/full"], "/dev/full: No space left on device"),
    ],
)
def test_what_is_refused_is_one_line(words: list[str], text: str, tmp_path: Path) -> None:
    if "/dev/full" in words and not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    for name, content in {
        "FILE": lines(turn(START)),
        "OLDER": lines([{**HEAD, "recording": 2}]),
        "REPORT": lines([{"report": 1, "measures": {}}]),
    }.items():
        (tmp_path / name).write_bytes(content)
    result = console("report", *(str(tmp_path / word) if word.isupper() else word for word in words))
    assert result.status == (1 if "/dev/full" in words else 2)
    assert result.err.endswith(f"{text}\n")
    assert len(result.err.splitlines()) == 1


def test_standard_input_is_read_once() -> None:
    result = console("report", "-", "-", stdin=lines(turn(START)))
    assert (result.status, result.err) == (2, "tavus-console: standard input can be read once: give - once\n")


@pytest.mark.parametrize(("new", "old"), [("FULL", "EMPTY"), ("EMPTY", "FULL")])
def test_a_baseline_without_turns_passes_nothing(new: str, old: str, tmp_path: Path) -> None:
    (tmp_path / "FULL").write_bytes(b"".join(lines(turn(START + 10 * one, one)) for one in range(9)))
    (tmp_path / "EMPTY").write_bytes(lines([HEAD]))
    words = ("report", str(tmp_path / new), "--baseline", str(tmp_path / old), "--max-worse", "10%")
    result = console(*words, "--html", str(tmp_path / "x.html"))
    assert result.status == 3
    assert "CANNOT TELL reply" in result.out
