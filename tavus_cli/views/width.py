"""Measuring text in terminal columns, and cutting it to fit; the only place that measures.

The tables are those of wcwidth, which prompt_toolkit uses too. Terminals disagree about joined emoji (flags,
families), so every part counts: the result is the largest width that any of them uses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

_EMOJI_STYLE = "\ufe0f"  # makes the narrow character before it a wide one
# One column each, found by one match instead of a sum: Latin, quotes, and the signs of our own lines.
_NARROW = re.compile("[ -\u02ff\u2010-\u2027\u2030-\u205e\u2190-\u21ff\u2400-\u2421\u2500-\u25fc✂✗✓]*")


@lru_cache(512)  # the same few texts are measured thirty times a second
def width(text: str) -> int:
    """Columns of a text without control characters."""
    return len(text) if is_narrow(text) else sum(_columns_of(text))


def is_narrow(text: str) -> bool:
    """Whether every character is known to take one column."""
    return text.isascii() or _NARROW.fullmatch(text) is not None


def fit(text: str, columns: int) -> str:
    """The beginning of a text, at most ``columns`` wide, with "…" where it was cut."""
    kept = _kept(text, columns, reverse=False)
    return text if kept is None else text[:kept] + "…" * (columns > 0)


def fit_end(text: str, columns: int) -> str:
    """The end of a text: of growing speech the last words matter."""
    kept = _kept(text, columns, reverse=True)
    return text if kept is None else "…" * (columns > 0) + text[len(text) - kept :]


def last_words(text: str, columns: int) -> str:
    """The end of a text, starting at a word: "…leaflet, I see"."""
    end = fit_end(text, columns)
    if end == text:
        return end
    _, blank, words = end.partition(" ")
    return f"…{words}" if blank else end


def padded(text: str, columns: int) -> str:
    return text + " " * (columns - width(text))


def _kept(text: str, columns: int, *, reverse: bool) -> int | None:
    """How many characters fit beside the "…"; None if the whole text fits."""
    part = text[-4 * columns :] if reverse else text[: 4 * columns]  # no more is visible
    if len(part) == len(text) and width(text) <= columns:
        return None
    widths = list(_columns_of(part))
    left, kept = columns - 1, 0
    for wide in reversed(widths) if reverse else widths:
        left -= wide
        if left < 0:
            break
        kept += 1
    return kept


def _columns_of(text: str) -> Iterator[int]:
    before = 0
    for character in text:
        before = 1 if character == _EMOJI_STYLE and before == 1 else _columns(character)
        yield before


@lru_cache(4_096)
def _columns(character: str) -> int:
    if character < "\u0300":
        return 1
    from wcwidth import wcwidth

    return max(0, wcwidth(character))
