"""Each kind of message on one line: as documented, in other shapes, from other guests, from webhooks."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given

from tavus_cli.protocol.catalogue import CATALOGUE
from tavus_cli.protocol.conversation import Conversation
from tavus_cli.protocol.entries import EventEntry, NoteEntry
from tavus_cli.protocol.events import Event, decode
from tavus_cli.views.line import LineView
from tests.kits.conversations import (
    HOSTILE_VALUES,
    SEEN,
    START,
    TYPES,
    Message,
    events_of,
    hostile_messages,
    many,
    message,
    pretty,
    replayed,
    strange_messages,
    utc,
)

UTTERANCE, TOOL_CALL = "conversation.utterance", "conversation.tool_call"


def summary(sent: Any) -> str:
    event = decode(sent)
    return event.kind.summary(event)


# -- what was seen -------------------------------------------------------------------------------------


def test_every_message_that_was_seen_is_a_row() -> None:
    entries = events_of(replayed(SEEN))
    assert len(entries) == len(SEEN)
    for entry in entries:
        assert entry.event.kind.family not in ("unknown", "foreign")
        text = entry.event.kind.summary(entry.event)
        assert text.strip()
        assert len(text) <= 2_000
    rows = [line for line in pretty(SEEN, all=True) if not line.startswith("──")]
    assert len(rows) == len(SEEN)
    assert max(map(len, rows)) <= 2_000


@many
@given(strange_messages())
def test_no_summary_is_blank(sent: Any) -> None:
    assert summary(sent).strip()


@pytest.mark.parametrize("value", HOSTILE_VALUES.values(), ids=HOSTILE_VALUES)
def test_no_summary_of_hostile_values_is_blank(value: Any) -> None:
    for name in TYPES:
        for sent in hostile_messages(name, value):
            assert summary(sent).strip()


# -- other participants' interactions ------------------------------------------------------------------

SOUND = base64.b64encode(bytes(range(256)) * 19).decode()  # 4,864 bytes

_INTERACTIONS = [
    (message("conversation.echo", modality="text", text="Hi", done=True), "echo Hi"),
    (message("conversation.echo", modality="audio", audio=SOUND, done=True), "echo audio 6.5 KB, done"),
    (message("conversation.echo", modality="audio", audio=SOUND, done="true"), "echo audio 6.5 KB, done"),
    (message("conversation.echo", modality="audio", audio=SOUND, done=False), "echo audio 6.5 KB"),
    (message("conversation.echo", audio=SOUND), "echo audio 6.5 KB"),
    ({"event_type": "conversation.echo", "audio": "AAAA", "done": True}, "echo audio 4 B, done"),
    (message("conversation.respond", text="Hi"), "respond Hi"),
    ({"event_type": "conversation.respond", "text": "hoisted"}, "respond hoisted"),
    (message("conversation.interrupt"), "interrupt"),
    (message("conversation.append_llm_context", context="c"), "append_llm_context c"),
    (message("conversation.overwrite_llm_context", text="c"), "overwrite_llm_context c"),
    (
        message("conversation.sensitivity", participant_pause_sensitivity="low"),
        "sensitivity participant_pause_sensitivity=low",
    ),
    (message("conversation.tool_result", tool_call_id="c1", output={"a": 1}), 'tool_result c1 {"a":1}'),
    (
        message("conversation.tool_result", call_id="c1", status="error", result="no"),
        "tool_result c1 error no",
    ),
    (message("conversation.objective.confirm", objective_name="o"), "objective.confirm o"),
    (message("conversation.set_emotion", emotion="anger"), "set_emotion anger"),
    (message("conversation.respond", words="odd"), 'respond {"words":"odd"}'),
    (message("conversation.echo", audio={"bytes": SOUND}), 'echo {"audio":{"bytes":"(4,864 B)"}}'),
]


@pytest.mark.parametrize(("sent", "text"), _INTERACTIONS, ids=[text[:40] for _, text in _INTERACTIONS])
def test_interactions_of_others_are_rows(sent: Message, text: str) -> None:
    assert summary(sent) == text
    assert decode(sent).kind.family == "interaction"


def others(sent: Message, sender: str | None, names: dict[str, str] | None = None) -> str:
    conversation = Conversation()
    for id, name in (names or {}).items():
        conversation.participant_is(id, name)
    (line,) = LineView(utc, width=80).lines(conversation.receive(sent, START, sender))
    return line


@pytest.mark.parametrize(
    ("sender", "names", "label"),
    [
        ("2f0b0c1e-6f0f-4c9e", {}, "2f0b0c1e"),
        ("2f0b0c1e-6f0f-4c9e", {"2f0b0c1e-6f0f-4c9e": "Mara"}, "Mara"),
        ("2f0b0c1e-6f0f-4c9e", {"2f0b0c1e-6f0f-4c9e": ""}, "2f0b0c1e"),
        ("short", {"other": "Mara"}, "short"),
        ("p", {"p": "pal"}, "pal"),
        (None, {}, "client"),
    ],
)
@pytest.mark.parametrize("name", ["echo", "respond", "interrupt", "sensitivity", "append_llm_context"])
def test_they_are_labelled_with_who_sent_them(
    name: str, sender: str | None, names: dict[str, str], label: str
) -> None:
    line = others(message(f"conversation.{name}", text="Hi"), sender, names)
    assert line.split()[1] == label


def test_a_participant_that_is_called_pal_is_not_the_pal() -> None:
    conversation = Conversation()
    conversation.participant_is("p", "pal")
    conversation.receive(message("conversation.echo", text="Hi", role="pal"), START, "p")
    assert not conversation.status.pal_present


@pytest.mark.parametrize(
    "fields",
    [
        {"tool_call_id": "c1", "output": "x"},
        {"call_id": "c1", "result": "x"},
        {"toolCallId": "c1"},
    ],
)
@pytest.mark.parametrize("hoisted", [False, True], ids=["nested", "hoisted"])
def test_a_result_of_another_client_closes_the_call(fields: Message, hoisted: bool) -> None:
    conversation = Conversation()
    conversation.receive(message(TOOL_CALL, name="f", tool_call_id="c1", turn=1), START)
    conversation.receive(message(TOOL_CALL, name="g", tool_call_id="c2", turn=1), START)
    result = {"event_type": "conversation.tool_result", **(fields if hoisted else {"properties": fields})}
    conversation.receive(result, START + 1, "somebody")
    assert list(conversation.turns.open_calls) == ["c2"]
    (answered,) = (call for call in conversation.turns.calls if call.answered is not None)
    assert (answered.id, answered.answered) == ("c1", START + 1)


# -- known types in other shapes -----------------------------------------------------------------------

_SHAPES: list[tuple[Message, str]] = [
    (message(TOOL_CALL, function={"name": "f", "arguments": '{"a":1}'}), 'f {"a":1}'),
    (message(TOOL_CALL, function_call={"name": "f", "args": {"a": 1}}, id="c1"), 'f {"a":1} c1'),
    (message(TOOL_CALL, toolName="f", parameters={"a": 1}, toolCallId="c1"), 'f {"a":1} c1'),
    (message(TOOL_CALL, name="f", input={"a": 1}), 'f {"a":1}'),
    (message(TOOL_CALL, tool_call={"id": "c1", "function": {"name": "f"}}), "f c1"),
    (
        {"event_type": TOOL_CALL, "tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": "{}"}}]},
        "f {} c1",
    ),
    (message(TOOL_CALL, tool_calls=[{"name": "f"}, {"name": "g", "id": 7}]), "f g 7"),
    (message(TOOL_CALL, wrong=1), '{"wrong":1}'),
    ({"event_type": TOOL_CALL, "properties": '{"name":"f","arguments":"{}"}'}, "f {}"),
    (
        {
            "event_type": UTTERANCE,
            "properties": {"speech": "Hm."},
            "tool_calls": [{"function": {"name": "f"}}],
        },
        "Hm.  (tool call: f)",
    ),
    (message(UTTERANCE, role="pal", tool_calls=[{"name": "f", "arguments": {}}]), "(tool call: f {})"),
    (message(UTTERANCE, speaker="replica", text="t"), "t"),
    (message(UTTERANCE, role="pal", content=[{"type": "text", "text": "one "}, "two"]), "one two"),
    (message(UTTERANCE, role="pal", words="w"), '{"role":"pal","words":"w"}'),
    (message(UTTERANCE, role="pal", speech="  "), '{"role":"pal","speech":"  "}'),
    (message("conversation.utterance.streaming", role="pal", delta="w"), '{"role":"pal","delta":"w"}'),
    ({"event_type": UTTERANCE}, "{}"),
    (message("conversation.objective.completed", name="o"), "completed o"),
    (message("conversation.objective.pending", objective={"name": "o", "id": 1}), "pending o"),
    (message("conversation.objective.activated", objectiveName="o"), "activated o"),
    (message("conversation.objective.activated", goal="o"), 'activated {"goal":"o"}'),
    (message("conversation.guardrail.triggered", name="g", reason="r"), "g: r"),
    (message("conversation.guardrail.triggered", guardrail={"name": "g"}), "g"),
    (message("conversation.guardrail.triggered", guardrailName="g"), "g"),
    (message("conversation.perception_analysis", summary="s"), "s"),
    (message("conversation.perception_analysis", analysis={"mood": "calm"}), '{"mood":"calm"}'),
    (message("conversation.perception_tool_call", function={"name": "f"}, modality="audio"), "f (audio)"),
    (message("system.shutdown", shutdownReason="r"), "shutdown: r"),
    (message("conversation.connected", participant_id="p"), "connected p"),
    (message("conversation.disconnected", participant={"id": "p", "name": "Mara"}), "disconnected Mara p"),
    (message("conversation.joined", who=1), 'joined {"who":1}'),
]


@pytest.mark.parametrize(("sent", "text"), _SHAPES, ids=[text for _, text in _SHAPES])
def test_known_types_in_other_shapes(sent: Message, text: str) -> None:
    assert summary(sent) == text


@pytest.mark.parametrize(
    ("name", "family", "role"),
    [
        ("conversation.replica.interrupted", "interrupted", "pal"),
        ("conversation.pal.interrupted", "interrupted", "pal"),
        ("conversation.pal_interrupted", "interrupted", "pal"),
        ("conversation.user_interrupted", "interrupted", "user"),
        ("conversation.user_started_speaking", "started", "user"),
        ("conversation.replica_stopped_speaking", "stopped", "pal"),
        ("conversation.persona.started_speaking", "started", "pal"),
        ("conversation.replicaStartedSpeaking", "started", "pal"),
        ("conversation.user-stopped-speaking", "stopped", "user"),
        ("conversation.connected", "participant", None),
        ("conversation.participant_disconnected", "participant", None),
        ("conversation.user_joined", "participant", None),
        ("conversation.toolCall", "tool_call", None),
        ("CONVERSATION.UTTERANCE", "utterance", None),
        ("system.face_joined", "ready", None),
        ("system.replica.present", "present", None),
        ("application.canvas.interaction", "webhook", None),
    ],
)
def test_other_spellings_of_types(name: str, family: str, role: str | None) -> None:
    event = decode({"event_type": name})
    assert (event.kind.family, event.role, event.type) == (family, role, name)
    assert event.kind.summary(event).strip()


@pytest.mark.parametrize(
    ("fields", "role"),
    [
        ({"speaker": "replica"}, "pal"),
        ({"speaker": "USER"}, "user"),
        ({"role": " Pal "}, "pal"),
        ({"role": "assistant"}, "pal"),
        ({"role": None, "speaker": "user"}, "user"),
        ({"role": "", "speaker": 7}, ""),
    ],
)
@pytest.mark.parametrize("hoisted", [False, True], ids=["nested", "hoisted"])
def test_who_speaks_in_other_words(fields: Message, role: str, hoisted: bool) -> None:
    sent = {"event_type": UTTERANCE, **(fields if hoisted else {"properties": fields})}
    assert decode(sent).role == role


def test_calls_in_other_shapes_wait_for_their_answer_once() -> None:
    conversation = Conversation()
    listed = [{"id": "c1", "function": {"name": "f", "arguments": "{}"}}, {"id": "c2", "name": "g"}]
    for role in ("pal", "replica"):
        conversation.receive(
            message(UTTERANCE, role=role, speech="Hm.", tool_calls=listed, inference="i"), START
        )
    conversation.receive(message(TOOL_CALL, function={"name": "h"}, call_id="c3"), START)
    (again,) = conversation.receive(message(TOOL_CALL, function={"name": "h"}, call_id="c3"), START)
    assert again.fold == "twin"
    assert {id: call.name for id, call in conversation.turns.open_calls.items()} == {
        "c1": "f",
        "c2": "g",
        "c3": "h",
    }


# -- twins that share a number -------------------------------------------------------------------------

_TWINS: list[tuple[Message, Message]] = [
    (
        message(UTTERANCE, seq=1, role="replica", speech="a"),
        message(UTTERANCE, seq=1, role="pal", speech="a"),
    ),
    (
        message("conversation.started_speaking", seq=1, role="pal", inference="i"),
        message("conversation.started_speaking", seq=1, role="replica", inference="i"),
    ),
    (
        {"event_type": UTTERANCE, "seq": 1, "role": "pal", "speech": "a"},
        {"event_type": UTTERANCE, "seq": 1, "role": "face", "speech": "a"},
    ),
    (
        message(UTTERANCE, seq=1, speaker="pal", speech="a"),
        message(UTTERANCE, seq=1, role="replica", speech="a"),
    ),
    (
        message("conversation.pal.stopped_speaking", seq=1, duration=1.5),
        message("conversation.replica.stopped_speaking", seq=1, duration=1.5),
    ),
    (
        message("system.replica_joined", seq=1, replica_id="r"),
        message("system.pal_joined", seq=1, face_id="r"),
    ),
    (
        message(UTTERANCE, seq=1, at=START, role="replica", speech="a"),
        message(UTTERANCE, seq=1, at=START + 0.01, role="pal", speech="a"),
    ),
]
_NO_TWINS: list[tuple[Message, Message]] = [
    (
        message(UTTERANCE, seq=1, role="replica", speech="a"),
        message(UTTERANCE, seq=1, role="pal", speech="b"),
    ),
    (message(UTTERANCE, seq=1, role="user", speech="a"), message(UTTERANCE, seq=1, role="pal", speech="a")),
    (message("conversation.new", seq=1, role="pal"), message("conversation.new", seq=1, role="replica")),
    (
        message("system.replica_joined", seq=1, replica_id="r"),
        message("system.pal_joined", seq=1, face_id="s"),
    ),
]


@pytest.mark.parametrize("as_text", [False, True], ids=["object", "text"])
@pytest.mark.parametrize("pair", _TWINS)
def test_twins_that_share_a_number(pair: tuple[Message, Message], as_text: bool) -> None:
    for first, second in (pair, pair[::-1]):
        conversation = Conversation()
        conversation.receive(first, START, None, json.dumps(first) if as_text else None)
        conversation.tick(START + 1)  # the first number is held
        (entry,) = events_of(conversation.receive(second, START + 0.01))
        assert (entry.fold, entry.differs) == ("twin", False)
        assert conversation.status.duplicates == 0


@pytest.mark.parametrize("pair", _NO_TWINS)
def test_other_content_under_one_number_is_shown(pair: tuple[Message, Message]) -> None:
    conversation = Conversation()
    conversation.receive(pair[0], START)
    conversation.tick(START + 1)
    (entry,) = events_of(conversation.receive(pair[1], START + 0.01))
    assert entry.differs
    assert conversation.status.duplicates == 1


# -- webhooks, chat, times, analyses -------------------------------------------------------------------

_TURNS = [{"role": "system", "content": "You are " * 500}, {"role": "user"}, {"role": "assistant"}]
_WEBHOOKS: list[tuple[Message, str]] = [
    (message("application.transcription_ready", transcript=_TURNS), "transcription_ready 2 turns"),
    (message("application.transcription_ready", transcript=_TURNS[:2]), "transcription_ready 1 turn"),
    (
        message("application.transcription_ready", transcript=json.dumps(_TURNS)),
        "transcription_ready 2 turns",
    ),
    (message("application.transcription_ready", transcript={"turns": _TURNS}), "transcription_ready 2 turns"),
    ({"event_type": "application.transcription_ready", "transcript": _TURNS}, "transcription_ready 2 turns"),
    (
        message("application.transcription_ready", transcript="word " * 900),
        "transcription_ready 4,500 characters",
    ),
    (message("application.recording_ready", replica_id="r", s3_key="k"), 'recording_ready {"s3_key":"k"}'),
    (message("application.recording_copy_failed", error_message="no"), "recording_copy_failed: no"),
    (message("application.perception_unavailable", reason="r"), "perception_unavailable: r"),
    (message("application.post_call_action_executed"), "post_call_action_executed"),
    (message("canvas.interaction", component="c"), 'interaction {"component":"c"}'),
    (
        {"conversation_id": "c", "objective_name": "o", "output_variables": {"a": "b"}},
        'completed o {"a":"b"}',
    ),
    ({"conversation_id": "c", "properties": {"guardrail": "g", "guardrail_uuid": "u"}}, "g"),
    ({"conversation_id": "c", "properties": {"objective_name": "o"}}, "completed o"),
    ({"event": "chat-msg", "name": "Guest", "message": "hello", "room": "r"}, "chat Guest: hello"),
    ({"event": "chat-msg", "message": "hello"}, "chat: hello"),
    ({"event": "sync-chat-msg", "name": "Guest", "message": {"a": 1}}, 'chat Guest: {"a":1}'),
]


@pytest.mark.parametrize(("sent", "text"), _WEBHOOKS, ids=[text for _, text in _WEBHOOKS])
def test_webhooks_and_chat_are_rows(sent: Message, text: str) -> None:
    assert summary(sent) == text
    (line,) = pretty([sent])
    assert line.endswith(text)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("2026-07-11T06:48:40.5Z", 1783752520.5),
        ("2026-07-11T06:48:40.564961+00:00", 1783752520.564961),
        ("2026-07-11T08:48:40+02:00", 1783752520.0),
        ("2026-07-11 06:48:40", 1783752520.0),
        (1783752520, 1783752520.0),
        (1783752520500, 1783752520.5),
        (1783752520500.0, 1783752520.5),
    ],
)
def test_times_in_every_shape(given: Any, seconds: float) -> None:
    assert decode(message(UTTERANCE, at=given)).timestamp == pytest.approx(seconds, abs=1e-6)
    (entry,) = events_of(replayed([message(UTTERANCE, at=given)]))
    assert entry.at == pytest.approx(seconds, abs=1e-6)


@pytest.mark.parametrize(
    ("speech", "text", "analyses"),
    [
        ("<user_audio_analysis>Calm.</user_audio_analysis> Hi", "Hi", [("sounds", "Calm.")]),
        ("Hi <USER_VISUAL_ANALYSIS>\nDesk\n</USER_VISUAL_ANALYSIS> you", "Hi you", [("looks", "Desk")]),
        ("Hi <visual_context time='1'>Desk</visual_context>", "Hi", [("looks", "Desk")]),
        ("Hi <user_audio_analysis>Calm", "Hi", [("sounds", "Calm")]),
        ("<user_audio_analysis/>Hi", "Hi", []),
        (
            "<user_audio_analysis>a</user_audio_analysis><user_visual_analysis>v</user_visual_analysis>Hi",
            "Hi",
            [("sounds", "a"), ("looks", "v")],
        ),
        ("1 < 2 <b>bold</b>", "1 < 2 <b>bold</b>", []),
    ],
)
@pytest.mark.parametrize("field", ["speech", "text"])
def test_analyses_inside_speech(field: str, speech: str, text: str, analyses: list[tuple[str, str]]) -> None:
    event = decode(message(UTTERANCE, role="user", **{field: speech}))
    assert (event.text, event.analyses) == (text, analyses)
    assert event.kind.summary(event) == "  ".join([text, *(f"({label}: {one})" for label, one in analyses)])


def test_a_hostile_speech_takes_linear_time() -> None:
    for speech in ("<user_audio_analysis>" * 20_000, "<" * 200_000, "<a_analysis " * 20_000):
        assert isinstance(decode(message(UTTERANCE, speech=speech)).text, str)


# -- the hint about minutes ----------------------------------------------------------------------------


def hints(*timed: tuple[float, Message]) -> list[str]:
    conversation = Conversation()
    entries = [entry for at, one in timed for entry in conversation.receive(one, START + at)]
    return [entry.text for entry in entries if isinstance(entry, NoteEntry)]


OVER = message("system.shutdown", shutdown_reason="max_call_duration")


@pytest.mark.parametrize(
    "shutdown",
    [
        OVER,
        message("system.shutdown", reason="max_call_duration_reached"),
        message("system.shutdown", shutdown_reason="Max call duration"),
        {"event_type": "system.shutdown", "shutdown_reason": "maxCallDuration reached"},
    ],
)
@pytest.mark.parametrize("after", [85.0, 119.0])
def test_an_early_end_by_the_maximum_is_explained(shutdown: Message, after: float) -> None:
    (hint,) = hints((0, message("system.pal_joined", seq=1)), (after, shutdown))
    assert hint == f"ended after {after:.0f} s: the account may be out of minutes"


@pytest.mark.parametrize(
    "timed",
    [
        [(0.0, message("system.pal_joined")), (121.0, OVER)],
        [(0.0, message("system.pal_joined")), (85.0, message("system.shutdown", reason="left"))],
        [(0.0, message(UTTERANCE, seq=5_000)), (85.0, OVER)],
    ],
    ids=["late", "another reason", "joined late"],
)
def test_other_ends_are_not_explained(timed: list[tuple[float, Message]]) -> None:
    assert hints(*timed) == []


def test_an_end_at_an_unknown_time_is_not_explained() -> None:
    assert not any(isinstance(one, NoteEntry) for one in replayed([message(UTTERANCE), OVER]))


def test_the_hint_is_reported_once_and_by_times_of_creation_too() -> None:
    timed = [{**message("system.pal_joined"), "timestamp": START}, *[{**OVER, "timestamp": START + 85}] * 2]
    assert sum(isinstance(one, NoteEntry) for one in replayed(timed)) == 1


def test_the_catalogue_has_every_interaction() -> None:
    names = {name for name, kind in CATALOGUE.items() if kind.family == "interaction"}
    assert len(names) == 9
    assert isinstance(decode({"event_type": min(names)}), Event)
    assert all(isinstance(one, EventEntry) for one in replayed([{"event_type": name} for name in names]))
