"""The simulated PAL follows docs/protocol.md: speech, turns, echo, the user."""

from __future__ import annotations

import base64
import hashlib
import uuid
from typing import Any

import pytest

from tavus_cli.protocol.events import decode
from tavus_cli.protocol.interactions import (
    Interaction,
    append_context,
    confirm,
    echo,
    overwrite_context,
    respond,
    sensitivity,
    set_emotion,
)
from tavus_cli.rooms.sim.model import Options
from tavus_cli.rooms.sim.replica import Replica
from tests.kits.replica_kit import (
    OBJECTIVES,
    START,
    STEPS,
    Sends,
    Timed,
    an_echo,
    brief,
    of_type,
    run,
    script,
    texts,
)

# -- what is said, and when -------------------------------------------------------------------


def test_it_joins_greets_and_is_present() -> None:
    out = run(script('greeting = "Hi there."'), until=4.9)
    assert brief(out, heartbeats=True) == [
        "1 pal_joined",
        "1 pal_present",
        "1.3 t0 pal started_speaking",
        "1.3 t0 pal utterance Hi there.",
        "2 pal_present",
        "3 pal_present",
        "3.3 t0 pal stopped_speaking",
        "4 pal_present",
    ]
    assert [message["event_type"] for _, message in out[:4]] == [
        "system.replica_joined",
        "system.pal_joined",
        "system.replica_present",
        "system.pal_present",
    ]
    assert not of_type(out, "conversation.utterance.streaming")  # a greeting is never streamed


def test_a_turn_in_full() -> None:
    what = script('[[reply]]\nmatch = "HELLO"\nsay = "Good day to you."')
    out = run(what, [(2, respond("hello?"))], until=30)
    assert brief(out)[1:] == [
        "2 t1 user utterance hello?",
        "3 t1 pal started_speaking",
        "3 t1 pal utterance Good day to you.",
        "4 t1 pal streaming Good",
        "5 t1 pal streaming Good day",
        "6 t1 pal streaming Good day to",
        "7 t1 pal streaming. Good day to you.",
        "7 t1 pal stopped_speaking",
    ]
    speaking = [decode(message) for at, message in out if "speaking" in message["event_type"]]
    assert [(one.type, one.get("role")) for one in speaking[:3]] == [
        ("conversation.replica.started_speaking", None),
        ("conversation.started_speaking", "pal"),
        ("conversation.started_speaking", "replica"),
    ]
    assert [(one.duration, one.interrupted) for one in speaking[3:]] == [(4.0, False)] * 3
    streamed = of_type(out, "conversation.utterance.streaming")
    assert [one["properties"]["content_index"] for one in streamed] == [0, 0, 1, 1, 2, 2, 3, 3]
    spoken = {
        message["inference_id"] for _, message in out if message.get("properties", {}).get("role") == "pal"
    }
    assert len(spoken) == 1


def test_the_envelope() -> None:
    out = run(script('greeting = "Hi."'), [(2, respond("x"))], until=9)
    for at, message in out:
        event = decode(message)
        assert event.timestamp == pytest.approx(at, abs=0.001)
        assert message["message_type"] == ("system" if event.type.startswith("system.") else "conversation")
        generic = event.type in ("conversation.started_speaking", "conversation.stopped_speaking")
        assert message.get("conversation_id") == (None if generic else "c1")
    assert [message["seq"] for _, message in out] == list(range(1, len(out) + 1))


def test_what_is_sent_before_the_pal_is_there_is_heard_when_it_comes() -> None:
    out = run(script('greeting = "Hi."'), [(0, respond("early"))])
    assert brief(out)[1] == "1 t1 user utterance early"
    assert texts(out) == ["You said: early"]  # and there is no greeting after a question


def test_replies_are_given_in_turn_with_what_matched() -> None:
    what = script('[[reply]]\nmatch = "(?P<who>\\\\w+) says (\\\\w+)"\nsay = ["{who}: {2} {3}", "{user}"]')
    out = run(what, [(at, respond("Ann says hi")) for at in (2, 20, 40)])
    assert texts(out) == ["Ann: hi {3}", "Ann says hi", "Ann: hi {3}"]


def test_a_very_long_speech_has_fewer_snapshots() -> None:
    out = run(script(), [(2, echo("word " * 5_000))], until=10_000)
    streamed = of_type(out, "conversation.utterance.streaming")
    assert len(streamed) <= 800
    assert streamed[-1]["properties"]["speech"] == "word " * 5_000


# -- echo and context -------------------------------------------------------------------


def test_echo_is_spoken_word_for_word_after_what_is_being_said() -> None:
    out = run(script('default = "One two."'), [(2, respond("x")), (3, echo("Echo {user}."))])
    assert texts(out) == ["One two.", "Echo {user}."]
    assert "5.25 t1 pal utterance Echo {user}." in brief(out)


def test_echo_parts_with_one_id_are_one_utterance() -> None:
    parts = [
        an_echo(text="One ", inference_id="a", done=False),
        an_echo(text="two.", inference_id="a", done="true"),
    ]
    out = run(script(), [(2, parts[0]), (3, an_echo(text="Other.")), (8, parts[1])])
    assert texts(out) == ["Other.", "One two."]
    derived = str(uuid.UUID(hashlib.md5(b"a").hexdigest()))
    assert of_type(out, "conversation.stopped_speaking")[-1]["inference_id"] == derived


def test_echoed_audio_lasts_as_long_as_its_bytes() -> None:
    audio = base64.b64encode(bytes(8_000)).decode()
    pieces = [
        an_echo(modality="audio", audio=audio, sample_rate=8_000, inference_id="a", done=done)
        for done in (False, True)
    ]
    out = run(script(), [(2, pieces[0]), (2.1, pieces[1])])
    assert brief(out)[1:] == ["2.1 t0 pal started_speaking", "3.1 t0 pal stopped_speaking"]
    assert of_type(out, "conversation.stopped_speaking")[-1]["properties"]["duration"] == 1.0


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"text": ""},
        {"text": " \n"},
        {"text": 7},
        {"text": "x", "done": False},
        {"modality": "audio", "audio": "%%%", "done": True},
        {"modality": "audio", "audio": None, "done": True},
        {"modality": "audio", "audio": "AAAA", "sample_rate": 10**400, "done": True},
    ],
)
def test_an_empty_echo_has_no_effect(properties: dict[str, Any]) -> None:
    assert brief(run(script(), [(2, an_echo(**properties))])) == ["1 pal_joined"]


def test_context_is_silent_and_can_be_quoted() -> None:
    what = script('context = "A."\ndefault = "[{context}]"')
    sends: Sends = [
        (2, append_context("B.")),
        (3, respond("x")),
        (9, overwrite_context("C.")),
        (10, respond("x")),
    ]
    out = run(what, sends)
    assert texts(out) == ["[A.\nB.]", "[C.]"]
    silent: Sends = [
        (2, append_context("B.")),
        (3, overwrite_context("C.")),
        (4, sensitivity("pause", "low")),
    ]
    assert brief(run(script(), silent)) == ["1 pal_joined"]


def test_an_emotion_is_kept_until_the_next_and_can_be_quoted() -> None:
    what = script('default = "[{emotion}]"')
    sends: Sends = [
        (0, set_emotion("anger")),  # dropped: the PAL is not there yet
        (2, respond("x")),
        (8, set_emotion("surprise")),
        (9, respond("x")),
        (15, respond("x")),
        (20, set_emotion("joy")),
        (21, respond("x")),
        (27, set_emotion("fear")),
        (28, Interaction("conversation.set_emotion", {"emotion": ["sadness"]})),
        (29, respond("x")),
    ]
    assert texts(run(what, sends)) == ["[neutral]", "[surprise]", "[surprise]", "[neutral]", "[neutral]"]
    assert brief(run(script(), sends[7:8])) == ["1 pal_joined"]


@pytest.mark.parametrize(
    "message",
    [
        None, 7, "text", [], {}, {"event_type": 7}, {"event_type": ["x"]}, {"event_type": "conversation.x"},
        {"event_type": "conversation.respond"}, {"event_type": "conversation.respond", "properties": []},
        {"event_type": "conversation.respond", "properties": {"text": 1}},
        {"event_type": "conversation.tool_result", "properties": {"tool_call_id": ["x"]}},
        {"event_type": "conversation.objective.confirm", "properties": {"objective_name": {}}},
    ],
)  # fmt: skip
def test_what_is_not_an_interaction_has_no_effect(message: Any) -> None:
    assert brief(run(script(), [(2, message)])) == ["1 pal_joined"]


# -- what else there is -------------------------------------------------------------------


def test_objectives() -> None:
    sends: Sends = [
        (2, respond("nothing")),
        (10, respond("Monday")),
        (20, respond("4 of us")),
        (30, respond("5 of us")),
        (31, confirm("day")),
        (32, Interaction("conversation.objective.confirm", {"output_variables": {"size": "4"}})),
        (33, confirm("size")),
    ]
    out = run(script(OBJECTIVES), sends)
    goals = [
        (round(at - START), decode(message)) for at, message in out if ".objective." in message["event_type"]
    ]
    assert [
        (at, one.short, one.word("objective_name"), one.get("output_variables")) for at, one in goals
    ] == [
        (1, "objective.activated", "day", None),
        (10, "objective.completed", "day", {"day": "Mon"}),
        (10, "objective.activated", "size", None),
        (20, "objective.pending", "size", {"text": "4 of us"}),
        (32, "objective.completed", "size", {"text": "4 of us", "size": "4"}),
    ]


def test_every_step_of_a_timeline() -> None:
    out = run(script(STEPS), until=1.5)
    summaries = [decode(message).kind.summary(decode(message)) for _, message in out]
    for summary in (
        "calm",
        "rude: words",
        "documents a.pdf, b.pdf",
        'pending o {"a":"b"}',
        'new {"a":1}',
        "not a message",
        "Hm.",
        'end_call {"why":"x"}',
    ):
        assert summary in summaries
    wave, mood = (message["properties"] for message in of_type(out, "conversation.perception_tool_call"))
    assert (wave["modality"], wave["arguments"], wave["frames"]) == (
        "vision",
        {"hand": "left"},
        [{"uri": "x"}],
    )
    assert (mood["modality"], mood["arguments"]) == ("audio", "{}")
    assert wave["tool_call_id"] != mood["tool_call_id"]


def test_reasons_of_shutdown() -> None:
    out = run(script('shutdown_after = 10\ngreeting = "a b c d e f g h i j k"'), [(20, respond("x"))])
    assert brief(out)[-2:] == ["10 t0 pal stopped_speaking!", "10 shutdown"]
    assert out[-1][1]["properties"]["shutdown_reason"] == "max_call_duration reached"
    out = run(script('[[at]]\nafter = 5\nshutdown = "participant_left_timeout reached"'))
    assert out[-1][1]["properties"]["shutdown_reason"] == "participant_left_timeout reached"
    replica = Replica(script("shutdown_after = 10"), Options(), "c1", START)
    replica.due(START + 5)
    assert replica.present
    replica.due(START + 11)
    assert (replica.present, replica.over) == (False, "max_call_duration reached")
    assert replica.wake_at() is None


def test_load() -> None:
    assert len(of_type(run(script(), until=2, burst=1_000), "conversation.sim.load")) == 1_000
    steady = of_type(run(script(), until=11.0001, rate=250), "conversation.sim.load")
    assert abs(len(steady) - 2_500) <= 5
    assert len(of_type(run(script(), rate=1_000, events=77), "conversation.sim.load")) == 77
    slow = run(script(), until=6.001, rate=0.5)
    times = [at - START for at, message in slow if message["event_type"] == "conversation.sim.load"]
    assert times == [1, 3, 5]


def test_a_limit_splits_what_is_due_and_loses_nothing() -> None:
    whole = run(script(), until=2, burst=1_000)
    replica = Replica(script(), Options(seed=1, burst=1_000), "c1", START)
    parts: list[Timed] = []
    while (at := replica.wake_at()) is not None and at <= START + 2:
        part = replica.due(START + 2, 100)
        assert len(part) < 500
        parts += part
    assert parts == whole


def test_a_faster_pace_shortens_what_is_scripted() -> None:
    replica = Replica(script('default = "One two."'), Options(), "c1", START, pace=4)
    replica.receive(respond("x").encode("c1"), START + 1)
    lines = brief(replica.due(START + 9))
    assert lines[-1] == "1.75 t1 pal stopped_speaking"
