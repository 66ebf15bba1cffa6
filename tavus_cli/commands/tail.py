"""``tail`` and ``replay``: a room's entries to standard output, for eyes or for pipes."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from tavus_cli.errors import ExitStatus, UsageError
from tavus_cli.language.selection import Selection, TypePattern
from tavus_cli.protocol.conversation import Entry, EventEntry, GapEntry, NoteEntry
from tavus_cli.protocol.ordering import HOLD_SECONDS
from tavus_cli.rooms.room import Room
from tavus_cli.session.environment import Environment, is_tty, local_time
from tavus_cli.session.output import Output
from tavus_cli.session.recorder import Recorder
from tavus_cli.session.session import Session
from tavus_cli.views.jsonl import JsonlView, TemplateView
from tavus_cli.views.line import LineView

T = TypeVar("T")
TERMINAL_LIMIT = 4_000  # characters of one line on a terminal; a pipe gets all of them


class View(Protocol):
    def lines(self, entries: Iterable[Entry]) -> list[str]: ...


@dataclass(slots=True)
class Tail:
    """What to show and when to end. Times in seconds; ``until`` matches event types.

    ``progress``: tell a terminal what is being waited for (a replay waits for nobody).
    """

    selection: Selection = field(default_factory=Selection)
    format: str = "pretty"
    envelope: bool = False
    count: int | None = None
    until: TypePattern = field(default_factory=lambda: TypePattern([]))
    duration: float | None = None
    hold: float = HOLD_SECONDS
    record: str | None = None
    progress: bool = True

    def view(self, environment: Environment) -> View:
        """Raises UsageError for a format that is none."""
        if self.envelope and self.format != "jsonl":
            raise UsageError("--envelope goes with --format jsonl")
        if self.format == "jsonl":
            return JsonlView(envelope=self.envelope)
        if self.format == "pretty":
            return line_view(environment, all=self.selection.all)
        if "{" not in self.format:
            raise UsageError(
                f"--format is pretty, jsonl or a template such as '{{seq}} {{text}}', not {self.format}"
            )
        return TemplateView(self.format)


def line_view(environment: Environment, *, all: bool = False) -> LineView:
    terminal = is_tty(environment.stdout)
    return LineView(
        local_time,
        theme=environment.theme,
        width=environment.columns,
        all=all,
        limit=TERMINAL_LIMIT if terminal else None,
        wrap=terminal,
    )


def record_to(path: str | None, room: Room) -> Recorder | None:
    """Raises UsageError where the file cannot be made."""
    if path is None:
        return None
    return Recorder(path, conversation_id=room.conversation_id, target=room.target, started=room.now())


class Printer:
    """A sink: selected entries through a view to the output, until enough has been shown.

    What is no message goes to standard error where the format is for machines; so do warnings always.
    """

    def __init__(self, view: View, what: Tail, output: Output, environment: Environment) -> None:
        self.done = asyncio.Event()
        self.met = False  # whether --count or --until was reached
        self._view = view
        self._select = what.selection
        self._until = what.until
        self._left = what.count
        self._output = output
        self._environment = environment
        self._notes_apart = not isinstance(view, LineView) and not what.envelope

    def entries(self, entries: list[Entry]) -> None:
        if self.done.is_set():
            return
        if self._until:
            entries = self._up_to_the_last(entries)
        shown = self._select.among(entries)
        if self._left is not None:
            shown = self._counted(shown, self._left)
        shown = [one for one in shown if type(one) is EventEntry or not self._said_apart(one)]
        if lines := self._view.lines(shown):
            lines.append("")
            self._output.write("\n".join(lines))

    async def drain(self) -> None:
        await self._output.drain()

    def _up_to_the_last(self, entries: list[Entry]) -> list[Entry]:
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
            self._environment.warn(f"gap seq {entry.first}–{entry.last}")
            return True
        if isinstance(entry, NoteEntry) and (entry.warning or self._notes_apart):
            self._environment.warn(entry.text)
            return True
        return False


async def tail(room: Room, what: Tail, environment: Environment) -> int:
    """Print until the room ends, or --count, --until, --for. The exit status.

    Raises UsageError, and what joining raises.
    """
    view = what.view(environment)
    for doubt in [*what.selection.only.doubts(), *what.selection.ignore.doubts(), *what.until.doubts()]:
        environment.warn(doubt)
    recorder = record_to(what.record, room)
    output = Output(environment)
    printer = Printer(view, what, output, environment)
    say = environment.say if what.progress else _say_nothing
    session = Session(room, hold=what.hold, recorder=recorder, progress=say)
    session.sinks.append(printer)
    async with output:
        ended = await first_of(_follow(session, what.duration), printer.done, output.gone)
    if recorder is not None and recorder.failed:
        environment.warn(recorder.failed)
        return ExitStatus.FAILED
    if output.gone.is_set():
        return output.status()
    if printer.met or (what.count is None and not what.until):
        return ExitStatus.DONE
    if ended == "time":
        environment.warn(f"{_wanted(what)} did not come within {what.duration:g} s")
        return ExitStatus.NOT_MET
    environment.warn(f"the conversation ended before {_wanted(what)} came")
    return ExitStatus.OVER


async def _follow(session: Session, duration: float | None) -> str:
    async with session:
        try:
            async with asyncio.timeout(duration):
                await session.over_or_idle()
        except TimeoutError:
            return "time"
    return "over"


def _say_nothing(text: str) -> None:
    pass


def _wanted(what: Tail) -> str:
    return " or ".join(what.until.patterns) if what.until else f"event {what.count}"


async def first_of(work: Coroutine[Any, Any, T], *events: asyncio.Event) -> T | None:
    """The result of ``work``, or None when one of the events was set before; then it is cancelled."""
    task = asyncio.ensure_future(work)
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait({task, *waits}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        task.cancel()
        await asyncio.wait({task})
        return None if task.cancelled() else task.result()
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait({task})
        raise
    finally:
        for wait in waits:
            wait.cancel()
