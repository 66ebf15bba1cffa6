"""Standard input, line by line, without blocking the event loop or the end of the program."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator

from tavus_cli.errors import UsageError
from tavus_cli.files import STDIN, LineDecoder
from tavus_cli.protocol.interactions import MOST_BYTES
from tavus_cli.session.environment import Environment, is_tty


async def stdin_lines(environment: Environment) -> AsyncIterator[str]:
    """Lines of standard input as they arrive, read by a thread, from a file or a pipe alike.

    Raises UsageError for text that is not UTF-8, or a line longer than any message, after yielding the lines
    before it.
    """
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str | UsageError | None] = asyncio.Queue()

    def read() -> None:
        decoder = LineDecoder(STDIN, terminal=is_tty(environment.stdin), longest=MOST_BYTES)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is waiting
            try:
                while data := _read(environment):
                    for line in decoder.feed(data):
                        loop.call_soon_threadsafe(lines.put_nowait, line)
                if rest := decoder.rest():
                    loop.call_soon_threadsafe(lines.put_nowait, rest)
            except UsageError as error:
                loop.call_soon_threadsafe(lines.put_nowait, error)
            loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=read, name="stdin", daemon=True).start()
    while (line := await lines.get()) is not None:
        if isinstance(line, UsageError):
            raise line
        yield line


def _read(environment: Environment) -> bytes:
    """Read unbuffered: a thread in a buffered read would keep the interpreter from ending."""
    try:
        return os.read(environment.stdin.fileno(), 65_536)
    except (OSError, ValueError):  # closed
        return b""
