"""Standard input, line by line, without holding up the event loop or the program's end."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import threading
from collections.abc import AsyncIterator

from tavus_cli.session.environment import Environment


async def stdin_lines(environment: Environment) -> AsyncIterator[str]:
    """Lines of standard input, as they come. Read by a thread, for a file or a pipe alike."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str | None] = asyncio.Queue()

    def read() -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        rest: list[str] = []  # of a line, joined once: it may be long
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            while data := _read(environment):
                first, *others = decoder.decode(data).split("\n")
                rest.append(first)
                for part in others:
                    loop.call_soon_threadsafe(lines.put_nowait, "".join(rest))
                    rest = [part]
            if last := "".join(rest):
                loop.call_soon_threadsafe(lines.put_nowait, last)
            loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=read, name="stdin", daemon=True).start()
    while (line := await lines.get()) is not None:
        yield line


def _read(environment: Environment) -> bytes:
    """Unbuffered: a thread inside a buffered read would stop the interpreter from ending."""
    try:
        return os.read(environment.stdin.fileno(), 65_536)
    except (OSError, ValueError):  # closed
        return b""
