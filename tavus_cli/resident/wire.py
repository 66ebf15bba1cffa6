"""The protocol of a resident session's socket: JSON objects, one a line, both ways.

docs/architecture.md lists the objects. ``encode`` and ``Lines`` are the framing; the rest turns arrivals,
snapshots and errors into objects and back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from tavus_cli import errors
from tavus_cli.errors import ConsoleError
from tavus_cli.protocol.snapshot import Snapshot
from tavus_cli.protocol.wire import from_json, to_json
from tavus_cli.rooms.room import (
    Arrival,
    LineChanged,
    Participant,
    ParticipantChanged,
    Past,
    Received,
    RoomNote,
    RoomOver,
)

if TYPE_CHECKING:
    from tavus_cli.views.table import RunRow

PROTOCOL = 1  # sent first by a session; docs/architecture.md lists the objects of this version
CHUNK = 1 << 18  # bytes read or written at a time
FROM_CLIENT = 1 << 20  # bytes of a line at most; Tavus accepts messages of 4,096
FROM_SERVER = 64 << 20
CALLS_BYTES = 1 << 20  # bytes of open tool calls in a snapshot, and of the calls that a session answers
Json = dict[str, Any]


def encode(value: Json) -> bytes:
    """The object as a line."""
    return (to_json(value) + "\n").encode("utf-8", "surrogatepass")


def too_long(limit: int) -> ValueError:
    return ValueError(f"a line of more than {limit:,} bytes")


class Lines:
    """Turns bytes into objects as they are read. ``limit`` is in bytes of one line."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[Json]:
        """The objects of the lines that are complete now. Raises ValueError for a line without an object."""
        first, *others = data.split(b"\n")
        self._keep(first)
        if not others:
            return []
        *whole, last = others
        lines = [b"".join(self._rest), *whole]
        self._rest, self._size = [], 0
        self._keep(last)
        return [self._decode(line) for line in lines]

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._limit:
            raise too_long(self._limit)
        self._rest.append(part)

    def _decode(self, line: bytes) -> Json:
        if len(line) > self._limit:
            raise too_long(self._limit)
        try:
            value = from_json(line.decode("utf-8", "surrogatepass"))
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise ValueError("a line that is not a JSON object")
        return value


# -- arrivals ----------------------------------------------------------------------------------------------


def arrival_json(arrival: Arrival) -> Json | None:
    """An arrival as an object; None for arrivals that clients do not need."""
    match arrival:
        case Received(message, at, sender, _, direction):
            return {direction: message, "at": at, "from": sender}
        case ParticipantChanged(participant, change, at):
            return {"participant": participant_json(participant), "change": change, "at": at}
        case RoomNote(text, at, warning):
            return {"note": text, "at": at, "warning": warning}
        case LineChanged(up, text, at):
            return {"line": "up" if up else "down", "text": text, "at": at}
        case RoomOver(reason, at, cut_off):
            return {"over": reason, "at": at, "cut_off": cut_off}
    return None


def arrival_of(value: Json) -> Arrival | None:
    """The arrival that an object describes; None for other objects. Raises KeyError or TypeError."""
    at = value.get("at")
    if "in" in value:
        return Received(value["in"], at, value["from"])
    if "out" in value:
        return Received(value["out"], at, direction="out")
    if "past" in value:
        return Past(tuple(one for one in map(arrival_of, value["past"]) if one is not None))
    if "snapshot" in value:
        return snapshot_of(value["snapshot"])
    if "participant" in value:
        return ParticipantChanged(Participant(**value["participant"]), value["change"], at)
    if "note" in value:
        return RoomNote(value["note"], at, value["warning"])
    if "missed" in value:
        return RoomNote(
            f"{value['missed']:,} messages were missed here: they arrived faster than they were read", at
        )
    if "line" in value:
        return LineChanged(value["line"] == "up", value["text"], at)
    if "over" in value:
        return RoomOver(value["over"], at, value.get("cut_off", False))
    return None


def participant_json(one: Participant) -> Json:
    return one._asdict()


def snapshot_json(snapshot: Snapshot) -> Json:
    """A snapshot as an object, with as many of the latest open calls as fit into CALLS_BYTES."""
    calls: list[Json] = []
    size = 0
    for message, at in reversed(snapshot.calls):
        size += len(to_json(message))
        if size > CALLS_BYTES:
            break
        calls.insert(0, {"message": message, "at": at})
    return snapshot._asdict() | {"calls": calls}


def snapshot_of(value: Json) -> Snapshot:
    turn, calls = value["turn"], value["calls"]
    return Snapshot(
        None if turn is None else (turn[0], turn[1]),
        value["seq"],
        value["said"],
        value["pal_present"],
        tuple(value["speaking"]),
        tuple((call["message"], call["at"]) for call in calls),
    )


# -- tool calls that are answered --------------------------------------------------------------------------


NO_TOOLS = "no tools run here: /retry needs --tool or --tools of session start"


class Calls(Protocol):
    """An answerer of tool calls: ``tools.Bridge``, or the room of a session whose process has one."""

    async def retry(self, call_id: str) -> None:
        """Run a call again after it failed or was not answered. Raises ConsoleError."""

    async def rows(self) -> Sequence[RunRow]:
        """A row for each known call, oldest first. Raises ConsoleError."""


def rows_json(rows: Sequence[RunRow]) -> list[Json]:
    """As many of the latest rows as fit into CALLS_BYTES; names in them are remote text of any length."""
    kept: list[Json] = []
    size = 0
    for row in reversed(rows):
        value = row._asdict()
        size += len(to_json(value))
        if size > CALLS_BYTES:
            break
        kept.append(value)
    return kept[::-1]


def rows_of(values: list[Json]) -> list[RunRow]:
    """Raises TypeError."""
    from tavus_cli.views.table import RunRow

    return [RunRow(**value) for value in values]


# -- errors ------------------------------------------------------------------------------------------------


def error_json(error: ConsoleError) -> Json:
    return {"reason": error.reason, "message": str(error), "exit_status": int(error.status)}


def error_of(value: Json) -> ConsoleError:
    """An error from the other side of the socket, as the same class as there."""
    reason, message = value.get("reason"), str(value.get("message", ""))
    kinds = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, ConsoleError)]
    kind = next((one for one in kinds if one.reason == reason), ConsoleError)
    return kind(message)
