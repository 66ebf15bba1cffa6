"""One entry in full."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from tavus_cli.protocol.conversation import Conversation
from tavus_cli.protocol.entries import EventEntry, SentEntry
from tavus_cli.protocol.events import decode
from tavus_cli.protocol.interactions import tool_result
from tavus_cli.protocol.turns import ToolCall, Turn
from tavus_cli.views.full import full
from tavus_cli.views.theme import DARK, PLAIN
from tests.kits.conversations import (
    HOSTILE_VALUES,
    START,
    assert_harmless,
    deep,
    every_entry,
    hostile_messages,
    json_values,
    many,
    message,
    same_value,
    some,
    texts,
)


def entry(one: Any) -> EventEntry:
    conversation = Conversation()
    (made,) = conversation.receive(one, START) + conversation.close()
    assert isinstance(made, EventEntry)
    return made


def test_what_is_known_and_the_message() -> None:
    one = message("conversation.utterance", turn=2, role="user", speech="Hi") | {"seq": 7}
    head, *lines = full(entry(one), PLAIN)
    assert head.startswith("conversation.utterance  seq 7  turn 2  role user  ")
    assert json.loads("\n".join(lines)) == one


def test_images_are_cut_to_type_and_size() -> None:
    frame = {"mime_type": "image/jpeg", "data": "A" * 4_000}
    one = message("conversation.perception_tool_call", name="wave", frames=[frame])
    text = "\n".join(full(entry(one), PLAIN))
    assert '"data": "(3,000 B)"' in text
    assert "AAAA" not in text


def head_of(entry: EventEntry | SentEntry) -> list[str]:
    return full(entry, PLAIN)[0].split("  ")


def test_all_its_numbers() -> None:
    one = message(
        "conversation.utterance", seq=7, turn=2, at=START - 1, inference="u2", role="user", speech=""
    )
    made = EventEntry(decode(one, START, "peer"), START, Turn(2, START), back=True, late=True, fold="twin")
    assert head_of(made) == [
        "conversation.utterance",
        "seq 7",
        "turn 2",
        "role user",
        "inference u2",
        "from peer",
        f"created {START - 1:.3f}",
        f"came {START:.3f}",
        "folded as twin",
        "late",
        "of an earlier turn",
    ]
    made = EventEntry(decode(one), START, differs=True, reply=1.139)
    assert head_of(made)[-2:] == ["seq seen before, with different content", "reply 1.14 s"]


def test_what_was_sent_shows_what_became_of_it() -> None:
    event = decode(tool_result("c1", "x").encode(""), direction="out")
    call = ToolCall("c1", "look\n", START - 0.084, None, START)
    assert head_of(SentEntry(event, START, call=call))[-2:] == [
        f"sent {START:.3f}",
        "answers look␊ after 0.08 s",
    ]
    call.answered = None
    assert head_of(SentEntry(event, START, call=call, echo=0.2))[-1] == "heard in 200 ms"


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"frames": [{"data": "A" * 4_000}]}, {"frames": [{"data": "(3,000 B)"}]}),
        ({"frames": [{"uri": "u" * 4_000}]}, None),
        ({"frames": [{"data": "A" * 200}]}, None),
        ({"data": "long words " * 100}, None),
        ({"data": [["A" * 4_000]]}, None),
        ({"audio": "A" * 3_416, "modality": "audio"}, {"audio": "(2,562 B)", "modality": "audio"}),
        ({"speech": "A" * 4_000}, None),
    ],
    ids=["frame", "address", "short", "words", "no text", "sound", "speech"],
)
def test_bytes_are_cut_and_words_are_not(fields: dict[str, Any], shown: dict[str, Any] | None) -> None:
    one = message("conversation.perception_tool_call", **fields)
    expected = fields if shown is None else shown
    assert json.loads("\n".join(full(entry(one), PLAIN)[1:]))["properties"] == expected
    assert one["properties"] == fields  # the entry itself is left as it is


def test_bytes_are_cut_at_any_depth() -> None:
    one = {"event_type": "x", "properties": {"deep": deep(90, {"data": "A" * 4_000})}}
    lines = full(entry(one), PLAIN)
    assert [line.strip() for line in lines if "data" in line] == ['"data": "(3,000 B)"']
    assert not any("AAAA" in line for line in lines)


@some
@given(texts())
def test_hostile_messages_are_harmless(text: str) -> None:
    for one in hostile_messages("conversation.tool_call", text):
        assert_harmless(full(entry(one), PLAIN))


@pytest.mark.parametrize("value", HOSTILE_VALUES.values(), ids=HOSTILE_VALUES)
def test_hostile_values_are_harmless(value: Any) -> None:
    for one in hostile_messages("conversation.perception_tool_call", value):
        for made in every_entry(one, value if isinstance(value, str) else "\x1b"):
            if isinstance(made, EventEntry | SentEntry):
                assert_harmless(full(made, DARK))


@many
@given(json_values())
def test_the_value_comes_back_from_what_is_shown(value: Any) -> None:
    event = decode(value)  # of a text that holds an object, the object
    lines = full(EventEntry(event, START), PLAIN)
    assert_harmless(lines)
    assert same_value(json.loads("\n".join(lines[1:])), event.message)


def test_a_message_nested_too_deep() -> None:
    lines = full(entry({"event_type": "x", "properties": {"deep": deep(4_000)}}), PLAIN)
    assert lines[1:] == ["nested too deep"]
