"""What has passed, in a memory of bounded size: the oldest leaves first, and how many is known."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

from tavus_cli.protocol.conversation import Entry, EventEntry, SentEntry
from tavus_cli.protocol.events import Event
from tavus_cli.protocol.turns import Turn
from tavus_cli.protocol.wire import to_json

EVENTS_KEPT = 100_000  # at some 1.5 kB each
TABLE_KEPT = 1_000  # turns and objectives
FIRST_WORDS = 100  # characters
SEARCHED = 20_000  # characters of one entry that a search looks at: images are longer, and mean nothing

K = TypeVar("K")
V = TypeVar("V")


class Log:
    """``add`` entries in order, at a flat cost; the rest answers about them. ``limit`` is in entries.

    ``dropped`` is how many have left.
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
        """Of the latest thousand messages."""
        latest = islice(reversed(self._entries), 1_000)
        return {one.event.type for one in latest if isinstance(one, EventEntry | SentEntry)}

    def event(self, seq: int) -> EventEntry | None:
        """The latest event of that number."""
        for entry in reversed(self._entries):
            if type(entry) is EventEntry and entry.event.seq == seq:
                return entry
        return None

    def last(self) -> EventEntry | SentEntry | None:
        """The latest message, either way, that is not folded."""
        for entry in reversed(self._entries):
            if type(entry) is SentEntry or (type(entry) is EventEntry and entry.fold is None):
                return entry
        return None

    def last_sent(self) -> SentEntry | None:
        return next((entry for entry in reversed(self._entries) if type(entry) is SentEntry), None)

    def turn(self, idx: int) -> list[Entry]:
        """Everything in a turn, folded or not; in the latest of that number if the counter restarted."""
        turn = next((turn for turn in reversed(self._turns) if turn.idx == idx), None)
        if turn is None:
            return []
        return [
            entry
            for entry in self._entries
            if (type(entry) is EventEntry or type(entry) is SentEntry) and entry.turn is turn
        ]

    def search(self, matches: Callable[[str], object]) -> Iterator[Entry | None]:
        """One message a step, newest first: the entry if its type, words or JSON match, else None.

        So a caller may stop when it has enough, or let others have a turn. What is folded repeats another and
        is skipped. Of each text the first SEARCHED characters are looked at.
        """
        for entry in list(reversed(self._entries)):
            if type(entry) is SentEntry or (type(entry) is EventEntry and entry.fold is None):
                yield entry if any(matches(text[:SEARCHED]) for text in _texts(entry.event)) else None

    def sent(self) -> list[SentEntry]:
        return [entry for entry in self._entries if type(entry) is SentEntry]

    def first_words(self) -> dict[Turn, str]:
        """Of each turn what was typed or said first."""
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
        """The latest of them, in the order of their coming."""
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
