"""JSON text of messages with untrusted values, and the format of conversation ids."""

from __future__ import annotations

import json
import re
from typing import Any

MAX_DEPTH = 100  # levels of a message: Daily's client reads fewer than 128, and quotes it all in its error
TOO_LONG = "a number with too many digits"
TOO_DEEP = "nested too deep"  # shown instead of a deeper one
MAX_TIME = 1e11  # Unix seconds: a larger number is milliseconds, or not a time
_BINARY = 200  # characters: longer base64 is an image or a sound, not a word
_BASE64 = r"[A-Za-z0-9+/_-]*={0,2}"
_SEPARATORS = str.maketrans("", "", "._- ")

_CONVERSATION_ID = re.compile(r"c[0-9a-z]{5,63}", re.ASCII)
_encode = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), check_circular=False, default=repr
).encode


def is_conversation_id(word: str) -> bool:
    """Whether a word looks like a conversation id, which also names a room (section 5.1)."""
    return _CONVERSATION_ID.fullmatch(word) is not None


def from_json(text: str) -> Any:
    """The value of a JSON text. Raises ValueError if it is not JSON, or nested deeper than Python reads."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    except json.JSONDecodeError:
        raise
    except ValueError:  # Python's own text advises its programmers
        raise ValueError(TOO_LONG) from None


def to_json(value: Any) -> str:
    """Compact JSON text; never fails. NaN stays NaN; a value that JSON cannot express becomes its repr."""
    try:
        return _encode(value)
    except RecursionError:
        return f'"{TOO_DEEP}"'
    except (TypeError, ValueError):  # a key that is not a string, a number of thousands of digits
        return '"not JSON"'


def too_deep(value: Any, levels: int = MAX_DEPTH) -> bool:
    """Whether a value has more than ``depth`` levels of objects and lists."""
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return False
    return levels == 0 or any(too_deep(inner, levels - 1) for inner in value)


def folded(name: str) -> str:
    """The name of a type or field without case and separators, because clients spell them differently."""
    return name.lower().translate(_SEPARATORS)


def without_bytes(value: Any) -> Any:
    """A copy with "(3,000 B)" in place of images and sounds, which are long base64."""
    if isinstance(value, dict):
        return {name: _cut(name, inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_cut("", inner) for inner in value]
    return value


def _cut(name: Any, value: Any) -> Any:
    if not isinstance(value, str):
        return without_bytes(value)
    data = value.partition(";base64,")[2] if value.startswith("data:") else value
    if len(data) <= _BINARY or " " in data or not re.fullmatch(_BASE64, data):
        return value
    mixed = not (data.isalpha() or data.islower() or data.isupper())
    if name not in ("data", "audio") and not mixed:
        return value
    return f"({len(data.rstrip('=')) * 3 // 4:,} B)"


def unix_time(value: Any) -> float | None:
    """Unix seconds from seconds, milliseconds or ISO 8601; None for anything else."""
    if type(value) is float or type(value) is int:
        if value >= MAX_TIME:
            return value / 1_000 if value < MAX_TIME * 1_000 else None
        return float(value) if value >= 0 else None
    return iso_time(value)


def iso_time(value: Any) -> float | None:
    """ISO 8601 as Unix seconds; without a zone it is UTC, as Tavus' own times are. None if not valid."""
    if not isinstance(value, str) or len(value) > 40 or "-" not in value:
        return None
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(value.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, moment.timestamp())
    except (ValueError, OverflowError, OSError):
        return None


def same(one: Any, other: Any) -> bool:
    """Whether two messages are known to be equal."""
    try:
        return bool(one == other)
    except RecursionError:
        return False
