"""Tables: what they say, and that they never overflow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.protocol.turns import ToolCall, Turn
from tavus_cli.views.status import width
from tavus_cli.views.table import percentile, stats, tools_table, turns_table
from tavus_cli.views.theme import DARK, PLAIN
from tests.conversations import START, assert_harmless, texts


def turn(idx: int, reply: float | None = None) -> Turn:
    return Turn(idx, START, asked=START, replied=None if reply is None else START + reply)


def call(name: str = "look", answered: float | None = None, call_id: str = "c1") -> ToolCall:
    return ToolCall(call_id, name, START, turn(3), None if answered is None else START + answered)


def test_turns() -> None:
    rows = turns_table([turn(0), turn(1, 0.25), turn(12, 2.5)], PLAIN, 80)
    assert rows == ["turn  reply", "0     –", "1     250 ms", "12    2.50 s"]


def test_tool_calls_wait_or_took_their_time() -> None:
    calls = [call(answered=0.084), call("book", call_id="c2")]
    assert tools_table(calls, START + 2, PLAIN, 80) == [
        "turn  state              tool  call id",
        "3     answered in 84 ms  look  c1",
        "3     waits 2 s          book  c2",
    ]
    assert "!! waits 5 s" in tools_table(calls, START + 5, PLAIN, 80)[-1]


def test_stats() -> None:
    turns = [turn(number, (number + 1) / 10) for number in range(20)]
    rows = stats(turns, [call(answered=1.5), call()], PLAIN, 80)
    assert [row.split() for row in rows] == [
        ["count", "p50", "p95", "max"],
        ["reply", "20", "1.05", "s", "1.90", "s", "2.00", "s"],
        ["tool", "call", "1", "1.50", "s", "1.50", "s", "1.50", "s"],
    ]


def test_where_there_is_nothing_it_is_said() -> None:
    assert turns_table([], PLAIN, 80) == ["no turn yet"]
    assert tools_table([], START, PLAIN, 80) == ["no tool call yet"]
    assert stats([turn(1)], [call()], PLAIN, 80) == ["no latency yet"]


@pytest.mark.parametrize(
    ("values", "percent", "result"),
    [
        ([1.0], 95, 1.0),
        ([1.0, 2.0], 95, 2.0),
        ([float(n) for n in range(1, 101)], 95, 95.0),
        ([3.0, 1.0], 50, 1.0),
    ],
)
def test_percentile(values: list[float], percent: int, result: float) -> None:
    assert percentile(values, percent) == result


@given(st.lists(texts(), min_size=1, max_size=4), st.integers(1, 120))
def test_hostile_names_are_harmless_and_fit(names: list[str], columns: int) -> None:
    rows = tools_table([call(name, call_id=name) for name in names], START, PLAIN, columns)
    assert_harmless(rows)
    assert all(width(row) <= columns for row in rows)


def test_the_head_is_painted() -> None:
    head, *rows = turns_table([turn(1)], DARK, 80)
    assert head.startswith("\x1b[")
    assert not any("\x1b" in row for row in rows)
