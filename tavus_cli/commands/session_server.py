"""``python -m tavus_cli.commands.session_server``: the process that ``session start`` leaves behind.

It reads its configuration from standard input as JSON, and writes one line back (``resident/process``).
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from tavus_cli.errors import ExitStatus
from tavus_cli.protocol.wire import from_json
from tavus_cli.resident.process import reside
from tavus_cli.resident.server import Attach, Send
from tavus_cli.resident.wire import Calls
from tavus_cli.rooms.room import Room
from tavus_cli.session import signals
from tavus_cli.session.environment import end_process
from tavus_cli.session.loop import run
from tavus_cli.session.recorder import Redacts
from tavus_cli.session.session import Session
from tavus_cli.target import RoomOptions, RoomUrl, Sim, parse, room_of


def main() -> None:
    signals.take()
    config = from_json(sys.stdin.readline())

    def opened() -> Room:
        target = parse(config["target"])
        assert isinstance(target, Sim | RoomUrl)  # session start has resolved it
        return room_of(target, RoomOptions(**config["options"]))

    parts = [_answering(config["tools"])] if config.get("tools") else []
    if config.get("otlp"):
        parts.append(_tracing(config["otlp"], bool(config.get("otlp_content"))))
    if config.get("note"):
        parts.append(_noted(config["note"]))
    attach = _all(parts) if parts else None
    redactor = _redactor() if config.get("redact") else None
    try:
        status = run(lambda: reside(config, opened, sys.stdout, attach, redactor))
    except Exception:  # a bug of ours; it too leaves through end_process
        sys.excepthook(*sys.exc_info())
        status = ExitStatus.FAILED
    end_process(status)


def _redactor() -> Redacts:
    from tavus_cli.report.redact import new_redactor

    return new_redactor()


def _answering(tools: dict[str, Any]) -> Attach:
    """Answer tool calls in this process, once, however many clients join."""
    from tavus_cli.tools.bridge import Bridge
    from tavus_cli.tools.options import ToolOptions

    def attach(session: Session, send: Send, note: Callable[[str], None]) -> Bridge:
        bridge = Bridge(ToolOptions(**tools), session.room, send, note, os.environ)
        session.sinks.append(bridge)
        return bridge

    return attach


def _tracing(where: str, content: bool) -> Attach:
    """Write traces in this process; an error becomes a note, which all clients see."""
    from tavus_cli.report.live import tracing

    @asynccontextmanager
    async def traced(traces: AbstractAsyncContextManager[object]) -> AsyncIterator[None]:
        async with traces:
            yield None

    return lambda session, send, note: traced(tracing(where, content, session, note))


def _noted(path: str) -> Attach:
    """The note of a conversation created for this session; this process inherited its lock. The note is
    removed once the conversation is over; otherwise it stays for the next start.
    """

    @asynccontextmanager
    async def kept(session: Session) -> AsyncIterator[None]:
        yield None
        if session.over is not None and not session.cut_off:
            Path(path).unlink(missing_ok=True)

    return lambda session, send, note: kept(session)


def _all(parts: list[Attach]) -> Attach:
    @asynccontextmanager
    async def attached(
        inside: list[AbstractAsyncContextManager[Calls | None]],
    ) -> AsyncIterator[Calls | None]:
        async with AsyncExitStack() as stack:
            entered = [await stack.enter_async_context(one) for one in inside]
            yield next((calls for calls in entered if calls is not None), None)

    def attach(
        session: Session, send: Send, note: Callable[[str], None]
    ) -> AbstractAsyncContextManager[Calls | None]:
        return attached([part(session, send, note) for part in parts])

    return attach


if __name__ == "__main__":
    main()
