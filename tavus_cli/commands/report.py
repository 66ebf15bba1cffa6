"""``report``: recordings to figures, in each of its outputs; gates and comparisons decide the exit status."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tavus_cli.errors import ExitStatus
from tavus_cli.protocol.conversation import Entry, NoteEntry
from tavus_cli.protocol.ordering import HOLD_SECONDS
from tavus_cli.protocol.wire import to_json
from tavus_cli.report.measures import measure, pooled
from tavus_cli.report.recording import Reported, report_json
from tavus_cli.report.text import figures, text_report
from tavus_cli.report.timeline import Timeline
from tavus_cli.rooms.recorded import RecordedRoom
from tavus_cli.session.environment import Environment
from tavus_cli.session.output import Output
from tavus_cli.session.session import Session

_TOLD_EVERY = 100_000  # events


@dataclass(slots=True)
class Report:
    """What to read and what to make of it. ``files`` are recordings, "-" for standard input."""

    files: list[str]
    hold: float = HOLD_SECONDS
    json: bool = False


class Reader:
    """A sink: entries to a timeline; warnings are kept, and a terminal sees how far it is."""

    def __init__(self, environment: Environment, name: str) -> None:
        self.timeline = Timeline()
        self.warnings: list[str] = []
        self._environment = environment
        self._name = name
        self._told = _TOLD_EVERY

    def entries(self, entries: list[Entry]) -> None:
        self.timeline.entries(entries)
        for entry in entries:
            if type(entry) is NoteEntry and entry.warning:
                self.warnings.append(entry.text)
                self._environment.warn(entry.text)
        if self.timeline.counts.events >= self._told:
            self._environment.say(f"{self._name}: {self._told:,} events …")
            self._told += _TOLD_EVERY

    async def drain(self) -> None:
        pass


async def report(what: Report, environment: Environment) -> int:
    """The exit status. Raises UsageError where a file cannot be read."""
    all = [await read(name, what.hold, environment) for name in what.files]
    whole = pooled([one.measures for one in all])
    output = Output(environment)
    async with output:
        pieces: Iterator[str] = (
            report_json(all, whole, {}, _encoder()) if what.json else _terminal(all, environment)
        )
        for text in _in_blocks(pieces):
            output.write(text)
            await output.drain()
            if output.gone.is_set():
                return output.status()
    return ExitStatus.DONE


async def read(name: str, hold: float, environment: Environment) -> Reported:
    """One recording through the pipeline. Raises UsageError."""
    room = RecordedRoom(name)
    session = Session(room, hold=hold)
    reader = Reader(environment, name)
    session.sinks.append(reader)
    async with session:
        await session.over_or_idle()
    measures = measure(reader.timeline, session.conversation.status.duplicates)
    return Reported(name, room.conversation_id, reader.timeline, measures, reader.warnings)


def _terminal(all: list[Reported], environment: Environment) -> Iterator[str]:
    theme, columns = environment.theme, environment.columns
    for one in all:
        for line in text_report(one, theme, columns):
            yield line + "\n"
    for line in figures([(one.name, one.measures) for one in all], theme, columns):
        yield line + "\n"


def _encoder() -> Callable[[Any], str]:
    """JSON text as ``to_json`` writes it, faster; to a person's words nothing is impossible."""
    from msgspec import json

    encode = json.Encoder().encode

    def encoded(value: Any) -> str:
        try:
            return encode(value).decode()
        except (ValueError, TypeError, RecursionError, OverflowError):  # lone surrogates
            return to_json(value)

    return encoded


def _in_blocks(pieces: Iterable[str]) -> Iterator[str]:
    """Some 64 KB at a time: a write for each line would take longer than making it."""
    block: list[str] = []
    size = 0
    for piece in pieces:
        block.append(piece)
        size += len(piece)
        if size >= 1 << 16:
            yield "".join(block)
            block.clear()
            size = 0
    yield "".join(block)
