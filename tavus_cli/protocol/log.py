"""What has passed, in a memory of bounded size: the oldest leaves first, and how many is known."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TypeVar

from tavus_cli.protocol.conversation import Entry, EventEntry, SentEntry
from tavus_cli.protocol.turns import ToolCall, Turn
from tavus_cli.protocol.wire import to_json

EVENTS_KEPT = 100_000  # at some 1.5 kB each
TABLE_KEPT = 1_000  # turns, tool calls and objectives
SEARCHED = 20_000  # characters of one entry that a search looks at: images are longer, and mean nothing

K = TypeVar("K")
V = TypeVar("V")


class Log:
    """``add`` entries in order; the rest answers about them. ``limit`` is in entries."""

    def __init__(self, limit: int = EVENTS_KEPT) -> None:
        self.dropped = 0
        self._entries: deque[Entry] = deque(maxlen=limit)
        self._turns: dict[int, Turn] = {}
        self._calls: dict[str, ToolCall] = {}
        self._objectives: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entries: Iterable[Entry]) -> None:
        kept = self._entries
        for entry in entries:
            if len(kept) == kept.maxlen:
                self.dropped += 1
            kept.append(entry)
            if not isinstance(entry, EventEntry | SentEntry):
                continue
            if entry.turn is not None and self._turns.get(entry.turn.idx) is not entry.turn:
                _remember(self._turns, entry.turn.idx, entry.turn)
            if isinstance(entry, SentEntry):
                if entry.call is not None:
                    _remember(self._calls, entry.call.id, entry.call)
            elif entry.fold is None:
                self._note(entry)

    def event(self, seq: int) -> EventEntry | None:
        """The latest event of that number."""
        for entry in reversed(self._entries):
            if isinstance(entry, EventEntry) and entry.event.seq == seq:
                return entry
        return None

    def last(self) -> EventEntry | SentEntry | None:
        for entry in reversed(self._entries):
            if isinstance(entry, SentEntry) or (isinstance(entry, EventEntry) and entry.fold is None):
                return entry
        return None

    def last_sent(self) -> SentEntry | None:
        return next((entry for entry in reversed(self._entries) if isinstance(entry, SentEntry)), None)

    def turn(self, idx: int) -> Sequence[Entry]:
        """All that belongs to a turn, folded or not."""
        entries = (one for one in self._entries if isinstance(one, EventEntry | SentEntry))
        return [entry for entry in entries if entry.turn is not None and entry.turn.idx == idx]

    def find(self, pattern: re.Pattern[str], limit: int) -> Sequence[Entry]:
        """The latest ``limit`` entries that match, oldest first: by type, words or the message's JSON."""
        matching = (
            entry
            for entry in reversed(self._entries)
            if isinstance(entry, EventEntry | SentEntry) and entry.fold is None and _matches(entry, pattern)
        )
        return list(islice(matching, limit))[::-1]

    def turns(self) -> list[Turn]:
        """The latest of them, by number."""
        return [self._turns[idx] for idx in sorted(self._turns)]

    def calls(self) -> list[ToolCall]:
        """The latest of them, open and answered, in the order of their coming."""
        return list(self._calls.values())

    def objectives(self) -> list[str]:
        """Names of objectives that were told of."""
        return list(self._objectives)

    def _note(self, entry: EventEntry) -> None:
        family = entry.event.kind.family
        if family == "tool_call" and (call_id := entry.event.word("tool_call_id")):
            call = ToolCall(call_id, entry.event.word("name"), entry.at, entry.turn)
            _remember(self._calls, call_id, call)
        elif family == "objective":
            _remember(self._objectives, entry.event.word("objective_name"), None)


def _remember(kept: dict[K, V], key: K, value: V) -> None:
    kept[key] = value
    if len(kept) > TABLE_KEPT:
        del kept[next(iter(kept))]


def _matches(entry: EventEntry | SentEntry, pattern: re.Pattern[str]) -> bool:
    event = entry.event
    for text in (event.type, event.text):
        if text and pattern.search(text, 0, SEARCHED):
            return True
    text = event.raw if event.raw is not None else to_json(event.message)
    return pattern.search(text, 0, SEARCHED) is not None
