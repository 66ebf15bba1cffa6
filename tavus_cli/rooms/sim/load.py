"""Events for load tests, beside the conversation: ``burst``, ``rate`` and ``events`` of a spec. Pure."""

from __future__ import annotations

from functools import partial

from tavus_cli.rooms.sim.model import Options
from tavus_cli.rooms.sim.speaking import Source

LOAD_TICK = 0.01  # seconds: load comes in portions, as a task for each event would cost more than the event
PORTION = 256  # events of a burst at a time


class Load:
    def __init__(self, source: Source, options: Options) -> None:
        self._source = source
        self._options = options

    def begin(self) -> None:
        if self._options.burst:
            self._source.later(0, self._burst, 0)
        if self._options.rate:
            self._source.later(0, self._tick, self._source.now, 0)

    def _burst(self, sent: int) -> None:
        until = min(sent + PORTION, self._options.burst)
        self._emit("burst", sent, until)
        if until < self._options.burst:
            self._source.later(0, self._burst, until)

    def _tick(self, since: float, sent: int) -> None:
        """Emit the events of one tick: ``rate`` a second on average, in real seconds whatever the pace."""
        rate, total = self._options.rate, self._options.events
        until = int((self._source.now - since) * rate) + 1
        if total is not None:
            until = min(until, total)
        self._emit("rate", sent, until)
        if total is None or until < total:
            at = max(self._source.now + LOAD_TICK, since + until / rate)
            self._source.agenda.add(at, partial(self._tick, since, until))

    def _emit(self, payload: str, sent: int, until: int) -> None:
        for number in range(sent, until):
            self._source.emit("conversation.sim.load", {"number": number, "payload": payload})
