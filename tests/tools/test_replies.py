"""How a call is answered: by its id, by the kind of tool, and within Tavus' limit."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.protocol.interactions import SIZE_LIMIT, tool_result
from tavus_cli.tools.policy import Call
from tavus_cli.tools.replies import CUT, Result, cut, read_output, reply, size
from tavus_cli.tools.table import ReplyKind, Tool


def answer(
    result: Result, call_id: str = "", kind: ReplyKind | None = None, *, perception: bool = False
) -> tuple[str, Any] | None:
    call = Call(call_id, "get_hours", "{}", "conversation.tool_call", 1, 0.0, perception)
    said = reply(call, Tool("get_hours", command=("x",)), result, kind)
    return None if said is None else (said.event_type.partition(".")[2], said.properties)


@pytest.mark.parametrize(
    ("data", "result"),
    [
        (b'{"hours": "9 to 5"}\n', Result({"hours": "9 to 5"})),
        (b"nine to five\n", Result("nine to five")),
        (b"", Result("")),
        (b"{not json", Result("{not json")),
        (b'{"a": NaN}', Result('{"a": NaN}')),
        (b'["a"]', Result('["a"]')),
        (b"\xff\xfe", Result(error="standard output is not UTF-8 text")),
    ],
)
def test_what_a_program_writes(data: bytes, result: Result) -> None:
    assert read_output(data, "standard output") == result


GOOD, BAD = Result({"h": 9}), Result(error="exit status 1")


@pytest.mark.parametrize("kind", [None, "echo", "append", "respond"])
def test_a_call_with_an_id_gets_a_tool_result(kind: ReplyKind | None) -> None:
    told = {"tool_call_id": "a", "output": {"h": 9}, "status": "success"}
    assert answer(GOOD, "a", kind) == ("tool_result", told)
    failed = {"tool_call_id": "a", "output": "exit status 1", "status": "error"}
    assert answer(BAD, "a", kind) == ("tool_result", failed)


def test_a_call_without_an_id_is_answered_as_asked() -> None:
    context = {"context": 'get_hours returned: {"h":9}'}
    assert answer(GOOD) == answer(GOOD, kind="append") == ("append_llm_context", context)
    assert answer(GOOD, kind="respond") == ("respond", {"text": 'get_hours returned: {"h":9}'})
    assert answer(GOOD, kind="echo") == ("echo", {"modality": "text", "text": '{"h":9}', "done": True})
    assert answer(GOOD, kind="none") is answer(GOOD, "a", kind="none") is None


def test_an_error_is_never_spoken() -> None:
    context = {"context": "get_hours failed: exit status 1"}
    assert answer(BAD, kind="echo") == ("append_llm_context", context)


def test_a_perception_tool_is_answered_only_if_asked() -> None:
    assert answer(GOOD, "a", perception=True) is None
    assert answer(GOOD, "", perception=True) is None
    told = {"tool_call_id": "a", "output": {"h": 9}, "status": "success"}
    assert answer(GOOD, "a", "append", perception=True) == ("tool_result", told)


@given(st.text(min_size=1), st.booleans())
def test_what_is_cut_fits_and_says_so(part: str, as_object: bool) -> None:
    text = part * SIZE_LIMIT
    whole = tool_result("call_1", {"text": text} if as_object else text)
    short = cut(whole, "c0ffee")
    assert size(short, "c0ffee") <= SIZE_LIMIT
    assert short.properties is not None
    assert short.properties["output"].endswith(CUT)
    longer = whole._replace(properties={**short.properties, "output": "x" * 4 + short.properties["output"]})
    assert size(longer, "c0ffee") > SIZE_LIMIT - 8  # and no more was cut than had to be
