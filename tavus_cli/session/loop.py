"""The event loop of a command, and the signals that end it, after it has left its room."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Callable, Coroutine
from typing import Any

from tavus_cli.errors import ExitStatus
from tavus_cli.files import Patient
from tavus_cli.session import signals


def run(main: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Run a command and return its exit status.

    The first INT, TERM or HUP cancels it, a second one ends at once.
    """
    signals.raise_dropped()
    # Events are trees, freed by reference counting. With the default thresholds the collector
    # would scan the same thousands of them over and over, for a seventh of all time.
    gc.freeze()
    gc.set_threshold(20_000, 1_000, 1_000)
    gc.enable()
    try:
        # A loop that is half built or half closed prints a traceback if an exception comes in between.
        with signals.deferred(), asyncio.Runner() as runner:
            return runner.run(_supervise(main()))
    except signals.Stopped as stopped:  # raised while the loop was blocked
        return ExitStatus(128 + stopped.number)


async def _supervise(main: Coroutine[Any, Any, int]) -> int:
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(main)
    stopped_by: list[int] = []

    def stop(number: int) -> None:
        if stopped_by:
            signals.hard_exit(number)
        stopped_by.append(number)
        signals.heeded()
        task.cancel()

    Patient.stop = None
    handled = [number for number in signals.numbers() if _handled(loop, number, stop)]
    if number := signals.stopped_by():  # while the loop was built
        stop(number)
    try:
        return await task
    except asyncio.CancelledError:
        if not stopped_by:
            raise
        return ExitStatus(128 + stopped_by[0])
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
        signals.given_back()


def _handled(loop: asyncio.AbstractEventLoop, number: int, stop: Callable[[int], None]) -> bool:
    """Whether the loop itself can call ``stop`` for a signal."""
    try:
        loop.add_signal_handler(number, stop, number)
    except (NotImplementedError, RuntimeError):  # Windows, or not the main thread
        if number == signal.SIGINT:
            signal.signal(number, lambda got, _: loop.call_soon_threadsafe(stop, got))
        return False
    signal.signal(number, _interrupt)  # in place of asyncio's, which does nothing
    signal.siginterrupt(number, False)
    return True


def _interrupt(number: int, _: object) -> None:
    """The loop notices the signal by itself, unless it is blocked, for example by reading a silent pipe."""
    Patient.stop = signals.Stopped(number)
    if Patient.waiting:
        raise Patient.stop
