"""``--from`` and ``--to``: a part of a recording by time, sequence number or turn, both ends included."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, NamedTuple

from tavus_cli.errors import UsageError
from tavus_cli.language.grammar import duration
from tavus_cli.protocol.entries import Entry, EventEntry, SentEntry
from tavus_cli.rooms.wrappers import unix

_NUMBERED = r"(seq|turn)[: =]?\s*(\d{1,15})"
_CLOCK = r"(\d{1,2}):(\d\d)(?::(\d\d(?:\.\d+)?))?"


class Bound(NamedTuple):
    """``value``: a sequence number, a turn, seconds since the first entry, since
    midnight here, or Unix seconds."""

    by: Literal["seq", "turn", "since", "clock", "time"]
    value: float

    def value_of(
        self, seq: int | None, turn: int | None, at: float | None, start: float | None
    ) -> float | None:
        """What to compare with ``value``, for an entry at ``at`` in a recording that began at ``start``."""
        if self.by == "seq":
            return seq
        if self.by == "turn":
            return turn
        if not at or start is None:
            return None
        if self.by == "since":
            return at - start
        return at - _midnight(start) if self.by == "clock" else at


class Span:
    """``among(entries)`` returns the entries between the bounds; call it in order.

    An entry without its own number or turn, such as a gap or a note, belongs with the entry before it.
    """

    def __init__(self, first: Bound | None, last: Bound | None) -> None:
        self._first, self._last = first, last
        self._began = first is None
        self._ended = False
        self._start: float | None = None

    def among(self, entries: Iterable[Entry]) -> list[Entry]:
        return [entry for entry in entries if self._holds(entry)]

    def _holds(self, entry: Entry) -> bool:
        if self._start is None and entry.at:
            self._start = entry.at
        if self._first is not None and (value := self._value(entry, self._first)) is not None:
            self._began = value >= self._first.value
        if self._last is not None and (value := self._value(entry, self._last)) is not None:
            self._ended = value > self._last.value
        return self._began and not self._ended

    def within(self, sink: Any) -> Within:
        """A sink that passes only the entries between the bounds to another one."""
        return Within(self, sink)

    def _value(self, entry: Entry, bound: Bound) -> float | None:
        seq = entry.event.seq if isinstance(entry, EventEntry) else None
        turn = entry.turn if isinstance(entry, EventEntry | SentEntry) else None
        return bound.value_of(seq, None if turn is None else turn.idx, entry.at, self._start)


class Within:
    """As ``Span.within`` makes it."""

    def __init__(self, span: Span, sink: Any) -> None:
        self._span = span
        self._sink = sink

    def entries(self, entries: list[Entry]) -> None:
        if inside := self._span.among(entries):
            self._sink.entries(inside)

    def wake_at(self) -> float | None:
        at: float | None = self._sink.wake_at()
        return at

    def tick(self, now: float) -> None:
        self._sink.tick(now)

    async def drain(self) -> None:
        await self._sink.drain()


def parse_bound(text: str) -> Bound:
    """ "12:03:11" (here), an ISO 8601 time, "+90s" or "90s", "seq 120", "turn 3". Raises UsageError."""
    text = text.strip()
    if found := re.fullmatch(_NUMBERED, text):
        return Bound("seq" if found[1] == "seq" else "turn", int(found[2]))
    if found := re.fullmatch(_CLOCK, text):
        return Bound("clock", int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3] or 0))
    if (at := unix(text)) is not None:
        return Bound("time", at)
    try:
        return Bound("since", duration(text.removeprefix("+")))
    except UsageError:
        raise UsageError(
            f'"{text}" is not a valid place in a recording: write 12:03:11, +90s, seq:120, turn:3 '
            "or 2026-07-11T06:48:37Z"
        ) from None


def span(first: str | None, last: str | None) -> Span | None:
    """None where neither is given. Raises UsageError."""
    if first is None and last is None:
        return None
    return Span(parse_bound(first) if first else None, parse_bound(last) if last else None)


def _midnight(at: float) -> float:
    """Local midnight of the day of a time."""
    try:
        return datetime.fromtimestamp(at).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    except (OverflowError, OSError, ValueError):
        return 0.0
