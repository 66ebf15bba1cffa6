"""Answers of Daily's client as errors that a user can act on; and checks of messages. Pure.

The texts are those of daily-python 0.36, as measured (docs/daily.md).
"""

from __future__ import annotations

import math
import re
from typing import Any

from tavus_cli.errors import CannotJoin, ConsoleError, ConversationOver, NotAuthorised, SendFailed
from tavus_cli.protocol.wire import MAX_DEPTH
from tavus_cli.rooms.room import RoomOver

MAX_ERROR = 240  # characters of Daily's text in one of our lines

_DOUBLED = "Error handling "  # the completion of the failing call says the same
_NEW_URL = "create a new conversation"
# Patterns as text: compiled only after a join has failed.
_OVER = r"(?i)NoLongerAvailable|no longer available|exp-room|end-of-life|has ended|deleted"
_LATER = r"(?i)NotYetAvailable|not available yet|nbf-room|nbf-token"
_EXPIRED = r"(?i)exp-token|token (has |is )?expired"
_CLOSED = "ChannelNotOpen"
_GAVE_UP = r"(?i)mediasoup|timed out waiting|ReceiveTimeout"
_REFUSED = r"(?i)token|not-allowed|authenticat|authoriz|error: (401|403)|Unauthorized|Forbidden"
_FULL = r"(?i)(meeting|room)[- ]?(is )?full"
_MISSING = r"(?i)no-room|not-found|error: 404"
SLOW_LOOKUP = 2.5  # seconds: three quick answers take 1 s, the second address is asked after 3
_STATUS = r"HTTP error: (\d{3})"
_CERTIFICATE = r"InvalidCertificate\((\w+)"


def is_doubled(text: str) -> bool:
    """Whether an ``on_error`` only repeats what a completion reports."""
    return text.startswith(_DOUBLED)


def tidy(text: object, token: str | None) -> str:
    """Daily's text on one line, of limited length, without the token if it quotes it."""
    line = " ".join(str(text).split())
    if token:
        line = line.replace(token, "…")
    return line if len(line) <= MAX_ERROR else line[: MAX_ERROR - 1] + "…"


def join_error(text: str, *, target: str, proxied: bool, seconds: float = 0.0) -> ConsoleError:
    """The error for a join of ``target`` that failed after ``seconds`` with ``text``, which is that of the
    completion or of the last ``on_error``.
    """
    if re.search(_OVER, text):
        return ConversationOver(f"{target} is no longer available: the conversation is over; {_NEW_URL}")
    if re.search(_LATER, text):
        return CannotJoin(f"{target} is not available yet: it opens at a set time, try again later")
    if re.search(_EXPIRED, text):
        return NotAuthorised(f"the token for {target} has expired: get a new one, or {_NEW_URL}")
    if re.search(_REFUSED, text):
        return NotAuthorised(
            f"Daily refused access to {target}: check the token after ?t= (a private room needs one, "
            f"and it expires) ({text})"
        )
    if re.search(_FULL, text):
        return CannotJoin(f"{target} is full: someone has to leave first")
    if re.search(_MISSING, text) and "404" in text and seconds >= SLOW_LOOKUP:
        who = "the Daily proxy" if proxied else "Daily"
        return CannotJoin(
            f"{who} took too long to find {target}, and Daily's second address (gs.dailywebrtc.com) does not "
            "know it (HTTP 404): try again"
        )
    if re.search(_MISSING, text):
        return CannotJoin(f"Daily has no room {target}: check the URL, or {_NEW_URL}")
    return CannotJoin(_unreachable(text, target, "the Daily proxy" if proxied else "Daily"))


def _unreachable(text: str, target: str, who: str) -> str:
    """The error for a failed connection: what failed, and what to do about it."""
    if "failed to lookup address" in text or "dns error" in text:
        return f"cannot look up the address of {who}: check the network and its DNS"
    if certificate := re.search(_CERTIFICATE, text):
        return (
            f"the certificate of {who} is not trusted ({certificate[1]}): behind a company's proxy, set "
            "SSL_CERT_FILE to a file with its authority; otherwise check this machine's clock"
        )
    if "failed to connect to any address" in text:
        return f"{who} refused the connection: check the network, the firewall and --daily-proxy"
    if "Elapsed" in text:
        return f"{who} took the connection but did not answer: check the network, the firewall and proxies"
    if status := re.search(_STATUS, text):
        what = "the URL and its token" if status[1] == "400" else "https://status.daily.co, and try again"
        return f"{who} answered HTTP {status[1]} for {target}: check {what}"
    if "NoWorkerAvailable" in text:
        return "Daily has no server for this room at the moment: try again in a minute"
    if "ReceiveTimeout" in text:
        return f"{who} found {target} but did not answer in time: try again in a minute ({text})"
    if "Signalling" in text or "signalling channel" in text:
        return (
            f"{who} found {target} but closed the connection: WebSockets may be blocked on this network "
            f"(wss://*.wss.daily.co) ({text})"
        )
    if "invalid URL" in text or "UserAbsoluteUriRequired" in text:
        return f"the address of {who} is wrong: check --daily-proxy ({text})"
    if "(Connect" in text:
        return f"cannot connect to {who}: check the network, the firewall and proxies ({text})"
    return f"Daily did not let us into {target}: {text}"


def join_timed_out(seconds: float, *, target: str, found: bool, last_error: str) -> CannotJoin:
    """The error for our own time limit. ``found`` is whether Daily answered the lookup of the room."""
    how = "Daily found the room but never let us in" if found else "no answer from Daily"
    because = f" ({last_error})" if last_error else ""
    return CannotJoin(
        f"could not join {target} within {seconds:g} s: {how}{because}; try again, or wait longer with "
        "--join-timeout"
    )


def send_error(text: str) -> SendFailed:
    """The error for a message that was not sent; ``text`` is the completion's."""
    if _CLOSED in text:
        return SendFailed("not sent: the connection to the room is down; try again when it is back")
    return SendFailed(f"not sent: {text}")


def not_sent_after(over: RoomOver) -> SendFailed:
    """The error for a message to a room that has ended."""
    if over.cut_off:
        return SendFailed(f"not sent: {over.reason}; the conversation may continue")
    return SendFailed(f"not sent: the conversation is over ({over.reason})")


def gave_up(last_error: str) -> bool:
    """Whether the client left by itself, because it was not answered while it set up the call's media."""
    return bool(re.search(_GAVE_UP, last_error))


def over_reason(last_error: str) -> str:
    """Why a call ended without our leaving; ``last_error`` is the last ``on_error`` before it, or ""."""
    if "eject" in last_error.lower():
        return "we were removed from the room"
    if re.search(_OVER, last_error):
        return "the room is no longer available"
    return f"Daily ended the call ({last_error})" if last_error else "Daily ended the call"


def network_change(status: Any) -> tuple[str, bool] | None:
    """``{"connection": "signalling", "event": "interrupted"}`` → ("signalling", True); "connected" False."""
    if not isinstance(status, dict) or status.get("event") not in ("interrupted", "connected"):
        return None
    return tidy(status.get("connection") or "network", None), status["event"] == "interrupted"


def check_message(message: Any) -> None:
    """Raises SendFailed for a message that is not JSON, or that the client would refuse or change."""
    if type(message) is not dict:
        raise SendFailed("not sent: a message is a JSON object")
    _check(message, 1)


def _check(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise SendFailed(f"not sent: nested more than {MAX_DEPTH} deep")
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise SendFailed(f"not sent: the key {key!r:.40} is not a string")
            _check_text(key)
            _check(inner, depth + 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check(inner, depth + 1)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise SendFailed(f"not sent: {value} is not a JSON number")
    elif isinstance(value, int):
        if not -(2**63) <= value < 2**64:
            raise SendFailed("not sent: a whole number is too large (from -2^63 to 2^64-1)")
    elif value is not None:
        raise SendFailed(f"not sent: {type(value).__name__} is not a JSON value")


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise SendFailed("not sent: a text holds half a surrogate pair, which is not valid Unicode") from None
