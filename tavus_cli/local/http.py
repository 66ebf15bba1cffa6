"""A small HTTP server over aiohttp that accepts JSON from this machine and refuses what web pages can send.

A page that is open in a browser can post to loopback. So a foreign Host (DNS rebinding) and a foreign Origin
are refused, and a body must be declared as JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import logging
import ssl
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from tavus_cli.local.conversations import Request

MAX_BODY = 1 << 20  # bytes
_LOOKS = 100  # for connections that have just been accepted, at the end
HANDSHAKE_SECONDS = 2.0  # seconds at the end for connections being accepted
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def _ours(record: logging.LogRecord) -> bool:
    """aiohttp logs a broken request with a traceback. It has been answered with 400: no failure of ours."""
    return not isinstance(record.exc_info and record.exc_info[1], HttpProcessingError)


logging.getLogger("aiohttp.server").addFilter(_ours)


@dataclass
class Response:
    """``body``: bytes are sent unchanged, None as nothing, anything else as JSON.

    ``cut``: break the connection.
    """

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


Handle = Callable[[Request], Awaitable[Response]]


class HttpServer:
    """``names`` are accepted host names besides those of this machine."""

    def __init__(self, handle: Handle, *, names: Iterable[str] = (), max_body: int = MAX_BODY) -> None:
        self.port = 0
        self._handle = handle
        self._names = LOOPBACK | {name.lower() for name in names}
        self._max_body = max_body
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        """Raises OSError if the port is taken."""
        app = web.Application(client_max_size=self._max_body)
        app.router.add_route("*", "/{tail:.*}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.5, access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port, ssl_context=tls).start()
        except OSError:
            await self._runner.cleanup()
            raise
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await close(self._runner)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        reply = self._refusal(request)
        if reply is None:
            try:
                reply = await self._handle(await _read(request))
            except web.HTTPRequestEntityTooLarge:
                reply = Response(413, {"error": f"The body is larger than {self._max_body} bytes"})
        if reply.cut:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        body, headers = reply.body, dict(reply.headers)
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers = {"content-type": "application/json"} | headers
        return web.Response(status=reply.status, body=body, headers=headers)

    def _refusal(self, request: web.Request) -> Response | None:
        if (why := foreign(request, self._names)) is not None:
            return Response(403, {"error": why})
        if request.can_read_body and request.content_type != "application/json":
            return Response(415, {"error": "The body must be JSON, with content-type: application/json"})
        return None


def foreign(request: web.Request, names: Collection[str]) -> str | None:
    """Why a request is refused: a foreign host, or a web page of another origin. None if it is fine."""
    if _host(f"//{request.headers.get('Host', '')}") not in names:
        return "This host is not served here: see --public-host"
    origin = request.headers.get("Origin")
    if origin is not None and _host(origin) not in names:
        return "Web pages of other origins are refused"
    return None


async def close(runner: web.AppRunner) -> None:
    """Accept no more connections, and cut the existing ones.

    Connections still in their TLS handshake are known only through their asyncio tasks. One whose task has
    not begun when its server is closed would stay open: asyncio then fails without closing the socket.
    """
    for site in list(runner.sites):
        for _ in range(_LOOKS):
            if not any(
                inspect.getcoroutinestate(one) == inspect.CORO_CREATED for one in _accepting().values()
            ):
                break
            await asyncio.sleep(0)
        await site.stop()
    if accepting := _accepting():
        await asyncio.wait(accepting, timeout=HANDSHAKE_SECONDS)
    for connection in runner.server.connections if runner.server else []:
        if connection.transport is not None:
            connection.transport.abort()  # closing would wait for the client's TLS close
    await runner.cleanup()


def _accepting() -> dict[asyncio.Task[Any], Coroutine[Any, Any, Any]]:
    """The tasks of connections that are being accepted, with what each of them runs."""
    found = {task: task.get_coro() for task in asyncio.all_tasks()}
    return {
        task: one
        for task, one in found.items()
        if inspect.iscoroutine(one) and one.__name__ == "_accept_connection2"
    }


async def _read(request: web.Request) -> Request:
    data = await request.read()
    body: Any = None
    if data:
        body = data.decode("utf-8", "replace")
        with contextlib.suppress(ValueError, RecursionError):
            value = json.loads(data, parse_constant=_no_constant)
            json.dumps(value)  # nested too deeply to be answered
            body = value
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Request(request.method, request.path, dict(request.query), headers, body)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
