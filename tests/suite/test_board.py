"""The table on a terminal: what is running, what has failed, and nothing is left of it at the end."""

from __future__ import annotations

import io

import pyte

from tavus_cli.suite.board import Board, shown
from tavus_cli.suite.case import Case, Verdict
from tavus_cli.suite.result import Rate, rates_of
from tavus_cli.views.theme import DARK, PLAIN
from tests.kits.room_kit import until
from tests.suite.kit import MAX, case, environment, looped, result

NAMES = {f"{n}.tavus": f"script{n}" for n in range(60)}
CASES = [case(n + 1, f"{n // 2}.tavus", repeat=n % 2 + 1) for n in range(120)]


def board(cases: list[Case]) -> tuple[Board, dict[tuple[str, str], Rate], list[float]]:
    rates, now = rates_of(cases, 1.0), [100.0]
    return Board(rates, NAMES, PLAIN, lambda: now[0]), rates, now


def test_it_shows_how_far_everything_is() -> None:
    one, rates, now = board(CASES[:4])
    for started in CASES[:3]:
        one.begun(started)
    failed = result(CASES[0], Verdict.TIMEOUT, "late", 0.5)
    rates[CASES[0].group].add(failed)
    one.ended(failed)
    now[0] += 2
    assert [line.split() for line in one.lines(80, 24)] == [
        ["script", "target", "passed", "reply", "p50", "p95"],
        ["script0", MAX, "0/2", "FAILED", "0.50", "s", "0.50", "s", "(1", "timeout)"],
        ["script1", MAX, "0/2", "–", "–"],
        ["script0", "#2", "on", f"{MAX},", "2.0", "s"],
        ["script1", "#1", "on", f"{MAX},", "2.0", "s"],
        ["######··················", "1/4", "done,", "2", "running,", "1", "FAILED", "2.0", "s"],
    ]


def test_scripts_that_do_not_fit_are_counted_and_failures_come_first() -> None:
    one, rates, _ = board(CASES)
    for started in CASES[80:92]:
        one.begun(started)
    failed = result(CASES[118], Verdict.OVER, "over")
    rates[CASES[118].group].add(failed)
    lines = one.lines(60, 24)
    assert len(lines) <= 24
    assert all(len(line) <= 60 for line in lines)
    assert any(line.startswith("script59") for line in lines)
    assert any(line.startswith("script40") for line in lines)
    assert "… and 49 more" in lines
    assert "  and 4 more" in lines


class Screen(io.StringIO):
    """A terminal of 80 × 24."""

    def __init__(self) -> None:
        super().__init__()
        self.emulated = pyte.Screen(80, 24)
        self._stream = pyte.Stream(self.emulated)

    def write(self, text: str) -> int:
        self._stream.feed(text.replace("\n", "\r\n"))
        return len(text)

    def isatty(self) -> bool:
        return True

    @property
    def rows(self) -> list[str]:
        return [row.rstrip() for row in self.emulated.display if row.strip()]


@looped
async def test_lines_stand_above_the_table_which_is_gone_at_the_end() -> None:
    screen = Screen()
    one, rates, _ = board(CASES[:2])
    around = environment()
    around.stdout = around.stderr = screen
    async with shown(one, around, live=True) as (lines, quiet):
        one.begun(CASES[0])
        lines.print(DARK.paint("warning", "FAILED  [/oops] first"))
        quiet.warn("the disk is full")
        quiet.say("joining …")
        await until(lambda: any("script0 #1 on" in row for row in screen.rows))
        assert screen.rows[0] == "FAILED  [/oops] first"
        assert screen.rows[1] == "tavus-console: the disk is full"
        assert screen.rows[2].startswith("script")
        done = result(CASES[0])
        rates[CASES[0].group].add(done)
        one.ended(done)
        await until(lambda: any("1/2 done" in row for row in screen.rows))
    assert screen.rows == ["FAILED  [/oops] first", "tavus-console: the disk is full"]


@looped
async def test_without_a_terminal_nothing_but_lines_is_written() -> None:
    around = environment()
    one, _, _ = board(CASES[:1])
    async with shown(one, around, live=False) as (lines, quiet):
        lines.print("ok")
        quiet.warn("odd")
        quiet.say("joining …")
    assert isinstance(around.stdout, io.StringIO)
    assert isinstance(around.stderr, io.StringIO)
    assert (around.stdout.getvalue(), around.stderr.getvalue()) == ("ok\n", "tavus-console: odd\n")
