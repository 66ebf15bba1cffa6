"""A report as Markdown: for a pull request, and for the summary of a run in GitHub Actions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tavus_cli.errors import redacted
from tavus_cli.report.compare import Change
from tavus_cli.report.gates import GateResult
from tavus_cli.report.measures import COUNTS, TIMES, Measures, parts
from tavus_cli.report.recording import Reported
from tavus_cli.report.spans import TurnSpan
from tavus_cli.report.text import slowest
from tavus_cli.report.words import CANNOT_TELL, PART_NAMES, length, seconds
from tavus_cli.views.safe import safe

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~>@-])")
_ICONS = {True: "✅", False: "❌", None: "❔"}
_SLOW = 10


def markdown(
    all: Sequence[Reported], whole: Measures, verdicts: Sequence[GateResult], changes: Sequence[Change]
) -> Iterator[str]:
    """Lines: gates, comparison, figures, the slowest turns."""
    yield "# Report"
    yield ""
    for one in all:
        turns = one.measures.counts["turns"]
        count = CANNOT_TELL if turns is None else f"{turns:,}"
        yield f"- {escaped(one.name)}: turns {count}, {length(one.seconds)}"
    yield ""
    if verdicts:
        rows = [
            [f"{_ICONS[one.passed]} {one.word}", escaped(one.line().removeprefix(one.word))]
            for one in verdicts
        ]
        yield from table_rows(["gate", ""], rows)
    if changes:
        yield from table_rows(
            ["compared with the baseline", "measure", "change"],
            [[one.outcome, escaped(one.name), escaped(one.text)] for one in changes],
        )
    yield from _figures(all, whole)
    turns_ = [
        (one, span) for one in all for span in slowest(one.timeline.turns, _SLOW) if span.reply is not None
    ]
    if turns_:
        ranked = sorted(turns_, key=lambda pair: -(pair[1].reply or 0.0))[:_SLOW]
        rows = [
            [escaped(one.name), str(span.idx), seconds(span.reply), escaped(sum_of_parts(span))]
            for one, span in ranked
        ]
        yield from table_rows(["the slowest turns", "turn", "reply", "its parts"], rows)


def sum_of_parts(span: TurnSpan) -> str:
    """ "0.31 s first event + 84 ms get_hours + 0.75 s words"."""
    return " + ".join(
        f"{seconds(part.seconds)} {part.tool if part.kind == 'tool' else PART_NAMES[part.kind]}"
        for part in parts(span)
    )


def escaped(text: str) -> str:
    """Remote text, escaped for Markdown, also in a table."""
    plain = safe(redacted(text)).replace("&", "&amp;").replace("<", "&lt;")
    return _SPECIAL.sub(r"\\\1", plain)


def _figures(all: Sequence[Reported], whole: Measures) -> Iterator[str]:
    rows = []
    for name, what in TIMES.items():
        one = whole.spread(name)
        if one.count:
            rows.append(
                [escaped(name), f"{one.count:,}", *map(seconds, (one.p50, one.p95, one.max)), what.strip()]
            )
    yield from table_rows(["measure", "count", "p50", "p95", "max", ""], rows)
    counts = [
        [escaped(name), CANNOT_TELL if count is None else f"{count:,}", what]
        for name, what in COUNTS.items()
        if (count := whole.counts[name]) or count is None
    ]
    yield from table_rows(["count", "", ""], counts)


def table_rows(heads: list[str], rows: Sequence[list[str]]) -> Iterator[str]:
    """A table, followed by an empty line; nothing without rows. Cells contain Markdown."""
    if not rows:
        return
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""
