"""The REST client, over real HTTP against the local API (docs/protocol.md, section 6)."""

from __future__ import annotations

import json
import socket
import traceback
from collections.abc import Callable, Iterator
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from tavus_cli.api.client import (
    ATTEMPTS,
    CannotReach,
    NotFound,
    RateLimited,
    Refused,
    TavusApi,
    TooMany,
)
from tavus_cli.errors import ConsoleError, ExitStatus, NotAuthorised, UsageError
from tests.kits.conversations import examples
from tests.kits.tavus_api import KEY, PAL, TOKEN, LocalApi, Odd, local_api

BODY = {"persona_id": PAL}
NOW = 1_790_241_600.0


@pytest.fixture
def local() -> Iterator[LocalApi]:
    with local_api() as api:
        yield api


class Sleeps(list[float]):
    """Records how long the client would sleep, without sleeping."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def sleeps() -> Sleeps:
    return Sleeps()


@pytest.fixture
def api(local: LocalApi, sleeps: Sleeps) -> Iterator[TavusApi]:
    with client(local.base_url, sleeps) as one:
        yield one


def client(base_url: str, sleeps: Callable[[float], object], key: str = KEY, timeout: float = 30) -> TavusApi:
    return TavusApi(key, base_url, sleep=sleeps, clock=lambda: NOW, jitter=lambda: 0.5, timeout=timeout)


def failure(call: Callable[[], object]) -> ConsoleError:
    with pytest.raises(ConsoleError) as caught:
        call()
    assert "\n" not in str(caught.value)
    shown = "".join(traceback.format_exception(caught.value))
    assert KEY not in shown
    return caught.value


# -- what works ----------------------------------------------------------------------------------------


def test_create_look_up_and_end(local: LocalApi, api: TavusApi) -> None:
    created = api.create(BODY | {"require_auth": True, "properties": {"max_call_duration": 60}})
    name = created["conversation_id"]
    assert (created["status"], created["meeting_token"]) == ("active", TOKEN)
    assert api.get(name)["persona_id"] == PAL
    assert api.get(name, verbose=True)["events"][0]["event_type"] == "system.replica_joined"
    assert api.end(name) is True
    assert local.active == []
    assert local.requests[0].body["properties"] == {"max_call_duration": 60}
    assert all(one.headers["x-api-key"] == KEY for one in local.requests)


def test_ending_twice_is_not_an_error(api: TavusApi) -> None:
    name = api.create(BODY)["conversation_id"]
    assert [api.end(name), api.end(name)] == [True, False]


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
def test_lists_are_paged_to_the_end(local: LocalApi, api: TavusApi, count: int) -> None:
    names = [local.add() for _ in range(count)]
    assert [one["conversation_id"] for one in api.conversations()] == names


def test_a_list_by_status_asks_for_it(local: LocalApi, api: TavusApi) -> None:
    names = [local.add(status=status) for status in ("active", "ended", "active")]
    assert [one["conversation_id"] for one in api.conversations("active")] == [names[0], names[2]]


def test_a_page_is_asked_for_when_it_is_needed(local: LocalApi, api: TavusApi) -> None:
    for _ in range(250):
        local.add()
    rows = api.conversations()
    next(rows)
    assert len(local.requests) == 1


def test_a_list_that_repeats_itself_ends(local: LocalApi, api: TavusApi) -> None:
    page = json.dumps({"data": [{"conversation_id": "c1"}], "total_count": 1000})
    local.odd.extend([Odd(body=page)] * 2)
    assert len(list(api.conversations())) == 1


# -- what the API refuses ------------------------------------------------------------------------------

REFUSALS = {
    "error": (400, {"error": "Invalid conversation_id"}, Refused, "Invalid conversation_id"),
    "message": (400, {"message": "No"}, Refused, "refused it (400): No"),
    "too many at once": (
        400,
        {"message": "User has reached maximum concurrent conversations"},
        TooMany,
        "conversation list --status active",
    ),
    "plain text": (400, "so not", Refused, "so not"),
    "an object inside": (400, {"error": {"message": "deep"}}, Refused, "deep"),
    "the key": (401, {"message": "Invalid access token"}, NotAuthorised, "auth status"),
    "no money": (402, {"error": "Out of minutes"}, NotAuthorised, "Out of minutes"),
    "not allowed": (403, {"error": "IP not allowed"}, NotAuthorised, "IP not allowed"),
    "not there": (404, {"message": "not found"}, NotFound, "conversation list"),
    "a teapot": (418, "", Refused, "418"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_quotes_the_api(local: LocalApi, api: TavusApi, sleeps: Sleeps, name: str) -> None:
    status, body, kind, says = REFUSALS[name]
    local.odd.append(Odd(status, body if isinstance(body, str) else json.dumps(body)))
    error = failure(lambda: api.get("c1"))
    assert type(error) is kind
    assert says in str(error)
    assert (len(local.requests), sleeps) == (1, [])


def test_the_statuses_are_the_documented_ones() -> None:
    statuses = {kind: kind.status for kind in (Refused, NotFound, RateLimited, CannotReach)}
    assert set(statuses.values()) == {ExitStatus.FAILED, ExitStatus.CANNOT_JOIN}
    assert CannotReach.status == ExitStatus.CANNOT_JOIN


@pytest.mark.parametrize(
    "echoed", [f"bad key {KEY}", json.dumps({"error": f"key {KEY} is bad"}), f"<b>{KEY}"]
)
def test_a_key_in_an_answer_is_not_shown(local: LocalApi, api: TavusApi, echoed: str) -> None:
    local.odd.append(Odd(401, echoed))
    failure(lambda: api.get("c1"))


def test_a_token_in_an_answer_is_not_shown(local: LocalApi, api: TavusApi) -> None:
    body = json.dumps({"oops": {"meeting_token": TOKEN, "url": f"https://x/?t={TOKEN}"}})
    local.odd.append(Odd(400, json.dumps({"error": body})))
    assert TOKEN not in str(failure(lambda: api.get("c1")))


# -- trying again --------------------------------------------------------------------------------------


def test_temporary_failures_are_retried(local: LocalApi, api: TavusApi, sleeps: Sleeps) -> None:
    name = local.add()
    local.odd.extend([Odd(500), Odd(503), Odd(cut=True)])
    assert api.get(name)["conversation_id"] == name
    assert sleeps == [0.5, 1.0, 2.0]


def test_it_gives_up(local: LocalApi, api: TavusApi, sleeps: Sleeps) -> None:
    local.odd.extend([Odd(502, "<html><title>Bad gateway</title>")] * 9)
    error = failure(lambda: api.get("c1"))
    assert (type(error), len(local.requests), len(sleeps)) == (CannotReach, ATTEMPTS, ATTEMPTS - 1)
    assert "Bad gateway" in str(error)


@pytest.mark.parametrize("after", ["7", formatdate(NOW + 7, usegmt=True)])
def test_it_retries_when_the_api_asks(local: LocalApi, api: TavusApi, sleeps: Sleeps, after: str) -> None:
    name = local.add()
    local.odd.append(Odd(429, '{"error": "Too many requests"}', {"Retry-After": after}))
    assert api.get(name)["status"] == "active"
    assert sleeps == [7.0]


def test_a_long_wait_is_reported_and_not_waited(local: LocalApi, api: TavusApi, sleeps: Sleeps) -> None:
    local.odd.append(Odd(429, '{"error": "Too many requests"}', {"Retry-After": "900"}))
    error = failure(lambda: api.get("c1"))
    assert type(error) is RateLimited
    assert "Too many requests; try again in 900 s" in str(error)
    assert sleeps == []


@pytest.mark.parametrize("after", ["soon", "-3", "1e9", "99999999999999999999", "Mon, 99 Foo 0000", ""])
def test_an_odd_retry_after_is_harmless(local: LocalApi, api: TavusApi, sleeps: Sleeps, after: str) -> None:
    name = local.add()
    local.odd.append(Odd(503, "", {"Retry-After": after}))
    assert api.get(name)["status"] == "active"
    assert sleeps == [0.5]


@pytest.mark.parametrize(
    "odd", [Odd(500), Odd(cut=True), Odd(429), Odd(200, '{"conver'), Odd(200, "<html>"), Odd(200, "{}")]
)
def test_creating_is_never_repeated(local: LocalApi, api: TavusApi, sleeps: Sleeps, odd: Odd) -> None:
    local.odd.append(odd)
    error = failure(lambda: api.create(BODY))
    assert (len(local.requests), sleeps) == (1, [])
    if odd.status != 429:
        assert "may have been created anyway" in str(error)


def test_ending_is_repeated(local: LocalApi, api: TavusApi) -> None:
    name = local.add()
    local.odd.extend([Odd(500), Odd(cut=True)])
    assert api.end(name) is True
    assert local.active == []


def test_an_end_that_a_lost_attempt_achieved_is_not_an_error(local: LocalApi, api: TavusApi) -> None:
    name = local.add(status="ended")
    local.odd.append(Odd(504))
    assert api.end(name) is False


@pytest.mark.parametrize("body", ["", "{}", "OK", '{"cut'])
def test_the_body_of_an_end_does_not_matter(local: LocalApi, api: TavusApi, body: str) -> None:
    local.odd.append(Odd(200, body))
    assert api.end("c1") is True


def test_a_web_page_does_not_confirm_an_end(local: LocalApi, api: TavusApi) -> None:
    local.odd.extend([Odd(200, "<html><title>Log in</title>")] * ATTEMPTS)
    assert "Log in" in str(failure(lambda: api.end("c1")))


# -- the way there -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_gets_no_key(local: LocalApi, api: TavusApi, status: int) -> None:
    with local_api() as other:
        name = other.add()
        elsewhere = other.base_url.replace("127.0.0.1", "localhost")
        local.odd.append(Odd(status, "", {"Location": f"{elsewhere}/v2/conversations/{name}"}))
        error = failure(lambda: api.get(name))
        assert other.requests == []
    assert "localhost, where the key was not sent" in str(error)
    assert len(local.requests) == 1


def test_a_refused_connection_is_one_line(sleeps: Sleeps) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # not listening
        with client(f"http://127.0.0.1:{taken.getsockname()[1]}", sleeps) as api:
            error = failure(lambda: api.create(BODY))
    assert (type(error).reason, error.status) == ("cannot_reach", ExitStatus.CANNOT_JOIN)
    assert "is the network up?" in str(error)
    assert "may have been created" not in str(error)


def test_no_answer_in_time(sleeps: Sleeps) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        base_url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        with client(base_url, sleeps, timeout=0.01) as api:
            error = failure(lambda: api.create(BODY))
    assert "in time" in str(error)


def test_loopback_needs_no_proxy(local: LocalApi, sleeps: Sleeps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with client(local.base_url, sleeps) as api:
        assert list(api.conversations()) == []


def test_other_hosts_go_through_the_proxy(
    local: LocalApi, sleeps: Sleeps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", local.base_url)
    with client("https://api.example.com", sleeps) as api:
        error = failure(lambda: api.create(BODY))
    assert f"cannot reach api.example.com: the proxy {local.base_url} fails (404 " in str(error)


@pytest.mark.parametrize(
    ("name", "value"), [("SSL_CERT_FILE", "/nowhere/ca.pem"), ("HTTPS_PROXY", "odd://user:secret@x")]
)
def test_settings_that_cannot_be_used(
    sleeps: Sleeps, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    error = failure(lambda: client("https://api.example.com", sleeps))
    assert isinstance(error, UsageError)
    assert "secret" not in str(error)


@pytest.mark.parametrize("key", ["", "two words", "ключ", "line\nend", "k" * 513])
def test_an_invalid_key(local: LocalApi, key: str) -> None:
    with pytest.raises(NotAuthorised) as caught:
        TavusApi(key, local.base_url)
    assert not key or key not in str(caught.value)


# -- odd answers ---------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
SHAPES = st.fixed_dictionaries(
    {},
    optional={
        "conversation_id": JSON,
        "conversation_url": JSON,
        "status": JSON,
        "data": JSON,
        "total_count": JSON,
        "error": JSON,
        "message": JSON,
    },
)
BODIES = (JSON | SHAPES).map(json.dumps).map(str.encode) | st.binary(max_size=40) | st.just(KEY.encode())
ODD = st.builds(
    Odd,
    status=st.sampled_from([200, 201, 204, 301, 304, 400, 401, 402, 403, 404, 409, 422, 429, 500, 503, 599]),
    body=BODIES,
    headers=st.fixed_dictionaries(
        {},
        optional={
            "Retry-After": st.sampled_from(["1", "x", "-1", "1e5"]),
            "Location": st.sampled_from(["/", "http://[", "https://x.example.com/", "//y"]),
            "Content-Type": st.sampled_from(["application/json; charset=odd", "text/html", "x"]),
        },
    ),
)


@examples(150, suppress=[HealthCheck.function_scoped_fixture])
@given(odd=ODD, number=st.integers(0, 3))
def test_any_answer_is_used_or_is_one_error(
    local: LocalApi, api: TavusApi, sleeps: Sleeps, odd: Odd, number: int
) -> None:
    local.odd.clear()
    local.odd.extend([odd] * 8)
    calls: list[Callable[[], Any]] = [
        lambda: api.create(BODY),
        lambda: api.get("c1"),
        lambda: list(api.conversations()),
        lambda: api.end("c1"),
    ]
    try:
        calls[number]()
        return
    except ConsoleError as error:
        shown = traceback.format_exception(error)
        lines = str(error).splitlines()
    assert KEY not in "".join(shown)
    assert len(lines) == 1
