"""What goes out, and what leaving after it may cause."""

from __future__ import annotations

from tavus_cli.rooms.room import Room
from tavus_cli.session.environment import Environment


def warn_of_leaving(room: Room, environment: Environment) -> None:
    guests = any(not one.local and not one.pal for one in room.participants.values())
    if room.leaving_may_end and not guests:
        environment.warn("warning: leaving as the last guest may end the conversation (see session start)")
