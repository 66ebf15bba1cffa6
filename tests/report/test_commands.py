"""``report`` as a command: its outputs, its exit status, and its errors about other files."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given

from tests.kits.conversations import few
from tests.kits.program import SAMPLES, console
from tests.kits.talks import Talk, expected, talks


@given(talks())
@few
def test_json_has_the_figures_of_the_raw_messages(tmp_path_factory, talk: Talk) -> None:  # type: ignore[no-untyped-def]
    file = talk.write(tmp_path_factory.mktemp("talk") / "a.jsonl")
    first, second = console("report", file, "--json"), console("report", file, "--json")
    assert first.status == 0, first
    assert first.err == ""
    assert first.out == second.out  # the same recording gives the same bytes
    assert console("report", file).out == console("report", file).out
    out = json.loads(first.out)
    wanted = sorted(expected(talk)["reply"])
    assert out["measures"]["reply"]["count"] == len(wanted)
    if wanted:
        assert abs(out["measures"]["reply"]["max"] - wanted[-1]) < 1e-3
    for turn in out["recordings"][0]["turns"]:
        if turn["reply"] is not None:
            assert abs(sum(part["seconds"] for part in turn["parts"]) - turn["reply"]) < 1e-3


def test_the_samples_on_a_pipe() -> None:
    """Interruptions are shown correctly: what was spoken, and what was meant."""
    result = console("report", str(SAMPLES))
    assert result.status == 0
    assert result.err == ""
    text = " ".join(result.out.split())
    assert "You can return any item within thirty days ✂ (meant: You can return any item" in text
    assert "── turn 2 ── reply 970 ms" in result.out
    assert "cannot tell: unanswered_calls" in result.out
    assert all(len(line) <= 80 for line in result.out.splitlines())


def test_several_side_by_side_and_as_one() -> None:
    result = console("report", str(SAMPLES), str(SAMPLES), "--json")
    out = json.loads(result.out)
    assert [one["file"] for one in out["recordings"]] == [str(SAMPLES)] * 2
    assert out["measures"]["reply"]["count"] == 2 * out["recordings"][0]["measures"]["reply"]["count"]
    assert "p95 (count)" in console("report", str(SAMPLES), str(SAMPLES)).out


def test_a_hostile_recording_stays_text(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    speech = "\x1b[31mred\u202egnp.exe <b>[/b]"
    one = {
        "event_type": "conversation.utterance",
        "turn_idx": 1,
        "properties": {"role": "pal", "speech": speech},
    }
    file.write_text(json.dumps(one) + "\n", "utf-8")
    out = console("report", str(file)).out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "␛[31mred⟨U+202E⟩gnp.exe <b>[/b]" in out


def test_a_lone_surrogate_ends_nothing(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text(
        r'{"event_type":"conversation.utterance","turn_idx":1,"properties":{"role":"pal","speech":"\ud800"}}'
    )
    assert (
        json.loads(console("report", str(file), "--json").out)["recordings"][0]["transcript"][0]["text"]
        == "\ud800"
    )


def test_of_many_turns_the_slowest_are_shown(tmp_path: Path) -> None:
    lines = []
    for turn in range(300):
        for number, (name, role) in enumerate((("utterance", "user"), ("started_speaking", "pal"))):
            at = 1_790_000_000 + turn * 10 + number * (5.0 if turn == 150 else 1.0)
            one = {"event_type": f"conversation.{name}", "seq": turn * 2 + number, "turn_idx": turn}
            lines.append(json.dumps({**one, "timestamp": at, "properties": {"role": role, "speech": "x"}}))
    file = tmp_path / "x.jsonl"
    file.write_text("\n".join(lines) + "\n")
    result = console("report", str(file))
    assert "300 turns; the 20 slowest are shown." in result.out
    assert "── turn 150 ── reply 5.00 s" in result.out
    assert result.out.count("── turn ") == 20
    assert len(json.loads(console("report", str(file), "--json").out)["recordings"][0]["turns"]) == 300


def test_no_file_is_one_line(tmp_path: Path) -> None:
    result = console("report", str(tmp_path / "none.jsonl"))
    assert result.status == 2
    assert len(result.err.splitlines()) == 1
    assert result.out == ""
