"""Fields that the body of a creation may have, by docs/protocol.md (section 6.2). Pure."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

_TEXT, _FLAG, _WHOLE, _TEXTS, _OBJECT = "text", "boolean", "integer", "array of text", "object"
FIELDS = {
    **dict.fromkeys(("persona_id", "replica_id", "conversation_name", "conversational_context"), _TEXT),
    **dict.fromkeys(("custom_greeting", "callback_url", "meeting_url", "policy"), _TEXT),
    "document_retrieval_strategy": _TEXT,
    **dict.fromkeys(("enable_dynamic_greeting", "audio_only", "chat", "require_auth", "test_mode"), _FLAG),
    "max_participants": _WHOLE,
    **dict.fromkeys(("memory_stores", "document_ids", "document_tags"), _TEXTS),
    "properties": _OBJECT,
}
PROPERTIES = {
    **dict.fromkeys(("max_call_duration", "participant_left_timeout", "participant_absent_timeout"), _WHOLE),
    **dict.fromkeys(("enable_recording", "enable_closed_captions", "apply_greenscreen"), _FLAG),
    "recording_storage": _OBJECT,
    **dict.fromkeys(("recording_s3_bucket_name", "recording_s3_bucket_region"), _TEXT),
    **dict.fromkeys(("aws_assume_role_arn", "language", "livekit_ws_url", "livekit_room_token"), _TEXT),
    "languages": _TEXTS,
}
NEW_NAMES = {"pal_id": "persona_id", "face_id": "replica_id"}
STRATEGIES = ("speed", "balanced", "quality")
_LEAST = {"max_participants": 2}
_MOST = {"max_call_duration": 3600}
_MOST_OTHERS = 86_400


def with_old_names(body: Any) -> Any:
    """A body with the old names of PAL and face; anything but an object is returned unchanged."""
    if not isinstance(body, dict):
        return body
    return {NEW_NAMES.get(name, name): value for name, value in body.items()}


def wrong(body: Any, fields: dict[str, str] = FIELDS) -> str | None:
    """The mistake in a body with old names, or None."""
    if not isinstance(body, dict):
        return "the body must be an object"
    for name, value in body.items():
        kind = fields.get(name)
        if kind is None:
            return f"{name[:100]}: unknown field"
        if not _is(value, kind):
            return f"{name}: must be {kind}"
        if kind == _WHOLE and not _LEAST.get(name, 0) <= value <= _MOST.get(name, _MOST_OTHERS):
            return f"{name}: out of range"
    if fields is not FIELDS:
        return None
    if (problem := wrong(body.get("properties", {}), PROPERTIES)) is not None:
        return problem
    if not body.get("persona_id") and not body.get("replica_id"):
        return "persona_id is missing"
    return None


def _is(value: Any, kind: str) -> bool:
    match kind:
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "array of text":
            return isinstance(value, list) and all(isinstance(one, str) for one in value)
        case "object":
            return isinstance(value, dict)
    return isinstance(value, str)
