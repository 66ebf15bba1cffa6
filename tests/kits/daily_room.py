"""A Daily room on this machine: enough of Daily's signalling for the unmodified client to come in.

The client is led here by ``set_proxy_url`` (it then asks ``https://127.0.0.1:PORT/<host><path>``) and
trusts us by ``SSL_CERT_FILE``. What completes a join is not public, so the client never gets beyond
"joining"; messages and participants reach it all the same, and so does every way a join can fail.

Not a mock of our code: this is the other end of the wire. Benches use ``in_thread()``::

    with in_thread() as room:                 # the server has a thread and a loop of its own
        os.environ.update(room.environment)
        ...                                   # join through room.proxy
        room.soon(room.flood(30_000)).result()
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import functools
import json
import shutil
import ssl
import tempfile
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import trustme
from aiohttp import WSMsgType, web

T = TypeVar("T")

PAL = "11111111-1111-4111-8111-111111111111"
GUEST = "22222222-2222-4222-8222-222222222222"

# The least answer to the room lookup that the client accepts.
ROOM_FOUND: dict[str, Any] = {
    "sigAuthz": "a.b.c",
    "roomName": "r",
    "domainProps": {"api_plan_id": "x"},
    "roomProps": {},
    "joinProps": {},
    "permissions": {"hasPresence": True},
    "worker": {"workerId": "w", "wssUri": "wss://sig.standin.wss.daily.co:443"},
    "iceConfig": {"iceServers": [{"urls": ["stun:127.0.0.1:3478"]}]},
}

Socket = Literal["take", "refuse", "close", "drop"]


@functools.cache
def authority() -> trustme.CA:
    """One authority a process: the client may read ``SSL_CERT_FILE`` only once."""
    return trustme.CA()


@functools.cache
def authority_file() -> str:
    """The authority's certificate (PEM) as a file, for ``SSL_CERT_FILE``."""
    folder = Path(tempfile.mkdtemp(prefix="local-daily-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "authority.pem"
    authority().cert_pem.write_to_path(str(path))
    return str(path)


@dataclass(frozen=True)
class Lookup:
    """One question for the room: path as asked (with the host first), headers in lower case."""

    path: str
    headers: dict[str, str]


@dataclass
class LocalRoom:
    """``async with LocalRoom() as room``; bound to 127.0.0.1 on a free port, gone with the block.

    ``lookup``: None finds the room; a number answers with that HTTP status; a dict is the JSON answer.
    ``socket``: "take" reads everything and never acknowledges; "refuse" answers 403; "close" closes at
    once; "drop" cuts the connection without a close frame. ``early`` frames go out when the WebSocket
    opens, before the client has said anything.
    """

    lookup: int | dict[str, Any] | None = None
    socket: Socket = "take"
    early: Sequence[dict[str, Any]] = ()
    trusted: bool = True  # False: a certificate of an authority nobody knows
    lookups: list[Lookup] = field(default_factory=list)
    frames: list[dict[str, Any]] = field(default_factory=list)  # all that the client sent
    port: int = 0

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._joining = asyncio.Event()
        self._sockets: set[web.WebSocketResponse] = set()
        self._transports: set[asyncio.Transport] = set()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        signed_by = authority() if self.trusted else trustme.CA()
        signed_by.issue_cert("127.0.0.1").configure_cert(context)
        app = web.Application()
        app.router.add_get("/{tail:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.5)
        await self._runner.setup()
        self._site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context)
        await self._site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._site.stop()
        for transport in self._transports:
            transport.abort()  # closing would wait for the client's last word of TLS
        await self._runner.cleanup()

    @property
    def proxy(self) -> str:
        return f"https://127.0.0.1:{self.port}/"

    @property
    def environment(self) -> dict[str, str]:
        """What a child process needs to be led here."""
        return {"SSL_CERT_FILE": authority_file(), "TAVUS_DAILY_PROXY": self.proxy}

    # -- what the room says ----------------------------------------------------------------------------

    async def joining(self, room: str = "", timeout: float = 20.0) -> dict[str, Any]:
        """The join frame of a client, once it has come; ``room``: that of this room name."""
        async with asyncio.timeout(timeout):
            while True:
                for frame in self.frames:
                    if frame.get("msgStr") == "join-for-sig" and frame["mtgStr"].endswith(room):
                        return frame
                self._joining.clear()
                await self._joining.wait()

    async def say(self, message: Any, sender: str = PAL) -> None:
        """An app message with any JSON value."""
        await self.put(app_message(message, sender))

    async def come(self, who: str, name: str = "") -> None:
        """A participant comes, or has a new name."""
        await self.put(presence(who, {"id": who, "name": name}))

    async def go(self, who: str) -> None:
        await self.put(presence(who, None))

    async def flood(self, count: int, make: Callable[[int], Any] = lambda n: {"n": n}) -> None:
        """``count`` app messages as fast as the client takes them."""
        for number in range(count):
            await self.say(make(number))

    async def put(self, frame: dict[str, Any]) -> None:
        text = json.dumps(frame)
        for socket in list(self._sockets):
            await socket.send_str(text)

    def soon(self, doing: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """From another thread: run one of the above on the room's loop."""
        return asyncio.run_coroutine_threadsafe(doing, self._loop)

    # -- what the client asks --------------------------------------------------------------------------

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.transport is not None:
            self._transports.add(request.transport)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._signal(request)
        headers = {key.lower(): value for key, value in request.headers.items()}
        self.lookups.append(Lookup(request.path, headers))
        if isinstance(self.lookup, int):
            return web.Response(status=self.lookup, text="no")
        return web.json_response(ROOM_FOUND if self.lookup is None else self.lookup)

    async def _signal(self, request: web.Request) -> web.StreamResponse:
        if self.socket == "refuse":
            return web.Response(status=403)
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        if self.socket == "close":
            await socket.close()
            return socket
        if self.socket == "drop":
            assert request.transport is not None
            request.transport.abort()
            return socket
        self._sockets.add(socket)
        try:
            for frame in self.early:
                await socket.send_str(json.dumps(frame))
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._take(json.loads(message.data))
        finally:
            self._sockets.discard(socket)
        return socket

    def _take(self, frame: dict[str, Any]) -> None:
        self.frames.append(frame)
        if frame.get("msgStr") == "join-for-sig":
            self._joining.set()


def app_message(message: Any, sender: str = PAL) -> dict[str, Any]:
    """The signalling frame of an app message."""
    return {"msgStr": "sig-msg", "tag": "x-egassem", "from": sender, "to": "*", "msgData": message}


def presence(who: str, data: dict[str, Any] | None) -> dict[str, Any]:
    """The signalling frame of somebody coming or changing; ``data`` None: going."""
    return {"msgStr": "sig-presence", "from": who, "msgData": data}


def room_url(name: str | None = None) -> str:
    """A room of its own for each test."""
    return f"https://standin.daily.co/{name or 'r' + uuid.uuid4().hex[:12]}"


@contextlib.asynccontextmanager
async def silent_port() -> AsyncIterator[str]:
    """An ``https://`` address that takes the connection and never says a word of TLS."""
    held: list[asyncio.StreamWriter] = []

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)
        with contextlib.suppress(ConnectionError):
            while await reader.read(4096):
                pass

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    try:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()
        for writer in held:
            writer.transport.abort()


@contextlib.contextmanager
def in_thread(room: LocalRoom | None = None) -> Iterator[LocalRoom]:
    """A room on a thread and a loop of its own, so that the caller's loop is free (benches)."""
    room = room or LocalRoom()
    started, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        async with room:
            started.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="local-daily", daemon=True)
    thread.start()
    assert started.wait(20), "the local room did not start"
    try:
        yield room
    finally:
        stop.set()
        thread.join(10)
