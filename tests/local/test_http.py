"""What the small server refuses by itself: foreign hosts and pages, other bodies, large bodies."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import socket
from typing import Any

import pytest
from aiohttp import ClientSession
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tavus_cli.local.conversations import Request
from tavus_cli.local.http import HttpServer, Response
from tavus_cli.local.tavus import KEY
from tests.kits.daily_room import LocalRoom
from tests.local.kit import tavus
from tests.local.test_room import context

JSON = {"content-type": "application/json"}


def asked(headers: dict[str, str], method: str = "POST", data: bytes | None = b"{}") -> Any:
    """The status of one request, and the bodies that the handler got; my.tunnel is an accepted name."""
    seen: list[Any] = []

    async def take(request: Request) -> Response:
        seen.append(request.body)
        return Response(200, {"ok": True})

    async def main() -> int:
        server = HttpServer(take, names=("My.Tunnel",), max_body=1000)
        await server.start("127.0.0.1", 0)
        try:
            async with ClientSession() as session:
                url = f"http://127.0.0.1:{server.port}/x"
                async with session.request(method, url, data=data, headers=headers) as answer:
                    await answer.read()
                    return answer.status
        finally:
            await server.stop()

    return asyncio.run(main()), seen


@pytest.mark.parametrize(
    "head",
    [
        b"\x00\xff" * 1000,
        b"POST / HTTP/1.1\r\nContent-Length: -5\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n",
    ],
    ids=["bytes", "length", "path", "header"],
)
def test_a_broken_request_is_refused_without_a_word(head: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async def take(request: Request) -> Response:
        return Response(200)

    async def main() -> bytes:
        server = HttpServer(take)
        await server.start("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        try:
            writer.write(head + b"\r\n")
            return await reader.read(12)
        finally:
            writer.close()
            await server.stop()

    assert asyncio.run(main())[9:] == b"400"
    assert not caplog.records


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example.com"},
        {"Host": "evil.example.com:8787"},
        {"Host": "127.0.0.1.evil.com"},
        {"Host": ""},
        {"Host": "["},
        {"Origin": "https://evil.example.com"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.com"},
    ],
)
def test_what_a_web_page_could_send_is_refused(headers: dict[str, str]) -> None:
    assert asked(JSON | headers) == (403, [])
    assert asked(headers, "GET", None) == (403, [])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": "localhost:1"},
        {"Host": "[::1]"},
        {"Origin": "http://localhost:3000"},
        {"Host": "My.Tunnel"},
    ],
)
def test_valid_requests_come_through(headers: dict[str, str]) -> None:
    assert asked(JSON | headers) == (200, [{}])


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_body_must_say_that_it_is_json(kind: str) -> None:
    assert asked({"content-type": kind}) == (415, [])


@pytest.mark.parametrize("data", [b"{", b"\xff", b"[" * 900, b"NaN", b'{"a": Infinity}'])
def test_what_is_not_json_comes_as_text(data: bytes) -> None:
    status, [body] = asked(JSON, data=data)
    assert (status, type(body)) == (200, str)


def test_a_body_that_is_too_large() -> None:
    assert asked(JSON, data=b'"' + b"x" * 2000 + b'"') == (413, [])
    assert asked(JSON, data=None) == (200, [None])


def test_rooms_refuse_foreign_requests_too() -> None:
    async def main() -> None:
        async with LocalRoom() as local, ClientSession() as session:
            for headers in ({"Host": "evil.example.com"}, {"Origin": "https://evil.example.com"}):
                url = f"{local.proxy}gs.daily.co/rooms/check/standin/r1"
                async with session.get(url, headers=headers, ssl=context()) as answer:
                    assert answer.status == 403
            assert local.lookups == []

    asyncio.run(main())


METHODS = st.sampled_from(["GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS", "HEAD"])
PATHS = st.sampled_from(
    ["/v2/conversations", "/v2/conversations/c1/end", "/local", "/local/faults", "/%00", "/"]
)
BODIES = st.none() | st.binary(max_size=60) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(st.sampled_from(["pal_id", "fault", "status", "times", "seconds"]), inner, max_size=3),
    max_leaves=6,
).map(lambda value: json.dumps(value).encode())  # fmt: skip


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(requests=st.lists(st.tuples(METHODS, PATHS, BODIES), min_size=20, max_size=60))
def test_no_request_ends_in_a_5xx(requests: list[tuple[str, str, bytes | None]]) -> None:
    async def main() -> None:
        async with tavus() as api, ClientSession() as session:
            for method, path, data in requests:
                url = f"http://127.0.0.1:{api.tavus.port}{path}"
                headers = {"x-api-key": KEY, "content-type": "application/json"}
                async with session.request(method, url, data=data, headers=headers) as answer:
                    await answer.read()
                    assert answer.status < 500, (method, path, data)

    asyncio.run(main())


@pytest.mark.parametrize("turns", range(4))
def test_a_connection_that_comes_while_it_stops_is_closed(turns: int) -> None:
    """Whatever the state of its acceptance: the server stops after each number of loop iterations."""

    async def take(request: Request) -> Response:
        return Response()

    async def main() -> None:
        server = HttpServer(take)
        await server.start("127.0.0.1", 0)
        with socket.create_connection(("127.0.0.1", server.port)) as client:  # without a turn of the loop
            for _ in range(turns):
                await asyncio.sleep(0)
            await server.stop()
            client.settimeout(5)
            with contextlib.suppress(ConnectionResetError):
                assert client.recv(1) == b""

    asyncio.run(main())
    gc.collect()  # a socket left open would warn
