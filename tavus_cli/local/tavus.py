"""Tavus on this machine, put together: the API, and behind each conversation a room and a simulated PAL."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import ssl
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from tavus_cli.api.conversations import TAVUS_ROOMS
from tavus_cli.errors import UsageError
from tavus_cli.local.conversations import MAX_CONCURRENT, Conversation, Conversations, Created, Ended, Request
from tavus_cli.local.daily import DailyServer
from tavus_cli.local.delivery import PAUSES
from tavus_cli.local.hosted import Hosted
from tavus_cli.local.http import HttpServer, Response
from tavus_cli.local.room import Faults, Room
from tavus_cli.local.signalling import Json
from tavus_cli.rooms.room import steady_time
from tavus_cli.rooms.sim.model import Options, SimScript
from tavus_cli.rooms.sim.script import parse_spec

KEY = "local"  # the API's key: never a real one
ANY = "*"  # the pal_id for all PALs without a script of their own
MOST_FORCED = 1000  # answers of the API that a test can ask to fail

Log = Callable[[str], object]


@dataclass(frozen=True)
class Setup:
    """``pals``: TARGETs of the simulation by pal_id ("sim:FILE.toml?seed=7"), ANY for all others.
    ``record``: a folder for a recording of each conversation. ``remote``: webhooks may leave this machine.
    """

    pals: Mapping[str, str] = field(default_factory=dict)
    max_concurrent: int = MAX_CONCURRENT
    record: str | None = None
    remote: bool = False
    names: Sequence[str] = ()  # accepted host names
    pauses: Sequence[float] = PAUSES


class LocalTavus:
    """``start`` binds both servers; ``port`` is the API's, ``daily.port`` that of the rooms."""

    def __init__(
        self, setup: Setup, tls: ssl.SSLContext, log: Log, *, clock: Callable[[], float] = steady_time
    ) -> None:
        self.record, self.remote, self.pauses = setup.record, setup.remote, setup.pauses
        self.log = log
        self.clock = clock
        scripts = {name: parse_spec(spec) for name, spec in setup.pals.items()}  # raises UsageError
        self._scripts: dict[str, tuple[SimScript, Options]] = {ANY: parse_spec("sim"), **scripts}
        if setup.record is not None:
            try:
                Path(setup.record).mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise UsageError(f"{setup.record}: {error.strerror or error}") from None
        self.conversations = Conversations(
            key=KEY,
            url=lambda name: f"{TAVUS_ROOMS}{name}",
            new_id=lambda: f"c{secrets.token_hex(8)[1:]}",
            new_token=lambda: secrets.token_urlsafe(32),
            face=self._scripts[ANY][0].replica_id,
            max_concurrent=setup.max_concurrent,
        )
        self.daily = DailyServer(self._room, tls, names=setup.names)
        self._api = HttpServer(self._answer, names=setup.names)
        self._hosted: dict[str, Hosted] = {}
        self._ended_room = Room("ended", Faults(lookup={"error": "exp-room"}, door="refuse"))
        self._forced: deque[int] = deque(maxlen=MOST_FORCED)
        self._tasks: set[asyncio.Task[None]] = set()
        self._count = 0
        self._changed = asyncio.Event()

    @property
    def port(self) -> int:
        return self._api.port

    async def start(self, host: str = "127.0.0.1", port: int = 0, daily_port: int = 0) -> None:
        """Raises OSError if a port is taken."""
        self.session = ClientSession()
        try:
            await self.daily.start(host, daily_port)
            await self._api.start(host, port)
        except OSError:
            await self.stop()
            raise
        self.soon(self._watch())

    async def stop(self) -> None:
        """Stop everything at once: lines are cut, queued webhooks are dropped."""
        await self._api.stop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for one in list(self._hosted.values()):
            await one.stop()
        await self.daily.stop()
        await self.session.close()

    def soon(self, doing: Any) -> None:
        """Run a coroutine beside everything else, until ``stop``."""
        task = asyncio.create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def changed(self) -> None:
        """Take note of a changed time limit."""
        self._changed.set()

    def ended(self, conversation_id: str) -> None:
        self._hosted.pop(conversation_id, None)

    def _room(self, name: str) -> Room | None:
        if (hosted := self._hosted.get(name)) is not None:
            return hosted.room
        return self._ended_room if self.conversations.get(name) is not None else None

    # -- the API -----------------------------------------------------------------------------------------

    async def _answer(self, request: Request) -> Response:
        if request.path == "/local" or request.path.startswith("/local/"):
            return await self._control(request)
        if self._forced:
            status = self._forced.popleft()
            self.log(f"{request.method} {request.path}  {status}, as asked")
            return Response(status, {"error": "This answer was asked for (tavus-console local)"})
        answer = self.conversations.answer(request, self.clock())
        why = f": {_why(answer.body)}" if answer.status >= 400 else ""
        self.log(f"{request.method} {request.path}  {answer.status}{why}")
        for change in answer.changes:
            match change:
                case Created(conversation) if conversation.active:
                    await self._host(conversation)
                case Ended(conversation, reason):
                    self._end(conversation, reason)
        return Response(answer.status, answer.body)

    async def _host(self, conversation: Conversation) -> None:
        self._count += 1
        script, options = self._scripts.get(conversation.shown["persona_id"]) or self._scripts[ANY]
        options = options._replace(seed=options.seed + self._count - 1)
        hosted = self._hosted[conversation.id] = Hosted(self, conversation, script, options)
        self.soon(hosted.begin())
        self.changed()

    def _end(self, conversation: Conversation, reason: str) -> None:
        if (hosted := self._hosted.get(conversation.id)) is not None:
            self.soon(hosted.pal.end(reason))

    async def _watch(self) -> None:
        """End those whose time is up."""
        while True:
            self._changed.clear()
            now = self.clock()
            for conversation, reason in self.conversations.tick(now):
                self._end(conversation, reason)
            wake_at = self.conversations.wake_at()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if wake_at is None else max(0.0, wake_at - now)):
                    await self._changed.wait()

    # -- faults on demand (docs/local.md, "Faults") ------------------------------------------------------

    async def _control(self, request: Request) -> Response:
        if request.headers.get("x-api-key") != KEY:
            return Response(401, {"message": "Invalid access token"})
        if (request.method, request.path) == ("GET", "/local"):
            active = len(self.conversations.active)
            return Response(200, {"daily_proxy": self.daily.proxy, "active": active})
        if (request.method, request.path) != ("POST", "/local/faults"):
            return Response(404, {"error": "Not found"})
        body = request.body if isinstance(request.body, dict) else {}
        problem = await self._fault(body)
        self.log(f"fault {body.get('fault')}  {problem or 'done'}")
        return Response(200, {}) if problem is None else Response(400, {"error": problem})

    async def _fault(self, body: Json) -> str | None:
        """Apply the request; returns the mistake in it, or None."""
        fault = body.get("fault")
        if fault == "answer":
            status, times = body.get("status"), body.get("times", 1)
            if type(status) is not int or type(times) is not int or not (400 <= status <= 599):
                return "status must be a number from 400 to 599, times a number"
            self._forced.extend([status] * min(max(times, 0), MOST_FORCED))
            return None
        hosted = self._hosted.get(str(body.get("conversation_id")))
        if hosted is None:
            return "conversation_id must be that of an active conversation"
        return await hosted.fail(fault, body.get("seconds", 2))


def _why(body: Json | None) -> str:
    return str((body or {}).get("error") or (body or {}).get("message") or "")[:200]
