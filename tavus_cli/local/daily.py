"""Daily on this machine: the lookup of rooms and their WebSockets, under a certificate of our own.

``set_proxy_url`` leads the unmodified daily-python here: it then requests ``https://127.0.0.1:PORT/<original
host><path>``. It trusts us through ``SSL_CERT_FILE``. See docs/daily.md, "The frames of a join".
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable, Iterable
from typing import NamedTuple

from aiohttp import web

from tavus_cli.local.http import LOOPBACK, close, foreign
from tavus_cli.local.room import Room
from tavus_cli.local.signalling import ICE, room_found

_LOOKUP = re.compile(r"/gs\.[a-z.]+/rooms/(?P<what>check|ice)/(?P<domain>[^/]+)/(?P<room>[^/]+)", re.ASCII)


class Lookup(NamedTuple):
    """One lookup of a room: the path as requested (with the host first), headers in lower case."""

    path: str
    headers: dict[str, str]


class DailyServer:
    """``find`` returns the room with a name, or None. ``asked`` is called for every lookup.

    ``names`` are accepted host names besides those of this machine. ``tls`` holds the certificate; ``start``
    binds ``host`` and sets ``port``.
    """

    def __init__(
        self,
        find: Callable[[str], Room | None],
        tls: ssl.SSLContext,
        *,
        asked: Callable[[Lookup], object] = lambda lookup: None,
        names: Iterable[str] = (),
    ) -> None:
        self.port = 0
        self._names = LOOPBACK | {name.lower() for name in names}
        self._find = find
        self._tls = tls
        self._asked = asked
        self._runner: web.AppRunner | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        app = web.Application()
        app.router.add_get("/{tail:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.5, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port, ssl_context=self._tls).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await close(self._runner)

    @property
    def proxy(self) -> str:
        """The URL for ``set_proxy_url`` and TAVUS_DAILY_PROXY."""
        return f"https://127.0.0.1:{self.port}/"

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if (why := foreign(request, self._names)) is not None:
            return web.Response(status=403, text=why)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            room = self._find(request.path.rsplit("/", 1)[1])
            return web.Response(status=404) if room is None else await room.serve(request)
        return await self._look_up(request)

    async def _look_up(self, request: web.Request) -> web.Response:
        asked = _LOOKUP.fullmatch(request.path)
        if asked is None:
            return web.Response(status=404)
        if asked["what"] == "ice":  # once after the join
            return web.json_response({"iceConfig": ICE})
        headers = {key.lower(): value for key, value in request.headers.items()}
        self._asked(Lookup(request.path, headers))
        room = self._find(asked["room"])
        if room is None:
            return web.json_response({"error": "no-room"}, status=404)
        answer = room.faults.lookup
        if answer is None:
            answer = room.allow(headers.get("x-dailyjointoken"))
        if room.faults.lookup_delay:
            await asyncio.sleep(room.faults.lookup_delay)
        if isinstance(answer, int):
            return web.Response(status=answer, text="no")
        return web.json_response(room_found(room.name) if answer is None else answer)
