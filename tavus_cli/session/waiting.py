"""Bounded waiting: for a blocking call, or for work until something else happens first."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from tavus_cli.session.blocking import in_thread

T = TypeVar("T")


async def within(seconds: float | None, call: Callable[[], T]) -> T:
    """Return or raise what ``call`` does. Raises TimeoutError after ``seconds`` (None: never); the call then
    continues in its thread.

    This is not ``asyncio.to_thread``, because the end of the loop waits for its threads, and a silent name
    server or a locked keyring can block them for minutes.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # None only where that is a T

    def finish(result: T | None, error: BaseException | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, result, error)

    in_thread(call, finish)
    async with asyncio.timeout(seconds):
        return await done


async def first_of(work: Coroutine[Any, Any, T], *events: asyncio.Event) -> T | None:
    """The result of ``work``, or None if one of the events was set before; ``work`` is then cancelled."""
    task = asyncio.ensure_future(work)
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait({task, *waits}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        task.cancel()
        await asyncio.wait({task})
        return None if task.cancelled() else task.result()
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait({task})
        _ = task.cancelled() or task.exception()  # its result or error arrives anyway
        raise
    finally:
        for wait in waits:
            wait.cancel()
