"""Blocking calls, in a thread that nothing waits for.

A name server or keyring that does not answer keeps its caller in C code, deaf to Ctrl-C, for minutes or for
ever. In a daemon thread it delays neither signals nor the end of the program.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def in_thread(call: Callable[[], T], done: Callable[[T | None, BaseException | None], object]) -> None:
    """Start ``call``; ``done`` is called in that thread with its result or its exception."""

    def work() -> None:
        result, failed = None, None
        try:
            result = call()
        except BaseException as error:
            failed = error
        done(result, failed)

    threading.Thread(target=work, daemon=True).start()


def bounded(seconds: float, call: Callable[[], T]) -> T:
    """Return or raise what ``call`` does; for code without an event loop (otherwise: ``waiting.within``).

    Signals are handled meanwhile. Raises TimeoutError; the call then continues in its thread.
    """
    # A bare lock: a signal that raises within an Event's wait may leave the Event's own lock broken.
    running = threading.Lock()
    running.acquire()
    outcome: list[tuple[T | None, BaseException | None]] = []

    def done(result: T | None, error: BaseException | None) -> None:
        outcome.append((result, error))
        running.release()

    in_thread(call, done)
    if not running.acquire(timeout=seconds):
        raise TimeoutError
    result, error = outcome[0]
    if error is not None:
        raise error
    return result  # type: ignore[return-value]  # None only if that is a T
