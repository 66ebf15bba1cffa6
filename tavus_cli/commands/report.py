"""``report``: figures of recordings in several formats; gates and comparisons set the exit status."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tavus_cli.errors import UsageError, redacted, redacted_json
from tavus_cli.protocol.wire import to_json
from tavus_cli.report.compare import TOLERANCE, Change, compare
from tavus_cli.report.gates import Gate, judge
from tavus_cli.report.measures import pooled
from tavus_cli.report.reader import Reader, Result, write_html
from tavus_cli.report.recording import Reported, report_json
from tavus_cli.report.subtitles import TranscriptFormat
from tavus_cli.report.text import figures, text_report
from tavus_cli.rooms.recorded import RecordedRoom
from tavus_cli.session.environment import Environment
from tavus_cli.session.output import Output
from tavus_cli.session.session import Session
from tavus_cli.session.waiting import within
from tavus_cli.settings.table import default


@dataclass(slots=True)
class Report:
    """What to read, and which report to make. ``files`` are recordings, "-" for standard input.

    ``max_worse``: by what share a measure may be worse than in the ``baseline``; None: only show it.
    """

    files: list[str]
    hold: float = default("hold")
    json: bool = False
    markdown: bool = False
    transcript: TranscriptFormat | None = None
    html: str | None = None
    gates: list[Gate] = field(default_factory=list)
    baseline: list[str] = field(default_factory=list)
    max_worse: float | None = None
    otlp: str | None = None
    otlp_content: bool = False


async def report(what: Report, environment: Environment) -> int:
    """Returns the exit status: NOT_MET if a gate fails. Raises UsageError if a file cannot be read."""
    # a timeline grows and has no cycles; scanning it again and again would take a seventh of the time
    gc.disable()
    try:
        return await _report(what, environment)
    finally:
        gc.enable()


async def _report(what: Report, environment: Environment) -> int:
    all = [await _read(name, what.hold, environment) for name in what.files]
    whole = pooled([one.measures for one in all])
    changes: list[Change] = []
    if what.baseline:
        old = pooled([(await _read(name, what.hold, environment)).measures for name in what.baseline])
        changes = compare(old, whole, TOLERANCE if what.max_worse is None else what.max_worse)
    result = Result(all, whole, judge(what.gates, whole), changes, what.max_worse is not None)
    _summary_of_actions(result, environment)
    if what.html is not None:
        write_html(what.html, result)
        environment.say(f"report written to {what.html}")
    if what.otlp is not None:
        await _export(what.otlp, what.otlp_content, result, environment)
    output = Output(environment)
    async with output:
        for text in _in_blocks(_pieces(what, result, environment)):
            output.write(text)
            await output.drain()
            if output.gone.is_set():
                break
    return output.status() if output.gone.is_set() else result.status


async def _export(where: str, content: bool, result: Result, environment: Environment) -> None:
    """Export each recording as a trace.

    Raises UsageError, and CannotJoin if the collector cannot be reached.
    """
    from tavus_cli.report.otlp import export, exporter

    to = exporter(where)
    try:
        for one in result.all:
            name = one.conversation_id or one.name
            count = await within(None, partial(export, one.timeline, name, to, content=content))
            if not count:
                raise UsageError(f"{one.name} has no times, so it gives no trace")
            environment.say(f"{one.name}: {count:,} spans to {where}")
    finally:
        to.close()


async def _read(name: str, hold: float, environment: Environment) -> Reported:
    """Read one recording. Raises UsageError."""
    room = RecordedRoom(name, stdin=environment.stdin)
    session = Session(room, hold=hold)
    reader = Reader(name, environment.warn, environment.say)
    session.sinks.append(reader)
    async with session:
        await session.over_or_idle()
    return reader.reported(room.conversation_id, session.conversation.status.duplicates)


def _pieces(what: Report, result: Result, environment: Environment) -> Iterator[str]:
    """Print to standard output. Raises UsageError if subtitles have no times."""
    if what.json:
        judged = {
            "gates": [one.as_json() for one in result.verdicts],
            "baseline": [one.as_json() for one in result.changes],
        }
        return report_json(result.all, result.whole, judged, _encoder())
    if what.markdown:
        from tavus_cli.report.markdown import markdown

        lines = markdown(result.all, result.whole, result.verdicts, result.changes)
    elif what.transcript is not None:
        from tavus_cli.report.subtitles import transcript

        if len(result.all) > 1:
            raise UsageError("--transcript takes one FILE")
        lines = transcript(result.all[0], what.transcript)
    else:
        lines = _terminal(what, result, environment)
    return (redacted(line) + "\n" for line in lines)


def _terminal(what: Report, result: Result, environment: Environment) -> Iterator[str]:
    theme, columns = environment.theme, environment.columns
    if what.html is None and what.otlp is None:
        for one in result.all:
            yield from text_report(one, theme, columns)
        yield from figures([(one.name, one.measures) for one in result.all], theme, columns)
        if result.changes or result.verdicts:
            yield ""
    for change in result.changes:
        yield theme.paint("warning" if change.outcome == "worse" else "", change.line())
    for verdict in result.verdicts:
        yield theme.paint("" if verdict.passed else "warning", verdict.line())


def _summary_of_actions(result: Result, environment: Environment) -> None:
    """In GitHub Actions, add the figures to the page of the run."""

    from tavus_cli.report.actions import add_to_summary

    def lines() -> Iterator[str]:
        from tavus_cli.report.markdown import markdown

        return markdown(result.all, result.whole, result.verdicts, result.changes)

    add_to_summary(lines, environment)


def _encoder() -> Callable[[Any], str]:
    """A faster ``to_json``, which also removes secrets."""
    from msgspec import json

    encode = json.Encoder().encode

    def written(value: Any) -> str:
        try:
            return encode(value).decode()
        except (ValueError, TypeError, RecursionError, OverflowError):  # lone surrogates
            return to_json(value)

    def encoded(value: Any) -> str:
        text = written(value)
        return text if redacted(text) == text else written(redacted_json(value))

    return encoded


def _in_blocks(pieces: Iterable[str]) -> Iterator[str]:
    """Write about 64 KB at a time: a write for each line would take longer than making it."""
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
