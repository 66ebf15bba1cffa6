"""The kind of a message whose type has no row in the catalogue, or that has no type (section 11)."""

from __future__ import annotations

from functools import cache
from typing import Any

from tavus_cli.protocol.catalogue import CATALOGUE, CHAT, FOREIGN, GUARDRAIL, UNKNOWN, EventKind
from tavus_cli.protocol.wire import folded

_INTERRUPTED = CATALOGUE["conversation.replica_interrupted"]
_USER_INTERRUPTED = EventKind(
    "conversation.user_interrupted",
    _INTERRUPTED.family,
    _INTERRUPTED.label,
    _INTERRUPTED.style,
    _INTERRUPTED.line,
    "user",
)


@cache  # made when first needed
def _other_spellings() -> dict[str, EventKind]:
    """Known types by their spelling without case and separators, including every word for the PAL."""
    known = {folded(row.type): row for row in CATALOGUE.values()}
    for who in ("replica", "pal", "persona", "face", "user", "participant"):
        whose = "user" if who in ("user", "participant") else "pal"
        for what in ("started_speaking", "stopped_speaking"):
            known[folded(f"conversation.{who}.{what}")] = CATALOGUE[f"conversation.{whose}.{what}"]
        cut = _INTERRUPTED if whose == "pal" else _USER_INTERRUPTED
        known[folded(f"conversation.{who}.interrupted")] = cut
        for what in ("joined", "left", "connected", "disconnected"):
            known[folded(f"conversation.{who}.{what}")] = CATALOGUE[f"conversation.{what}"]
        for what in ("joined", "ready", "present"):
            known[folded(f"system.{who}.{what}")] = CATALOGUE[f"system.replica_{what}"]
    for where in ("application", "conversation"):
        known[folded(f"{where}.canvas.interaction")] = CATALOGUE["canvas.interaction"]
    known["conversationinterrupted"] = _INTERRUPTED
    return known


def kind_of(name: str) -> EventKind:
    """The kind of a type that has no row of its own, by its other spellings (section 11)."""
    plain = folded(name)
    if kind := _other_spellings().get(plain):
        return kind
    return GUARDRAIL if "guardrail" in plain else UNKNOWN  # section 3.8: the type is undocumented


def kind_without_type(message: Any) -> EventKind:
    """The kind of a message without ``event_type``: Prebuilt's chat and some callbacks (section 11)."""
    if not isinstance(message, dict):
        return FOREIGN
    event, properties = message.get("event"), message.get("properties")
    if isinstance(event, str) and folded(event) in ("chatmsg", "chatmessage", "syncchatmsg"):
        return CHAT
    for fields in (message, properties):
        if isinstance(fields, dict):
            if "objective_name" in fields:
                return CATALOGUE["conversation.objective.completed"]
            if "guardrail" in fields or "guardrail_name" in fields:
                return GUARDRAIL
    return FOREIGN
