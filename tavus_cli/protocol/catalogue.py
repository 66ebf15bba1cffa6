"""The catalogue: one row per known event type, and each event in one line.

Adding an event type is adding a row to ``CATALOGUE``. Sources: docs/protocol.md, sections 2, 3 and 11.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tavus_cli.protocol.tool_calls import Called, calls_in
from tavus_cli.protocol.wire import MAX_DEPTH, TOO_DEEP, folded, from_json, to_json, too_deep, without_bytes

if TYPE_CHECKING:
    from tavus_cli.protocol.events import Event

_ONLY_SAID = {"role", "speech"}
_NO_CALLS = {*_ONLY_SAID, "interrupted", "is_interrupted", "user_audio_analysis", "user_visual_analysis"}
_ENVELOPE = {"message_type", "conversation_id", "seq", "turn_idx", "timestamp", "event_type"}
_WEBHOOK = {*_ENVELOPE, "webhook_url"}


class EventKind:
    """A row of the catalogue: how one event type is named, folded, coloured and summarised.

    ``family`` groups types for folding and turns. ``role`` is set for types that imply a role. ``label``
    fills the who column of events without a role. ``style`` is a style name of the theme. ``line`` makes the
    one line of ``summary``; it returns "" if the event has none of the expected fields. Never changed.
    """

    __slots__ = ("family", "label", "line", "role", "style", "type")

    def __init__(
        self,
        type: str,
        family: str,
        label: str,
        style: str,
        line: Callable[[Event], str],
        role: str | None = None,
    ) -> None:
        self.type = type
        self.family = family
        self.label = label
        self.style = style
        self.line = line
        self.role = role

    def summary(self, event: Event) -> str:
        """The event in one line, never blank. Remote text in it is not yet safe to print."""
        text = self.line(event)
        return text if text and not text.isspace() else rest(event)


def rest(event: Event) -> str:
    """Everything in the event except its envelope, as JSON; sounds and images by their size."""
    return _json(_rest(event))


def _rest(event: Event) -> Any:
    if event.properties and not event.hoisted:  # found without parsing the message
        return event.properties
    message = event.message
    if not isinstance(message, dict):
        return message
    if event.properties and message.keys() <= _WEBHOOK | {"properties", "inference_id"}:
        return event.properties
    left = {key: value for key, value in message.items() if key not in _ENVELOPE}
    return event.properties if left.keys() == {"properties"} and not left["properties"] else left


def _plain(value: Any) -> str:
    """A remote value as text: strings unchanged, other values as JSON, None as ""."""
    return value if isinstance(value, str) else "" if value is None else _json(value)


def _json(value: Any) -> str:
    text = to_json(value)
    if len(text) <= 2 * MAX_DEPTH:  # neither deep nor with bytes in it
        return text
    return TOO_DEEP if too_deep(value) else to_json(without_bytes(value))


def _first(event: Event, *names: str) -> Any:
    """The first of these fields that is not empty; if all are, the same in other spellings (camelCase)."""
    for name in names:
        if (value := event.get(name)) is not None and value != "":
            return value
    spelt = {folded(name) for name in names}
    for fields in (event.properties, event.hoisted):
        for key, value in fields.items():
            if value is not None and value != "" and folded(key) in spelt:
                return value
    return None


def _name(event: Event, *names: str) -> str:
    """As ``_first``, but an object is represented by its name."""
    value = _first(event, *names)
    if isinstance(value, dict):
        value = next((value[one] for one in (*names, "name", "id") if value.get(one)), value)
    return _plain(value)


def _started(_: Event) -> str:
    return "▶ speaking"


_SECONDS = "■ %.2f s"  # "%" takes two thirds of what a format specification takes


def _stopped(event: Event) -> str:
    seconds = event.duration
    text = "■" if seconds is None else _SECONDS % seconds
    return text + " ✂ interrupted" if event.interrupted else text


def _interrupted(_: Event) -> str:
    return "■ ✂ interrupted"


def _utterance(event: Event) -> str:
    text, keys = event.text, event.properties.keys()
    if keys <= _ONLY_SAID and not event.hoisted and "<" not in event.word("speech"):
        return text
    parts = [text] if text else []
    if event.interrupted:
        parts.append("✂ interrupted")
    parts += [f"({label}: {analysis})" for label, analysis in event.analyses]
    if not keys <= _NO_CALLS or event.hoisted:
        parts += [f"(tool call: {_called(call)})" for call in calls_in(event)]
    return "  ".join(parts)


def _partial(event: Event) -> str:
    text = event.text
    if event.interrupted:
        return text + " ✂ interrupted"
    return text if not text or event.final else text + " …"


def _called(call: Called) -> str:
    arguments = call.arguments
    return " ".join(
        filter(None, (call.name, arguments if type(arguments) is str else _plain(arguments), call.id))
    )


def _tool_call(event: Event) -> str:
    parts = [_called(call) for call in calls_in(event)]
    canvas = event.get("canvas_config")
    if isinstance(canvas, dict):
        parts.append(f"(canvas: {_plain(canvas.get('component', '?'))})")
    return " ".join(parts)


def _frame(frame: Any) -> str:
    """An image is cut to its type and size: the bytes mean nothing to a reader."""
    if isinstance(frame, dict) and isinstance(data := frame.get("data"), str):
        return f"{_plain(frame.get('mime_type', 'data'))} {len(data) * 3 // 4:,} B"
    if isinstance(frame, dict) and "uri" in frame:
        return _plain(without_bytes(frame["uri"]))
    return _json(frame)


def _perception_tool_call(event: Event) -> str:
    frames = event.get("frames")
    parts = [_called(call) for call in calls_in(event)]
    if modality := event.word("modality"):
        parts.append(f"({modality})")
    if isinstance(frames, list) and frames:
        parts.append("[" + ", ".join(_frame(frame) for frame in frames) + "]")
    return " ".join(parts)


def _analysis(event: Event) -> str:
    return _name(event, "analysis", "summary", "text", "content")


def _objective(event: Event) -> str:
    state = event.kind.type.rpartition(".")[2]
    name = _name(event, "objective_name", "objective", "name", "title")
    if not name:
        return f"{state} {rest(event)}" if _rest(event) else state
    variables = _first(event, "output_variables", "variables")
    return f"{state} {name} {_json(variables)}" if variables else f"{state} {name}"


def _guardrail(event: Event) -> str:
    name = _name(event, "guardrail", "guardrail_name", "name", "title")
    reason = _name(event, "reason", "message", "description")
    return f"{name}: {reason}" if name and reason else name or reason


def _rag(event: Event) -> str:
    documents = _first(event, "documents")
    if isinstance(documents, list) and documents and all(isinstance(one, dict) for one in documents):
        return "documents " + ", ".join(
            _plain(one.get("document_name") or one.get("document_id") or one) for one in documents
        )
    return "documents " + rest(event)


def _ready(event: Event) -> str:
    who = event.word("face_id") or event.word("replica_id") or _name(event, "pal_id", "persona_id")
    return f"{event.kind.type.rpartition('_')[2]} {who}".rstrip()


def _shutdown(event: Event) -> str:
    reason = shutdown_reason(event)
    return f"shutdown: {reason}" if reason else "shutdown"


def shutdown_reason(event: Event) -> str:
    return _name(event, "shutdown_reason", "reason", "cause")


def _participant(event: Event) -> str:
    person = _first(event, "participant", "user")
    fields = person if isinstance(person, dict) else {}
    parts = [event.short]
    for names in (
        ("user_name", "participant_name", "name"),
        ("participant_id", "session_id", "user_id", "id"),
    ):
        inside = next((value for one in names if (value := fields.get(one))), None)
        parts.append(_plain(inside) or _name(event, *names))
    if not any(parts[1:]):
        parts.append(_plain(person) or (rest(event) if _rest(event) else ""))
    return " ".join(filter(None, parts))


def _unknown(event: Event) -> str:
    """In full, without the envelope, which the columns already show."""
    name = event.type if event.type.startswith("system.") else event.short
    given = _rest(event)
    return f"{name} {_json(given)}" if given else name


def _foreign(event: Event) -> str:
    return event.message if isinstance(event.message, str) else rest(event)


# -- interactions, sent by us or by other clients in the room -------------------------------------------


def _said(event: Event) -> str:
    """The text of an echo; for sound its size, as estimated from its base64."""
    sound = _first(event, "audio", "pcm")
    if isinstance(sound, str) and sound and not event.text:
        done = ", done" if event.get("done") in (True, "true") else ""
        return f"{event.short} audio {_size(len(sound))}{done}"
    return f"{event.short} {event.text}" if event.text else _sent(event)


def _size(count: int) -> str:
    return f"{count} B" if count < 1_000 else f"{count / 1_000:,.1f} KB"


def _sent(event: Event) -> str:
    return f"{event.short} {rest(event)}" if _rest(event) else event.short


def _context(event: Event) -> str:
    context = _name(event, "context", "text", "content")
    return f"{event.short} {context}" if context else _sent(event)


def _sensitivity(event: Event) -> str:
    given = event.properties or event.hoisted
    return f"sensitivity {' '.join(f'{key}={event.word(key)}' for key in given)}" if given else "sensitivity"


def _tool_result(event: Event) -> str:
    parts = (call_id(event), event.word("status"), _name(event, "output", "result", "content"))
    return " ".join(filter(None, (event.short, *parts))) if any(parts) else _sent(event)


def call_id(event: Event) -> str:
    """For a tool_result, also the id of the call it answers."""
    return _name(event, "tool_call_id", "call_id", "id")


def _confirmed(event: Event) -> str:
    name = _name(event, "objective_name", "objective", "name")
    variables = _first(event, "output_variables")
    return f"{event.short} {name}" + (f" {_json(variables)}" if variables else "") if name else _sent(event)


def _emotion(event: Event) -> str:
    emotion = _name(event, "emotion")
    return f"{event.short} {emotion}" if emotion else _sent(event)


# -- webhooks, and what `conversation get --verbose` holds ---------------------------------------------


def _webhook(event: Event) -> str:
    reason = _name(event, "reason", "error_message", "error")
    if reason:
        return f"{event.short}: {reason}"
    given = _rest(event)
    if isinstance(given, dict):
        given = {key: value for key, value in given.items() if key not in ("replica_id", "face_id")}
    return f"{event.short} {_json(given)}" if given else event.short


def _transcript(event: Event) -> str:
    """Its length only: a whole one contains the system prompt."""
    turns = _first(event, "transcript", "transcription", "messages", "turns")
    if isinstance(turns, str):
        try:
            read = from_json(turns)
        except ValueError:
            return f"{event.short} {len(turns):,} characters"
        turns = read
    if isinstance(turns, dict):
        turns = next((value for value in turns.values() if isinstance(value, list)), [turns])
    if not isinstance(turns, list):
        return _webhook(event)
    said = [
        one for one in turns if not (isinstance(one, dict) and one.get("role") in ("system", "developer"))
    ]
    return f"{event.short} {len(said):,} turn" + "s" * (len(said) != 1)


def _chat(event: Event) -> str:
    name, text = _name(event, "name", "user_name", "from"), _name(event, "message", "text")
    return f"chat {name}: {text}" if name else f"chat: {text}" if text else ""


_SPEAKING = "speaking"
_ROWS = (
    # type, family, label, style, line, fixed role
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
    EventKind("conversation.replica_interrupted", "interrupted", "?", _SPEAKING, _interrupted, "pal"),
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
    EventKind("conversation.rag.observability", "rag", "finds", "quiet", _rag),
    EventKind("system.replica_joined", "ready", "pal", "system", _ready),
    EventKind("system.pal_joined", "ready", "pal", "system", _ready),
    EventKind("system.replica_ready", "ready", "pal", "system", _ready),
    EventKind("system.replica_present", "present", "pal", "quiet", _ready),
    EventKind("system.pal_present", "present", "pal", "quiet", _ready),
    EventKind("system.heartbeat", "present", "pal", "quiet", lambda _: "heartbeat"),
    EventKind("system.shutdown", "shutdown", "system", "system", _shutdown),
    EventKind("conversation.joined", "participant", "room", "system", _participant),
    EventKind("conversation.left", "participant", "room", "system", _participant),
    EventKind("conversation.connected", "participant", "room", "system", _participant),
    EventKind("conversation.disconnected", "participant", "room", "system", _participant),
    # Interactions: we receive those of other participants too.
    EventKind("conversation.echo", "interaction", "client", "text", _said),
    EventKind("conversation.respond", "interaction", "client", "text", _said),
    EventKind("conversation.interrupt", "interaction", "client", "text", _sent),
    EventKind("conversation.overwrite_llm_context", "interaction", "client", "text", _context),
    EventKind("conversation.append_llm_context", "interaction", "client", "text", _context),
    EventKind("conversation.sensitivity", "interaction", "client", "text", _sensitivity),
    EventKind("conversation.tool_result", "interaction", "client", "tool", _tool_result),
    EventKind("conversation.objective.confirm", "interaction", "client", "text", _confirmed),
    EventKind("conversation.set_emotion", "interaction", "client", "text", _emotion),
    EventKind("application.transcription_ready", "webhook", "system", "system", _transcript),
    EventKind("application.recording_ready", "webhook", "system", "system", _webhook),
    EventKind("application.recording_copy_failed", "webhook", "system", "warning", _webhook),
    EventKind("application.perception_unavailable", "webhook", "system", "system", _webhook),
    EventKind("application.post_call_action_executed", "webhook", "system", "system", _webhook),
    EventKind("canvas.interaction", "webhook", "system", "system", _webhook),
)
CATALOGUE: Mapping[str, EventKind] = {row.type: row for row in _ROWS}
PARTIAL = CATALOGUE["conversation.utterance.streaming"]
GUARDRAIL = CATALOGUE["conversation.guardrail.triggered"]
UTTERANCE = CATALOGUE["conversation.utterance"]
TOOL_RESULT = CATALOGUE["conversation.tool_result"]
UNKNOWN = EventKind("", "unknown", "event", "unknown", _unknown)
FOREIGN = EventKind("", "foreign", "other", "unknown", _foreign)
CHAT = EventKind("", "chat", "chat", "text", _chat)


def short_name(event_type: str) -> str:
    """ "conversation.replica.started_speaking" → "replica.started_speaking"."""
    return event_type.partition(".")[2] or event_type
