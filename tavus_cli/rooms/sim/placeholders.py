"""``{placeholders}`` in the texts, arguments and properties of a script (docs/sim.md). Pure."""

from __future__ import annotations

import re
from typing import Any

from tavus_cli.protocol.wire import to_json

Values = dict[str, Any]  # values of {placeholders}

_PLACE = re.compile(r"\{(\w+(?:\.\w+)*)\}")


def fill(value: Any, values: Values) -> Any:
    """Replace placeholders in every string of a value; unknown placeholders are left unchanged."""
    if isinstance(value, str):
        return _PLACE.sub(lambda match: _look_up(match, values), value)
    if isinstance(value, dict):
        return {key: fill(inner, values) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [fill(inner, values) for inner in value]
    return value


def groups(match: Any) -> Values:
    """The groups of a match, by number and by name."""
    numbered = {str(number): text or "" for number, text in enumerate(match.groups(), 1)}
    return numbered | {name: text or "" for name, text in match.groupdict().items()}


def _look_up(match: re.Match[str], values: Any) -> str:
    for part in match[1].split("."):
        if not isinstance(values, dict) or part not in values:
            return match[0]
        values = values[part]
    return values if isinstance(values, str) else to_json(values)
