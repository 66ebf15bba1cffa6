"""The latest messages of a resident session, for clients that join it later (``--history``)."""

from __future__ import annotations

from collections import deque
from typing import Any

from tavus_cli.protocol.kinds import kind_of
from tavus_cli.rooms.room import Arrival, LineChanged, Received, RoomNote

KEPT = 2_000  # messages
KEPT_BYTES = 4 << 20


class Past:
    """Lines as they went to the clients. Heartbeats and streaming text before its end are not kept: they
    would leave no room for what makes rows.
    """

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque(maxlen=KEPT)
        self._bytes = 0

    def add(self, arrival: Arrival, line: bytes) -> None:
        """``line`` is the arrival as encoded JSON (``wire.arrival_json``)."""
        if not isinstance(arrival, RoomNote | LineChanged) and not (
            isinstance(arrival, Received) and _makes_a_row(arrival.message)
        ):
            return
        if len(self._lines) == KEPT:
            self._bytes -= len(self._lines.popleft())
        self._lines.append(line)
        self._bytes += len(line)
        while self._bytes > KEPT_BYTES:
            self._bytes -= len(self._lines.popleft())

    def line(self, most: int) -> bytes:
        """``{"past": […]}``: the latest of them, the oldest first."""
        latest = list(self._lines)[-most:] if most > 0 else []
        return b'{"past":[' + b",".join(line.rstrip() for line in latest) + b"]}\n"


def _makes_a_row(message: Any) -> bool:
    if not isinstance(message, dict):
        return True
    name = message.get("event_type")
    family = kind_of(name).family if isinstance(name, str) else ""
    if family == "partial":
        properties = message.get("properties")
        return isinstance(properties, dict) and properties.get("final") in (True, "true")
    return family != "present"
