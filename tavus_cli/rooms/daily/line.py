"""The line to a Daily room, as the client's events show it: up or down, and what a break may lose. Pure.

The client reconnects by itself for 25 s. It confirms messages before they arrive, so those sent just before a
break may be lost; and no event reports who left during one (docs/daily.md). Times are Unix seconds.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import Any

from tavus_cli.rooms.daily.errors import gave_up, network_change, over_reason
from tavus_cli.rooms.room import LineChanged, RoomNote, RoomOver

LINE = "signalling"  # the connection that carries messages
JUST_BEFORE = 1.0  # seconds before a break: messages sent in them may not have arrived
UNNOTICED = 15.0  # seconds for which a silent server may go unnoticed (measured: 10)
RELATED = 5.0  # seconds: an error this shortly before the client leaves explains it
HEARTBEATS = 10.0  # seconds: a PAL heard this shortly before a break is heard this soon after it
_KEPT = 20


class Line:
    """``down``: when the connection broke, or None."""

    def __init__(self) -> None:
        self.down: float | None = None
        self._others: set[str] = set()
        self._heard = 0.0
        self._sent: deque[tuple[float, str]] = deque(maxlen=_KEPT)

    def heard(self, at: float) -> None:
        """Note that something arrived from the room."""
        self._heard = at

    def sent(self, what: str, at: float) -> None:
        """Note that the client accepted a message; ``what`` names it."""
        self._sent.append((at, what))

    def changed(self, status: Any, at: float) -> LineChanged | RoomNote | None:
        """Take a network event of the client: what to report, or None if nothing changed."""
        change = network_change(status)
        if change is None:
            return None
        connection, interrupted = change
        if connection != LINE:
            return self._other(connection, interrupted, at)
        if interrupted == (self.down is not None):
            return None  # the very first connection
        if interrupted:
            self.down = at
            return LineChanged(False, "the connection to the room is interrupted" + self._doubts(at), at)
        assert self.down is not None
        seconds, self.down = at - self.down, None
        return LineChanged(True, f"the connection to the room is back after {seconds:.1f} s", at)

    def ended(self, last_error: str, at: float) -> RoomOver:
        """Why the client left by itself: the line did not come back, or the call ended."""
        if self.down is not None:
            lost = f"the connection to the room was lost {at - self.down:.0f} s ago and did not come back"
            return RoomOver(lost, at, cut_off=True)
        if gave_up(last_error):
            return RoomOver(f"Daily's client gave up ({last_error})", at, cut_off=True)
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
        """Names of messages sent just before the break, or since the last arrival."""
        since = min(at - JUST_BEFORE, max(self._heard, at - UNNOTICED))
        doubtful = [what for when, what in list(self._sent) if when >= since]
        self._sent.clear()
        if not doubtful:
            return ""
        names = [f"{count} × {what}" if count > 1 else what for what, count in Counter(doubtful).items()]
        return f"; sent just before, it may not have arrived: {', '.join(names)}"
