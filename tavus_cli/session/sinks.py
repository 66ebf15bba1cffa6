"""What a session hands its entries to."""

from __future__ import annotations

from typing import Protocol

from tavus_cli.protocol.entries import Entry


class Sink(Protocol):
    """Takes entries in order; ``drain`` is awaited between batches, so that a slow one slows the room."""

    def entries(self, entries: list[Entry]) -> None: ...

    async def drain(self) -> None: ...


class HoldingSink(Sink, Protocol):
    """A sink that holds entries back: ``tick`` is called when it is due, and with infinity at the end."""

    def wake_at(self) -> float | None: ...

    def tick(self, now: float) -> None: ...


class PastSink(Sink, Protocol):
    """One that shows what came before this side joined a resident session: once, and first."""

    def past(self, entries: list[Entry]) -> None: ...
