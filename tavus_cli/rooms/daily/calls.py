"""Native calls as futures, since completions come on a foreign thread, late or never; and references."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

Start = Callable[[Callable[..., None]], object]  # makes the call, given its completion


class GoneError(Exception):
    """A completion that can no longer come; the message says why."""


class Completions:
    """Waits for completions, on the event loop it was created on."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: set[asyncio.Future[tuple[Any, ...]]] = set()  # touched only on the loop

    async def ask(self, start: Start, seconds: float) -> tuple[Any, ...]:
        """Make a call and wait for the arguments of its completion. A late completion is ignored.

        Raises TimeoutError, GoneError after ``fail``, and the errors of the call itself.
        """
        done: asyncio.Future[tuple[Any, ...]] = self._loop.create_future()
        self._waiting.add(done)
        try:
            start(lambda *arguments: self.soon(_resolve, done, arguments))
            async with asyncio.timeout(seconds):  # wait_for would drop a cancellation if ``fail`` came next
                return await done
        finally:
            self._waiting.discard(done)

    def fail(self, reason: str) -> None:
        """On the loop: make every pending ``ask`` raise GoneError."""
        for future in self._waiting:
            if not future.done():
                future.set_exception(GoneError(reason))

    def soon(self, call: Callable[..., object], *arguments: Any) -> None:
        """From any thread: call on the loop, unless it is closed."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call, *arguments)

    def later(self, seconds: float, call: Callable[..., object], *arguments: Any) -> None:
        """From any thread: call on the loop after a delay."""
        self.soon(self._loop.call_later, seconds, call, *arguments)


def _resolve(done: asyncio.Future[tuple[Any, ...]], arguments: tuple[Any, ...]) -> None:
    if not done.done():
        done.set_result(arguments)


def keep(client: object) -> None:
    """Keep an extra reference: dropping the last one while a join is pending blocks as ``release()`` does."""
    import ctypes  # release blocks, and the join may be under way by now

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(client))


def unkeep(client: object) -> None:
    """Drop the reference that ``keep`` took."""
    import ctypes

    ctypes.pythonapi.Py_DecRef(ctypes.py_object(client))
