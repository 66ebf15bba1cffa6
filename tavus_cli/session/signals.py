"""INT, TERM and HUP, from the program's first line to its last. The status is always 128 + number.

| while | the first one | a second one |
|---|---|---|
| starting, and once the command is done | ends at once | |
| a command blocks | raises ``Stopped`` | ends at once |
| a command runs in ``loop.run`` | cancels it: it leaves its room | ends at once |

Before ending at once, the functions in ``at_hard_exit`` are called, which name what may still be billed. A
signal that was ignored when the program started stays ignored (by ``nohup``, or by a shell for its background
jobs).
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
at_hard_exit: list[Callable[[], object]] = []
_raises = False
_taken: set[int] = set()
_raised: Stopped | None = None
_deferred = False


class Stopped(KeyboardInterrupt):
    """Raised for the signal ``number``. Not an Exception, so that nothing handles it on the way out.

    A KeyboardInterrupt, since Python's own C code lets only that through: ``compile`` drops any other error
    raised while it folds a constant.
    """

    def __init__(self, number: int) -> None:
        self.number = number


def take() -> None:
    """Make signals end the program at once, without a traceback, with their status."""
    for number in numbers():
        signal.signal(number, _handle)
        _taken.add(number)
    atexit.register(_ignore)
    sys.unraisablehook = functools.partial(_unraisable, sys.unraisablehook)


def numbers() -> list[int]:
    """Set a handler for all signals that are not ignored."""
    known = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    return [number for number in known if signal.getsignal(number) != signal.SIG_IGN]


@contextlib.contextmanager
def raised() -> Iterator[None]:
    """Within the block, the first signal raises Stopped, if ``take`` was called."""
    global _raises
    _raises = True
    try:
        yield
    finally:
        _raises = False


def stopped_by() -> int | None:
    """The number of the signal that has raised Stopped, if any, also if the error did not arrive: Python
    replaces an exception raised within its own code (waiting for a lock, creating a class), or drops it.
    """
    return _raised.number if _raised else None


def raise_dropped() -> None:
    """Raise Stopped again, for code that is reached only if it was dropped on its way out."""
    if _raised is not None:
        raise _raised


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """Within the block, the first signal raises nothing: ``stopped_by`` gives it. The end raises Stopped."""
    global _deferred
    _deferred = True
    try:
        yield
    finally:
        _deferred = False
    raise_dropped()


def heeded() -> None:
    """Called after a first signal: make the next one end the program at once."""
    global _raises
    _raises = False


def given_back() -> None:
    """Take the signals again after an event loop, which restores the system's defaults when it closes."""
    for number in _taken:
        signal.signal(number, _handle)


def hard_exit(number: int) -> NoReturn:
    for last in list(at_hard_exit):
        with contextlib.suppress(Exception):
            last()
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
    os._exit(128 + number)


@contextlib.contextmanager
def named_at_hard_exit(report: Callable[[], object]) -> Iterator[None]:
    """Within the block, a second signal calls ``report`` before it ends the program."""
    at_hard_exit.append(report)
    try:
        yield
    finally:
        at_hard_exit.remove(report)


def _ignore() -> None:
    """For the last milliseconds, when the interpreter has already removed its handlers."""
    for number in _taken:
        signal.signal(number, signal.SIG_IGN)


def _unraisable(usual: Callable[[Any], object], about: Any, /) -> None:
    """Python drops what is raised in its callbacks and destructors: the signal would be lost."""
    if isinstance(about.exc_value, Stopped):
        hard_exit(about.exc_value.number)
    usual(about)


def _handle(number: int, _: Any) -> None:
    global _raised
    if not _raises:
        hard_exit(number)
    heeded()
    _raised = Stopped(number)
    if not _deferred:
        raise _raised
