"""Which fields each event is known to have (docs/protocol.md, sections 1 to 3): others count as new."""

from __future__ import annotations

from collections.abc import Mapping

from tavus_cli.protocol.events import Event

_ENVELOPE = (
    "message_type event_type conversation_id timestamp seq turn_idx inference_id properties webhook_url"
)
ENVELOPE = frozenset(_ENVELOPE.split(" "))
_SAID = "role speaker speech text content transcript interrupted is_interrupted user_audio_analysis "
_SAID += "user_visual_analysis visual_context tool_calls"
_CALL = "name tool_name arguments tool_call_arguments tool_call_id function tool_calls canvas_config"
_FAMILIES = {
    "utterance": _SAID,
    "partial": _SAID + " content_index final",
    "started": "role",
    "stopped": "role interrupted is_interrupted duration",
    "interrupted": "role",
    "tool_call": _CALL + " modality frames",
    "analysis": "analysis",
    "objective": "objective_name output_variables",
    "guardrail": "guardrail guardrail_name guardrail_uuid reason",
    "ready": "replica_id face_id persona_id pal_id",
    "present": "attempt replica_id face_id persona_id pal_id",
    "shutdown": "replica_id face_id shutdown_reason reason",
    "participant": "participant_id user_id user_name",
}
_NESTED = frozenset({"seq", "turn_idx", "inference_id"})  # seen inside ``properties`` (section 1.2)
KNOWN: Mapping[str, frozenset[str]] = {
    family: frozenset(names.split(" ")) | _NESTED for family, names in _FAMILIES.items()
}
# Sent by another participant, whose messages come to us too (section 11).
_SENT = "echo respond interrupt overwrite_llm_context append_llm_context sensitivity tool_result"
_SENT += " objective.confirm set_emotion"
INTERACTIONS = frozenset(f"conversation.{name}" for name in _SENT.split(" "))


def unknown_fields(event: Event) -> list[str]:
    """Names of fields of a known event that no document describes."""
    known = KNOWN[event.kind.family]
    return sorted([*(event.properties.keys() - known), *(event.message.keys() - known - ENVELOPE)])
