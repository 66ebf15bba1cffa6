"""What tests of ``tavus_cli.local`` share: a running server, and a handler for webhooks."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import ClientSession

from tavus_cli.local.conversations import Request
from tavus_cli.local.http import HttpServer, Response
from tavus_cli.local.tavus import KEY, LocalTavus, Setup
from tests.kits.daily_room import authority
from tests.kits.room_kit import until

Json = dict[str, Any]


class Handler:
    """A backend's webhook handler, which keeps what it receives. It gives ``answers`` first, then 200."""

    def __init__(self) -> None:
        self.taken: list[Json] = []
        self.answers: deque[Response] = deque()
        self.url = ""

    async def take(self, request: Request) -> Response:
        self.taken.append(request.body)
        return self.answers.popleft() if self.answers else Response(200)

    @property
    def types(self) -> list[str]:
        return [one.get("event_type", "") for one in self.taken]

    async def has(self, event_type: str) -> Json:
        """The first webhook of a type, once it has arrived."""
        await until(lambda: event_type in self.types)
        return self.taken[self.types.index(event_type)]


@contextlib.asynccontextmanager
async def handler() -> AsyncIterator[Handler]:
    one = Handler()
    server = HttpServer(one.take)
    await server.start("127.0.0.1", 0)
    one.url = f"http://127.0.0.1:{server.port}/hook"
    try:
        yield one
    finally:
        await server.stop()


class Api:
    """Calls to a running LocalTavus; ``log`` is its log."""

    def __init__(self, tavus: LocalTavus, session: ClientSession, log: list[str]) -> None:
        self.tavus, self.log = tavus, log
        self._session = session

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        url = f"http://127.0.0.1:{self.tavus.port}{path}"
        headers = {"x-api-key": KEY} | headers
        async with self._session.request(method, url, json=body, headers=headers) as answer:
            data = await answer.read()
            return answer.status, (await answer.json() if data else None)

    async def create(self, **body: Any) -> Json:
        status, created = await self.call("POST", "/v2/conversations", {"pal_id": "p1"} | body)
        assert status == 200, created
        found: Json = created
        return found

    async def get(self, name: str) -> Json:
        status, found = await self.call("GET", f"/v2/conversations/{name}?verbose=true")
        assert status == 200, found
        shown: Json = found
        return shown

    async def fault(self, name: str, fault: str, **more: Any) -> tuple[int, Any]:
        body = {"conversation_id": name, "fault": fault, **more}
        return await self.call("POST", "/local/faults", body)


@contextlib.asynccontextmanager
async def tavus(**setup: Any) -> AsyncIterator[Api]:
    """A server on free ports, with PALs that talk as fast as possible unless ``pals`` says otherwise."""
    log: list[str] = []
    setup = {"pals": {"*": "sim:?speed=max"}, "pauses": (0.0, 0.0, 0.0)} | setup
    one = LocalTavus(Setup(**setup), authority().tls("127.0.0.1", "localhost"), log.append)
    await one.start()
    try:
        async with ClientSession() as session:
            yield Api(one, session, log)
    finally:
        await asyncio.wait_for(one.stop(), 10)
