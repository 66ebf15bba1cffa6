"""The log of past entries, bounded in size."""

from __future__ import annotations

import json
import sys
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.protocol.conversation import Conversation
from tavus_cli.protocol.entries import Entry, EventEntry, NoteEntry, SentEntry
from tavus_cli.protocol.events import decode
from tavus_cli.protocol.interactions import respond, tool_result
from tavus_cli.protocol.log import SEARCHED, TABLE_KEPT, Log
from tavus_cli.protocol.turns import Turn
from tests.kits.conversations import START, message, some, strange_messages


@st.composite
def strange_conversation(draw: st.DrawFn) -> list[Entry]:
    """The entries of any messages, with sent ones and notes between them."""
    conversation = Conversation()
    out: list[Entry] = []
    for number, one in enumerate(draw(st.lists(strange_messages() | st.none(), max_size=12))):
        at = START + number
        if one is None:
            out += conversation.sent(tool_result("c1", "x").encode(""), at) + conversation.note("n", at)
        else:
            out += conversation.receive(one, at)
    return out + conversation.close()


def texts_of(entries: list[Entry]) -> list[str]:
    return [entry.event.text for entry in entries if isinstance(entry, EventEntry | SentEntry)]


def heard(*messages: dict[str, Any], limit: int = 100) -> Log:
    conversation, log = Conversation(), Log(limit)
    for number, one in enumerate(messages):
        log.add(conversation.receive({"seq": number, **one}, START + number))
    return log


def said(text: str, turn: int = 1, **more: Any) -> dict[str, Any]:
    return message("conversation.utterance", turn=turn, role="user", speech=text, **more)


@given(st.integers(1, 20), st.integers(0, 60))
def test_the_oldest_entries_are_dropped_and_counted(limit: int, count: int) -> None:
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
    assert len(log.turns()) == TABLE_KEPT
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
    assert [one.answered for one in conversation.turns.calls] == [None]
    assert log.last_sent() is None
    log.add(conversation.sent(tool_result("c1", "seen").encode("x"), START + 2))
    assert [(one.name, one.answered) for one in conversation.turns.calls] == [("look", START + 2)]
    sent = log.last_sent()
    assert sent is not None
    assert sent.event.type == "conversation.tool_result"


def test_a_turn_is_all_that_belongs_to_it() -> None:
    conversation, log = Conversation(), Log()
    log.add(conversation.sent(respond("Hi").encode("x"), START))
    for number, one in enumerate((said("Hi", 4), said("other", 5), said("Yes", 4)), 1):
        log.add(conversation.receive({"seq": number, **one}, START + number / 10))
    assert texts_of(log.turn(4)) == ["Hi", "Hi", "Yes"]
    assert [turn.idx for turn in log.turns()] == [4, 5]
    assert log.turn(6) == []


def found(log: Log, word: str) -> list[Entry]:
    """Oldest first, in the order of arrival."""
    return [entry for entry in log.search(lambda text: word in text) if entry is not None][::-1]


@pytest.mark.parametrize(
    ("word", "texts"),
    [
        ("lantern", ["a lantern", "lanterns"]),
        ("conversation.utt", ["a lantern", "lamps", "lanterns"]),
        ("absent", []),
    ],
)
def test_a_search_looks_at_words_and_types(word: str, texts: list[str]) -> None:
    assert texts_of(found(heard(said("a lantern"), said("lamps"), said("lanterns")), word)) == texts


def test_a_search_does_not_look_through_megabytes() -> None:
    log = heard(said("a" * (2 * SEARCHED) + "needle"))
    assert found(log, "needle") == []


def test_a_search_goes_step_by_step() -> None:
    log = heard(said("one"), message("system.pal_present"), said("two"), said("other one"))
    steps = log.search(lambda text: text.startswith("o"))
    assert next(steps) is log.last()
    log.add([NoteEntry("what comes meanwhile does not disturb", START)])
    assert [entry is not None for entry in steps] == [False, True]  # a heartbeat is folded


def test_a_search_reads_a_message_that_came_as_text() -> None:
    conversation, log = Conversation(), Log()
    text = '{"event_type": "conversation.odd", "properties": {"a": "sch\\u00f6n"}}'
    log.add(conversation.receive(json.loads(text), START, None, text))
    assert len(found(log, '"a":"schön"')) == 1


# -- tool calls and turns ------------------------------------------------------------------------------


def tool_call(call_id: str = "c1", **more: Any) -> dict[str, Any]:
    return message("conversation.tool_call", turn=1, tool_call_id=call_id, **more)


def test_a_call_that_comes_again_after_its_answer_stays_answered() -> None:
    conversation, log = Conversation(), Log()
    log.add(conversation.receive(tool_call(name="look", arguments="{}"), START))
    log.add(conversation.sent(tool_result("c1", "seen").encode("x"), START + 2))
    log.add(conversation.receive(tool_call(name="look", arguments='{"more": 1}'), START + 3))
    assert [(one.at, one.answered) for one in conversation.turns.calls] == [(START, START + 2)]


def test_calls_of_older_builds_have_a_name_too() -> None:
    conversation, log = Conversation(), Log()
    log.add(conversation.receive(tool_call(tool_name="look"), START))
    assert conversation.turns.open_calls["c1"].name == "look"


def test_a_reused_turn_number_means_the_latest_turn() -> None:
    log = Log()
    for text, turn in (("old", Turn(4, START)), ("new", Turn(4, START + 9))):
        log.add([EventEntry(decode(said(text)), START, turn)])
    assert texts_of(log.turn(4)) == ["new"]
    assert [turn.started for turn in log.turns()] == [START, START + 9]


def test_objectives_are_known_by_name() -> None:
    log = heard(
        message("conversation.objective.pending", objective_name="address"),
        message("conversation.objective.pending"),
    )
    assert log.objectives() == ["address"]


# -- size ----------------------------------------------------------------------------------------------


def stream(first: int, count: int) -> Iterator[Entry]:
    """Each in a turn of its own, every other one a tool call of its own."""
    for number in range(first, first + count):
        name = f"{number} look"
        one = tool_call(f"c{number}", name=name) if number % 2 else said(f"words {number}")
        yield EventEntry(decode({**one, "seq": number}), START, Turn(number, START))


def test_memory_is_flat_once_it_is_full() -> None:
    log = Log(500)
    log.add(stream(0, 2_500))
    tracemalloc.start()
    try:
        log.add(stream(2_500, 2_500))
        full = tracemalloc.get_traced_memory()[0]
        log.add(stream(5_000, 10_000))
        later = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert (len(log), log.dropped) == (500, 14_500)
    assert later < 1.05 * full + 10_000


def test_an_event_costs_the_same_in_a_small_memory_and_in_a_large_one() -> None:
    def calls(limit: int) -> int:
        log = Log(limit)
        log.add(stream(0, 3_000))
        more = list(stream(3_000, 200))
        count = 0

        def count_one(*_: Any) -> None:
            nonlocal count
            count += 1

        sys.setprofile(count_one)
        try:
            log.add(more)
        finally:
            sys.setprofile(None)
        return count

    assert calls(10) == calls(2_500)


@some
@given(st.integers(0, 12), strange_conversation())
def test_it_is_a_list_of_the_latest(limit: int, entries: list[Entry]) -> None:
    log = Log(limit)
    for start in range(0, len(entries), 3):
        log.add(entries[start : start + 3])
    kept = entries[max(0, len(entries) - limit) :]
    assert (len(log), log.dropped) == (len(kept), len(entries) - len(kept))
    messages = [one for one in kept if isinstance(one, EventEntry | SentEntry)]
    shown = [one for one in messages if one.fold is None]
    assert log.last() is (shown[-1] if shown else None)
    sent = [one for one in messages if isinstance(one, SentEntry)]
    assert log.last_sent() is (sent[-1] if sent else None)
    for seq in {one.event.seq for one in messages} - {None}:
        assert seq is not None
        numbered = [one for one in messages if isinstance(one, EventEntry) and one.event.seq == seq]
        assert log.event(seq) is (numbered[-1] if numbered else None)
    for turn in log.turns()[-1:]:
        assert log.turn(turn.idx) == [one for one in messages if one.turn is turn]
    assert found(log, "") == shown
