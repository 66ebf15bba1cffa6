"""Tavus' API on loopback for tests: ``tavus_cli.local``'s, with odd answers on demand, and no rooms.

``behind`` is every conversation's URL: that of a simulated PAL, which the console accepts only from a
loopback address, or "" for a Daily URL.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tavus_cli.local.conversations import Conversations, Created, Ended, Request
from tavus_cli.local.fields import Json
from tavus_cli.local.http import HttpServer, Response

__all__ = ["FACE", "KEY", "PAL", "TOKEN", "LocalApi", "Odd", "Request", "local_api"]

KEY = "tvs-test-0123456789abcdef"
TOKEN = "eyJhbGciOi.meeting-token-of-a-test"
PAL, FACE = "p0lantern0000", "r0simulated0"
CREATED = 1_795_512_000.0  # 2026-11-24T09:20:00Z


@dataclass
class Odd:
    """A test's own answer, given instead of the real one. ``cut``: the connection breaks before it."""

    status: int = 200
    body: bytes | str = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


class LocalApi:
    """Its state and requests; ``odd`` answers are given first, one for each request.

    ``before`` is called with each request, on a thread of its own: to hold one up, or to
    return an Odd for it.
    """

    def __init__(self, behind: str = "sim") -> None:
        self.behind = behind
        self.before: Callable[[Request], object] = lambda request: None
        self.requests: list[Request] = []
        self.odd: deque[Odd] = deque()
        self.base_url = ""
        numbers = count(1)
        self._conversations = Conversations(
            key=KEY,
            url=lambda name: self.behind or f"https://tavus.daily.co/{name}",
            new_id=lambda: f"c{next(numbers):015x}",
            new_token=lambda: TOKEN,
            face=FACE,
            pal=PAL,
        )

    @property
    def conversations(self) -> dict[str, Json]:
        """As the API shows them, by id; a test may change them."""
        return {one.id: one.shown for one in self._conversations}

    @property
    def active(self) -> list[str]:
        return [one.id for one in self._conversations.active]

    def add(self, **shown: Any) -> str:
        """Add an existing conversation and return its id."""
        conversation = self._conversations.add(CREATED, **shown)
        self._conversations.note(conversation, "system.replica_joined", {}, CREATED)
        if not conversation.active:
            self._conversations.note(conversation, "system.shutdown", {"reason": "ended"}, CREATED)
        return conversation.id

    async def answer(self, request: Request) -> Response:
        self.requests.append(request)
        odd = await asyncio.to_thread(self.before, request)
        if not isinstance(odd, Odd) and self.odd:
            odd = self.odd.popleft()
        if isinstance(odd, Odd):
            body = odd.body.encode() if isinstance(odd.body, str) else odd.body
            return Response(odd.status, body, odd.headers, odd.cut)
        answer = self._conversations.answer(request, CREATED)
        for change in answer.changes:
            if isinstance(change, Created):
                self._conversations.note(change.conversation, "system.replica_joined", {}, CREATED)
            elif isinstance(change, Ended):
                told = {"reason": change.reason}
                self._conversations.note(change.conversation, "system.shutdown", told, CREATED)
        return Response(answer.status, answer.body)


@contextlib.contextmanager
def local_api(
    behind: str = "sim", port: int = 0, tls: ssl.SSLContext | None = None, names: Sequence[str] = ()
) -> Iterator[LocalApi]:
    """A running API until the end of the block, with its own thread and loop.

    ``names``: other host names of its requests, through a proxy.
    """
    api = LocalApi(behind)
    started, loop = threading.Event(), asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        server = HttpServer(api.answer, names=names)
        await server.start("127.0.0.1", port, tls)
        api.base_url = f"http{'s' if tls else ''}://127.0.0.1:{server.port}"
        started.set()
        await stop.wait()
        await server.stop()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run, name="local-api", daemon=True)
    thread.start()
    assert started.wait(20), "the local API did not start"
    try:
        yield api
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
