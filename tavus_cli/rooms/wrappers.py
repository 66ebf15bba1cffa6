"""Messages wrapped by a log, or inside containers (docs/protocol.md, section 11).

Pure: JSON values in, messages with their times out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from tavus_cli.protocol.wire import iso_time

_INSIDE = ("data", "event", "message", "payload", "body", "detail")
_TIMES = ("at", "time", "ts", "timestamp", "received_at", "receivedAt", "created_at", "createdAt", "date")
_SENDERS = ("fromId", "from", "sender")
_BETWEEN = re.compile(r"[\s,\[\]]*")
_MILLISECONDS = 1e11  # a larger number of seconds would be in the year 5138


class Logged(NamedTuple):
    """A message found in a log; ``at`` in Unix seconds, None if unknown."""

    message: Any
    at: float | None
    sender: str | None = None
    direction: Literal["in", "out"] = "in"


def unwrapped(value: Any) -> Logged | None:
    """A wrapped message, or a bare one with an ISO time; None for any other value: it is a bare message."""
    if not isinstance(value, dict):
        return None
    if "event_type" in value:
        at = iso_time(value.get("timestamp"))
        return None if at is None else Logged(value, at)
    for name in _INSIDE:
        inner = _message(value.get(name))
        if inner is not None:
            at = next((at for key in _TIMES if (at := unix(value.get(key))) is not None), None)
            if at is None:
                at = unix(inner.get("timestamp"))
            sender = next((one for key in _SENDERS if isinstance(one := value.get(key), str)), None)
            words = f"{value.get('kind', '')} {value.get('direction', '')} {value.get('dir', '')}".lower()
            sent = any(word in words for word in ("sent", "out", "send"))
            return Logged(inner, at, sender, "out" if sent else "in")
    return None


def unix(value: Any) -> float | None:
    """Unix seconds from seconds, milliseconds or ISO 8601; None for anything else."""
    if type(value) in (int, float):
        seconds = value / 1000 if value > _MILLISECONDS else value
        return float(seconds) if 1e8 < seconds < _MILLISECONDS else None
    return iso_time(value)


def values_in(text: str) -> Iterator[Any]:
    """The objects in a text of JSON values; arrays and ``conversation get --verbose`` are opened.

    Raises ValueError at other text or an early end, after yielding the objects before it.
    """
    decode = json.JSONDecoder().raw_decode
    place = 0
    while True:
        found = _BETWEEN.match(text, place)
        place = found.end() if found else place
        if place >= len(text):
            return
        if text[place] != "{":
            raise ValueError("not JSON")
        value, place = decode(text, place)
        yield from events_of(value)


def events_of(value: dict[str, Any]) -> list[Any]:
    """The events in the output of ``get --verbose``; for any other value, the value itself."""
    events = value.get("events")
    if isinstance(events, list) and "event_type" not in value and "recording" not in value:
        conversation_id = value.get("conversation_id")
        named = {"conversation_id": conversation_id} if isinstance(conversation_id, str) else {}
        return [{**named, **one} if isinstance(one, dict) else one for one in events]
    return [value]


def _message(inner: Any) -> dict[str, Any] | None:
    """A Tavus message, or the JSON text of one."""
    if isinstance(inner, str) and inner.lstrip().startswith("{"):
        try:
            inner = json.loads(inner)
        except (ValueError, RecursionError):
            return None
    return inner if isinstance(inner, dict) and isinstance(inner.get("event_type"), str) else None
