"""Which entries a person asked to see: types by name or glob, role, turn, an expression."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from tavus_cli.errors import UsageError
from tavus_cli.language.commands import did_you_mean
from tavus_cli.protocol.conversation import Entry, EventEntry, SentEntry
from tavus_cli.protocol.events import CATALOGUE, Event, short_name

_MEMORY = 1_024  # event types are remote text: what is remembered about them is bounded


class TypePattern:
    """Event types by full name, short name or glob: "utterance", "replica.*", "system.shutdown"."""

    def __init__(self, patterns: list[str]) -> None:
        self.patterns = patterns
        self._known: dict[str, bool] = {}

    def __bool__(self) -> bool:
        return bool(self.patterns)

    def __call__(self, event_type: str) -> bool:
        known = self._known.get(event_type)
        if known is None:
            if len(self._known) >= _MEMORY:
                self._known.clear()
            short = short_name(event_type)
            known = self._known[event_type] = any(
                fnmatchcase(event_type, one) or fnmatchcase(short, one) for one in self.patterns
            )
        return known

    def doubts(self) -> list[str]:
        """A warning for each pattern that no known type matches; new types exist, so no error."""
        shorts = sorted({short_name(name) for name in CATALOGUE})
        return [
            f'no known event type matches "{pattern}"' + did_you_mean(pattern, shorts)
            for pattern in self.patterns
            if not any(TypePattern([pattern])(name) for name in CATALOGUE)
        ]


def compile_where(expression: str | None) -> Callable[[Any], Any] | None:
    """A JMESPath expression as a function of the wire message. Raises UsageError, with where it is wrong."""
    if expression is None:
        return None
    from jmespath import compile
    from jmespath.exceptions import JMESPathError
    from jmespath.functions import Functions

    try:
        compiled = compile(expression)
    except JMESPathError as error:
        reason = " ".join(str(error).split())
        raise UsageError(f"--where: {reason}") from None
    search = compiled.search
    for name in _functions(compiled.parsed):
        if name not in Functions.FUNCTION_TABLE:
            hint = did_you_mean(name, Functions.FUNCTION_TABLE)
            raise UsageError(f"--where: unknown function {name}(){hint}")

    def where(message: Any) -> Any:
        try:
            return search(message)
        except Exception:  # its own errors and Python's: this message is not what the expression is for
            return None

    return where


def _functions(node: dict[str, Any]) -> Iterator[str]:
    """The names of the functions that a parsed expression calls."""
    if node["type"] == "function_expression":
        yield node["value"]
    for child in node.get("children", ()):
        if isinstance(child, dict):
            yield from _functions(child)


@dataclass(slots=True)
class Selection:
    """What to show. ``where`` is a compiled expression over the wire message; truth as JMESPath has it.

    Gaps and notes are shown whenever no filter asks for certain events.
    """

    only: TypePattern = field(default_factory=lambda: TypePattern([]))
    ignore: TypePattern = field(default_factory=lambda: TypePattern([]))
    where: Callable[[Any], Any] | None = None
    turn: int | None = None
    role: str | None = None
    partials: bool = False
    all: bool = False

    def __post_init__(self) -> None:
        if self.role in ("replica", "persona", "face"):
            self.role = "pal"

    def among(self, entries: list[Entry]) -> list[Entry]:
        """The entries to show."""
        if self.all or self.partials or self.only or self.ignore or self.where or self.role:
            return [entry for entry in entries if self(entry)]
        if self.turn is not None:
            return [entry for entry in entries if self(entry)]
        return [entry for entry in entries if entry.fold is None]

    def __call__(self, entry: Entry) -> bool:
        fold = entry.fold
        if fold is not None and not self.all and not (fold == "partial" and self.partials):
            return False
        if not (self.only or self.ignore or self.where or self.role) and self.turn is None:
            return True
        if not isinstance(entry, EventEntry | SentEntry):
            return not self.only and self.where is None and self.turn is None and self.role is None
        return self._event(entry.event, entry.turn.idx if entry.turn else None)

    def _event(self, event: Event, turn: int | None) -> bool:
        return (
            (not self.only or self.only(event.type))
            and not (self.ignore and self.ignore(event.type))
            and (self.role is None or event.role == self.role)
            and (self.turn is None or turn == self.turn)
            and (self.where is None or self._where(event.message))
        )

    def _where(self, message: Any) -> bool:
        assert self.where is not None
        value = self.where(message)
        return value is not None and value is not False and value not in ("", [], {})  # 0 is true


def selection(
    only: list[str] | None = None,
    ignore: list[str] | None = None,
    where: str | None = None,
    turn: int | None = None,
    role: str | None = None,
    partials: bool = False,
    all: bool = False,
) -> Selection:
    """From what a person wrote. Raises UsageError for an expression that is none."""
    return Selection(
        TypePattern(only or []), TypePattern(ignore or []), compile_where(where), turn, role, partials, all
    )
