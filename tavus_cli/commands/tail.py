"""``tail`` and ``replay``: print the entries of a room, for people or for pipes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TYPE_CHECKING, NamedTuple

from tavus_cli.errors import ExitStatus, UsageError, did_you_mean
from tavus_cli.language.selection import Selection, TypePattern
from tavus_cli.protocol.entries import Entry, EventEntry
from tavus_cli.rooms.room import Room
from tavus_cli.session.environment import Environment, local_strftime
from tavus_cli.session.output import Output
from tavus_cli.session.printer import Printer, View, line_view
from tavus_cli.session.recorder import Redacts, record_to
from tavus_cli.session.session import Session
from tavus_cli.session.waiting import first_of
from tavus_cli.settings.table import default
from tavus_cli.views.jsonl import JsonlView, TemplateView
from tavus_cli.views.line import LineView
from tavus_cli.views.theme import TimesChoice

if TYPE_CHECKING:
    from tavus_cli.rooms.span import Span
    from tavus_cli.tools.options import ToolOptions


class TailOptions(NamedTuple):
    """What to show and when to end. Times in seconds; ``until`` matches event types.

    ``most``: how many events to show, then end. ``span``: the part of a recording. ``progress``: show on a
    terminal what the command waits for (a replay does not wait). ``history``: how many earlier rows of a
    resident session are shown.
    """

    selection: Selection
    until: TypePattern
    format: str = "pretty"
    envelope: bool = False
    times: TimesChoice = "auto"
    seq: bool = False
    most: int | None = None
    duration: float | None = None
    hold: float = default("hold")
    record: str | None = None
    progress: bool = True
    span: Span | None = None
    redact: bool = False
    otlp: str | None = None
    otlp_content: bool = False
    tools: ToolOptions | None = None
    history: int = 0

    def view(self, environment: Environment) -> View | LineView:
        """Raises UsageError for an unknown format."""
        if self.envelope and self.format != "jsonl":
            raise UsageError("--envelope needs --format jsonl")
        if self.format == "jsonl":
            return JsonlView(envelope=self.envelope)
        if self.format == "pretty":
            return line_view(environment, all=self.selection.all, seq=self.seq, times=self.times)
        if "{" not in self.format:
            raise UsageError(
                f"--format must be pretty, jsonl or a template such as '{{seq}} {{text}}', not {self.format}"
                + did_you_mean(self.format, ("pretty", "jsonl"))
            )
        return TemplateView(self.format, local_strftime)

    def redactor(self) -> Redacts | None:
        if not self.redact:
            return None
        from tavus_cli.report.redact import new_redactor

        return new_redactor()

    def traces(self, session: Session, environment: Environment) -> AbstractAsyncContextManager[object]:
        """Raises UsageError where --otlp names neither a URL nor a file."""
        if self.otlp is None:
            return nullcontext()
        from tavus_cli.report.live import tracing

        return tracing(self.otlp, self.otlp_content, session, environment.warn)


async def tail(room: Room, options: TailOptions, environment: Environment) -> int:
    """Print until the room ends, or --count, --until or --for says so.

    Returns the exit status. Raises UsageError, and the errors of joining.
    """
    view = options.view(environment)
    options.selection.wire = options.format == "jsonl"
    seen = None if room.live else Types()  # at the end of a recording, its event types are known too
    if seen is None:
        _question(options, environment)
    recorder = record_to(options.record, room, options.redactor())
    output = Output(environment)
    printer = Printer(
        view,
        options.selection,
        output,
        environment,
        until=options.until,
        count=options.most,
        notes_apart=options.format != "pretty" and not options.envelope,
        history=options.history,
    )
    if room.via and (options.format == "pretty" or options.envelope):
        from tavus_cli.resident.room import with_past

        with_past(room, options.history)
    told = environment if options.progress else None
    session = Session(room, hold=options.hold, recorder=recorder, environment=told)
    session.sinks.append(printer if options.span is None else options.span.within(printer))
    if seen is not None and _doubts(options):
        session.sinks.append(seen)
    traces = options.traces(session, environment)
    answering = options.tools.bridge(session, environment) if options.tools else nullcontext()
    async with output, traces, answering:
        ended = await first_of(_follow(session, options.duration), printer.done, output.gone)
    if seen is not None:
        _question(options, environment, seen.types)
    if recorder is not None and recorder.failed:
        environment.warn(recorder.failed)
        return ExitStatus.FAILED
    if output.gone.is_set():
        return output.status()
    return ExitStatus.DONE if printer.met else _unmet(ended, session, printer, options, environment)


def _unmet(
    ended: str | None, session: Session, printer: Printer, options: TailOptions, environment: Environment
) -> int:
    """The exit status if time ran out or the room ended first; prints what did not arrive, and why."""
    open_wish = options.most is not None or bool(options.until)
    if ended == "time":
        if not open_wish:
            return ExitStatus.DONE
        environment.warn(f"{_wanted(options)} did not arrive within {options.duration:g} s{session.trouble}")
        return ExitStatus.NOT_MET if session.down is None else ExitStatus.CANNOT_JOIN
    if session.over is None and open_wish:  # a recording, or simulated time that stands still
        environment.warn(f"the conversation ended before {_wanted(options)} came")
    elif session.over is not None:
        before = f"; it ended before {_wanted(options)} came" if open_wish else ""
        if before or not printer.said(session.ending):
            environment.warn(session.ending + before)
    if session.cut_off:
        return ExitStatus.CANNOT_JOIN
    return ExitStatus.OVER if open_wish else ExitStatus.DONE


class Types:
    """A sink that remembers event types.

    They are remote text, so it keeps at most a thousand, and no long ones.
    """

    def __init__(self) -> None:
        self.types: set[str] = set()

    def entries(self, entries: list[Entry]) -> None:
        if len(self.types) < 1_000:
            types = {one.event.type for one in entries if isinstance(one, EventEntry)}
            self.types |= {one for one in types if len(one) <= 200}

    async def drain(self) -> None:
        pass


def _doubts(options: TailOptions, seen: Iterable[str] = ()) -> list[str]:
    return [*options.selection.doubts(seen), *options.until.doubts(seen)]


def _question(options: TailOptions, environment: Environment, seen: Iterable[str] = ()) -> None:
    for doubt in _doubts(options, seen):
        environment.warn(doubt)


async def _follow(session: Session, duration: float | None) -> str:
    async with session:
        try:
            async with asyncio.timeout(duration):
                await session.over_or_idle()
        except TimeoutError:
            return "time"
    return "over"


def _wanted(options: TailOptions) -> str:
    return " or ".join(options.until.patterns) if options.until else f"event {options.most}"
