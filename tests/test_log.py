"""The bounded memory of what has passed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.protocol.conversation import Conversation
from tavus_cli.protocol.interactions import respond, tool_result
from tavus_cli.protocol.log import SEARCHED, TABLE_KEPT, Log
from tests.conversations import START, message


def heard(*messages: dict[str, Any], limit: int = 100) -> Log:
    conversation, log = Conversation(), Log(limit)
    for number, one in enumerate(messages):
        log.add(conversation.receive({"seq": number, **one}, START + number))
    return log


def said(text: str, turn: int = 1, **more: Any) -> dict[str, Any]:
    return message("conversation.utterance", turn=turn, role="user", speech=text, **more)


@given(st.integers(1, 20), st.integers(0, 60))
def test_the_oldest_leave_first_and_are_counted(limit: int, count: int) -> None:
    log = heard(*(said(f"number {number}") for number in range(count)), limit=limit)
    assert (len(log), log.dropped) == (min(limit, count), max(0, count - limit))
    for seq in range(count):
        assert (log.event(seq) is not None) == (seq >= count - limit)


def test_tables_are_bounded_too() -> None:
    calls = (
        message("conversation.tool_call", turn=turn, name="look", arguments="{}", tool_call_id=f"c{turn}")
        for turn in range(TABLE_KEPT + 10)
    )
    log = heard(*calls)
    assert len(log.turns()) == len(log.calls()) == TABLE_KEPT
    assert log.turns()[-1].idx == TABLE_KEPT + 9


def test_the_last_is_not_a_folded_one() -> None:
    log = heard(said("Hello"), message("system.pal_present"))
    last = log.last()
    assert last is not None
    assert last.event.text == "Hello"
    assert Log().last() is None


def test_what_was_sent_last_and_which_call_it_answered() -> None:
    conversation, log = Conversation(), Log()
    call = message("conversation.tool_call", turn=1, name="look", arguments="{}", tool_call_id="c1")
    log.add(conversation.receive(call, START))
    assert [one.answered for one in log.calls()] == [None]
    assert log.last_sent() is None
    log.add(conversation.sent(tool_result("c1", "seen").encode("x"), START + 2))
    assert [(one.name, one.answered) for one in log.calls()] == [("look", START + 2)]
    sent = log.last_sent()
    assert sent is not None
    assert sent.event.type == "conversation.tool_result"


def test_a_turn_is_all_that_belongs_to_it() -> None:
    conversation, log = Conversation(), Log()
    log.add(conversation.sent(respond("Hi").encode("x"), START))
    for number, one in enumerate((said("Hi", 4), said("other", 5), said("Yes", 4)), 1):
        log.add(conversation.receive({"seq": number, **one}, START + number / 10))
    assert [entry.event.text for entry in log.turn(4)] == ["Hi", "Hi", "Yes"]  # type: ignore[union-attr]
    assert [turn.idx for turn in log.turns()] == [4, 5]
    assert log.turn(6) == []


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("lantern", ["A Lantern", "lanterns"]),
        ("^lanterns$", ["lanterns"]),
        ("tool_call", []),
        ("x.y", []),
    ],
)
def test_find(pattern: str, found: list[str]) -> None:
    log = heard(said("A Lantern"), said("lamps"), said("lanterns"))
    entries = log.find(re.compile(pattern, re.IGNORECASE), 10)
    assert [entry.event.text for entry in entries] == found  # type: ignore[union-attr]


def test_find_gives_the_latest_and_looks_into_the_message() -> None:
    log = heard(*(said(f"n{number}") for number in range(30)))
    entries = log.find(re.compile("user"), 3)
    assert [entry.event.text for entry in entries] == ["n27", "n28", "n29"]  # type: ignore[union-attr]


def test_a_search_does_not_look_through_megabytes() -> None:
    log = heard(said("a" * (2 * SEARCHED) + "needle"))
    assert log.find(re.compile("needle"), 10) == []


def test_objectives_are_known_by_name() -> None:
    log = heard(message("conversation.objective.pending", objective_name="address"))
    assert log.objectives() == ["address"]
