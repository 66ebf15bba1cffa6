"""``webhooks listen|trigger|resend|pull``: requests that Tavus posts to a callback_url."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from tavus_cli.errors import ConsoleError, ExitStatus, UsageError, did_you_mean
from tavus_cli.files import make_private, open_to_write, read_text
from tavus_cli.language.patterns import glob
from tavus_cli.language.selection import split_types
from tavus_cli.protocol.wire import from_json, to_json
from tavus_cli.session.environment import Environment, is_tty, local_time
from tavus_cli.views.safe import safe, safe_json

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tavus_cli.local.conversations import Request
    from tavus_cli.local.http import Response

PORT = 8788
MAX_WAITING = 1000  # webhooks that wait for the handler before more are refused
LONGEST = 160  # characters shown of a body

Json = dict[str, Any]


class Listen(NamedTuple):
    port: int = PORT
    forward_to: str | None = None
    record: str | None = None
    host: str | None = None
    public_hosts: Sequence[str] = ()
    allow_remote: bool = False


# -- listen ------------------------------------------------------------------------------------------------


async def listen(what: Listen, environment: Environment) -> int:
    """Receive webhooks until cancelled."""
    from aiohttp import ClientSession

    from tavus_cli.local.delivery import check_url
    from tavus_cli.local.http import HttpServer

    if what.forward_to is not None:
        check_url(what.forward_to, "--forward-to", remote=what.allow_remote)
    with ExitStack() as files:
        file = None if what.record is None else files.enter_context(_recording(what.record))
        host = what.host or "127.0.0.1"
        if what.host is not None:
            environment.warn(f"others on this network may be able to reach {host}")
        names = [*([what.host] if what.host else []), *what.public_hosts]
        async with ClientSession() as session:
            listener = _Listener(what.forward_to, file, session, environment)
            server = HttpServer(listener.take, names=names)
            try:
                await server.start(host, what.port)
            except OSError as error:
                raise ConsoleError(
                    f"cannot listen on {host}:{what.port}: {error.strerror or error}"
                ) from None
            environment.complain(f"callback_url: http://{host}:{server.port}/ until Ctrl-C")
            try:
                await asyncio.Event().wait()
            finally:
                await server.stop()
    return ExitStatus.DONE


class _Listener:
    """Passes webhooks to the handler one at a time, in the order of arrival."""

    def __init__(
        self, url: str | None, file: TextIO | None, session: ClientSession, environment: Environment
    ) -> None:
        self._url, self._file, self._session, self._environment = url, file, session, environment
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def take(self, request: Request) -> Response:
        from tavus_cli.local.delivery import post
        from tavus_cli.local.http import Response

        if request.method != "POST":
            return Response(405, {"error": "Webhooks are posted"}, {"allow": "POST"})
        if not isinstance(request.body, dict):
            return Response(400, {"error": "A webhook is a JSON object"})
        if self._waiting >= MAX_WAITING:
            return Response(503, {"error": "Too many webhooks wait for the handler"})
        self._waiting += 1
        try:
            async with self._turn:
                _show(request.body, self._environment)
                if self._file is not None:
                    self._record(request.body)
                if self._url is None:
                    return Response(200)
                outcome = await post(self._session, self._url, request.body)
                self._environment.complain(f"  {safe(str(outcome))}")
                return Response(502 if outcome.status is None else outcome.status)
        finally:
            self._waiting -= 1

    def _record(self, body: Json) -> None:
        assert self._file is not None
        try:
            self._file.write(to_json(body) + "\n")
            self._file.flush()
        except OSError as error:
            self._environment.warn(f"--record: {error.strerror or error}; the recording ends here")
            self._file = None


# -- trigger, resend, pull ---------------------------------------------------------------------------------


def samples(kind: str, conversation_id: str, url: str) -> list[Json]:
    """An example of a type. Raises UsageError for an unknown one."""
    from tavus_cli.local.webhooks import TYPES, example

    if kind not in TYPES:
        near = did_you_mean(kind, TYPES) or f"; known are {', '.join(TYPES)}"
        raise UsageError(f'unknown webhook "{kind}"{near}')
    return [example(kind, conversation_id, url, time.time())]


def recorded(path: str, only: Sequence[str], stdin: TextIO | None = None) -> list[Json]:
    """Webhooks from a file of JSON lines; ``only`` are types or patterns. Raises UsageError."""
    lines = [line for line in read_text(path, stdin).split("\n") if line.strip()]
    bodies = []
    kinds: set[str] = set()
    only = [one for text in only for one in split_types(text)]
    wanted = [glob(one) for one in only]
    for number, line in enumerate(lines, 1):
        try:
            body = from_json(line)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise UsageError(f"{path}:{number}: not a JSON object")
        kind = kind_of(body)
        kinds |= {kind, kind.rpartition(".")[2]}
        if not only or any(matches(kind) or matches(kind.rpartition(".")[2]) for matches in wanted):
            bodies.append(body)
    if not bodies:
        near = next((said for one in only if (said := did_you_mean(one, kinds))), "")
        raise UsageError(f"{path} holds no webhook" + (" that --only names" if only else "") + near)
    return bodies


def pulled(found: Json, url: str) -> list[Json]:
    """Webhooks from the output of ``get --verbose``. Raises ConsoleError if there are no events."""
    from tavus_cli.local.webhooks import from_verbose

    bodies = from_verbose(found, url, time.time())
    if not bodies:
        raise ConsoleError("the API knows of no events in this conversation; try again when it has ended")
    return bodies


async def deliver(bodies: Sequence[Json], url: str, remote: bool, environment: Environment) -> int:
    """Post them one at a time. Returns 1 if the handler failed (5xx) or did not answer."""
    from aiohttp import ClientSession

    from tavus_cli.local.delivery import check_url, post

    check_url(url, "the handler's URL", remote=remote)
    status = ExitStatus.DONE
    async with ClientSession() as session:
        for body in bodies:
            outcome = await post(session, url, body)
            print(f"{safe(kind_of(body))}  {safe(str(outcome))}", file=environment.stdout, flush=True)
            if outcome.status is None or outcome.status >= 500:
                status = ExitStatus.FAILED
    return status


def kind_of(body: Json) -> str:
    """The type of a webhook; objective and guardrail callbacks have none of their own."""
    if isinstance(kind := body.get("event_type"), str):
        return kind
    if "objective_name" in body:
        return "objective"
    properties = body.get("properties")
    return "guardrail" if isinstance(properties, dict) and "guardrail" in properties else "webhook"


# -- showing and keeping -----------------------------------------------------------------------------------


def _show(body: Json, environment: Environment) -> None:
    """A row on a terminal, one JSON object a line in a pipe."""
    if not is_tty(environment.stdout):
        print(safe_json(to_json(body)), file=environment.stdout, flush=True)
        return
    rest = {name: value for name, value in body.items() if name not in ("message_type", "webhook_url")}
    text = safe(to_json(rest.get("properties") or rest))
    text = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    row = (local_time(int(time.time())), kind_of(body), str(body.get("conversation_id", "")))
    print("  ".join((*map(safe, row), text)), file=environment.stdout, flush=True)


def _recording(path: str) -> TextIO:
    """A file to append to, readable only by its owner, as it holds people's words."""
    try:
        descriptor = open_to_write(path, os.O_APPEND, file_only=True)
        if not os.fstat(descriptor).st_size:  # a file that is not empty keeps its mode
            make_private(descriptor)
        return os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="\n")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None
