"""The bodies of webhooks, and the transcript in one of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.local.transcript import Transcript
from tavus_cli.local.webhooks import (
    EXAMPLES,
    TYPES,
    example,
    from_verbose,
    joined,
    of_message,
    recording,
    webhook,
)

NOW = 1_783_752_517.564961


def test_the_envelope() -> None:
    told = {"replica_id": "r1", "shutdown_reason": "participant_left_timeout"}
    assert webhook("system.shutdown", "c1", "https://x/", told, NOW) == {
        "message_type": "system",
        "event_type": "system.shutdown",
        "conversation_id": "c1",
        "webhook_url": "https://x/",
        "timestamp": "2026-07-11T06:48:37.564961Z",
        "properties": told,
    }
    assert webhook("application.recording_ready", "c1", "", {}, NOW)["message_type"] == "application"


@pytest.mark.parametrize("kind", TYPES)
def test_an_example_of_each_type(kind: str) -> None:
    body = example(kind, "c1", "http://127.0.0.1/", NOW)
    assert body["conversation_id"] == "c1"
    assert body.get("event_type", kind) == kind
    json.dumps(body)


def test_ready_comes_under_both_names() -> None:
    assert [one["event_type"] for one in joined("c1", "", "r1", NOW)] == [
        "system.replica_joined",
        "system.pal_joined",
    ]


@pytest.mark.parametrize(
    ("message", "body"),
    [
        (
            {"event_type": "conversation.objective.completed",
             "properties": {"objective_name": "day", "output_variables": {"day": "Monday"}}},
            {"conversation_id": "c1", "objective_name": "day", "output_variables": {"day": "Monday"}},
        ),
        (
            {"event_type": "conversation.guardrail.triggered",
             "properties": {"guardrail": "g", "guardrail_uuid": "u", "reason": "x"}},
            {"conversation_id": "c1", "properties": {"guardrail": "g", "guardrail_uuid": "u"}},
        ),
        ({"event_type": "conversation.objective.activated", "properties": {"objective_name": "day"}}, None),
        ({"event_type": "conversation.utterance"}, None),
        ("text", None),
        (None, None),
    ],
)  # fmt: skip
def test_events_that_cause_a_callback(message: Any, body: Any) -> None:
    assert of_message(message, "c1") == body


def test_what_get_verbose_knows_as_webhooks() -> None:
    found = {
        "conversation_id": "c1", "replica_id": "r1", "shutdown_reason": "end_conversation_endpoint_hit",
        "events": [
            {"event_type": "system.replica_joined", "timestamp": "2026-07-11T06:48:37.5Z", "properties": {}},
            {"event_type": "system.shutdown", "timestamp": "2026-07-11T06:50:00Z",
             "properties": {"reason": "max_call_duration"}},
            {"event_type": "application.transcription_ready", "properties": {"transcript": []}},
            {"no": "type"}, "odd", None,
        ],
    }  # fmt: skip
    first, shutdown, transcript = from_verbose(found, "http://h/", NOW)
    assert first["properties"] == {"replica_id": "r1"}
    assert first["timestamp"] == "2026-07-11T06:48:37.5Z"
    assert shutdown["properties"] == {"replica_id": "r1", "shutdown_reason": "max_call_duration"}
    assert transcript["properties"] == {"replica_id": "r1", "transcript": []}
    assert transcript["webhook_url"] == "http://h/"
    for nothing in ({}, {"events": None}, {"events": 7}):
        assert from_verbose(nothing, "", NOW) == []


def test_where_a_recording_is_kept() -> None:
    told = recording("c1", {"recording_storage": {"provider": "gcs", "bucket_name": "b"}}, 12.5)
    assert told["storage_uri"] == "gcs://b/c1/recording.mp4"
    assert set(told) == set(EXAMPLES["application.recording_ready"])
    assert recording("c1", {"recording_s3_bucket_name": "old"}, 1)["bucket_name"] == "old"


def utterance(role: str, speech: Any, inference: str = "i", **more: Any) -> dict[str, Any]:
    head = {"event_type": "conversation.utterance", "inference_id": inference}
    return {**head, "properties": {"role": role, "speech": speech}, **more}


def test_a_transcript_has_what_was_really_said_once() -> None:
    transcript = Transcript(100.0, "Be kind.")
    for role in ("pal", "replica"):  # twins
        transcript.add(utterance(role, "Hello there, how are you?", "i1"), 101.0)
    cut = {"role": "pal", "speech": "Hello there", "final": True, "is_interrupted": True}
    transcript.add(
        {"event_type": "conversation.utterance.streaming", "inference_id": "i1", "properties": cut}, 102.0
    )
    stopped = {"role": "pal", "interrupted": True, "duration": 1.25}
    transcript.add(
        {"event_type": "conversation.stopped_speaking", "inference_id": "i1", "properties": stopped}, 102.0
    )
    transcript.add(utterance("user", "Sorry", "i2"), 102.5)
    transcript.add({"event_type": "conversation.tool_result", "properties": {"output": {"a": 1}}}, 103.0)
    rows = [(one["role"], one["content"], one["seconds_from_start"]) for one in transcript.entries]
    assert rows == [
        ("system", "Be kind.", 0.0),
        ("assistant", "Hello there", 1.0),
        ("user", "Sorry", 2.5),
        ("tool", '{"a":1}', 3.0),
    ]
    assert transcript.entries[1]["duration"] == 1.25


ODD = st.none() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)


@given(
    st.lists(
        ODD
        | st.fixed_dictionaries(
            {"event_type": st.sampled_from(["conversation.utterance", "conversation.utterance.streaming",
                                            "conversation.tool_result", "conversation.stopped_speaking"])},
            optional={"inference_id": ODD, "properties": ODD | st.dictionaries(
                st.sampled_from(["role", "speech", "output", "is_interrupted"]), ODD | st.just("pal"))},
        )
    )
)  # fmt: skip
def test_no_message_breaks_a_transcript(messages: list[Any]) -> None:
    transcript = Transcript(0.0)
    for message in messages:
        transcript.add(message, 1.0)
        of_message(message, "c1")
    assert all(isinstance(one["content"], str) for one in transcript.entries)
