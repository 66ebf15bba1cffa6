"""Tables: their text, and that they never overflow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.protocol.turns import ToolCall, Turn
from tavus_cli.views.table import (
    UNCUT,
    RunRow,
    percentile,
    runs_table,
    stats,
    table,
    tools_table,
    turns_table,
)
from tavus_cli.views.theme import DARK, PLAIN, RESET, THEMES, Theme
from tavus_cli.views.width import width
from tests.kits.conversations import START, assert_harmless, texts


def turn(idx: int, reply: float | None = None) -> Turn:
    return Turn(idx, START, asked=START, replied=None if reply is None else START + reply)


def call(name: str = "look", answered: float | None = None, call_id: str = "c1") -> ToolCall:
    return ToolCall(call_id, name, START, turn(3), None if answered is None else START + answered)


def test_turns() -> None:
    said = turn(1, 0.25)
    said.spoke = 61.0
    rows = turns_table([turn(0), said, turn(12, 2.5)], PLAIN, 80, {said: "What are your hours?"})
    assert rows == [
        "turn  began  reply   spoke  first words",
        "0     +0:00  –       –",
        "1     +0:00  0.25 s  1:01   What are your hours?",
        "12    +0:00  2.50 s  –",
    ]


def test_when_turns_began() -> None:
    turns = [Turn(number, START + after) for number, after in enumerate((60.0, 0.0, 68.9, 3_783.0))]
    rows = turns_table(turns, PLAIN, 80)[1:]
    assert [row.split()[1] for row in rows] == ["+1:00", "+0:00", "+1:08", "+1:03:03"]


def test_tool_calls_wait_or_took_their_time() -> None:
    calls = [call(answered=0.084), call("book", call_id="c2")]
    calls[1].arguments = '{"day":"today"}'
    assert tools_table(calls, START + 2, PLAIN, 80) == [
        "turn  state               tool  call id  arguments",
        "3     answered in 0.08 s  look  c1",
        '3     waits 0:02          book  c2       {"day":"today"}',
    ]
    assert "!! waits 0:05" in tools_table(calls, START + 5, PLAIN, 80)[-1]
    assert "!! waits 10:00" in tools_table(calls, START + 600, PLAIN, 80)[-1]


def test_calls_that_nothing_waits_for_are_not_highlighted() -> None:
    seen = ToolCall("c1", "wave", START, None, awaited=False)
    rows = tools_table([seen, call(call_id="c2")], START + 60, PLAIN, 80, lambda call: call.id == "c2")
    assert "needs no answer" in rows[1]
    assert "passed over" in rows[2]
    assert not any("!!" in row for row in rows)


def test_calls_that_are_answered_here_have_their_moments() -> None:
    rows = [
        RunRow(3, "answered", 0.003, 0.084, 0.91, "look", "c1"),
        RunRow(None, "running", 0.003, None, None, "\x1b[31mbook", "c2"),
    ]
    assert runs_table(rows, PLAIN, 100) == [
        "turn  state     started  answered  spoken  tool       call id",
        "3     answered  0.00 s   0.08 s    0.91 s  look       c1",
        "–     running   0.00 s   –         –       ␛[31mbook  c2",
    ]


def test_times_are_never_negative() -> None:
    rows = tools_table([call(answered=-0.5), call()], START - 9, PLAIN, 80)
    assert "answered in 0.00 s" in rows[1]
    assert "waits 0:00" in rows[2]


def test_a_call_without_a_turn() -> None:
    row = tools_table([ToolCall("c1", "look", START, None)], START, PLAIN, 80)[1]
    assert row.split() == ["–", "waits", "0:00", "look", "c1"]


def test_a_long_name_does_not_hide_the_ids() -> None:
    rows = tools_table([call("n" * 10_000, call_id="c1"), call(call_id="c2")], START, PLAIN, 80)
    assert [row.split()[-1] for row in rows[1:]] == ["c1", "c2"]
    assert "nnn…" in rows[1]


@pytest.mark.parametrize("columns", [1, 5, 11, 40, 80, 200, 300])
def test_no_row_is_wider_than_the_terminal(columns: int) -> None:
    turns, calls = [turn(1), turn(2, 1.0)], [call("見る" * 20, call_id="👩‍👧" * 9), call(answered=1.0)]
    for theme in (PLAIN, *THEMES.values()):
        for rows in (
            turns_table(turns, theme, columns),
            tools_table(calls, START + 9, theme, columns),
            stats(turns, calls, theme, columns),
            turns_table([], theme, columns),
            tools_table([], START, theme, columns),
            stats([], [], theme, columns),
        ):
            assert_harmless(plain(theme, rows))
            assert all(width(row) <= columns for row in plain(theme, rows))


def plain(theme: Theme, rows: list[str]) -> list[str]:
    for sgr in {RESET, *theme.styles.values()} - {""}:
        rows = [row.replace(sgr, "") for row in rows]
    return rows


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_colours_change_nothing_but_colours(theme: Theme) -> None:
    calls = [call(), call(answered=1.0), call(call_id="c3")]
    assert plain(theme, tools_table(calls, START + 9, theme, 80)) == tools_table(calls, START + 9, PLAIN, 80)


def test_what_waits_too_long_is_painted() -> None:
    _, waits, answered = tools_table([call(), call(answered=1.0)], START + 9, DARK, 80)
    assert waits.startswith(DARK.sgr("warning"))
    assert waits.endswith(RESET)
    assert "\x1b" not in answered


@given(st.lists(st.floats(0, 1e4), max_size=30))
def test_latencies_are_those_of_the_turns(replies: list[float]) -> None:
    rows = stats([turn(number, reply) for number, reply in enumerate(replies)], [], PLAIN, 80)
    if not replies:
        assert rows == ["no latencies yet"]
        return
    assert rows[1].split()[:2] == ["reply", str(len(replies))]
    assert min(replies) <= percentile(replies, 50) <= percentile(replies, 95) <= max(replies)
    assert percentile(replies, 95) in replies


def test_stats() -> None:
    turns = [turn(number, (number + 1) / 10) for number in range(20)]
    rows = stats(turns, [call(answered=1.5), call()], PLAIN, 80)
    assert [row.split() for row in rows] == [
        ["count", "p50", "p95", "max"],
        ["reply", "20", "1.05", "s", "1.90", "s", "2.00", "s"],
        ["tool", "call", "1", "1.50", "s", "1.50", "s", "1.50", "s"],
    ]


def test_empty_tables_say_so() -> None:
    assert turns_table([], PLAIN, 80) == ["no turns yet"]
    assert tools_table([], START, PLAIN, 80) == ["no tool calls yet"]
    assert stats([turn(1)], [call()], PLAIN, 80) == ["no latencies yet"]


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


ROWS = [("", ["c1234567", "a long name of a conversation", "active"]), ("warning", ["c2\x1b", "x", "ended"])]


def test_the_column_that_shrinks() -> None:
    assert table(["id", "name", "status"], ROWS, PLAIN, 30, shrinks=1) == [
        "id        name          status",
        "c1234567  a long name…  active",
        "c2␛       x             ended",
    ]


def test_a_column_has_its_widest() -> None:
    rows = table(["id", "name"], [("", ["c" * 50, "n" * 50])], PLAIN, UNCUT, widest=10)
    assert rows[1] == "c" * 9 + "…  " + "n" * 50
    assert table(["id"], [("", ["c" * 50])], PLAIN, UNCUT, widest=UNCUT)[1] == "c" * 50
