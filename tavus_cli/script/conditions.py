"""The MATCH of a script, a condition on an event: ``field=value``, ``field~regex``, ``field<number`` …

A field is a dotted path, looked up in the decoded event (``FIELDS``), then in its properties, then in the
message. A path can lead into text that holds a JSON object, such as the arguments of a tool call.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tavus_cli.errors import UsageError, did_you_mean
from tavus_cli.language.grammar import duration
from tavus_cli.language.patterns import Pattern, TooSlow, glob, is_glob, literal
from tavus_cli.protocol.catalogue import CATALOGUE, short_name
from tavus_cli.protocol.entries import EventEntry
from tavus_cli.protocol.wire import from_json, to_json

REPLY = "reply"  # in place of an event type: the answer to what was sent last, in any form
Fill = Callable[[str, Callable[[str], str]], str]
_ABSENT: Any = object()
_MATCH = re.compile(r"([A-Za-z_][\w.-]*)([=~<>])(.*)", re.DOTALL)
_TOKEN = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^\s"])+|"')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_PREFIXES = ("conversation.", "system.", "application.")

ROLES = ("user", "pal")
FIELDS: Mapping[str, Callable[[EventEntry], Any]] = {
    "type": lambda entry: entry.event.short,
    "role": lambda entry: entry.event.role,
    "text": lambda entry: entry.event.text,
    "turn": lambda entry: entry.event.turn_idx,
    "turn_idx": lambda entry: entry.event.turn_idx,
    "seq": lambda entry: entry.event.seq,
    "inference_id": lambda entry: entry.event.inference_id,
    "sender": lambda entry: entry.event.sender,
    "interrupted": lambda entry: entry.event.interrupted,
    "duration": lambda entry: entry.event.duration,
    "at": lambda entry: entry.at,
    "late": lambda entry: entry.late,
    "reply": lambda entry: entry.turn.reply if entry.turn is not None else None,
}


class LineError(UsageError):
    """A mistake in a line; ``column`` counts from 1."""

    def __init__(self, message: str, column: int = 1) -> None:
        super().__init__(message)
        self.column = column


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a line, with its quotes; ``start`` counts from 0."""

    text: str
    start: int

    @property
    def column(self) -> int:
        return self.start + 1

    @property
    def plain(self) -> str:
        return unquoted(self.text)


def tokens(text: str) -> list[Token]:
    """The words of a line; double quotes keep spaces. Raises LineError for an unclosed quote."""
    return list(_words(text))


def before_command(text: str) -> tuple[list[Token], int | None]:
    """The words before the next one that begins with a slash, and the start of that one, or None.

    The rest is not parsed: it is text, in which quotes may be unbalanced. Raises LineError.
    """
    found: list[Token] = []
    for word in _words(text):
        if found and word.text.startswith("/"):
            return found, word.start
        found.append(word)
    return found, None


def _words(text: str) -> Iterator[Token]:
    for match in _TOKEN.finditer(text):
        if match.group() == '"':
            raise LineError("the quote is not closed", match.start() + 1)
        yield Token(match.group(), match.start())


def unquoted(text: str) -> str:
    """Without the double quotes; inside them ``\\"`` is a quote, and other backslashes are a regex's."""
    return _QUOTED.sub(lambda match: match[1].replace('\\"', '"'), text)


@dataclass(frozen=True, slots=True)
class Match:
    """One condition. ``pattern`` is for ``~``, ``number`` for ``<`` and ``>``."""

    field: str
    operator: str
    value: str
    pattern: Pattern | None = None
    number: float = 0.0

    def __call__(self, entry: EventEntry) -> bool:
        """Raises TooSlow."""
        value = look_up(entry, self.field)
        if value is _ABSENT:
            return False
        if self.pattern is not None:
            try:
                return self.pattern.search_many(as_text(value)) is not None
            except TooSlow as error:
                raise TooSlow(f"{self.field}~: {error}") from None
        if self.operator == "=":
            return _equal(value, self.value)
        known = _as_number(value)
        if known is None:
            return False
        return known < self.number if self.operator == "<" else known > self.number

    def __str__(self) -> str:
        return f"{self.field}{self.operator}{self.value}"

    def shown(self, entry: EventEntry) -> str:
        """The value in the event: 'name is "book"'."""
        value = look_up(entry, self.field)
        return f"no {self.field}" if value is _ABSENT else f"{self.field} is {to_json(value)}"


def match_of(text: str, column: int = 1, fill: Fill = lambda text, quote: text) -> Match | None:
    """A MATCH from a word without quotes; None if it is not one. Raises LineError for an invalid value.

    ``fill`` inserts texts from events into the value, quoted by ``quote``, so they never act as patterns.
    """
    parts = _MATCH.fullmatch(text)
    if parts is None:
        return None
    field, operator, value = parts.groups()
    at = column + len(field) + 1
    value = fill(value, literal if operator == "~" else str)
    if operator == "~":
        try:
            return Match(field, operator, value, pattern=Pattern(value))
        except UsageError as error:
            raise LineError(str(error), at) from None
    if operator in "<>":
        number = _as_number(value)
        if number is None:
            raise LineError(f'"{value}" is not a number', at)
        return Match(field, operator, value, number=number)
    if value.startswith("~"):  # the operator in some other languages
        raise LineError(f'unknown operator "=~"; did you mean {field}{value}?', at - 1)
    if field == "role" and value in ("replica", "persona", "face"):
        value = "pal"
    elif field == "role" and value not in ROLES and (near := did_you_mean(value, ROLES)):
        raise LineError(f'unknown role "{value}"{near}', at)
    return Match(field, operator, value)


def look_up(entry: EventEntry, path: str) -> Any:
    """The value of a dotted path; ``absent(value)`` if there is none."""
    first, *rest = path.split(".")
    computed = FIELDS.get(first)
    value = computed(entry) if computed is not None else None
    if value is None:
        event = entry.event
        value = event.get(first)
        if value is None and isinstance(event.message, dict):
            value = event.message.get(first, _ABSENT)
    for part in rest:
        value = _inside(value, part)
    return value


def absent(value: Any) -> bool:
    return value is _ABSENT


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else to_json(value)


def _inside(value: Any, part: str) -> Any:
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        with suppress(ValueError):
            value = from_json(value)
    if isinstance(value, dict):
        return value.get(part, _ABSENT)
    if isinstance(value, list) and part.isascii() and part.isdigit() and len(part) < 9:
        return value[int(part)] if int(part) < len(value) else _ABSENT
    return _ABSENT


def _equal(value: Any, wanted: str) -> bool:
    if isinstance(value, str):
        return value == wanted
    if isinstance(value, int | float) and not isinstance(value, bool):
        return as_text(value) == wanted or _as_number(wanted) == value
    try:
        return bool(value == from_json(wanted))
    except (ValueError, RecursionError):
        return False


def _as_number(value: Any) -> float | None:
    """A number, also from text and durations: "1500ms" is 1.5."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    with suppress(ValueError, OverflowError):
        return float(value)
    with suppress(UsageError):
        return duration(str(value))
    return None


def check_event(word: str, column: int = 1) -> None:
    """Raises LineError for an unknown short name; unknown types must be written in full."""
    try:
        glob(word)
    except UsageError as error:
        raise LineError(str(error), column) from None
    shorts = {short_name(name) for name in CATALOGUE}
    if word in shorts or word == REPLY or word.startswith(_PREFIXES) or is_glob(word):
        return
    hint = (
        did_you_mean(word, sorted(shorts | {REPLY}))
        or "; write other types in full, such as conversation.NAME"
    )
    raise LineError(f'unknown event type "{word}"{hint}', column)
