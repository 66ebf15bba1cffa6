"""What a network does to events between Tavus and us, on demand (docs/sim.md, "Faults").

Pure: a stage that messages are put into when they are sent and taken from when they arrive.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any

REORDER_SECONDS = (0.02, 0.2)  # under the 250 ms for which the console holds events back
LATE_SECONDS = (0.3, 1.5)  # beyond them
DUPLICATE_SECONDS = (0.0, 0.4)  # after the first one
CHANGED = 0.25  # of the duplicates: the same number with other content
LONGEST_GAP = 3  # numbers


@dataclass(frozen=True, slots=True)
class FaultRates:
    """Probabilities an event, 0 to 1; ``slow`` and ``leave`` are seconds.

    ``slow``: everything arrives that much later. ``leave``: the room is over so long after joining.
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
    """``put`` what is sent, in order; ``due`` is what has arrived.

    A message without a ``seq`` is only ever slow, and so is the first one: nothing could put them back in
    their places. The messages put in are not changed; those that need it are copied.
    """

    def __init__(self, rates: FaultRates, seed: int) -> None:
        self._rates = rates
        self._random = Random(f"faults {seed}")  # of its own: the replica says the same with and without
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
        """What has arrived by ``now``, with the times at which it did."""
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
