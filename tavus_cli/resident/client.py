"""One connection of the server of a resident session, and its bounded queue."""

from __future__ import annotations

import asyncio
import socket
from collections import deque

from tavus_cli.resident.wire import CHUNK, encode
from tavus_cli.rooms.room import Clock

QUEUE_BYTES = 64 << 20


class Client:
    """One connection. Its queue is bounded; one line replaces dropped ones, and says how many there were."""

    def __init__(self, connection: socket.socket, limit: int, now: Clock) -> None:
        self.connection = connection
        self.stops = False  # it has asked to stop the session
        self._limit = limit
        self._now = now
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self._missed = 0
        self._more = asyncio.Event()
        self._closing = False
        self.greeted = asyncio.Event()  # it was sent whether the room was joined

    def put(self, line: bytes, *, always: bool = False) -> None:
        full = len(self._lines) >= self._limit or self._bytes >= QUEUE_BYTES
        # After a drop, wait until half of the queue is free; otherwise every second line would be such a
        # note.
        if not always and (full or (self._missed and len(self._lines) > self._limit // 2)):
            self._missed += 1
            return
        if self._missed and not always:
            self._add(self._missed_line())
        self._add(line)

    def close(self) -> None:
        """Close after sending what is queued."""
        self._closing = True
        self._more.set()

    async def write_all(self) -> None:
        while True:
            await self._more.wait()
            if not self._lines and self._missed:
                self._add(self._missed_line())
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
        await asyncio.get_running_loop().sock_sendall(self.connection, b"".join(some))

    def _add(self, line: bytes) -> None:
        self._lines.append(line)
        self._bytes += len(line)
        self._more.set()

    def _missed_line(self) -> bytes:
        missed, self._missed = self._missed, 0
        return encode({"missed": missed, "at": self._now()})
