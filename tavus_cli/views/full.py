"""One entry in full: what the console knows about it, then its message as JSON; images by type and size."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from tavus_cli.protocol.entries import EventEntry, SentEntry
from tavus_cli.protocol.wire import TOO_DEEP, to_json, too_deep, without_bytes
from tavus_cli.views.numbers import latency
from tavus_cli.views.safe import safe, safe_json
from tavus_cli.views.theme import Theme
from tavus_cli.views.wrap import wrapped

_INDENT = 6  # indent of continued lines
# A string, which may be a key; a number; true, false or null.
_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")(?=(:)?)|-?\d[\d.eE+-]*|\b(?:true|false|null)\b')


def full(
    entry: EventEntry | SentEntry,
    theme: Theme,
    columns: int | None = None,
    local_time: Callable[[int], str] | None = None,
) -> list[str]:
    """Safe lines, broken between words where ``columns`` are given. Times are Unix seconds, or local.

    The first line has the numbers. The rest is JSON of the message, with the size of images and sounds
    instead of their bytes.
    """
    event = entry.event

    def _time(at: float | None) -> str | None:
        if at is None or local_time is None:
            return None if at is None else f"{at:.3f}"
        return f"{local_time(int(at))}.{int(at % 1 * 1000):03d}"

    facts = {
        "seq": event.seq,
        "turn": entry.turn.idx if entry.turn is not None else None,
        "role": event.role,
        "inference": event.inference_id,
        "from": event.sender,
        "created": _time(event.timestamp),
        "sent" if isinstance(entry, SentEntry) else "came": _time(entry.at),
        "folded as": entry.fold,
    }
    known = [f"{name} {safe(str(value))}" for name, value in facts.items() if value is not None]
    head = "  ".join([safe(event.type) or "not a Tavus message", *known, *_happened(entry)])
    lines = [theme.paint("title", head), *(_painted(line, theme) for line in _message(event.message))]
    if columns is None:
        return lines
    return [row for line in lines for row in wrapped(line, columns, _INDENT)]


def _painted(line: str, theme: Theme) -> str:
    """One line of JSON with keys, strings and other values in their colours."""
    if not theme.styles:
        return line

    def paint(found: re.Match[str]) -> str:
        style = "name" if found[2] else "text" if found[1] else "tool"
        return theme.paint(style, found[0])

    return _TOKEN.sub(paint, line)


def _happened(entry: EventEntry | SentEntry) -> Iterator[str]:
    """Marks of its number, and latencies."""
    if isinstance(entry, SentEntry):
        if entry.echo is not None:
            yield f"heard in {entry.echo * 1000:.0f} ms"
        if entry.call is not None and entry.call.answered is not None:
            took = latency(entry.call.answered - entry.call.at)
            yield f"answers {safe(entry.call.name)} after {took}"
        return
    if entry.late:
        yield "late"
    if entry.back:
        yield "of an earlier turn"
    if entry.differs:
        yield "seq seen before, with different content"
    if entry.reply is not None:
        yield f"reply {entry.reply:.2f} s"


def _message(message: Any) -> list[str]:
    if too_deep(message):
        return [TOO_DEEP]
    shown = without_bytes(message)
    try:
        text = json.dumps(shown, indent=2, ensure_ascii=False)
    except (TypeError, ValueError):  # too big a number, not JSON
        text = to_json(shown)
    return [safe_json(line) for line in text.split("\n")]
