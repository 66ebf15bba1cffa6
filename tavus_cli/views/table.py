"""Tables for the console: turns, tool calls, latencies. Safe lines, never wider than asked for."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from tavus_cli.protocol.turns import ToolCall, Turn
from tavus_cli.views.safe import safe
from tavus_cli.views.status import LOUD_SECONDS, fit, width
from tavus_cli.views.theme import Theme

_GAP = "  "


def turns_table(turns: Sequence[Turn], theme: Theme, columns: int) -> list[str]:
    """A row a turn: its number, and how long its reply took."""
    rows = [[str(turn.idx), _seconds(turn.reply)] for turn in turns]
    return _table(["turn", "reply"], rows, theme, columns) if rows else ["no turn yet"]


def tools_table(calls: Sequence[ToolCall], now: float, theme: Theme, columns: int) -> list[str]:
    """A row a call: its turn, name and id, and how long it took or waits; ``now`` in Unix seconds."""
    rows = []
    for call in calls:
        took = call.answered - call.at if call.answered is not None else None
        waits = max(0.0, now - call.at)
        loud = "!! " if waits >= LOUD_SECONDS else ""
        state = f"{loud}waits {waits:.0f} s" if took is None else f"answered in {_seconds(took)}"
        rows.append(["–" if call.turn is None else str(call.turn.idx), state, call.name, call.id])
    return (
        _table(["turn", "state", "tool", "call id"], rows, theme, columns) if rows else ["no tool call yet"]
    )


def stats(turns: Sequence[Turn], calls: Sequence[ToolCall], theme: Theme, columns: int) -> list[str]:
    """Latencies in seconds: how many, median, 95th percentile, the longest."""
    measured = {
        "reply": [turn.reply for turn in turns if turn.reply is not None],
        "tool call": [call.answered - call.at for call in calls if call.answered is not None],
    }
    rows = [
        [name, str(len(values)), *map(_seconds, (median(values), percentile(values, 95), max(values)))]
        for name, values in measured.items()
        if values
    ]
    return _table(["", "count", "p50", "p95", "max"], rows, theme, columns) if rows else ["no latency yet"]


def percentile(values: Sequence[float], percent: int) -> float:
    """By nearest rank: one of the values; of a few, the 95th is the largest."""
    ordered = sorted(values)
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)]


def _seconds(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


def _table(heads: list[str], rows: list[list[str]], theme: Theme, columns: int) -> list[str]:
    """Columns as wide as they need; the last one is cut where the terminal ends."""
    cells = [[safe(cell).replace("\t", " ") for cell in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(heads, *cells, strict=True)]
    lines = [_row(row, widths, columns) for row in [heads, *cells]]
    return [theme.paint("rule", lines[0]), *lines[1:]]


def _row(cells: list[str], widths: list[int], columns: int) -> str:
    padded = [cell + " " * (wide - width(cell)) for cell, wide in zip(cells, widths, strict=True)]
    return fit(_GAP.join(padded).rstrip(), columns)
