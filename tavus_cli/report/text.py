"""A report for the terminal: the turns with their waterfalls, then the figures. All lines are safe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tavus_cli.report.measures import COUNTS, TIMES, Measures
from tavus_cli.report.recording import Reported
from tavus_cli.report.spans import TurnSpan
from tavus_cli.report.transcript import Line
from tavus_cli.report.waterfall import RowKind, waterfall
from tavus_cli.report.words import CANNOT_TELL, clock, length, seconds, sparkline
from tavus_cli.views.safe import safe
from tavus_cli.views.theme import Theme
from tavus_cli.views.width import fit, width
from tavus_cli.views.wrap import wrapped

ALL_TURNS = 200  # up to this many turns are all shown; of more, the slowest
SLOWEST = 20
_NAME = 14  # columns of a waterfall's names
_BAR = 32
_TEXT_AT = 16
_MARKS: dict[RowKind, str] = {"user": "━", "pal": "━", "inside": "░", "tool": "▓", "barge-in": "▚"}


def text_report(one: Reported, theme: Theme, columns: int) -> Iterator[str]:
    """Everything about one recording; the figures are of ``figures``."""
    timeline = one.timeline
    yield theme.paint("title", fit(_title(one), columns))
    turns = timeline.turns
    if len(turns) > ALL_TURNS:
        turns = slowest(turns)
        yield (
            f"{len(timeline.turns):,} turns; the {len(turns)} slowest are shown. "
            "--transcript has all that was said, --json all turns."
        )
    lines = one.lines_of([*turns, timeline.loose])
    if loose := lines[timeline.loose]:
        yield ""
        yield theme.paint("title", "── outside any turn ──")
        yield from _lines(loose[:ALL_TURNS], timeline.first_at, theme, columns)
    for span in turns:
        rows = [*_turn(span, lines[span], timeline.first_at, theme, columns)]
        yield from ["", *rows] if len(rows) > 1 else []
    yield ""


def slowest(turns: Sequence[TurnSpan], count: int = SLOWEST) -> list[TurnSpan]:
    """The turns with the longest replies, in the order of the conversation."""
    ranked = sorted(range(len(turns)), key=lambda place: -(turns[place].reply or -1.0))[:count]
    return [turns[place] for place in sorted(ranked)]


def figures(all: Sequence[tuple[str, Measures]], theme: Theme, columns: int) -> Iterator[str]:
    """The table of measures; of several recordings side by side, by their p95."""
    if len(all) == 1:
        yield from _figures_of_one(all[0][1], theme, columns)
        return
    names = [safe(name) for name, _ in all]
    wide = [max(14, min(width(name), 28)) for name in names]
    cells = "  ".join(fit(name, size).rjust(size) for name, size in zip(names, wide, strict=True))
    yield theme.paint("title", fit(f"{'p95 (count)':<20}  {cells}", columns))
    for name in TIMES:
        spreads = [measures.spread(name) for _, measures in all]
        if not any(one.count for one in spreads):
            continue
        shown = [f"{seconds(one.p95)} ({one.count:,})" if one.count else "–" for one in spreads]
        cells = "  ".join(cell.rjust(size) for cell, size in zip(shown, wide, strict=True))
        yield fit(f"{name:<20}  {cells}", columns)
    for name in COUNTS:
        counts = [measures.counts[name] for _, measures in all]
        shown = [CANNOT_TELL if count is None else f"{count:,}" for count in counts]
        cells = "  ".join(cell.rjust(size) for cell, size in zip(shown, wide, strict=True))
        yield fit(f"{name:<20}  {cells}", columns)


def _figures_of_one(measures: Measures, theme: Theme, columns: int) -> Iterator[str]:
    head = f"{'':<20} {'count':>9} {'p50':>9} {'p95':>9} {'max':>9}  histogram"
    yield theme.paint("title", fit(head, columns))
    for name, what in TIMES.items():
        one = measures.spread(name)
        if not one.count:
            continue
        row = f"{name:<20} {one.count:>9,} {seconds(one.p50):>9} {seconds(one.p95):>9} {seconds(one.max):>9}"
        yield fit(f"{row}  {sparkline(one):<12}  {what.strip()}", columns)
    if (rate := measures.barge_in_success) is not None:
        yield f"{'barge_in_success':<20} {rate:>9.0%}"
    yield ""
    known = [f"{name} {count:,}" for name, count in measures.counts.items() if count is not None]
    yield from wrapped(" · ".join(known), columns, 0)
    by_reason: dict[str, list[str]] = {}
    for name, reason in measures.reasons.items():
        if reason != "there was none":
            by_reason.setdefault(reason, []).append(name)
    for reason, names in by_reason.items():
        yield from wrapped(f"{CANNOT_TELL}: {', '.join(names)} ({reason})", columns, 2)


def _title(one: Reported) -> str:
    counts = one.measures.counts
    turns = "turns unknown" if counts["turns"] is None else f"{counts['turns']:,} turns"
    if counts["turns"] == 1:
        turns = "1 turn"
    name = safe(one.conversation_id)
    parts = [
        safe(one.name),
        *([name] if name else []),
        turns,
        length(one.seconds),
        f"{counts['events'] or 0:,} events",
    ]
    return " · ".join(parts)


def _turn(
    span: TurnSpan, lines: Sequence[Line], first: float | None, theme: Theme, columns: int
) -> Iterator[str]:
    reply = f" reply {seconds(span.reply)} " if span.reply is not None else " "
    head = f"── turn {span.idx} ──{reply if reply != ' ' else ''}"
    yield theme.paint("title", fit(head + "─" * max(0, min(columns, 80) - width(head)), columns))
    yield from _lines(lines, first, theme, columns)
    yield from _waterfall(span, columns)


def _lines(lines: Sequence[Line], first: float | None, theme: Theme, columns: int) -> Iterator[str]:
    for line in lines:
        text = safe(line.text)
        if line.cut:
            text += " ✂"
            if line.intended is not None:
                text += f" (meant: {safe(line.intended)})"
            elif not line.sure:
                text += " (cut; where is not known)"
        who = "you" if line.role == "user" else "pal"
        row = f"{clock(line.at, first):>9}  {who:<3}  {text}"
        yield from wrapped(row, columns, _TEXT_AT)


def _waterfall(span: TurnSpan, columns: int) -> Iterator[str]:
    """A bar for each stretch of time, on one scale: from the user's first word to the PAL's last."""
    rows = waterfall(span)
    if not rows:
        return
    start, end = min(row.start for row in rows), max(row.end for row in rows)
    scale = _BAR / (end - start) if end > start else 0.0
    for row in rows:
        before = min(_BAR - 1, int((row.start - start) * scale))
        long = min(_BAR - before, max(1, round((row.end - row.start) * scale)))
        bar = " " * before + _MARKS[row.kind] * long
        name = fit(safe(row.name), _NAME)
        name += " " * (_NAME - width(name))
        yield fit(f"{name} {row.took:>8}  {bar:<{_BAR}}  {row.note}".rstrip(), columns)
