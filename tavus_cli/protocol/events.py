"""Events: every message of Tavus in one tolerant envelope.

``decode`` turns any JSON value of the data channel into an Event and never fails: unknown types become events
of kind UNKNOWN, and messages that are not of Tavus become events of kind FOREIGN. Kinds are the rows of
``catalogue``. Sources: docs/protocol.md, sections 1, 3 and 11.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec  # noqa: TID253 - for the class of Event

from tavus_cli.protocol.catalogue import (
    CATALOGUE,
    FOREIGN,
    PARTIAL,
    UTTERANCE,
    EventKind,
    short_name,
)
from tavus_cli.protocol.kinds import kind_of, kind_without_type
from tavus_cli.protocol.tool_calls import Called
from tavus_cli.protocol.wire import MAX_TIME, TOO_DEEP, from_json, to_json, too_deep, unix_time

Direction = Literal["in", "out"]
MAX_NUMBER = 2**53  # a larger seq or turn_idx is not one: JSON numbers are not exact beyond it

EMPTY: Mapping[str, Any] = {}
_PAL = ("pal", "replica", "persona", "face", "assistant")
_ROLES = {"user": "user"} | dict.fromkeys(_PAL, "pal")
_ENVELOPE = {
    *(
        "message_type",
        "event_type",
        "conversation_id",
        "timestamp",
        "seq",
        "turn_idx",
        "inference_id",
        "properties",
    )
}
_SAID = ("speech", "text", "content", "transcript")
_ANALYSES = (
    ("user_audio_analysis", "sounds"),
    ("user_visual_analysis", "looks"),
    ("visual_context", "looks"),
)
# Analyses that come inside the words: <user_audio_analysis>…</user_audio_analysis>.
_TAGGED = r"(?is)<([\w-]{0,40}[_-](?:analysis|context))\b[^<>]{0,200}?(?:/>|>(.*?)(?:</\1\s*>|\Z))"
UNREAD: Any = object()  # stands for a message received as text and not parsed as a whole yet


class Event(msgspec.Struct, eq=False, gc=False):  # made in half the time of a dataclass; in no cycle
    """One message, decoded (section 1.2). Never changed; not frozen only because that is slow.

    ``type`` is the event_type as sent, "" for a foreign message; ``role`` is "user", "pal" (also for
    "replica") or what else was sent; ``timestamp`` is when it was created and ``at`` when it arrived, in Unix
    seconds or None; ``raw`` is the JSON text if the message was received as text. ``hoisted`` is a second
    place to look for fields of ``properties``: the message itself, if it has more fields than the envelope.
    """

    known: Any  # the message, or UNREAD
    kind: EventKind
    type: str
    properties: Mapping[str, Any]
    hoisted: Mapping[str, Any]
    seq: int | None
    turn_idx: int | None
    inference_id: str | None
    role: str | None
    timestamp: float | None
    at: float | None = None
    sender: str | None = None
    raw: str | None = None
    direction: Direction = "in"
    calls: list[Called] | None = None  # once ``tool_calls.calls_in`` has read them

    @property
    def message(self) -> Any:
        """The JSON value as sent."""
        if self.known is UNREAD:
            self.known = _read(self.raw or "null")
        return self.known

    def get(self, name: str) -> Any:
        """A field from ``properties`` or hoisted to the top level, or None (section 1.2)."""
        value = self.properties.get(name)
        return self.hoisted.get(name) if value is None else value

    def word(self, name: str) -> str:
        """A field as text; "" if absent, JSON if not a string."""
        value = self.properties.get(name)
        if value is None:  # ``get`` inlined: the hottest lookup of all
            value = self.hoisted.get(name)
            if value is None:
                return ""
        return value if type(value) is str else _plain(value)

    @property
    def short(self) -> str:
        """The type without its first segment: "utterance", "replica.started_speaking", "shutdown"."""
        return short_name(self.type)

    @property
    def text(self) -> str:
        """What was said: ``speech``, ``text``, ``content`` or ``transcript``, the first that is a string.

        Without the analyses embedded in it; those are in ``analyses``.
        """
        speech = self.properties.get("speech")
        if not isinstance(speech, str):  # the documented place
            speech = self._said()
        return _untagged(speech) if "<" in speech else speech

    def _said(self) -> str:
        for name in _SAID:
            if isinstance(value := self.get(name), str):
                return value
        for name in _SAID:
            if isinstance(value := self.get(name), list):
                return "".join(part for part in map(_part, value) if part)
        return ""

    @property
    def analyses(self) -> list[tuple[str, str]]:
        """How the user looks and sounds, from fields and from the speech: ("looks", "At a desk.")."""
        found = [(label, analysis) for name, label in _ANALYSES if (analysis := self.word(name))]
        speech = self.properties.get("speech")
        if not isinstance(speech, str):
            speech = self._said()
        if "<" in speech:
            for name, analysis in re.findall(_TAGGED, speech):
                label = "looks" if "vis" in name.lower() else "sounds" if "audio" in name.lower() else name
                if analysis.strip():
                    found.append((label, analysis.strip()))
        return found

    @property
    def duration(self) -> float | None:
        """Seconds of speech on a stopped event; None when unknown (section 3.3)."""
        value = self.properties.get("duration")
        return value if type(value) is float and 0 <= value < 1e9 else _seconds(self.get("duration"), 1e9)

    @property
    def interrupted(self) -> bool:
        """Whether speech was cut off; both spellings, booleans and strings."""
        properties = self.properties
        value = properties.get("interrupted")
        if value is None and self.hoisted:
            value = self.hoisted.get("interrupted")
        if value is None:
            value = properties.get("is_interrupted")
            if value is None and self.hoisted:
                value = self.hoisted.get("is_interrupted")
        return value is True or (type(value) is str and value == "true")

    @property
    def final(self) -> bool:
        value = self.properties.get("final")
        if value is None:
            value = self.hoisted.get("final")
        return value is True or value == "true"


def _plain(value: Any) -> str:
    if type(value) is int and -MAX_NUMBER < value < MAX_NUMBER:  # the usual case, and valid JSON as it is
        return str(value)
    return TOO_DEEP if too_deep(value) else to_json(value)


def _part(part: Any) -> str:
    """The text of speech given in parts, as LLM messages have them: {"type": "text", "text": "Hi"}."""
    if isinstance(part, dict):
        part = next((part[name] for name in ("text", *_SAID) if isinstance(part.get(name), str)), "")
    return part if isinstance(part, str) else ""


def _untagged(speech: str) -> str:
    words = re.sub(_TAGGED, " ", speech)
    return speech if words == speech else " ".join(words.split())


def _seconds(value: Any, limit: float) -> float | None:
    return float(value) if type(value) in (float, int) and 0 <= value < limit else None


def _read(text: str) -> Any:
    try:
        return from_json(text)
    except ValueError:  # text here was checked by the reader
        return TOO_DEEP


def decode(
    message: Any,
    at: float | None = None,
    sender: str | None = None,
    raw: str | None = None,
    direction: Direction = "in",
) -> Event:
    """Any JSON value as an Event; a JSON string that holds an object counts as that object (section 1.2)."""
    if type(message) is not dict:
        inner = _object_in(message)
        if inner is None:
            return _untyped(message, at, sender, raw, direction)
        raw = raw or to_json(message)  # so that it is written out as received: a string
        message = inner
    get = message.get
    name = get("event_type")
    if type(name) is not str or not name:
        return _untyped(message, at, sender, raw, direction)
    properties = get("properties")
    if type(properties) is not dict:
        properties = _object_in(properties) or EMPTY
    seq = get("seq")
    if type(seq) is not int or not 0 <= seq < MAX_NUMBER:
        seq = _number(seq)
    turn_idx = get("turn_idx")
    if type(turn_idx) is not int or not 0 <= turn_idx < MAX_NUMBER:
        turn_idx = _number(turn_idx)
    inference_id = get("inference_id")
    timestamp = get("timestamp")
    if type(timestamp) is not float or not 0 <= timestamp < MAX_TIME:
        timestamp = unix_time(timestamp)
    return typed(
        message,
        name,
        properties,
        EMPTY if message.keys() <= _ENVELOPE else message,
        seq,
        turn_idx,
        inference_id if type(inference_id) is str else None,
        timestamp,
        at,
        sender,
        raw,
        direction,
    )


def typed(
    message: Any,
    name: str,
    properties: Mapping[str, Any],
    hoisted: Mapping[str, Any],
    seq: int | None,
    turn_idx: int | None,
    inference_id: str | None,
    timestamp: float | None,
    at: float | None,
    sender: str | None,
    raw: str | None,
    direction: Direction,
) -> Event:
    """An Event from the fields of the envelope; each is None if missing or not valid."""
    kind = CATALOGUE.get(name) or kind_of(name)
    nested = properties.get
    role = kind.role
    if role is None:
        role = nested("role")
        role = _ROLES.get(role) if type(role) is str else None
        if role is None and ("role" in properties or "speaker" in properties or hoisted):
            role = _other_role(properties, hoisted)
    if kind is UTTERANCE and type(nested("final")) is bool:
        kind = PARTIAL
    if seq is None and "seq" in properties:
        seq = _number(nested("seq"))
    if turn_idx is None and "turn_idx" in properties:
        turn_idx = _number(nested("turn_idx"))
    if inference_id is None:
        inference_id = nested("inference_id")
        if type(inference_id) is not str:
            inference_id = None
    return Event(
        message, kind, name, properties, hoisted, seq, turn_idx, inference_id, role, timestamp,
        at, sender, raw, direction,
    )  # fmt: skip


def _untyped(
    message: Any, at: float | None, sender: str | None, raw: str | None, direction: Direction
) -> Event:
    kind = kind_without_type(message)
    properties = hoisted = EMPTY
    timestamp = None
    if kind is not FOREIGN:
        hoisted = message
        if type(inner := message.get("properties")) is dict:
            properties = inner
        timestamp = unix_time(message.get("timestamp") or message.get("date"))
    return Event(
        message, kind, "", properties, hoisted, None, None, None, None, timestamp, at, sender, raw, direction
    )


def kept(event: Event) -> Any:
    """The message in a compact form to remember: as text if it was received as text.

    That takes a tenth of the memory and keeps the processor's cache free. Only for events with a type.
    """
    return event.message if event.raw is None else event.raw


def message_of(what: Any) -> Any:
    """The message again, from what ``kept`` returned."""
    return decode(from_json(what)).message if type(what) is str else what


def _other_role(properties: Mapping[str, Any], hoisted: Mapping[str, Any]) -> str | None:
    for fields in (properties, hoisted):
        for name in ("role", "speaker"):
            if isinstance(value := fields.get(name), str):
                return _ROLES.get(value.strip().lower(), value)
    return None


def _object_in(message: Any) -> dict[str, Any] | None:
    if not isinstance(message, str) or not message.lstrip().startswith("{"):
        return None
    try:
        value = from_json(message)
    except ValueError:
        return None
    return value if type(value) is dict else None


def _number(value: Any) -> int | None:
    """A whole number in any form that clients send: 7, 7.0, "7"."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 16:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value < MAX_NUMBER else None
