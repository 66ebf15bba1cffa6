"""Traces of a conversation as it happens: a sink. A failing collector never delays it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from typing import Any, Self

from tavus_cli.errors import ConsoleError
from tavus_cli.protocol.entries import Entry
from tavus_cli.report.otlp import Tracer, exporter, write
from tavus_cli.report.timeline import Timeline
from tavus_cli.session.session import Session
from tavus_cli.session.waiting import within

STOPPED_SECONDS = 2.0
_OPEN = 2  # later events may still belong to the latest turns


def tracing(
    where: str | None, content: bool, session: Session, warn: Callable[[str], None]
) -> AbstractAsyncContextManager[object]:
    """Within the block, traces of the session go to ``where``; None for no traces."""
    if where is None:
        return nullcontext()
    room = session.room
    traces = LiveTraces(where, lambda: room.conversation_id or room.target, warn, content=content)
    session.sinks.append(traces)
    return traces


class LiveTraces:
    """``where`` is a collector's URL or a file.

    Call ``close`` at the end, which writes the rest. ``conversation`` returns the conversation's id, which a
    room may know only after joining; ``warn`` is called once if something goes wrong. Raises UsageError if
    ``where`` is neither.
    """

    def __init__(
        self, where: str, conversation: Callable[[], str], warn: Callable[[str], None], *, content: bool
    ) -> None:
        self._to = exporter(where)
        self._timeline = Timeline()
        self._conversation = conversation
        self._warn = warn
        self._content = content
        self._tracer: Tracer | None = None
        self._written = 0
        self._writing: asyncio.Task[None] | None = None
        self._failed = False

    def entries(self, entries: list[Entry]) -> None:
        self._timeline.entries(entries)
        ready = len(self._timeline.turns) - _OPEN
        if ready > self._written and (self._writing is None or self._writing.done()):
            spans = self._traces().turns(self._written, ready)
            self._written = ready
            self._writing = asyncio.create_task(self._write(spans))

    async def drain(self) -> None:
        pass

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """After a signal, a collector that does not answer delays the end by two seconds at most."""
        signalled = kind is not None and issubclass(kind, asyncio.CancelledError)
        try:
            async with asyncio.timeout(STOPPED_SECONDS if signalled else None):
                await self.close()
        except TimeoutError:
            self._warn("the collector does not answer; the last traces were not sent")

    async def close(self) -> None:
        try:
            if self._writing is not None:
                await self._writing
            if self._timeline.first_at is not None:
                tracer = self._traces()
                rest = tracer.turns(self._written, len(self._timeline.turns)) + tracer.finish()
                await self._write(rest)
        finally:
            self._to.close()

    def _traces(self) -> Tracer:
        if self._tracer is None:
            self._tracer = Tracer(self._timeline, self._conversation(), content=self._content)
        return self._tracer

    async def _write(self, spans: list[Any]) -> None:
        if self._failed:
            return
        try:
            await within(None, partial(write, spans, self._to))
        except ConsoleError as error:
            self._failed = True
            self._warn(f"{error}; no more traces are sent")
