"""Scheduled tasks, for pure code that reads no clock."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count


class Task:
    __slots__ = ("at", "call", "cancelled")

    def __init__(self, at: float, call: Callable[[], None]) -> None:
        self.at = at
        self.call = call
        self.cancelled = False


class Agenda:
    """Tasks by time, ties in the order in which they were added.

    An ``idle`` task runs when it is due, but virtual time does not advance for it. Otherwise there would
    always be a next heartbeat to advance to.
    """

    def __init__(self) -> None:
        self._driving: list[tuple[float, int, Task]] = []
        self._idle: list[tuple[float, int, Task]] = []
        self._count = count()

    def add(self, at: float, call: Callable[[], None], *, idle: bool = False) -> Task:
        task = Task(at, call)
        heappush(self._idle if idle else self._driving, (at, next(self._count), task))
        return task

    def wake_at(self, *, idle: bool = True) -> float | None:
        """When the next task is due; optionally ignoring idle tasks."""
        heaps = (self._driving, self._idle) if idle else (self._driving,)
        return min((heap[0][0] for heap in heaps if _trim(heap)), default=None)

    def pop(self, now: float) -> Task | None:
        """The next task due by ``now``."""
        heaps = [heap for heap in (self._driving, self._idle) if _trim(heap)]
        heap = min(heaps, key=lambda heap: heap[0], default=None)
        return heappop(heap)[2] if heap and heap[0][0] <= now else None

    def clear(self) -> None:
        self._driving.clear()
        self._idle.clear()


def _trim(heap: list[tuple[float, int, Task]]) -> bool:
    """Whether any task is left that was not cancelled."""
    while heap and heap[0][2].cancelled:
        heappop(heap)
    return bool(heap)
