"""What a client may send: the message of each builder, the warnings, and audio in pieces."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.protocol.interactions import (
    SENSITIVITIES,
    SIZE_LIMIT,
    Interaction,
    append_context,
    audio_echo,
    confirm,
    echo,
    interrupt,
    lint,
    overwrite_context,
    respond,
    sensitivity,
    tool_result,
)
from tavus_cli.protocol.wire import to_json
from tests.kits.conversations import (
    HOSTILE_VALUES,
    INTERACTIONS,
    SENT_TYPES,
    Message,
    deep_messages,
    hostile_messages,
    json_values,
    many,
    some,
    strange_messages,
)

_BUILT: dict[str, tuple[Interaction, str, Message | None]] = {
    "echo": (echo("Hi"), "conversation.echo", {"modality": "text", "text": "Hi", "done": True}),
    "respond": (respond("Hi"), "conversation.respond", {"text": "Hi"}),
    "interrupt": (interrupt(), "conversation.interrupt", None),
    "append": (append_context("c"), "conversation.append_llm_context", {"context": "c"}),
    "append, job done": (
        append_context("c", completed=True),
        "conversation.append_llm_context",
        {"context": "c", "job_status": "completed"},
    ),
    "overwrite": (overwrite_context("c"), "conversation.overwrite_llm_context", {"context": "c"}),
    "pause sensitivity": (
        sensitivity("pause", "high"),
        "conversation.sensitivity",
        {"participant_pause_sensitivity": "high"},
    ),
    "interrupt sensitivity": (
        sensitivity("interrupt", "auto"),
        "conversation.sensitivity",
        {"participant_interrupt_sensitivity": "auto"},
    ),
    "tool result": (
        tool_result("c1", "text"),
        "conversation.tool_result",
        {"tool_call_id": "c1", "output": "text", "status": "success"},
    ),
    "tool result, an object": (
        tool_result("c1", {"a": [1]}),
        "conversation.tool_result",
        {"tool_call_id": "c1", "output": {"a": [1]}, "status": "success"},
    ),
    "tool result, failed": (
        tool_result("c1", "no", error=True),
        "conversation.tool_result",
        {"tool_call_id": "c1", "output": "no", "status": "error"},
    ),
    "confirm": (confirm("o"), "conversation.objective.confirm", {"objective_name": "o"}),
}


@pytest.mark.parametrize(("built", "name", "properties"), _BUILT.values(), ids=_BUILT)
def test_messages(built: Interaction, name: str, properties: Message | None) -> None:
    message = built.encode("c7f3")
    expected = {"message_type": "conversation", "event_type": name, "conversation_id": "c7f3"}
    assert message == expected | ({} if properties is None else {"properties": properties})
    assert ("properties" in message) == (properties is not None)
    assert lint(message) == []


def test_without_a_conversation_id_the_key_is_left_out() -> None:
    assert "conversation_id" not in respond("Hi").encode("")


def test_a_raw_message_is_sent_as_it_is() -> None:
    raw = {"event_type": "conversation.respond", "conversation_id": "other", "odd": None}
    assert Interaction("conversation.respond", {"text": "no"}, raw).encode("c7f3") is raw


# -- lint ----------------------------------------------------------------------------------------------

_SAMPLE_WARNINGS = {
    9: ['done is the string "true": send a boolean'],
    18: ["a sensitivity message takes exactly one of the two keys"],
    25: ["conversation.realtime_api is retired: Tavus no longer supports it"],
}


@pytest.mark.parametrize("line", range(1, len(INTERACTIONS) + 1))
def test_samples(line: int) -> None:
    assert lint(INTERACTIONS[line - 1]) == _SAMPLE_WARNINGS.get(line, [])


def sent(name: str, /, **properties: Any) -> Message:
    return {"message_type": "conversation", "event_type": f"conversation.{name}", "properties": properties}


_WARNED: dict[str, tuple[Any, list[str]]] = {
    "no object": ([1], ["not a JSON object: Tavus reads only objects"]),
    "empty": ({}, ['message_type is not "conversation"', "event_type is missing"]),
    "system": (
        {"message_type": "system", "event_type": 5},
        ['message_type is not "conversation"', "event_type is missing"],
    ),
    "properties null": (
        {**sent("respond"), "properties": None},
        ["properties is not an object"],
    ),
    "properties left out": (
        {"message_type": "conversation", "event_type": "conversation.respond"},
        ['conversation.respond without "text"'],
    ),
    "unknown type, far": (sent("levitate"), ["unknown event_type conversation.levitate"]),
    "unknown type, near": (
        sent("respnd", text="a"),
        ["unknown event_type conversation.respnd; did you mean conversation.respond?"],
    ),
    "wrong name of overwrite": (
        sent("overwrite_context"),
        [
            "unknown event_type conversation.overwrite_context"
            "; did you mean conversation.overwrite_llm_context?"
        ],
    ),
    "wrong name of append": (
        sent("append_context"),
        ["unknown event_type conversation.append_context; did you mean conversation.append_llm_context?"],
    ),
    "wrong key with a known cure": (
        sent("overwrite_llm_context", text="a"),
        [
            'unknown key "text" in conversation.overwrite_llm_context; did you mean "context"?',
            'conversation.overwrite_llm_context without "context"',
        ],
    ),
    "wrong key, near": (
        sent("tool_result", tool_cal_id="c"),
        [
            'unknown key "tool_cal_id" in conversation.tool_result; did you mean "tool_call_id"?',
            'conversation.tool_result without "tool_call_id"',
        ],
    ),
    "wrong key, far": (
        sent("respond", text="a", zzzz=1),
        ['unknown key "zzzz" in conversation.respond'],
    ),
    "a key where none belongs": (
        sent("interrupt", now=True),
        ['unknown key "now" in conversation.interrupt'],
    ),
    "text is a number": (sent("respond", text=5), ["text is not a string"]),
    "text is null": (sent("respond", text=None), ["text is not a string"]),
    "rate is text": (sent("echo", sample_rate="16000"), ["sample_rate is not a whole number"]),
    "rate is a boolean": (sent("echo", sample_rate=True), ["sample_rate is not a whole number"]),
    "done is a number": (sent("echo", done=1), ["done is not a boolean"]),
    "done is text": (sent("echo", done="false"), ['done is the string "false": send a boolean']),
    "output is a list": (
        sent("tool_result", tool_call_id="c", output=[1]),
        ["output is not a string or an object"],
    ),
    "modality": (sent("echo", modality="speech"), ['modality is "speech": known are text, audio']),
    "status": (
        sent("tool_result", tool_call_id="c", status="ok"),
        ['status is "ok": known are success, error'],
    ),
    "job status": (
        sent("append_llm_context", context="c", job_status="done"),
        ['job_status is "done": known are completed'],
    ),
    "sensitivity value": (
        sent("sensitivity", participant_pause_sensitivity="very high"),
        [f'participant_pause_sensitivity is "very high": known are {", ".join(SENSITIVITIES)}'],
    ),
    "both sensitivities": (
        sent("sensitivity", participant_pause_sensitivity="low", participant_interrupt_sensitivity="low"),
        ["a sensitivity message takes exactly one of the two keys"],
    ),
    "neither sensitivity": (sent("sensitivity"), ["a sensitivity message takes exactly one of the two keys"]),
    "objective's variables": (
        sent("objective.confirm", objective_name="o", output_variables=[]),
        ["output_variables is not an object"],
    ),
    "a client's own echo without modality": (sent("echo", text="a"), []),
    "name of a tool": (sent("tool_result", tool_call_id="c", name="f"), []),
}


@pytest.mark.parametrize(("message", "warnings"), _WARNED.values(), ids=_WARNED)
def test_lint(message: Any, warnings: list[str]) -> None:
    assert lint(message) == warnings


def test_the_size_limit_counts_bytes() -> None:
    room = SIZE_LIMIT - len(to_json(respond("").encode("c")))
    assert lint(respond("a" * room).encode("c")) == []
    assert lint(respond("é" * (room // 2)).encode("c")) == []
    (warning,) = lint(respond("a" * (room + 1)).encode("c"))
    assert warning == "4,097 bytes: a message over 4,096 may be lost"
    assert lint(respond("é" * room).encode("c")) != []
    assert lint(["a" * SIZE_LIMIT])[1].startswith("4,100 bytes")


@many
@given(strange_messages() | json_values())
def test_nothing_stops_lint(message: Any) -> None:
    assert all(isinstance(warning, str) and warning for warning in lint(message))


@some
@given(st.sampled_from(SENT_TYPES), st.dictionaries(st.text(max_size=12), json_values(4), max_size=4))
def test_nothing_stops_lint_of_a_known_type(name: str, properties: Message) -> None:
    warnings = lint({"message_type": "conversation", "event_type": name, "properties": properties})
    assert all(isinstance(warning, str) and warning for warning in warnings)


@pytest.mark.parametrize("value", HOSTILE_VALUES.values(), ids=HOSTILE_VALUES)
def test_hostile_values_do_not_stop_lint(value: Any) -> None:
    for name in SENT_TYPES:
        for message in hostile_messages(name, value):
            assert lint(message)


def test_deep_values_do_not_stop_lint() -> None:
    for name in SENT_TYPES:
        for message in deep_messages(name):
            assert lint(message)


# -- audio ---------------------------------------------------------------------------------------------

_ID = "11111111-2222-4333-8444-555555555501"
_LONG_CONVERSATION = "c" * 64
RATES = (8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)


def pieces(pcm: bytes, rate: int) -> list[tuple[float, Message, bytes]]:
    """When each is due, its properties and its sound."""
    out = []
    for due, interaction in audio_echo(pcm, rate, _ID):
        assert interaction.properties is not None
        assert lint(interaction.encode(_LONG_CONVERSATION)) == []
        out.append((due, interaction.properties, base64.b64decode(interaction.properties["audio"])))
    return out


@some
@given(
    st.integers(8_000, 48_000) | st.sampled_from(RATES),
    st.integers(1, 30_000),
    st.binary(min_size=1, max_size=8),
)
def test_audio_in_pieces(rate: int, samples: int, pattern: bytes) -> None:
    pcm = (pattern * (2 * samples))[: 2 * samples]
    parts = pieces(pcm, rate)
    assert b"".join(sound for _, _, sound in parts) == pcm
    assert [one["done"] for _, one, _ in parts] == [False] * (len(parts) - 1) + [True]
    for _, one, sound in parts:
        assert one.keys() == {"modality", "audio", "sample_rate", "inference_id", "done"}
        assert (one["modality"], one["sample_rate"], one["inference_id"]) == ("audio", rate, _ID)
        assert len(sound) % 2 == 0
    heard = 0.0
    for due, _, sound in parts:  # each is due when those before it have been heard
        assert due == pytest.approx(heard)
        heard += len(sound) / 2 / rate


@pytest.mark.parametrize("rate", RATES)
def test_every_piece_fits_into_a_message(rate: int) -> None:
    for _, interaction in audio_echo(b"\xff" * 2 * rate, rate, _ID):
        assert len(to_json(interaction.encode(_LONG_CONVERSATION)).encode()) < SIZE_LIMIT
    assert len(pieces(b"\xff" * 2 * rate, rate)) < 45  # and no more of them than needed


def test_audio_of_odd_length_and_of_none() -> None:
    assert b"".join(sound for _, _, sound in pieces(b"\x01\x02\x03", 16_000)) == b"\x01\x02\x03"
    assert pieces(b"", 16_000) == []
    assert [len(sound) for _, _, sound in pieces(b"\x00" * 2_560 * 2, 16_000)] == [2_560, 2_560]
