"""Standard input, line by line, without blocking the event loop or the end of the program."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Iterator

from tavus_cli.errors import UsageError
from tavus_cli.files import STDIN, LineDecoder
from tavus_cli.protocol.interactions import MOST_BYTES
from tavus_cli.session.environment import Environment, is_tty
from tavus_cli.session.turns import Turns

AHEAD = 4  # reads, of 64 KiB at most, whose lines nobody has taken yet


async def stdin_lines(environment: Environment) -> AsyncIterator[str]:
    """Lines of standard input as they arrive, read by a thread, from a file or a pipe alike.

    Raises UsageError for text that is not UTF-8, or a line longer than any message, after yielding the lines
    before it.
    """
    loop = asyncio.get_running_loop()
    batches: asyncio.Queue[list[str] | UsageError | None] = asyncio.Queue()
    ahead = threading.Semaphore(AHEAD)

    def hand_over(batch: list[str] | UsageError | None) -> None:
        ahead.acquire()  # a call to the loop for each line, and no limit, would fill memory and lose signals
        loop.call_soon_threadsafe(batches.put_nowait, batch)

    def read() -> None:
        decoder = LineDecoder(STDIN, terminal=is_tty(environment.stdin), longest=MOST_BYTES)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is waiting
            for batch in _batches(decoder, environment):
                hand_over(batch)
            hand_over(None)

    threading.Thread(target=read, name="stdin", daemon=True).start()
    turns = Turns()
    while (batch := await batches.get()) is not None:
        if isinstance(batch, UsageError):
            raise batch
        for line in batch:
            yield line
            await turns.give()
        ahead.release()


def _batches(decoder: LineDecoder, environment: Environment) -> Iterator[list[str] | UsageError]:
    """The lines of each read; then what is wrong, if anything is."""
    lines: list[str] = []
    try:
        while data := _read(environment):
            for line in decoder.feed(data):
                lines.append(line)
            yield lines
            lines = []
        if rest := decoder.rest():
            yield [rest]
    except UsageError as error:
        yield lines
        yield error


def _read(environment: Environment) -> bytes:
    """Read unbuffered: a thread in a buffered read would keep the interpreter from ending."""
    try:
        return os.read(environment.stdin.fileno(), 65_536)
    except (OSError, ValueError):  # closed
        return b""
