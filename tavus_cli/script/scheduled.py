"""``/when`` at the prompt: a command that is sent at a moment, while the typing goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from tavus_cli.errors import ConsoleError, ConversationOver, NotMet
from tavus_cli.language.commands import AudioEcho
from tavus_cli.protocol.conversation import Entry, EventEntry
from tavus_cli.protocol.interactions import Interaction
from tavus_cli.rooms.room import VirtualTime
from tavus_cli.script.names import Kept, Names
from tavus_cli.script.statements import Line, Quit, When, command, statement
from tavus_cli.session.session import Session

EVER = 1e8  # seconds


async def placed(
    text: str,
    session: Session,
    obey: Callable[[Interaction | AudioEcho], Awaitable[bool]],
    wrong: Callable[[ConsoleError], None],
) -> None:
    """``text`` is what follows /when. Returns once it was sent, or never will be."""
    try:
        what = statement(Line(1, 1, f"/when {text}"), Names())
        assert isinstance(what, When)
        event = what.event

        def fits(entry: Entry) -> EventEntry | None:
            return entry if isinstance(entry, EventEntry) and event.fits(entry) else None

        begun = session.room.now()
        entry: EventEntry | None = None
        with suppress(NotMet, ConversationOver):  # nothing more comes: it was never due
            entry = await session.waiter(fits)(EVER, str(event))
        if entry is None:
            return
        await _until(entry.at + what.after, session)
        names = Names(checking=False)
        if event.name:
            names.keep(event.name, Kept(entry, entry.at - begun))
        said = command(what.command, names)
        assert not isinstance(said, Quit)
        await obey(said.action)
    except ConsoleError as error:
        wrong(error)


async def _until(at: float, session: Session) -> None:
    room = session.room
    if room.live:
        await asyncio.sleep(max(0.0, at - room.now()))
    elif isinstance(room, VirtualTime):
        await room.alarm(at)
