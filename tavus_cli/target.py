"""What a command acts on: from the word a person typed to a room."""

from __future__ import annotations

import os
from typing import NamedTuple

from tavus_cli.errors import UsageError
from tavus_cli.protocol.wire import is_conversation_id
from tavus_cli.resident import sockets as runtime
from tavus_cli.rooms.room import Room

_FORMS = "a room's URL (https://NAME.daily.co/ROOM), a conversation id, or sim"


class RoomOptions(NamedTuple):
    """How to join. ``join_timeout`` in seconds; ``daily_proxy`` is a URL that leads to Daily.

    ``conversation_id`` where it is not the room's name, as on somebody's own Daily domain.
    """

    name: str = "tavus-console"
    join_timeout: float = 45.0
    daily_proxy: str | None = None
    conversation_id: str | None = None


def open_room(target: str | None, options: RoomOptions, *, resident: bool = True) -> Room:
    """The room of a TARGET, not joined yet: the ``resident`` session for it, where there is one.

    Raises UsageError that says what to give.
    """
    if resident and runtime.sockets():
        from tavus_cli.resident.room import find

        if (room := find(target, options.conversation_id, options.join_timeout)) is not None:
            return room
    if not target:
        raise UsageError(f"no TARGET: give {_FORMS}, or set TAVUS_CONVERSATION")
    if target == "sim" or target.startswith("sim:"):
        if options.conversation_id is not None:
            raise UsageError("--conversation-id is for a room's URL: the simulation has one of its own")
        from tavus_cli.rooms.sim.room import open_simulated

        return open_simulated(target)
    if is_conversation_id(target):
        target = f"https://tavus.daily.co/{target}"  # a room is named as its conversation
    if "://" in target:
        from tavus_cli.rooms.daily.room import DailyRoom

        return DailyRoom(
            target,
            name=options.name,
            join_timeout=options.join_timeout,
            proxy=options.daily_proxy,
            conversation_id=options.conversation_id,
        )
    if os.path.exists(target):
        raise UsageError(f"{target} is a file: tavus-console replay {target} shows a recording")
    shown, query, _ = target.partition("?")  # it may be a URL without https://, with a token behind
    raise UsageError(f'"{shown}{query and "?…"}" is no TARGET: give {_FORMS}')
