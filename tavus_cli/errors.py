"""Errors, and the exit status of each outcome.

::

    ConsoleError            failed            1
    ├── UsageError          usage             2
    ├── NotMet              not_met           3
    ├── NotAuthorised       not_authorised    4
    ├── CannotJoin          join_failed       5
    │   └── CannotReach     cannot_reach      5    api/client
    ├── CutOff              cut_off           5
    ├── ConversationOver    conversation_over 6
    ├── SendFailed          send_failed       1
    ├── Refused             refused           1    api/client
    │   ├── NotFound        not_found         1
    │   ├── TooMany         refused           1
    │   └── RateLimited     rate_limited      1
    ├── ModelFailed         model_failed      1    callers/model
    └── NoKeyring           no_keyring        1    api/credentials

Every error has a message of one line, without secrets, that says what to do next if that is known. Remote
text in it passes ``safe()`` when the message is printed.
"""

from __future__ import annotations

import os
import re
import sys
from binascii import b2a_base64
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Any
from urllib.parse import quote, unquote

MOST_DIGITS = 40  # of a number in a usage error
LONGEST_MESSAGE = 4_000  # characters: it may quote what was typed, or read from a pipe
SHORTEST = 8  # characters of a secret that is recognised anywhere: a shorter one may be part of any word

_NAMES = (  # of parameters; the first part is bounded, so that a long name takes no long time
    r"(?:[\w-]{0,30}(?:token|secret|password|signature|api[_-]?key|access[_-]?key)"
    r"|t|key|sig|auth|authorization|jwt|pass|pwd)"
)
_IN_QUERY = rf"([?&#;]{_NAMES}=)(?!TOKEN\b|…)[^\s'\")\]&#]+"  # "TOKEN" is our own placeholder
_IN_JSON = (
    r"(\"?\b(?:meeting_token|x-api-key|api_key|(?:proxy-)?authorization)\"?\s*[:=]\s*\"?(?:(?:bearer|basic)\s+)?)"
    r"(?!…|bearer\b|basic\b)[^\s\"',}]+"
)
_MAY_BE_JSON = r"(?i)token|key|authorization"
_WORD = r"[^\s'\"]+"
_USER = r"//[^/@:]*:(?!…)(?=.)"  # of a URL, before a password
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy", "tavus_daily_proxy")
_known: dict[str, None] = {}  # the longest first: one may be a part of another


class ExitStatus(IntEnum):
    """The exit statuses of every command. They are an interface, shown in the README and in ``--help``."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_MET = 3
    NOT_AUTHORISED = 4
    CANNOT_JOIN = 5
    OVER = 6
    HUP = 129
    INT = 130
    BROKEN_PIPE = 141
    TERM = 143


EXIT_STATUS_HELP: dict[ExitStatus, str] = {
    ExitStatus.DONE: "done",
    ExitStatus.FAILED: "failed",
    ExitStatus.USAGE: "usage: the command line, a script or a file is wrong",
    ExitStatus.NOT_MET: "expectation not met, or a wait timed out",
    ExitStatus.NOT_AUTHORISED: "not authorised",
    ExitStatus.CANNOT_JOIN: "cannot reach or join the room, or cut off from it",
    ExitStatus.OVER: "the conversation is over",
    ExitStatus.HUP: "stopped by HUP, after leaving the room",
    ExitStatus.INT: "stopped by INT (Ctrl-C), after leaving the room",
    ExitStatus.BROKEN_PIPE: "the reader closed the pipe",
    ExitStatus.TERM: "stopped by TERM, after leaving the room",
}


class ConsoleError(Exception):
    """An error with a message of one line; ``reason`` is its stable name in ``--json``."""

    status: ExitStatus = ExitStatus.FAILED
    reason: str = "failed"

    def __init__(self, text: str = "") -> None:
        text = redacted(text[: 2 * LONGEST_MESSAGE])
        super().__init__(text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}…")


class UsageError(ConsoleError):
    """Its message quotes the input, but at most MOST_DIGITS digits of a long number."""

    status = ExitStatus.USAGE
    reason = "usage"

    def __init__(self, text: str = "") -> None:
        super().__init__(re.sub(rf"(\d{{{MOST_DIGITS}}})\d+", r"\1…", text))


class NotMet(ConsoleError):
    status = ExitStatus.NOT_MET
    reason = "not_met"


class NotAuthorised(ConsoleError):
    status = ExitStatus.NOT_AUTHORISED
    reason = "not_authorised"


class CannotJoin(ConsoleError):
    status = ExitStatus.CANNOT_JOIN
    reason = "join_failed"


class CutOff(ConsoleError):
    """The connection to the room has ended; the conversation may continue."""

    status = ExitStatus.CANNOT_JOIN
    reason = "cut_off"


class ConversationOver(ConsoleError):
    status = ExitStatus.OVER
    reason = "conversation_over"


class SendFailed(ConsoleError):
    reason = "send_failed"


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known word most similar to this one, ignoring case; None if none is close."""
    from difflib import get_close_matches

    words = {one.lower(): one for one in known}
    return next((words[one] for one in get_close_matches(word.lower(), words, n=1, cutoff=cutoff)), None)


def did_you_mean(word: str, known: Iterable[str], prefix: str = "") -> str:
    """ "; did you mean X?", or "" if nothing is close."""
    near = nearest(word, known)
    return f"; did you mean {prefix}{near}?" if near else ""


def instead(word: str, known: Iterable[str]) -> str:
    """For an unknown key in a file: the closest valid key, or all of them, as they are few."""
    near = nearest(word.replace("-", "_"), known := list(known), cutoff=0.5)
    return f'; did you mean "{near}"?' if near else "; known are " + ", ".join(known)


def install(extra: str) -> str:
    """The command that adds an extra, by what installed this program: pipx, uv or pip."""
    wanted = f"'tavus-console[{extra}]'"
    if os.path.exists(os.path.join(sys.prefix, "pipx_metadata.json")):
        return f"pipx inject tavus-console {wanted}"
    if os.path.exists(os.path.join(sys.prefix, "uv-receipt.toml")):
        return f"uv tool install {wanted}"
    return f"pip install {wanted}"


# -- secrets: API keys, meeting tokens, passwords of proxies -----------------------------------------------
# Recognised by their place (?t=…, //user:…@), and anywhere once ``keep_secret`` has registered them.


def redacted(text: str) -> str:
    """The text with "…" in place of each secret."""
    text = without_known(text)
    if "=" in text:
        text = re.sub(_IN_QUERY, r"\1…", text, flags=re.IGNORECASE)
    if re.search(_MAY_BE_JSON, text):
        text = re.sub(_IN_JSON, r"\1…", text, flags=re.IGNORECASE)
    if "@" in text:
        text = re.sub(_WORD, _without_password, text)
    return text


def without_known(text: str) -> str:
    """The text with "…" in place of each registered secret: for text that must stay as it is otherwise."""
    for secret in _known:
        if secret in text:
            text = text.replace(secret, "…")
    return text


def _without_password(word: re.Match[str]) -> str:
    """In two steps: one pattern for all of it takes a time that grows with the square of the length."""
    url, at, host = word[0].rpartition("@")
    user = re.search(_USER, url) if at else None
    return word[0] if user is None else f"{url[: user.end()]}…@{host}"


def redacted_json(value: Any) -> Any:
    """A value with every text in it redacted, keys too. Redacting written JSON could make it invalid."""
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, dict):
        return {redacted_json(name): redacted_json(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [redacted_json(inner) for inner in value]
    return value


def keep_secret(*secrets: str | None) -> None:
    """Register secrets: ``redacted`` removes them from now on, as they are and as URLs and JSON hold them."""
    found = {one for one in secrets if one is not None and len(one) >= SHORTEST}
    if found - _known.keys():
        encoded = {
            form for one in found for form in (quote(one, safe=""), quote(one), unquote(one), _quoted(one))
        }
        known = sorted(found | encoded | _known.keys(), key=len, reverse=True)
        _known.clear()
        _known.update(dict.fromkeys(known))


def _quoted(text: str) -> str:
    """As in JSON, without importing it: this is part of every start."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def keep_of(environ: Mapping[str, str]) -> None:
    """The secrets among a process's variables."""
    for name, value in environ.items():
        if is_key(name):
            keep_secret(value.strip())
        elif name.lower() in _PROXIES:
            keep_password(value)


def keep_password(url: str | None) -> None:
    """Register the password in a URL: everything between the user name and the last @.

    Also as it is sent, in a header of HTTP.
    """
    head, at, _ = (url or "").rpartition("@")
    if at:
        user = head.rpartition("//")[2]
        sent = (b2a_base64(one.encode("utf-8", "replace"), newline=False) for one in (user, unquote(user)))
        keep_secret(user.partition(":")[2], *(one.decode() for one in sent))


def keep_token(url: str) -> None:
    """Register the tokens in a URL, however malformed the URL is."""
    keep_secret(*re.findall(rf"[?&#;]{_NAMES}=([^&#\s]+)", url, re.IGNORECASE))
    keep_password(url)


def is_key(name: str) -> bool:
    """Whether a variable holds an API key."""
    return name.startswith("TAVUS_") and name.endswith("_API_KEY")


def without_keys(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for programs that are not ours: without our secrets."""
    return {name: value for name, value in environ.items() if not is_key(name)}
