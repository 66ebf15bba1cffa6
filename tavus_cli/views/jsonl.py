"""Views for machines: each message as a line of JSON, unchanged; or as a line made by a user's template."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from string import Formatter
from typing import Any

from tavus_cli.errors import UsageError, did_you_mean
from tavus_cli.protocol.entries import Entry, EventEntry, GapEntry, NoteEntry, SentEntry
from tavus_cli.protocol.events import Event
from tavus_cli.protocol.wire import to_json
from tavus_cli.views.safe import safe, safe_json

_NO_MARKS: Mapping[str, bool] = {}


class JsonlView:
    """The wire messages; with ``envelope``, each inside an object with what the console knows about it.

    Envelope: ``{"at", "dir", "turn", "fold", "late", "message"}``, with ``"past": true`` for what came before
    this side joined, and ``{"at", "gap": [first, last]}`` or
    ``{"at", "note"}`` for gaps and notes.
    """

    def __init__(self, *, envelope: bool = False) -> None:
        self._envelope = envelope

    def lines(self, entries: Iterable[Entry]) -> list[str]:
        if self._envelope:
            return list(map(self._enveloped, entries))
        out = []
        for entry in entries:
            if type(entry) is EventEntry or type(entry) is SentEntry:
                raw = entry.event.raw
                if raw is not None and raw.isascii() and not ("\n" in raw or "\r" in raw or "\x7f" in raw):
                    out.append(raw)  # tab is the only other control character that may be in JSON as it is
                else:
                    out.append(message_json(entry.event))
        return out

    def past(self, entries: Sequence[Entry], most: int) -> list[str]:
        """The last entries from before this side joined; only an envelope can mark them."""
        return [self._enveloped(entry, {"past": True}) for entry in entries[-most:]] if self._envelope else []

    def _enveloped(self, entry: Entry, marks: Mapping[str, bool] = _NO_MARKS) -> str:
        if isinstance(entry, GapEntry):
            return to_json({"at": entry.at, "gap": [entry.first, entry.last], **marks})
        if isinstance(entry, NoteEntry):
            return safe_json(to_json({"at": entry.at, "note": entry.text, **marks}))
        head: dict[str, Any] = {"at": round(entry.at, 6), "dir": entry.event.direction, **marks}
        if entry.turn is not None:
            head["turn"] = entry.turn.idx
        if isinstance(entry, EventEntry):
            head |= {name: True for name in ("late", "differs") if getattr(entry, name)}
            head |= {"fold": entry.fold} if entry.fold else {}
        return f'{to_json(head)[:-1]},"message":{message_json(entry.event)}}}'


def message_json(event: Event) -> str:
    """The message as received; encoded again if it was not received as text on one line."""
    return safe_json(event.raw if event.raw is not None else to_json(event.message))


_STRFTIME = r"(?s)(?=.*%[a-zA-Z])[^{}]{1,100}\Z"
_TOO_WIDE = r"\d{5}"
_Message = EventEntry | SentEntry
_FIELDS: dict[str, Callable[[_Message, Event], Any]] = {
    "time": lambda entry, event: entry.at,
    "seq": lambda entry, event: event.seq,
    "turn": lambda entry, event: entry.turn.idx if entry.turn else None,
    "type": lambda entry, event: event.type,
    "short": lambda entry, event: event.short,
    "role": lambda entry, event: "user" if entry_is_typed(entry) else event.role,
    "text": lambda entry, event: event.text,
    "summary": lambda entry, event: event.kind.summary(event),
    "inference_id": lambda entry, event: event.inference_id,
    "sender": lambda entry, event: event.sender,
    "json": lambda entry, event: message_json(event),
    "delta": lambda entry, event: None,  # set by the view, which knows when the turn began
    "reply": lambda entry, event: _reply(entry),
}


def entry_is_typed(entry: _Message) -> bool:
    """Typed text counts as the user's half of the conversation."""
    return type(entry) is SentEntry and entry.event.type == "conversation.respond"


def _reply(entry: _Message) -> float | None:
    """The latency in seconds, on the words of the reply and on their start."""
    if type(entry) is not EventEntry or entry.event.role != "pal" or entry.turn is None:
        return None
    reply = entry.turn.reply
    known = reply is not None and entry.event.kind.family in ("utterance", "started")
    return round(reply, 3) if known and reply is not None else None


class TemplateView:
    """``{field}`` of the event, or ``{a.b.0}`` by path in the wire message; "" if there is none.

    Format specifications work as in Python: ``{seq:>6}``; of ``{time}`` also as in strftime, for which
    ``strftime`` makes a text of Unix seconds. ``{delta}`` is seconds since the turn began; ``{summary}``
    leaves out what ``{text}`` says. Raises UsageError for an invalid template.
    """

    def __init__(self, template: str, strftime: Callable[[float, str], str] = lambda at, spec: "") -> None:
        self._strftime = strftime
        self._turn: object = None
        self._began = 0.0
        try:
            self._parts = [
                (literal, name, spec or "")
                for literal, name, spec, conversion in Formatter().parse(_unescape(template))
                if _no_conversion(conversion)
            ]
            for _, name, spec in self._parts:
                if name is not None:
                    self._check(name, spec)
        except ValueError as error:
            raise UsageError(f"--format: {error} in the template {template}") from None
        self._text_apart = any(name == "text" for _, name, _ in self._parts)

    def _check(self, name: str, spec: str) -> None:
        if name == "time" and re.match(_STRFTIME, spec):
            return
        if re.search(_TOO_WIDE, spec) or not any(_fits(sample, spec) for sample in ("", 0, 0.0)):
            raise ValueError(f'"{spec}" is not a valid format')
        head = name.partition(".")[0]
        if not head:
            raise ValueError("a field has no name")
        if "." not in name and name not in _FIELDS and name not in _TOP_LEVEL:
            raise ValueError(
                f'unknown field "{name}"{did_you_mean(name, [*_FIELDS, *_TOP_LEVEL])};'
                f" fields are {', '.join(_FIELDS)}, or a path such as properties.name"
            )

    def lines(self, entries: Iterable[Entry]) -> list[str]:
        return [
            self._line(entry, entry.event) for entry in entries if isinstance(entry, EventEntry | SentEntry)
        ]

    def _line(self, entry: _Message, event: Event) -> str:
        out = []
        if entry.turn is not None and entry.turn is not self._turn:
            self._turn, self._began = entry.turn, entry.at
        for literal, name, spec in self._parts:
            out.append(literal)
            if name is not None:
                out.append(self._value(entry, event, name, spec))
        return "".join(out)

    def _value(self, entry: _Message, event: Event, name: str, spec: str) -> str:
        field = _FIELDS.get(name)
        value = field(entry, event) if field else _path(event.message, name)
        if name == "time" and re.match(_STRFTIME, spec):
            return safe(self._strftime(entry.at, spec))
        if name == "delta" and entry.turn is not None:
            value = round(max(0.0, entry.at - self._began), 3)
        elif name == "summary" and self._text_apart and (text := event.text):
            value = value.replace(text, "", 1).strip()
        if value is None:
            value = ""
        elif isinstance(value, dict | list | bool):
            value = to_json(value)
        try:
            return safe(format(value, spec))
        except (ValueError, TypeError, OverflowError):  # the value does not fit the format
            return safe(value if isinstance(value, str) else to_json(value))


def _no_conversion(conversion: str | None) -> bool:
    if conversion:
        raise ValueError(f"no conversion such as !{conversion}")
    return True


def _fits(sample: Any, spec: str) -> bool:
    try:
        format(sample, spec)
    except ValueError:
        return False
    return True


_TOP_LEVEL = ("message_type", "event_type", "conversation_id", "turn_idx", "timestamp", "properties")


def _path(value: Any, path: str) -> Any:
    for name in path.split("."):
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isdigit() and len(name) < 9:
            value = value[int(name)] if int(name) < len(value) else None
        else:
            return None
    return value


def _unescape(template: str) -> str:
    return template.replace("\\t", "\t").replace("\\n", "\n")
