"""The client's side against a server that is not as it should be: one line each time, and an end."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tavus_cli.errors import CannotJoin, NotAuthorised, SendFailed
from tavus_cli.protocol.snapshot import Snapshot
from tavus_cli.resident.room import ResidentRoom
from tavus_cli.resident.wire import encode, snapshot_json
from tavus_cli.rooms.room import Arrival, RoomOver
from tests.kits.program import SECONDS
from tests.kits.room_kit import until

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets here")

HELLO = {"hello": {"id": "sim", "target": "sim", "conversation_id": "c1"}}
JOINED = {"snapshot": snapshot_json(Snapshot()), "participants": []}


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    server, client = socket.socketpair(socket.AF_UNIX)
    client.settimeout(SECONDS)
    with server, client:
        yield server, client


Pair = tuple[socket.socket, socket.socket]


@pytest.mark.parametrize(
    "first",
    [b"", b"no JSON\n", b"[]\n", b"{}\n", b'{"hello": 3}\n', b'{"hello": {"id": "sim"}}\n', b'{"hello'],
)
def test_what_does_not_introduce_itself_is_no_session(pair: Pair, first: bytes) -> None:
    server, client = pair
    server.sendall(first)
    server.close()
    with pytest.raises(ValueError, match=r"."):
        ResidentRoom(client)


def test_why_it_could_not_join_is_raised_as_what_it_was(pair: Pair) -> None:
    server, client = pair
    server.sendall(encode({"error": {"reason": "not_authorised", "message": "no token"}}))
    with pytest.raises(NotAuthorised, match=r"^no token$"):
        ResidentRoom(client)


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
def test_what_is_not_the_protocol_cuts_off_with_one_line(pair: Pair, line: bytes, says: str) -> None:
    server, client = pair
    server.sendall(encode(HELLO) + encode(JOINED) + encode({"note": "fine", "at": 1.0, "warning": False}))
    arrivals: list[Arrival] = []

    async def main() -> None:
        room = ResidentRoom(client)
        taking = asyncio.create_task(taken(room, arrivals))
        await room.join()
        sending = asyncio.create_task(room.send({"event_type": "x"}))
        await until(lambda: room._sendings)
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
    server.sendall(encode(HELLO))
    arrivals: list[Arrival] = []

    async def main() -> None:
        room = ResidentRoom(client)
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
    lines: list[Any] = [HELLO, JOINED, {"in": {"n": 1}, "at": 1.0, "from": None}, {"over": "done", "at": 2.0}]
    writing = threading.Thread(target=server.sendall, args=(b"".join(map(encode, lines)),))
    writing.start()
    arrivals: list[Arrival] = []

    async def main() -> None:
        room = ResidentRoom(client)
        taking = asyncio.create_task(taken(room, arrivals))
        await room.join()
        await taking

    asyncio.run(main())
    writing.join()
    assert [type(one).__name__ for one in arrivals] == ["Snapshot", "Received", "RoomOver"]
    assert json.loads(server.recv(1000)) == {"do": "join"}
