"""The rows of a turn's waterfall, for every output: what took how long."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from tavus_cli.report.measures import Part, parts
from tavus_cli.report.spans import TurnSpan
from tavus_cli.report.words import PART_NAMES, seconds

RowKind = Literal["user", "pal", "inside", "tool", "barge-in"]


class Row(NamedTuple):
    """A stretch of time; ``name`` of a tool is remote text. A part of the reply is marked by an arrow."""

    kind: RowKind
    name: str
    start: float
    end: float
    note: str

    @property
    def took(self) -> str:
        """ "840 ms"; "" for a moment."""
        return seconds(self.end - self.start) if self.end > self.start else ""


def waterfall(span: TurnSpan) -> list[Row]:
    """The rows, ordered by start, then by end."""
    reply = parts(span)
    rows = [*map(_part, reply), *_speeches(span), *_calls(span, {part.tool for part in reply})]
    for one in span.barge_ins:
        if one.stopped is not None:
            rows.append(Row("barge-in", "barge-in", one.at, one.stopped, f"by {one.by}"))
        elif one.success is False:
            rows.append(Row("barge-in", "barge-in", one.at, one.at, f"by {one.by}, without effect"))
    return sorted(rows, key=lambda row: (row.start, row.end))


def _part(part: Part) -> Row:
    if part.inside:
        return Row("inside", f"→ {PART_NAMES[part.kind]}", part.start, part.end, "inside Tavus")
    return Row("tool", f"→ {part.tool}", part.start, part.end, "tool call, answered")


def _speeches(span: TurnSpan) -> Iterator[Row]:
    for one in span.speeches:
        if one.end is None:
            continue
        note = "✂ interrupted" if one.interrupted else ""
        if one.role == "user":
            yield Row("user", "you speak", one.start, one.end, note)
        else:
            yield Row("pal", "pal speaks", one.start, one.end, note)


def _calls(span: TurnSpan, shown: set[str]) -> Iterator[Row]:
    """Rows that are not parts of the reply."""
    for call in span.calls:
        if call.at is None or call.name in shown:
            continue
        if call.answered is not None:
            note = "failed" if call.failed else "answered"
            yield Row("tool", call.name, call.at, max(call.at, call.answered), note)
        else:
            yield Row(
                "tool", call.name, call.at, call.at, "" if call.perception or not call.id else "no answer"
            )
