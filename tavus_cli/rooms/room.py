"""The interface of a room, which is any source of a conversation.

Daily, the simulated PAL, a recording and a resident session are rooms; code above this folder does not
distinguish them. A room has five parts: ``join``, ``send``, ``leave``, ``arrivals`` and ``participants``.
"""

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeAlias, runtime_checkable

from tavus_cli.protocol.snapshot import Snapshot

if TYPE_CHECKING:  # joining does not wait for the import of msgspec
    from tavus_cli.protocol.events import Event

BATCH = 512  # arrivals in a batch, so that a burst never holds up the event loop for long


class Received(NamedTuple):
    """One message on the data channel.

    ``message`` is the JSON value as sent. ``at`` is when it arrived, in Unix seconds; None if unknown (a file
    of bare messages). ``raw`` is its JSON text if it was received as text, so that it can be written out
    unchanged. ``direction`` is "out" for messages this side sent, which only recordings hold.
    """

    message: Any
    at: float | None = None
    sender: str | None = None
    raw: str | None = None
    direction: Literal["in", "out"] = "in"


class Participant(NamedTuple):
    """A participant of the room. ``pal`` is whether the room considers it the PAL."""

    id: str
    name: str = ""
    user_id: str = ""
    local: bool = False
    pal: bool = False


class ParticipantChanged(NamedTuple):
    """A participant came, changed or left; ``participant`` is its current or last state."""

    participant: Participant
    change: Literal["joined", "updated", "left"]
    at: float | None = None


class RoomNote(NamedTuple):
    """A note about the room itself, such as a lost network or an overflow.

    With ``warning`` it is about a problem of the source (a cut recording), and goes to standard error.
    """

    text: str
    at: float | None = None
    warning: bool = False


class LineChanged(NamedTuple):
    """The connection to the room went down, or is back; ``text`` is the line to show.

    While it is down nothing arrives, and sending is refused.
    """

    up: bool
    text: str
    at: float | None = None


class RoomOver(NamedTuple):
    """The room has ended for us without our leaving; ``reason`` says why. It is the last arrival.

    With ``cut_off`` only our connection has ended; the room may continue for others.
    """

    reason: str
    at: float | None = None
    cut_off: bool = False


class Past(NamedTuple):
    """The latest arrivals of a resident session from before this side joined it; first, if at all."""

    arrivals: tuple[Any, ...]  # each an Arrival


class Idle:
    """Only from a room without real time: nothing more will arrive until this side acts."""

    def __repr__(self) -> str:
        return "Idle()"


# A Snapshot, which describes what happened before this client joined, comes only from a resident session:
# first, or after a Past.
Undecoded = Received | ParticipantChanged | RoomNote | LineChanged | RoomOver | Idle | Past | Snapshot
# An Event comes only from recordings: a Received already decoded.
Arrival: TypeAlias = "Undecoded | Event"


class Room(Protocol):
    """The interface. All coroutines run on one event loop.

    ``arrivals`` may be iterated once, starting before ``join``, because messages can arrive before that is
    done. It yields batches of at most ``BATCH`` in the order of arrival and ends when the room is over or
    left.

    ``live``: its time is wall-clock time, so holding an event for 250 ms means waiting for them.
    ``timed``: messages have arrival times; only those in a file of bare messages have none.
    ``leaving_may_end``: the conversation ends for good when its last guest leaves. A command that ends it
    itself sets this to False.
    ``via``: the resident session it is shared through, "" if it is joined directly.
    """

    target: str
    conversation_id: str
    live: bool
    timed: bool
    leaving_may_end: bool
    via: str

    def now(self) -> float:
        """The room's time in Unix seconds, the clock of ``Received.at``."""

    @property
    def participants(self) -> Mapping[str, Participant]: ...

    async def join(self) -> None:
        """Join the room. Raises CannotJoin, NotAuthorised or ConversationOver."""

    async def send(self, message: dict[str, Any]) -> None:
        """Send one interaction to everybody; returns once the room has accepted it. Raises SendFailed."""

    async def leave(self) -> None:
        """Leave. Bounded in time, safe to call twice or before ``join`` is done, never raises."""

    def arrivals(self) -> AsyncIterator[list[Arrival]]: ...


@runtime_checkable
class VirtualTime(Protocol):
    """A room that is not ``live``, and whose time can be awaited."""

    def alarm(self, at: float) -> asyncio.Future[None]:
        """A future, done once the room's time reaches ``at`` or the room ends. Cancel it to stop waiting."""

    def hold(self) -> None:
        """Stop the room's time, for work that takes real time, until ``release`` is called as often."""

    def release(self) -> None: ...


class Inbox:
    """Passes arrivals from any thread to the event loop: append, and arm at most one wakeup.

    The producer appends and then tests the flag; the consumer clears the flag and then drains. So a wakeup
    may be superfluous, but never lost. The size is bounded; a RoomNote says how many arrivals did not fit.
    The end of the room always fits.
    """

    def __init__(self, limit: int = 200_000) -> None:
        self._items: deque[Arrival] = deque()
        self._limit = limit
        self._lock = threading.Lock()
        self._armed = False
        self._closed = False
        self._dropped = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wakeup: asyncio.Event | None = None

    def open(self) -> None:
        """Bind to the running event loop; earlier arrivals are kept."""
        self._loop = asyncio.get_running_loop()
        self._wakeup = asyncio.Event()
        self._wakeup.set()

    def put(self, arrival: Arrival) -> None:
        """Called on any thread; never blocks and never raises."""
        with self._lock:
            if len(self._items) >= self._limit and type(arrival) is not RoomOver:
                self._dropped += 1
                return
            if self._dropped:
                self._items.append(self._overflow())
            self._items.append(arrival)
        self._wake()

    def close(self) -> None:
        """Accept no more arrivals; the consumer ends after those already there."""
        self._closed = True
        self._wake()

    async def batches(self) -> AsyncIterator[list[Arrival]]:
        if self._wakeup is None:
            self.open()
        assert self._wakeup is not None
        while True:
            await self._wakeup.wait()
            self._wakeup.clear()
            self._armed = False
            while batch := self._take():
                yield batch
                await asyncio.sleep(0)  # let keys, timers and signals run during a burst
            if self._closed and not self._items:
                return

    def _take(self) -> list[Arrival]:
        with self._lock:
            batch = [self._items.popleft() for _ in range(min(BATCH, len(self._items)))]
            if not self._items and self._dropped and len(batch) < BATCH:
                batch.append(self._overflow())
            return batch

    def _overflow(self) -> RoomNote:
        dropped, self._dropped = self._dropped, 0
        return RoomNote(f"{dropped} messages arrived faster than they could be processed and are not shown")

    def _wake(self) -> None:
        loop = self._loop
        if loop is None or self._armed:
            return
        self._armed = True
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is waiting
            loop.call_soon_threadsafe(self._set)

    def _set(self) -> None:
        assert self._wakeup is not None
        self._wakeup.set()


Clock = Callable[[], float]


_BOOT: int | None = getattr(time, "CLOCK_BOOTTIME", None)  # Linux


def _elapsed() -> float:
    """Monotonic seconds; if possible they include the time a machine was suspended."""
    return time.monotonic() if _BOOT is None else time.clock_gettime(_BOOT)


_BEGUN = time.time() - _elapsed()


def steady_time() -> float:
    """The clock of every room: the wall clock when the program started, plus monotonic seconds since.

    Setting the wall clock later changes neither the order of arrivals nor the length of waits.
    """
    return _BEGUN + _elapsed()
