"""A resident session as a room: the socket of another process that is joined (``session start``).

JSON lines both ways. It speaks first: one line about itself, or an error. ``{"do": "join"}`` is answered by
a snapshot, and starts the events; ``send`` sends, ``stop`` ends it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping

from tavus_cli.errors import CannotJoin, ConsoleError, SendFailed, UsageError
from tavus_cli.protocol.snapshot import Snapshot
from tavus_cli.resident import sockets as runtime
from tavus_cli.resident.wire import CHUNK, FROM_SERVER, Json, Lines, arrival_of, encode, error_of
from tavus_cli.rooms.room import (
    BATCH,
    Arrival,
    Participant,
    ParticipantChanged,
    RoomOver,
    steady_time,
)
from tavus_cli.settings.table import default

ASKING = 2.0  # seconds for a session to say what it is
_GONE = "the resident session is gone"


def find(
    target: str | None, conversation_id: str | None = None, timeout: float = default("join_timeout")
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


class ResidentRoom:
    """A Room (``room.Room``) over a connection; ``about`` is what the session said of itself.

    Raises what kept the session from joining, OSError or ValueError where there is none.
    """

    live = True
    timed = True
    leaving_may_end = False

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._incoming = Lines(FROM_SERVER)
        self._early: list[Json] = []  # what came in one piece with the first line
        hello = self._first()
        if "error" in hello:
            connection.close()
            raise error_of(hello["error"])
        try:
            self.about: Json = hello["hello"]
            self.target: str = self.about["target"]
            self.via: str = self.about["id"]
            self.conversation_id: str = self.about["conversation_id"]
            # Its clock may be another one: it began when the wall clock showed something else.
            self._ahead = float(self.about.get("now", steady_time())) - steady_time()
        except (KeyError, TypeError) as error:
            raise ValueError(f"a session that does not say its {error}") from None
        self._participants: dict[str, Participant] = {}
        self._joined = asyncio.Event()
        self._informed = asyncio.Event()  # the snapshot is here, or nothing more comes
        self._snapshot: Snapshot | None = None
        self._left = False
        self._sendings: dict[int, asyncio.Future[None]] = {}
        self._number = 0
        self._writing = asyncio.Lock()

    @property
    def participants(self) -> Mapping[str, Participant]:
        return self._participants

    def now(self) -> float:
        return steady_time() + self._ahead

    async def join(self) -> None:
        """Returns once the snapshot was taken: what is sent next must be told apart from what it holds."""
        if self._left:
            raise CannotJoin("cannot join: the resident session was left")
        self._connection.setblocking(False)
        try:
            await self._write({"do": "join"})
        except OSError:
            raise CannotJoin(f"cannot join: {_GONE}") from None
        self._joined.set()
        await self._informed.wait()
        if self._snapshot is None:
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
                self._connection.sendall(encode({"do": "stop"}))
                while self._connection.recv(CHUNK):
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
        gone = _GONE
        try:
            async for values in self._values():
                batch = self._taken(values)
                if self._snapshot is not None:  # join hears of it a step later: then the batch was taken
                    self._informed.set()
                for start in range(0, len(batch), BATCH):
                    yield batch[start : start + BATCH]
                if batch and isinstance(batch[-1], RoomOver):
                    return
        except ValueError as error:
            gone = f"the resident session sent {error}: stop it and start it again"
        finally:
            self._informed.set()
            self._forget(gone)
            self.close()
        if not self._left:
            yield [RoomOver(gone, self.now(), cut_off=True)]

    # -- lines -----------------------------------------------------------------------------------------

    def _first(self) -> Json:
        """What the session says of itself, before the event loop has the connection."""
        while True:
            data = self._connection.recv(CHUNK)
            if not data:
                raise ValueError("the session has ended")
            if values := self._incoming.feed(data):
                self._early = values[1:]
                return values[0]

    async def _values(self) -> AsyncIterator[list[Json]]:
        """Raises ValueError for what is not the protocol."""
        loop = asyncio.get_running_loop()
        if self._early:
            yield self._early
        while not self._left:
            try:
                data = await loop.sock_recv(self._connection, CHUNK)
            except OSError:
                return
            if not data:
                return
            if values := self._incoming.feed(data):
                yield values

    async def _write(self, value: Json) -> None:
        async with self._writing:
            await asyncio.get_running_loop().sock_sendall(self._connection, encode(value))

    def _taken(self, values: list[Json]) -> list[Arrival]:
        """The arrivals among the values; the others are answered here. Raises ValueError."""
        arrivals: list[Arrival] = []
        try:
            for value in values:
                arrival = arrival_of(value)
                if arrival is None:
                    self._answered(value)
                    continue
                self._note(arrival, value)
                arrivals.append(arrival)
        except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
            raise ValueError(f"an object without its fields ({error})") from None
        return arrivals

    def _note(self, arrival: Arrival, value: Json) -> None:
        match arrival:
            case Snapshot():
                self._participants = {one["id"]: Participant(**one) for one in value["participants"]}
                self._snapshot = arrival
            case ParticipantChanged(participant, "left"):
                self._participants.pop(participant.id, None)
            case ParticipantChanged(participant):
                self._participants[participant.id] = participant

    def _answered(self, value: Json) -> None:
        sending = self._sendings.get(value.get("number", 0))
        if sending is None or sending.done():
            return
        if "error" in value:
            sending.set_exception(error_of(value["error"]))
        else:
            sending.set_result(None)

    def _forget(self, reason: str) -> None:
        for sending in self._sendings.values():
            if not sending.done():
                sending.set_exception(SendFailed(f"not confirmed: {reason}"))


def sessions() -> list[ResidentRoom]:
    """All that are there and joined; what dead ones left behind is removed."""
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
