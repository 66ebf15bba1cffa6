"""Checks what users give for the API: its address, a key, a conversation's id."""

from __future__ import annotations

import contextlib
import re
from urllib.parse import urlsplit

from tavus_cli.errors import NotAuthorised, UsageError
from tavus_cli.settings.toml_values import is_loopback

BASE_URL = "https://tavusapi.com"

ID = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
_KEY = re.compile(r"[!-~]{1,512}", re.ASCII)  # goes into a header unchanged

_NO_KEY = (  # text that is often pasted with a key
    (re.compile("\ufeff"), "has a byte order mark (U+FEFF), as editors on Windows write it"),
    (re.compile("^[\"'`“”‘’«»]|[\"'`“”‘’«»]$"), "has quotation marks around it"),
    (
        re.compile(r"^(?:authorization|bearer|x-api-key)\b[\s:=]", re.IGNORECASE),
        "has a header's name before it",
    ),
    (re.compile(r"^(?:export\s+)?TAVUS_\w+="), "has the name of a variable before it"),
    (re.compile(r"^https?://"), "is a URL"),
)


def check_base_url(url: str | None) -> str:
    """The root URL of the API, without a trailing slash. Raises UsageError."""
    if not url:
        return BASE_URL
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port, host.encode("idna")
    except ValueError:
        raise UsageError("the API's address (--base-url) cannot be read as a URL") from None
    if parts.username is not None or parts.query or parts.fragment or not re.fullmatch(r"[!-~]+", url):
        raise UsageError("the API's address (--base-url) must look like https://HOST, nothing else in it")
    if parts.scheme not in ("http", "https") or not host:
        raise UsageError("the API's address (--base-url) must begin with https://HOST")
    if parts.scheme == "http" and not is_loopback(url):
        raise UsageError("the API's address (--base-url) must be https: plain http would show the key")
    if re.search(r"/v2/?$", parts.path):
        raise UsageError("the API's address (--base-url) is its root, without /v2")
    return url.rstrip("/")


def check_key(key: str) -> None:
    """Raises NotAuthorised for text that cannot be a key."""
    for wrong, what in _NO_KEY:
        if wrong.search(key):
            raise NotAuthorised(f"the API key {what}: set or store the key only")
    if not _KEY.fullmatch(key):
        raise NotAuthorised(
            "the API key has a space or another character that keys do not have: store it again"
        )


def check_id(conversation: str) -> str:
    """A conversation id, also from the last part of a room's URL. Raises UsageError."""
    if conversation.startswith("https://"):
        with contextlib.suppress(ValueError):
            conversation = urlsplit(conversation).path.strip("/")
    if not ID.fullmatch(conversation):
        raise UsageError("not a valid conversation id; tavus-console conversation list shows them")
    return conversation
