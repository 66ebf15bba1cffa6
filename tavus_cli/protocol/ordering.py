"""True order: events by ``seq``, however they arrived (docs/protocol.md, section 4).

Events that arrive ahead of a missing number are held: for 250 ms in a live room, for 1,000 further messages
in a file without arrival times. The first number is held too, so that the lowest becomes the start; in a live
room only until its successor arrives. In a file, an event without a number keeps its place among the numbered
ones; a live room shows it at once.
"""

from collections import deque
from heapq import heappop, heappush
from itertools import count
from typing import Any, NamedTuple

from tavus_cli.protocol.events import Event, decode, kept, message_of
from tavus_cli.protocol.wire import same

HOLD_SECONDS = 0.25
HOLD_MESSAGES = 1_000
FAR_BELOW = 1_000  # a number this far below the expected one belongs to another count
_RING = 1_024  # seen numbers remembered, with their content; at least FAR_BELOW


class Gap(NamedTuple):
    """Numbers that did not come in time, both ends included."""

    first: int
    last: int


class Restarted(NamedTuple):
    """The counter restarted: ``start`` arrived where ``expected`` was next."""

    expected: int
    start: int


class Late(NamedTuple):
    """An event that arrived after its number was given up."""

    event: Event


class Duplicate(NamedTuple):
    """A number seen before; ``same`` is whether the content is the same."""

    event: Event
    same: bool


class Twin(NamedTuple):
    """A number seen before, with the same content under the other role or name (section 4)."""

    event: Event


Ordered = Event | Gap | Restarted | Late | Duplicate | Twin
_Held = tuple[int, int, float, Event]  # seq, order of arrival, when it expires, the event


class Ordering:
    """``receive`` and ``tick`` return the events that are due now, in order.

    ``hold`` is in seconds. ``by_count`` holds for HOLD_MESSAGES messages instead, and ignores times.
    """

    def __init__(self, hold: float = HOLD_SECONDS, *, by_count: bool = False) -> None:
        self._by_count = by_count
        self._hold: float = HOLD_MESSAGES if by_count else hold
        self._now = 0.0
        self._next: int | None = None  # the number expected; None before the start is settled
        self._held: list[_Held] = []
        self._ages: deque[tuple[float, int]] = deque()  # when each held one expires, oldest first
        self._arrivals = count()
        self._ring: list[tuple[int, Any] | None] = [None] * _RING  # seen numbers and their content
        self._below: list[tuple[float, Event]] = []  # far below: the first of a restart, or very late
        self._unnumbered: deque[tuple[int, Event]] = deque()  # by_count: how many numbered events precede it
        self._numbered_in = self._numbered_out = 0

    @property
    def held(self) -> int:
        return len(self._held) + len(self._below) + len(self._unnumbered)

    @property
    def highest(self) -> int:
        """The highest number received, held or not; -1 before any."""
        return max((held[0] for held in self._held), default=(self._next or 0) - 1)

    def wake_at(self) -> float | None:
        """When ``tick`` is due; None if nothing is held, and always None with by_count."""
        if self._by_count:
            return None
        ages = self._ages_left()
        times = [ages[0][0]] if ages else []
        if self._below:
            times.append(self._below[0][0])
        return min(times, default=None)

    def take(self, event: Event) -> bool:
        """The fast path: whether the event is the expected one while nothing is held.

        If so, it counts as delivered; otherwise pass it to ``receive``.
        """
        seq = event.seq
        if seq != self._next or seq is None or self._held or self._below or self._unnumbered:
            return False
        self._next = seq + 1
        self._ring[seq % _RING] = (seq, event.message if event.raw is None else event.raw)
        return True

    def receive(self, event: Event, now: float) -> list[Ordered]:
        seq = event.seq
        if self._by_count:
            now = self._now = self._now + 1.0
        if seq is None:
            return self._receive_unnumbered(event)
        self._numbered_in += 1
        out: list[Ordered] = []
        if self._below and not self._far_below(seq):
            out += self._give_up_below()
        if self._next is None or seq >= self._next:
            self._put(event, seq, now)
        elif self._far_below(seq):
            out += self._receive_far_below(event, seq, now)
        else:
            out += self._receive_passed(event, seq)
        if self._next is None and not self._by_count:
            self._settle()
        return out + self._release() + self.tick(now)

    def start_at(self, seq: int) -> None:
        """Expect ``seq`` next, because another client has seen the number before it."""
        self._next = seq

    def tick(self, now: float) -> list[Ordered]:
        """Everything held long enough by ``now``."""
        out: list[Ordered] = []
        if self._below and self._below[0][0] <= now:
            out += self._give_up_below()
        while self._held and (self._overdue(now) or len(self._held) > HOLD_MESSAGES):
            out += self._skip_to(self._held[0][0])
        return out

    def close(self) -> list[Ordered]:
        """Everything still held, when nothing more will come."""
        out = self._give_up_below() + self._flush_held()
        rest = [event for _, event in self._unnumbered]
        self._unnumbered.clear()
        return out + rest

    # -- numbers from the expected one on ------------------------------------------------------------

    def _settle(self) -> None:
        """Settle the start: the lowest held number, once its successor is here or no lower one can come.

        So a client that joins late sees no gap before it.
        """
        first = self._held[0][0]
        if first == 0 or any(held[0] == first + 1 for held in self._held[1:]):
            self._next = first

    def _put(self, event: Event, seq: int, now: float) -> None:
        number = next(self._arrivals)
        heappush(self._held, (seq, number, now + self._hold, event))
        self._ages.append((now + self._hold, seq))

    def _ages_left(self) -> deque[tuple[float, int]]:
        """Drop the expiry times of events that were delivered since."""
        expected = self._next
        if not self._held:
            self._ages.clear()
        elif expected is not None:
            while self._ages and self._ages[0][1] < expected:
                self._ages.popleft()
        return self._ages

    def _overdue(self, now: float) -> bool:
        ages = self._ages_left()
        return bool(ages) and ages[0][0] <= now

    def _skip_to(self, seq: int) -> list[Ordered]:
        gap: list[Ordered] = []
        if self._next is not None and seq > self._next:
            gap = [Gap(self._next, seq - 1)]
        self._next = seq
        return gap + self._release()

    def _release(self) -> list[Ordered]:
        out: list[Ordered] = []
        while self._held and self._next is not None and self._held[0][0] <= self._next:
            seq, _, _, event = heappop(self._held)
            self._numbered_out += 1
            if seq < self._next:  # twice among the held
                out.append(self._duplicate(event, seq))
            else:
                self._ring[seq % _RING] = (seq, kept(event))
                self._next = seq + 1
                out.append(event)
            if self._unnumbered:
                out += self._due_unnumbered()
        return out

    # -- numbers below it -----------------------------------------------------------------------------

    def _receive_passed(self, event: Event, seq: int) -> list[Ordered]:
        self._numbered_out += 1
        if (known := self._ring[seq % _RING]) is not None and known[0] == seq:
            out: list[Ordered] = [self._duplicate(event, seq)]
        else:
            self._ring[seq % _RING] = (seq, kept(event))
            out = [Late(event)]
        return out + self._due_unnumbered()

    def _duplicate(self, event: Event, seq: int) -> Duplicate | Twin:
        known = self._ring[seq % _RING]
        return Duplicate(event, False) if known is None else _again(event, message_of(known[1]))

    def _far_below(self, seq: int) -> bool:
        return self._next is not None and seq < self._next - FAR_BELOW

    def _receive_far_below(self, event: Event, seq: int, now: float) -> list[Ordered]:
        """One number far below is very late; a second, different one means that the counter restarted."""
        self._below.append((now + self._hold, event))
        first = self._below[0][1].seq
        if first is None or seq == first:
            return self._give_up_below() if len(self._below) > HOLD_MESSAGES else []
        events = [one for _, one in self._below]
        start = min(first, seq)
        self._below.clear()
        assert self._next is not None
        out = [*self._flush_held(), Restarted(self._next, start)]
        self._next = start
        self._ring = [None] * _RING
        for one in events:
            assert one.seq is not None
            self._put(one, one.seq, now)
        return out

    def _flush_held(self) -> list[Ordered]:
        out: list[Ordered] = []
        while self._held:
            out += self._skip_to(self._held[0][0])
        self._ages.clear()
        return out

    def _give_up_below(self) -> list[Ordered]:
        out: list[Ordered] = []
        for _, event in self._below:
            first = self._below[0][1]
            out.append(Late(event) if event is first else _again(event, first.message))
        self._numbered_out += len(out)
        self._below.clear()
        return out + self._due_unnumbered()

    # -- no number ------------------------------------------------------------------------------------

    def _receive_unnumbered(self, event: Event) -> list[Ordered]:
        if self._by_count and self._numbered_out < self._numbered_in:
            self._unnumbered.append((self._numbered_in, event))
            return self.tick(self._now)
        return [event]

    def _due_unnumbered(self) -> list[Ordered]:
        out: list[Ordered] = []
        while self._unnumbered and self._unnumbered[0][0] <= self._numbered_out:
            out.append(self._unnumbered.popleft()[1])
        return out


# -- the same number again -------------------------------------------------------------------------------

_WHO = ("role", "speaker", "replica_id", "face_id", "persona_id", "pal_id")


def _again(event: Event, before: Any) -> Duplicate | Twin:
    """``event`` has the number of the message ``before``."""
    message = event.message
    if same(before, message):
        return Duplicate(event, True)
    first = decode(before)
    alike = first.kind.family == event.kind.family and first.role == event.role
    alike = alike and event.kind.family not in ("unknown", "foreign")
    return Twin(event) if alike and same(_content(first), _content(event)) else Duplicate(event, False)


def _content(event: Event) -> list[Any]:
    """The content twins share: everything except who is named and when it was created."""
    fields = {**event.hoisted, **event.properties}
    whom = next((fields[name] for name in _WHO[2:] if name in fields), None)
    left = {name: value for name, value in fields.items() if name not in _WHO}
    for name in ("event_type", "message_type", "timestamp", "properties"):
        left.pop(name, None)
    return [left, whom, event.turn_idx, event.inference_id]
