"""The window of an expectation: the events after sending, without those caused by something earlier.

Pure. An event numbered before the sending was caused by something else; after a respond, so was an event of
an older turn. Nothing is decided until Tavus reports which turn the respond opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from tavus_cli.language.selection import TypePattern
from tavus_cli.protocol.conversation import Conversation
from tavus_cli.protocol.entries import Entry, EventEntry, SentEntry
from tavus_cli.protocol.interactions import Interaction
from tavus_cli.protocol.ordering import FAR_BELOW
from tavus_cli.protocol.replies import ANSWERED, Reply
from tavus_cli.script.conditions import REPLY, Match


@dataclass(frozen=True, slots=True)
class Expectation:
    """An EVENT with its MATCHes. Times in seconds; ``name`` is the name given to the event.

    ``waits``: a /wait, which looks only at events after its line. ``none``: the event must not arrive.
    """

    event: str
    matches: tuple[Match, ...] = ()
    within: float | None = None
    none: bool = False
    from_start: bool = False
    waits: bool = False
    name: str = ""

    def __str__(self) -> str:
        words = [self.event, *map(str, self.matches)]
        if self.within is not None:
            words.append(f"within {self.within:g} s")
        return ("no " if self.none else "") + " ".join(words)

    def fits(self, entry: EventEntry) -> bool:
        """Whether the type fits and all MATCHes hold; REPLY fits any type."""
        return self.of_type(entry) and all(match(entry) for match in self.matches)

    def of_type(self, entry: EventEntry) -> bool:
        return self.event == REPLY or _pattern(self.event)(entry.event.type)

    def names(self, *fields: str) -> bool:
        return any(match.field in fields for match in self.matches)


@lru_cache
def _pattern(event: str) -> TypePattern:
    return TypePattern([event])


class Window:
    """Create it just before something is sent, then ``add`` the entries that arrive, in order.

    ``interaction`` is None if no answer could be recognised, as for sound. Without ``sent`` nothing is sent,
    and everything that arrives counts.
    """

    def __init__(
        self, conversation: Conversation, at: float, interaction: Interaction | None = None, *, sent: bool
    ) -> None:
        self.at = at
        self.entries: list[EventEntry] = []
        self._seq_before = conversation.highest_seq if sent else -1
        self._reply: Reply | None = None
        if interaction is not None and interaction.event_type in ANSWERED:
            self._reply = Reply(interaction, conversation)
        self._answers: list[EventEntry] = []

    @property
    def in_doubt(self) -> bool:
        """Whether a respond was sent and its turn is not known yet."""
        return self._reply is not None and self._reply.in_doubt

    @property
    def answerable(self) -> bool:
        return self._reply is not None

    def add(self, entry: Entry) -> None:
        if isinstance(entry, EventEntry):
            self.entries.append(entry)
        elif not isinstance(entry, SentEntry):
            return
        reply = self._reply
        if reply is None:
            return
        doubted = reply.in_doubt
        answered = reply(entry) is not None
        if doubted and not reply.in_doubt:  # now all entries can be assigned
            self._answers = [one for one in self.entries if reply(one) is not None]
        elif answered and isinstance(entry, EventEntry):
            self._answers.append(entry)

    def found(self, what: Expectation, start: int = 0) -> EventEntry | None:
        """The first expected event from ``start`` on. Raises TooSlow."""
        return next((entry for entry in self.looked_at(what, start) if entry is not None), None)

    def looked_at(self, what: Expectation, start: int = 0) -> Iterator[EventEntry | None]:
        """Yields once for each event: the event if it is expected, else None. Raises TooSlow.

        The steps let the caller give way to other tasks. ``size`` is where to start the next time.
        """
        until = None if what.within is None else self.at + what.within
        for entry in self.counted(what, start):
            yield entry if (until is None or entry.at <= until) and what.fits(entry) else None

    def size(self, what: Expectation) -> int:
        return len(self._answers if what.event == REPLY else self.entries)

    def counted(self, what: Expectation, start: int = 0) -> Iterator[EventEntry]:
        """The events that may meet an expectation."""
        if what.event == REPLY:
            yield from self._answers[start:]
            return
        for entry in self.entries[start:]:
            if self.left_out(entry, what) is None:
                yield entry

    def left_out(self, entry: EventEntry, what: Expectation) -> str | None:
        """Why an expectation ignores an event; None if it does not."""
        event, before, reply = entry.event, self._seq_before, self._reply
        if event.seq is not None and before - FAR_BELOW <= event.seq <= before:
            return "numbered before the sending"
        if reply is not None and not what.names("turn", "turn_idx"):
            floor = reply.floor
            if floor is not None and event.turn_idx is not None and event.turn_idx < floor:
                return "of an older turn"
        if what.event == REPLY:
            return None if any(one is entry for one in self._answers) else "not the answer to what was sent"
        if entry.asked is not None and event.role == "user" and not what.names("role"):
            return "your own words"
        return None

    def of_type(self, entry: EventEntry, what: Expectation) -> bool:
        """Whether an event has the expected type; for a reply, a type that can be an answer."""
        if what.event != REPLY:
            return what.of_type(entry)
        family = entry.event.kind.family
        if self._reply is not None and self._reply.kind == "conversation.interrupt":
            return family == "stopped" and entry.event.role == "pal"
        return family == "tool_call" or (family == "utterance" and entry.event.role == "pal")
