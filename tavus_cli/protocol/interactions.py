"""

Interactions, which clients send (docs/protocol.md, section 2), and warnings about them.

``lint`` only warns: the documentation lags behind the service, so unknown messages are sent too.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any, NamedTuple

from tavus_cli.errors import UsageError, nearest
from tavus_cli.protocol.wire import to_json

SIZE_LIMIT = 4_096  # bytes of UTF-8 JSON (section 5.2); native clients have been seen to exceed it
MOST_BYTES = 1_000_000  # of one that is sent at all: a session's line may have no more
SENSITIVITIES = ("superlow", "verylow", "low", "medium", "high", "auto")
EMOTIONS = ("neutral", "happiness", "sadness", "anger", "fear", "surprise", "disgust", "contempt")
_CHUNK_SECONDS = 0.08  # at 16 kHz 2,560 bytes of PCM, 3,416 of base64: under the limit with its envelope


class Interaction(NamedTuple):
    """One message to send. ``properties`` is None for a message without them (interrupt).

    ``raw`` is a whole message to send unchanged; the other fields are then ignored.
    """

    event_type: str
    properties: dict[str, Any] | None = None
    raw: dict[str, Any] | None = None

    def encode(self, conversation_id: str) -> dict[str, Any]:
        """The wire message (section 1.1)."""
        if self.raw is not None:
            return self.raw
        message: dict[str, Any] = {"message_type": "conversation", "event_type": self.event_type}
        if conversation_id:
            message["conversation_id"] = conversation_id
        if self.properties is not None:
            message["properties"] = self.properties
        return message


def echo(text: str) -> Interaction:
    return Interaction("conversation.echo", {"modality": "text", "text": text, "done": True})


def respond(text: str) -> Interaction:
    return Interaction("conversation.respond", {"text": text})


def interrupt() -> Interaction:
    return Interaction("conversation.interrupt")


def append_context(context: str, *, completed: bool = False) -> Interaction:
    properties = {"context": context} | ({"job_status": "completed"} if completed else {})
    return Interaction("conversation.append_llm_context", properties)


def overwrite_context(context: str) -> Interaction:
    return Interaction("conversation.overwrite_llm_context", {"context": context})


def sensitivity(which: str, value: str) -> Interaction:
    """``which`` is "pause" or "interrupt"; exactly one goes into a message (section 2.6)."""
    return Interaction("conversation.sensitivity", {f"participant_{which}_sensitivity": value})


def tool_result(tool_call_id: str, output: Any, *, error: bool = False) -> Interaction:
    status = "error" if error else "success"
    return Interaction(
        "conversation.tool_result", {"tool_call_id": tool_call_id, "output": output, "status": status}
    )


def confirm(objective_name: str) -> Interaction:
    """The properties are a guess (section 2.8)."""
    return Interaction("conversation.objective.confirm", {"objective_name": objective_name})


def set_emotion(emotion: str) -> Interaction:
    """Set one of EMOTIONS until the next. Seen with LiveKit; unverified over Daily (section 2.10)."""
    return Interaction("conversation.set_emotion", {"emotion": emotion})


def audio_echo(pcm: bytes, sample_rate: int, inference_id: str) -> Iterator[tuple[float, Interaction]]:
    """16-bit mono PCM as messages under SIZE_LIMIT, each with its due time in seconds (section 2.1).

    ``done`` is true only on the last; otherwise the end may be cut off.
    """
    step = max(2, min(int(sample_rate * _CHUNK_SECONDS) * 2, 2_700) // 2 * 2)
    for start in range(0, len(pcm), step):
        yield (
            start / 2 / sample_rate,
            Interaction(
                "conversation.echo",
                {
                    "modality": "audio",
                    "audio": base64.b64encode(pcm[start : start + step]).decode("ascii"),
                    "sample_rate": sample_rate,
                    "inference_id": inference_id,
                    "done": start + step >= len(pcm),
                },
            ),
        )


class _Schema(NamedTuple):
    """Properties with their JSON types; the first ``required`` of them must be present."""

    properties: dict[str, tuple[type, ...]]
    required: tuple[str, ...] = ()


_TEXT = (str,)
_SCHEMAS = {
    "conversation.echo": _Schema(
        {
            "modality": _TEXT,
            "text": _TEXT,
            "audio": _TEXT,
            "sample_rate": (int,),
            "inference_id": _TEXT,
            "done": (bool,),
        }
    ),
    "conversation.respond": _Schema({"text": _TEXT}, ("text",)),
    "conversation.interrupt": _Schema({}),
    "conversation.overwrite_llm_context": _Schema({"context": _TEXT}, ("context",)),
    "conversation.append_llm_context": _Schema({"context": _TEXT, "job_status": _TEXT}, ("context",)),
    "conversation.sensitivity": _Schema(
        {"participant_pause_sensitivity": _TEXT, "participant_interrupt_sensitivity": _TEXT}
    ),
    "conversation.tool_result": _Schema(
        {"tool_call_id": _TEXT, "output": (str, dict), "status": _TEXT, "name": _TEXT}, ("tool_call_id",)
    ),
    "conversation.objective.confirm": _Schema({"objective_name": _TEXT, "output_variables": (dict,)}),
    "conversation.set_emotion": _Schema({"emotion": _TEXT}, ("emotion",)),
}
_WRONG_TYPES = {
    "conversation.overwrite_context": "conversation.overwrite_llm_context",
    "conversation.append_context": "conversation.append_llm_context",
}
_WRONG_KEYS = {("conversation.overwrite_llm_context", "text"): "context"}
_VALUES = {
    "modality": ("text", "audio"),
    "status": ("success", "error"),
    "job_status": ("completed",),
    "participant_pause_sensitivity": SENSITIVITIES,
    "participant_interrupt_sensitivity": SENSITIVITIES,
    "emotion": EMOTIONS,
}


def lint(message: Any) -> list[str]:
    """Warnings about a message to send, one line each; [] if there are none.

    Raises UsageError for one that is too long for every room.
    """
    warnings = [] if isinstance(message, dict) else ["not a JSON object: Tavus reads only objects"]
    size = len(to_json(message).encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES:
        raise UsageError(f"{size:,} bytes: a message may have {MOST_BYTES:,}")
    if size > SIZE_LIMIT:
        warnings.append(f"{size:,} bytes: a message over {SIZE_LIMIT:,} may be lost")
    if not isinstance(message, dict):
        return warnings
    if message.get("message_type") != "conversation":
        warnings.append('message_type is not "conversation"')
    name = message.get("event_type")
    if not isinstance(name, str):
        return [*warnings, "event_type is missing"]
    schema = _SCHEMAS.get(name)
    if schema is None:
        return [*warnings, _about_type(name)]
    properties = message.get("properties", {})
    if not isinstance(properties, dict):
        return [*warnings, "properties is not an object"]
    return warnings + list(_about_properties(name, schema, properties))


def _about_type(name: str) -> str:
    if name == "conversation.realtime_api":
        return f"{name} is retired: Tavus no longer supports it"
    right = _WRONG_TYPES.get(name) or nearest(name, _SCHEMAS, cutoff=0.8)
    return f"unknown event_type {name}" + (f"; did you mean {right}?" if right else "")


def _about_properties(name: str, schema: _Schema, properties: dict[str, Any]) -> Iterator[str]:
    for key, value in properties.items():
        types = schema.properties.get(key)
        if types is None:
            right = _WRONG_KEYS.get((name, key)) or nearest(key, schema.properties, cutoff=0.5)
            yield f'unknown key "{key}" in {name}' + (f'; did you mean "{right}"?' if right else "")
        elif key == "done" and isinstance(value, str):
            yield f'done is the string "{value}": send a boolean'
        elif type(value) not in types:
            yield f"{key} is not {' or '.join(_NAMES[one] for one in types)}"
        elif key in _VALUES and value not in _VALUES[key]:
            yield f'{key} is "{value}": known are {", ".join(_VALUES[key])}'
    for key in schema.required:
        if key not in properties:
            yield f'{name} without "{key}"'
    if name == "conversation.sensitivity" and len(properties.keys() & schema.properties.keys()) != 1:
        yield "a sensitivity message takes exactly one of the two keys"


_NAMES: dict[type, str] = {str: "a string", int: "a whole number", bool: "a boolean", dict: "an object"}
