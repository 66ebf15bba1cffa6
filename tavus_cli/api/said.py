"""What an answer of the API says about a failure: one line of limited length, without the key."""

from __future__ import annotations

import re

from tavus_cli.api.answer import Answer
from tavus_cli.errors import redacted
from tavus_cli.protocol.wire import from_json, to_json

TEXT_LIMIT = 300  # characters of an answer's text in an error


def said(answer: Answer) -> str:
    """The error in the API's words: ``error``, then ``message``, then plain text."""
    try:
        value = from_json(answer.text)
    except ValueError:
        text = answer.text.strip()
        return no_json(answer) if text[:1] in ("<", "{", "[") else shown(text)
    if isinstance(value, dict):
        said = next((value[name] for name in ("error", "message", "detail") if value.get(name)), "")
        if isinstance(said, dict):
            value, said = said | value, said.get("message") or said
        more = [value[name] for name in ("errors", "details", "detail") if value.get(name)]
        parts = [said, *(one for one in more if one != said)] if said else more
        return shown(": ".join(_flat(one) for one in parts))
    return shown(value)


def no_json(answer: Answer) -> str:
    """What an answer without JSON is, and what to do."""
    text = answer.text.lstrip()
    if text.startswith("<"):
        title = re.search(r"<title[^>]{0,200}>([^<]{0,500})", text, re.IGNORECASE)
        name = shown(title[1]) if title else ""
        return f"a web page{f' ({name})' if name else ''}: a proxy is in between, or the address is wrong"
    if text[:1] in ("{", "["):
        return "JSON that is cut off or broken; try again"
    return "no JSON: a proxy is in between, or the address is wrong" if text else "nothing; try again"


def shown(said: object) -> str:
    """Text on one line, of limited length, without the key."""
    words = said if isinstance(said, str) else to_json(said)
    text = " ".join(redacted(words).split()).rstrip(".")
    return text if len(text) <= TEXT_LIMIT else text[:TEXT_LIMIT] + "…"


def _flat(value: object, depth: int = 0) -> str:
    """The value of an error field as a phrase: {"name": ["is missing"]} is "name is missing"."""
    if isinstance(value, str) or depth > 3:
        return value if isinstance(value, str) else to_json(value)
    if isinstance(value, list):
        return "; ".join(_flat(one, depth + 1) for one in value)
    if isinstance(value, dict):
        said = value.get("msg") or value.get("message")
        where = value.get("loc") or value.get("field") or value.get("path")
        if isinstance(said, str):
            names = ".".join(map(str, where)) if isinstance(where, list) else where
            return f"{names} {said}" if isinstance(names, str) else said
        return "; ".join(f"{name} {_flat(one, depth + 1)}" for name, one in value.items())
    return to_json(value)
