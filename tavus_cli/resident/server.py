"""The server of a resident session: one joined room, and a socket that many commands share.

Clients are plain sockets, not asyncio streams: each transport of those is a reference cycle, and the
thresholds of the collector are high (``loop.run``).

Its process writes one line, ``{"hello": …}`` or ``{"error": …}``, once joining has succeeded or failed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, cast

from tavus_cli.errors import ConsoleError, ExitStatus, UsageError
from tavus_cli.protocol.interactions import Interaction
from tavus_cli.protocol.wire import to_json
from tavus_cli.resident import sockets as runtime
from tavus_cli.resident.client import Client
from tavus_cli.resident.past import Past
from tavus_cli.resident.wire import (
    CHUNK,
    FROM_CLIENT,
    NO_TOOLS,
    PROTOCOL,
    Calls,
    Json,
    Lines,
    arrival_json,
    encode,
    error_json,
    participant_json,
    rows_json,
    snapshot_json,
)
from tavus_cli.rooms.room import Arrival, LineChanged, Received, Room, RoomNote, RoomOver
from tavus_cli.session.recorder import Recorder
from tavus_cli.session.session import Session

END_SECONDS = 2.0  # for clients to take the last lines


# Attached to a session from above: called with the session, and with functions to send and to note, which
# reach all clients. The result is entered around the session, and gives what answers tool calls, if anything
# does.
Send = Callable[[Interaction], Awaitable[Any]]
Attach = Callable[[Session, Send, Callable[[str], None]], AbstractAsyncContextManager[Calls | None]]


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """``id`` is the session's name. ``idle``: it ends after this many seconds without a client; None: never.
    ``queue`` is how many lines are kept for a client that does not read. ``billed`` is set if the
    conversation was created for this session: ``since`` (Unix seconds) and ``most`` seconds, or None.
    """

    id: str
    idle: float | None
    queue: int
    tools: bool = False  # whether tool calls are answered here
    billed: Json | None = None


class Tapped:
    """A Room that passes its arrivals on to the server once the session has handled them.

    Not before: clients must see what was sent ahead of its echo, and a client that joins must get each
    arrival once, by itself or as a part of its snapshot.
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


class Server:
    """``serve`` is the whole life of a session, on a listening socket."""

    def __init__(
        self,
        room: Room,
        options: ServerOptions,
        recorder: Recorder | None = None,
        attach: Attach | None = None,
    ) -> None:
        self._options = options
        self._room = room
        self._recorder = recorder
        self._session = Session(cast(Room, Tapped(room, self._arrived)), recorder=recorder)
        self._attached: AbstractAsyncContextManager[Calls | None] = nullcontext()
        self._calls: Calls | None = None
        if attach is not None:
            self._attached = attach(self._session, self._send_for_all, self._note_for_all)
        self._past = Past()
        self._clients: set[Client] = set()  # that have joined
        self._connected: set[Client] = set()
        self._started = room.now()
        self._known: asyncio.Future[ConsoleError | None] = asyncio.get_running_loop().create_future()
        self._stop = asyncio.Event()
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._joining: asyncio.Task[Any] | None = None
        self._failure_noted = False

    async def serve(self, listening: socket.socket, starter: TextIO) -> int:
        """Join, report that, serve until stopped, over or idle; leave. Returns the exit status.

        It leaves at once if the command that started it is gone, as nobody would know of the session.
        """
        listening.setblocking(False)
        accepting = asyncio.create_task(self._accept_all(listening))
        self._joining = asyncio.current_task()
        try:
            async with self._attached as self._calls, self._session:
                self._known.set_result(None)
                if report(starter, {"hello": self._about()}) or self._clients:
                    await self._until_the_end()
        except ConsoleError as error:
            if self._known.done():
                raise
            self._known.set_result(error)
            report(starter, {"error": error_json(error)})
            return error.status
        except asyncio.CancelledError:
            if not self._stop.is_set():
                raise
            report(starter, {"error": error_json(_STOPPED)})
        finally:
            if not self._known.done():
                self._known.set_result(_STOPPED)
            Path(listening.getsockname()).unlink(missing_ok=True)  # before the last client sees the end
            accepting.cancel()
            await asyncio.wait({accepting})  # the loop must not wait for a descriptor that is closed
            listening.close()
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
        self._note_failure()
        if self._session.over is None:
            self._send_all(encode({"over": "the resident session was stopped", "at": self._room.now()}))
        for client in list(self._connected):
            client.close()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=END_SECONDS)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    # -- clients ---------------------------------------------------------------------------------------

    async def _accept_all(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listening)
            except OSError:  # no descriptor is free; wait for clients to leave
                await asyncio.sleep(runtime.AGAIN)
                continue
            if runtime.peer_uid(connection) not in (os.geteuid(), None):
                connection.close()
                continue
            task = loop.create_task(self._attend(connection))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _attend(self, connection: socket.socket) -> None:
        client = Client(connection, self._options.queue, self._room.now)
        self._connected.add(client)
        client.put(encode({"protocol": PROTOCOL}))
        writing = asyncio.create_task(client.write_all())
        reading = asyncio.create_task(self._read(client))
        try:
            if not self._known.done():
                first: set[asyncio.Future[Any]] = {reading, writing, self._known}
                await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
            if self._known.done():
                error = self._known.result()
                answer = {"hello": self._about()} if error is None else {"error": error_json(error)}
                client.put(encode(answer))
                client.greeted.set()
                if error is None:
                    await asyncio.wait({reading, writing}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            pass
        finally:
            await self._part(client, reading, writing)

    async def _read(self, client: Client) -> None:
        """Read one client until it closes or breaks the protocol, which ends only this client."""
        loop = asyncio.get_running_loop()
        lines = Lines(FROM_CLIENT)
        try:
            while data := await loop.sock_recv(client.connection, CHUNK):
                for request in lines.feed(data):
                    await self._answer(client, request)
        except OSError:
            pass
        except ValueError as error:
            refused = ConsoleError(
                f"the resident session accepts no more from this client: it was sent {error}"
            )
            client.put(encode({"error": error_json(refused)}), always=True)

    async def _answer(self, client: Client, request: Json) -> None:
        """Raises ValueError for a request that is not valid."""
        if request.get("do") == "stop":
            client.stops = True
            client.put(encode({"stopping": True}), always=True)
            self._stop.set()
            if not self._known.done() and self._joining is not None:
                self._joining.cancel()
            return
        await client.greeted.wait()
        match request.get("do"):
            case "join":
                if isinstance(most := request.get("past"), int) and most > 0:
                    client.put(self._past.line(most), always=True)
                client.put(encode(self._snapshot()), always=True)
                if self._session.down is not None:
                    down = arrival_json(LineChanged(False, self._session.down, self._room.now()))
                    client.put(encode(down or {}), always=True)
                if self._failure is not None:
                    client.put(self._failure_line(), always=True)
                self._clients.add(client)
                self._changed.set()
            case "send":
                await self._send(client, request)
            case "retry" | "calls":
                await self._tool_calls(client, request)
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
        self._forward_sent(message, self._clients - {client})
        client.put(encode({"number": number}), always=True)

    async def _tool_calls(self, client: Client, request: Json) -> None:
        answer: Json = {"number": request.get("number")}
        try:
            if self._calls is None:
                raise UsageError(NO_TOOLS)
            if request["do"] == "calls":
                answer["calls"] = rows_json(await self._calls.rows())
            elif isinstance(call_id := request.get("call"), str):
                await self._calls.retry(call_id)
            else:
                raise ValueError("a retry without a call")
        except ConsoleError as error:
            answer["error"] = error_json(error)
        client.put(encode(answer), always=True)

    async def _send_for_all(self, interaction: Interaction) -> None:
        """Send on behalf of the session itself. Raises the errors of ``Session.send``."""
        self._forward_sent(await self._session.send(interaction), self._clients)

    def _note_for_all(self, text: str) -> None:
        self._session.note(text)
        self._arrived([RoomNote(text, self._room.now())])

    def _forward_sent(self, message: Json, clients: set[Client]) -> None:
        arrival = Received(message, self._room.now(), direction="out")
        sent = arrival_json(arrival)
        assert sent is not None
        line = encode(sent)
        self._past.add(arrival, line)
        for client in clients:
            client.put(line)

    async def _part(self, client: Client, reading: asyncio.Task[None], writing: asyncio.Task[None]) -> None:
        """Close clients; one that does not read gets at most ``END_SECONDS``."""
        self._clients.discard(client)
        self._connected.discard(client)
        self._changed.set()
        client.close()
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait({writing}, timeout=END_SECONDS)
        writing.cancel()
        await asyncio.gather(reading, writing, return_exceptions=True)  # before their sockets are closed
        client.connection.close()

    @property
    def _failure(self) -> str | None:
        """Why the recording ended early, if it did."""
        return None if self._recorder is None else self._recorder.failed

    def _failure_line(self) -> bytes:
        return encode({"note": f"recording: {self._failure}", "at": self._room.now(), "warning": True})

    def _note_failure(self) -> None:
        """Send a warning to every client, and at the end also to the one that stops the session."""
        if self._failure is None:
            return
        if not self._failure_noted:
            self._failure_noted = True
            self._send_all(self._failure_line(), always=True)
        for client in self._connected:
            if client.stops and client not in self._clients:
                client.put(self._failure_line(), always=True)

    def _arrived(self, batch: list[Arrival]) -> None:
        if self._failure is not None and not self._failure_noted:
            self._note_failure()
        for arrival in batch:
            value = arrival_json(arrival)
            if value is not None:
                line = encode(value)
                self._past.add(arrival, line)
                self._send_all(line, always=isinstance(arrival, RoomOver))

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
            "now": room.now(),
            "minutes": round((room.now() - self._started) / 60, 1),
            "billed": self._billed(),
            "pal_present": self._session.pal_present,
            "line": "up" if self._session.down is None else "down",
            "turn": None if current is None else current.idx,
            "events": conversation.status.events,
            "clients": len(self._clients),
            "recording": None if self._recorder is None else self._recorder.path,
            "recording_failed": self._failure,
            "tools": self._options.tools,
        }

    def _billed(self) -> Json | None:
        billed = self._options.billed
        if billed is None:
            return None
        return billed | {"minutes": round((self._room.now() - billed["since"]) / 60, 1)}

    def _snapshot(self) -> Json:
        people = [participant_json(one) for one in self._room.participants.values()]
        return {"snapshot": snapshot_json(self._session.conversation.snapshot()), "participants": people}


_STOPPED = ConsoleError("the resident session was stopped while joining")


def report(stream: TextIO, value: Json) -> bool:
    """Write one line to the command that started the session; False if that is gone."""
    try:
        stream.write(to_json(value) + "\n")
        stream.close()
    except (OSError, ValueError):
        return False
    return True
