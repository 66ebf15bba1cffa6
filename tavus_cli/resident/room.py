"""A resident session as a room: the socket of another process that is joined (``session start``).

JSON lines both ways. It speaks first: one line about itself, or an error. ``{"do": "join"}`` is answered by
what had been before, and starts the events; ``send`` sends, ``stop`` ends it.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

from tavus_cli import errors
from tavus_cli.errors import CannotJoin, ConsoleError, SendFailed, UsageError
from tavus_cli.protocol.wire import from_json, to_json
from tavus_cli.resident import sockets as runtime
from tavus_cli.rooms.room import (
    BATCH,
    Arrival,
    CameLate,
    Participant,
    ParticipantChanged,
    Received,
    RoomNote,
    RoomOver,
)

if TYPE_CHECKING:
    from tavus_cli.protocol.conversation import Before

ASKING = 2.0  # seconds for a session to say what it is
_CHUNK = 1 << 18
CALLS_BYTES = 1 << 20  # of open tool calls, told to one who comes late
_GONE = "the resident session is gone"
Json = dict[str, Any]


def find(
    target: str | None, conversation_id: str | None = None, timeout: float = 45.0
) -> ResidentRoom | None:
    """The session for a TARGET or of a name; without a target the only one there is. Raises UsageError."""
    if not runtime.supported() or not (sockets := runtime.sockets()):
        return None
    if not target:
        rooms = [room for path in sockets if (room := _open(path.stem, timeout)) is not None]
        if len(rooms) == 1:
            return rooms[0]
        for room in rooms:
            room.close()
        return None
    names = [target] if runtime.is_session_id(target) else []
    if target == "sim" or target.startswith("sim:") or "://" in target:
        names = [runtime.session_id(target, conversation_id)]
    for name in names:
        if (room := _open(name, timeout)) is not None:
            return room
    return None


def _open(name: str, timeout: float) -> ResidentRoom | None:
    path = runtime.path_of(name)
    connection = runtime.connect(path, timeout)
    if connection is None:
        return None
    try:
        return ResidentRoom(connection)
    except (OSError, ValueError):  # it ended just now
        connection.close()
        return None


def raised(told: Json) -> ConsoleError:
    """An error that came over the socket, as what it was there."""
    reason, message = told.get("reason"), str(told.get("message", ""))
    kinds = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, ConsoleError)]
    kind = next((one for one in kinds if one.reason == reason), ConsoleError)
    return kind(message)


class ResidentRoom:
    """A Room (``room.Room``) over a connection; ``about`` is what the session said of itself.

    Raises what kept the session from joining, OSError or ValueError where there is none.
    """

    live = True
    timed = True
    leaving_may_end = False

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._rest = b""
        hello = self._first_line()
        if "error" in hello:
            connection.close()
            raise raised(hello["error"])
        self.about: Json = hello["hello"]
        self.target: str = self.about["target"]
        self.via: str = self.about["id"]
        self.conversation_id: str = self.about["conversation_id"]
        self._participants: dict[str, Participant] = {}
        self._joined = asyncio.Event()
        self._informed = asyncio.Event()  # of what had been before; or that nothing more comes
        self._before: Before | None = None
        self._left = False
        self._sendings: dict[int, asyncio.Future[None]] = {}
        self._number = 0
        self._writing = asyncio.Lock()

    @property
    def participants(self) -> Mapping[str, Participant]:
        return self._participants

    def now(self) -> float:
        return time.time()

    async def join(self) -> None:
        """Returns once what had been before was taken: what is sent next must be told from it."""
        if self._left:
            raise CannotJoin("cannot join: the resident session was left")
        self._connection.setblocking(False)
        try:
            await self._write({"do": "join"})
        except OSError:
            raise CannotJoin(f"cannot join: {_GONE}") from None
        self._joined.set()
        await self._informed.wait()
        if self._before is None:
            raise CannotJoin(f"cannot join: {_GONE}")

    async def send(self, message: Json) -> None:
        if self._left or not self._joined.is_set():
            raise SendFailed("not sent: the resident session is not joined")
        self._number += 1
        number = self._number
        done = self._sendings[number] = asyncio.get_running_loop().create_future()
        try:
            await self._write({"do": "send", "number": number, "message": message})
            await done
        except OSError:
            raise SendFailed(f"not sent: {_GONE}") from None
        finally:
            self._sendings.pop(number, None)

    def stop(self, timeout: float) -> bool:
        """End the session for all; instead of joining. Blocks; whether it has left its room."""
        with self._connection:
            self._connection.settimeout(timeout)
            try:
                self._connection.sendall(b'{"do": "stop"}\n')
                while self._connection.recv(_CHUNK):
                    pass
            except TimeoutError:
                return False
            except OSError:  # it was about to end anyway
                pass
        return True

    async def leave(self) -> None:
        self._left = True
        self._joined.set()
        self._informed.set()
        self._forget("the resident session was left")
        try:
            self._connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            self.close()

    def close(self) -> None:
        self._connection.close()

    async def arrivals(self) -> AsyncIterator[list[Arrival]]:
        await self._joined.wait()
        try:
            async for lines in self._lines():
                batch = [one for line in lines if (one := self._arrival(line)) is not None]
                if self._before is not None:  # join hears of it a step later: then the batch was taken
                    self._informed.set()
                for start in range(0, len(batch), BATCH):
                    yield batch[start : start + BATCH]
                if batch and isinstance(batch[-1], RoomOver):
                    return
            if not self._left:
                yield [RoomOver(_GONE, self.now(), cut_off=True)]
        finally:
            self._informed.set()
            self._forget(_GONE)
            self.close()

    # -- lines -----------------------------------------------------------------------------------------

    def _first_line(self) -> Json:
        while b"\n" not in self._rest:
            data = self._connection.recv(_CHUNK)
            if not data:
                raise ValueError("nobody there")
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        told = from_json(line.decode())
        if not isinstance(told, dict):
            raise ValueError("no session")
        return told

    async def _lines(self) -> AsyncIterator[list[bytes]]:
        loop, rest = asyncio.get_running_loop(), [self._rest]
        while not self._left:
            try:
                data = await loop.sock_recv(self._connection, _CHUNK)
            except OSError:
                return
            if not data:
                return
            rest.append(data)
            if b"\n" in data:
                *lines, last = b"".join(rest).split(b"\n")
                rest = [last]
                yield lines

    async def _write(self, line: Json) -> None:
        data = (to_json(line) + "\n").encode("utf-8", "surrogatepass")
        async with self._writing:
            await asyncio.get_running_loop().sock_sendall(self._connection, data)

    def _arrival(self, line: bytes) -> Arrival | None:
        told: Json = from_json(line.decode("utf-8", "surrogatepass"))
        at = told.get("at")
        if "in" in told:
            return Received(told["in"], at, told["from"])
        if "out" in told:
            return Received(told["out"], at, direction="out")
        if "before" in told:
            self._participants = {one["id"]: Participant(**one) for one in told["participants"]}
            self._before = before_of(told["before"])
            return CameLate(self._before)
        if "participant" in told:
            one = Participant(**told["participant"])
            if told["change"] == "left":
                self._participants.pop(one.id, None)
            else:
                self._participants[one.id] = one
            return ParticipantChanged(one, told["change"], at)
        if "note" in told:
            return RoomNote(told["note"], at, told["warning"])
        if "missed" in told:
            count = told["missed"]
            return RoomNote(f"{count:,} messages were missed here: they came faster than they were read", at)
        if "over" in told:
            return RoomOver(told["over"], at)
        sending = self._sendings.get(told.get("number", 0))
        if sending is not None and not sending.done():
            if "error" in told:
                sending.set_exception(raised(told["error"]))
            else:
                sending.set_result(None)
        return None

    def _forget(self, reason: str) -> None:
        for sending in self._sendings.values():
            if not sending.done():
                sending.set_exception(SendFailed(f"not sent, or not known to be: {reason}"))


def line_of(arrival: Arrival) -> bytes | None:
    """An arrival as a line of the socket; None for what is for this side alone."""
    told: Json
    match arrival:
        case Received(message, at, sender, _, direction):
            told = {direction: message, "at": at, "from": sender}
        case ParticipantChanged(participant, change, at):
            told = {"participant": participant_json(participant), "change": change, "at": at}
        case RoomNote(text, at, warning):
            told = {"note": text, "at": at, "warning": warning}
        case RoomOver(reason, at):
            told = {"over": reason, "at": at}
        case _:
            return None
    return (to_json(told) + "\n").encode("utf-8", "surrogatepass")


def before_json(before: Before) -> Json:
    """The latest open tool calls, as many as fit into CALLS_BYTES: one may hold pictures."""
    calls: list[Json] = []
    size = 0
    for message, at in reversed(before.calls):
        size += len(to_json(message))
        if size > CALLS_BYTES:
            break
        calls.insert(0, {"message": message, "at": at})
    return {
        "turn": before.turn,
        "seq": before.seq,
        "said": before.said,
        "pal_present": before.pal_present,
        "speaking": before.speaking,
        "calls": calls,
    }


def before_of(told: Json) -> Before:
    from tavus_cli.protocol.conversation import Before

    turn, calls = told["turn"], told["calls"]
    return Before(
        None if turn is None else (turn[0], turn[1]),
        told["seq"],
        told["said"],
        told["pal_present"],
        tuple(told["speaking"]),
        tuple((call["message"], call["at"]) for call in calls),
    )


def participant_json(one: Participant) -> Json:
    return {"id": one.id, "name": one.name, "user_id": one.user_id, "local": one.local, "pal": one.pal}


def sessions() -> list[ResidentRoom]:
    """All that are there and joined; what dead ones left behind is taken away."""
    check_supported()
    found = []
    for path in runtime.sockets():
        try:
            room = find(path.stem, timeout=ASKING)
        except ConsoleError:  # it could not join, or is not ours
            continue
        if room is None:
            runtime.tidy(path)
        else:
            found.append(room)
    return found


def check_supported() -> None:
    if not runtime.supported():
        raise UsageError("resident sessions need Unix sockets, which this system does not have")
