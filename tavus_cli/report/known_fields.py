"""The known fields of each event (docs/protocol.md, sections 1 to 3 and 11); all others are new."""

from __future__ import annotations

from collections.abc import Mapping

from tavus_cli.protocol.events import Event
from tavus_cli.protocol.tool_calls import FIELDS

_ENVELOPE = (
    "message_type event_type conversation_id timestamp seq turn_idx inference_id properties webhook_url"
)
ENVELOPE = frozenset(_ENVELOPE.split(" "))
_SAID = "role speaker speech text content transcript interrupted is_interrupted user_audio_analysis "
_SAID += "user_visual_analysis visual_context tool_calls"
_WHO = "replica_id face_id persona_id pal_id"
_PERSON = "id name participant participant_id participant_name session_id user user_id user_name"
_FAMILIES = {
    "utterance": _SAID,
    "partial": _SAID + " content_index final",
    "started": "role",
    "stopped": "role interrupted is_interrupted duration",
    "interrupted": "role",
    "tool_call": "canvas_config modality frames",
    "analysis": "analysis summary text content",
    "objective": "objective_name objective name title output_variables variables",
    "guardrail": "guardrail guardrail_name guardrail_uuid name title reason message description",
    "rag": "documents",
    "ready": _WHO,
    "present": f"attempt {_WHO}",
    "shutdown": f"{_WHO} shutdown_reason reason cause",
    "participant": _PERSON,
}
_NESTED = frozenset({"seq", "turn_idx", "inference_id"})  # seen inside ``properties`` (section 1.2)
KNOWN: Mapping[str, frozenset[str]] = {
    family: frozenset(names.split(" ")) | _NESTED | (FIELDS if family == "tool_call" else frozenset())
    for family, names in _FAMILIES.items()
}


def unknown_fields(event: Event) -> list[str]:
    """Names of fields of a known event that no document describes."""
    known = KNOWN[event.kind.family]
    return sorted([*(event.properties.keys() - known), *(event.hoisted.keys() - known - ENVELOPE)])
