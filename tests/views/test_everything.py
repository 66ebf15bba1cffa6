"""The whole ``show me everything`` conversation, compared with saved screens (kits/everything)."""

from __future__ import annotations

import re

import pytest
from rich.cells import cell_len

from tavus_cli.protocol.entries import EventEntry
from tavus_cli.views.theme import THEMES
from tests.kits.everything import COLUMNS, entries, file, screen

BEFORE = 45  # rows at 80 columns, when each event was a row
GUTTER = 22


@pytest.mark.parametrize("columns", COLUMNS)
def test_the_screen_is_the_one_that_is_kept(columns: int) -> None:
    assert screen(columns) == file(columns).read_text("utf-8").splitlines()


def test_it_needs_few_rows_and_a_narrow_gutter() -> None:
    rows = screen(80)
    assert len(rows) <= 0.7 * BEFORE
    assert all(cell_len(row) <= 80 for row in rows)
    hung = [len(row) - len(row.lstrip()) for row in rows if row.startswith(" " * 9)]
    assert hung
    assert set(hung) == {GUTTER}


def test_times_never_run_backwards() -> None:
    times = [row[:12] for row in screen(200) if re.match(r"\d\d:", row)]
    assert times == sorted(times)


def test_with_all_each_event_is_there() -> None:
    rows = screen(200, all=True)
    numbers = [one.event.seq for one in entries() if isinstance(one, EventEntry) and one.event.seq]
    assert [int(row.split("#")[1].split()[0]) for row in rows if re.search(r" #\d", row)] == numbers
    assert sum("▶ speaking" in row for row in rows) > 3
    assert any("(cut: you wave" in " ".join(rows[at : at + 2]) for at in range(len(rows)))


@pytest.mark.parametrize("name", THEMES)
def test_every_theme_reads_the_same_without_its_colours(name: str) -> None:
    for columns in COLUMNS:
        rows = screen(columns, theme=dict(THEMES.items())[name])  # type: ignore[index]
        colored = [re.sub(r"\x1b\[[0-9;]*m", "", row).rstrip() for row in rows]
        assert colored == screen(columns)
