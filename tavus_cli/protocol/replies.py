"""Which event is the answer to an interaction (docs/protocol.md, sections 2 and 4).

An answer belongs to *its* turn: speech that an older turn still produces after the sending never counts as
the answer, and no time is spent waiting for more. A tool call instead of words counts as an answer.
"""

from __future__ import annotations

from tavus_cli.errors import UsageError
from tavus_cli.protocol.catalogue import short_name
from tavus_cli.protocol.conversation import Conversation
from tavus_cli.protocol.entries import Entry, EventEntry, SentEntry
from tavus_cli.protocol.events import Event, decode
from tavus_cli.protocol.interactions import Interaction
from tavus_cli.protocol.ordering import FAR_BELOW

ANSWERED = ("conversation.respond", "conversation.echo", "conversation.tool_result", "conversation.interrupt")

_OTHERS = 1_000


def check_answered(event_type: str) -> None:
    """Raises UsageError for an interaction that has no reply."""
    if event_type not in ANSWERED:
        raise UsageError(f"{short_name(event_type)} has no reply: wait for an event type instead")


class Reply:
    """Call ``reply(entry)`` with each entry after sending; it returns the answer, or None until the answer
    arrives.

    Make it before sending ``interaction``. ``calls`` is whether a tool call counts as the answer; false if
    this side answers tool calls itself. Raises UsageError for an interaction that has no reply.
    """

    def __init__(self, interaction: Interaction, conversation: Conversation, *, calls: bool = True) -> None:
        self._calls = calls
        self.kind = interaction.event_type
        check_answered(self.kind)
        self._interaction = interaction
        sent = decode(interaction.encode(""))
        self._words = sent.text.split()
        current = conversation.turns.current
        self._turn_before = current.idx if current else -1
        self._said_before = conversation.pal_inference_id
        self._seq_before = conversation.highest_seq
        self._in_doubt = self.kind == "conversation.respond"  # until Tavus reports which turn it opened
        self._turn: int | None = None
        self._others: set[int] = set()  # later turns opened by others
        if self.kind == "conversation.tool_result":
            call = conversation.turns.open_calls.get(sent.word("tool_call_id"))
            self._turn = call.turn.idx if call and call.turn else None
        self._candidates: list[Event] = []

    def __call__(self, entry: Entry) -> Event | None:
        if isinstance(entry, SentEntry):
            return self._sent(entry)
        if not isinstance(entry, EventEntry) or entry.fold == "twin":
            return None
        event = entry.event
        seq, before = event.seq, self._seq_before
        if seq is not None and before - FAR_BELOW <= seq <= before:
            # Numbered before we sent, so not our answer; unless far below: then the counter restarted.
            if event.turn_idx is not None:
                self._turn_before = max(self._turn_before, event.turn_idx)
            return None
        if self.kind == "conversation.interrupt":
            stopped = event.kind.family == "stopped" and event.role == "pal" and event.interrupted
            return event if stopped else None
        if self.kind == "conversation.respond" and self._turn is None and self._is_question(event):
            self._hear(event)
        if self._in_doubt:
            if self._may_answer(event):
                self._candidates.append(event)
            return None
        return event if self._may_answer(event) else None

    @property
    def in_doubt(self) -> bool:
        """Whether a respond was sent and its turn is not known yet."""
        return self._in_doubt

    @property
    def floor(self) -> int | None:
        """The lowest turn that our respond can have opened; events of lower turns are not caused by it."""
        if self.kind != "conversation.respond":
            return None
        return self._turn_before + 1 if self._turn is None else self._turn

    def _sent(self, entry: SentEntry) -> Event | None:
        """Our respond as an entry: with its echo, or after a second without one."""
        if not self._in_doubt or entry.interaction is not self._interaction:
            return None
        self._in_doubt = False
        if entry.echo is not None and entry.turn is not None:
            self._turn = entry.turn.idx
        return next((event for event in self._candidates if self._may_answer(event)), None)

    def _is_question(self, event: Event) -> bool:
        later = event.turn_idx is not None and event.turn_idx > self._turn_before
        return event.kind.family == "utterance" and event.role == "user" and later

    def _hear(self, event: Event) -> None:
        """Note an event that opened a later turn. Our own echo gives the number, even if it comes late."""
        assert event.turn_idx is not None
        if event.text.split() == self._words:
            if not self._in_doubt:
                self._turn = event.turn_idx
        elif not _alike(event.text, " ".join(self._words)) and len(self._others) < _OTHERS:
            self._others.add(event.turn_idx)

    def _may_answer(self, event: Event) -> bool:
        family = event.kind.family
        words = family == "utterance" and event.role == "pal"
        new = event.inference_id is None or event.inference_id != self._said_before
        if self.kind == "conversation.echo":
            said = words or (family == "partial" and event.role == "pal" and event.final)
            return said and new and event.text.split() == self._words
        called = self._calls and family == "tool_call" and event.type == "conversation.tool_call"
        if not words and not called:
            return False
        if self._turn is not None:
            return event.turn_idx == self._turn and (new or self.kind == "conversation.respond")
        if event.turn_idx is None:  # an old build without turns: known is only what was being said before
            return new
        if self.kind == "conversation.tool_result":
            return event.turn_idx >= self._turn_before and new
        return event.turn_idx > self._turn_before and event.turn_idx not in self._others


def _alike(one: str, other: str) -> bool:
    """Whether one text may be the echo of the other: cut, or with other case and punctuation."""
    plain = ["".join(filter(str.isalnum, text.casefold())) for text in (one, other)]
    return plain[0] in plain[1] or plain[1] in plain[0]


def reply_text(event: Event) -> str:
    """An answer in one line, not yet safe to print: the words, or "tool_call NAME ARGUMENTS ID"."""
    if event.kind.family in ("utterance", "partial"):
        return event.text
    return f"{event.short} {event.kind.summary(event)}"
