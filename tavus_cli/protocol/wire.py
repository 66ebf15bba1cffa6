"""JSON text of messages, for values that a remote party chose, and what a conversation's id looks like."""

from __future__ import annotations

import json
import re
from typing import Any

MAX_DEPTH = 100  # levels of a message: Daily's client reads fewer than 128, and quotes it all in its error
TOO_DEEP = "nested too deep"  # shown instead of a deeper one

_CONVERSATION_ID = re.compile(r"c[0-9a-z]{5,63}", re.ASCII)
_encode = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), check_circular=False, default=repr
).encode


def is_conversation_id(word: str) -> bool:
    """Whether a word looks like one, and so names a room by itself (section 5.1)."""
    return _CONVERSATION_ID.fullmatch(word) is not None


def from_json(text: str) -> Any:
    """The value of a JSON text. Raises ValueError if it is not JSON, or nested deeper than Python reads."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None


def to_json(value: Any) -> str:
    """Compact JSON text; never fails. NaN stays NaN, an object that JSON lacks becomes its repr."""
    try:
        return _encode(value)
    except RecursionError:
        return f'"{TOO_DEEP}"'
    except (TypeError, ValueError):  # a key that is not a string, a number of thousands of digits
        return '"not JSON"'


def too_deep(value: Any, levels: int = MAX_DEPTH) -> bool:
    """Whether a value has more than so many levels of objects and lists."""
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return False
    return levels == 0 or any(too_deep(inner, levels - 1) for inner in value)


def same(one: Any, other: Any) -> bool:
    """Whether two messages are known to be equal."""
    try:
        return bool(one == other)
    except RecursionError:
        return False
