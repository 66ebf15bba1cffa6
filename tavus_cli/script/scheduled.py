"""``/when``: a command sent once, at a moment after an event, while everything else continues."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tavus_cli.errors import ConsoleError, UsageError
from tavus_cli.language.commands import AudioEcho
from tavus_cli.language.patterns import TooSlow
from tavus_cli.protocol.entries import Entry, EventEntry
from tavus_cli.protocol.interactions import Interaction
from tavus_cli.rooms.room import Room, VirtualTime
from tavus_cli.script.model import Line, Quit, When
from tavus_cli.script.names import Kept, Names
from tavus_cli.script.statements import command, statement
from tavus_cli.session.session import Session

MOST_WAITING = 100  # each of them checks every event, before anything else happens


@dataclass(slots=True, eq=False)
class Placed:
    """A /when. ``fired`` is set once its command was sent; ``error`` is why that failed.

    ``names`` are as they were at its line, which has this ``number`` in the script and was reached ``at``
    that time of the room; ``text`` is what was typed at the prompt.
    """

    when: When
    names: Names
    number: int = 0
    text: str = ""
    at: float = 0.0
    fired: bool = False
    error: ConsoleError | None = None


def placed(text: str) -> Placed:
    """A Placed from the text after ``/when`` at the prompt, without names. Raises LineError."""
    when = statement(Line(1, 1, f"/when {text}"), Names())
    assert isinstance(when, When)
    return Placed(when, Names(checking=False), text=text)


class Scheduler:
    """A sink of ``session`` that sends the command of each /when at its moment.

    Errors of ``send`` go to ``failed`` and into the ``Placed``. ``sent_at`` is when the last other message
    was sent, in the room's time: ``$NAME.after`` counts from there.
    """

    def __init__(
        self,
        session: Session,
        send: Callable[[Interaction | AudioEcho], Awaitable[object]],
        sent_at: Callable[[], float],
        failed: Callable[[ConsoleError], None] | None = None,
    ) -> None:
        self._room = session.room
        self._send = send
        self._sent_at = sent_at
        self._failed = failed
        self._armed: list[Placed] = []
        self._firing: set[asyncio.Task[None]] = set()
        session.sinks.append(self)

    def place(self, placed: Placed) -> None:
        """Watch for its event from now on. Raises UsageError if too many are waiting."""
        if len(self._armed) >= MOST_WAITING:
            raise UsageError(f"too many /when wait for their events: at most {MOST_WAITING}")
        self._armed.append(placed)

    @property
    def waiting(self) -> list[Placed]:
        """Those whose event has not arrived, in the order in which they were placed."""
        return list(self._armed)

    def cancel(self, placed: Placed) -> None:
        self._armed = [one for one in self._armed if one is not placed]

    async def finish(self) -> None:
        """Wait until the commands of all events that arrived were sent, and cancel the others."""
        self._armed.clear()
        while self._firing:
            await asyncio.wait(self._firing)

    def entries(self, entries: list[Entry]) -> None:
        for entry in entries if self._armed else ():
            if isinstance(entry, EventEntry):
                for one in [one for one in self._armed if self._fits(one, entry)]:
                    self._armed.remove(one)
                    task = asyncio.create_task(self._fire(one, entry))
                    self._firing.add(task)
                    task.add_done_callback(self._firing.discard)

    async def drain(self) -> None:
        pass

    def _fits(self, placed: Placed, entry: EventEntry) -> bool:
        """Fail a /when whose condition cannot be checked; it stops waiting."""
        try:
            return placed.when.event.fits(entry)
        except TooSlow as error:
            placed.error = error
            self._armed = [one for one in self._armed if one is not placed]
            if self._failed is not None:
                self._failed(error)
            return False

    async def _fire(self, placed: Placed, entry: EventEntry) -> None:
        when = placed.when
        await _until(entry.at + when.after, self._room)
        try:
            if when.event.name:
                placed.names.keep(when.event.name, Kept(entry, entry.at - self._sent_at()))
            said = command(when.command, placed.names)
            assert not isinstance(said, Quit)
            await self._send(said.action)
            placed.fired = True
        except ConsoleError as error:
            placed.error = error
            if self._failed is not None:
                self._failed(error)


async def _until(at: float, room: Room) -> None:
    if room.live:
        if (delay := at - room.now()) > 0:
            await asyncio.sleep(delay)
    else:
        assert isinstance(room, VirtualTime)
        await room.alarm(at)
