"""A resident session as a room, over the socket of the process that is joined (``session start``).

JSON lines go both ways. The session sends first: its protocol version at once and, when it has joined, a line
about itself or an error. ``{"do": "join"}`` is answered by a snapshot and starts the events; ``send`` sends,
``stop`` ends the session; ``calls`` and ``retry`` concern the tool calls that its process answers.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING

from tavus_cli.errors import CannotJoin, SendFailed
from tavus_cli.protocol.snapshot import Snapshot
from tavus_cli.resident import sockets as runtime
from tavus_cli.resident.wire import (
    CHUNK,
    FROM_CLIENT,
    FROM_SERVER,
    PROTOCOL,
    Json,
    Lines,
    arrival_of,
    encode,
    error_of,
    rows_of,
)
from tavus_cli.rooms.room import (
    BATCH,
    Arrival,
    Participant,
    ParticipantChanged,
    Room,
    RoomOver,
    steady_time,
)
from tavus_cli.rooms.sim import is_simulated
from tavus_cli.settings.table import default

if TYPE_CHECKING:
    from tavus_cli.views.table import RunRow

ASKING = 2.0  # seconds for the first line of a session; after that it counts as not answering
ANSWERING = 3.0  # seconds for the snapshot
SENDING = 15.0  # seconds for sending; Daily has 10 (rooms/daily/room.SEND_SECONDS)
MESSAGES_A_ROW = 10  # at most, nearly always
_GONE = "the resident session is gone"


class Ended(Exception):
    """The session has just ended."""


class NotAnswering(CannotJoin):
    """The session runs but does not answer: it is stopped by a signal, or stuck."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the session {name} is running and not answering: tavus-console session stop {name}"
        )


def find(
    target: str, conversation_id: str | None = None, timeout: float = default("join_timeout")
) -> ResidentRoom | None:
    """The session for a TARGET, or with a name. ``timeout`` is for a session that is still joining.

    Raises NotAnswering, UsageError, and the error that kept the session from joining.
    """
    if not runtime.supported() or not runtime.sockets():
        return None
    names = [target] if runtime.is_session_id(target) else []
    if is_simulated(target) or "://" in target:
        names = [runtime.session_id(target, conversation_id)]
    for name in names:
        if (room := _open(name, timeout)) is not None:
            return room
    return None


def _open(name: str, timeout: float) -> ResidentRoom | None:
    try:
        connection = runtime.connect(runtime.path_of(name), ASKING)
        if connection is None:
            return None
        greeted = Greeted(connection, name)
        try:
            greeted.greet(time.monotonic() + ASKING)
            return greeted.room(time.monotonic() + timeout)
        except BaseException:  # a signal too must not leave it open
            connection.close()
            raise
    except Ended:
        return None
    except TimeoutError:
        raise NotAnswering(name) from None


class Greeted:
    """A new connection, until it becomes a room. Deadlines are in time of the monotonic clock.

    ``greet`` and ``room`` raise Ended, and CannotJoin for a session of an incompatible version.
    """

    def __init__(self, connection: socket.socket, name: str) -> None:
        self.connection = connection
        self._name = name
        self._lines = Lines(FROM_SERVER)
        self._values: list[Json] = []
        self.greeted = False

    def greet(self, deadline: float) -> None:
        """Read the first line. Raises TimeoutError if none arrives."""
        if self._next(deadline).get("protocol") != PROTOCOL:
            raise self._foreign()
        self.greeted = True

    def room(self, deadline: float) -> ResidentRoom:
        """The room, once the session has joined.

        Raises CannotJoin if it is still joining by then, or its error.
        """
        try:
            hello = self._next(deadline)
        except TimeoutError:
            raise CannotJoin(f"the session {self._name} is still joining its room: try again") from None
        if isinstance(hello.get("error"), dict):
            raise error_of(hello["error"])
        try:
            return ResidentRoom(self.connection, hello["hello"], self._lines, self._values)
        except (KeyError, TypeError):
            raise self._foreign() from None

    def _next(self, deadline: float) -> Json:
        while not self._values:
            left = deadline - time.monotonic()
            try:
                self.connection.settimeout(max(left, 0.001))
                data = self.connection.recv(CHUNK)
                if not data:
                    raise Ended
                self._values += self._lines.feed(data)
            except TimeoutError:
                raise
            except OSError:
                raise Ended from None
            except ValueError:
                raise self._foreign() from None
        return self._values.pop(0)

    def _foreign(self) -> CannotJoin:
        return CannotJoin(
            f"the session {self._name} was started by another version of tavus-console, which this one does "
            f"not understand: tavus-console session stop {self._name}, and start it again"
        )


class Refused(Exception):
    """Why the session accepts no further requests from this client."""


class ResidentRoom:
    """A Room (``room.Room``) over a connection; ``about`` is the session's line about itself.

    Raises KeyError or TypeError if fields of ``about`` are missing or wrong.
    """

    live = True
    timed = True
    leaving_may_end = False

    def __init__(self, connection: socket.socket, about: Json, lines: Lines, early: list[Json]) -> None:
        self._connection = connection
        self._incoming = lines
        self.early = early  # bytes that were read together with the first lines
        self.about = about
        self.target: str = about["target"]
        self.via: str = about["id"]
        self.conversation_id: str = about["conversation_id"]
        self.tools = bool(about.get("tools"))  # whether it answers tool calls
        # Its clock may differ from ours: the wall clock may have been set in between.
        self._ahead = float(about.get("now", steady_time())) - steady_time()
        self._participants: dict[str, Participant] = {}
        self._joined = asyncio.Event()
        self._informed = asyncio.Event()  # set once the snapshot is here, or nothing more arrives
        self._snapshot: Snapshot | None = None
        self.past = 0  # how many earlier messages joining asks for, at most
        self._left = False
        self._requests: dict[int, asyncio.Future[Json]] = {}
        self._number = 0
        self._writing = asyncio.Lock()

    @property
    def participants(self) -> Mapping[str, Participant]:
        return self._participants

    def now(self) -> float:
        return steady_time() + self._ahead

    async def join(self) -> None:
        """Returns once the snapshot was handled: what is sent next must not be confused with its content."""
        if self._left:
            raise CannotJoin("cannot join: the resident session was left")
        self._connection.setblocking(False)
        try:
            await self._write(encode({"do": "join"} | ({"past": self.past} if self.past else {})))
        except OSError:
            raise CannotJoin(f"cannot join: {_GONE}") from None
        self._joined.set()
        try:
            async with asyncio.timeout(ANSWERING):
                await self._informed.wait()
        except TimeoutError:
            raise NotAnswering(self.via) from None
        if self._snapshot is None:
            raise CannotJoin(f"cannot join: {_GONE}")

    async def send(self, message: Json) -> None:
        await self._ask({"do": "send", "message": message}, "not sent", "the message")

    async def retry(self, call_id: str) -> None:
        """Have the session run a tool call again. Raises UsageError, SendFailed."""
        await self._ask({"do": "retry", "call": call_id}, "not retried", "the call's id")

    async def rows(self) -> list[RunRow]:
        """The tool calls that the session has answered or tried to, oldest first. Raises SendFailed."""
        answer = await self._ask({"do": "calls"}, "not listed", "the request")
        try:
            return rows_of(answer["calls"])
        except (KeyError, TypeError):
            raise SendFailed(
                "the resident session sent tool calls without their fields: stop it and start it again"
            ) from None

    async def _ask(self, request: Json, failed: str, what: str) -> Json:
        """Send a request and return its answer, matched by number.

        ``failed`` and ``what`` word the errors.
        """
        if self._left or not self._joined.is_set():
            raise SendFailed(f"{failed}: the resident session is not joined")
        self._number += 1
        number = self._number
        line = encode({"number": number, **request})
        if len(line) > FROM_CLIENT:
            raise SendFailed(
                f"{failed}: {what} takes {len(line):,} bytes; a resident session takes {FROM_CLIENT:,}"
            )
        done: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._requests[number] = done
        try:
            async with asyncio.timeout(SENDING):
                await self._write(line)
                answer = await done
        except TimeoutError:
            raise SendFailed(f"not confirmed within {SENDING:g} s: {NotAnswering(self.via)}") from None
        except OSError:
            raise SendFailed(f"{failed}: {_GONE}") from None
        finally:
            self._requests.pop(number, None)
        return answer

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
                batch = self.understood(values)
                if self._snapshot is not None:  # set one step later, when the batch was handled
                    self._informed.set()
                for start in range(0, len(batch), BATCH):
                    yield batch[start : start + BATCH]
                if batch and isinstance(batch[-1], RoomOver):
                    return
        except Refused as error:
            gone = str(error)
        except ValueError as error:
            gone = f"the resident session sent {error}: stop it and start it again"
        finally:
            self._informed.set()
            self._forget(gone)
            self.close()
        if not self._left:
            yield [RoomOver(gone, self.now(), cut_off=True)]

    # -- lines -----------------------------------------------------------------------------------------

    async def _values(self) -> AsyncIterator[list[Json]]:
        """Raises ValueError for lines that break the protocol."""
        loop = asyncio.get_running_loop()
        if self.early:
            yield self.early
        while not self._left:
            try:
                data = await loop.sock_recv(self._connection, CHUNK)
            except OSError:
                return
            if not data:
                return
            if values := self._incoming.feed(data):
                yield values

    async def _write(self, line: bytes) -> None:
        async with self._writing:
            await asyncio.get_running_loop().sock_sendall(self._connection, line)

    def understood(self, values: list[Json]) -> list[Arrival]:
        """The arrivals among the values; other values are handled here. Raises ValueError."""
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
        if "error" in value and "number" not in value:  # the server accepts no more requests from us
            raise Refused(str(error_of(value["error"])) or _GONE)
        request = self._requests.get(value.get("number", 0))
        if request is None or request.done():
            return
        if "error" in value:
            request.set_exception(error_of(value["error"]))
        else:
            request.set_result(value)

    def _forget(self, reason: str) -> None:
        for request in self._requests.values():
            if not request.done():
                request.set_exception(SendFailed(f"not confirmed: {reason}"))


def with_past(room: Room, rows: int) -> None:
    """Make a shared room deliver earlier messages when it is joined; other rooms cannot."""
    if isinstance(room, ResidentRoom):
        room.past = rows * MESSAGES_A_ROW
