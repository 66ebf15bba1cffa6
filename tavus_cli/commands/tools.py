"""``tools``: answer tool calls until stopped; or serve the same tools over HTTP."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tavus_cli.errors import ConsoleError, ExitStatus, UsageError
from tavus_cli.protocol.entries import Entry, NoteEntry
from tavus_cli.protocol.wire import to_json
from tavus_cli.report.redact import new_redactor
from tavus_cli.rooms.recorded import RecordedRoom
from tavus_cli.rooms.room import Room
from tavus_cli.session.environment import Environment
from tavus_cli.session.output import Output
from tavus_cli.session.recorder import record_to
from tavus_cli.session.session import Session
from tavus_cli.session.waiting import first_of
from tavus_cli.settings.table import default
from tavus_cli.tools.bridge import ABOUT_CALL, Bridge, Run
from tavus_cli.tools.log import facts
from tavus_cli.tools.options import ANYONE, ToolOptions
from tavus_cli.views.safe import safe, safe_json

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class ToolsCommand:
    """``hold`` in seconds; ``rerun``: run the tools for the calls of a recording too."""

    tools: ToolOptions
    hold: float = default("hold")
    record: str | None = None
    rerun: bool = False
    json: bool = False
    redact: bool = False


@dataclass(frozen=True, slots=True)
class Listen:
    """``port`` 0: any; ``public_hosts``: accepted host names of requests, such as a tunnel's."""

    tools: ToolOptions
    port: int
    public_hosts: Sequence[str] = field(default_factory=tuple)
    json: bool = False


async def tools(room: Room, what: ToolsCommand, environment: Environment) -> int:
    """Answer until the conversation is over; prints a line for each call. Returns the exit status.

    Raises UsageError, and the errors of joining.
    """
    recorder = record_to(what.record, room, new_redactor() if what.redact else None)
    session = Session(room, hold=what.hold, recorder=recorder, environment=environment)
    async with Output(environment) as output:
        bridge = _bridge(session, what, environment)

        def show(run: Run) -> None:
            line = safe_json(to_json(facts(run, room.conversation_id, room.now())))
            output.write((line if what.json else _line(run)) + "\n")

        bridge.finished.append(show)
        if room.live:
            session.sinks.append(_Notes(environment.warn))
        await first_of(_answer(session, bridge), output.gone)
    failed = (recorder.failed if recorder else None) or bridge.failed
    if failed is not None:
        environment.warn(failed)
        return ExitStatus.FAILED
    if output.gone.is_set():
        return output.status()
    return ExitStatus.CANNOT_JOIN if session.cut_off else ExitStatus.DONE


class _Notes:
    """A sink that warns of what concerns the room: its connection, its end. Calls have lines of their own."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn

    def entries(self, entries: list[Entry]) -> None:
        for entry in entries:
            if isinstance(entry, NoteEntry) and not entry.text.startswith(ABOUT_CALL):
                self._warn(entry.text)

    async def drain(self) -> None:
        pass


def _bridge(session: Session, what: ToolsCommand, environment: Environment) -> Bridge:
    if isinstance(session.room, RecordedRoom):
        if not what.rerun and not what.tools.dry_run:
            raise UsageError("a recording runs no tools by itself: --rerun runs them, --dry-run shows them")
        bridge = Bridge(what.tools, session.room, None, environment.warn, environment.environ)
        if what.tools.anyone:
            environment.warn(ANYONE)
        session.sinks.append(bridge)
        return bridge
    if what.rerun:
        raise UsageError("--rerun needs a recording")
    return what.tools.bridge(session, environment)


async def _answer(session: Session, bridge: Bridge) -> None:
    async with bridge, session:
        await session.over_or_idle()


def _line(run: Run) -> str:
    output = "" if run.output is None else run.output if isinstance(run.output, str) else to_json(run.output)
    shown = output if run.state != "failed" else ""
    return safe(f"{run}" + (f": {shown}" if shown else ""))


async def listen(what: Listen, environment: Environment) -> int:
    """Serve the tools on this machine until cancelled. Raises UsageError, ConsoleError."""
    from tavus_cli.local import require

    require()
    from tavus_cli.local.conversations import Request
    from tavus_cli.local.http import HttpServer, Response
    from tavus_cli.tools.performing import Performer
    from tavus_cli.tools.serving import Served

    table = what.tools.table(environment.environ)
    token = secrets.token_urlsafe(24)
    async with Performer(table, environment.environ) as performer:
        served = Served(table, performer, token, lambda line: environment.complain(safe(line)))

        async def handle(request: Request) -> Response:
            status, body = await served.answer(request.method, request.path, request.headers, request.body)
            if isinstance(body, str):
                return Response(status, body.encode("utf-8", "replace"), {"content-type": "text/plain"})
            return Response(status, body)

        server = HttpServer(handle, names=what.public_hosts)
        try:
            await server.start(LOOPBACK, what.port)
        except OSError as error:
            reason = error.strerror or error
            raise ConsoleError(f"port {what.port} cannot be used: {reason}; give another --listen") from None
        try:
            url = f"http://{LOOPBACK}:{server.port}"
            address = (
                to_json({"url": url, "token": token})
                if what.json
                else f"{url}\nAuthorization: Bearer {token}"
            )
            print(address, file=environment.stdout, flush=True)
            await asyncio.Event().wait()
        finally:
            await server.stop()
    return ExitStatus.DONE
