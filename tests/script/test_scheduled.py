"""``/when`` typed in a console: sent at its moment; mistakes are reported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.kits.program import console


def test_a_when_is_sent_at_its_moment(tmp_path: Path) -> None:
    record = tmp_path / "talk.jsonl"
    typed = "/when utterance role=user turn=1 as it after 5ms /context append $it.turn\nHow much is it?\n"
    result = console("join", "sim:?speed=20", "--record", str(record), stdin=typed)
    assert (result.status, result.err[:9], result.err.count("\n")) == (0, "waiting: ", 1)
    records = [json.loads(line) for line in record.read_text().splitlines()[1:]]
    sent = {one["message"]["event_type"]: one for one in records if one["dir"] == "out"}
    placed = sent["conversation.append_llm_context"]
    assert placed["message"]["properties"] == {"context": "1"}
    begun = next(
        one["at"]
        for one in records
        if one["dir"] == "in"
        and one["message"]["event_type"] == "conversation.utterance"
        and one["message"].get("turn_idx") == 1
    )
    assert placed["at"] >= begun + 0.005


def test_what_is_wrong_with_it_is_reported_at_once() -> None:
    result = console("join", "sim:?speed=20", stdin="/when started_speking /interrupt\nhello\n")
    assert result.status == 1
    assert "did you mean started_speaking?" in result.err


def test_after_counts_from_what_was_typed_last(tmp_path: Path) -> None:
    record = tmp_path / "talk.jsonl"
    typed = "/when utterance role=pal turn=1 as it /context append $it.after\nhello\n"
    assert console("join", "sim:?speed=max", "--record", str(record), stdin=typed).status == 0
    records = [json.loads(line) for line in record.read_text().splitlines()[1:]]
    sent = {one["message"]["event_type"]: one for one in records if one["dir"] == "out"}
    reply = next(
        one["at"]
        for one in records
        if one["dir"] == "in"
        and one["message"]["event_type"] == "conversation.utterance"
        and one["message"]["properties"]["role"] != "user"
        and one["message"].get("turn_idx") == 1
    )
    after = float(sent["conversation.append_llm_context"]["message"]["properties"]["context"])
    assert after == pytest.approx(reply - sent["conversation.respond"]["at"], abs=0.001)


def test_a_when_that_is_never_due_is_not_sent_and_delays_nothing(tmp_path: Path) -> None:
    record = tmp_path / "talk.jsonl"
    typed = "/when guardrail.triggered /interrupt\nhello\n"
    result = console("join", "sim:?speed=max", "--record", str(record), stdin=typed)
    assert (result.status, result.err[:9], result.err.count("\n")) == (0, "waiting: ", 1)
    assert 'conversation.interrupt"' not in record.read_text()
