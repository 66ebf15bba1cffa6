"""A prompt on a terminal emulator, which checks the screen after every write."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Callable

import pyte
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output

from tavus_cli.terminal.prompt import LivePrompt

SECONDS = 20  # no test waits this long unless it fails


class Terminal(io.StringIO):
    """A stream that a prompt writes to, and the screen that shows it after each write."""

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        super().__init__()
        self.screen = pyte.HistoryScreen(columns, rows, history=100_000)
        self._stream = pyte.Stream(self.screen)
        self._unflushed = 0
        self._changed = asyncio.Event()
        self.writes: list[str] = []
        self.always: str | None = None  # must be on the screen after every write from now on
        self.missing: list[str] = []
        self.broken = False

    def write(self, text: str) -> int:
        if self.broken:
            raise OSError(5, "the terminal is gone")
        self.writes.append(text)
        self._unflushed += 1
        self._stream.feed(text)
        return len(text)

    def flush(self) -> None:
        if not self._unflushed:
            return
        assert self._unflushed == 1, "several writes before one flush"
        self._unflushed = 0
        if self.always is not None and not any(self.always in row for row in self.screen.display):
            self.missing.append(self.writes[-1])
        self._changed.set()

    def isatty(self) -> bool:
        return True

    def rows(self) -> list[str]:
        """Everything, from the first line of the scrollback to the last row in use."""
        columns = self.screen.columns
        past = ["".join(line[x].data for x in range(columns)) for line in self.screen.history.top]
        rows = [row.rstrip() for row in [*past, *self.screen.display]]
        while rows and not rows[-1]:
            rows.pop()
        return rows

    def size(self) -> Size:
        return Size(rows=self.screen.lines, columns=self.screen.columns)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for a write after which the condition holds."""
        try:
            async with asyncio.timeout(SECONDS):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError("\n".join(["it did not come; the screen:", *self.rows()])) from None

    async def another_write(self) -> None:
        before = len(self.writes)
        await self.until(lambda: len(self.writes) > before)

    async def shows(self, text: str) -> None:
        await self.until(lambda: any(text in row for row in self.screen.display))

    async def input_is(self, text: str) -> None:
        await self.until(lambda: any(row.rstrip() == f"› {text}".rstrip() for row in self.screen.display))


class Console:
    """A prompt on a terminal, with the status it shows and the lines it delivered."""

    def __init__(self, keys: PipeInput, columns: int = 80, rows: int = 24, **options: object) -> None:
        self.terminal = Terminal(columns, rows)
        self.keys = keys
        self.status = "STATUS"
        self.live = ""
        self.lines: list[str] = []
        output = Vt100_Output(self.terminal, self.terminal.size, term="xterm-256color")
        self.prompt = LivePrompt(
            status=lambda columns: self.status[:columns],
            live=lambda columns: self.live[:columns],
            on_line=self.lines.append,
            input=keys,
            output=output,
            frame_seconds=0.001,
            **options,  # type: ignore[arg-type]
        )

    def resize(self, columns: int, rows: int) -> None:
        self.terminal.screen.resize(rows, columns)
        self.prompt._app._on_resize()

    async def delivered(self, *lines: str) -> None:
        await self.terminal.until(lambda: len(self.lines) >= len(lines))
        assert self.lines == list(lines)


@contextlib.asynccontextmanager
async def running(columns: int = 80, rows: int = 24, **options: object) -> AsyncIterator[Console]:
    """A prompt that runs for the length of the block and is closed after it."""
    with create_pipe_input() as keys:
        console = Console(keys, columns, rows, **options)
        task = asyncio.ensure_future(console.prompt.run())
        await console.terminal.shows("STATUS")
        console.terminal.always = "STATUS"
        try:
            yield console
        finally:
            console.terminal.always = None
            console.prompt.close()
            async with asyncio.timeout(SECONDS):
                await task
        assert console.terminal.missing == []


def numbered(count: int) -> list[str]:
    return [f"line {number:05d}" for number in range(count)]
