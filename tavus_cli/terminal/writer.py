"""Output to the terminal without blocking: text that it does not accept at once is queued here.

A terminal may stop reading: the window is frozen, text is being selected, the link hangs. A blocking write
would then also block leaving, signals and the room. So the terminal is opened once more, for writing without
waiting; standard output itself is shared with the shell, and stays as it is. Neighbours: ``frame`` writes
whole frames, ``prompt`` draws none while one is being written.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
from collections.abc import Callable
from typing import TextIO

PATIENCE_SECONDS = 2.0  # outside the event loop, and when leaving after a signal


class Writer:
    """A text stream on a terminal, as prompt_toolkit wants one.

    Between ``attach`` and ``detach`` a write never waits. Otherwise it waits for the terminal, once, for at
    most PATIENCE_SECONDS; text not accepted by then is dropped, and later writes do not wait.
    """

    def __init__(self, stream: TextIO) -> None:
        """Raises OSError if the terminal cannot be opened by its name."""
        self.encoding = stream.encoding or "utf-8"
        self._stream = stream
        self._descriptor = os.open(
            os.ttyname(stream.fileno()), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC
        )
        self._waiting = bytearray()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._free = asyncio.Event()
        self._free.set()
        self._patience = PATIENCE_SECONDS
        self._taken_at = 0.0  # when the terminal last accepted something, while ``_waiting`` is not empty

    @property
    def busy(self) -> bool:
        """Whether text is waiting for the terminal."""
        return bool(self._waiting)

    def attach(self, on_free: Callable[[], None], on_stall: Callable[[float], None]) -> None:
        """``on_free`` is called when the terminal has accepted all queued text; ``on_stall`` whenever it
        accepts text again, with the seconds in which it accepted none.
        """
        self._loop = asyncio.get_running_loop()
        self._on_free, self._on_stall = on_free, on_stall

    def detach(self) -> None:
        """Drop the text that is still waiting."""
        if self._waiting:
            self._patience = 0.0
        self._drop()
        self._loop = None

    async def drained(self) -> None:
        """Wait until the terminal has accepted everything, or is gone."""
        await self._free.wait()

    # -- a stream

    def write(self, text: str) -> int:
        """Raises OSError when the terminal is gone."""
        waited = self.busy
        self._waiting += text.encode(self.encoding, "replace")
        if not waited:
            self._push()
        if self._waiting and self._loop is None:
            self._wait()
        elif self._waiting and not waited:
            assert self._loop is not None
            self._free.clear()
            self._taken_at = self._loop.time()
            self._loop.add_writer(self._descriptor, self._go_on)
        return len(text)

    def flush(self) -> None:
        """Nothing is held back here."""

    def fileno(self) -> int:
        return self._stream.fileno()

    def isatty(self) -> bool:
        return True

    # -- the terminal

    def _push(self) -> bool:
        """Write; returns whether the terminal accepted anything."""
        size = len(self._waiting)
        try:
            while self._waiting:
                del self._waiting[: os.write(self._descriptor, self._waiting)]
        except BlockingIOError:
            pass
        except OSError:
            self._drop()
            raise
        return len(self._waiting) < size

    def _go_on(self) -> None:
        assert self._loop is not None
        try:
            moved = self._push()
        except OSError:  # the next drawing raises
            self._on_free()
            return
        if moved:
            now = self._loop.time()
            stood, self._taken_at = now - self._taken_at, now
            self._on_stall(stood)
        if not self._waiting:
            self._drop()
            self._on_free()

    def _wait(self) -> None:
        while self._waiting and select.select([], [self._descriptor], [], self._patience)[1]:
            self._push()
        if self._waiting:
            self._patience = 0.0
            self._waiting.clear()

    def _drop(self) -> None:
        self._waiting.clear()
        self._free.set()
        if self._loop is not None:
            self._loop.remove_writer(self._descriptor)


def open_writer(stream: TextIO) -> Writer | None:
    """A non-blocking descriptor; None if there is none, and writes block."""
    with contextlib.suppress(OSError, AttributeError, ValueError):  # no ttyname on Windows
        return Writer(stream)
    return None
