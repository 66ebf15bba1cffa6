"""Folding: which events repeat another one (docs/protocol.md, section 4).

Since the rename of replica to PAL, Tavus sends each turn of the PAL twice. It sends generic and role-specific
speaking events side by side, a heartbeat every second, and a streaming snapshot for each word. Nothing is
dropped here: events are marked with the reason to hide them.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Literal

from tavus_cli.protocol.events import Event
from tavus_cli.protocol.tool_calls import calls_in
from tavus_cli.protocol.wire import to_json

Fold = Literal["twin", "heartbeat", "partial", "echo"]  # "echo": our own respond coming back (turns.py)
_REMEMBERED = 512  # twins come within milliseconds of each other
_INTENDED = 32  # full texts
_NOBODY: frozenset[tuple[str, str]] = frozenset()


class _Recent:
    """Remembers the last ``size`` keys, or up to twice as many, at a constant cost.

    Of two dicts, the older is dropped when the newer is full. Keys hold hashes of texts, not the texts, which
    may be a megabyte long.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._new: dict[Hashable, str] = {}
        self._old: dict[Hashable, str] = {}

    def get(self, key: Hashable) -> str | None:
        value = self._new.get(key)
        return self._old.get(key) if value is None else value

    def put(self, key: Hashable, value: str) -> None:
        if len(self._new) >= self._size:
            self._old, self._new = self._new, {}
        self._new[key] = value


def is_piece(event: Event) -> bool:
    """Whether the event is a piece of sound with more pieces to follow (section 4.2)."""
    if event.type != "conversation.echo":
        return False
    return event.properties.get("modality") == "audio" and event.properties.get("done") is False


class Folding:
    """``fold(event)`` returns the reason to hide an event, or None. Call it once for each event, in order."""

    def __init__(self) -> None:
        self._recent = _Recent(_REMEMBERED)  # content → the role or type it was sent under
        self._intended = _Recent(_INTENDED)  # inference_id → the PAL's full text
        # The last change of each role: the first event of it, and the names of its twins.
        self._speaking: dict[str | None, tuple[Event, frozenset[tuple[str, str]]]] = {}

    def intended(self, inference_id: str | None) -> str | None:
        """The full text the PAL meant to say. What it really said is in the last snapshot."""
        return self._intended.get(inference_id) if inference_id else None

    def fold(self, event: Event, again: bool = False) -> Fold | None:
        """``again``: the number was seen before with different content; the state is left unchanged."""
        family = event.kind.family
        if family == "started" or family == "stopped":
            return self._speaking_change(event, family, again)
        if family == "partial":
            return self._partial(event)
        if family == "utterance":
            return self._utterance(event)
        if family == "present":
            return "heartbeat"
        if family == "ready":
            who = event.word("face_id") or event.word("replica_id")
            return self._twin(("ready", event.kind.type.rpartition("_")[2], who), event.type)
        if family == "tool_call":
            return self._tool_call(event)
        if family == "analysis":
            return self._twin(("analysis", hash(event.word("analysis"))), event.type)
        if is_piece(event):
            return "partial"
        if family == "interrupted":
            return "twin" if self._recent.get(("cut", event.inference_id)) is not None else None
        return None

    def _tool_call(self, event: Event) -> Fold | None:
        """Tool calls arrive twice (section 3.4). A call without an id is always a new one."""
        calls = calls_in(event)
        if not any(call.id for call in calls):
            return None
        content = tuple(
            (id, name, hash(given if type(given) is str else to_json(given))) for id, name, given in calls
        )
        return self._twin(("tool", event.type, content), "")

    def _twin(self, key: Hashable, variant: str) -> Fold | None:
        """A twin repeats the content under another name. The same name means that it happened again."""
        known = self._recent.get(key)
        if known is not None and (known != variant or not variant):
            return "twin"
        self._recent.put(key, variant)
        return None

    def _utterance(self, event: Event) -> Fold | None:
        if event.role != "pal":
            return None
        inference_id, text = event.inference_id, event.text
        if inference_id:
            self._intended.put(inference_id, text)
        return self._twin(
            ("utterance", inference_id, hash(text), event.interrupted),
            "" if inference_id else _as_sent(event),
        )

    def _partial(self, event: Event) -> Fold | None:
        if event.role != "pal":
            return "partial"
        inference_id, text, final = event.inference_id, event.text, event.final
        key = ("partial", inference_id, event.word("content_index"), hash(text), final)
        if self._twin(key, "" if inference_id else _as_sent(event)):
            return "twin"
        if not final:
            return "partial"
        spoken_in_full = not event.interrupted and inference_id and self._intended.get(inference_id) == text
        return "partial" if spoken_in_full else None  # the final record of what was really said

    def _speaking_change(self, event: Event, family: str, again: bool) -> Fold | None:
        """Starts and stops are paired by role and order: their ids are not reliable (section 3.3)."""
        role, inference_id = event.role, event.inference_id
        known = self._speaking.get(role)
        if known is not None:
            first, others = known
            if first.kind.family == family:
                known_id = first.inference_id
                variant = _variant(event)
                unsure = not (inference_id and known_id) and variant not in (*others, _variant(first))
                if (inference_id and inference_id == known_id) or unsure:
                    self._speaking[role] = (first, others | {variant})
                    return "twin"
            elif (
                family == "stopped"
                and event.kind.role is not None
                and self._is_less_complete(event, first, others)
            ):
                return "twin"
        if again:
            return None
        if len(self._speaking) > 64:  # roles are remote text
            self._speaking.clear()
        self._speaking[role] = (event, _NOBODY)
        if family == "stopped" and event.interrupted:
            self._recent.put(("cut", inference_id), "")
        return None

    @staticmethod
    def _is_less_complete(stop: Event, start: Event, others: frozenset[tuple[str, str]]) -> bool:
        """Whether this is an old-style stop without duration, which a new one with duration follows."""
        if "duration" in stop.properties:
            return False
        new = "conversation.started_speaking"
        return start.kind.type == new or any(name == new for name, _ in others)


def _variant(event: Event) -> tuple[str, str]:
    return event.type, _as_sent(event)


def _as_sent(event: Event) -> str:
    for name in ("role", "speaker"):
        if isinstance(role := event.get(name), str):
            return role
    return ""
