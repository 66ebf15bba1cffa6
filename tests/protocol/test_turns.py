"""Turns: which events belong to them, how long the answer took, which tool calls are open."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.protocol.events import decode
from tavus_cli.protocol.turns import Turn, Turns
from tests.kits.conversations import SAMPLES, START, few, message, strange_messages

STARTED, STOPPED = "conversation.started_speaking", "conversation.stopped_speaking"
UTTERANCE, CALL = "conversation.utterance", "conversation.tool_call"

Step = tuple[float, str, str | None, int | None]  # at, type, role, turn


def placed(
    turns: Turns, at: float, name: str, role: str | None, turn: int | None, /, **more: Any
) -> Turn | None:
    properties = {"role": role, **more} if role else more
    return turns.place(decode(message(name, turn=turn, **properties)), at)


_REPLIES: dict[str, tuple[list[Step], float | None]] = {
    "from the user's stop to the PAL's start": (
        [
            (1, STARTED, "user", 0),
            (3, STOPPED, "user", 0),
            (3.1, UTTERANCE, "user", 0),
            (4.5, STARTED, "pal", 0),
        ],
        1.5,
    ),
    "a typed turn: from the utterance": ([(3, UTTERANCE, "user", 0), (4.5, STARTED, "pal", 0)], 1.5),
    "the last stop counts": (
        [(1, STOPPED, "user", 0), (3, STOPPED, "user", 0), (4.5, STARTED, "pal", 0)],
        1.5,
    ),
    "an utterance before the stop": (
        [(1, UTTERANCE, "user", 0), (3, STOPPED, "user", 0), (4.5, STARTED, "pal", 0)],
        1.5,
    ),
    "the PAL's first sign counts": (
        [(3, STOPPED, "user", 0), (4.5, UTTERANCE, "replica", 0), (5, STARTED, "pal", 0)],
        1.5,
    ),
    "the PAL's later words do not count": (
        [(3, STOPPED, "user", 0), (4.5, STARTED, "pal", 0), (8, UTTERANCE, "pal", 0)],
        1.5,
    ),
    "a user who speaks during the answer asks nothing new": (
        [(3, STOPPED, "user", 0), (4.5, STARTED, "pal", 0), (6, STOPPED, "user", 0), (7, STARTED, "pal", 0)],
        1.5,
    ),
    "no question": ([(1, STARTED, "pal", 0)], None),
    "no answer": ([(1, STOPPED, "user", 0)], None),
    "a snapshot is no answer": (
        [(1, STOPPED, "user", 0), (2, "conversation.utterance.streaming", "pal", 0)],
        None,
    ),
    "a clock that ran back": ([(3, STOPPED, "user", 0), (2.5, STARTED, "pal", 0)], 0.0),
    "another turn's stop": ([(1, STOPPED, "user", 1), (2, STARTED, "pal", 0)], None),
}


@pytest.mark.parametrize(("steps", "reply"), _REPLIES.values(), ids=_REPLIES)
def test_replies(steps: list[Step], reply: float | None) -> None:
    turns = Turns()
    places = [placed(turns, *step) for step in steps]
    turn = next(one for one in places if one is not None and one.idx == 0)
    assert turn.reply == reply


def test_our_respond_is_the_time_of_the_question() -> None:
    turns = Turns()
    turn = turns.place(decode(message(UTTERANCE, turn=2, role="user", speech="a")), 5.0, asked=4.0)
    assert turn is not None
    assert (turn.started, turn.asked) == (4.0, 4.0)
    placed(turns, 5.5, STARTED, "pal", 2)
    assert turn.reply == 1.5


def test_the_samples_turns_and_latencies() -> None:
    turns = Turns()
    found: dict[int, Turn] = {}
    for sample in SAMPLES:
        turn = turns.place(decode(sample), sample.get("timestamp", 0.0))
        assert (turn.idx if turn else None) == sample.get("turn_idx")
        if turn is not None:
            assert found.setdefault(turn.idx, turn) is turn
    replies = {idx: None if turn.reply is None else round(turn.reply, 3) for idx, turn in found.items()}
    assert replies == {0: None, 1: 1.349, 2: 0.97, 3: 16.2, 4: None}
    assert list(turns.open_calls) == ["call_8f2d41", "call_vis_1", "call_cv_77"]
    assert turns.open_calls["call_8f2d41"].name == "lookup_order"


def test_the_current_turn_is_the_highest() -> None:
    turns = Turns()
    assert turns.current is None
    first, third = placed(turns, 1, STARTED, "pal", 1), placed(turns, 2, STARTED, "user", 3)
    assert turns.current is third
    second = placed(turns, 3, STOPPED, "pal", 2)
    assert second not in (None, first, third)
    assert turns.current is third
    assert placed(turns, 4, STOPPED, "pal", 1) is first
    assert placed(turns, 5, "conversation.new", None, None) is None
    assert turns.current is third


def test_after_a_restart_numbers_mean_other_turns() -> None:
    turns = Turns()
    before = placed(turns, 1, STARTED, "pal", 1)
    placed(turns, 1, CALL, None, 1, name="f", tool_call_id="c")
    turns.restart()
    assert turns.current is None
    after = placed(turns, 2, STARTED, "pal", 0)
    assert turns.current is after
    assert placed(turns, 3, STARTED, "pal", 1) is not before
    assert turns.answer("c", 4.0) is not None  # calls go by id


def test_a_tool_call_is_open_until_it_is_answered() -> None:
    turns = Turns()
    turn = placed(turns, 10, CALL, None, 1, name="f", tool_call_id="c")
    call = turns.open_calls["c"]
    assert (call.id, call.name, call.at, call.turn, call.answered) == ("c", "f", 10, turn, None)
    assert turns.answer("other", 11.0) is None
    assert turns.answer("c", 11.0) is call
    assert call.answered == 11.0
    assert turns.open_calls == {}
    assert turns.answer("c", 12.0) is None
    assert call.answered == 11.0


def test_a_call_waits_until_it_is_answered_or_the_pal_continues() -> None:
    turns = Turns()
    placed(turns, 1, CALL, None, 1, name="f", tool_call_id="c1")
    placed(turns, 2, "conversation.perception_tool_call", None, 1, name="see", tool_call_id="seen")
    placed(turns, 3, UTTERANCE, "pal", 1)  # in the same turn: "let me look"
    placed(turns, 4, CALL, None, 2, name="g", tool_call_id="c2")
    placed(turns, 5, CALL, None, None, name="h", tool_call_id="c3")  # tied to no turn
    placed(turns, 6, UTTERANCE, "user", 3)
    assert [call.id for call in turns.waiting()] == ["c1", "c2", "c3"]
    placed(turns, 7, STARTED, "pal", 2)
    assert [call.id for call in turns.waiting()] == ["c2", "c3"]
    turns.answer("c2", 8.0)
    assert [call.id for call in turns.waiting()] == ["c3"]
    assert [turns.passed(turns.open_calls[name]) for name in ("c1", "seen", "c3")] == [True, True, False]
    placed(turns, 9, CALL, None, 4, name="f", tool_call_id="c4")
    turns.restart()
    assert not turns.passed(turns.open_calls["c4"])


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"turn": 1}, id="plain"),
        pytest.param({"turn": None}, id="tied to no turn"),
        pytest.param({"turn": 1, "role": "pal"}, id="with a role"),
        pytest.param({"turn": 1, "role": "user"}, id="with the user's role"),
    ],
)
@pytest.mark.parametrize("name", [CALL, "conversation.perception_tool_call"])
def test_every_call_with_an_id_can_be_answered(name: str, more: dict[str, Any]) -> None:
    turns = Turns()
    turns.place(decode(message(name, name="f", tool_call_id="c", **more)), 10.0)
    assert list(turns.open_calls) == ["c"]


def test_a_call_that_comes_twice_is_one() -> None:
    turns = Turns()
    for at in (10.0, 11.0):
        placed(turns, at, CALL, None, 1, name="f", tool_call_id="c")
    call = turns.answer("c", 12.0)
    assert call is not None
    assert call.at == 10.0
    placed(turns, 13.0, CALL, None, 1, name="f", tool_call_id="c")
    assert turns.open_calls == {}


def test_a_call_without_an_id_cannot_be_answered() -> None:
    turns = Turns()
    placed(turns, 1, CALL, None, 1, name="end_call", tool_call_id="")
    placed(turns, 1, CALL, None, 1, name="end_call")
    assert turns.open_calls == {}


def test_memory_is_bounded() -> None:
    turns = Turns()
    for number in range(3_000):
        placed(turns, number, CALL, None, number, name="f", tool_call_id=f"c{number}")
        if number % 2 == 0:
            assert turns.answer(f"c{number}", number) is not None
    assert len(turns._turns) == len(turns.open_calls) == len(turns._answered) == 1_000
    assert turns.current is not None
    assert turns.current.idx == 2_999
    assert placed(turns, 1, STARTED, "pal", 2_999) is turns.current


def test_turns_below_the_current_one_do_not_push_it_out() -> None:
    turns = Turns()
    top = placed(turns, 0, STARTED, "pal", 10_000)
    for number in range(3_000):
        placed(turns, number, STARTED, "pal", number)
    assert placed(turns, 1, STARTED, "pal", 10_000) is turns.current is top


@few
@given(st.lists(strange_messages(), max_size=8))
def test_any_message_has_a_place(messages: list[Any]) -> None:
    turns = Turns()
    for at, one in enumerate(messages):
        event = decode(one)
        turn = turns.place(event, float(at))
        assert (turn.idx if turn else None) == event.turn_idx
        assert turns.current is None or turn is None or turns.current.idx >= turn.idx
        assert turn is None or turn.reply is None or turn.reply >= 0


def test_calls_are_one_list_open_and_answered_and_an_answered_one_keeps_no_message() -> None:
    turns = Turns()
    for number in (1, 2, 3):
        properties = {"name": f"tool{number}", "arguments": "{}", "tool_call_id": f"c{number}"}
        turns.place(decode(message("conversation.tool_call", turn=1, **properties), START), START + number)
    turns.answer("c2", START + 9)
    assert [(call.id, call.answered) for call in turns.calls] == [
        ("c1", None),
        ("c2", START + 9),
        ("c3", None),
    ]
    assert [call.message is None for call in turns.calls] == [False, True, False]
    assert list(turns.open_calls) == ["c1", "c3"]
