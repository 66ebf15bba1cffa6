"""A Daily room on this machine for the unmodified client: ``tavus_cli.local``, with faults on demand.

The client is led here by ``set_proxy_url`` and trusts us by ``SSL_CERT_FILE``::

    async with LocalRoom(pal="sim:?speed=max") as local:      # a simulated PAL in every room
        monkeypatch.setenv("SSL_CERT_FILE", authority_file())
        room = DailyRoom(room_url(), proxy=local.proxy)
        await room.join()
        local.drop()                                          # or outage, mute, delete

A subprocess needs ``local.environment``. Benches use ``in_thread()``::

    with in_thread() as room:                 # the server has a thread and a loop of its own
        ...                                   # join through room.proxy
        room.soon(room.flood(30_000)).result()
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import functools
import shutil
import tempfile
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from tavus_cli.local import signalling
from tavus_cli.local.certificates import Authority
from tavus_cli.local.daily import DailyServer, Lookup
from tavus_cli.local.pal import Pal
from tavus_cli.local.room import GRACE, Door, Faults, Room
from tavus_cli.local.signalling import Reach, presence
from tavus_cli.rooms.sim.script import parse_spec

__all__ = ["GUEST", "PAL", "LocalRoom", "Socket", "app_message", "presence", "room_url", "silent_port"]

T = TypeVar("T")

PAL = "11111111-1111-4111-8111-111111111111"
GUEST = "22222222-2222-4222-8222-222222222222"

# How far joining gets: what a Door does to the WebSocket, or a Reach to the join.
Socket = Literal["refuse", "close", "drop", "silent", "acknowledged", "routed", "joined"]
_DOORS: dict[Socket, Door] = {"refuse": "refuse", "close": "close", "drop": "drop"}
_REACHES: dict[Socket, Reach] = {"silent": "silent", "acknowledged": "acknowledged", "routed": "routed"}


@functools.cache
def authority() -> Authority:
    """One authority for the process: the client may read ``SSL_CERT_FILE`` only once."""
    return Authority()


@functools.cache
def authority_file() -> str:
    """The authority's certificate (PEM) as a file, for ``SSL_CERT_FILE``."""
    folder = Path(tempfile.mkdtemp(prefix="local-daily-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "authority.pem"
    path.write_bytes(authority().pem)
    return str(path)


@dataclass
class LocalRoom:
    """``async with LocalRoom() as room``; bound to 127.0.0.1 on a free port, closed at the end of the block.

    Every room name exists, and all rooms share ``faults``. ``lookup`` and ``lookup_delay``: see Faults.
    ``socket``: "joined" completes every join; "refuse" answers 403; "close" closes at once; "drop" cuts the
    connection without a close frame; "silent" takes everything and answers nothing; "acknowledged" and
    "routed" stop answering on the way. ``early`` frames go out when the WebSocket opens.

    ``pal``: a simulated one for each room (a TARGET such as "sim:?speed=max"); None: nobody, and a test says
    and does what the PAL would. ``here``: the participants of every room from the start, by id, with their
    names. ``grace``: seconds until a participant whose connection broke is reported as having left.
    """

    lookup: int | dict[str, Any] | None = None
    lookup_delay: float = 0.0
    socket: Socket = "joined"
    early: Sequence[dict[str, Any]] = ()
    pal: str | None = None
    here: dict[str, str] = field(default_factory=dict)
    grace: float = GRACE
    trusted: bool = True  # False: a certificate of an unknown authority
    lookups: list[Lookup] = field(default_factory=list)
    frames: list[dict[str, Any]] = field(default_factory=list)  # all that clients sent

    def __post_init__(self) -> None:
        door, reach = _DOORS.get(self.socket, "take"), _REACHES.get(self.socket, "joined")
        self.faults = Faults(self.lookup, self.lookup_delay, door, reach, self.early)
        self.rooms: dict[str, Room] = {}
        self.pals: dict[str, Pal] = {}

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        tls = (authority() if self.trusted else Authority()).tls("127.0.0.1", "localhost")
        self._server = DailyServer(self.room, tls, asked=self.lookups.append)
        await self._server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        for pal in self.pals.values():
            await pal.stop()
        for room in self.rooms.values():
            await room.close()
        await self._server.stop()

    def room(self, name: str) -> Room:
        """The room with this name, made on first use."""
        if name not in self.rooms:
            room = self.rooms[name] = Room(name, self.faults, heard=self._hear, grace=self.grace)
            for who, called in self.here.items():
                room.state.come(who, name=called)
            if self.pal is not None:
                room.behind = self.pals[name] = pal = Pal(room, *parse_spec(self.pal), id=PAL)
                room.state.come(PAL, name=pal.script.name, user_id=f"tavus-replica-{pal.script.replica_id}")
                pal.present = True
        return self.rooms[name]

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def proxy(self) -> str:
        return self._server.proxy

    @property
    def environment(self) -> dict[str, str]:
        """The environment that leads a child process here."""
        return {"SSL_CERT_FILE": authority_file(), "TAVUS_DAILY_PROXY": self.proxy}

    # -- what the rooms say ----------------------------------------------------------------------------

    async def joining(self, room: str = "", timeout: float = 20.0) -> dict[str, Any]:
        """The join frame of a client, once it has arrived; ``room``: for this room."""

        def is_it(frame: dict[str, Any]) -> bool:
            return frame.get("msgStr") == "join-for-sig" and frame["mtgStr"].endswith(room)

        return await self.frame(is_it, timeout)

    async def frame(self, is_it: Callable[[dict[str, Any]], bool], timeout: float = 20.0) -> dict[str, Any]:
        """The first frame of a client for which ``is_it`` is true, once it has arrived."""
        async with asyncio.timeout(timeout):
            while True:
                for frame in self.frames:
                    if is_it(frame):
                        return frame
                self._changed.clear()
                await self._changed.wait()

    @property
    def sent(self) -> list[Any]:
        """The app messages that clients have sent."""
        given = [frame.get("msgData") for frame in self.frames if frame.get("msgStr") == "sig-msg"]
        return [one["fields"] for one in given if isinstance(one, dict) and one.get("tag") == "x-egassem"]

    async def say(self, message: Any, sender: str = PAL) -> None:
        """An app message with any JSON value."""
        await self.put(app_message(message, sender))

    async def come(self, who: str, name: str = "") -> None:
        """A participant joins, or changes its name."""
        for room in self.rooms.values():
            room.state.come(who, name=name)
        await self.put(presence(who, {"id": who, "name": name}))

    async def go(self, who: str) -> None:
        for room in self.rooms.values():
            room.state.gone(who)
        await self.put(presence(who, None))

    async def flood(self, count: int, make: Callable[[int], Any] = lambda n: {"n": n}) -> None:
        """``count`` app messages as fast as the client takes them."""
        for number in range(count):
            await self.say(make(number))

    async def put(self, frame: dict[str, Any]) -> None:
        for room in list(self.rooms.values()):
            await room.put(frame)

    # -- what goes wrong -------------------------------------------------------------------------------

    def drop(self, *, for_good: bool = False) -> None:
        """Cut every connection; ``for_good``: refuse all later ones."""
        for room in self.rooms.values():
            room.drop(for_good=for_good)

    async def outage(self, seconds: float, *gone: str) -> None:
        """Cut every connection and refuse new ones for a time; the participants ``gone`` leave meanwhile."""
        await asyncio.gather(*(room.outage(seconds, *gone) for room in self.rooms.values()))

    def mute(self, muted: bool = True) -> None:
        """Answer and send nothing, but keep the connections open."""
        for room in self.rooms.values():
            room.mute(muted)

    async def delete(self) -> None:
        """Tell clients that the room is deleted, and let nobody join any more."""
        for room in self.rooms.values():
            await room.delete()

    def soon(self, doing: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """From another thread: run one of the above on the room's loop."""
        return asyncio.run_coroutine_threadsafe(doing, self._loop)

    def _hear(self, frame: dict[str, Any]) -> None:
        self.frames.append(frame)
        self._changed.set()


def app_message(message: Any, sender: str = PAL) -> dict[str, Any]:
    """The signalling frame of an app message with any JSON value."""
    return signalling.app_message(message, sender)


def room_url(name: str | None = None) -> str:
    """A new room for each test."""
    return f"https://standin.daily.co/{name or 'r' + uuid.uuid4().hex[:12]}"


@contextlib.asynccontextmanager
async def silent_port() -> AsyncIterator[str]:
    """An ``https://`` address that accepts connections and never answers in TLS."""
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
    """A room with its own thread and loop, which leaves the caller's loop free (benches)."""
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
