"""A live room on this machine: its WebSockets, its faults, and the simulated PAL behind it."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from aiohttp import WSMsgType, web

from tavus_cli.local.signalling import (
    Frame,
    Joined,
    Json,
    Left,
    Line,
    Malformed,
    Outcome,
    Reach,
    Said,
    Signalling,
    read_frame,
    room_deleted,
    to_text,
)

# Seconds in which a client may return after a broken line; it does so at once. A client that leaves in the
# middle of a burst may look like that: our write fails before its goodbye is read.
GRACE = 5.0
CLIENT_SECONDS = 25.0  # the client gives up after this time: the grace while it is kept out
SEND_SECONDS = 10.0  # a client that reads nothing for this long is cut off, so that others need not wait
MAX_FRAME = 16 << 20  # bytes
MAX_LINES = 200  # WebSockets for one room

# What to do with a WebSocket: "take" it, answer 403, close it at once, or cut it without a close frame.
Door = Literal["take", "refuse", "close", "drop"]


@dataclass
class Faults:
    """Faults on demand, from the next client on.

    ``lookup``: None finds the room, a number answers with that HTTP status, an object is the JSON answer.
    ``lookup_delay``: seconds before it. ``early``: frames sent before the client has sent anything.
    ``reach``: how far its join gets (``signalling.Reach``).
    """

    lookup: int | Json | None = None
    lookup_delay: float = 0.0
    door: Door = "take"
    reach: Reach = "joined"
    early: Iterable[Json] = ()


class Behind(Protocol):
    """The side behind a room, to which the room reports its guests."""

    async def joined(self, who: str, name: str) -> None: ...

    async def left(self, who: str) -> None: ...

    async def said(self, sender: str, to: str, message: Any) -> None: ...


@dataclass(eq=False)
class _Connection:
    socket: web.WebSocketResponse
    transport: asyncio.Transport | None


@dataclass(eq=False)
class Room:
    """``allow`` decides about a lookup by its token: None allows it, other values act as ``Faults.lookup``.

    ``heard`` is called with each frame that a client sends.
    """

    name: str
    faults: Faults = field(default_factory=Faults)
    behind: Behind | None = None
    allow: Callable[[str | None], int | Json | None] = lambda token: None
    heard: Callable[[Json], object] = lambda frame: None
    grace: float = GRACE

    def __post_init__(self) -> None:
        self.state = Signalling(str(uuid.uuid4()))
        self._connections: dict[Line, _Connection] = {}
        self._leaving: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    # -- what the room says -----------------------------------------------------------------------------

    async def say(self, message: Any, sender: str) -> None:
        """An app message to every guest; any JSON value."""
        await self._do(self.state.say(message, sender))
        await asyncio.sleep(0)  # a burst keeps nobody else waiting

    async def come(self, who: str, **about: Any) -> None:
        """Add or change a participant without a line; ``about``: ``name``, ``user_id``."""
        await self._do(self.state.come(who, **about))

    async def go(self, who: str) -> None:
        await self._do(self.state.gone(who))

    async def put(self, frame: Json) -> None:
        """Send any frame to every WebSocket, identified or not."""
        if self.state.muted:
            return
        text = to_text(frame)
        for line in list(self._connections):
            await self._send(line, text)

    # -- faults -----------------------------------------------------------------------------------------

    def drop(self, *, for_good: bool = False) -> None:
        """Cut every line without a close frame; ``for_good``: refuse all later ones too."""
        if for_good:
            self.faults.door = "refuse"
        for connection in list(self._connections.values()):
            if connection.transport is not None:
                connection.transport.abort()

    async def outage(self, seconds: float, *gone: str) -> None:
        """Cut every line and refuse new ones for a time; the participants ``gone`` leave meanwhile."""
        before, self.faults.door = self.faults.door, "refuse"
        self.drop()
        for who in gone:
            await self.go(who)
        await asyncio.sleep(seconds)
        self.faults.door = before

    def mute(self, muted: bool = True) -> None:
        """Answer nothing and send nothing, with the lines open."""
        self.state.muted = muted

    async def delete(self) -> None:
        """Announce that the room is deleted, and refuse all clients."""
        self.faults.lookup = {"error": "exp-room"}
        self.faults.door = "refuse"
        await self.put(room_deleted())

    async def close(self) -> None:
        """Cut all connections and drop all guests, without reporting it."""
        self._closed = True
        self.faults.door = "refuse"
        for timer in self._leaving.values():
            timer.cancel()
        self.drop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- clients ----------------------------------------------------------------------------------------

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve a WebSocket until its end. A malformed frame ends it."""
        faults = self.faults
        if faults.door == "refuse" or len(self._connections) >= MAX_LINES:
            return web.Response(status=403)
        socket = web.WebSocketResponse(max_msg_size=MAX_FRAME)
        await socket.prepare(request)
        if faults.door == "close":
            await socket.close()
            return socket
        if faults.door == "drop":
            if request.transport is not None:
                request.transport.abort()
            return socket
        line = Line()
        self._connections[line] = _Connection(socket, request.transport)
        try:
            for frame in faults.early:
                await self._send(line, to_text(frame))
            async for message in socket:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    await self._take(line, message.data)
        except Malformed:
            with contextlib.suppress(ConnectionError):
                await socket.close(code=1008, message=b"malformed frame")
        finally:
            self._connections.pop(line, None)
            if self.state.lost(line) and not self._closed:
                self._miss(line.id)
        return socket

    async def _take(self, line: Line, data: str | bytes) -> None:
        self.state.reach = self.faults.reach
        frame = read_frame(data)
        self.heard(frame)
        outcomes = self.state.take(line, frame)
        if line.id and (timer := self._leaving.pop(line.id, None)) is not None:
            timer.cancel()
        await self._do(outcomes)

    def _miss(self, who: str) -> None:
        """Wait for a participant to return after its connection broke without a leave."""

        def give_up() -> None:
            self._leaving.pop(who, None)
            task = asyncio.create_task(self.go(who))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        if (timer := self._leaving.pop(who, None)) is not None:
            timer.cancel()
        seconds = self.grace if self.faults.door == "take" else max(self.grace, CLIENT_SECONDS)
        self._leaving[who] = asyncio.get_running_loop().call_later(seconds, give_up)

    async def _do(self, outcomes: list[Outcome]) -> None:
        for one in outcomes:
            match one:
                case Frame(line, text):
                    await self._send(line, text)
                case Joined(who, name) if self.behind is not None:
                    await self.behind.joined(who, name)
                case Left(who) if self.behind is not None:
                    await self.behind.left(who)
                case Said(sender, to, message) if self.behind is not None:
                    await self.behind.said(sender, to, message)

    async def _send(self, line: Line, text: str) -> None:
        connection = self._connections.get(line)
        if connection is None:
            return
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await connection.socket.send_str(text)
        except TimeoutError:
            if connection.transport is not None:
                connection.transport.abort()
        except ConnectionError:
            pass  # its reader handles the end
