"""What must not be shown: API keys, meeting tokens, passwords of proxies; and text without it.

``errors`` passes the text of every error through ``redacted``, ``session.environment`` what goes to
standard error, and whoever prints or writes another text that may hold a secret does too. A secret is known
by where it stands (``?t=…``, ``//user:…@``), and by itself once somebody has come upon it (``keep``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

SHORTEST = 8  # characters of one that is known by itself: a shorter one may be a part of any word

_NAMES = r"(?:t|token|meeting_token|access_token|api_key|apikey|key|password|secret)"
_IN_QUERY = rf"([?&#;]{_NAMES}=)(?!TOKEN\b|…)[^\s'\")\]&#]+"  # "TOKEN" itself is how we call it
_IN_JSON = r"(\"?\b(?:meeting_token|x-api-key|api_key)\"?\s*[:=]\s*\"?)(?!…)[^\s\"',}]+"
_PASSWORD = r"(//[^\s/@:'\"]*:)(?!…)[^\s'\"]+(?=@)"
_API_KEY = re.compile(r"TAVUS_(?:[A-Z0-9_]+_)?API_KEY", re.ASCII)
_PROXY = re.compile(r"(?:https?|all|ftp)_proxy|TAVUS_DAILY_PROXY", re.ASCII | re.IGNORECASE)
_known: set[str] = set()


def redacted(text: str) -> str:
    """With "…" for each secret in it."""
    for secret in _known:
        if secret in text:
            text = text.replace(secret, "…")
    if "=" in text:
        text = re.sub(_IN_QUERY, r"\1…", text, flags=re.IGNORECASE)
    if "token" in text or "key" in text:
        text = re.sub(_IN_JSON, r"\1…", text)
    if "@" in text:
        text = re.sub(_PASSWORD, r"\1…", text)
    return text


def keep(*secrets: str | None) -> None:
    """From now on they are in no redacted text, written as they are or as a URL writes them."""
    for one in secrets:
        if one is not None and len(one) >= SHORTEST:
            _known.update({one, quote(one, safe=""), unquote(one)})


def keep_of(environ: Mapping[str, str]) -> None:
    """The secrets among a process's variables."""
    for name, value in environ.items():
        if is_key(name):
            keep(value.strip())
        elif _PROXY.fullmatch(name):
            keep_password(value)


def keep_password(url: str | None) -> None:
    """Of a URL that has one, however odd: what stands between the user's name and the last @."""
    head, at, _ = (url or "").rpartition("@")
    if at:
        keep(head.rpartition("//")[2].partition(":")[2])


def keep_token(url: str) -> None:
    """That of a room's URL, however odd."""
    keep(*re.findall(rf"[?&#;]{_NAMES}=([^&#\s]+)", url, re.IGNORECASE))
    keep_password(url)


def is_key(name: str) -> bool:
    """Whether a variable holds an API key."""
    return _API_KEY.fullmatch(name) is not None


def without_keys(environ: Mapping[str, str]) -> dict[str, str]:
    """What a program of somebody else's may have of our variables."""
    return {name: value for name, value in environ.items() if not is_key(name)}
