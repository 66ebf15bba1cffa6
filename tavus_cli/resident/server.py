"""A resident session: one joined room, and a socket that many commands share.

Its process writes one line, ``{"hello": …}`` or ``{"error": …}``, once it is known whether it could join.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, cast

from tavus_cli.errors import ConsoleError, ExitStatus, UsageError
from tavus_cli.protocol.interactions import Interaction
from tavus_cli.protocol.wire import to_json
from tavus_cli.resident import sockets as runtime
from tavus_cli.resident.wire import (
    CHUNK,
    FROM_CLIENT,
    Json,
    Lines,
    arrival_json,
    encode,
    error_json,
    participant_json,
    snapshot_json,
)
from tavus_cli.rooms.room import Arrival, LineChanged, Received, Room, RoomOver
from tavus_cli.session.recorder import Recorder, record_to
from tavus_cli.session.session import Session

QUEUE = 100_000  # lines that wait for a client that does not read
QUEUE_BYTES = 64 << 20
END_SECONDS = 2.0  # for clients to take the last lines


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """``id`` is the session's name; ``idle``: seconds without a client after which it leaves, None: never."""

    id: str
    idle: float | None = None
    queue: int = QUEUE


class Tapped:
    """A Room that shows its arrivals to the server, as they came, once the session has taken them.

    Not before: a sending must be told ahead of its echo, and to one who joins meanwhile each arrival must
    come once, by itself or as a part of what had been before.
    """

    def __init__(self, room: Room, tap: Callable[[list[Arrival]], None]) -> None:
        self._room = room
        self._tap = tap

    def __getattr__(self, name: str) -> Any:
        return getattr(self._room, name)

    async def arrivals(self) -> AsyncIterator[list[Arrival]]:
        async for batch in self._room.arrivals():
            yield batch
            self._tap(batch)


class Client:
    """One connection. What waits for it is bounded; what did not fit is counted, and told in its place."""

    def __init__(self, writer: asyncio.StreamWriter, limit: int) -> None:
        self.writer = writer
        self._limit = limit
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self._missed = 0
        self._more = asyncio.Event()
        self._closing = False

    def put(self, line: bytes, *, always: bool = False) -> None:
        full = len(self._lines) >= self._limit or self._bytes >= QUEUE_BYTES
        # Once something is missed, half of the queue must be free again: else every other line were a note.
        if not always and (full or (self._missed and len(self._lines) > self._limit // 2)):
            self._missed += 1
            return
        if self._missed and not always:
            self._add(self._told_missed())
        self._add(line)

    def close(self) -> None:
        """After what is waiting."""
        self._closing = True
        self._more.set()

    async def write_all(self) -> None:
        while True:
            await self._more.wait()
            if not self._lines and self._missed:
                self._add(self._told_missed())
            if not self._lines:
                self._more.clear()
                if self._closing:
                    return
                continue
            await self._write_some()

    async def _write_some(self) -> None:
        some, size = [], 0
        while self._lines and size < CHUNK:
            line = self._lines.popleft()
            size += len(line)
            some.append(line)
        self._bytes -= size
        self.writer.write(b"".join(some))
        await self.writer.drain()

    def _add(self, line: bytes) -> None:
        self._lines.append(line)
        self._bytes += len(line)
        self._more.set()

    def _told_missed(self) -> bytes:
        missed, self._missed = self._missed, 0
        return encode({"missed": missed, "at": time.time()})


class Server:
    """``async with`` a listening socket; ``serve`` is the whole of a session."""

    def __init__(self, room: Room, options: ServerOptions, recorder: Recorder | None = None) -> None:
        self._options = options
        self._room = room
        self._session = Session(cast(Room, Tapped(room, self._arrived)), recorder=recorder)
        self._clients: set[Client] = set()  # that have joined
        self._connected: set[Client] = set()
        self._started = time.time()
        self._known: asyncio.Future[ConsoleError | None] = asyncio.get_running_loop().create_future()
        self._stop = asyncio.Event()
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, listening: socket.socket, tell: TextIO) -> int:
        """Join, tell that, serve until stopped, over or idle; leave. The exit status.

        Whoever started it may have been stopped meanwhile: a session that nobody knows of would only cost.
        """
        server = await asyncio.start_unix_server(self._accept, sock=listening)
        try:
            async with self._session:
                self._known.set_result(None)
                if _tell(tell, {"hello": self._about()}) or self._clients:
                    await self._until_the_end()
        except ConsoleError as error:
            if self._known.done():
                raise
            self._known.set_result(error)
            _tell(tell, {"error": error_json(error)})
            return error.status
        finally:
            if not self._known.done():
                self._known.set_result(ConsoleError("the resident session was stopped while joining"))
            Path(listening.getsockname()).unlink(missing_ok=True)  # before the last client sees the end
            server.close()
            await self._dismiss()
        return ExitStatus.DONE

    async def _until_the_end(self) -> None:
        idle = self._options.idle
        ended = asyncio.create_task(self._session.ended.wait())
        stopped = asyncio.create_task(self._stop.wait())
        try:
            while not (ended.done() or stopped.done()):
                self._changed.clear()
                changed = asyncio.create_task(self._changed.wait())
                wait = idle if idle is not None and not self._clients else None
                await asyncio.wait(
                    {ended, stopped, changed}, timeout=wait, return_when=asyncio.FIRST_COMPLETED
                )
                if not (ended.done() or stopped.done() or changed.done()):
                    return
                changed.cancel()
        finally:
            ended.cancel()
            stopped.cancel()

    async def _dismiss(self) -> None:
        if self._session.over is None:
            self._send_all(encode({"over": "the resident session was stopped", "at": time.time()}))
        for client in list(self._connected):
            client.close()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=END_SECONDS)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    # -- clients ---------------------------------------------------------------------------------------

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        client = Client(writer, self._options.queue)
        self._connected.add(client)
        writing: asyncio.Task[None] | None = None
        try:
            connection = writer.get_extra_info("socket")
            if runtime.peer_uid(connection) not in (os.geteuid(), None):
                return
            error = await asyncio.shield(self._known)
            client.put(encode({"hello": self._about()} if error is None else {"error": error_json(error)}))
            writing = asyncio.create_task(client.write_all())
            if error is None:
                await self._obey(client, reader, writing)
        except (OSError, ValueError, asyncio.CancelledError):
            pass  # gone, or nothing that could be understood: this client alone
        finally:
            self._tasks.discard(task)
            await self._part(client, writing)

    async def _obey(self, client: Client, reader: asyncio.StreamReader, writing: asyncio.Task[None]) -> None:
        """Until it has nothing more to say, or was told that it is all over."""
        reading = asyncio.create_task(self._read(client, reader))
        try:
            await asyncio.wait({reading, writing}, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                reading.result()
        finally:
            reading.cancel()

    async def _read(self, client: Client, reader: asyncio.StreamReader) -> None:
        lines = Lines(FROM_CLIENT)
        while data := await reader.read(CHUNK):
            for request in lines.feed(data):
                await self._answer(client, request)

    async def _answer(self, client: Client, request: Json) -> None:
        """Raises ValueError for a request that is not one."""
        match request.get("do"):
            case "join":
                client.put(encode(self._snapshot()), always=True)
                if self._session.down is not None:
                    down = arrival_json(LineChanged(False, self._session.down, time.time()))
                    client.put(encode(down or {}), always=True)
                self._clients.add(client)
                self._changed.set()
            case "send":
                await self._send(client, request)
            case "stop":
                self._stop.set()
            case other:
                raise ValueError(f"unknown request {other}")

    async def _send(self, client: Client, request: Json) -> None:
        message, number = request.get("message"), request.get("number")
        if not isinstance(message, dict):
            raise ValueError("a send without a message")
        name = message.get("event_type")
        try:
            await self._session.send(Interaction(name if isinstance(name, str) else "", raw=message))
        except ConsoleError as error:
            client.put(encode({"number": number, "error": error_json(error)}), always=True)
            return
        sent = arrival_json(Received(message, time.time(), direction="out"))
        assert sent is not None
        line = encode(sent)
        for other in self._clients - {client}:
            other.put(line)
        client.put(encode({"number": number}), always=True)

    async def _part(self, client: Client, writing: asyncio.Task[None] | None) -> None:
        self._clients.discard(client)
        self._connected.discard(client)
        self._changed.set()
        if writing is not None:
            client.close()
            with contextlib.suppress(TimeoutError, OSError, asyncio.CancelledError):
                async with asyncio.timeout(END_SECONDS):
                    await asyncio.shield(writing)
            writing.cancel()
        if writing is None or (writing.done() and not writing.cancelled()):
            client.writer.close()
        else:
            client.writer.transport.abort()  # it does not read: nothing more is kept for it

    def _arrived(self, batch: list[Arrival]) -> None:
        for arrival in batch:
            value = arrival_json(arrival)
            if value is not None:
                self._send_all(encode(value), always=isinstance(arrival, RoomOver))

    def _send_all(self, line: bytes, *, always: bool = False) -> None:
        for client in self._clients:
            client.put(line, always=always)

    def _about(self) -> Json:
        room, conversation = self._room, self._session.conversation
        current = conversation.turns.current
        return {
            "id": self._options.id,
            "target": room.target,
            "conversation_id": room.conversation_id,
            "pid": os.getpid(),
            "started": self._started,
            "minutes": round((time.time() - self._started) / 60, 1),
            "pal_present": self._session.pal_present,
            "line": "up" if self._session.down is None else "down",
            "turn": None if current is None else current.idx,
            "events": conversation.status.events,
            "clients": len(self._clients),
        }

    def _snapshot(self) -> Json:
        people = [participant_json(one) for one in self._room.participants.values()]
        return {"snapshot": snapshot_json(self._session.conversation.snapshot()), "participants": people}


def _tell(stream: TextIO, told: Json) -> bool:
    """One line to whoever started it, who reads no further; False where that one is gone."""
    try:
        stream.write(to_json(told) + "\n")
        stream.close()
    except (OSError, ValueError):
        return False
    return True


# -- the process -------------------------------------------------------------------------------------------


def claim(name: str) -> tuple[socket.socket, int] | None:
    """A listening socket of this name and the lock that goes with it; None where another process has it.

    The lock ends with the process, however that ends; what a dead one left behind is taken away.
    """
    lock = runtime.lock(name)
    if lock is None:
        return None
    path = runtime.path_of(name)
    if runtime.check_owner(path):
        path.unlink()
    listening = socket.socket(socket.AF_UNIX)
    try:
        before = os.umask(0o177)
        try:
            listening.bind(os.fspath(path))
        finally:
            os.umask(before)
        listening.listen(128)
    except OSError as error:
        listening.close()
        os.close(lock)
        raise ConsoleError(f"{path}: {error.strerror or error}") from None
    return listening, lock


async def reside(config: Json, open_room: Callable[[], Room], tell: TextIO) -> int:
    """The exit status, once the session has ended. ``open_room`` raises a ConsoleError that is told too."""
    options = ServerOptions(config["id"], config["idle"], config["queue"])
    path: Path | None = None
    try:
        claimed = claim(options.id)
        if claimed is None:
            _tell(tell, {"taken": options.id})
            return ExitStatus.DONE
        path = runtime.path_of(options.id)
        room = open_room()
        if not room.live:
            raise UsageError("a resident session runs in real time: sim:?speed=max cannot be shared")
        recorder = record_to(config["record"], room)
        return await Server(room, options, recorder).serve(claimed[0], tell)
    except ConsoleError as error:
        _tell(tell, {"error": error_json(error)})
        return error.status
    finally:
        if path is not None:
            path.unlink(missing_ok=True)
