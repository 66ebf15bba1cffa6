"""A recording that can be shared: pseudonyms for words, names, arguments and ids; media by type and size.

Pure; the key is passed in. A pseudonym has the shape of the original: as many letters for letters and digits
for digits. Equal texts get equal pseudonyms, and so do equal beginnings of texts, word by word. So twins,
echoes and streaming snapshots still match, and a report has the same figures. The same word elsewhere gets
another pseudonym, which depends on the words before it, so that words cannot be counted.
"""

from __future__ import annotations

import json
import re
from typing import Any

from tavus_cli.errors import redacted
from tavus_cli.protocol.wire import to_json

MEDIA_FROM = 200  # longer base64 text counts as media
_MEDIA = re.compile(rf"[A-Za-z0-9+/_-]{{{MEDIA_FROM},}}={{0,2}}")
_DATA_URI = re.compile(r"data:([\w.+-]+/[\w.+-]+)?[;,]")
_HEX = re.compile(r"[0-9a-f-]{8,}")
_PLAIN = re.compile(r"[\w.:+ -]{0,64}", re.ASCII)
_WORD = re.compile(r"(\s+)")
# Fields with values of the protocol: kept if they look like such values.
_KEPT = frozenset(
    [
        *("message_type", "event_type", "seq", "turn_idx", "timestamp", "duration", "content_index", "final"),
        *(
            "interrupted",
            "is_interrupted",
            "done",
            "attempt",
            "sample_rate",
            "modality",
            "mime_type",
            "status",
        ),
        *("job_status", "shutdown_reason", "emotion", "event", "error_code", "storage_provider"),
        *("participant_pause_sensitivity", "participant_interrupt_sensitivity"),
    ]
)
_ROLES = frozenset(["user", "pal", "replica", "persona", "face", "assistant", "system", "tool"])
_JSON_TEXTS = frozenset(["arguments", "tool_call_arguments", "output"])
_LOWER, _UPPER, _DIGITS = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"


class Redactor:
    """``key``: 32 bytes, random if pseudonyms are for one run; the same key gives the same pseudonyms."""

    def __init__(self, key: bytes) -> None:
        import hmac

        self._key = hmac.new(key, b"tavus-console redact", "sha256")

    def message(self, message: Any) -> Any:
        """A wire message.

        A JSON string that holds an object is redacted as that object, and stays a string.
        """
        if isinstance(message, str):
            return self._json_text(message)
        return self._value(message, "", 0)

    def text(self, text: str) -> str:
        """Words, or an id."""
        out: list[str] = []
        state = self._key.copy()
        for number, piece in enumerate(_WORD.split(text)):
            if number % 2 or not piece:
                out.append(piece if number % 2 else "")
                continue
            state.update(piece.encode("utf-8", "surrogatepass") + b" ")
            out.append(_alike(piece, state.copy()))
        return "".join(out)

    def note(self, text: str) -> str:
        """A note, whose text before the colon is our own."""
        head, colon, rest = text.partition(": ")
        return head + colon + self.text(rest)

    def target(self, text: str) -> str:
        return text if re.fullmatch(r"sim(:\?[\w=.&-]*)?", text) else self.text(text)

    def _value(self, value: Any, name: str, depth: int) -> Any:
        if isinstance(value, dict):
            return {
                self._field(key, depth): self._value(inner, key, depth + 1) for key, inner in value.items()
            }
        if isinstance(value, list):
            return [self._value(inner, name, depth) for inner in value]
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self._string(value, name, depth)
        return value if name in _KEPT and depth <= 2 else self._number(value)

    def _field(self, name: str, depth: int) -> str:
        """Down to ``properties``, field names are those of the protocol; below, they may be anything."""
        return redacted(name) if depth < 2 or name in _KEPT or name in _FIELDS else self.text(name)

    def _string(self, value: str, name: str, depth: int) -> str:
        if depth <= 2 and name in _KEPT and _PLAIN.fullmatch(value):
            return value
        if name in ("role", "speaker") and value.lower() in _ROLES:
            return value
        if name == "mime_type" and re.fullmatch(r"[\w.+-]+/[\w.+-]+", value):
            return value
        uri = _DATA_URI.match(value)
        if uri or _MEDIA.fullmatch(value):
            kind = uri[1] if uri and uri[1] else "media"
            state = self._key.copy()
            state.update(value.encode("utf-8", "surrogatepass"))
            return f"redacted {kind} of {len(value) * 3 // 4} B, hash {state.hexdigest()[:16]}"
        if name in _JSON_TEXTS:
            return self._json_text(value)
        if name == "conversation_id" and value:
            return value[0] + self.text(value)[1:]  # an id stays one
        return self.text(value)

    def _json_text(self, text: str) -> str:
        if text.lstrip()[:1] in ("{", "["):
            try:
                value = json.loads(text)
                depth = 0 if isinstance(value, dict) and "event_type" in value else 3
                return to_json(self._value(value, "", depth))
            except (ValueError, RecursionError):
                pass
        return self.text(text)

    def _number(self, value: Any) -> Any:
        text = self.text(repr(value))
        try:
            number = json.loads(text)
        except ValueError:  # 1e+20, inf, a leading zero
            digits = re.sub(r"\D", "", text).lstrip("0")[:15] or "0"
            number = int(digits)
        return float(number) if isinstance(value, float) else int(number)


def new_redactor() -> Redactor:
    """A redactor with a random key that is not stored."""
    import secrets

    return Redactor(secrets.token_bytes(32))


_FIELDS = frozenset(
    [
        *("name", "tool_name", "arguments", "tool_call_arguments", "tool_call_id", "function", "tool_calls"),
        *("role", "content", "text", "speech", "data", "uri", "frames", "inference_id", "properties"),
        *("id", "document_id", "document_name", "documents", "transcript"),
    ]
)


def _alike(word: str, state: Any) -> str:
    """A pseudonym with letters and digits in the same places; other characters are kept."""
    hexadecimal = _HEX.fullmatch(word) is not None
    stream = b""
    out = []
    for character in word:
        if not character.isalnum():
            out.append(character)
            continue
        if not stream:
            stream = state.digest()
            state.update(b"more")
        number, stream = stream[0], stream[1:]
        if character.isdigit():
            out.append(_DIGITS[number % 10])
        elif hexadecimal:
            out.append("abcdef"[number % 6])
        elif ord(character) >= 0x2E80:  # wide scripts stay wide
            out.append(chr(0x4E00 + number * 16))
        else:
            out.append((_UPPER if character.isupper() else _LOWER)[number % 26])
    return "".join(out)
