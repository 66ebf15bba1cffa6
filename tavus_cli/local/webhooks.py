"""The bodies that Tavus posts to a callback_url (docs/protocol.md, section 6.11). Pure."""

from __future__ import annotations

from typing import Any

from tavus_cli.local.conversations import iso

Json = dict[str, Any]

FACE = "r90bbd427f71"
_SPOKEN = [("system", "You are at the front desk."), ("assistant", "Hello!"), ("user", "When do you open?")]
_STORED = {
    "s3_key": "c123/recording.mp4",
    "duration": 64.2,
    "storage_provider": "s3",
}

# The properties of an example of each type, for `webhooks trigger`.
EXAMPLES: dict[str, Json] = {
    "system.replica_joined": {"replica_id": FACE},
    "system.pal_joined": {"face_id": FACE},
    "system.shutdown": {"replica_id": FACE, "shutdown_reason": "participant_left_timeout reached"},
    "application.transcription_ready": {
        "replica_id": FACE,
        "transcript": [
            {"role": role, "content": content, "timestamp": 1_790_241_600.0 + place, "duration": 1.0}
            | {"seconds_from_start": float(place)}
            for place, (role, content) in enumerate(_SPOKEN)
        ],
    },
    "application.recording_ready": {
        "bucket_name": "recordings",
        "storage_uri": "s3://recordings/c123/recording.mp4",
        **_STORED,
    },
    "application.recording_copy_failed": {
        "recording_id": "rec_1",
        "error_code": "AccessDenied",
        "error_message": "The bucket refused the copy.",
        **_STORED,
    },
    "application.perception_analysis": {"analysis": "One person, who smiled and looked at the screen."},
    "application.perception_unavailable": {"reason": "no_vision_history"},
    "application.post_call_action_executed": {
        "tool_name": "send_summary",
        "status": "success",
        "request": {"body": {"to": "desk@example.com"}},
        "response": {"ok": True},
    },
}
# Callbacks without an event_type; we chose their names.
OBJECTIVE, GUARDRAIL = "objective", "guardrail"
BARE: dict[str, Json] = {
    OBJECTIVE: {"objective_name": "choose_a_day", "output_variables": {"day": "Monday"}},
    GUARDRAIL: {"properties": {"guardrail": "no_flash_photography", "guardrail_uuid": "g-1"}},
}
TYPES = (*EXAMPLES, *BARE)


def webhook(event_type: str, conversation_id: str, url: str, properties: Json, now: float) -> Json:
    """``now`` in Unix seconds; the time is ISO 8601 in a webhook."""
    return {
        "message_type": event_type.partition(".")[0],
        "event_type": event_type,
        "conversation_id": conversation_id,
        "webhook_url": url,
        "timestamp": iso(now),
        "properties": properties,
    }


def example(kind: str, conversation_id: str, url: str, now: float) -> Json:
    """One body of a type of TYPES."""
    if kind in BARE:
        return {"conversation_id": conversation_id, **BARE[kind]}
    return webhook(kind, conversation_id, url, EXAMPLES[kind], now)


def of_message(message: Any, conversation_id: str) -> Json | None:
    """The callback that an event in the room causes, or None."""
    if not isinstance(message, dict) or not isinstance(properties := message.get("properties"), dict):
        return None
    kind = message.get("event_type")
    if kind == "conversation.objective.completed":
        names = ("objective_name", "output_variables")
        return {"conversation_id": conversation_id, **{name: properties.get(name) for name in names}}
    if kind == "conversation.guardrail.triggered":
        names = ("guardrail", "guardrail_uuid")
        return {"conversation_id": conversation_id, "properties": {one: properties.get(one) for one in names}}
    return None


def joined(conversation_id: str, url: str, face: str, now: float) -> list[Json]:
    """Bodies under the old and the new name."""
    return [
        webhook("system.replica_joined", conversation_id, url, {"replica_id": face}, now),
        webhook("system.pal_joined", conversation_id, url, {"face_id": face}, now),
    ]


def recording(conversation_id: str, properties: Json, seconds: float) -> Json:
    """The properties of `application.recording_ready`; ``properties`` are those of the creation."""
    storage = properties.get("recording_storage") or {}
    bucket = storage.get("bucket_name") or properties.get("recording_s3_bucket_name") or "recordings"
    provider = storage.get("provider") or "s3"
    key = f"{conversation_id}/recording.mp4"
    return {
        "bucket_name": bucket,
        "s3_key": key,
        "duration": round(seconds, 3),
        "storage_provider": provider,
        "storage_uri": f"{provider}://{bucket}/{key}",
    }


def from_verbose(found: Json, url: str, now: float) -> list[Json]:
    """The webhooks that Tavus would have posted, from the output of ``get --verbose``.

    Events keep their order and times; the ``reason`` of a shutdown gets its name in webhooks.
    """
    conversation_id = str(found.get("conversation_id", ""))
    face = found.get("replica_id") or found.get("face_id")
    events = found.get("events")
    out: list[Json] = []
    for event in events if isinstance(events, list) else []:
        if not isinstance(event, dict) or not isinstance(kind := event.get("event_type"), str):
            continue
        given = event.get("properties")
        properties: Json = dict(given) if isinstance(given, dict) else {}
        if kind == "system.shutdown":
            reason = properties.pop("reason", None) or found.get("shutdown_reason")
            properties.setdefault("shutdown_reason", reason)
        if face and kind in ("system.shutdown", "system.replica_joined", "application.transcription_ready"):
            properties.setdefault("replica_id", face)
        body = webhook(kind, conversation_id, url, properties, now)
        if isinstance(at := event.get("timestamp"), str | int | float):
            body["timestamp"] = at
        out.append(body)
    return out
