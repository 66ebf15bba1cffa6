"""An interaction or event as code: for daily-js, daily-python, a shell, or as JSON."""

from __future__ import annotations

import base64
import shlex
from typing import Any

from tavus_cli.protocol.events import Event
from tavus_cli.protocol.wire import to_json
from tavus_cli.views.safe import safe, safe_json

CLIPBOARD_BYTES = 74_994  # of base64: what common terminals take in one escape


def copied(event: Event, language: str) -> list[str]:
    """Lines, safe to print; ``language`` is js, python, shell or json."""
    text = safe_json(to_json(event.message))
    match language:
        case "js":
            return [f'call.sendAppMessage({text}, "*");']
        case "python":
            return [f"client.send_app_message({_literal(event.message)})"]
        case "shell":
            return [safe("tavus-console send " + shlex.join(_words(event, text)))]
        case _:
            return [text]


def osc52(text: str) -> str:
    """The escape that puts a text on the clipboard; "" where it is too long for terminals."""
    encoded = base64.b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii")
    return f"\x1b]52;c;{encoded}\x07" if len(encoded) <= CLIPBOARD_BYTES else ""


def _literal(value: Any) -> str:
    try:
        text = repr(value)
    except (RecursionError, ValueError):
        text = f"json.loads({safe_json(to_json(value))!r})"
    return text if text.isprintable() else ascii(value)


def _words(event: Event, text: str) -> list[str]:
    """The arguments of ``send``: a KIND where that says all of the message, else raw."""
    properties = event.properties
    match event.type, dict(properties):
        case "conversation.respond", {"text": str(said), **rest} if not rest and _plain(said):
            return ["respond", said]
        case "conversation.echo", {"modality": "text", "text": str(said), "done": True, **rest} if (
            not rest and _plain(said)
        ):
            return ["echo", said]
        case "conversation.interrupt", {}:
            return ["interrupt"]
        case _:
            return ["raw", text]


def _plain(said: str) -> bool:
    """Whether a text is the same as an argument: "-" is standard input, "--x" an option, blanks are lost."""
    return bool(said.strip()) and said.isprintable() and not said.startswith("-")
