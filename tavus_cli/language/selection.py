"""Selection: the entries a user asked to see, by type, role, turn or expression."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeGuard

from tavus_cli.errors import UsageError, did_you_mean, nearest
from tavus_cli.language.patterns import Expression, TooSlow, glob
from tavus_cli.protocol.catalogue import CATALOGUE, short_name
from tavus_cli.protocol.entries import Entry, EventEntry, SentEntry

_MEMORY = 1_024  # event types are remote text: the number remembered is limited
_LONGEST_KNOWN = 200  # characters of a type that is remembered
MOST_PATTERNS = 50
_TYPED, _SAID = "conversation.respond", "conversation.utterance"


def split_types(text: str) -> list[str]:
    """ "utterance,tool_call" → ["utterance", "tool_call"]."""
    return [one for one in text.split(",") if one] or [text]


class TypePattern:
    """Event types by full name, short name or glob: "utterance", "replica.*", "system.shutdown"."""

    def __init__(self, patterns: list[str]) -> None:
        """Each pattern may be several, with commas between them. Raises UsageError for one, or for a list of
        them, that is too long.
        """
        patterns = [part for one in patterns for part in split_types(one)]
        if len(patterns) > MOST_PATTERNS:
            raise UsageError(f"too many event types: at most {MOST_PATTERNS}")
        self.patterns = patterns
        self._matches = [glob(one) for one in patterns]
        self._known: dict[str, bool] = {}

    def __bool__(self) -> bool:
        return bool(self.patterns)

    def __call__(self, event_type: str) -> bool:
        known = self._known.get(event_type)
        if known is None:
            short = short_name(event_type)
            known = any(match(event_type) or match(short) for match in self._matches)
            if len(event_type) <= _LONGEST_KNOWN:
                if len(self._known) >= _MEMORY:
                    self._known.clear()
                self._known[event_type] = known
        return known

    def doubts(self, seen: Iterable[str] = ()) -> list[str]:
        """A warning for each pattern that matches no known type and none of ``seen``. New types exist, so it
        is not an error.
        """
        types = {*CATALOGUE, *seen}
        shorts = sorted({short_name(name) for name in types})
        return [
            f'no known event type matches "{pattern}"' + did_you_mean(pattern, shorts)
            for pattern in self.patterns
            if not any(TypePattern([pattern])(name) for name in types)
        ]


def compile_where(expression: str | None) -> Callable[[Any], Any] | None:
    """A JMESPath expression as a function of the wire message. Raises UsageError with the place of a mistake.

    The function raises TooSlow.
    """
    if expression is None:
        return None
    try:
        compiled = Expression(expression)
        search = compiled.search
    except UsageError as error:
        raise UsageError(f"--where: {error}") from None

    def where(message: Any) -> Any:
        try:
            return search(message)
        except TooSlow as error:
            raise TooSlow(f"--where: {error}") from None
        except Exception:  # JMESPath's errors and Python's: the expression does not fit this message
            return None

    where.expression = compiled  # type: ignore[attr-defined]
    return where


def where_doubts(where: Callable[[Any], Any] | None, seen: Iterable[str] = ()) -> list[str]:
    """The warnings about an expression made by ``compile_where``; types that were ``seen`` are known."""
    expression = getattr(where, "expression", None)
    return [] if expression is None else [*_field_doubts(expression), *_value_doubts(expression, seen)]


_ROLES = ("user", "pal")
_FIELDS = (  # at the top of a message
    *("message_type", "event_type", "conversation_id", "seq", "turn_idx", "timestamp", "properties"),
    *("inference_id", "webhook_url", "type"),
)


def _field_doubts(expression: Expression) -> list[str]:
    """Warn about unknown fields: a bare or double-quoted word is a field name, even if text was meant."""
    return [
        f'--where: no known message has a field "{name}" at its top'
        + (("." not in name and did_you_mean(name, _FIELDS)) or f"; write a text in single quotes: '{name}'")
        for name in sorted(expression.top_fields() - {*_FIELDS})
    ]


_NUMBERS = ("seq", "turn_idx")
_COMPARED: Mapping[str, Callable[[str, str], bool]] = {
    "eq": str.__eq__,
    "ne": str.__eq__,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "contains": str.__contains__,
}

_IN_WORDS = {"starts_with": "starts with", "ends_with": "ends with", "contains": "contains"}


def _value_doubts(expression: Expression, seen: Iterable[str]) -> list[str]:
    """A field compared with a value that it does not have, as far as is known."""
    types = {*CATALOGUE, *seen}
    known: Mapping[str, Iterable[str]] = {
        "event_type": types,
        "message_type": {name.partition(".")[0] for name in CATALOGUE},
        "properties.role": ("user", "pal", "replica"),
    }
    doubts = []
    for path, how, value in expression.comparisons():
        if path in _NUMBERS and isinstance(value, str):
            doubts.append(
                f"--where: {path} is a number, never the text '{value}'; write numbers in backticks"
            )
        fits = _COMPARED.get(how)
        if path in known and fits is not None and value is not None:
            text = value if isinstance(value, str) else repr(value)
            if not any(fits(one, text) for one in known[path]):
                compared = _IN_WORDS.get(how, "is")
                near = "" if how in ("contains", "ends_with") else _meant(text, known[path])
                doubts.append(f'--where: no known {path} {compared} "{text}"{near}')
    return sorted({*doubts})


def _meant(text: str, known: Iterable[str]) -> str:
    """The nearest of these values, also by its short name."""
    by_short = {short_name(name): name for name in known}
    near = nearest(text, known) or by_short.get(nearest(text, by_short) or "")
    return f"; did you mean {near}?" if near else ""


class Selection:
    """What to show. ``where`` is a compiled expression over the wire message; true as in JMESPath.

    Gaps and notes are shown unless a filter asks for certain events. Typed text is the user's half of the
    conversation: a sent respond also counts as an utterance of the role user. With ``wire``, for readers of
    raw messages, it counts only as a respond, and its echo is not folded.
    """

    def __init__(
        self,
        only: TypePattern | None = None,
        ignore: TypePattern | None = None,
        where: Callable[[Any], Any] | None = None,
        turn: int | None = None,
        role: str | None = None,
        partials: bool = False,
        all: bool = False,
        wire: bool = False,
    ) -> None:
        self.only = only or TypePattern([])
        self.ignore = ignore or TypePattern([])
        self.where = where
        self.turn = turn
        self.role = "pal" if role in ("replica", "persona", "face") else role
        self.partials = partials
        self.all = all
        self.wire = wire

    def doubts(self, seen: Iterable[str] = ()) -> list[str]:
        """A warning for each filter that may match nothing; event types that were ``seen`` are known.

        New types and fields exist, so it is not an error.
        """
        doubts = [*self.only.doubts(seen), *self.ignore.doubts(seen)]
        if self.role is not None and self.role not in _ROLES:
            doubts.append(f'no known role "{self.role}"' + did_you_mean(self.role, _ROLES))
        return doubts + where_doubts(self.where, seen)

    @property
    def filters(self) -> bool:
        """Whether it hides anything that is not folded."""
        chosen = (self.where, self.role, self.turn)
        return bool(self.only) or bool(self.ignore) or any(one is not None for one in chosen)

    def among(self, entries: list[Entry]) -> list[Entry]:
        """The entries to show. One pass for each filter, as that costs less than a call for each entry."""
        if self.all:
            pass
        elif not (self.partials or self.wire):
            entries = [one for one in entries if one.fold is None]
        else:
            folds = {"partial"} if self.partials else set()
            if self.wire:
                folds.add("echo")
            entries = [one for one in entries if one.fold is None or one.fold in folds]
        if only := self.only:
            entries = [
                one
                for one in _messages(entries)
                if only(one.event.type) or (self._typed(one) and only(_SAID))
            ]
        if ignore := self.ignore:
            entries = [
                one
                for one in entries
                if not _is_message(one)
                or not (ignore(one.event.type) or (self._typed(one) and ignore(_SAID)))
            ]
        if (role := self.role) is not None:
            entries = [
                one
                for one in _messages(entries)
                if one.event.role == role or (role == "user" and self._typed(one))
            ]
        if self.turn is not None:
            entries = [
                one for one in _messages(entries) if one.turn is not None and one.turn.idx == self.turn
            ]
        if self.where is not None:
            entries = [one for one in _messages(entries) if self._fits(self.where, one)]
        return entries

    def __call__(self, entry: Entry) -> bool:
        return bool(self.among([entry]))

    def _fits(self, where: Callable[[Any], Any], entry: _Message) -> bool:
        event = entry.event
        if _truth(where(event.message)):
            return True
        if not self._typed(entry):
            return False
        said = {"role": "user", "speech": event.text}
        return _truth(where({**event.message, "event_type": _SAID, "properties": said}))

    def _typed(self, entry: Entry) -> bool:
        return type(entry) is SentEntry and entry.event.type == _TYPED and not self.wire


_Message = EventEntry | SentEntry


def _is_message(entry: Entry) -> TypeGuard[_Message]:
    return type(entry) is EventEntry or type(entry) is SentEntry


def _messages(entries: Iterable[Entry]) -> list[_Message]:
    return [one for one in entries if type(one) is EventEntry or type(one) is SentEntry]


def _truth(value: Any) -> bool:
    """Whether a value is true as in JMESPath, where 0 is true."""
    return value is not None and value is not False and value not in ("", [], {})


def selection(
    only: list[str] | None = None,
    ignore: list[str] | None = None,
    where: str | None = None,
    turn: int | None = None,
    role: str | None = None,
    partials: bool = False,
    all: bool = False,
) -> Selection:
    """A Selection from the options of a command line. Raises UsageError for an invalid expression."""
    return Selection(
        TypePattern(only or []), TypePattern(ignore or []), compile_where(where), turn, role, partials, all
    )
