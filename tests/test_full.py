"""One entry in full."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given

from tavus_cli.protocol.conversation import Conversation, EventEntry
from tavus_cli.views.full import full
from tavus_cli.views.theme import PLAIN
from tests.conversations import START, assert_harmless, deep, hostile_messages, message, texts


def entry(one: Any) -> EventEntry:
    (made,) = Conversation().receive(one, START)
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


@given(texts())
def test_hostile_messages_are_harmless(text: str) -> None:
    for one in hostile_messages("conversation.tool_call", text):
        assert_harmless(full(entry(one), PLAIN))


def test_a_deep_message_is_shown_on_one_line() -> None:
    lines = full(entry({"event_type": "x", "properties": {"deep": deep(1_000)}}), PLAIN)
    assert len(lines) == 2
