"""The line to a Daily room, as the client's events show it: up or down, and what a break may have cost. Pure.

The client reconnects by itself for 25 s. Sending is confirmed before it has arrived, so what was sent just
before a break may be lost; and nothing says who left during one (docs/daily.md). Times are Unix seconds.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from tavus_cli.rooms.daily.errors import network_change, over_reason
from tavus_cli.rooms.room import LineChanged, RoomNote, RoomOver

LINE = "signalling"  # the connection that carries messages
JUST_BEFORE = 1.0  # seconds before a break in which nothing that was sent is sure to have arrived
UNNOTICED = 15.0  # for so long a silent server may go unnoticed (measured: 10 s)
HEARTBEATS = 10.0  # a PAL that was heard so shortly before a break is heard again so soon after it
_KEPT = 20


class Line:
    """``down``: since when the line is down, or None."""

    def __init__(self) -> None:
        self.down: float | None = None
        self._others: set[str] = set()
        self._heard = 0.0
        self._sent: deque[tuple[float, str]] = deque(maxlen=_KEPT)

    def heard(self, at: float) -> None:
        """Something came from the room."""
        self._heard = at

    def sent(self, what: str, at: float) -> None:
        """The client took a message; ``what`` names it."""
        self._sent.append((at, what))

    def changed(self, status: Any, at: float) -> LineChanged | RoomNote | None:
        """What the client tells of the network; None for what is not new."""
        change = network_change(status)
        if change is None:
            return None
        connection, interrupted = change
        if connection != LINE:
            return self._other(connection, interrupted, at)
        if interrupted == (self.down is not None):
            return None  # the first connection of all
        if interrupted:
            self.down = at
            return LineChanged(False, "the line to the room is interrupted" + self._doubts(at), at)
        assert self.down is not None
        seconds, self.down = at - self.down, None
        return LineChanged(True, f"the line to the room is back after {seconds:.1f} s", at)

    def ended(self, last_error: str, at: float) -> RoomOver:
        """The client has left by itself: because the line did not come back, or because the call ended."""
        if self.down is not None:
            lost = f"the line to the room was lost {at - self.down:.0f} s ago and did not come back"
            return RoomOver(lost, at, cut_off=True)
        return RoomOver(over_reason(last_error), at)

    def _other(self, connection: str, interrupted: bool, at: float) -> RoomNote | None:
        if interrupted == (connection in self._others):
            return None
        if interrupted:
            self._others.add(connection)
            return RoomNote(f"the {connection} connection is interrupted", at)
        self._others.discard(connection)
        return RoomNote(f"the {connection} connection is back", at)

    def _doubts(self, at: float) -> str:
        """What was sent just before, or since anything was heard at all."""
        since = min(at - JUST_BEFORE, max(self._heard, at - UNNOTICED))
        doubtful = [what for when, what in list(self._sent) if when >= since]
        self._sent.clear()
        if not doubtful:
            return ""
        return f"; sent just before, it may not have arrived: {', '.join(doubtful)}"
