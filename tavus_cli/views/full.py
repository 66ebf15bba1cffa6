"""One entry in full: what the console knows of it, then its message as JSON; images by type and size."""

from __future__ import annotations

import json
from typing import Any

from tavus_cli.protocol.conversation import EventEntry, SentEntry
from tavus_cli.protocol.wire import to_json
from tavus_cli.views.safe import safe
from tavus_cli.views.theme import Theme

_IMAGE = 200  # characters of base64 from which on it is an image and not a word


def full(entry: EventEntry | SentEntry, theme: Theme) -> list[str]:
    """Safe lines; the long ones are as long as they are."""
    event = entry.event
    facts = {
        "seq": event.seq,
        "turn": entry.turn.idx if entry.turn is not None else None,
        "role": event.role,
        "sent": f"{event.timestamp:.3f}" if event.timestamp is not None else None,
        "came": f"{entry.at:.3f}",
        "folded as": entry.fold,
    }
    known = "  ".join(f"{name} {safe(str(value))}" for name, value in facts.items() if value is not None)
    head = f"{safe(event.type) or 'no Tavus message'}  {known}"
    return [theme.paint("rule", head), *_message(event.message)]


def _message(message: Any) -> list[str]:
    try:
        text = json.dumps(_without_images(message), indent=2, ensure_ascii=False)
    except (RecursionError, ValueError):  # too deep to be indented, or too big a number
        text = to_json(message)
    return [safe(line) for line in text.split("\n")]


def _without_images(value: Any) -> Any:
    if isinstance(value, dict):
        data = value.get("data")
        if isinstance(data, str) and len(data) > _IMAGE and "mime_type" in value:
            return value | {"data": f"({len(data) * 3 // 4:,} B)"}
        return {key: _without_images(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_images(inner) for inner in value]
    return value
