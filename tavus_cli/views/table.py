"""Tables: the one way to draw them, and those of turns, tool calls and latencies."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from tavus_cli.protocol.turns import ToolCall, Turn
from tavus_cli.views.safe import flat
from tavus_cli.views.status import LOUD_SECONDS
from tavus_cli.views.theme import Theme
from tavus_cli.views.width import fit, padded, width

_GAP = "  "
_WIDEST = 32  # columns of a cell: one long name must not push what follows off the screen
UNCUT = 10_000  # columns, where nothing is to be cut
_NARROWEST = 4  # of the column that shrinks
_UNKNOWN = "–"

Row = tuple[str, Sequence[str]]


def turns_table(turns: Sequence[Turn], theme: Theme, columns: int) -> list[str]:
    """A row a turn: its number, when it began after the first of them, and how long its reply took."""
    if not turns:
        return [fit("no turn yet", columns)]
    first = min(turn.started for turn in turns)
    rows = [("", [str(turn.idx), _clock(turn.started - first), _seconds(turn.reply)]) for turn in turns]
    return table(["turn", "began", "reply"], rows, theme, columns)


def tools_table(calls: Sequence[ToolCall], now: float, theme: Theme, columns: int) -> list[str]:
    """A row a call: its turn, name and id, and how long it took or waits; ``now`` in Unix seconds.

    From LOUD_SECONDS on a waiting one is loud: by "!!", and by the colour of warnings.
    """
    if not calls:
        return [fit("no tool call yet", columns)]
    rows = []
    for call in calls:
        took = _took(call)
        waits = max(0.0, now - call.at)
        loud = took is None and waits >= LOUD_SECONDS
        state = f"answered in {_seconds(took)}" if took is not None else f"waits {_whole(waits)}"
        turn = _UNKNOWN if call.turn is None else str(call.turn.idx)
        rows.append(("warning" if loud else "", [turn, "!! " * loud + state, call.name, call.id]))
    return table(["turn", "state", "tool", "call id"], rows, theme, columns)


class RunRow(NamedTuple):
    """A tool call that this side answers, or tried to. Times in seconds since it came, None: not yet."""

    turn: int | None
    state: str
    started: float | None
    answered: float | None
    spoken: float | None
    name: str
    id: str


def runs_table(runs: Sequence[RunRow], theme: Theme, columns: int) -> list[str]:
    """A row a call, with what it took from the call to each of three moments."""
    rows = [
        (
            "warning" if one.state == "failed" else "",
            [
                _UNKNOWN if one.turn is None else str(one.turn),
                one.state,
                *map(_seconds, (one.started, one.answered, one.spoken)),
                one.name,
                one.id,
            ],
        )
        for one in runs
    ]
    return table(["turn", "state", "started", "answered", "spoken", "tool", "call id"], rows, theme, columns)


def stats(turns: Sequence[Turn], calls: Sequence[ToolCall], theme: Theme, columns: int) -> list[str]:
    """Latencies of the turns' replies and of answered tool calls: how many, median, 95th percentile, max."""
    replies = [turn.reply for turn in turns if turn.reply is not None]
    answers = [took for took in map(_took, calls) if took is not None]
    rows: list[Row] = [
        (
            "",
            [name, f"{len(values):,}", *map(_seconds, (median(values), percentile(values, 95), max(values)))],
        )
        for name, values in (("reply", replies), ("tool call", answers))
        if values
    ]
    if not rows:
        return [fit("no latency yet", columns)]
    return table(["", "count", "p50", "p95", "max"], rows, theme, columns)


def percentile(values: Sequence[float], percent: int) -> float:
    """By nearest rank: one of the values; of a few, the 95th is the largest."""
    ordered = sorted(values)
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)]


def _took(call: ToolCall) -> float | None:
    """Seconds; never below zero, although two clocks may have measured."""
    return None if call.answered is None else max(0.0, call.answered - call.at)


def _seconds(value: float | None) -> str:
    if value is None:
        return _UNKNOWN
    return f"{value * 1000:.0f} ms" if value < 0.9995 else f"{value:.2f} s"


def _whole(seconds: float) -> str:
    """ "12 s", and from ten minutes on "10 min"."""
    return f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 60:.0f} min"


def _clock(seconds: float) -> str:
    """ "+0:07", "+1:02:03"."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"+{hours}:{minute:02}:{second:02}" if hours else f"+{minute}:{second:02}"


def table(
    heads: Sequence[str],
    rows: Sequence[Row],
    theme: Theme,
    columns: int,
    *,
    shrinks: int = -1,
    widest: int = _WIDEST,
) -> list[str]:
    """Safe lines, never wider than ``columns``; a row is a style ("" for none) and its cells.

    Columns are as wide as they need to be, ``widest`` at most. The one of number ``shrinks`` (the last)
    gets what the others leave.
    """
    shrinks %= len(heads)
    lines = [("title", [*heads]), *((style, [flat(cell) for cell in cells]) for style, cells in rows)]
    needed = [max(width(cells[n]) for _, cells in lines) for n in range(len(heads))]
    widths = [need if n == shrinks else min(need, widest) for n, need in enumerate(needed)]
    others = sum(widths) - widths[shrinks] + len(_GAP) * (len(heads) - 1)
    widths[shrinks] = min(widths[shrinks], max(_NARROWEST, columns - others))
    drawn = []
    for style, cells in lines:
        row = _GAP.join(padded(fit(cell, wide), wide) for cell, wide in zip(cells, widths, strict=True))
        drawn.append(theme.paint(style, fit(row.rstrip(), columns)))
    return drawn
