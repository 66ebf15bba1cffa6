"""What came before this side joined a resident session, as entries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tavus_cli.protocol.conversation import Conversation
from tavus_cli.protocol.entries import Entry, GapEntry
from tavus_cli.rooms.room import LineChanged, Received, RoomNote


def entries_of(arrivals: Iterable[Any], core: Conversation, now: float) -> list[Entry]:
    """The entries of ``Past.arrivals``, without gaps: missing ones were not kept, or already reported."""
    entries: list[Entry] = []
    for one in arrivals:
        match one:
            case Received(message, at, sender, raw, "in"):
                entries += core.receive(message, at, sender, raw)
            case Received(message, at):
                entries += core.sent(message, at or now)
            case RoomNote(text, at) | LineChanged(_, text, at):
                entries += core.note(text, at)
    entries += core.caught_up()
    return [one for one in entries if type(one) is not GapEntry]
