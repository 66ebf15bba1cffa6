"""``--verbose``: a run's conversation on standard error while it runs, and the lines of its script."""

from __future__ import annotations

import shutil

from tavus_cli.language.selection import Selection
from tavus_cli.protocol.entries import Entry
from tavus_cli.session.environment import Environment, is_tty, local_time
from tavus_cli.views.line import RULE_WIDTH, LineView
from tavus_cli.views.rows import Row, Rows
from tavus_cli.views.safe import safe

_LIMIT = 4_000  # characters of one line


class Transcript:
    """A sink. ``label`` is printed before each line, because several runs may be in progress."""

    def __init__(self, environment: Environment, label: str = "") -> None:
        terminal = is_tty(environment.stderr)
        width = shutil.get_terminal_size().columns - len(label) if terminal else RULE_WIDTH
        self._environment = environment
        self._label = safe(label)
        self._theme = environment.theme_of(environment.stderr)
        self._selection = Selection()
        self._rows = Rows(self._selection)
        self._view = LineView(
            local_time, theme=self._theme, width=max(20, width), limit=_LIMIT, wrap=terminal
        )

    def line(self, where: str, text: str) -> None:
        """A line of the script begins."""
        self._print(self._theme.paint("quiet", f"{safe(where)}: {safe(text)}"))

    def entries(self, entries: list[Entry]) -> None:
        self._show(self._rows.take(entries, self._selection.among(entries)))

    async def drain(self) -> None:
        pass

    def wake_at(self) -> float | None:
        return self._rows.wake_at()

    def tick(self, now: float) -> None:
        self._show(self._rows.tick(now))

    def _show(self, rows: list[Row]) -> None:
        for line in self._view.lines(rows):
            self._print(line)

    def _print(self, line: str) -> None:
        self._environment.complain(self._label + line)
