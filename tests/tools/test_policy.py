"""Which calls run: only the PAL's, each once, a limited number in a turn; and their arguments."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.protocol.conversation import Conversation
from tavus_cli.tools.policy import Call, Decision, Policy, Unreadable, arguments_of
from tavus_cli.tools.table import Table, option


def is_pal(sender: str | None) -> bool:
    return sender == "pal"


Json = dict[str, Any]


class Talk:
    """A conversation over which a policy decides."""

    def __init__(self, *tools: str, **options: Any) -> None:
        self.conversation = Conversation(hold=0.0)
        self.policy = Policy(Table([option(one) for one in tools or ["*=x"]]), **options)
        self.seq = 0

    def hear(self, message: Any, sender: str | None = "pal") -> list[Decision]:
        entries = self.conversation.receive(message, float(self.seq), sender)
        entries += self.conversation.tick(1e9)
        return [one for entry in entries for one in self.policy.decide(entry, is_pal)]

    def call(self, call_id: str | None = None, sender: str | None = "pal", **more: Any) -> list[Decision]:
        self.seq += 1
        properties = {"name": "get_hours", "arguments": "{}", **more.pop("properties", {})}
        if call_id is not None:
            properties["tool_call_id"] = call_id
        message = {"event_type": "conversation.tool_call", "turn_idx": 1, "seq": self.seq, **more}
        return self.hear({**message, "properties": properties}, sender)

    def turn(self, idx: int) -> None:
        self.seq += 1
        said = {"role": "user", "speech": f"turn {idx}"}
        message = {"event_type": "conversation.utterance", "turn_idx": idx, "seq": self.seq}
        assert self.hear({**message, "properties": said}) == []


def refusals(decisions: list[Decision]) -> list[str | None]:
    return [one.refused for one in decisions]


def test_only_the_pals_calls_run() -> None:
    talk = Talk()
    assert refusals(talk.call("a")) == [None]
    assert refusals(talk.call("b", "guest")) == ["not from the PAL"]
    assert refusals(talk.call("c", None)) == ["not from the PAL"]
    assert refusals(Talk(anyone=True).call("b", "guest")) == [None]


def test_a_forged_call_does_not_hide_the_real_one() -> None:
    talk = Talk()
    assert refusals(talk.call("a", "guest")) == ["not from the PAL"]
    assert refusals(talk.call("a")) == [None]


def test_twins_and_repeats_run_once_also_with_other_arguments() -> None:
    talk = Talk()
    assert refusals(talk.call("a")) == [None]
    assert talk.call("a") == []
    assert talk.call("a", properties={"arguments": '{"day":"mon"}'}) == []
    assert talk.call("a", turn_idx=2) == []


def test_without_an_id_what_led_to_it_shows_a_repeat() -> None:
    talk = Talk()
    assert refusals(talk.call(inference_id="i1")) == [None]
    assert talk.call(inference_id="i1") == []
    assert refusals(talk.call(inference_id="i2")) == [None]
    assert refusals(talk.call()) == [None]
    assert refusals(talk.call()) == [None]


@pytest.mark.parametrize("direction", ["out", "in"])
def test_what_somebody_has_answered_is_not_run(direction: str) -> None:
    talk = Talk()
    result = {"event_type": "conversation.tool_result", "properties": {"tool_call_id": "a", "output": "x"}}
    if direction == "in":
        talk.hear(result, "guest")
    else:
        for entry in talk.conversation.sent(result, 0.0):
            assert talk.policy.decide(entry, is_pal) == []
    assert refusals(talk.call("a")) == ["answered already"]


@pytest.mark.parametrize(
    "answer",
    [{"call_id": "a"}, {"toolCallId": "a", "output": "x"}, {"callId": "a"}, {"id": "a", "status": "error"}],
)
@pytest.mark.parametrize("hoisted", [False, True], ids=["nested", "hoisted"])
def test_an_answer_in_another_shape_is_one(answer: Json, hoisted: bool) -> None:
    talk = Talk()
    talk.hear({"event_type": "conversation.tool_result", **(answer if hoisted else {"properties": answer})})
    assert refusals(talk.call("a")) == ["answered already"]


_TWO: list[Json] = [
    {"id": "c1", "function": {"name": "get_hours", "arguments": '{"day":"mon"}'}},
    {"call_id": "c2", "name": "get_price", "args": {"of": "tea"}},
]


@pytest.mark.parametrize(
    "message",
    [
        {"event_type": "conversation.tool_call", "properties": {"tool_calls": _TWO}},
        {"event_type": "conversation.tool_call", "functionCalls": _TWO},
        {"event_type": "conversation.utterance", "properties": {"role": "pal", "toolCalls": _TWO}},
        {"event_type": "conversation.utterance", "properties": {"role": "pal"}, "tool_calls": _TWO},
    ],
)
def test_all_calls_of_a_message_run_each_once(message: Json) -> None:
    talk = Talk()
    calls = [one.call for one in talk.hear(message)]
    assert [(call.id, call.name) for call in calls] == [("c1", "get_hours"), ("c2", "get_price")]
    assert [arguments_of(call) for call in calls] == [{"day": "mon"}, {"of": "tea"}]
    assert list(talk.conversation.turns.open_calls) == ["c1", "c2"]
    assert talk.hear(message) == []
    assert refusals(Talk().hear(message, "guest")) == ["not from the PAL"] * 2


def test_calls_without_a_tool_are_left_unchanged() -> None:
    assert Talk("other=x").call("a") == []


def test_the_calls_in_a_turn_are_limited() -> None:
    talk = Talk(max_calls=2)
    talk.turn(1)
    said = [talk.call(name)[0].refused for name in "abc"]
    assert said == [None, None, "over 2 calls in this turn (--max-calls)"]
    talk.turn(2)
    assert refusals(talk.call("d", turn_idx=2)) == [None]


def test_a_turn_opened_by_our_own_respond_continues_the_count() -> None:
    talk = Talk(max_calls=2)
    talk.turn(1)
    for idx in (1, 2):
        assert refusals(talk.call(inference_id=f"i{idx}", turn_idx=idx)) == [None]
        talk.policy.responded()
        talk.turn(idx + 1)
    assert refusals(talk.call(inference_id="i3", turn_idx=3)) == ["over 2 calls in this turn (--max-calls)"]
    talk.turn(4)  # somebody said something
    assert refusals(talk.call(inference_id="i4", turn_idx=4)) == [None]


def test_a_guest_opens_no_turn() -> None:
    talk = Talk(max_calls=1)
    talk.turn(1)
    assert refusals(talk.call("a")) == [None]
    talk.hear(
        {"event_type": "conversation.utterance", "turn_idx": 9, "properties": {"role": "user"}}, "guest"
    )
    assert refusals(talk.call("b"))[0] == "over 1 calls in this turn (--max-calls)"


ids = st.sampled_from(["a", "b", "c"])


@given(st.lists(st.tuples(st.sampled_from(["call", "forged", "result"]), ids)))
def test_each_id_runs_at_most_once_and_never_after_an_answer(steps: list[tuple[str, str]]) -> None:
    talk, run, answered = Talk(max_calls=1_000), list[str](), set[str]()
    for what, call_id in steps:
        if what == "result":
            properties = {"tool_call_id": call_id, "output": ""}
            talk.hear({"event_type": "conversation.tool_result", "properties": properties}, "guest")
            answered.add(call_id)
            continue
        for decision in talk.call(call_id, "pal" if what == "call" else "guest"):
            if decision.refused is None:
                assert call_id not in answered
                run.append(call_id)
    assert len(run) == len(set(run))


# -- arguments ---------------------------------------------------------------------------------------------


def call(arguments: Any) -> Call:
    return Call("a", "x", arguments, "conversation.tool_call", 1, 0.0)


@pytest.mark.parametrize("arguments", [None, "", "  ", "{}", {}])
def test_no_arguments_are_an_empty_object(arguments: Any) -> None:
    assert arguments_of(call(arguments)) == {}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ('{"day": ', "not JSON: "),
        ("[1]", "not an object"),
        ("1", "not an object"),
        ('{"a": NaN}', "NaN is not JSON"),
        ({"a": float("nan")}, "NaN is not JSON"),
        ("[" * 100_000, "nested too deep"),
        (7, "not an object"),
    ],
)
def test_broken_arguments_say_why(arguments: Any, told: str) -> None:
    with pytest.raises(Unreadable, match=told):
        arguments_of(call(arguments))


@given(st.one_of(st.text(), st.dictionaries(st.text(), st.integers() | st.text())))
def test_whatever_the_arguments_are_they_are_an_object_or_unreadable(arguments: Any) -> None:
    with contextlib.suppress(Unreadable):
        assert isinstance(arguments_of(call(arguments)), dict)
    if isinstance(arguments, dict):
        assert arguments_of(call(json.dumps(arguments))) == arguments
