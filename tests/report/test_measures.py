"""Figures, compared with a second computation for generated conversations; sums of parts; unknown figures."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.protocol.conversation import Conversation
from tavus_cli.protocol.entries import EventEntry
from tavus_cli.report.measures import COUNTS, PARTS, TIMES, Measures, measure, parts, pooled, spread
from tavus_cli.report.timeline import Timeline
from tests.kits.conversations import SAMPLES, START, conversations, few, message, some
from tests.kits.talks import Talk, expected, talks


def timeline_of(talk: Talk) -> tuple[Timeline, dict[int, float]]:
    """The timeline, and the latencies in the live view, by turn."""
    conversation, timeline, told = Conversation(), Timeline(), {}
    for at, direction, one in talk.records:
        if direction == "in":
            entries = conversation.receive(one, at)
        else:
            entries = conversation.tick(at) + conversation.sent(one, at)
        timeline.entries(entries)
        for entry in entries:
            if isinstance(entry, EventEntry) and entry.reply is not None and entry.turn is not None:
                told[entry.turn.idx] = entry.reply
    timeline.entries(conversation.close())
    return timeline, told


def bare(messages: list[Any]) -> Measures:
    conversation, timeline = Conversation(by_count=True), Timeline()
    for one in messages:
        timeline.entries(conversation.receive(one, None))
    timeline.entries(conversation.close())
    return measure(timeline, conversation.status.duplicates)


@given(talks())
@some
def test_the_figures_are_those_of_the_raw_messages(talk: Talk) -> None:
    measures = measure(timeline_of(talk)[0])
    for name, value in expected(talk).items():
        if name == "reply_inside":
            inside = zip(*(measures.times[f"reply_{one}"] for one in PARTS if one != "tool"), strict=True)
            assert sorted(map(sum, inside)) == pytest.approx(value, abs=1e-3), name
        elif isinstance(value, list):
            assert sorted(measures.times[name]) == pytest.approx(value, abs=1e-3), name
        elif measures.counts[name] is not None:
            assert measures.counts[name] == value, name


@given(talks())
@some
def test_the_parts_follow_each_other_and_sum_to_the_reply(talk: Talk) -> None:
    timeline, told = timeline_of(talk)
    for span in timeline.turns:
        pieces = parts(span)
        if span.reply is None:
            assert pieces == []
            continue
        assert sum(one.seconds for one in pieces) == pytest.approx(span.reply, abs=1e-3)
        assert told[span.idx or 0] == span.reply  # the live view says the same
        assert pieces[0].start == span.asked
        for one, following in pairwise(pieces):
            assert one.end == following.start
            assert (one.kind, one.tool) != (following.kind, following.tool)


@given(st.data())
@few
def test_how_entries_are_cut_into_batches_changes_nothing(data: st.DataObject) -> None:
    messages = data.draw(conversations())
    conversation = Conversation(by_count=True)
    entries = [entry for one in messages for entry in conversation.receive(one, None)]
    entries += conversation.close()
    at_once, one_by_one = Timeline(), Timeline()
    at_once.entries(entries)
    for entry in entries:
        one_by_one.entries([entry])
    assert measure(at_once).as_json() == measure(one_by_one).as_json()


@given(st.lists(st.floats(0, 100)))
@some
def test_a_spread_is_made_of_its_values(values: list[float]) -> None:
    one = spread(values)
    assert one.count == len(values) == sum(one.histogram)
    if not values:
        assert (one.p50, one.p95, one.max) == (None, None, None)
        return
    for percentile, share in ((one.p50, 0.5), (one.p95, 0.95), (one.max, 1.0)):
        assert percentile in values
        assert sum(value <= percentile for value in values) >= share * len(values)
        assert sum(value < percentile for value in values) < share * len(values)


# -- what cannot be told ---------------------------------------------------------------------------------


def test_without_events_there_are_no_figures() -> None:
    measures = bare([])
    assert set(TIMES) | set(COUNTS) <= set(measures.reasons)
    assert set(measures.counts.values()) == {None}


def test_without_times_no_latency_can_be_reported() -> None:
    messages = [{**one} for one in SAMPLES]
    for one in messages:
        one.pop("timestamp", None)
    measures = bare(messages)
    assert {measures.reasons[name] for name in TIMES if name != "outage"} == {"the messages have no times"}
    assert measures.counts["turns"] == 5


def test_without_numbers_no_gap_can_be_reported() -> None:
    measures = bare([message("conversation.utterance", at=START, role="user", speech="x")])
    assert measures.counts["gaps"] is None
    assert measures.reasons["late"] == "no event has a seq"
    assert measures.reasons["reply"] == "no event has a turn_idx"


@pytest.mark.parametrize("answered_as", ["tool_call_id", "call_id", "toolCallId", "id"])
def test_an_unanswered_call_is_unknown_where_the_file_holds_no_sending(answered_as: str) -> None:
    call = message("conversation.tool_call", seq=1, turn=1, at=START, name="x", tool_call_id="c1")
    assert bare([call]).reasons["unanswered_calls"] == "what was sent is not in the recording"
    result = message("conversation.tool_result", **{answered_as: "c1"}, output="1")
    answered = bare([call, {**result, "timestamp": START + 1}])  # another participant's
    assert answered.counts["unanswered_calls"] == 0
    assert list(answered.times["tool"]) == [1.0]


def test_a_measure_missing_in_one_recording_is_missing_in_all() -> None:
    first = bare([message("conversation.utterance", seq=1, turn=1, at=START, role="user", speech="x")])
    second = bare([message("conversation.utterance", at=START, role="user", speech="x")])
    assert pooled([first, first]).counts["gaps"] == 0
    assert pooled([first, second]).counts["gaps"] is None
    assert pooled([first, second]).reasons["gaps"] == "no event has a seq"


def test_unknown_types_and_fields_are_counted_by_name() -> None:
    conversation, timeline = Conversation(by_count=True), Timeline()
    for one in (
        message("conversation.brand_new", x=1),
        message("conversation.utterance", role="user", speech="x", mood="fine"),
        {**message("conversation.utterance", role="user", speech="y"), "region": "eu"},
        message("conversation.echo", text="another participant's"),
    ):
        timeline.entries(conversation.receive(one, None))
    timeline.entries(conversation.close())
    assert timeline.unknown_types == {"conversation.brand_new": 1}
    assert timeline.unknown_fields == {"conversation.utterance mood": 1, "conversation.utterance region": 1}


@pytest.mark.parametrize("file", ["seen.jsonl", "interactions.jsonl", "events.jsonl"])
def test_what_the_catalogue_reads_is_known(file: str) -> None:
    conversation, timeline = Conversation(by_count=True), Timeline()
    for line in (Path(__file__).parents[1] / "samples" / file).read_text(encoding="utf-8").splitlines():
        timeline.entries(conversation.receive(json.loads(line), None))
    timeline.entries(conversation.close())
    assert timeline.unknown_fields == {}


def test_names_of_a_hostile_peer_are_bounded() -> None:
    timeline, conversation = Timeline(), Conversation(by_count=True)
    for number in range(1_000):
        timeline.entries(conversation.receive(message(f"x.{number}"), None))
    assert len(timeline.unknown_types) == 101
    assert sum(timeline.unknown_types.values()) == 1_000
