"""The events nearest to a failed expectation, and how they differ from it.

Pure; remote text passes ``safe``.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from tavus_cli.language.patterns import TooSlow
from tavus_cli.protocol.entries import EventEntry
from tavus_cli.script.conditions import Match, absent, as_text, look_up
from tavus_cli.script.window import Expectation, Window
from tavus_cli.views.safe import safe

NEAREST = 3  # events shown with a failure
_LOOKED_AT = 1_000  # the latest events, among which the nearest are looked for
_COMPARED = 50  # the best of those; their texts are compared with the expected ones
_WIDTH = 160  # characters shown of an event of another type
_WIDE = 1_000  # and of one of the right type, whose words matter
_WANTED, _TEXT = 200, 1_000  # characters compared of two texts


@dataclass(frozen=True, slots=True)
class Near:
    """An event near to what was expected: ``line`` is for people, and includes what it ``lacks``; the rest is
    for JSON. ``after``: seconds since the moment from which the expectation looks.
    """

    line: str
    after: float
    lacks: tuple[str, ...]
    message: Any

    def as_json(self) -> dict[str, Any]:
        return {"after": round(self.after, 3), "lacks": list(self.lacks), "event": self.message}


def nearest(
    window: Window, what: Expectation, since: float = float("-inf"), until: float = float("inf")
) -> list[Near]:
    """The nearest events, the nearest first; those of another type only if there is none of the right type.

    ``since`` and ``until``, in Unix seconds, are the time in which the expectation looked.
    """
    rated: list[tuple[tuple[bool, bool, int], EventEntry, str | None]] = []  # best is lowest
    for entry in window.entries[-_LOOKED_AT:]:
        if entry.fold == "twin":
            continue
        right = window.of_type(entry, what)
        if entry.fold is not None and not right and entry.fold != "echo":
            continue
        reason = None
        if right:
            timing = "before this line" if entry.at < since else "too late" if entry.at > until else None
            reason = window.left_out(entry, what) or timing
        met = sum(_met(match, entry) for match in what.matches) if right else _answers(entry)
        rated.append(((not right, reason is not None, -met), entry, reason))
    rated.sort(key=lambda one: one[0])
    if rated and not rated[0][0][0]:
        rated = [one for one in rated if not one[0][0]]
    best = sorted(rated[:_COMPARED], key=lambda one: (*one[0], -_likeness(what, one[1])))
    return [_near(entry, what, window.at, not wrong, reason) for (wrong, _, _), entry, reason in best][
        :NEAREST
    ]


def one_line(entry: EventEntry, since: float, width: int = _WIDTH) -> str:
    """An event in one line."""
    event = entry.event
    words = [f"{entry.at - since:+.3f}", event.short or "other", event.role or ""]
    text = safe(" ".join(word for word in [*words, event.kind.summary(event)] if word))
    return text if len(text) <= width else text[: width - 1] + "…"


def _near(entry: EventEntry, what: Expectation, since: float, right: bool, reason: str | None) -> Near:
    lacks = [] if reason is None else [reason]
    if right:
        lacks += [safe(_lack(match, entry)) for match in what.matches if not _met(match, entry)]
    line = one_line(entry, since, _WIDE if right else _WIDTH)
    if lacks:
        line += f"  ({'; '.join(lacks)[:_WIDTH]})"
    return Near(line, entry.at - since, tuple(lacks), entry.event.message)


def _lack(match: Match, entry: EventEntry) -> str:
    """The line contains the words already."""
    if match.field != "text" or match.operator not in "=~":
        return match.shown(entry)
    if not entry.event.text:
        return "no text"
    return f'text {"is not" if match.operator == "=" else "does not match"} "{match.value}"'


def _answers(entry: EventEntry) -> bool:
    """The PAL's words and tool calls say more than the events around them."""
    family = entry.event.kind.family
    return family == "tool_call" or (family == "utterance" and entry.event.role == "pal")


def _met(match: Match, entry: EventEntry) -> bool:
    try:
        return match(entry)
    except TooSlow:
        return False


def _likeness(what: Expectation, entry: EventEntry) -> float:
    """How much of each wanted value is in the event, from 0 to 1: the length of its longest piece found."""
    likeness = 0.0
    for match in what.matches:
        wanted = match.value[:_WANTED].casefold()
        if match.operator in "=~" and wanted and not absent(value := look_up(entry, match.field)):
            found = as_text(value)[:_TEXT].casefold()
            block = SequenceMatcher(None, wanted, found, autojunk=False).find_longest_match()
            likeness += block.size / len(wanted)
    return likeness
