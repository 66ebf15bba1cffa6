"""What Tavus says: one tolerant envelope, and one catalogue row per known event type.

``decode`` turns any JSON value of the data channel into an Event and never fails: what is unknown
is an Event of the kind UNKNOWN, what is not a Tavus message is one of the kind FOREIGN. Adding
an event type is adding a row to ``CATALOGUE``. Sources: docs/protocol.md, sections 1 and 3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tavus_cli.protocol.wire import TOO_DEEP, from_json, to_json, too_deep

Direction = Literal["in", "out"]
MAX_NUMBER = 2**53  # a larger seq or turn_idx is not one: JSON numbers are not exact beyond it

_EMPTY: Mapping[str, Any] = {}
_PAL_ROLES = {"pal": "pal", "replica": "pal", "persona": "pal", "face": "pal", "user": "user"}
_ONLY_SAID = {"role", "speech"}
_ENVELOPE = {"message_type", "conversation_id", "seq", "turn_idx", "timestamp", "event_type"}


@dataclass(slots=True, eq=False)
class Event:
    """One message, decoded (section 1.2). Never changed; not frozen only because that is slow.

    ``type`` is the event_type as sent, "" for a foreign message; ``role`` is "user", "pal" (also
    for "replica") or what else was sent; ``at`` is the arrival in Unix seconds or None; ``raw`` is the
    JSON text where the message came as text.
    """

    message: Any
    kind: EventKind
    type: str
    properties: Mapping[str, Any]
    seq: int | None
    turn_idx: int | None
    inference_id: str | None
    role: str | None
    at: float | None = None
    sender: str | None = None
    raw: str | None = None
    direction: Direction = "in"

    def get(self, name: str) -> Any:
        """A field from ``properties`` or hoisted to the top level, or None (section 1.2)."""
        value = self.properties.get(name)
        return value if value is not None or not self.type else self.message.get(name)

    def word(self, name: str) -> str:
        """A field as text; "" if absent, JSON if not a string."""
        value = self.properties.get(name)
        if value is None and self.type:  # ``get``, without a call: nothing is asked for as often
            value = self.message.get(name)
        return value if type(value) is str else _plain(value)

    @property
    def short(self) -> str:
        """The type without its first segment: "utterance", "replica.started_speaking", "shutdown"."""
        return short_name(self.type)

    @property
    def text(self) -> str:
        """What was said: ``speech``, ``text``, ``content`` or ``transcript``, the first that is a string."""
        speech = self.properties.get("speech")
        if isinstance(speech, str):  # the documented place
            return speech
        for name in ("speech", "text", "content", "transcript"):
            value = self.get(name)
            if isinstance(value, str):
                return value
        return ""

    @property
    def timestamp(self) -> float | None:
        """When it was created, Unix seconds; None where it is absent or nonsense."""
        if not self.type:
            return None
        value = self.message.get("timestamp")
        return value if type(value) is float and 0 <= value < 1e11 else _seconds(value, 1e11)

    @property
    def duration(self) -> float | None:
        """Seconds of speech on a stopped event; None when unknown (section 3.3)."""
        value = self.properties.get("duration")
        return value if type(value) is float and 0 <= value < 1e9 else _seconds(self.get("duration"), 1e9)

    @property
    def interrupted(self) -> bool:
        """Whether speech was cut off; both spellings, booleans and strings."""
        for name in ("interrupted", "is_interrupted"):
            value = self.properties.get(name)
            if value is None and self.type:
                value = self.message.get(name)
            if value is not None:
                return value is True or value == "true"
        return False

    @property
    def final(self) -> bool:
        return self.get("final") in (True, "true")


@dataclass(slots=True, eq=False)  # not frozen, as Event
class EventKind:
    """A row of the catalogue: how one event type is named, folded, coloured and summarised.

    ``family`` is what folding and turns go by; ``role`` is fixed by the type where it names one;
    ``label`` stands in the who column where there is no role; ``style`` is a name of the theme;
    ``summary`` is the event in one line, with remote text not yet made safe.
    """

    type: str
    family: str
    label: str
    style: str
    summary: Callable[[Event], str]
    role: str | None = None


def short_name(event_type: str) -> str:
    """ "conversation.replica.started_speaking" → "replica.started_speaking"."""
    return event_type.partition(".")[2] or event_type


def _plain(value: Any) -> str:
    """A remote value as text: strings as they are, others as JSON; None is ""."""
    return value if isinstance(value, str) else "" if value is None else _json(value)


def _json(value: Any) -> str:
    return TOO_DEEP if too_deep(value) else to_json(value)


def _seconds(value: Any, limit: float) -> float | None:
    return float(value) if type(value) in (float, int) and 0 <= value < limit else None


def _started(_: Event) -> str:
    return "▶ speaking"


_SECONDS = "■ %.2f s"  # "%" takes two thirds of what a format specification takes


def _stopped(event: Event) -> str:
    seconds = event.duration
    text = "■" if seconds is None else _SECONDS % seconds
    return text + " ✂ interrupted" if event.interrupted else text


def _utterance(event: Event) -> str:
    if event.properties.keys() <= _ONLY_SAID:
        return event.text
    parts = [event.text]
    if event.interrupted:
        parts.append("✂ interrupted")
    for name, label in (
        ("user_audio_analysis", "sounds"),
        ("user_visual_analysis", "looks"),
        ("visual_context", "looks"),
    ):
        if analysis := event.word(name):
            parts.append(f"({label}: {analysis})")
    return "  ".join(parts)


def _partial(event: Event) -> str:
    if event.interrupted:
        return f"{event.text} ✂ interrupted"
    return event.text if event.final else f"{event.text} …"


def _arguments(event: Event) -> str:
    value = event.get("arguments")
    if value is None:
        value = event.get("tool_call_arguments")
    return _plain(value)


def _tool_call(event: Event) -> str:
    parts = [event.word("name") or event.word("tool_name"), _arguments(event), event.word("tool_call_id")]
    canvas = event.get("canvas_config")
    if isinstance(canvas, dict):
        parts.append(f"(canvas: {_plain(canvas.get('component', '?'))})")
    return " ".join(filter(None, parts))


def _frame(frame: Any) -> str:
    """An image is cut to its type and size: the bytes mean nothing to a reader."""
    if isinstance(frame, dict) and isinstance(data := frame.get("data"), str):
        return f"{_plain(frame.get('mime_type', 'data'))} {len(data) * 3 // 4:,} B"
    if isinstance(frame, dict) and "uri" in frame:
        return _plain(frame["uri"])
    return _json(frame)


def _perception_tool_call(event: Event) -> str:
    frames = event.get("frames")
    parts = [event.word("name"), _arguments(event), event.word("tool_call_id"), f"({event.word('modality')})"]
    if isinstance(frames, list) and frames:
        parts.append("[" + ", ".join(_frame(frame) for frame in frames) + "]")
    return " ".join(part for part in parts if part and part != "()")


def _analysis(event: Event) -> str:
    return event.word("analysis")


def _objective(event: Event) -> str:
    variables = event.get("output_variables")
    parts = [event.type.rpartition(".")[2], event.word("objective_name")]
    if variables:
        parts.append(_json(variables))
    return " ".join(part for part in parts if part)


def _guardrail(event: Event) -> str:
    name, reason = event.word("guardrail") or event.word("guardrail_name"), event.word("reason")
    return f"{name}: {reason}" if reason else name or _json(event.properties)


def _rag(event: Event) -> str:
    documents = event.get("documents")
    if isinstance(documents, list) and documents and all(isinstance(one, dict) for one in documents):
        return "documents " + ", ".join(
            _plain(one.get("document_name") or one.get("document_id") or one) for one in documents
        )
    return "documents " + _json(event.properties)


def _ready(event: Event) -> str:
    who = event.word("face_id") or event.word("replica_id")
    return " ".join(part for part in (event.type.rpartition("_")[2], who) if part)


def _shutdown(event: Event) -> str:
    reason = event.word("shutdown_reason") or event.word("reason")
    return f"shutdown: {reason}" if reason else "shutdown"


def _participant(event: Event) -> str:
    return " ".join(part for part in (event.short, event.word("participant_id")) if part)


def _unknown(event: Event) -> str:
    """In full: everything but the envelope, which the columns show."""
    if not event.properties:
        rest = {key: value for key, value in event.message.items() if key not in _ENVELOPE}
    elif event.message.keys() <= _ENVELOPE | {"properties", "inference_id"}:
        rest = dict(event.properties)
    else:
        rest = {key: value for key, value in event.message.items() if key not in _ENVELOPE}
    name = event.type if event.type.startswith("system.") else event.short
    return f"{name} {_json(rest)}" if rest else name


def _foreign(event: Event) -> str:
    return event.message if isinstance(event.message, str) else _json(event.message)


_SPEAKING = "speaking"
_ROWS = (
    # type, family, label, style, summary, fixed role
    EventKind("conversation.utterance", "utterance", "?", "text", _utterance),
    EventKind("conversation.utterance.streaming", "partial", "?", "partial", _partial),
    EventKind("conversation.started_speaking", "started", "?", _SPEAKING, _started),
    EventKind("conversation.stopped_speaking", "stopped", "?", _SPEAKING, _stopped),
    EventKind("conversation.replica.started_speaking", "started", "?", _SPEAKING, _started, "pal"),
    EventKind("conversation.replica.stopped_speaking", "stopped", "?", _SPEAKING, _stopped, "pal"),
    EventKind("conversation.pal.started_speaking", "started", "?", _SPEAKING, _started, "pal"),
    EventKind("conversation.pal.stopped_speaking", "stopped", "?", _SPEAKING, _stopped, "pal"),
    EventKind("conversation.user.started_speaking", "started", "?", _SPEAKING, _started, "user"),
    EventKind("conversation.user.stopped_speaking", "stopped", "?", _SPEAKING, _stopped, "user"),
    EventKind(
        "conversation.replica_interrupted", "interrupted", "?", _SPEAKING, lambda _: "■ ✂ interrupted", "pal"
    ),
    EventKind("conversation.tool_call", "tool_call", "tool", "tool", _tool_call),
    EventKind("conversation.perception_tool_call", "tool_call", "sees", "perception", _perception_tool_call),
    EventKind("application.perception_tool_call", "tool_call", "sees", "perception", _perception_tool_call),
    EventKind("conversation.perception_analysis", "analysis", "sees", "perception", _analysis),
    EventKind("conversation.perception-analysis", "analysis", "sees", "perception", _analysis),
    EventKind("application.perception_analysis", "analysis", "sees", "perception", _analysis),
    EventKind("conversation.objective.activated", "objective", "goal", "objective", _objective),
    EventKind("conversation.objective.pending", "objective", "goal", "objective", _objective),
    EventKind("conversation.objective.completed", "objective", "goal", "objective", _objective),
    EventKind("conversation.guardrail.triggered", "guardrail", "guard", "warning", _guardrail),
    EventKind("conversation.rag.observability", "rag", "rag", "quiet", _rag),
    EventKind("system.replica_joined", "ready", "pal", "system", _ready),
    EventKind("system.pal_joined", "ready", "pal", "system", _ready),
    EventKind("system.replica_ready", "ready", "pal", "system", _ready),
    EventKind("system.replica_present", "present", "pal", "quiet", _ready),
    EventKind("system.pal_present", "present", "pal", "quiet", _ready),
    EventKind("system.heartbeat", "present", "pal", "quiet", lambda _: "heartbeat"),
    EventKind("system.shutdown", "shutdown", "system", "system", _shutdown),
    EventKind("conversation.joined", "participant", "room", "system", _participant),
    EventKind("conversation.left", "participant", "room", "system", _participant),
)
CATALOGUE: Mapping[str, EventKind] = {row.type: row for row in _ROWS}
PARTIAL = CATALOGUE["conversation.utterance.streaming"]
GUARDRAIL = CATALOGUE["conversation.guardrail.triggered"]
UTTERANCE = CATALOGUE["conversation.utterance"]
UNKNOWN = EventKind("", "unknown", "event", "unknown", _unknown)
FOREIGN = EventKind("", "foreign", "other", "unknown", _foreign)


def decode(
    message: Any,
    at: float | None = None,
    sender: str | None = None,
    raw: str | None = None,
    direction: Direction = "in",
) -> Event:
    """Any JSON value as an Event; a JSON string that holds an object is taken as that (section 1.2)."""
    if type(message) is not dict:
        inner = _object_in(message)
        if inner is None:
            return Event(message, FOREIGN, "", _EMPTY, None, None, None, None, at, sender, raw, direction)
        raw = raw or to_json(message)  # so that it is written out as it came: a string
        message = inner
    get = message.get
    name = get("event_type")
    if type(name) is not str or not name:
        return Event(message, FOREIGN, "", _EMPTY, None, None, None, None, at, sender, raw, direction)
    kind = CATALOGUE.get(name) or _kind_of(name)
    properties = get("properties")
    if type(properties) is not dict:
        properties = _EMPTY
    nested = properties.get
    role = kind.role
    if role is None:
        role = get("role") if (said := nested("role")) is None else said
        role = _PAL_ROLES.get(role, role) if type(role) is str else None
    if kind is UTTERANCE and type(nested("final")) is bool:
        kind = PARTIAL
    seq = get("seq")
    if type(seq) is not int or not 0 <= seq < MAX_NUMBER:
        seq = _number(nested("seq") if seq is None else seq)
    turn_idx = get("turn_idx")
    if type(turn_idx) is not int or not 0 <= turn_idx < MAX_NUMBER:
        turn_idx = _number(nested("turn_idx") if turn_idx is None else turn_idx)
    inference_id = get("inference_id")
    if type(inference_id) is not str:
        inference_id = nested("inference_id")
        if type(inference_id) is not str:
            inference_id = None
    return Event(
        message, kind, name, properties, seq, turn_idx, inference_id, role, at, sender, raw, direction
    )


def kept(event: Event) -> Any:
    """The message, to be remembered: as its text where it came as text, which takes a tenth of the memory
    and leaves the processor's cache to what is new. Only of an event with a type."""
    return event.message if event.raw is None else event.raw


def message_of(what: Any) -> Any:
    """What was ``kept``, as the message again."""
    return decode(from_json(what)).message if type(what) is str else what


def _kind_of(name: str) -> EventKind:
    lower = name.lower()
    if kind := CATALOGUE.get(lower):
        return kind
    return GUARDRAIL if "guardrail" in lower else UNKNOWN  # section 3.8: the type is documented nowhere


def _object_in(message: Any) -> dict[str, Any] | None:
    if not isinstance(message, str) or not message.lstrip().startswith("{"):
        return None
    try:
        value = from_json(message)
    except ValueError:
        return None
    return value if type(value) is dict else None


def _number(value: Any) -> int | None:
    """A whole number from what clients have been seen to send: int, 7.0, "7"."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 16:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value < MAX_NUMBER else None
