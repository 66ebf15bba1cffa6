"""The API's state: limits, paging, time limits; and no request breaks it."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.local.conversations import Answer, Conversation, Conversations, Ended, Request, iso

KEY = "k"
NOW = 1_790_241_600.0


def conversations(**more: Any) -> Conversations:
    numbers = count(1)
    return Conversations(
        key=KEY,
        url=lambda name: f"https://tavus.daily.co/{name}",
        new_id=lambda: f"c{next(numbers):015x}",
        new_token=lambda: "token",
        **more,
    )


def ask(api: Conversations, method: str, path: str, body: Any = None, **query: str) -> Answer:
    return api.answer(Request(method, f"/v2/{path}", query, {"x-api-key": KEY}, body), NOW)


def create(api: Conversations, **body: Any) -> Conversation:
    answer = ask(api, "POST", "conversations", {"pal_id": "p1"} | body)
    assert answer.status == 200, answer.body
    assert answer.body is not None
    found = api.get(answer.body["conversation_id"])
    assert found is not None
    return found


def test_what_creating_answers() -> None:
    api = conversations()
    body = {"persona_id": "p1", "conversation_name": "Ann", "callback_url": "http://127.0.0.1/"}
    assert ask(api, "POST", "conversations", body).body == {
        "conversation_id": "c000000000000001",
        "conversation_name": "Ann",
        "conversation_url": "https://tavus.daily.co/c000000000000001",
        "status": "active",
        "callback_url": "http://127.0.0.1/",
        "created_at": "2026-09-24T09:20:00.000000Z",
    }
    private = ask(api, "POST", "conversations", {"pal_id": "p", "face_id": "f", "require_auth": True}).body
    assert private is not None
    assert private["meeting_token"] == "token"
    shown = ask(api, "GET", f"conversations/{private['conversation_id']}").body
    assert shown is not None
    assert (shown["persona_id"], shown["replica_id"]) == ("p", "f")
    assert "meeting_token" not in shown


@pytest.mark.parametrize("headers", [{}, {"x-api-key": ""}, {"x-api-key": "K"}, {"authorization": "k"}])
def test_without_the_key(headers: dict[str, str]) -> None:
    answer = conversations().answer(Request("GET", "/v2/conversations", {}, headers, None), NOW)
    assert (answer.status, answer.body) == (401, {"message": "Invalid access token"})


def test_the_limit_of_concurrent_conversations() -> None:
    api = conversations(max_concurrent=2)
    first = create(api)
    create(api)
    full = ask(api, "POST", "conversations", {"pal_id": "p1"})
    assert (full.status, full.body) == (400, {"message": "User has reached maximum concurrent conversations"})
    create(api, test_mode=True)  # takes no slot
    ask(api, "POST", f"conversations/{first.id}/end")
    create(api)


def test_lists_page_by_page() -> None:
    api = conversations(max_concurrent=100)
    names = [create(api).id for _ in range(25)]
    for name in names[::5]:
        ask(api, "POST", f"conversations/{name}/end")

    def page(**query: str) -> tuple[list[str], int]:
        body = ask(api, "GET", "conversations", **query).body
        assert body is not None
        return [one["conversation_id"] for one in body["data"]], body["total_count"]

    assert page() == (names[:10], 25)
    assert page(page="3") == (names[20:], 25)
    assert page(page="9") == ([], 25)
    assert page(status="ended", limit="100") == (names[::5], 5)
    for wrong in ({"limit": "x"}, {"limit": "0"}, {"page": "-1"}, {"limit": "٣"}, {"status": "odd"}):
        assert ask(api, "GET", "conversations", **wrong).status == 400


def test_ending_and_deleting() -> None:
    api = conversations()
    one = create(api)
    answer = ask(api, "POST", f"conversations/{one.id}/end")
    assert (answer.status, answer.changes) == (200, [Ended(one, "end_conversation_endpoint_hit")])
    again = ask(api, "POST", f"conversations/{one.id}/end")
    assert (again.status, again.body) == (400, {"error": "Invalid conversation_id"})
    assert ask(api, "DELETE", f"conversations/{one.id}").status == 204
    assert ask(api, "GET", f"conversations/{one.id}").status == 404
    other = create(api)
    assert [type(change).__name__ for change in ask(api, "DELETE", f"conversations/{other.id}").changes] == [
        "Ended",
        "Deleted",
    ]


def test_time_limits() -> None:
    api = conversations()
    one = create(api, properties={"participant_absent_timeout": 60, "participant_left_timeout": 5})
    assert (api.wake_at(), api.tick(NOW + 59.9)) == (NOW + 60, [])
    api.joined(one, "ann")
    assert api.wake_at() == NOW + 3600
    api.joined(one, "bob")
    api.left(one, "ann", NOW + 100)
    assert api.wake_at() == NOW + 3600
    api.left(one, "bob", NOW + 200)
    assert api.wake_at() == NOW + 205
    api.joined(one, "bob")  # came back in time
    assert api.tick(NOW + 300) == []
    assert api.tick(NOW + 3600) == [Ended(one, "max_call_duration reached")]
    assert (api.wake_at(), one.reason) == (None, "max_call_duration reached")


def test_the_oldest_ended_conversations_are_dropped() -> None:
    api = conversations(kept=3)
    kept = create(api)
    over = [create(api) for _ in range(3)]
    for one in over:
        ask(api, "POST", f"conversations/{one.id}/end")
    create(api)
    assert api.get(kept.id) is kept
    assert [api.get(one.id) for one in over[:2]] == [None, None]
    assert api.get(over[2].id) is not None


def test_times_as_the_api_writes_them() -> None:
    assert iso(1_783_752_517.564961) == "2026-07-11T06:48:37.564961Z"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=10,
)
NAMES = st.sampled_from(
    ["pal_id", "persona_id", "face_id", "replica_id", "properties", "test_mode", "max_participants",
     "callback_url", "document_ids", "require_auth", "document_retrieval_strategy"]
)  # fmt: skip
BODIES = JSON | st.dictionaries(NAMES, JSON | st.sampled_from(["p1", True, 2, ["a"], {}]), max_size=5)
PATHS = st.sampled_from(
    ["/v2/conversations", "/v2/conversations/c000000000000001", "/v2/conversations/c000000000000001/end",
     "/v2/conversations/c9/end", "/v2/conversations/", "/v2/pals", "/", "//", "/v2/conversations/../x"]
)  # fmt: skip
QUERIES = st.dictionaries(
    st.sampled_from(["limit", "page", "status", "verbose", "hard"]), st.text(max_size=8)
)
METHODS = st.sampled_from(["GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"])


@given(st.lists(st.tuples(METHODS, PATHS, QUERIES, BODIES), max_size=15))
def test_no_request_breaks_it(requests: list[tuple[str, str, dict[str, str], Any]]) -> None:
    """Every answer is documented and can be sent; the state stays within its limits."""
    api = conversations(max_concurrent=3, kept=5)
    create(api)
    for method, path, query, body in requests:
        answer = api.answer(Request(method, path, query, {"x-api-key": KEY}, body), NOW)
        assert answer.status in (200, 204, 400, 404)
        json.dumps(answer.body)
        assert len(api.active) <= 3
        assert len(list(api)) <= 5
    api.tick(NOW + 10_000)
    assert api.active == []
