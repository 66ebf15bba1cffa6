"""Daily's texts as errors for people, and messages that must not reach the client.

The texts were measured.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.errors import CannotJoin, ConsoleError, ConversationOver, NotAuthorised, SendFailed
from tavus_cli.protocol.wire import MAX_DEPTH
from tavus_cli.rooms.daily.errors import (
    MAX_ERROR,
    check_message,
    is_doubled,
    join_error,
    join_timed_out,
    network_change,
    not_sent_after,
    over_reason,
    send_error,
    tidy,
)
from tavus_cli.rooms.room import RoomOver

TARGET = "https://tavus.daily.co/c7f3a91d"


def lookup(inner: str) -> str:
    return f"Connection(Api(RoomLookup({inner})))"


def http(status: str) -> str:
    return lookup(f'RoomInfoFetchFailed(IoError(Custom {{ kind: Other, error: "HTTP error: {status}" }}))')


def get(inner: str) -> str:
    return lookup(f"RoomInfoFetchFailed(Get(hyper_util::client::legacy::Error({inner})))")


NO_ADDRESS = (
    'Connect, Custom { kind: Uncategorized, error: "failed to lookup address information: '
    'Name or service not known" }'
)
UNKNOWN_ISSUER = "Connect, Custom { kind: InvalidData, error: InvalidCertificate(UnknownIssuer) }"
NO_RETRIES = 'Connection(Signalling(ChannelOpenFailed(ConnectionFailed("No more retries"))))'


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        (lookup("RoomInfoError(NoLongerAvailable)"), ConversationOver, "no longer available"),
        ("This room is no longer available", ConversationOver, "no longer available"),
        (lookup("RoomInfoError(NotYetAvailable)"), CannotJoin, "not available yet"),
        (lookup('RoomInfoError(Unhandled("nbf-token"))'), CannotJoin, "not available yet"),
        (lookup('RoomInfoError(Unhandled("exp-token"))'), NotAuthorised, "has expired: get a new one"),
        (lookup('RoomInfoError(Unhandled("bad-token"))'), NotAuthorised, "token"),
        (lookup('RoomInfoError(Unhandled("not-allowed"))'), NotAuthorised, "token"),
        (http("401 Unauthorized"), NotAuthorised, "token"),
        (http("403 Forbidden"), NotAuthorised, "token"),
        (http("400 Bad Request"), CannotJoin, "its token"),
        (http("404 Not Found"), CannotJoin, "no room"),
        (lookup('RoomInfoError(Unhandled("no-room"))'), CannotJoin, "no room"),
        (http("500 Internal Server Error"), CannotJoin, "HTTP 500"),
        (lookup('RoomInfoError(Unhandled("room-full"))'), CannotJoin, "full"),
        (lookup("RoomInfoError(NoWorkerAvailable)"), CannotJoin, "no server"),
        (get(NO_ADDRESS), CannotJoin, "DNS"),
        (get('Connect, "failed to connect to any address"'), CannotJoin, "refused the connection"),
        (get(UNKNOWN_ISSUER), CannotJoin, "SSL_CERT_FILE"),
        (get("Connect, Elapsed(())"), CannotJoin, "did not answer"),
        (get("Connect, Something"), CannotJoin, "cannot connect"),
        (get("UserAbsoluteUriRequired"), CannotJoin, "--daily-proxy"),
        (NO_RETRIES, CannotJoin, "WebSockets"),
        ("Connection(Signalling(ResponseReceiveTimeout(Timeout)))", CannotJoin, "did not answer in time"),
        ("something new", CannotJoin, "something new"),
    ],
)
@pytest.mark.parametrize("proxied", [False, True])
def test_join_error(text: str, kind: type[ConsoleError], words: str, proxied: bool) -> None:
    error = join_error(text, target=TARGET, proxied=proxied)
    assert type(error) is kind
    assert words in str(error)
    assert "\n" not in str(error)


def test_the_proxy_is_named_where_there_is_one() -> None:
    assert "the Daily proxy" in str(join_error(get(NO_ADDRESS), target=TARGET, proxied=True))
    assert "the Daily proxy" not in str(join_error(get(NO_ADDRESS), target=TARGET, proxied=False))


@pytest.mark.parametrize(("seconds", "words"), [(1.1, "has no room"), (3.2, "try again")])
def test_a_404_after_a_slow_lookup_is_that_of_the_second_address(seconds: float, words: str) -> None:
    error = join_error(http("404 Not Found"), target=TARGET, proxied=False, seconds=seconds)
    assert words in str(error)
    assert ("gs.dailywebrtc.com" in str(error)) == (seconds > 3)


def test_send_error_puts_a_closed_channel_in_words() -> None:
    closed = str(send_error("AppMessage(Signalling(ChannelNotOpen))"))
    assert closed == "not sent: the connection to the room is down; try again when it is back"
    assert str(send_error("Custom(No)")) == "not sent: Custom(No)"


def test_join_timed_out_says_how_far_it_came() -> None:
    said = str(join_timed_out(45.0, target=TARGET, found=True, last_error=""))
    assert "45 s" in said
    assert "found the room" in said
    assert "--join-timeout" in said
    said = str(join_timed_out(0.5, target=TARGET, found=False, last_error="some cause"))
    assert "0.5 s" in said
    assert "no answer" in said
    assert "some cause" in said


def test_tidy_is_one_short_line_without_the_token() -> None:
    assert tidy("a\n b\t c", None) == "a b c"
    assert tidy("refused s3cret here", "s3cret") == "refused … here"
    assert len(tidy("x" * 10_000, None)) == MAX_ERROR


def test_doubled_errors() -> None:
    assert is_doubled("Error handling join: Connection(…)")
    assert not is_doubled("Failed to fetch room information")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Ejected by the owner", "removed"),
        ("This room is no longer available", "no longer available"),
        ("Room was deleted", "no longer available"),
        ("Meeting has ended", "no longer available"),
        ("something new", "Daily ended the call (something new)"),
        ("", "Daily ended the call"),
    ],
)
def test_over_reason(text: str, wanted: str) -> None:
    assert wanted in over_reason(text)


@pytest.mark.parametrize(
    ("over", "text"),
    [
        (RoomOver("Daily ended the call"), "not sent: the conversation is over (Daily ended the call)"),
        (
            RoomOver("the line was lost", cut_off=True),
            "not sent: the line was lost; the conversation may continue",
        ),
    ],
)
def test_what_is_not_sent_after_the_end(over: RoomOver, text: str) -> None:
    assert str(not_sent_after(over)) == text


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        ({"connection": "signalling", "event": "interrupted"}, ("signalling", True)),
        ({"connection": "sfu", "event": "connected"}, ("sfu", False)),
        ({"event": "connected"}, ("network", False)),
        ({"connection": "sfu", "event": "other"}, None),
        ({}, None),
        (None, None),
        ("interrupted", None),
    ],
)
def test_network_change(status: Any, wanted: Any) -> None:
    assert network_change(status) == wanted


# -- what may be sent ----------------------------------------------------------------------------------

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), JSON))
def test_json_objects_may_be_sent(message: dict[str, Any]) -> None:
    check_message(message)
    json.dumps(message, allow_nan=False).encode()


def deep(levels: int) -> dict[str, Any]:
    message: dict[str, Any] = {}
    for _ in range(levels - 1):
        message = {"a": message}
    return message


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (None, "object"),
        ([], "object"),
        ("text", "object"),
        ({"a": float("nan")}, "nan"),
        ({"a": float("-inf")}, "-inf"),
        ({"a": 2**64}, "too large"),
        ({"a": -(2**63) - 1}, "too large"),
        ({"a": [{"b": "\ud800"}]}, "surrogate"),
        ({"\udfff": 1}, "surrogate"),
        ({1: 2}, "key 1"),
        ({"a": {None: 2}}, "key None"),
        ({"a": b"bytes"}, "bytes"),
        ({"a": {1, 2}}, "set"),
        ({"a": object()}, "object"),
        (deep(MAX_DEPTH + 1), "deep"),
        (deep(3000), "deep"),
    ],
)
def test_what_may_not_be_sent(message: Any, words: str) -> None:
    with pytest.raises(SendFailed, match=words) as caught:
        check_message(message)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_extreme_values_may_be_sent() -> None:
    check_message({"a": 2**64 - 1, "b": -(2**63), "c": True, "d": (1, 2), "e": [None], "f": 0.5})
    check_message(deep(MAX_DEPTH))


def test_a_message_that_holds_itself_is_refused() -> None:
    message: dict[str, Any] = {}
    message["a"] = message
    with pytest.raises(SendFailed, match="deep"):
        check_message(message)
