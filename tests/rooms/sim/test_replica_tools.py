"""Tool calls of the simulated PAL wait for their results."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tavus_cli.protocol.interactions import respond, tool_result
from tests.kits.replica_kit import TOOLS, Send, Sends, Timed, brief, calls, of_type, run, script, texts

# -- tools -------------------------------------------------------------------


def answered(
    on_resolve: str, at: float, output: Any, *, error: bool = False, more: Sequence[Send] = ()
) -> list[Timed]:
    what = script(TOOLS % on_resolve)
    call_id = calls(run(what, [(2, respond("look at it"))]))[0]["tool_call_id"]
    return run(what, [(2, respond("look at it")), (at, tool_result(call_id, output, error=error)), *more])


def test_a_tool_call_and_its_answer() -> None:
    out = answered("generate_response", 4, {"colour": "red"})
    (call,) = calls(out)
    assert (call["name"], json.loads(call["arguments"])) == ("look", {"what": "it"})
    user = of_type(out, "conversation.utterance")[0]
    assert of_type(out, "conversation.tool_call")[0]["inference_id"] == user["inference_id"]
    assert texts(out) == ['It is red, says {"colour":"red"}.']
    assert "3 t1 tool_call" in brief(out)
    assert "5 t1 pal started_speaking" in brief(out)


def test_other_answers_to_a_tool_call() -> None:
    assert texts(answered("generate_response", 4, '{"colour": 7}')) == ['It is 7, says {"colour":7}.']
    assert texts(answered("generate_response", 4, "blue")) == ["It is {output.colour}, says blue."]
    assert texts(answered("generate_response", 4, "broken", error=True)) == ["No: broken"]
    assert texts(answered("fire_and_forget", 4, "x")) == []
    more: Sends = [(6, respond("context"))]
    assert texts(answered("add_to_context", 4, {"a": 1}, more=more)) == ['{"a":1}']


def test_an_answer_that_comes_too_late_is_not_heard() -> None:
    out = answered("generate_response", 9, {"colour": "red"})
    assert texts(out) == ["No answer."]
    assert "8 t1 pal started_speaking" in brief(out)


def test_a_late_answer_belongs_to_the_turn_of_its_call() -> None:
    out = answered("generate_response", 6, {"colour": "red"}, more=[])
    what = script(TOOLS % "generate_response")
    call_id = calls(out)[0]["tool_call_id"]
    sends: Sends = [
        (2, respond("look at it")),
        (4, respond("x")),
        (6, tool_result(call_id, {"colour": "red"})),
    ]
    lines = brief(run(what, sends))
    assert any(line.endswith("t2 pal utterance You said: x") for line in lines)
    assert any("t1 pal utterance It is red" in line for line in lines)


def test_inline_tools_have_no_id_and_arguments_may_be_broken() -> None:
    what = script("[tools.a]\nid = false\narguments = '{broken'\n[[reply]]\nmatch = 'x'\ntool = 'a'")
    assert calls(run(what, [(2, respond("x"))])) == [{"name": "a", "arguments": "{broken"}]


def test_end_call_ends_the_conversation_when_all_is_said() -> None:
    what = script('[[reply]]\nmatch = "bye"\nsay = "Good bye."\ntool = "end_call"')
    out = run(what, [(2, respond("bye")), (30, respond("hello?"))])
    assert calls(out) == [{"name": "end_call", "arguments": "{}"}]
    assert brief(out)[-2:] == ["5 t1 pal stopped_speaking", "5.25 shutdown"]
    assert out[-1][1]["properties"]["shutdown_reason"] == "end_conversation_endpoint_hit"
    silent = script('[[reply]]\nmatch = "bye"\ntool = "end_call"')
    assert brief(run(silent, [(2, respond("bye"))]))[-1] == "3.25 shutdown"
