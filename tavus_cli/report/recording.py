"""The results of one recording: its name, timeline and measures; also as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tavus_cli.report.measures import BOUNDS, Measures, Part, parts, rounded
from tavus_cli.report.spans import TurnSpan
from tavus_cli.report.timeline import Timeline
from tavus_cli.report.transcript import Line


@dataclass(slots=True, eq=False)
class Reported:
    """``name`` is the file as given, ``warnings`` are about problems in it."""

    name: str
    conversation_id: str
    timeline: Timeline
    measures: Measures
    warnings: list[str]

    @property
    def seconds(self) -> float | None:
        """From the first event to the last."""
        first, last = self.timeline.first_at, self.timeline.last_at
        return None if first is None or last is None else last - first

    def lines_of(self, spans: list[TurnSpan]) -> dict[TurnSpan, list[Line]]:
        """The lines of the transcript of these turns."""
        wanted: dict[TurnSpan, list[Line]] = {span: [] for span in spans}
        for line in self.timeline.transcript.lines:
            if line.turn in wanted:
                wanted[line.turn].append(line)
        return wanted

    def head(self) -> dict[str, Any]:
        timeline = self.timeline
        return {
            "file": self.name,
            "conversation_id": self.conversation_id,
            "started": rounded(timeline.first_at),
            "seconds": rounded(self.seconds),
            "measures": self.measures.as_json(),
            "cannot_tell": self.measures.reasons,
            "unknown_types": timeline.unknown_types,
            "unknown_fields": timeline.unknown_fields,
            "warnings": self.warnings,
        }

    def turns_json(self) -> Iterator[dict[str, Any]]:
        """An object for each turn, in the order in which they began."""
        for span in self.timeline.turns:
            yield turn_json(span)

    def lines_json(self) -> Iterator[dict[str, Any]]:
        for line in self.timeline.transcript.lines:
            yield line_json(line)


def turn_json(span: TurnSpan) -> dict[str, Any]:
    """Times in Unix seconds, the rest in seconds."""
    return {
        "turn": span.idx,
        "started": rounded(span.started),
        "by": span.by if span.asked is not None else None,
        "asked": rounded(span.asked),
        "replied": rounded(span.replied),
        "reply": rounded(span.reply),
        "parts": [part_json(part) for part in parts(span)],
        "calls": [
            {
                "name": call.name,
                "id": call.id or None,
                "at": rounded(call.at),
                "seconds": rounded(max(0.0, call.answered - call.at))
                if call.at is not None and call.answered is not None
                else None,
                "answered": call.done,
                "failed": call.failed,
            }
            for call in span.calls
        ],
        "speech": [
            {
                "role": one.role,
                "start": rounded(one.start),
                "end": rounded(one.end),
                "interrupted": one.interrupted,
            }
            for one in span.speeches
        ],
        "barge_ins": [
            {
                "at": rounded(one.at),
                "by": one.by,
                "success": one.success,
                "stop": rounded(None if one.stopped is None else one.stopped - one.at),
            }
            for one in span.barge_ins
        ],
    }


def part_json(part: Part) -> dict[str, Any]:
    where = "inside Tavus" if part.inside else "here"
    out = {"part": part.kind, "start": rounded(part.start), "seconds": rounded(part.seconds), "where": where}
    return out | ({"tool": part.tool} if part.tool else {})


def line_json(line: Line) -> dict[str, Any]:
    """``intended`` only if the PAL meant to say more than it did."""
    out = {
        "turn": line.turn.idx,
        "role": line.role,
        "start": rounded(line.at),
        "end": rounded(line.end),
        "text": line.text,
        "interrupted": line.cut,
        "typed": line.typed,
    }
    if line.intended is not None:
        out["intended"] = line.intended
    if not line.sure:
        out["cut_unknown"] = True
    return out


def report_json(
    all: list[Reported], whole: Measures, rest: dict[str, Any], to_json: Any, turns: bool = True
) -> Iterator[str]:
    """One JSON object in pieces, so that a long recording need not fit into memory as text."""
    head = {
        "report": 1,
        "measures": whole.as_json(),
        "cannot_tell": whole.reasons,
        "histogram_bounds": list(BOUNDS),
        **rest,
    }
    yield to_json(head)[:-1] + ',"recordings":['
    for number, one in enumerate(all):
        yield "," * (number > 0) + to_json(one.head())[:-1]
        if turns:
            for name, rows in (("turns", one.turns_json()), ("transcript", one.lines_json())):
                yield f',"{name}":['
                for place, row in enumerate(rows):
                    yield "," * (place > 0) + to_json(row)
                yield "]"
        yield "}"
    yield "]}\n"
