"""The transcript of a conversation, as Tavus delivers it afterwards (protocol.md, section 6.11). Pure."""

from __future__ import annotations

from typing import Any

from tavus_cli.protocol.wire import to_json

Json = dict[str, Any]
MAX_ENTRIES = 5000


class Transcript:
    """``add`` every message of the room; ``entries`` is the list for `application.transcription_ready`.

    ``began`` is when the conversation was created, in Unix seconds; ``context`` its conversational context.
    """

    def __init__(self, began: float, context: str = "") -> None:
        self._began = began
        self._entries: list[Json] = []
        self._by_inference: dict[str, Json] = {}
        if context:
            self._append("system", context, began)

    @property
    def entries(self) -> list[Json]:
        """The transcript, without speech that was interrupted before its first word."""
        return [one for one in self._entries if one["content"]]

    def add(self, message: Any, at: float) -> None:
        """Take a message to or from the PAL; only speech counts."""
        if not isinstance(message, dict):
            return
        properties = message.get("properties")
        if not isinstance(properties, dict):
            return
        kind, role = message.get("event_type"), properties.get("role")
        speech, inference = properties.get("speech"), message.get("inference_id")
        if kind == "conversation.utterance" and role in ("user", "pal") and isinstance(speech, str):
            self._append("user" if role == "user" else "assistant", speech, at, inference)
        elif (
            kind == "conversation.utterance.streaming" and role == "pal" and properties.get("is_interrupted")
        ):
            if isinstance(speech, str) and (entry := self._by_inference.get(str(inference))) is not None:
                entry["content"] = speech  # the words really spoken
        elif kind == "conversation.stopped_speaking" and role in ("user", "pal"):
            entry = self._by_inference.get(str(inference))
            if entry is not None:
                entry["duration"] = properties.get("duration")
        elif kind == "conversation.tool_result":
            output = properties.get("output", "")
            self._append("tool", output if isinstance(output, str) else to_json(output), at)

    def _append(self, role: str, content: str, at: float, inference: Any = None) -> None:
        if len(self._entries) >= MAX_ENTRIES:
            return
        entry: Json = {
            "role": role,
            "content": content,
            "timestamp": round(at, 3),
            "seconds_from_start": round(at - self._began, 3),
            "duration": None,
        }
        if isinstance(inference, str):
            entry["inference_id"] = inference
            self._by_inference[inference] = entry
        self._entries.append(entry)
