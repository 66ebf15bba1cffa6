"""An interaction or event as code: for daily-js, daily-python, a shell, or as JSON."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Iterator
from math import isinf, isnan
from typing import Any

from tavus_cli.errors import UsageError
from tavus_cli.language.commands import sendable
from tavus_cli.protocol.events import Event
from tavus_cli.protocol.interactions import Interaction
from tavus_cli.protocol.wire import MAX_DEPTH, to_json, too_deep
from tavus_cli.views.safe import safe, safe_json

CLIPBOARD_BYTES = 74_994  # bytes of text: an escape of 100,000 bytes, which common terminals accept


def copied(event: Event, language: str, target: str = "") -> list[str]:
    """Lines, safe to print; ``language`` is js, python, shell or json, ``target`` the TARGET of ``send``.

    js and python are a call, shell is a line for POSIX shells. Raises UsageError for a message that cannot be
    sent: nested too deep, or, for a shell, not a JSON object.
    """
    if too_deep(event.message):
        raise UsageError(f"cannot copy this message: it is nested more than {MAX_DEPTH} deep")
    text = safe_json(to_json(event.message))
    match language:
        case "js":
            return [f"call.sendAppMessage({_javascript(text)}, '*')"]
        case "python":
            return [f"client.send_app_message({_finite(event.message)!r})"]
        case "shell":
            return [
                safe(
                    "tavus-console send " + shlex.join([*([target] if target else []), *_words(event, text)])
                )
            ]
        case _:
            return [text]


def osc52(text: str) -> str:
    """The escape that puts a text on the clipboard; "" if it is over CLIPBOARD_BYTES of UTF-8.

    A terminal does not report whether it worked.
    """
    encoded = text.encode("utf-8", "backslashreplace")
    return (
        f"\x1b]52;c;{base64.b64encode(encoded).decode('ascii')}\x07"
        if len(encoded) <= CLIPBOARD_BYTES
        else ""
    )


def _javascript(text: str) -> str:
    """JSON is valid JavaScript, except for one key, which would set an object's prototype."""
    return f"JSON.parse({safe_json(to_json(text))})" if '"__proto__"' in text else text


# -- Python --------------------------------------------------------------------------------------------


class _Number(float):
    """Infinity and NaN, which have no literal in Python."""

    def __repr__(self) -> str:
        return 'float("nan")' if isnan(self) else "1e999" if self > 0 else "-1e999"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return _Number(value) if isinstance(value, float) and (isnan(value) or isinf(value)) else value


# -- the shell -----------------------------------------------------------------------------------------


def _words(event: Event, text: str) -> list[str]:
    """The arguments of ``send``: a KIND if that makes exactly this message, else raw.

    Raises UsageError if it is not a JSON object.
    """
    message = event.message
    if not isinstance(message, dict):
        raise UsageError("send takes only JSON objects: copy this message as js, python or json")
    for words in candidates(event):
        if all(map(_plain, words)) and _makes(words, message):
            return words
    return ["raw", text]


def candidates(event: Event) -> Iterator[list[str]]:
    """The command that a user would type for it, even if that does not express the whole message."""
    get = event.word
    match event.type.removeprefix("conversation."):
        case "respond" | "echo" as kind:
            yield [kind, get("text")]
        case "interrupt":
            yield ["interrupt"]
        case "append_llm_context":
            yield ["context", "append", get("context")]
            yield ["context", "append", get("context"), "--completed"]
        case "overwrite_llm_context":
            yield ["context", "overwrite", get("context")]
        case "sensitivity":
            for which in ("pause", "interrupt"):
                yield ["sensitivity", f"{which}={get(f'participant_{which}_sensitivity')}"]
        case "tool_result":
            yield ["tool-result", get("tool_call_id"), get("output")]
            yield ["tool-result", get("tool_call_id"), get("output"), "--error"]
        case "objective.confirm":
            yield ["confirm", get("objective_name")]
        case "set_emotion":
            yield ["set-emotion", get("emotion")]


def _plain(word: str) -> bool:
    """Whether a word reaches ``send`` unchanged; "-" means standard input, "--x" is an option, and blanks are
    lost.
    """
    return word in ("--completed", "--error") or (
        bool(word.strip()) and word.isprintable() and not word.startswith("-")
    )


def _makes(words: list[str], message: dict[str, Any]) -> bool:
    """Whether ``send`` with these words sends exactly this message."""
    conversation = message.get("conversation_id")
    try:
        _, action = sendable(words, None, str)
    except UsageError:
        return False
    if not isinstance(action, Interaction):
        return False
    made = action.encode(conversation if isinstance(conversation, str) else "")
    return _sorted(made) == _sorted(message)


def _sorted(message: dict[str, Any]) -> str:
    """JSON that does not depend on the order of keys; unlike ``==`` it distinguishes 1, 1.0 and true."""
    try:
        return json.dumps(message, sort_keys=True)
    except (TypeError, ValueError):  # too big a number, not JSON
        return to_json(message)
