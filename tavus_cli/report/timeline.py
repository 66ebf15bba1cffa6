"""The timeline of a conversation: turns, speeches, tool calls and barge-ins, from its entries.

Pure: ``Timeline`` takes the entries of a conversation in order, as a view does, and reads no clock. All
times are Unix seconds of arrival here; None if unknown (docs/report.md).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from tavus_cli.protocol.catalogue import TOOL_RESULT, call_id
from tavus_cli.protocol.entries import Entry, EventEntry, GapEntry, SentEntry
from tavus_cli.protocol.events import Event
from tavus_cli.protocol.tool_calls import calls_in
from tavus_cli.protocol.turns import Turn
from tavus_cli.report.known_fields import KNOWN, unknown_fields
from tavus_cli.report.spans import BargeIn, Call, Speech, TurnSpan
from tavus_cli.report.transcript import Transcript

_REMEMBERED = 1_000  # turns, and tool calls that wait for an answer, as protocol/turns
_NAMES = 100  # unknown types and fields that are counted by name; names are remote text


@dataclass(slots=True)
class Counts:
    """Counts; the four about sequence numbers are meaningless if no event has one."""

    events: int = 0
    numbered: int = 0
    sent: int = 0  # interactions, of this side or of another participant
    gaps: int = 0
    missing: int = 0
    late: int = 0
    interruptions: int = 0
    heartbeats: int = 0
    untimed: int = 0


class Timeline:
    """Call ``entries`` in order; the attributes may be read at any time."""

    def __init__(self) -> None:
        self.turns: list[TurnSpan] = []
        self.loose = TurnSpan(None, None)  # everything outside turns
        self.transcript = Transcript()
        self.counts = Counts()
        self.unknown_types: dict[str, int] = {}
        self.unknown_fields: dict[str, int] = {}
        self.talk_over: list[float] = []
        self.silences: list[float] = []  # nobody speaks, between two speeches
        self.beats: list[float] = []  # between two heartbeats
        self.first_at: float | None = None
        self.last_at: float | None = None
        self._spans: OrderedDict[Turn, TurnSpan] = OrderedDict()
        self._turn: Turn | None = None
        self._span = self.loose
        self._speaking: dict[str, Speech] = {}
        self._overlap: float | None = None
        self._quiet: float | None = None
        self._barge_in: BargeIn | None = None
        self._open_calls: OrderedDict[str, Call] = OrderedDict()
        self._to_speak: list[Call] = []
        self._beat: float | None = None
        self._names: dict[str, str] = {}

    def entries(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if type(entry) is EventEntry:
                self._event(entry)
            elif type(entry) is SentEntry:
                self._sent(entry)
            elif type(entry) is GapEntry:
                self.counts.gaps += 1
                self.counts.missing += entry.last - entry.first + 1

    # -- entries -------------------------------------------------------------------------------------

    def _event(self, entry: EventEntry) -> None:
        event, counts = entry.event, self.counts
        family, role = event.kind.family, event.role
        at: float | None = entry.at
        if not at or (event.at is None and event.timestamp is None):
            counts.untimed += 1
            at = None  # neither its arrival nor its creation has a known time
        elif self.last_at is None:
            self.first_at = self.last_at = at
        elif at > self.last_at:
            self.last_at = at
        counts.events += 1
        if event.seq is not None:
            counts.numbered += 1
            if entry.late:
                counts.late += 1
        turn = entry.turn
        span = self._span if turn is self._turn else self._span_of(turn, at)
        if at is not None and turn is not None:
            self._mark(span, family, role, at, entry.asked)
        if (fold := entry.fold) is not None and fold != "partial":
            if fold == "heartbeat":
                self._heartbeat(at)
            return
        known = KNOWN.get(family)
        if known is not None and (event.hoisted or not known.issuperset(event.properties)):
            self._unknown(event)
        if family == "utterance" or family == "partial":
            if entry.asked is None or role != "user":  # typed text has its own line
                self.transcript.said(event, at, span)
        elif fold is not None or entry.differs:
            return
        elif family == "started":
            if (role == "pal" or role == "user") and at is not None:
                self._started(span, role, at)
        elif family == "stopped" or family == "interrupted":
            if role == "pal" or role == "user":
                self._stopped(span, event, role, at)
        elif family == "tool_call":
            self._call(span, event, at)
        elif family == "unknown" or family == "interaction":
            self._others(span, event, at)

    def _mark(self, span: TurnSpan, family: str, role: str | None, at: float, respond: float | None) -> None:
        """The rules of ``protocol.turns.Turns.place``, and what comes first after the question."""
        if respond is not None and (span.replied is None or span.asked is None):
            span.asked, span.first, span.by = respond, None, "text"
        if span.replied is not None:
            if role == "pal":
                if span.words is None and (family == "utterance" or family == "partial"):
                    span.words = at
                elif span.speaking is None and family == "started":
                    span.speaking = at
            return
        asks = False
        if role == "user" and respond is None:
            if family == "stopped" or (family == "utterance" and span.asked is None):
                span.asked, span.first, asks = at, None, True
            elif family == "started":
                asks = True
        elif role == "pal":
            if family == "started":
                span.replied, span.speaking = at, at
            elif family == "utterance":
                span.replied = at
            if span.words is None and (family == "utterance" or family == "partial"):
                span.words = at
        if span.first is None and not asks and span.asked is not None:
            span.first = at

    def _sent(self, entry: SentEntry) -> None:
        event, at = entry.event, entry.at
        span = self._span_of(entry.turn, at)
        self.counts.sent += 1
        if event.type == "conversation.respond":
            self.transcript.typed(event, at, span)
        else:
            self._interaction(span, event, at)

    def _others(self, span: TurnSpan, event: Event, at: float | None) -> None:
        """An interaction of another participant, such as a web page that answers tool calls; else an unknown
        type.
        """
        if event.kind.family == "interaction":
            self.counts.sent += 1
            self._interaction(span, event, at)
        else:
            _count(self.unknown_types, event.type)

    def _interaction(self, span: TurnSpan, event: Event, at: float | None) -> None:
        if event.kind is TOOL_RESULT:
            call = self._open_calls.pop(call_id(event), None)
            if call is not None:
                call.answered, call.done, call.failed = at, True, event.word("status") == "error"
                if at is not None:
                    self._to_speak.append(call)
        elif event.kind.type == "conversation.interrupt" and at is not None and "pal" in self._speaking:
            self._barge(span, BargeIn(at, "interrupt"))

    # -- speech --------------------------------------------------------------------------------------

    def _started(self, span: TurnSpan, role: str, at: float) -> None:
        if self._quiet is not None:
            self.silences.append(max(0.0, at - self._quiet))
            self._quiet = None
        other = "user" if role == "pal" else "pal"
        if other in self._speaking:
            self._overlap = at
        speech = self._speaking[role] = Speech(role, at)
        span.speeches = (*span.speeches, speech)
        self.transcript.started(role, at, span)
        if role == "pal":
            self._barge_in = None
            self._spoke(at)
        elif "pal" in self._speaking:
            self._barge(span, BargeIn(at, "speech"))

    def _stopped(self, span: TurnSpan, event: Event, role: str, at: float | None) -> None:
        cut = event.kind.family == "interrupted" or event.interrupted
        if cut and role == "pal":
            self.counts.interruptions += 1
        speech = self._speaking.pop(role, None)
        self.transcript.stopped(role, at, cut, event.inference_id)
        if at is None:
            self._overlap = None
            return
        if speech is None:
            if (duration := event.duration) is not None and event.kind.family == "stopped":
                span.speeches = (*span.speeches, Speech(role, at - duration, at, cut))
        else:
            speech.end, speech.interrupted = max(at, speech.start), cut
        if self._overlap is not None:
            self.talk_over.append(max(0.0, at - self._overlap))
            self._overlap = None
        if not self._speaking:
            self._quiet = at
        if role == "pal" and (barge_in := self._barge_in) is not None:
            barge_in.success, self._barge_in = cut, None
            if cut:
                barge_in.stopped = max(at, barge_in.at)

    def _barge(self, span: TurnSpan, barge_in: BargeIn) -> None:
        """The PAL continued to speak through the previous barge-in."""
        if self._barge_in is not None:
            self._barge_in.success = False
        self._barge_in = barge_in
        span.barge_ins = (*span.barge_ins, barge_in)

    def _spoke(self, at: float) -> None:
        for call in self._to_speak:
            call.spoken = at
        self._to_speak.clear()

    # -- the rest ------------------------------------------------------------------------------------

    def _call(self, span: TurnSpan, event: Event, at: float | None) -> None:
        for one_id, name, _ in calls_in(event):
            name = self._names.setdefault(name, name) if len(self._names) < _NAMES else name  # kept once
            call = Call(one_id, name, at, "perception" in event.type)
            span.calls = (*span.calls, call)
            if call.id:
                self._open_calls[call.id] = call
                if len(self._open_calls) > _REMEMBERED:
                    self._open_calls.popitem(last=False)

    def _heartbeat(self, at: float | None) -> None:
        self.counts.heartbeats += 1
        if at is None:
            return
        if self._beat is not None:
            self.beats.append(max(0.0, at - self._beat))
        self._beat = at

    def _unknown(self, event: Event) -> None:
        for name in unknown_fields(event):
            _count(self.unknown_fields, f"{event.type} {name}")

    def _span_of(self, turn: Turn | None, at: float | None) -> TurnSpan:
        if turn is None:
            self._turn, self._span = None, self.loose
            return self.loose
        span = self._spans.get(turn)
        if span is None:
            span = self._spans[turn] = TurnSpan(turn.idx, at)
            self.turns.append(span)
            if len(self._spans) > _REMEMBERED:
                self._spans.popitem(last=False)
        self._turn, self._span = turn, span
        return span


def _count(counts: dict[str, int], name: str) -> None:
    if name not in counts and len(counts) >= _NAMES:
        name = "others"
    counts[name] = counts.get(name, 0) + 1
