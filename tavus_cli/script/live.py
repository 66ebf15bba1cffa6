"""The stage of a script in a joined room: a live one, the simulation, or a resident session."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tavus_cli.language.commands import AudioEcho
from tavus_cli.protocol.entries import Entry, EventEntry
from tavus_cli.protocol.interactions import Interaction
from tavus_cli.rooms.room import VirtualTime
from tavus_cli.script.conditions import REPLY
from tavus_cli.script.runner import Checked
from tavus_cli.script.scheduled import Placed, Scheduler
from tavus_cli.script.window import Expectation, Window
from tavus_cli.session.sending import deliver, prepare
from tavus_cli.session.session import Session
from tavus_cli.session.turns import Turns

GRACE = 1.3  # seconds after a deadline for events that arrived before it and are still held


class LiveStage:
    """A ``runner.Stage``, and a sink of ``session``: make it before the session is entered.

    All times are the room's, and are those of arrival, not of checking.
    """

    def __init__(self, session: Session, timeout: float, warn: Callable[[str], None]) -> None:
        self.replies: list[tuple[int, float]] = []
        self._session = session
        self._timeout = timeout
        self._warn = warn
        self.everything = Window(session.conversation, session.room.now(), sent=False)
        self._sent = self.everything  # since the last message was sent
        self._waited: Window | None = None
        self._placed: list[Placed] = []
        self._waiting: asyncio.Future[None] | None = None
        self._over: asyncio.Task[bool] | None = None
        session.sinks.append(self)
        self.turns = Turns(session.room)
        self._scheduler = Scheduler(
            session, lambda action: deliver(session, action, warn), lambda: self._sent.at
        )

    def now(self) -> float:
        return self._session.room.now()

    async def send(self, action: Interaction | AudioEcho) -> None:
        session = self._session
        prepared = prepare(action, session.room, self._warn)
        interaction = prepared if isinstance(prepared, Interaction) else None
        self._sent = Window(session.conversation, self.now(), interaction, sent=True)
        await deliver(session, prepared)

    async def pause(self, seconds: float) -> None:
        until = self.now() + seconds
        while self.now() < until and not self._session.finished.is_set():
            await self._wait(until)
        if self._session.cut_off:
            raise self._session.end_error()

    async def expect(self, what: Expectation) -> Checked:
        session = self._session
        window = self._looked_at(what)
        deadline = self.now() + (0.0 if what.none else self._timeout)
        if what.within is not None:
            deadline = window.at + what.within
        start, entry = 0, None
        try:
            while True:
                held = session.conversation.wake_at() is not None
                overdue, ended = self.now() >= deadline, session.finished.is_set()
                last = ended or (overdue and (not held or self.now() >= deadline + GRACE))
                if last or not window.in_doubt:
                    end = window.size(what)
                    entry = await self._found(window, what, start)
                    start = end
                if entry is not None or last:
                    break
                await self._wait(deadline + GRACE if overdue else deadline)
        finally:
            self._waited = None
        if session.finished.is_set():
            return Checked(entry, window, session.ending, session.cut_off)
        until = float("inf") if what.within is None else window.at + what.within
        trouble = session.trouble.removeprefix("; ")
        return Checked(entry, window, trouble or None, session.down is not None, until=until)

    async def _found(self, window: Window, what: Expectation, start: int) -> EventEntry | None:
        for entry in window.looked_at(what, start):
            if entry is not None:
                return entry
            await self.turns.give()
        return None

    async def place(self, placed: Placed) -> None:
        self._scheduler.place(placed)
        self._placed.append(placed)

    async def finish(self) -> list[Placed]:
        await self._scheduler.finish()
        if self._over is not None:
            self._over.cancel()
        return self._placed

    # -- a sink ----------------------------------------------------------------------------------------

    def entries(self, entries: list[Entry]) -> None:
        for entry in entries:
            for window in (self.everything, self._sent, self._waited):
                if window is not None and not (
                    window is self._sent is self.everything and window.entries[-1:] == [entry]
                ):
                    window.add(entry)
            if isinstance(entry, EventEntry) and entry.reply is not None and entry.turn is not None:
                self.replies.append((entry.turn.idx, entry.reply))
        self._wake()

    async def drain(self) -> None:
        """If an event is held, virtual time has to stop at the end of its hold."""
        if not self._session.room.live and self._session.conversation.wake_at() is not None:
            self._wake()

    # -- waiting ---------------------------------------------------------------------------------------

    async def _wait(self, until: float) -> None:
        """Wait until something arrives, the room ends, or the room's time reaches a limit."""
        if self._over is None:
            self._over = asyncio.create_task(self._session.finished.wait())
            self._over.add_done_callback(lambda _: self._wake())
        loop = asyncio.get_running_loop()
        waiting = self._waiting = loop.create_future()
        room = self._session.room
        timer: asyncio.TimerHandle | asyncio.Future[None]
        if room.live:
            timer = loop.call_later(max(0.0, until - room.now()), self._wake)
        else:
            assert isinstance(room, VirtualTime)
            held = self._session.conversation.wake_at()
            timer = room.alarm(until if held is None else min(until, held))
            timer.add_done_callback(lambda _: _finish(waiting))
        try:
            await waiting
        finally:
            self._waiting = None
            timer.cancel()
        if not room.live:  # its timers run in real time
            self._session.tick()

    def _wake(self) -> None:
        if self._waiting is not None:
            _finish(self._waiting)

    # -- windows ---------------------------------------------------------------------------------------

    def _looked_at(self, what: Expectation) -> Window:
        if what.event == REPLY:
            return self._sent
        if what.waits:
            self._waited = Window(self._session.conversation, self.now(), sent=False)
            return self._waited
        return self.everything if what.from_start else self._sent


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
