"""Decoding: every sample according to a table, and any JSON value without an error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from tavus_cli.protocol.catalogue import CATALOGUE, FOREIGN, UNKNOWN, short_name
from tavus_cli.protocol.events import MAX_NUMBER, decode
from tests.kits.conversations import (
    DEEP,
    HOSTILE_VALUES,
    SAMPLES,
    TYPES,
    Message,
    deep_messages,
    hostile_messages,
    json_values,
    many,
    message,
    same_value,
    strange_messages,
)

_GREETING = "Hi Dana, I'm Nora. What can I help you with today?"
_ORDER = "Order 8841 left the warehouse this morning and arrives on Friday."
_RETURN = "You can return any item within thirty days"
# line, family, role, seq, turn, text
_SAMPLES = [
    (1, "ready", None, 1, None, ""),
    (2, "ready", None, 2, None, ""),
    (3, "present", None, 3, None, ""),
    (4, "present", None, 4, None, ""),
    (5, "started", "pal", 5, 0, ""),
    (6, "started", "pal", 6, 0, ""),
    (7, "started", "pal", 7, 0, ""),
    (8, "utterance", "pal", 8, 0, _GREETING),
    (9, "utterance", "pal", 9, 0, _GREETING),
    (10, "stopped", "pal", 10, 0, ""),
    (11, "stopped", "pal", 11, 0, ""),
    (12, "stopped", "pal", 12, 0, ""),
    (13, "objective", None, 13, 0, ""),
    (14, "started", "user", 14, 1, ""),
    (15, "started", "user", 15, 1, ""),
    (16, "partial", "user", 16, 1, "Can you"),
    (17, "partial", "user", 18, 1, "Can you check my order 8841"),
    (18, "partial", "user", 17, 1, "Can you check my"),
    (19, "partial", "user", 19, 1, "Can you check my order 8841?"),
    (20, "stopped", "user", 20, 1, ""),
    (21, "stopped", "user", 21, 1, ""),
    (22, "utterance", "user", 22, 1, "Can you check my order 8841?"),
    (23, "tool_call", None, 23, 1, ""),
    (24, "started", "pal", 24, 1, ""),
    (25, "started", "pal", 25, 1, ""),
    (26, "started", "pal", 26, 1, ""),
    (27, "utterance", "pal", 27, 1, _ORDER),
    (28, "utterance", "pal", 28, 1, _ORDER),
    (29, "partial", "pal", 29, 1, "Order 8841"),
    (30, "partial", "pal", 30, 1, "Order 8841"),
    (31, "partial", "pal", 31, 1, "Order 8841 left the warehouse this morning"),
    (32, "partial", "pal", 32, 1, _ORDER),
    (33, "stopped", "pal", 33, 1, ""),
    (34, "stopped", "pal", 34, 1, ""),
    (35, "stopped", "pal", 35, 1, ""),
    (36, "objective", None, 36, 1, ""),
    (37, "objective", None, 37, 1, ""),
    (38, "utterance", "user", 38, 2, "What is your return policy?"),
    (39, "rag", None, 39, 2, ""),
    (40, "started", "pal", 40, 2, ""),
    (41, "utterance", "pal", 41, 2, f"{_RETURN}, as long as it is unused and in its original packaging."),
    (42, "partial", "pal", 42, 2, "You can return any item within thirty"),
    (43, "started", "user", 43, 2, ""),
    (44, "partial", "pal", 44, 2, _RETURN),
    (45, "stopped", "pal", 45, 2, ""),
    (46, "stopped", "pal", 46, 2, ""),
    (47, "interrupted", "pal", None, None, ""),
    (48, "stopped", "user", 47, 3, ""),
    (49, "utterance", "user", 48, 3, "Here is my card, just charge 4111 1111 1111 1111."),
    (50, "tool_call", None, 49, 3, ""),
    (51, "tool_call", None, 50, 3, ""),
    (52, "guardrail", None, 51, 3, ""),
    (53, "tool_call", None, 52, 3, ""),
    (54, "tool_call", None, 53, 3, ""),
    (55, "started", "user", None, None, ""),
    (56, "utterance", "user", None, None, "Hello?"),
    (57, "partial", "pal", 54, 3, "Thanks for"),
    (58, "utterance", "pal", 55, 3, "Thanks for your patience, I will now transfer you."),
    (59, "tool_call", None, 56, 3, ""),
    (60, "stopped", "pal", 57, 3, ""),
    (61, "analysis", None, 58, None, ""),
    (62, "analysis", None, 59, None, ""),
    (63, "participant", None, 60, None, ""),
    (64, "participant", None, 61, None, ""),
    (65, "unknown", None, 62, 4, ""),
    (66, "shutdown", None, 63, None, ""),
]
UTTERANCE = "conversation.utterance"


def test_the_table_has_every_sample() -> None:
    assert [row[0] for row in _SAMPLES] == list(range(1, len(SAMPLES) + 1))


@pytest.mark.parametrize("as_text", [False, True], ids=["object", "string"])
@pytest.mark.parametrize(
    ("line", "family", "role", "seq", "turn", "text"), _SAMPLES, ids=[f"line {row[0]}" for row in _SAMPLES]
)
def test_samples(
    line: int, family: str, role: str | None, seq: int | None, turn: int | None, text: str, as_text: bool
) -> None:
    sample = SAMPLES[line - 1]
    event = decode(json.dumps(sample) if as_text else sample)
    assert (event.kind.family, event.role, event.seq, event.turn_idx, event.text) == (
        family,
        role,
        seq,
        turn,
        text,
    )
    assert event.message == sample
    assert event.type == sample["event_type"]
    assert event.timestamp == sample.get("timestamp")
    assert event.inference_id == sample.get("inference_id")


# line → the event in one line
_SUMMARIES = {
    2: "joined r90bbd427f71",
    3: "present r90bbd427f71",
    5: "▶ speaking",
    8: _GREETING,
    11: "■ 3.57 s",
    13: "activated collect_order_number",
    16: "Can you …",
    19: "Can you check my order 8841?",
    20: "■",
    22: "Can you check my order 8841?  (sounds: Calm, slightly hurried tone.)"
    "  (looks: One person at a desk, looking at the camera.)",
    23: 'lookup_order {"order_id": "8841"} call_8f2d41',
    32: _ORDER,
    36: 'completed collect_order_number {"order_number":"8841"}',
    37: 'pending confirm_address {"street":"12 Elm Street","city":"Portland"}',
    39: "documents returns-policy.pdf",
    44: f"{_RETURN} ✂ interrupted",
    45: "■ 1.82 s ✂ interrupted",
    47: "■ ✂ interrupted",
    50: 'notify_if_card_shown {"card_type":"credit card"} call_vis_1 (vision) [image/jpeg 30 B]',
    51: 'notify_frustration {"reason": "raised voice"} (audio)',
    52: "no_sensitive_data: The user read out a card number.",
    53: 'question {"prompt":"How would you like to pay?","options":["Card","PayPal"]} call_cv_77'
    " (canvas: question)",
    54: "end_call {}",
    56: "Hello?  (looks: A person waves at the camera.)",
    57: "Thanks for …",
    58: "Thanks for your patience, I will now transfer you.  ✂ interrupted",
    59: 'describe_scene {"detail": "high"} (vision) [https://example.invalid/frame/1]',
    60: "■",
    62: "**Appearance**: one participant at a desk.",
    63: "joined 2f0b0c1e-6f0f-4c9e-9a3e-5a1c0f6f1a01",
    65: 'some_future_event {"alpha":1,"nested":{"beta":["x",null,true]}}',
    66: "shutdown: end_conversation_endpoint_hit",
}


@pytest.mark.parametrize(("line", "summary"), _SUMMARIES.items(), ids=[f"line {n}" for n in _SUMMARIES])
def test_summaries_of_samples(line: int, summary: str) -> None:
    event = decode(SAMPLES[line - 1])
    assert event.kind.summary(event) == summary


@pytest.mark.parametrize(
    ("sent", "summary"),
    [
        pytest.param(message("system.shutdown"), "shutdown", id="shutdown without reason"),
        pytest.param(message("system.shutdown", reason="x"), "shutdown: x", id="the other reason"),
        pytest.param(message("system.heartbeat"), "heartbeat", id="heartbeat"),
        pytest.param(message("conversation.joined"), "joined", id="nobody joined"),
        pytest.param(
            message("conversation.tool_call", tool_name="f", tool_call_arguments={"a": 1}),
            'f {"a":1}',
            id="other names of a tool call",
        ),
        pytest.param(
            {"event_type": "conversation.objective.completed", "objective_name": "o"},
            "completed o",
            id="hoisted objective",
        ),
        pytest.param(
            message("conversation.guardrail.x", guardrail_name="g"), "g", id="guardrail's other name"
        ),
        pytest.param(message("conversation.guardrail.x", why="w"), '{"why":"w"}', id="guardrail of no shape"),
        pytest.param(
            message("conversation.rag.observability", chunks=[1]), 'documents {"chunks":[1]}', id="rag, other"
        ),
        pytest.param(
            message("conversation.rag.observability", documents=[{"document_id": "d"}, {"x": 1}]),
            'documents d, {"x":1}',
            id="rag by id",
        ),
        pytest.param(
            message("conversation.perception_tool_call", name="n", frames=[7, {"data": "AAAA"}]),
            "n [7, data 3 B]",
            id="frames of no shape",
        ),
        pytest.param(
            message("conversation.utterance", speech="a", role="user", is_interrupted="true"),
            "a  ✂ interrupted",
            id="interrupted as a string",
        ),
        pytest.param(message("system.new_thing"), "system.new_thing", id="unknown without properties"),
        pytest.param(
            {"event_type": "conversation.new", "seq": 1, "more": 2, "properties": {"a": 1}},
            'new {"more":2,"properties":{"a":1}}',
            id="unknown with fields beside properties",
        ),
        pytest.param(
            {"event_type": "conversation.new", "properties": [1]},
            'new {"properties":[1]}',
            id="unknown, a list",
        ),
        pytest.param({"event_type": "odd", "properties": {"a": 1}}, 'odd {"a":1}', id="no first segment"),
        pytest.param({"event": "chat", "message": "hi"}, '{"event":"chat","message":"hi"}', id="foreign"),
        pytest.param("just text", "just text", id="foreign text"),
        pytest.param(None, "null", id="null"),
    ],
)
def test_summaries(sent: Any, summary: str) -> None:
    event = decode(sent)
    assert event.kind.summary(event) == summary


@pytest.mark.parametrize(
    ("name", "family", "label"),
    [
        ("conversation.guardrail_violation", "guardrail", "guard"),
        ("Conversation.Guardrail", "guardrail", "guard"),
        ("Conversation.rag.observability", "rag", "finds"),
        ("application.perception_analysis", "analysis", "sees"),
        ("application.perception_tool_call", "tool_call", "sees"),
        ("conversation.pal.stopped_speaking", "stopped", "?"),
        ("system.replica_ready", "ready", "pal"),
        ("conversation.respond", "interaction", "client"),
        ("conversation.utterance.streaming.v2", "unknown", "event"),
    ],
)
def test_kinds_by_name(name: str, family: str, label: str) -> None:
    event = decode({"event_type": name})
    assert (event.kind.family, event.kind.label) == (family, label)
    assert event.type == name


@pytest.mark.parametrize(
    ("given", "role"),
    [
        *((one, "pal") for one in ("replica", "pal", "persona", "face")),
        *((one, one) for one in ("user", "dj")),
        *((one, None) for one in (7, None, [1])),
    ],
)
@pytest.mark.parametrize("hoisted", [False, True], ids=["nested", "hoisted"])
def test_roles(given: Any, role: str | None, hoisted: bool) -> None:
    fields = {"role": given}
    assert decode({"event_type": UTTERANCE, **(fields if hoisted else {"properties": fields})}).role == role


def test_a_type_that_names_its_role_decides() -> None:
    assert decode(message("conversation.user.started_speaking", role="replica")).role == "user"


@pytest.mark.parametrize("field", ["seq", "turn_idx"])
@pytest.mark.parametrize("hoisted", [False, True], ids=["nested", "top"])
@pytest.mark.parametrize(
    ("given", "number"),
    [
        (0, 0),
        (7, 7),
        (7.0, 7),
        ("7", 7),
        (MAX_NUMBER - 1, MAX_NUMBER - 1),
        (MAX_NUMBER, None),
        (-1, None),
        (7.5, None),
        (True, None),
        (float("nan"), None),
        (float("inf"), None),
        ("7.5", None),
        ("-1", None),
        ("٧", None),
        ("9" * 5_000, None),
        ("", None),
        (None, None),
        ([7], None),
        ({"seq": 7}, None),
        (10**400, None),
    ],
    ids=lambda one: str(one)[:10],
)
def test_numbers(field: str, hoisted: bool, given: Any, number: int | None) -> None:
    fields = {field: given}
    event = decode({"event_type": UTTERANCE, **(fields if hoisted else {"properties": fields})})
    assert getattr(event, field) == number
    assert getattr(event, "turn_idx" if field == "seq" else "seq") is None


def test_the_top_level_is_asked_first_and_the_nested_one_where_it_is_nonsense() -> None:
    both = decode({"event_type": UTTERANCE, "seq": 1, "inference_id": "a", "properties": {"seq": 2}})
    assert (both.seq, both.inference_id) == (1, "a")
    nested = decode({"event_type": UTTERANCE, "inference_id": 5, "properties": {"inference_id": "b"}})
    assert nested.inference_id == "b"
    neither = decode({"event_type": UTTERANCE, "properties": {"inference_id": 6}})
    assert neither.inference_id is None


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"speech": "s", "text": "t", "content": "c", "transcript": "r"}, "s"),
        ({"text": "t", "content": "c", "transcript": "r"}, "t"),
        ({"content": "c", "transcript": "r"}, "c"),
        ({"transcript": "r"}, "r"),
        ({"speech": None, "text": 7, "content": ["x"], "transcript": "r"}, "r"),
        ({"speech": "", "text": "t"}, ""),
        ({}, ""),
    ],
)
@pytest.mark.parametrize("hoisted", [False, True], ids=["nested", "hoisted"])
def test_text(fields: Message, text: str, hoisted: bool) -> None:
    assert decode({"event_type": UTTERANCE, **(fields if hoisted else {"properties": fields})}).text == text


def test_a_foreign_message_has_no_text() -> None:
    assert decode({"text": "hi"}).text == ""


def test_fields_nested_hoisted_and_absent() -> None:
    event = decode({"event_type": "x", "a": 1, "b": 2, "properties": {"b": 3, "c": None, "d": {"e": [1]}}})
    assert [event.get(name) for name in "abcz"] == [1, 3, None, None]
    assert [event.word(name) for name in "abcdz"] == ["1", "3", "", '{"e":[1]}', ""]


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        *((one, one) for one in (3.5, 2.0, 0)),
        *((one, None) for one in (None, "3.5", True, -1, 1e12, float("nan"), float("inf"), 10**400)),
    ],
    ids=lambda one: str(one)[:8],
)
def test_durations(duration: Any, seconds: float | None) -> None:
    assert decode(message("conversation.stopped_speaking", duration=duration)).duration == seconds


@pytest.mark.parametrize("timestamp", ["2026-07", "yesterday", -1, 1e15, True, float("nan"), [], 10**400])
def test_invalid_timestamps(timestamp: Any) -> None:
    assert decode(message(UTTERANCE, at=timestamp)).timestamp is None


@pytest.mark.parametrize("final", [True, False])
def test_a_partial_under_the_plain_name(final: bool) -> None:
    event = decode(message(UTTERANCE, role="pal", speech="a", final=final))
    assert (event.kind.family, event.final) == ("partial", final)
    assert event.type == UTTERANCE
    assert decode(message(UTTERANCE, role="pal", speech="a", final="true")).kind.family == "utterance"


@pytest.mark.parametrize(
    ("sent", "foreign"),
    [
        pytest.param({"event": "cursor", "message": "hello"}, True, id="another client's"),
        pytest.param({"event_type": ""}, True, id="empty type"),
        pytest.param({"event_type": 7}, True, id="type is a number"),
        pytest.param({}, True, id="empty object"),
        pytest.param([{"event_type": UTTERANCE}], True, id="list"),
        pytest.param("hello", True, id="text"),
        pytest.param('{"event_type": "x"', True, id="cut JSON"),
        pytest.param('["a"]', True, id="JSON list in a string"),
        pytest.param('{"a": 1}', True, id="foreign JSON in a string"),
        pytest.param('{"a":' * 100_000, True, id="endless JSON in a string"),
        pytest.param(b"bytes", True, id="bytes"),
        pytest.param(' \n{"event_type": "x"}', False, id="JSON string with space"),
        pytest.param({"event_type": "x", "properties": None}, False, id="properties null"),
        pytest.param({"event_type": "x", "properties": "text"}, False, id="properties text"),
    ],
)
def test_foreign(sent: Any, foreign: bool) -> None:
    event = decode(sent)
    assert (event.kind is FOREIGN) == foreign
    assert (event.kind is UNKNOWN) == (not foreign)
    if foreign:
        assert (event.type, event.seq, event.turn_idx, event.role, event.text) == ("", None, None, None, "")
        assert event.get("event") is None
        assert event.timestamp is None


def test_a_json_string_keeps_how_it_came() -> None:
    text = '{"event_type":"x","seq":3}'
    assert decode(text).raw == json.dumps(text)
    assert decode(text, raw="as read").raw == "as read"
    assert decode({"event_type": "x"}).raw is None


def test_arrival_sender_and_direction_are_kept() -> None:
    for sent in (message(UTTERANCE), "text", {}):
        event = decode(sent, 12.5, "peer", None, "out")
        assert (event.at, event.sender, event.direction) == (12.5, "peer", "out")


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("conversation.replica.started_speaking", "replica.started_speaking"),
        ("system.shutdown", "shutdown"),
        ("odd", "odd"),
        ("odd.", "odd."),
        ("", ""),
    ],
)
def test_short_names(name: str, short: str) -> None:
    assert short_name(name) == short
    assert decode({"event_type": name}).short == short


def test_the_catalogue_is_one_row_a_type() -> None:
    assert all(name == kind.type == name.lower() for name, kind in CATALOGUE.items())
    assert {decode({"event_type": name}).kind for name in CATALOGUE} == set(CATALOGUE.values())


def _look_at_everything(sent: Any) -> None:
    event = decode(sent)
    assert isinstance(event.kind.summary(event), str)
    assert isinstance(event.text, str)
    for field in ("name", "role", "speech", "missing"):
        assert isinstance(event.word(field), str)
    assert event.seq is None or 0 <= event.seq < MAX_NUMBER
    assert event.turn_idx is None or 0 <= event.turn_idx < MAX_NUMBER
    for number in (event.duration, event.timestamp):
        assert number is None or 0 <= number < 1e12
    assert isinstance(event.short + event.type + str(event.interrupted) + str(event.final), str)


@many
@given(strange_messages() | json_values())
def test_any_value_decodes_and_is_kept(sent: Any) -> None:
    _look_at_everything(sent)
    event = decode(sent)
    if not isinstance(sent, str):
        assert event.message is sent
    elif event.type:
        assert same_value(event.message, json.loads(sent))
        assert event.raw == json.dumps(sent, ensure_ascii=False)
    else:
        assert event.message is sent or same_value(event.message, json.loads(sent))


@pytest.mark.parametrize("value", HOSTILE_VALUES.values(), ids=HOSTILE_VALUES)
def test_hostile_values_in_every_field_of_every_type(value: Any) -> None:
    for name in TYPES:
        for sent in hostile_messages(name, value):
            _look_at_everything(sent)


def test_deep_values_in_every_field_of_every_type() -> None:
    for name in TYPES:
        for sent in deep_messages(name):
            _look_at_everything(sent)


def test_a_value_nested_too_deep_is_shown_as_that() -> None:
    event = decode('{"event_type":"x","properties":{"a":%s}}' % ("[" * 200 + "]" * 200))
    assert event.kind.summary(event) == "x nested too deep"
    assert decode({"event_type": UTTERANCE, "properties": {"speech": DEEP, "role": "pal"}}).text == ""
    tool_call = decode(
        {"event_type": "conversation.tool_call", "properties": {"name": "f", "arguments": DEEP}}
    )
    assert tool_call.kind.summary(tool_call) == "f nested too deep"
    assert decode([DEEP]).kind.summary(decode([DEEP])) == "nested too deep"
