"""The only asyncio wiring: from a room's arrivals through the core to the sinks, and back."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast, get_args

from tavus_cli.errors import CannotJoin, ConversationOver, CutOff, NotMet, SendFailed
from tavus_cli.protocol.interactions import Interaction
from tavus_cli.protocol.snapshot import Snapshot
from tavus_cli.rooms.room import (
    BATCH,
    Arrival,
    Idle,
    LineChanged,
    ParticipantChanged,
    Past,
    Received,
    Room,
    RoomNote,
    RoomOver,
    Undecoded,
)
from tavus_cli.views.safe import safe

if TYPE_CHECKING:
    from tavus_cli.protocol.conversation import Conversation
    from tavus_cli.protocol.entries import Entry
    from tavus_cli.protocol.events import Event
    from tavus_cli.session.environment import Environment
    from tavus_cli.session.recorder import Recorder
    from tavus_cli.session.sinks import HoldingSink, PastSink, Sink

CLOSE_SECONDS = 5.0  # seconds for the arrivals to end after leaving
END_SECONDS = 0.25  # seconds for the end of a room to be reported after sending has failed
SENDING_SECONDS = 1.0  # seconds arrivals wait for a send in progress, so that its echo does not precede it
_UNDECODED = frozenset(get_args(Undecoded))  # ``Event`` is not named: its import would delay the join


class Session:
    """``async with Session(room)`` joins and leaves the room; entries go to ``sinks`` from the start.

    Add sinks before entering: messages can arrive before the join is done. ``environment`` prints what the
    session waits for, and a warning about leaving; None: nothing is printed. At most ``at_once`` arrivals
    are handled before keys and timers get their turn. Without ``watched`` nothing becomes an entry, and only
    ``send`` and ``pal_ready`` can be used.
    """

    def __init__(
        self,
        room: Room,
        *,
        hold: float | None = None,
        recorder: Recorder | None = None,
        at_once: int = BATCH,
        watched: bool = True,
        environment: Environment | None = None,
    ) -> None:
        self.room = room
        self.sinks: list[Sink] = []
        self.over: str | None = None  # why the room ended without our leaving
        self.cut_off = False  # whether the conversation may continue without us
        self.down: str | None = None  # the note about the connection to the room, while it is down
        self.ended = asyncio.Event()  # nothing more arrives
        self.finished = asyncio.Event()  # no more waiting: ended, or shut down by the PAL
        self._pal_left: float | None = None
        self._broke: tuple[str, float] | None = None  # the last break since a sending: its note, and when
        self._hold = hold
        self._recorder = recorder
        self._at_once = at_once
        self._watched = watched
        self._environment = environment
        self._sending: set[asyncio.Future[None]] = set()
        self._waiters: list[Callable[[list[Entry]], None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._pump: asyncio.Task[None] | None = None
        self._news = asyncio.Event()  # the core has received something
        self._idle = asyncio.Event()  # a room without real time waits for us: every wait times out

    @functools.cached_property
    def conversation(self) -> Conversation:
        """The core, imported with the first event, so that joining does not wait for the import."""
        if not self._watched:
            from .presence import Presence

            return cast("Conversation", Presence())
        from tavus_cli.protocol.conversation import Conversation

        return Conversation(hold=self._hold, by_count=not self.room.timed)

    async def __aenter__(self) -> Self:
        self._progress(f"joining {safe(self.room.target)} …")
        self._pump = asyncio.create_task(self._take_arrivals())
        join = asyncio.create_task(self.room.join())
        try:
            await join
        except BaseException:  # a cancelled join too leaves the room
            join.cancel()
            await self._leave(in_order=False)
            if self._recorder is not None:
                self._recorder.discard_if_empty()
            raise
        self._progress("joined" if self.pal_present else "joined; the PAL is not there yet")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if (doubt := self.doubt_of_leaving()) is not None and self._environment is not None:
            self._environment.warn(doubt)
        await self._leave(in_order=kind is None)

    @property
    def ending(self) -> str:
        """The line that says what has ended, and why."""
        if self.cut_off:
            return f"cut off: {self.over}; the conversation may continue"
        if self.over is None and self.finished.is_set() and not self.ended.is_set():
            return f"the conversation is over: the PAL shut it down ({self.conversation.status.shutdown})"
        return f"the conversation is over: {self.over or 'the room was left'}"

    def end_error(self) -> CutOff | ConversationOver:
        """The end as an error: CutOff if only our connection ended, else ConversationOver."""
        return CutOff(self.ending) if self.cut_off else ConversationOver(self.ending)

    @property
    def trouble(self) -> str:
        """A possible reason why something does not arrive: "; the PAL left 3 s ago", or ""."""
        if self.down is not None:
            return f"; {self.down}"
        if self._pal_left is not None and not self.pal_present:
            return f"; the PAL left {self.room.now() - self._pal_left:.0f} s ago"
        if self._broke is not None:
            text, at = self._broke
            return f"; {self.room.now() - at:.0f} s ago: {text}"
        return ""

    async def send(self, interaction: Interaction) -> dict[str, Any]:
        """Send, and return the message.

        Raises SendFailed; ConversationOver or CutOff once the room has ended.
        """
        if self.over is not None:
            raise type(self.end_error())(f"not sent: {self.ending}")
        message = interaction.encode(self.room.conversation_id)
        self._idle.clear()
        try:
            await self._send(interaction, message, self.room.now())
        except SendFailed as error:
            self._record_note(str(error))
            with contextlib.suppress(TimeoutError):  # if it failed because the room ended, report that
                async with asyncio.timeout(END_SECONDS):
                    await self.ended.wait()
            if self.over is not None:
                raise type(self.end_error())(str(error)) from None
            raise
        return message

    async def _send(self, interaction: Interaction, message: dict[str, Any], now: float) -> None:
        sending = asyncio.get_running_loop().create_future()
        self._sending.add(sending)
        self._broke = None
        try:
            await self.room.send(message)
            if self._recorder is not None:
                self._recorder.sent(message, now)
            self._emit(self.conversation.sent(message, now, interaction))
        finally:
            self._sending.discard(sending)
            sending.set_result(None)

    def note(self, text: str) -> None:
        """Add a note that is shown and recorded."""
        self._record_note(text)
        self._emit(self.conversation.note(text, self.room.now()))

    async def pal_ready(self, timeout: float) -> None:
        """Wait until the PAL is there, as a participant or by its events.

        Raises CannotJoin, ConversationOver, CutOff.
        """
        if self.pal_present:
            return
        self._progress(f"waiting for the PAL, at most {timeout:g} s …")
        await self._first(
            self._pal_comes(), timeout, CannotJoin(f"the PAL did not join within {timeout:g} s")
        )

    async def _pal_comes(self) -> None:
        while not self.pal_present:
            self._news.clear()
            await self._news.wait()

    @property
    def pal_present(self) -> bool:
        """Whether the PAL is in the room, as a participant or by its events."""
        return self.conversation.status.pal_present

    async def over_or_idle(self) -> None:
        """Wait until nothing more will arrive: the room has ended, or simulated time stands still."""
        waits = [asyncio.ensure_future(event.wait()) for event in (self.ended, self._idle)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def waiter(self, answer: Callable[[Entry], Any]) -> Callable[[float, str], Coroutine[Any, Any, Any]]:
        """``await waiter(answer)(timeout, what)``: the first result of ``answer`` that is not None. It checks
        entries from now on, even before it is awaited. Awaiting raises NotMet after ``timeout`` seconds, and
        ConversationOver or CutOff if the room ends first or the PAL shuts the conversation down. ``what``
        names the awaited thing in the error.
        """
        found: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def look(entries: list[Entry]) -> None:
            for entry in entries:
                if not found.done() and (result := answer(entry)) is not None:
                    found.set_result(result)

        async def wait(timeout: float, what: str) -> Any:
            late = NotMet(f"{what} did not arrive within {timeout:g} s")
            try:
                return await self._first(found, timeout, late)
            finally:
                self._waiters.remove(look)

        self._waiters.append(look)
        return wait

    # -- the flow ------------------------------------------------------------------------------------

    async def _take_arrivals(self) -> None:
        try:
            async for batch in self.room.arrivals():
                if self._sending:
                    await asyncio.wait(set(self._sending), timeout=SENDING_SECONDS)
                for start in range(0, len(batch), self._at_once):
                    if start:
                        await asyncio.sleep(0)
                    self._take(batch[start : start + self._at_once])
                    for sink in self.sinks:
                        await sink.drain()
        finally:
            try:
                self._emit(self.conversation.close())
                self._tick_sinks(float("inf"))
            finally:  # a sink may fail; then nothing may wait for an end that never comes
                self.ended.set()
                self.finished.set()

    def _take(self, arrivals: list[Arrival]) -> None:
        if self._recorder is None and _UNDECODED.isdisjoint(map(type, arrivals)):
            decoded = cast("list[Event]", arrivals)
            events = [event for event in decoded if event.direction == "in"]
            if len(events) == len(arrivals):
                self._emit(self.conversation.take(events))
                return
        entries: list[Entry] = []
        for arrival in arrivals:
            if type(arrival) in _UNDECODED and type(arrival) is not Received:
                entries += self._other(arrival)
            else:
                entries += self._received(cast("Received | Event", arrival))
        self._emit(entries)
        if self._idle.is_set():
            self._tick_sinks(float("inf"))

    def _received(self, arrival: Received | Event) -> list[Entry]:
        if arrival.direction == "out":
            return self.conversation.sent(arrival.message, arrival.at or self.room.now())
        if self._recorder is not None:
            self._recorder.received(
                arrival.message, arrival.at or self.room.now(), arrival.sender, arrival.raw
            )
        if type(arrival) is Received:
            return self.conversation.receive(arrival.message, arrival.at, arrival.sender, arrival.raw)
        return self.conversation.take([cast("Event", arrival)])

    def _other(self, arrival: Arrival) -> list[Entry]:
        match arrival:
            case Idle():
                self._idle.set()
                return self.conversation.tick(float("inf"))
            case Snapshot():
                self.conversation.resume(arrival)
            case Past(arrivals):
                self._show_past(arrivals)
            case RoomNote(text, at, warning):
                self._record_note(text)
                return self.conversation.note(text, at, warning=warning)
            case LineChanged(up, text, at):
                self.down = None if up else text
                if not up:
                    self._broke = (text, self.room.now() if at is None else at)
                self._record_note(text)
                return self.conversation.note(text, at)
            case RoomOver(reason, at, cut_off):
                self.over, self.cut_off = reason, cut_off
                self._record_note(self.ending)
                return self.conversation.tick(float("inf")) + self.conversation.note(self.ending, at)
            case ParticipantChanged(participant, change, at):
                self.conversation.participant_is(participant.id, participant.name)
                if not participant.local:
                    self._record_note(f"participant {change}: {participant.name or participant.id}")
                if participant.pal:
                    return self._pal_is(change != "left", at)
        return []

    def _show_past(self, arrivals: tuple[Any, ...]) -> None:
        """Pass it to the sinks that show it, but not to those that act on it or record it."""
        from tavus_cli.session.past import entries_of

        entries = entries_of(arrivals, self.conversation, self.room.now())
        for sink in self.sinks:
            if hasattr(sink, "past"):
                cast("PastSink", sink).past(entries)

    def _pal_is(self, present: bool, at: float | None) -> list[Entry]:
        """Show a line when the PAL leaves, and when it is back."""
        was, self._pal_left = self._pal_left, None if present else at or self.room.now()
        self.conversation.pal_is(present)
        if present:
            return self.conversation.note("the PAL is back", at) if was is not None else []
        return self.conversation.note("the PAL left", at) if was is None else []

    def _record_note(self, text: str) -> None:
        if self._recorder is not None:
            self._recorder.note(text, self.room.now())

    def _emit(self, entries: list[Entry]) -> None:
        self._news.set()
        if entries:
            for sink in self.sinks:
                sink.entries(entries)
            for look in list(self._waiters):
                look(entries)
            if self.conversation.status.shutdown is not None:
                self.finished.set()
        self._arm()

    def _arm(self) -> None:
        """Set the one timer for entries that the core or a sink holds back."""
        if not self.room.live:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        times = [sink.wake_at() for sink in self._holding()]
        times.append(self.conversation.wake_at())
        wake_at = min((at for at in times if at is not None), default=None)
        if wake_at is not None and not self.ended.is_set():
            delay = max(0.0, wake_at - self.room.now())
            self._timer = asyncio.get_running_loop().call_later(delay, self.tick)

    def tick(self) -> None:
        """Let out what was held long enough. In virtual time, whoever waits calls this."""
        now = self.room.now()
        self._tick_sinks(now)
        self._emit(self.conversation.tick(now))

    def _tick_sinks(self, now: float) -> None:
        for sink in self._holding():
            sink.tick(now)

    def _holding(self) -> list[HoldingSink]:
        return [cast("HoldingSink", sink) for sink in self.sinks if hasattr(sink, "wake_at")]

    def _progress(self, text: str) -> None:
        if self._environment is not None:
            self._environment.say(text)

    def doubt_of_leaving(self) -> str | None:
        """What to say before leaving, while the participants are known."""
        guests = any(not one.local and not one.pal for one in self.room.participants.values())
        if guests or self.over is not None or not self.room.leaving_may_end:
            return None
        return "warning: leaving as the last guest may end the conversation (see session start)"

    async def _leave(self, *, in_order: bool) -> None:
        """Leave. Bounded in time, except for the sinks, which are awaited if everything is ``in_order``."""
        try:
            await self.room.leave()
            if self._pump is not None:
                done, _ = await asyncio.wait({self._pump}, timeout=CLOSE_SECONDS)
                if not done:
                    self._pump.cancel()
                    await asyncio.wait({self._pump})
            for sink in self.sinks if in_order else ():
                await sink.drain()
        finally:
            if self._timer is not None:
                self._timer.cancel()
            if self._recorder is not None:
                self._recorder.close()
        if self._pump is not None and not self._pump.cancelled() and (error := self._pump.exception()):
            raise error

    async def _first(self, wanted: Awaitable[Any], timeout: float, late: NotMet | CannotJoin) -> Any:
        """Wait for ``wanted``, unless the room ends or the time is up before."""
        task = asyncio.ensure_future(wanted)
        ended = asyncio.ensure_future(self.finished.wait())
        idle = asyncio.ensure_future(self._idle.wait())
        try:
            await asyncio.wait({task, ended, idle}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            if ended.done():
                raise self.end_error()
            kind = type(late) if self.down is None else CutOff
            raise kind(f"{late}{self.trouble}")
        finally:
            for one in (task, ended, idle):
                one.cancel()
