"""The table on a terminal while a suite runs: how far each script is, what is running, what has failed."""

from __future__ import annotations

import asyncio
import contextlib
import io
import shutil
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, TextIO, cast

from tavus_cli.session.environment import Environment
from tavus_cli.session.signals import named_at_hard_exit
from tavus_cli.suite.case import Case
from tavus_cli.suite.reports import HEADS, Names, rate_rows
from tavus_cli.suite.result import Rate, Result
from tavus_cli.views.numbers import lasted
from tavus_cli.views.safe import safe
from tavus_cli.views.table import table
from tavus_cli.views.theme import Theme

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

FRAME_SECONDS = 0.25
_MOST_RUNNING = 8  # runs that are named
_BAR = 24  # columns


class Screen:
    """The output of a suite: plain lines, or lines above a table that is redrawn."""

    def __init__(self, environment: Environment, live: Live | None = None) -> None:
        self._environment = environment
        self._live = live

    def print(self, line: str) -> None:
        if self._live is None:
            print(line, file=self._environment.stdout, flush=True)
        else:
            self._live.console.print(_text(line), soft_wrap=True)


class Board:
    """Pure except for ``clock``: ``begun`` and ``ended`` report events, ``lines`` draws the table."""

    def __init__(
        self,
        rates: Mapping[tuple[str, str], Rate],
        names: Names,
        theme: Theme,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rates = rates
        self._names = names
        self._theme = theme
        self._clock = clock
        self._begun = clock()
        self._running: dict[int, tuple[Case, float]] = {}

    def begun(self, case: Case) -> None:
        self._running[case.number] = (case, self._clock())

    def ended(self, result: Result) -> None:
        """Call it after ``rates`` was updated."""
        self._running.pop(result.case.number, None)

    def lines(self, columns: int, height: int) -> list[str]:
        """The table, cut to fit: running and failed scripts first."""
        rates = list(self._rates.values())
        running = {case.group for case, _ in self._running.values()}
        tail = [*self._now(), self._progress(rates, columns)]
        room = max(1, height - len(tail) - 3)
        shown = rates
        if len(rates) > room:
            marks = {"FAILED": 0, "": 2}
            rates.sort(key=lambda one: 1 if (one.script, one.target) in running else marks.get(one.mark, 3))
            shown = rates[:room]
        drawn = table(HEADS, rate_rows(shown, self._names), self._theme, columns)
        return [
            *drawn,
            *([f"… and {len(rates) - len(shown)} more"] if len(shown) < len(rates) else []),
            *tail,
        ]

    def _now(self) -> list[str]:
        now = self._clock()
        lines = [
            f"  {self._names[case.script]} #{case.repeat} on {case.shown}, {lasted(now - since)}"
            for case, since in list(self._running.values())[:_MOST_RUNNING]
        ]
        more = len(self._running) - len(lines)
        return [safe(line) for line in lines] + ([f"  and {more} more"] if more > 0 else [])

    def _progress(self, rates: list[Rate], columns: int) -> str:
        planned = sum(one.planned for one in rates)
        done = sum(one.passed + one.kinds.total() for one in rates)
        failed = sum(one.failed for one in rates)
        filled = _BAR * done // max(1, planned)
        bar = "#" * filled + "·" * (_BAR - filled)
        text = f"{bar}  {done}/{planned} done, {len(self._running)} running"
        text += f", {failed} FAILED" if failed else ""
        text += f"  {lasted(self._clock() - self._begun)}"
        return self._theme.paint("warning" if failed else "", text[:columns])


@contextlib.asynccontextmanager
async def shown(
    board: Board, environment: Environment, *, live: bool
) -> AsyncIterator[tuple[Screen, Environment]]:
    """The screen, and an environment for the runs, which prints warnings above it but no progress.

    The table is removed at the end.
    """
    if not live:
        quiet = environment.with_stderr(_stream(environment.complain))
        yield Screen(environment), quiet
        return
    from rich.console import Console, ConsoleDimensions
    from rich.live import Live

    columns, height = shutil.get_terminal_size()
    console = Console(
        file=environment.stdout,
        force_terminal=True,
        no_color=not environment.theme.styles,
        width=columns,
        height=height,
        highlight=False,
        markup=False,
    )
    table_ = Live(
        console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
    )
    screen = Screen(environment, table_)

    async def draw() -> None:
        while True:
            wide, high = shutil.get_terminal_size()
            console.size = ConsoleDimensions(wide, high)
            table_.update(_text("\n".join(board.lines(wide - 1, high - 1))), refresh=True)
            await asyncio.sleep(FRAME_SECONDS)

    with table_, named_at_hard_exit(lambda: console.show_cursor(True)):
        drawing = asyncio.create_task(draw())
        try:
            yield screen, environment.with_stderr(_stream(screen.print))
        finally:
            drawing.cancel()
            await asyncio.wait({drawing})


class _Above(io.TextIOBase):
    """A stream that is not a terminal, and passes each line to ``put``."""

    def __init__(self, put: Callable[[str], object]) -> None:
        self._put = put
        self._rest = ""

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._put(line)
        return len(text)

    def isatty(self) -> bool:
        return False


def _stream(put: Callable[[str], object]) -> TextIO:
    return cast(TextIO, _Above(put))


def _text(text: str) -> Text:
    from rich.text import Text

    return Text.from_ansi(text)
