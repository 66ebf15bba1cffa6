"""Network faults on demand, between Tavus and us (docs/sim.md, "Faults").

Pure: messages are put in when they are sent, and taken out when they arrive.
"""

from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any, NamedTuple

REORDER_SECONDS = (0.02, 0.2)  # less than the 250 ms for which the console holds events
LATE_SECONDS = (0.3, 1.5)  # beyond them
DUPLICATE_SECONDS = (0.0, 0.4)  # after the first one
CHANGED = 0.25  # share of duplicates that have other content under the same number
LONGEST_GAP = 3  # numbers


class FaultRates(NamedTuple):
    """Probabilities for each event, from 0 to 1; ``slow`` and ``leave`` are seconds.

    ``slow``: how much later everything arrives. ``leave``: how long after joining the room ends.
    """

    reorder: float = 0.0
    duplicate: float = 0.0
    gap: float = 0.0
    late: float = 0.0
    drop: float = 0.0
    slow: float = 0.0
    leave: float | None = None


NO_FAULTS = FaultRates()


class Faults:
    """``put`` messages as they are sent, in order; ``due`` returns those that have arrived.

    Messages without a ``seq``, and the first message, are only delayed by ``slow``: nothing could restore
    their order. Messages are copied before they are changed.
    """

    def __init__(self, rates: FaultRates, seed: int) -> None:
        self._rates = rates
        self._random = Random(f"faults {seed}")  # its own: faults must not change what the replica says
        self._arriving: list[tuple[float, int, Any]] = []
        self._count = count()
        self._skipped = 0
        self._begun = False

    def put(self, at: float, message: Any) -> None:
        """``at``: when it was sent, Unix seconds."""
        rates = self._rates
        at += rates.slow
        numbered = isinstance(message, dict) and type(message.get("seq")) is int
        if not numbered or not self._begun:
            self._begun = self._begun or numbered
            self._arrive(at, message)
            return
        if self._chance(rates.gap):
            self._skipped += self._random.randint(1, LONGEST_GAP)
        if self._skipped:
            message = {**message, "seq": message["seq"] + self._skipped}
        if self._chance(rates.drop):
            return
        if self._chance(rates.late):
            at += self._random.uniform(*LATE_SECONDS)
        elif self._chance(rates.reorder):
            at += self._random.uniform(*REORDER_SECONDS)
        self._arrive(at, message)
        if self._chance(rates.duplicate):
            again = {**message, "resent": True} if self._chance(CHANGED) else message
            self._arrive(at + self._random.uniform(*DUPLICATE_SECONDS), again)

    def due(self, now: float) -> list[tuple[float, Any]]:
        """The messages that have arrived by ``now``, with their arrival times."""
        out: list[tuple[float, Any]] = []
        while self._arriving and self._arriving[0][0] <= now:
            at, _, message = heappop(self._arriving)
            out.append((at, message))
        return out

    def wake_at(self) -> float | None:
        return self._arriving[0][0] if self._arriving else None

    def _arrive(self, at: float, message: Any) -> None:
        heappush(self._arriving, (at, next(self._count), message))

    def _chance(self, probability: float) -> bool:
        return probability > 0 and self._random.random() < probability
