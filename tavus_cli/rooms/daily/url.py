"""Checking the URL of a Daily room. Pure.

The client does not check: it ignores the scheme, and sends a lookup for any other host, with path and token,
to Daily's staging host (docs/daily.md).
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, parse_qs, urlsplit

from tavus_cli.errors import UsageError

FORM = "https://NAME.daily.co/ROOM[?t=TOKEN]"

_HOST = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.daily\.co"
_ROOM = r"[A-Za-z0-9_-]{1,128}"
_TOKEN = r"[A-Za-z0-9._~+/=-]{1,8192}"  # goes into a header unchanged
_VISIBLE = r"[!-~]*"


def parse_url(url: str) -> tuple[str, str | None]:
    """``https://NAME.daily.co/ROOM?t=TOKEN`` → (the URL without its query, the token or None).

    Other parts of the query are dropped: only a browser needs them. Raises UsageError, without the token in
    its message.
    """
    parts = _split(url, "the room's URL")
    host = (parts.hostname or "").lower()
    if parts.scheme != "https":
        raise _refused("it must begin with https://")
    if parts.username is not None or parts.password is not None:
        raise _refused("it must not contain a user name")
    if not re.fullmatch(_HOST, host):
        raise _refused("its host must be NAME.daily.co")
    if parts.netloc.lower() != host:
        raise _refused("it must not name a port")
    room = parts.path.removeprefix("/").removesuffix("/")
    if not room:
        raise _refused("the room is missing")
    if not re.fullmatch(_ROOM, room):
        raise _refused("its path must be one room name of letters, digits, - and _")
    if parts.fragment:
        raise _refused("it must not contain a #")
    return f"https://{host}/{room}", _token(parts.query)


def check_proxy(url: str | None) -> str | None:
    """The address of a proxy for Daily, as the client needs it; None for None and "". Raises UsageError.

    Only ``https``: the client uses TLS whatever the scheme, and reports errors late or never.
    """
    if not url:
        return None
    parts = _split(url, "the address of the Daily proxy")
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment:
        raise UsageError("the address of the Daily proxy must look like https://HOST[:PORT]/")
    return url if url.endswith("/") else url + "/"


def room_name(clean_url: str) -> str:
    """The last part of a URL from ``parse_url``: Tavus names a room after its conversation (section 5.1)."""
    return clean_url.rsplit("/", 1)[1]


def _split(url: str, what: str) -> SplitResult:
    if not re.fullmatch(_VISIBLE, url):  # urlsplit would take line ends out silently
        raise UsageError(f"{what} contains a space or a character that a URL cannot have")
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises if it is not a number
    except ValueError:
        raise UsageError(f"{what} cannot be read as a URL") from None
    return parts


_MISNAMED = ("token", "meeting_token", "meetingtoken", "auth_token", "access_token", "jwt")


def _token(query: str) -> str | None:
    tokens = parse_qs(query, keep_blank_values=True).get("t", [])
    if not tokens:
        for name in _MISNAMED:
            if re.search(rf"(?:^|&){name}=", query, re.IGNORECASE):
                raise _refused(f"its meeting token is named t, not {name}")
        return None
    if len(tokens) > 1 or not re.fullmatch(_TOKEN, tokens[0]):
        raise _refused("?t= takes one meeting token")
    return tokens[0]


def _refused(why: str) -> UsageError:
    return UsageError(f"not the URL of a Daily room: {why} (expected {FORM})")
