"""A conversation as one object: it decodes, orders, folds and groups events by turn, and returns entries.

Pure: time is an argument, results are lists, and there are no callbacks. ``wake_at`` says when ``tick``
is due.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from msgspec import Struct  # noqa: TID253 - as entries

from tavus_cli.protocol.catalogue import TOOL_RESULT, call_id, shutdown_reason
from tavus_cli.protocol.entries import Entry, EventEntry, GapEntry, NoteEntry, SentEntry
from tavus_cli.protocol.events import Direction, Event, decode, message_of
from tavus_cli.protocol.folding import Folding, is_piece
from tavus_cli.protocol.ordering import HOLD_SECONDS, Duplicate, Gap, Late, Ordered, Ordering, Restarted, Twin
from tavus_cli.protocol.snapshot import Snapshot
from tavus_cli.protocol.tool_calls import calls_in
from tavus_cli.protocol.turns import Turns
from tavus_cli.protocol.wire import folded

if TYPE_CHECKING:  # reading a recording sends nothing
    from tavus_cli.protocol.interactions import Interaction

EARLY_SECONDS = 120.0  # a conversation that reaches its maximum so soon had a lower one (section 11)
_FROM_START = 200  # a client whose first number is higher joined after the conversation began
_NAMES = 1_000  # participants remembered
_SHORT_ID = 8  # characters shown of a participant's id

ECHO_SECONDS = 1.0  # how long a sent respond waits for its echo, a user utterance (section 2.2)
_LATE_SECONDS = 120.0  # after this long the same words are somebody's own
_UNHEARD = 100  # responds remembered for this long


class Status:
    """What a status line shows. Counts are of events since the start; times are Unix seconds."""

    def __init__(self, reply: float | None = None) -> None:
        self.events = 0
        self.gaps = 0
        self.late = 0
        self.duplicates = 0
        self.pal_present = False
        self.speaking: set[str] = set()
        self.reply = reply
        self.shutdown: str | None = None
        self.partial: Event | None = None


class _Pending(Struct):
    """A respond whose echo has not come. ``turn`` is the highest when it was sent: it opens a later one."""

    entry: SentEntry
    words: list[str]
    until: float
    turn: int
    answered: bool = False


class Conversation:
    """``hold`` in seconds, None for HOLD_SECONDS.

    ``by_count`` is for messages without arrival times (``ordering``).
    """

    def __init__(self, *, hold: float | None = None, by_count: bool = False) -> None:
        self._ordering = Ordering(HOLD_SECONDS if hold is None else hold, by_count=by_count)
        self._folding = Folding()
        self._pending: deque[_Pending] = deque()  # those not shown yet
        self._unheard: deque[_Pending] = deque(maxlen=_UNHEARD)  # those shown without their echo
        self._last_at = 0.0
        self._seq_before = -1
        self.turns = Turns()
        self.status = Status()
        self.pal_inference_id: str | None = None  # inference id of the PAL's latest speech
        self._names: dict[str, str] = {}  # names of participants by id
        self._began: float | None = None
        self._from_start = True

    # -- in -------------------------------------------------------------------------------------------

    def receive(
        self, message: Any, now: float | None, sender: str | None = None, raw: str | None = None
    ) -> list[Entry]:
        """Take one message. ``now`` is None if its time is unknown (a file of bare messages)."""
        return self.take([decode(message, now, sender, raw)])

    def take(self, events: Iterable[Event]) -> list[Entry]:
        """Take messages, each at the time in its ``at``."""
        out: list[Entry] = []
        is_next, add, status = self._ordering.take, self._event, self.status
        for event in events:
            status.events += 1
            now = event.at
            if self._pending and now is not None:
                out += self.tick(now)
            if is_next(event):
                add(event, out)
            elif now is None:
                out += self._entries(self._ordering.receive(event, 0.0))
            else:
                if self._ordering.held:
                    out += self._entries(self._ordering.tick(now))
                out += self._entries(self._ordering.receive(event, now))
        return out

    def sent(self, message: Any, now: float, interaction: Interaction | None = None) -> list[Entry]:
        """Note that ``message`` was sent. A respond is held until its echo, to stand in the turn it opens."""
        direction: Direction = "out"
        event = decode(message, now, None, None, direction)
        entry = SentEntry(event, now, self.turns.current, interaction=interaction)
        if event.type == "conversation.respond":
            turn = -1 if entry.turn is None else entry.turn.idx
            self._pending.append(_Pending(entry, event.text.split(), now + ECHO_SECONDS, turn))
            return []
        if event.type == "conversation.tool_result":
            entry.call = self.turns.answer(call_id(event), now)
        if is_piece(event):
            entry.fold = "partial"
        return [entry]

    def caught_up(self) -> list[Entry]:
        """Everything so far is from before this side joined: let out what is held, and restart the counts.
        Call ``resume`` next. Sent messages still wait for their echo.
        """
        out = self._entries(self._ordering.close())
        self.status = Status(reply=self.status.reply)
        return out

    def resume(self, snapshot: Snapshot) -> None:
        """Continue from the snapshot of another ``Conversation``; nothing in it becomes an entry."""
        still_open = {one for message, _ in snapshot.calls for one, _, _ in calls_in(decode(message))}
        for answered in self.turns.open_calls.keys() - still_open:
            del self.turns.open_calls[answered]
        for message, at in snapshot.calls:
            self.turns.place(decode(message, at), at)
        if snapshot.turn is not None:
            self.turns.resume(*snapshot.turn)
        self._seq_before = snapshot.seq
        if snapshot.seq >= 0:
            self._ordering.start_at(snapshot.seq + 1)
        self._from_start = snapshot.seq <= _FROM_START
        self.pal_inference_id = snapshot.said
        self.status.pal_present = snapshot.pal_present
        self.status.speaking.update(snapshot.speaking)

    def snapshot(self) -> Snapshot:
        """The state to hand to ``resume`` of a client that joins now."""
        turn, status = self.turns.current, self.status
        return Snapshot(
            None if turn is None else (turn.idx, turn.started),
            self.highest_seq,
            self.pal_inference_id,
            status.pal_present,
            tuple(sorted(status.speaking)),
            tuple((message_of(call.message), call.at) for call in self.turns.open_calls.values()),
        )

    def pal_is(self, present: bool) -> None:
        """Set the PAL's presence as the room's participants show it; events and heartbeats set it too."""
        self.status.pal_present = present

    def participant_is(self, id: str, name: str) -> None:
        """Label the interactions of this participant with ``name`` from now on."""
        if len(self._names) >= _NAMES and id not in self._names:
            del self._names[next(iter(self._names))]
        self._names[id] = name

    def note(self, text: str, now: float | None, *, warning: bool = False) -> list[Entry]:
        """A note, after what was held until then: a recording has no other clock."""
        if now is None:
            return [NoteEntry(text, self._last_at, warning)]
        due = self.wake_at()
        held = self.tick(now) if due is not None and due <= now else []
        return [*held, NoteEntry(text, now, warning)]

    def tick(self, now: float) -> list[Entry]:
        """Entries held long enough.

        These may include an echo, so responds that wait for one are checked last.
        """
        return self._entries(self._ordering.tick(now)) + self._unechoed(now)

    def wake_at(self) -> float | None:
        times = [self._ordering.wake_at(), self._pending[0].until if self._pending else None]
        return min((when for when in times if when is not None), default=None)

    def close(self) -> list[Entry]:
        """Everything still held, when nothing more will come."""
        return self._entries(self._ordering.close()) + self._unechoed(float("inf"))

    @property
    def highest_seq(self) -> int:
        """The highest sequence number received, held or not; -1 before any."""
        return max(self._ordering.highest, self._seq_before)

    @property
    def pending_text(self) -> str:
        """The text sent last, if it has not become an entry yet."""
        return self._pending[-1].entry.event.text if self._pending else ""

    # -- entries --------------------------------------------------------------------------------------

    def _entries(self, ordered: Iterable[Ordered]) -> list[Entry]:
        out: list[Entry] = []
        for item in ordered:
            if type(item) is Event:
                self._event(item, out)
            elif type(item) is Late:
                self.status.late += 1
                self._event(item.event, out, late=True)
            elif type(item) is Duplicate:
                self.status.duplicates += 1
                if not item.same:
                    self._event(item.event, out, differs=True)
            elif type(item) is Twin:
                self._event(item.event, out, twin=True)
            elif type(item) is Gap:
                self.status.gaps += 1
                out.append(GapEntry(item.first, item.last, self._last_at))
            elif type(item) is Restarted:
                self.turns.restart()
                self._unheard.clear()
                self._seq_before = -1
                out.append(
                    NoteEntry(
                        f"the counter restarted: seq {item.expected} was next, {item.start} came",
                        self._last_at,
                    )
                )
        return out

    def _event(
        self,
        event: Event,
        out: list[Entry],
        late: bool = False,
        differs: bool = False,
        twin: bool = False,
    ) -> None:
        at = event.at
        if at is None:
            at = event.timestamp or self._last_at
        self._last_at = at
        if self._began is None:
            self._begin(event, at)
        turns = self.turns
        before = turns.current
        sent = asked = None
        if self._unheard:
            asked = self._asked_late(event, at)
        if asked is None and self._pending and (sent := _echoed(event, self._pending)) is not None:
            asked = sent.at
        turn = turns.place(event, at, asked)
        fold = self._folding.fold(event, differs)
        if twin:
            fold = "twin"
        if turn is before:
            entry = EventEntry(event, at, turn, False, fold)
            if late or differs:
                entry.late, entry.differs = late, differs
        else:
            current = turn is turns.current
            entry = EventEntry(
                event, at, turn, current, fold, not current and turn is not None, late, differs
            )
        if asked is not None:
            entry.asked = asked
        if sent is not None:
            sent.turn, sent.opens, sent.echo = turn, entry.opens, max(0.0, at - sent.at)
            out.append(sent)
            entry.opens, entry.fold = False, "echo"
            fold = "echo"
        hint = None
        if not differs and (fold is None or fold == "partial"):
            hint = self._annotate(entry)
        elif fold == "heartbeat" and not differs:
            self.status.pal_present = True
        out.append(entry)
        if hint is not None:
            out.append(hint)

    def _begin(self, event: Event, at: float) -> None:
        """Take the first known time as the beginning of the conversation, unless we joined it later."""
        if event.seq is not None and event.seq > _FROM_START:
            self._from_start = False
        if at:
            self._began = at

    def _hint(self, event: Event, at: float) -> NoteEntry | None:
        """A hint if the maximum was reached early: Tavus lowers it without notice (section 11)."""
        if self._began is None or not self._from_start or (event.at is None and event.timestamp is None):
            return None
        if at - self._began > EARLY_SECONDS or "maxcallduration" not in folded(shutdown_reason(event)):
            return None
        self._from_start = False  # said once
        return NoteEntry(f"ended after {at - self._began:.0f} s: the account may be out of minutes", at)

    def _annotate(self, entry: EventEntry) -> NoteEntry | None:
        """Update the status and find what the event's line needs beyond the event; returns a hint, if any."""
        event, status = entry.event, self.status
        family, role = event.kind.family, event.role
        if family == "started" or family == "stopped":
            if role == "pal" or role == "user":
                if family == "started":
                    status.speaking.add(role)
                else:
                    status.speaking.discard(role)
                    turn = entry.turn
                    if role == "pal" and turn is not None and (duration := event.duration) is not None:
                        turn.spoke = (turn.spoke or 0.0) + duration
            status.partial = None
        elif family == "partial":
            final = event.final
            status.partial = None if final else event
            if final and role == "pal":
                entry.intended = self._folding.intended(event.inference_id)
        elif family == "utterance" and role == "user":
            status.partial = None
        elif family == "shutdown":
            status.pal_present, status.shutdown = False, event.kind.summary(event)
            return self._hint(event, entry.at)
        elif family == "interaction":
            self._interaction(entry)
            return None
        if role == "pal" or family == "ready":
            status.pal_present = True
            self.pal_inference_id = event.inference_id or self.pal_inference_id
            turn = entry.turn
            spoke = family == "started" or family == "utterance"
            if spoke and turn is not None and not turn.reported and turn.reply is not None:
                turn.reported = True
                entry.reply = status.reply = turn.reply
        return None

    def _interaction(self, entry: EventEntry) -> None:
        """Note who sent an interaction of another participant, and which tool call it answers."""
        event = entry.event
        if (sender := event.sender) is not None:
            entry.sender = self._names.get(sender) or sender[:_SHORT_ID]
        if event.kind is TOOL_RESULT:
            self.turns.answer(call_id(event), entry.at)

    def _asked_late(self, event: Event, at: float) -> float | None:
        """When the respond was sent of which this event is the late echo, or the answer without an echo."""
        while self._unheard and self._unheard[0].entry.at < at - _LATE_SECONDS:
            self._unheard.popleft()
        if (sent := _echoed(event, self._unheard, bool(self._pending))) is not None:
            return sent.at
        idx = event.turn_idx
        if idx is None or event.role != "pal" or event.kind.family not in ("started", "utterance"):
            return None
        if self.turns.has_question(idx):
            return None
        for one in self._unheard:  # sent before any turn: the next may be the greeting
            if 0 <= one.turn < idx and not one.answered:
                one.answered = True
                return one.entry.at
        return None

    def _unechoed(self, now: float) -> list[Entry]:
        out: list[Entry] = []
        while self._pending and self._pending[0].until <= now:
            pending = self._pending.popleft()
            self._unheard.append(pending)
            entry = pending.entry
            entry.turn = self.turns.current  # the turn at the moment it is shown: a new one may have begun
            out.append(entry)
        return out


def _echoed(event: Event, responds: deque[_Pending], expected: bool = False) -> SentEntry | None:
    """The respond that a user utterance repeats, which is removed from ``responds``; only one whose echo is
    still ``expected``, because no answer came without it.
    """
    if event.kind.family != "utterance" or event.role != "user":
        return None
    words = event.text.split()
    for pending in responds:
        if pending.words == words and not (expected and pending.answered):
            responds.remove(pending)
            return pending.entry
    return None
