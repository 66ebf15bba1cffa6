"""Long lines on a terminal are broken at blanks and indented to their text; a pipe gets them whole."""

from __future__ import annotations

import re

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.views.theme import DARK, HIGH_CONTRAST, Theme
from tavus_cli.views.wrap import SHORT_INDENT, wrapped

HEAD = "09:20:00.616    +0.264  pal      "
TEXT = "Long before there were street lights, people carried their light with them: torches of resin."


def plain(rows: list[str]) -> list[str]:
    return [re.sub(r"\x1b\[[0-9;]*m", "", row) for row in rows]


def test_it_hangs_under_its_text() -> None:
    assert wrapped(HEAD + TEXT, 80, len(HEAD)) == [
        HEAD + "Long before there were street lights, people",
        " " * 33 + "carried their light with them: torches of",
        " " * 33 + "resin.",
    ]


def test_where_columns_are_few_it_hangs_under_the_beginning() -> None:
    assert wrapped(HEAD[:18] + TEXT, 40, 18) == [
        HEAD[:18] + "Long before there were",
        "    street lights, people carried their",
        "    light with them: torches of resin.",
    ]


def test_a_line_that_fits_is_unchanged() -> None:
    for line in ("", HEAD + "x" * 47, DARK.paint("warning", "x" * 80)):
        assert wrapped(line, 80, len(HEAD)) == [line]


def test_a_long_word_stays_whole_for_copying() -> None:
    url = "https://example.invalid/" + "a" * 90
    rows = wrapped(f"{HEAD}See {url} and so on.", 80, len(HEAD))
    assert any(url in row for row in rows)
    short = "https://example.invalid/abcdef"
    assert wrapped(f"{HEAD}{'word ' * 6}{short}", 80, len(HEAD))[1] == " " * 33 + short


@pytest.mark.parametrize("theme", [DARK, HIGH_CONTRAST])
def test_a_style_continues_but_not_on_the_indent(theme: Theme) -> None:
    sgr = theme.sgr("warning")
    rows = wrapped(HEAD + theme.paint("warning", TEXT), 80, len(HEAD))
    assert len(rows) == 3
    for row in rows:
        assert row.endswith("\x1b[0m")
    for row in rows[1:]:
        assert row.startswith(" " * 33 + sgr)


def test_scripts_without_blanks_are_broken_anywhere() -> None:
    text = "你好，欢迎来到灯笼博物馆。我们每天从上午九点开放到下午五点，星期一除外。请问您想预订参观吗？"
    rows = wrapped(HEAD + text, 80, len(HEAD))
    assert "".join(row.removeprefix(HEAD).strip() for row in rows) == text
    assert all(len(row.removeprefix(HEAD).strip()) * 2 <= 47 for row in rows)


WORDS = st.lists(
    st.sampled_from(
        ["a", "word", "comma,", "x" * 30, "y" * 120, "你好欢迎来到", "👍", "é", "■", "\x1b[31m", "\x1b[0m"]
    ),
    max_size=40,
)


@given(WORDS, st.integers(20, 130), st.sampled_from([0, 18, 33, 41]))
def test_no_word_is_lost_and_no_row_is_wider_than_the_terminal(
    words: list[str], columns: int, text_at: int
) -> None:
    line = HEAD[:18].ljust(text_at)[:text_at] + " ".join(words)
    rows = plain(wrapped(line, columns, text_at))
    assert "".join("".join(rows).split()) == "".join(plain([line])[0].split())
    for row in rows:
        if "y" * 120 not in row and max(text_at, SHORT_INDENT) + 30 < columns:
            assert sum(2 if one in "你好欢迎来到👍" else 1 for one in row.rstrip()) <= columns


def test_the_terminal_shows_the_rows_as_they_are() -> None:
    screen = pyte.Screen(80, 10)
    pyte.Stream(screen).feed("\r\n".join(wrapped(HEAD + "abc def " * 20, 80, len(HEAD))))
    assert [row[:33].strip() != "" for row in screen.display[:5]] == [True, False, False, False, False]
    assert SHORT_INDENT < 33
