"""Entries to standard output: the sink that ``tail``, ``replay`` and a piped ``join`` share."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from tavus_cli.language.selection import Selection, TypePattern
from tavus_cli.protocol.entries import Entry, EventEntry, GapEntry, NoteEntry
from tavus_cli.session.environment import Environment, is_tty, local_time
from tavus_cli.session.output import Output
from tavus_cli.views.jsonl import JsonlView
from tavus_cli.views.line import LineView
from tavus_cli.views.rows import Row, Rows
from tavus_cli.views.theme import TimesChoice

TERMINAL_LIMIT = 4_000  # characters of one line on a terminal; a pipe gets all of them


class View(Protocol):
    def lines(self, entries: Iterable[Entry]) -> list[str]: ...


class RowView(Protocol):
    def lines(self, rows: Iterable[Row]) -> list[str]: ...


def line_view(
    environment: Environment, *, all: bool = False, seq: bool = False, times: TimesChoice = "auto"
) -> LineView:
    terminal = is_tty(environment.stdout)
    return LineView(
        local_time,
        theme=environment.theme,
        width=environment.columns,
        all=all,
        seq=seq,
        times=times if terminal else "full",
        limit=TERMINAL_LIMIT if terminal else None,
        wrap=terminal,
    )


class Printer:
    """A sink that prints selected entries through a view, until --count or --until is reached.

    A LineView gets rows, other views get entries. With ``notes_apart``, for machine-readable formats,
    everything except messages goes to standard error. Warnings always do. ``history``: how many earlier rows
    of a resident session are shown, if the view can mark them; ``until`` and ``count`` ignore them.
    """

    def __init__(
        self,
        view: View | LineView,
        selection: Selection,
        output: Output,
        environment: Environment,
        *,
        until: TypePattern | None = None,
        count: int | None = None,
        notes_apart: bool = False,
        history: int = 0,
    ) -> None:
        self.done = asyncio.Event()
        self.met = False  # whether --count or --until was reached
        self._view: View | RowView = view
        self._rows = Rows(selection) if isinstance(view, LineView) else None
        self._select = selection
        self._until = until
        self._left = count
        self._output = output
        self._environment = environment
        self._notes_apart = notes_apart
        self._history = history
        self._said = ""

    def entries(self, entries: list[Entry]) -> None:
        if self.done.is_set():
            return
        if self._until:
            entries = self._up_to_the_last(entries)
        shown = self._select.among(entries)
        if self._left is not None:
            shown = self._counted(shown, self._left)
        shown = [one for one in shown if type(one) is EventEntry or not self._said_apart(one)]
        if self._rows is None:
            self._print(shown)
        else:
            self._print(self._rows.take(entries, shown))
            if self.done.is_set():
                self._print(self._rows.close())

    def past(self, entries: list[Entry]) -> None:
        shown = self._select.among(entries)
        if isinstance(self._view, LineView):
            assert self._rows is not None
            lines = self._view.past(self._rows.take(entries, shown), self._history)
        else:
            lines = self._view.past(shown, self._history) if isinstance(self._view, JsonlView) else []
        self._write(lines)

    def wake_at(self) -> float | None:
        return self._rows.wake_at() if self._rows is not None else None

    def tick(self, now: float) -> None:
        if self._rows is not None and not self.done.is_set():
            self._print(self._rows.tick(now))

    def _print(self, rows: Sequence[Any]) -> None:
        if rows:
            self._write(self._view.lines(rows))

    def _write(self, lines: list[str]) -> None:
        if lines:
            self._output.write("\n".join([*lines, ""]))

    async def drain(self) -> None:
        await self._output.drain()

    def said(self, text: str) -> bool:
        """Whether this note was the last line on standard error."""
        return self._said == text

    def _up_to_the_last(self, entries: list[Entry]) -> list[Entry]:
        assert self._until is not None
        for number, entry in enumerate(entries, 1):
            if isinstance(entry, EventEntry) and self._until(entry.event.type):
                self._finish()
                return entries[:number]
        return entries

    def _counted(self, shown: list[Entry], left: int) -> list[Entry]:
        for number, entry in enumerate(shown, 1):
            if isinstance(entry, EventEntry):
                left -= 1
                if left <= 0:
                    self._finish()
                    shown = shown[:number]
                    break
        self._left = left
        return shown

    def _finish(self) -> None:
        self.met = True
        self.done.set()

    def _said_apart(self, entry: Entry) -> bool:
        if isinstance(entry, GapEntry) and self._notes_apart:
            last = f"–{entry.last}" if entry.last > entry.first else ""
            self._environment.warn(f"gap seq {entry.first}{last}")
            return True
        if isinstance(entry, NoteEntry) and (entry.warning or self._notes_apart):
            self._said = entry.text
            self._environment.warn(entry.text)
            return True
        return False
