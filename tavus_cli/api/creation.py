"""The fields of a new conversation, in one table, and the body of the request. Pure.

The table feeds the options of ``conversation create`` and ``join --new``, help and completion. Old and new
names are accepted (persona and PAL, replica and face); the old ones are sent, which every API knows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import ceil
from typing import Any, Literal, NamedTuple

from tavus_cli.errors import UsageError
from tavus_cli.protocol.wire import TOO_DEEP, from_json, same, too_deep

FieldKind = Literal["text", "flag", "whole", "seconds", "texts", "object"]
Json = dict[str, Any]


class Field(NamedTuple):
    """``name`` is the name in the API; ``options`` as typed; ``inside``: it belongs to ``properties``."""

    name: str
    options: tuple[str, ...]
    kind: FieldKind
    metavar: str
    help: str
    inside: bool = False


def _field(name: str, kind: FieldKind, metavar: str, help: str, *more: str) -> Field:
    return Field(name, ("--" + name.replace("_", "-"), *more), kind, metavar, help)


def _inside(name: str, kind: FieldKind, metavar: str, help: str) -> Field:
    return Field(name, ("--" + name.replace("_", "-"),), kind, metavar, help, inside=True)


FIELDS = (
    Field("persona_id", ("--pal", "--persona"), "text", "ID", "The PAL."),
    Field("replica_id", ("--face", "--replica"), "text", "ID", "The face, in place of the PAL's own."),
    _field("conversation_name", "text", "TEXT", "A name for lists."),
    _field(
        "conversational_context", "text", "TEXT", "What the PAL knows about this conversation.", "--context"
    ),
    _field("custom_greeting", "text", "TEXT", "What the PAL says first.", "--greeting"),
    _field("enable_dynamic_greeting", "flag", "", "Let the model write the greeting."),
    Field("chat", ("--chat",), "flag", "", "Text only, no face."),
    Field("audio_only", ("--audio-only",), "flag", "", "Audio only, no video."),
    Field("require_auth", ("--private", "--require-auth"), "flag", "", "Require a token to join the room."),
    Field(
        "test_mode",
        ("--test-mode",),
        "flag",
        "",
        "Create a conversation that has already ended: no PAL, no cost.",
    ),
    _field("max_participants", "whole", "N", "At most this many participants, including the PAL; 2 or more."),
    _field("callback_url", "text", "URL", "Where Tavus posts webhooks."),
    _field("meeting_url", "text", "URL", "A Meet, Zoom or Teams call to join instead."),
    Field("memory_stores", ("--memory-store",), "texts", "NAME", "A memory store. Can be repeated."),
    Field("document_ids", ("--document-id",), "texts", "ID", "A document. Can be repeated."),
    Field("document_tags", ("--document-tag",), "texts", "TAG", "Documents by tag. Can be repeated."),
    _field("document_retrieval_strategy", "text", "speed|balanced|quality", "How documents are searched."),
    Field("policy", ("--policy",), "text", "eu", "The data policy."),
    _inside("max_call_duration", "seconds", "DURATION", "How long it may last: 10m.  [default: 1h]"),
    _inside(
        "participant_left_timeout",
        "seconds",
        "DURATION",
        "How long it continues after the last guest has left.",
    ),
    _inside("participant_absent_timeout", "seconds", "DURATION", "How long it waits for the first guest."),
    _inside("enable_recording", "flag", "", "Tavus records it."),
    _inside("recording_storage", "object", "JSON", "Where Tavus keeps recordings."),
    _inside("recording_s3_bucket_name", "text", "NAME", "The older option for --recording-storage: bucket."),
    _inside("recording_s3_bucket_region", "text", "REGION", "The older option: region."),
    _inside("aws_assume_role_arn", "text", "ARN", "The older option: role."),
    _inside("enable_closed_captions", "flag", "", "Closed captions."),
    _inside("apply_greenscreen", "flag", "", "A green background."),
    _inside("language", "text", "NAME", "A language's full name, or multilingual."),
    Field(
        "languages",
        ("--languages",),
        "texts",
        "NAME",
        "One of several languages. Can be repeated.",
        inside=True,
    ),
    _inside("livekit_ws_url", "text", "URL", "A LiveKit room; its token (a secret) goes into --body."),
)
BY_NAME = {field.name: field for field in FIELDS}
RENAMED = {"pal_id": "persona_id", "face_id": "replica_id"}


def parse_body(text: str, source: str) -> Json:
    """``--body`` as an object. Raises UsageError that does not quote it, as it may hold a secret."""
    try:
        value = from_json(text)
    except ValueError as error:
        where = f" at line {error.lineno}" if hasattr(error, "lineno") else ""
        raise UsageError(f"--body {source} is not valid JSON{where}") from None
    if not isinstance(value, dict):
        raise UsageError(f"--body {source} must hold a JSON object")
    if too_deep(value):  # how deep Python reads depends on its version
        raise UsageError(f"--body {source} is {TOO_DEEP}")
    return value


def creation_body(options: Mapping[str, Any], base: Json | None = None) -> Json:
    """The body to send: ``base`` (``--body``), overridden by options (by field name). Raises UsageError."""
    body = old_names(base or {})
    properties = body.get("properties", {})
    if not isinstance(properties, dict):
        raise UsageError("properties must be a JSON object")
    properties = dict(properties)
    for name, value in options.items():
        field = BY_NAME[name]
        if value is None or value is False or value == []:
            continue
        (properties if field.inside else body)[name] = _value(field, value)
    if properties:
        body["properties"] = properties
    if not body.get("persona_id") and not body.get("replica_id"):
        raise UsageError("missing --pal or --face: who is the conversation with?")
    try:
        json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):  # a byte that is not UTF-8, NaN, a thousand brackets
        raise UsageError("an option or --body has text that cannot be sent as JSON in UTF-8") from None
    return body


def old_names(body: Json) -> Json:
    """The body with the names that every API knows. Raises UsageError if old and new names contradict."""
    renamed: Json = {}
    for name, value in body.items():
        name = RENAMED.get(name, name)
        if name in renamed and not same(renamed[name], value):
            new = next(new for new, old in RENAMED.items() if old == name)
            raise UsageError(f"{new} and {name} are the same field, but the body gives two values")
        renamed[name] = value
    return renamed


def _value(field: Field, value: Any) -> Any:
    match field.kind:
        case "seconds":
            return ceil(value)  # "0.2s" must not become 0
        case "object":
            try:
                parsed = from_json(value)
            except ValueError:
                parsed = None
            if not isinstance(parsed, dict):
                raise UsageError(f"{field.options[0]} takes a JSON object")
            return parsed
    return value
