"""The log of past entries, bounded in size: the oldest are dropped first, and counted."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

from tavus_cli.protocol.entries import Entry, EventEntry, SentEntry
from tavus_cli.protocol.events import Event
from tavus_cli.protocol.turns import Turn
from tavus_cli.protocol.wire import to_json

EVENTS_KEPT = 100_000  # at some 1.5 kB each
TABLE_KEPT = 1_000  # turns and objectives
FIRST_WORDS = 100  # characters
SEARCHED = 20_000  # characters of one entry that a search covers: images are longer, and have no words

K = TypeVar("K")
V = TypeVar("V")


class Log:
    """``add`` entries in order, at a constant cost, and query them. ``limit`` is in entries.

    ``dropped`` is how many were dropped.
    """

    def __init__(self, limit: int = EVENTS_KEPT) -> None:
        self.dropped = 0
        self._entries: deque[Entry] = deque(maxlen=limit)
        self._turns: dict[Turn, None] = {}
        self._objectives: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entries: Iterable[Entry]) -> None:
        kept = self._entries
        for entry in entries:
            if len(kept) == kept.maxlen:
                self.dropped += 1
            kept.append(entry)
            if type(entry) is EventEntry:
                if entry.fold is None:
                    self._note(entry)
            elif type(entry) is not SentEntry:
                continue
            if entry.turn is not None and entry.turn not in self._turns:
                _remember(self._turns, entry.turn, None)

    def types(self) -> set[str]:
        """Event types among the latest thousand messages."""
        latest = islice(reversed(self._entries), 1_000)
        return {one.event.type for one in latest if isinstance(one, EventEntry | SentEntry)}

    def event(self, seq: int) -> EventEntry | None:
        """The latest event with that sequence number."""
        for entry in reversed(self._entries):
            if type(entry) is EventEntry and entry.event.seq == seq:
                return entry
        return None

    def last(self) -> EventEntry | SentEntry | None:
        """The latest message, sent or received, that is not folded."""
        for entry in reversed(self._entries):
            if type(entry) is SentEntry or (type(entry) is EventEntry and entry.fold is None):
                return entry
        return None

    def last_sent(self) -> SentEntry | None:
        return next((entry for entry in reversed(self._entries) if type(entry) is SentEntry), None)

    def turn(self, idx: int) -> list[Entry]:
        """Everything in a turn, folded or not. If the counter restarted, the latest turn with that number."""
        turn = next((turn for turn in reversed(self._turns) if turn.idx == idx), None)
        if turn is None:
            return []
        return [
            entry
            for entry in self._entries
            if (type(entry) is EventEntry or type(entry) is SentEntry) and entry.turn is turn
        ]

    def search(self, matches: Callable[[str], object]) -> Iterator[Entry | None]:
        """Search newest first, one message a step: the entry if its type, words or JSON match, else None.

        The steps let the caller stop early or give way to other tasks. Folded events are skipped, as they
        repeat another. Only the first SEARCHED characters of each text are searched.
        """
        for entry in list(reversed(self._entries)):
            if type(entry) is SentEntry or (type(entry) is EventEntry and entry.fold is None):
                yield entry if any(matches(text[:SEARCHED]) for text in _texts(entry.event)) else None

    def sent(self) -> list[SentEntry]:
        return [entry for entry in self._entries if type(entry) is SentEntry]

    def first_words(self) -> dict[Turn, str]:
        """The first words of each turn, typed or said."""
        words: dict[Turn, str] = {}
        for entry in self._entries:
            if type(entry) is SentEntry:
                said = entry.event.type == "conversation.respond"
            else:
                said = (
                    type(entry) is EventEntry
                    and entry.fold is None
                    and entry.event.kind.family == "utterance"
                )
            if said and entry.turn is not None and entry.turn not in words:  # type: ignore[union-attr]
                words[entry.turn] = entry.event.text[:FIRST_WORDS]  # type: ignore[union-attr]
        return words

    def turns(self) -> list[Turn]:
        """The latest of them, in the order in which they arrived."""
        return list(self._turns)

    def objectives(self) -> list[str]:
        """Names of the objectives seen."""
        return list(self._objectives)

    def _note(self, entry: EventEntry) -> None:
        event = entry.event
        if event.kind.family == "objective" and (name := event.word("objective_name")):
            _remember(self._objectives, name, None)


def _remember(kept: dict[K, V], key: K, value: V) -> None:
    kept[key] = value
    if len(kept) > TABLE_KEPT:
        del kept[next(iter(kept))]


def _texts(event: Event) -> Iterator[str]:
    yield event.type
    yield event.text
    yield to_json(event.message)
