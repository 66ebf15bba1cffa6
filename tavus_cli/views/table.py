"""Tables: the one way to draw them, and those of turns, tool calls and latencies."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from statistics import median
from typing import NamedTuple

from tavus_cli.protocol.turns import ToolCall, Turn
from tavus_cli.views.numbers import UNKNOWN, clock, lasted, latency
from tavus_cli.views.safe import flat
from tavus_cli.views.status import LOUD_SECONDS
from tavus_cli.views.theme import Theme
from tavus_cli.views.width import fit, padded, width

_GAP = "  "
WIDEST = 32  # columns of a cell: a long name must not push other columns off the screen
UNCUT = 10_000  # columns if nothing is to be cut
_NARROWEST = 4  # the least width of the column that shrinks

Row = tuple[str, Sequence[str]]


def turns_table(
    turns: Sequence[Turn], theme: Theme, columns: int, words: Mapping[Turn, str] | None = None
) -> list[str]:
    """A row for each turn: number, start after the first turn, latency, and first words."""
    if not turns:
        return [fit("no turns yet", columns)]
    first = min(turn.started for turn in turns)
    rows = []
    for turn in turns:
        spoke = UNKNOWN if turn.spoke is None else lasted(turn.spoke)
        began = f"+{clock(turn.started - first)}"
        cells = [str(turn.idx), began, latency(turn.reply), spoke, (words or {}).get(turn, "")]
        rows.append(("", cells))
    return table(["turn", "began", "reply", "spoke", "first words"], rows, theme, columns)


def tools_table(
    calls: Sequence[ToolCall],
    now: float,
    theme: Theme,
    columns: int,
    passed: Callable[[ToolCall], bool] = lambda call: False,
) -> list[str]:
    """A row for each call: turn, how long it took or waits, name, id and arguments; ``now`` in Unix seconds.

    ``passed``: the PAL has continued without the result.
    From LOUD_SECONDS on, an awaited call is highlighted by "!!" and the colour of warnings.
    """
    if not calls:
        return [fit("no tool calls yet", columns)]
    rows = []
    for call in calls:
        took = _took(call)
        waits = max(0.0, now - call.at)
        loud = False
        if took is not None:
            state = f"answered in {latency(took)}"
        elif not call.awaited:
            state = "needs no answer"
        elif passed(call):
            state = "passed over"
        else:
            loud = waits >= LOUD_SECONDS
            state = f"waits {clock(waits)}"
        turn = UNKNOWN if call.turn is None else str(call.turn.idx)
        cells = [turn, "!! " * loud + state, call.name, call.id, call.arguments]
        rows.append(("warning" if loud else "", cells))
    return table(["turn", "state", "tool", "call id", "arguments"], rows, theme, columns)


class RunRow(NamedTuple):
    """A tool call answered here, or attempted. Times in seconds since it arrived; None: not yet."""

    turn: int | None
    state: str
    started: float | None
    answered: float | None
    spoken: float | None
    name: str
    id: str


def runs_table(runs: Sequence[RunRow], theme: Theme, columns: int) -> list[str]:
    """A row for each call, with the times from the call to each of three moments."""
    rows = [
        (
            "warning" if one.state == "failed" else "",
            [
                UNKNOWN if one.turn is None else str(one.turn),
                one.state,
                *map(latency, (one.started, one.answered, one.spoken)),
                one.name,
                one.id,
            ],
        )
        for one in runs
    ]
    return table(["turn", "state", "started", "answered", "spoken", "tool", "call id"], rows, theme, columns)


def stats(
    turns: Sequence[Turn],
    calls: Sequence[ToolCall],
    theme: Theme,
    columns: int,
    by_hand: Collection[str] = (),
) -> list[str]:
    """Latencies of replies and of answered tool calls: how many, median, 95th percentile, max.

    Replies that waited for a call which a person answered (``by_hand``: ids) are counted apart.
    """
    waited = waited_for_a_person(calls, by_hand)
    kinds = {
        "reply": [turn.reply for turn in turns if turn.reply is not None and turn not in waited],
        "reply after your tool answer": [
            turn.reply for turn in turns if turn.reply is not None and turn in waited
        ],
        "tool call": [took for took in map(_took, calls) if took is not None],
    }
    rows: list[Row] = [
        (
            "",
            [name, f"{len(values):,}", *map(latency, (median(values), percentile(values, 95), max(values)))],
        )
        for name, values in kinds.items()
        if values
    ]
    if not rows:
        return [fit("no latencies yet", columns)]
    return table(["", "count", "p50", "p95", "max"], rows, theme, columns)


def waited_for_a_person(calls: Sequence[ToolCall], by_hand: Collection[str]) -> set[Turn]:
    """The turns whose reply waited for a call which a person answered."""
    return {
        call.turn
        for call in calls
        if call.id in by_hand and call.turn is not None and _replied_after(call.turn, call)
    }


def _replied_after(turn: Turn, call: ToolCall) -> bool:
    return turn.replied is not None and call.answered is not None and turn.replied >= call.answered


def percentile(values: Sequence[float], percent: int) -> float:
    """A percentile by nearest rank, so it is one of the values; of a few values, the 95th is the largest."""
    ordered = sorted(values)
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)]


def _took(call: ToolCall) -> float | None:
    """Seconds, never below zero: two different clocks may have measured."""
    return None if call.answered is None else max(0.0, call.answered - call.at)


def table(
    heads: Sequence[str],
    rows: Sequence[Row],
    theme: Theme,
    columns: int,
    *,
    shrinks: int = -1,
    widest: int = WIDEST,
) -> list[str]:
    """Safe lines, never wider than ``columns``; a row is a style ("" for none) and its cells.

    Columns are as wide as needed, at most ``widest``. The column ``shrinks`` (by default the last) gets the
    remaining width.
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
