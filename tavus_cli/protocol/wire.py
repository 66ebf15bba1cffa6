"""JSON text of messages, for values that a remote party chose: any depth, NaN, lone surrogates.

``json`` gives up on deep nesting in both directions; nothing here does, up to ``MAX_DEPTH``.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

MAX_DEPTH = 5_000  # deeper text is left as text: parsing it would need a larger C stack than is promised

_STRUCTURE = r'(?s)"(?:[^"\\]|\\.)*"?|[\[\]{}]'
CONVERSATION_ID = re.compile(r"c[0-9a-z]{5,63}", re.ASCII)
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def is_conversation_id(word: str) -> bool:
    """Whether a word looks like one, and thus names a room by itself (section 5.1)."""
    return CONVERSATION_ID.fullmatch(word) is not None


def from_json(text: str) -> Any:
    """The value of a JSON text. Raises ValueError for what is no JSON, or nested over MAX_DEPTH."""
    try:
        return json.loads(text)
    except RecursionError:
        pass
    depth = _depth(text)
    if depth > MAX_DEPTH:
        raise ValueError(f"nested {depth} deep")
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 2 * MAX_DEPTH))
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError(f"nested {depth} deep") from None
    finally:
        sys.setrecursionlimit(limit)


def to_json(value: Any) -> str:
    """Compact JSON text; NaN is written as Python's json does, an object that is no JSON by its repr."""
    try:
        return _encode(value)
    except (RecursionError, TypeError, ValueError):
        return _to_json_deep(value)


def same(one: Any, other: Any) -> bool:
    """Whether two messages are equal, whatever their depth."""
    try:
        return bool(one == other)
    except RecursionError:
        return to_json(one) == to_json(other)


def _depth(text: str) -> int:
    depth = deepest = 0
    for match in re.finditer(_STRUCTURE, text):
        mark = match.group()
        if mark in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark in "]}":
            depth -= 1
    return deepest


class _Text(str):
    """Finished output on the stack of _to_json_deep, apart from strings that are values."""


def _to_json_deep(value: Any) -> str:
    out: list[str] = []
    stack: list[Any] = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, _Text):
            out.append(item)
        elif isinstance(item, dict):
            parts: list[Any] = [_Text("{")]
            for number, (key, inner) in enumerate(item.items()):
                parts += [_Text(("," if number else "") + _scalar(str(key)) + ":"), inner]
            stack.extend(reversed([*parts, _Text("}")]))
        elif isinstance(item, list | tuple):
            parts = [_Text("[")]
            for number, inner in enumerate(item):
                parts += [_Text(","), inner] if number else [inner]
            stack.extend(reversed([*parts, _Text("]")]))
        else:
            out.append(_scalar(item))
    return "".join(out)


def _scalar(item: Any) -> str:
    try:
        return _encode(item)
    except (TypeError, ValueError):
        try:
            return _encode(repr(item))
        except ValueError:  # an integer with more digits than Python writes
            return '"(unprintable number)"'
