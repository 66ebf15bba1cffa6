"""The client's side with a faulty server: each time one line, and an end."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tavus_cli.errors import CannotJoin, NotAuthorised, SendFailed
from tavus_cli.protocol.snapshot import Snapshot
from tavus_cli.resident.room import Ended, Greeted, ResidentRoom
from tavus_cli.resident.wire import PROTOCOL, encode, snapshot_json
from tavus_cli.rooms.room import Arrival, RoomOver
from tests.kits.program import SECONDS
from tests.kits.room_kit import until

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets here")

GREETING = encode({"protocol": PROTOCOL})
HELLO = {"hello": {"id": "sim", "target": "sim", "conversation_id": "c1"}}
JOINED = {"snapshot": snapshot_json(Snapshot()), "participants": []}


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    server, client = socket.socketpair(socket.AF_UNIX)
    client.settimeout(SECONDS)
    with server, client:
        yield server, client


Pair = tuple[socket.socket, socket.socket]


def opened(client: socket.socket) -> ResidentRoom:
    greeted = Greeted(client, "sim")
    deadline = time.monotonic() + SECONDS
    greeted.greet(deadline)
    return greeted.room(deadline)


@pytest.mark.parametrize("first", [b"", GREETING, GREETING + b'{"hello'])
def test_a_server_that_ends_before_its_first_line(pair: Pair, first: bytes) -> None:
    server, client = pair
    server.sendall(first)
    server.close()
    with pytest.raises(Ended):
        opened(client)


@pytest.mark.parametrize(
    "first",
    [
        b"no JSON\n",
        b"[]\n",
        b"{}\n",
        b'{"protocol": 0}\n',
        b'{"protocol": "1"}\n',
        b'{"hello": {"id": "sim"}}\n',  # version 0.1.0 had no greeting
        GREETING + b"{}\n",
        GREETING + b'{"hello": 3}\n',
        GREETING + b'{"hello": {"id": "sim"}}\n',
    ],
)
def test_a_server_of_another_version_is_named_with_what_to_do(pair: Pair, first: bytes) -> None:
    server, client = pair
    server.sendall(first)
    with pytest.raises(
        CannotJoin, match=r"another version of tavus-console, .*: tavus-console session stop sim"
    ):
        opened(client)


def test_a_silent_server_and_one_that_is_still_joining(pair: Pair) -> None:
    server, client = pair
    greeted = Greeted(client, "sim")
    with pytest.raises(TimeoutError):
        greeted.greet(time.monotonic())
    server.sendall(GREETING)
    greeted.greet(time.monotonic() + SECONDS)
    with pytest.raises(CannotJoin, match="the session sim is still joining its room"):
        greeted.room(time.monotonic())


def test_the_error_of_joining_is_raised_unchanged(pair: Pair) -> None:
    server, client = pair
    server.sendall(GREETING + encode({"error": {"reason": "not_authorised", "message": "no token"}}))
    with pytest.raises(NotAuthorised, match=r"^no token$"):
        opened(client)


async def taken(room: ResidentRoom, arrivals: list[Arrival]) -> None:
    async for batch in room.arrivals():
        arrivals += batch


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"no JSON\n", "a line that is not a JSON object"),
        (b"3\n", "a line that is not a JSON object"),
        (b"\xff\n", "a line that is not a JSON object"),
        (b'{"in": {}}\n', "an object without its fields ('from')"),
        (b'{"participant": {}, "change": "left"}\n', "an object without its fields"),
        (b'{"participant": 3, "change": "left"}\n', "an object without its fields"),
        (b'{"note": "x"}\n', "an object without its fields ('warning')"),
        (b'{"snapshot": {}, "participants": []}\n', "an object without its fields ('turn')"),
        (b'{"missed": "many"}\n', "an object without its fields"),
        (b'{"number": [], "error": 3}\n', "an object without its fields"),
    ],
)
def test_a_protocol_violation_cuts_off_with_one_line(pair: Pair, line: bytes, says: str) -> None:
    server, client = pair
    server.sendall(
        GREETING + encode(HELLO) + encode(JOINED) + encode({"note": "fine", "at": 1.0, "warning": False})
    )
    arrivals: list[Arrival] = []

    async def main() -> None:
        room = opened(client)
        taking = asyncio.create_task(taken(room, arrivals))
        await room.join()
        sending = asyncio.create_task(room.send({"event_type": "x"}))
        await until(lambda: room._requests)
        server.sendall(line)
        with pytest.raises(SendFailed, match="not confirmed"):
            await sending
        await taking

    asyncio.run(main())
    last = arrivals[-1]
    assert isinstance(last, RoomOver)
    assert last.cut_off
    assert last.reason.startswith(f"the resident session sent {says}")
    assert last.reason.endswith("stop it and start it again")
    assert "\n" not in last.reason


@pytest.mark.parametrize("closes", [b"", b'{"note": "cut in the mid'])
def test_a_server_that_goes_away(pair: Pair, closes: bytes) -> None:
    server, client = pair
    server.sendall(GREETING + encode(HELLO))
    arrivals: list[Arrival] = []

    async def main() -> None:
        room = opened(client)
        taking = asyncio.create_task(taken(room, arrivals))
        server.sendall(closes)
        server.close()
        with pytest.raises(CannotJoin, match="the resident session is gone"):
            await room.join()
        await room.leave()
        await taking
        with pytest.raises(SendFailed, match="not joined"):
            await room.send({})

    asyncio.run(main())
    assert arrivals == []


def test_what_comes_in_one_piece_with_the_first_line_is_not_lost(pair: Pair) -> None:
    server, client = pair
    lines: list[Any] = [
        {"protocol": PROTOCOL},
        HELLO,
        JOINED,
        {"in": {"n": 1}, "at": 1.0, "from": None},
        {"over": "done", "at": 2.0},
    ]
    writing = threading.Thread(target=server.sendall, args=(b"".join(map(encode, lines)),))
    writing.start()
    arrivals: list[Arrival] = []

    async def main() -> None:
        room = opened(client)
        taking = asyncio.create_task(taken(room, arrivals))
        await room.join()
        await taking

    asyncio.run(main())
    writing.join()
    assert [type(one).__name__ for one in arrivals] == ["Snapshot", "Received", "RoomOver"]
    assert json.loads(server.recv(1000)) == {"do": "join"}


def test_a_line_too_long_for_the_session_is_refused_here_and_ends_nothing(pair: Pair) -> None:
    server, client = pair
    server.sendall(GREETING + encode(HELLO) + encode(JOINED))

    async def main() -> None:
        room = opened(client)
        taking = asyncio.create_task(taken(room, []))
        await room.join()
        with pytest.raises(SendFailed, match=r"the message takes 1,048,\d+ bytes; a resident session takes"):
            await room.send({"event_type": "x" * (1 << 20)})
        sending = asyncio.create_task(room.send({"event_type": "x"}))
        await until(lambda: room._requests)
        server.sendall(encode({"number": max(room._requests)}))
        await sending
        await room.leave()
        await taking

    asyncio.run(main())


def test_a_refusal_by_the_session_is_the_reason_of_the_end(pair: Pair) -> None:
    server, client = pair
    refusal = {"error": {"reason": "failed", "message": "it was sent a line of more than 1,048,576 bytes"}}
    server.sendall(GREETING + encode(HELLO) + encode(JOINED) + encode(refusal))
    arrivals: list[Arrival] = []

    async def main() -> None:
        room = opened(client)
        await taken_after_joining(room, arrivals)

    asyncio.run(main())
    last = arrivals[-1]
    assert isinstance(last, RoomOver)
    assert last.reason == refusal["error"]["message"]


async def taken_after_joining(room: ResidentRoom, arrivals: list[Arrival]) -> None:
    taking = asyncio.create_task(taken(room, arrivals))
    await room.join()
    await taking
