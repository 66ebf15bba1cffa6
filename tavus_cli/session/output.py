"""Standard output, written by a thread of its own, so that a slow reader never blocks the event loop.

Text is handed over in batches and flushed at once. When much is waiting, ``drain`` waits, and the room with
it; nothing is dropped. A reader that goes away is noticed even while nothing is written.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import stat
import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tavus_cli.errors import ConsoleError, ExitStatus
from tavus_cli.session.environment import Environment

_WAITING_LIMIT = 4 << 20  # characters handed over and not yet written
_CLOSE_SECONDS = 2.0


class Output:
    """``gone`` is set once nothing more can be written: the reader closed the pipe, or there is an ``error``.

    ``async with Output(…)`` ends once everything is written, however slow the reader is. After an error or a
    signal it waits for at most two seconds.
    """

    def __init__(self, environment: Environment) -> None:
        self.gone = asyncio.Event()
        self.error: OSError | None = None  # any error except a reader that went away, such as a full disk
        self._environment = environment
        self._stream = environment.stdout
        self._finished = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Condition()
        self._texts: deque[str] = deque()
        self._waiting = 0
        self._closing = False
        self._room = asyncio.Event()
        self._room.set()
        self._thread = threading.Thread(target=self._write_all, name="output", daemon=True)
        self._thread.start()
        self._watched = self._watch()

    def write(self, text: str) -> None:
        if not text or self.gone.is_set():
            return
        with self._lock:
            self._texts.append(text)
            self._waiting += len(text)
            if self._waiting > _WAITING_LIMIT:
                self._room.clear()
            self._lock.notify()

    async def drain(self) -> None:
        """Wait until there is room for more, or the reader is gone."""
        await self._room.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._closing = True
            self._lock.notify()
        try:
            async with asyncio.timeout(None if kind is None else _CLOSE_SECONDS):
                await self._finished.wait()
        except (TimeoutError, asyncio.CancelledError):
            self._environment.exit_hard = True  # the thread is stuck in a write that nobody reads
            if kind is None:
                raise
        finally:
            if self._watched is not None:
                self._loop.remove_reader(self._watched)

    def status(self) -> int:
        """The exit status of a command whose output cannot be written. Raises ConsoleError for ``error``."""
        if self.error is not None:
            raise ConsoleError(f"standard output: {self.error.strerror or self.error}")
        return ExitStatus.BROKEN_PIPE

    def _watch(self) -> int | None:
        """A pipe's writing end reads as ready when its reader has gone."""
        with contextlib.suppress(OSError, ValueError, NotImplementedError):
            descriptor = self._stream.fileno()
            os.set_blocking(
                descriptor, True
            )  # another process may have made it non-blocking; a full pipe is not an error
            if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                self._loop.add_reader(descriptor, self._reader_gone)
                return descriptor
        return None

    def _reader_gone(self) -> None:
        if self._watched is not None:
            self._loop.remove_reader(self._watched)
            self._watched = None
        self.gone.set()
        self._room.set()
        self._finished.set()

    def _write_all(self) -> None:
        try:
            self._write_until_closed()
        except MemoryError:  # else ``drain`` would wait for ever for this thread
            self.error = OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
            self._on_loop(self._reader_gone)
        finally:
            self._on_loop(self._finished.set)

    def _write_until_closed(self) -> None:
        while True:
            with self._lock:
                while not self._texts and not self._closing:
                    self._lock.wait()
                if not self._texts:
                    return
                text = "".join(self._texts)
                self._texts.clear()
            try:
                self._stream.write(text)
                self._stream.flush()
            except (OSError, ValueError) as error:
                if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
                    self.error = error
                self._on_loop(self._reader_gone)
                return
            with self._lock:
                self._waiting -= len(text)
                if self._waiting <= _WAITING_LIMIT:
                    self._on_loop(self._room.set)

    def _on_loop(self, what: Callable[[], object]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(what)
