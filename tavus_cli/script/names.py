"""The names of a script: ``$NAME``, ``${NAME}`` and ``$EVENT.field``; ``$$`` is a dollar.

Values from events are remote text. They are inserted into a command only after it was parsed, so that they
never act as an option, a second word or a piece of JSON.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tavus_cli.errors import did_you_mean
from tavus_cli.protocol.entries import EventEntry
from tavus_cli.protocol.interactions import Interaction
from tavus_cli.script.conditions import LineError, absent, as_text, look_up

_REFERENCE = re.compile(r"\$(?:(\$)|\{([A-Za-z_]\w*(?:\.\w+)*)\}|([A-Za-z_]\w*(?:\.\w+)*))", re.ASCII)
_HIDDEN = re.compile("\ue000(\\d+)\ue001")
MOST_CHARACTERS = 1_000_000  # characters of the values in a line: /set x $x$x doubles it
_FIGURES = ("after",)  # fields of a kept event in addition to those of a MATCH


@dataclass(frozen=True, slots=True)
class Kept:
    """A named event; ``after`` is the seconds since the last message was sent."""

    entry: EventEntry
    after: float


@dataclass(slots=True)
class Names:
    """``texts`` are set by the script; ``events`` are the events it named, None for one that has not arrived.
    ``remote`` are texts made with values from events. While ``checking``, nothing has arrived yet, and any
    value of an event is accepted.
    """

    texts: dict[str, str] = field(default_factory=dict)
    events: dict[str, Kept | None] = field(default_factory=dict)
    remote: set[str] = field(default_factory=set)
    checking: bool = True

    def expect(self, name: str) -> None:
        self.texts.pop(name, None)
        self.events[name] = None

    def keep(self, name: str, kept: Kept) -> None:
        self.texts.pop(name, None)
        self.events[name] = kept

    def assign(self, name: str, value: str, *, remote: bool = False) -> None:
        self.events.pop(name, None)
        self.texts[name] = value
        (self.remote.add if remote else self.remote.discard)(name)

    def copy(self) -> Names:
        return Names(dict(self.texts), dict(self.events), set(self.remote), self.checking)

    def is_remote(self, text: str) -> bool:
        """Whether a text refers to values from events."""
        return any(
            (path := match[2] or match[3])
            and (path.partition(".")[0] not in self.texts or self._tainted(path))
            for match in _REFERENCE.finditer(text)
        )

    def _tainted(self, path: str) -> bool:
        return path.partition(".")[0] in self.remote

    def value(self, path: str, column: int, *, checked: str = "") -> str:
        """The value of a reference; ``checked`` for an event that has not arrived. Raises LineError."""
        name, _, rest = path.partition(".")
        if name in self.texts:
            return self.texts[name] + (f".{rest}" if rest else "")
        if name not in self.events:
            hint = did_you_mean(name, [*self.texts, *self.events], "$") or "; $$ is a dollar"
            raise LineError(f"${name} is not set{hint}", column)
        if not rest:
            raise LineError(f"${name} is an event: name a field of it, such as ${name}.text", column)
        kept = self.events[name]
        if kept is None:
            if self.checking:
                return "1"
            raise LineError(f"{name} has not arrived", column)
        value = kept.after if rest in _FIGURES else look_up(kept.entry, rest)
        if absent(value):
            raise LineError(f"{name} has no {rest}: {as_text(kept.entry.event.message)[:200]}", column)
        return "" if value is None else shown(value)


def shown(value: Any) -> str:
    """A value as a script writes it; seconds to the millisecond."""
    return f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else as_text(value)


def replaced(text: str, names: Names) -> str:
    """A text with every reference replaced. Raises LineError."""
    return _substituted(text, names, lambda reference, value: value)


def hidden(text: str, names: Names) -> tuple[str, list[str]]:
    """As ``replaced``, but with marks for values from events, which ``fill`` inserts. Raises LineError."""
    values: list[str] = []

    def put(reference: str, value: str) -> str:
        if not names.is_remote(reference):
            return value
        values.append(value)
        return f"\ue000{len(values) - 1}\ue001"

    return _substituted(text, names, put), values


def _substituted(text: str, names: Names, put: Callable[[str, str], str]) -> str:
    """Replace references by the result of ``put(reference, value)``. Raises LineError."""
    left = MOST_CHARACTERS

    def one(match: re.Match[str]) -> str:
        nonlocal left
        if match[1]:
            return "$"
        value = names.value(match[2] or match[3], match.start() + 1)
        left -= len(value)
        if left < 0:
            raise LineError(
                f"the values of names have over {MOST_CHARACTERS:,} characters", match.start() + 1
            )
        return put(match[0], value)

    return _REFERENCE.sub(one, text)


def fill(interaction: Interaction, values: list[str]) -> Interaction:
    """A text or JSON value with the values of ``hidden`` in place of their marks."""
    if not values:
        return interaction
    properties, raw = (_filled(part, values) for part in (interaction.properties, interaction.raw))
    return interaction._replace(properties=properties, raw=raw)


def put_in(text: str, values: list[str], quote: Callable[[str], str] = str) -> str:
    """A text with the values of ``hidden``, quoted by ``quote``, in place of their marks."""
    return _HIDDEN.sub(
        lambda mark: quote(values[int(mark[1])]) if len(mark[1]) < 9 and int(mark[1]) < len(values) else "",
        text,
    )


def _filled(value: Any, values: list[str]) -> Any:
    if isinstance(value, str):
        return put_in(value, values)
    if isinstance(value, Mapping):
        return {_filled(key, values): _filled(inner, values) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, values) for inner in value]
    return value
