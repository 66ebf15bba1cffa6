"""The width of texts: as measured by prompt_toolkit, or more if terminals disagree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.utils import get_cwidth

from tavus_cli.views.width import fit, fit_end, is_narrow, padded, width
from tests.kits.conversations import FAMILY, many

FLAG = "\U0001f1e9\U0001f1ea"
HEART = "\u2764\ufe0f"
LIGHTNING = "\u26a1\ufe0f"  # wide already
SCRIPT_X = "\U0001d4b3"
TEXTS = ["Returns, in a long name", "時間" * 40, FAMILY * 20, HEART * 30, FLAG * 20, SCRIPT_X * 30]


@many
@given(st.text(max_size=60) | st.sampled_from(TEXTS), st.integers(0, 80))
def test_fit_keeps_the_beginning_or_the_end(text: str, columns: int) -> None:
    text = "".join(one for one in text if one.isprintable())
    first, last = fit(text, columns), fit_end(text, columns)
    assert max(get_cwidth(first), get_cwidth(last), width(first), width(last)) <= columns
    if width(text) <= columns and len(text) <= 4 * columns:
        assert first == last == text
    elif columns:
        assert first.endswith("…")
        assert text.startswith(first[:-1])
        assert last.startswith("…")
        assert text.endswith(last[1:])


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", 0),
        ("abc", 3),
        ("é", 1),
        ("…✂", 2),
        ("時間", 4),
        ("a\u0301", 1),
        (SCRIPT_X, 1),
        (HEART, 2),
        (LIGHTNING, 2),
        (FLAG, 4),
        (FAMILY, 6),
    ],
)
def test_widths(text: str, columns: int) -> None:
    assert width(text) == columns
    assert width(padded(text, 10)) == 10


def test_no_character_is_wider_than_its_measured_width() -> None:
    wider = [
        hex(code)
        for code in range(0x20, 0x40000)
        if not 0xD800 <= code < 0xE000 and get_cwidth(chr(code)) > width(chr(code))
    ]
    assert wider == []


def test_narrow_text_takes_one_column_per_character() -> None:
    narrow = [chr(code) for code in range(0x20, 0x10000) if is_narrow(chr(code)) and not 0x7F <= code < 0xA0]
    assert len(narrow) > 700
    assert [one for one in narrow if get_cwidth(one) != 1 and one != "\xad"] == []
