"""The unmodified daily-python in one of our rooms: joined, with the simulated PAL, and with each fault."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import ClientSession, WSMsgType, WSServerHandshakeError

from tavus_cli.errors import CannotJoin, ConsoleError
from tavus_cli.rooms.daily.room import DailyRoom
from tavus_cli.rooms.room import Arrival, RoomOver
from tests.kits.daily_room import GUEST, PAL, LocalRoom, authority_file, room_url
from tests.kits.room_kit import changes, line_changes, messages, taking, until


@pytest.fixture(autouse=True)
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", authority_file())


@contextlib.asynccontextmanager
async def joined(
    local: LocalRoom, url: str | None = None, **options: Any
) -> AsyncIterator[tuple[DailyRoom, list[Arrival]]]:
    room = DailyRoom(url or room_url(), proxy=local.proxy, **options)
    async with taking(room) as arrivals:
        await room.join()
        yield room, arrivals


def types(arrivals: list[Arrival]) -> list[str]:
    return [one.get("event_type", "") for one in messages(arrivals) if isinstance(one, dict)]


def respond(text: str) -> dict[str, Any]:
    return {
        "message_type": "conversation", "event_type": "conversation.respond", "conversation_id": "c1",
        "properties": {"text": text},
    }  # fmt: skip


def test_join_send_and_leave() -> None:
    async def main() -> None:
        async with LocalRoom(here={PAL: "Nora"}) as local:
            async with joined(local, name="Ann B") as (room, arrivals):
                await until(lambda: PAL in room.participants)
                await local.say({"event_type": "conversation.utterance"})
                await until(lambda: messages(arrivals))
                await room.send({"a": [1, None, "…"]})
                await local.frame(lambda frame: frame.get("msgStr") == "sig-msg" and bool(local.sent))
                assert local.sent == [{"a": [1, None, "…"]}]
            left = await local.frame(lambda frame: frame.get("msgData") == "sig-disconnect")
            assert left["msgStr"] == "sig-presence"
            assert local.room(room.conversation_id).state.guests == []

    asyncio.run(main())


def test_the_simulated_pal_answers() -> None:
    async def main() -> None:
        async with LocalRoom(pal="sim:?speed=max") as local, joined(local) as (room, arrivals):
            await until(lambda: "system.replica_joined" in types(arrivals))
            assert room.participants[PAL].pal
            await room.send(respond("xyzzy plover"))
            await until(lambda: any("xyzzy plover" in str(one) for one in messages(arrivals)))
            await until(
                lambda: any(
                    "xyzzy plover" in str(one) and "'pal'" in str(one)
                    for one in messages(arrivals)
                    if one["event_type"] == "conversation.utterance"
                )
            )
            assert {one.get("conversation_id") for one in messages(arrivals)} <= {room.conversation_id, None}

    asyncio.run(main())


def test_two_clients_hear_the_pal_and_each_other() -> None:
    async def main() -> None:
        url = room_url()
        async with (
            LocalRoom(pal="sim:?speed=max") as local,
            joined(local, url) as (ann, first),
            joined(local, url) as (bob, second),
        ):
            await until(lambda: len(ann.participants) == len(bob.participants) == 3)
            await ann.send({"event_type": "x.hello"})
            await until(lambda: "x.hello" in types(second))
            assert "x.hello" not in types(first)
            await bob.send(respond("good morning"))
            for arrivals in (first, second):
                await until(lambda arrivals=arrivals: "good morning" in str(messages(arrivals)))  # type: ignore[misc]

    asyncio.run(main())


def test_a_line_that_drops_comes_back_with_the_same_guest() -> None:
    async def main() -> None:
        async with LocalRoom(pal="sim:?speed=max") as local, joined(local) as (room, arrivals):
            local.drop()
            await until(lambda: line_changes(arrivals) == [False, True])
            state = local.room(room.conversation_id).state
            assert len(state.guests) == 1
            await room.send(respond("are you there"))
            await until(lambda: "are you there" in str(messages(arrivals)))

    asyncio.run(main())


def test_in_an_outage_somebody_leaves() -> None:
    async def main() -> None:
        async with LocalRoom(here={PAL: "Nora", GUEST: "Ann"}) as local, joined(local) as (room, _):
            await until(lambda: {PAL, GUEST} <= set(room.participants))
            before = len(local.frames)
            await local.outage(0.5, PAL)
            await local.frame(
                lambda frame: frame.get("msgStr") == "join-for-sig" and local.frames.index(frame) >= before
            )
            assert PAL not in local.room(room.conversation_id).state.participants

    asyncio.run(main())


def test_a_deleted_room_ends_the_call() -> None:
    async def main() -> None:
        async with LocalRoom() as local, joined(local) as (room, arrivals):
            await local.delete()
            await until(lambda: any(isinstance(one, RoomOver) for one in arrivals))
            with pytest.raises(ConsoleError):
                await DailyRoom(room.target, proxy=local.proxy).join()

    asyncio.run(main())


@pytest.mark.slow
@pytest.mark.parametrize("socket", ["acknowledged", "routed"])
def test_joins_that_stop_on_the_way(socket: Any) -> None:
    async def main() -> None:
        async with LocalRoom(socket=socket) as local:
            room = DailyRoom(room_url(), proxy=local.proxy)
            async with taking(room) as arrivals:
                if socket == "acknowledged":
                    with pytest.raises(CannotJoin, match="did not answer in time"):
                        await room.join()
                else:  # joined first; the client gives up afterwards, the conversation is not over
                    with contextlib.suppress(CannotJoin):
                        await room.join()
                    await until(lambda: any(isinstance(one, RoomOver) and one.cut_off for one in arrivals))

    asyncio.run(main())


def test_a_slow_lookup_still_lets_in() -> None:
    """The client may ask a second host meanwhile (gs.dailywebrtc.com): it gets the same answer."""

    async def main() -> None:
        async with (
            LocalRoom(lookup_delay=1.5) as local,
            joined(local) as (room, _),
            ClientSession() as session,
        ):
            url = f"{local.proxy}gs.dailywebrtc.com/rooms/check/standin/{room.conversation_id}"
            async with session.get(url, ssl=context()) as answer:
                assert (await answer.json())["roomName"] == room.conversation_id

    asyncio.run(main())


def test_a_client_that_takes_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tavus_cli.local.room.SEND_SECONDS", 0.2)

    async def main() -> None:
        async with LocalRoom() as local, joined(local) as (room, arrivals):
            name = room.conversation_id
            stalled = await plain(local, name, GUEST)  # reads nothing from here on
            big = {"text": "x" * 1_000_000}
            count = 0
            while GUEST in local.room(name).state.lines:
                await local.room(name).say(big, PAL)
                count += 1
            await local.say("after")
            await until(lambda: messages(arrivals)[-1:] == ["after"])
            assert len(messages(arrivals)) == count + 1
            await stalled.session.close()

    asyncio.run(main())


def test_a_room_limits_its_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tavus_cli.local.room.MAX_LINES", 2)

    async def main() -> None:
        async with LocalRoom() as local:
            lines = [await plain(local, "r1", str(uuid.uuid4())) for _ in range(2)]
            with pytest.raises(WSServerHandshakeError, match="403"):
                await plain(local, "r1", GUEST)
            await lines[0].close()
            await until(lambda: len(local.room("r1").state.lines) == 1)
            lines.append(await plain(local, "r1", GUEST))
            for line in lines[1:]:
                await line.close()

    asyncio.run(main())


def test_a_guest_who_returns_in_time_has_not_left() -> None:
    async def main() -> None:
        async with LocalRoom(grace=60.0) as local, joined(local) as (room, arrivals):
            name = room.conversation_id
            for _ in range(3):
                line = await plain(local, name, GUEST)
                await until(lambda: GUEST in room.participants)
                await line.close()
            assert "left" not in [change for _, change, _ in changes(arrivals)]
            local.drop(for_good=True)

    asyncio.run(main())


def test_a_guest_who_does_not_return_has_left() -> None:
    async def main() -> None:
        async with LocalRoom(grace=0.2) as local, joined(local) as (room, arrivals):
            name = room.conversation_id
            socket = await plain(local, name, GUEST)
            await until(lambda: GUEST in room.participants)
            await socket.close()
            await until(lambda: (GUEST, "left") in [change[:2] for change in changes(arrivals)])
            assert GUEST not in room.participants

    asyncio.run(main())


@pytest.mark.parametrize("data", ["{", "[]", b"\xff", json.dumps({"msgStr": "sig-msg"}), "x" * 10_000])
def test_a_malformed_frame_ends_that_client_only(data: str | bytes) -> None:
    async def main() -> None:
        async with LocalRoom() as local, joined(local) as (room, arrivals):
            async with ClientSession() as session:
                url = f"wss://127.0.0.1:{local.port}/sig.standin.wss.daily.co:443/{room.conversation_id}"
                async with session.ws_connect(url, ssl=context()) as socket:
                    await (socket.send_bytes(data) if isinstance(data, bytes) else socket.send_str(data))
                    assert (await socket.receive(10)).type is WSMsgType.CLOSE
            await local.say("still here")
            await until(lambda: messages(arrivals) == ["still here"])

    asyncio.run(main())


def context() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority_file())


@dataclass
class Plain:
    session: ClientSession
    socket: Any

    async def close(self) -> None:
        await self.socket.close()
        await self.session.close()


async def plain(local: LocalRoom, room: str, who: str) -> Plain:
    """A WebSocket without Daily's client, acknowledged."""
    session = ClientSession()
    url = f"wss://127.0.0.1:{local.port}/sig.standin.wss.daily.co:443/{room}"
    try:
        socket = await session.ws_connect(url, ssl=context())
    except WSServerHandshakeError:
        await session.close()
        raise
    hello = {"msgStr": "join-for-sig", "mtgStr": f"standin/{room}", "from": who}
    await socket.send_str(json.dumps({**hello, "msgData": {"presence": {"id": who, "name": "Plain"}}}))
    await socket.receive(10)
    return Plain(session, socket)
