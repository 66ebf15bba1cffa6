"""``send … -``: many interactions from standard input over one join."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.kits.program import Result, console

MAX = "sim:?speed=max"


def many(stdin: str, *options: str) -> Result:
    return console("send", MAX, "-", *options, stdin=stdin)


def sent(result: Result) -> list[Any]:
    return [json.loads(line)["sent"] for line in result.lines]


def test_commands_and_messages_are_sent_in_order() -> None:
    result = many(
        "# three of them\n\n/context append one\n"
        '{"event_type": "conversation.respond", "properties": {"text": "x"}}\n'
        "plain words",
        "--json",
    )
    assert result.status == 0
    assert 'warning: message_type is not "conversation"' in result.err
    first, second, third = sent(result)
    assert first["properties"] == {"context": "one"}
    assert second == {"event_type": "conversation.respond", "properties": {"text": "x"}}
    assert third["properties"] == {"text": "plain words"}


def test_a_wrong_line_costs_only_that_line() -> None:
    result = many("/ehco hi\n{no json\n/help\n/interrupt\n", "--json", "--rate", "1000")
    assert result.status == 1
    assert [one["event_type"] for one in sent(result)] == ["conversation.interrupt"]
    lines = result.err.splitlines()
    assert [line.split(": ")[1] for line in lines] == ["line 1", "line 2", "line 3"]
    assert "did you mean /echo?" in lines[0]


def test_the_target_may_come_from_the_environment() -> None:
    result = console("send", "-", "--json", stdin="/interrupt\n", TAVUS_CONVERSATION=MAX)
    assert len(sent(result)) == 1


def test_nothing_is_printed_without_json() -> None:
    assert many("/interrupt\n") == Result(0, "", "")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("-", "--wait", "reply"), "--wait goes with one interaction"),
        (("-", "--rate", "0"), "--rate takes messages"),
        (("interrupt", "--rate", "5"), "--rate goes with - in place of KIND"),
    ],
)
def test_conflicting_options(arguments: tuple[str, ...], says: str) -> None:
    result = console("send", MAX, *arguments)
    assert result.status == 2
    assert says in result.err
