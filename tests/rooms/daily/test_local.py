"""The adapter with the real, unmodified client and a room on this machine (tests/kits/daily_room.py).

In these tests the client gets no further than "joining": they cover the requests until then, what arrives
meanwhile, and every join that fails within seconds. Slower failures, and how a process ends, are in
test_ends.py.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tavus_cli.errors import CannotJoin, ConsoleError, ConversationOver, NotAuthorised, SendFailed
from tavus_cli.rooms.daily import room as adapter
from tavus_cli.rooms.daily.room import DailyRoom
from tavus_cli.rooms.room import Arrival, Received
from tests.kits.daily_room import (
    GUEST,
    PAL,
    LocalRoom,
    app_message,
    authority_file,
    in_thread,
    presence,
    room_url,
)
from tests.kits.room_kit import changes, messages, notes, taking, until


@pytest.fixture(autouse=True)
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", authority_file())


@contextlib.asynccontextmanager
async def joining(
    local: LocalRoom, url: str | None = None, **options: Any
) -> AsyncIterator[tuple[DailyRoom, list[Arrival]]]:
    """A room whose join is under way, the client's join frame sent; given up after the block."""
    room = DailyRoom(url or room_url(), proxy=local.proxy, **options)
    async with taking(room) as arrivals:
        join = asyncio.create_task(room.join())
        try:
            await local.joining(room.conversation_id)
            yield room, arrivals
        finally:
            join.cancel()
            await asyncio.wait({join})


def test_the_requests_of_a_join() -> None:
    async def main() -> None:
        async with (
            LocalRoom(socket="silent") as local,
            joining(local, "https://standin.daily.co/r0?t=a.b.c-token", name="Ann B") as (room, _),
        ):
            frame = await local.joining()
            lookup = local.lookups[0]
            assert lookup.path == "/gs.daily.co/rooms/check/standin/r0"
            assert lookup.headers["x-dailyjointoken"] == "a.b.c-token"
            assert frame["mtgStr"] == "standin/r0"
            assert "a.b.c-token" not in str(local.frames)
            presence = frame["msgData"]["presence"]
            assert presence["name"] == "Ann B"
            states = ("audioState", "videoState", "screenAudioState", "screenVideoState")
            assert {presence[state] for state in states} == {"U"}  # off
            await until(lambda: room.participants)
            [me] = room.participants.values()
            assert (me.local, me.name, me.id) == (True, "Ann B", presence["id"])

    asyncio.run(main())


def test_no_token_no_header() -> None:
    async def main() -> None:
        async with LocalRoom(socket="silent") as local, joining(local):
            assert "x-dailyjointoken" not in local.lookups[0].headers

    asyncio.run(main())


KINDS: list[Any] = [
    None, True, False, 0, -1, 1.5, 1e300, 2**53 + 1, 2**63, 2**64 - 1, -(2**63), "", "text", "…é😀\x00\x1b",
    '{"event_type": "conversation.utterance"}', [], [None, [1, [2]]], {}, {"a": None, "b": {"c": []}},
    {"event_type": "conversation.utterance", "properties": {"text": "Hello"}, "seq": 3},
]  # fmt: skip


def test_every_kind_of_json_arrives_while_joining() -> None:
    async def main() -> None:
        async with LocalRoom(socket="silent") as local, joining(local) as (_, arrivals):
            for kind in KINDS:
                await local.say(kind)
            await until(lambda: len(messages(arrivals)) == len(KINDS))
            assert messages(arrivals) == KINDS
            assert [type(one) for one in messages(arrivals)] == [type(one) for one in KINDS]
            received = [one for one in arrivals if isinstance(one, Received)]
            assert {one.sender for one in received} == {PAL}
            times = [one.at for one in received if one.at is not None]
            assert len(times) == len(KINDS)
            assert times == sorted(times)

    asyncio.run(main())


def test_frames_that_come_before_the_client_sends_anything() -> None:
    early = [app_message("first"), presence(PAL, {"id": PAL, "name": "Charlie"}), app_message("second")]

    async def main() -> None:
        async with LocalRoom(socket="silent", early=early) as local, joining(local) as (room, arrivals):
            await until(lambda: len(messages(arrivals)) == 2)
            assert messages(arrivals) == ["first", "second"]
            assert room.participants[PAL].pal

    asyncio.run(main())


def test_a_burst_arrives_whole_and_in_order() -> None:
    async def main() -> None:
        async with LocalRoom(socket="silent") as local, joining(local) as (_, arrivals):
            await local.flood(30_000)
            await until(lambda: len(messages(arrivals)) >= 30_000)
            assert messages(arrivals) == [{"n": number} for number in range(30_000)]

    asyncio.run(main())


@pytest.mark.parametrize("size", [5_000, 70_000, 1_000_000, 16_000_000])
def test_large_messages_arrive(size: int) -> None:
    async def main() -> None:
        async with LocalRoom(socket="silent") as local, joining(local) as (_, arrivals):
            await local.say({"text": "x" * size})
            await local.say("after")
            await until(lambda: len(messages(arrivals)) == 2)
            assert messages(arrivals)[0] == {"text": "x" * size}
            assert messages(arrivals)[1] == "after"

    asyncio.run(main())


def test_people_come_change_and_go() -> None:
    async def main() -> None:
        async with LocalRoom(socket="silent") as local, joining(local) as (room, arrivals):
            await local.come(GUEST, "Ann")
            await local.put(presence(PAL, {"id": PAL, "name": "Charlie", "user_id": "tavus-replica-r1"}))
            await local.come(GUEST, "Anna")
            await local.go(GUEST)
            await local.go(PAL)
            await until(lambda: len(changes(arrivals)) == 7)
            assert changes(arrivals)[1:] == [
                (GUEST, "joined", True),  # the only other, until a better sign comes
                (PAL, "joined", True),
                (GUEST, "updated", False),
                (GUEST, "updated", False),
                (GUEST, "left", False),
                (PAL, "left", True),
            ]
            assert set(room.participants) & {PAL, GUEST} == set()

    asyncio.run(main())


def test_a_heartbeat_distinguishes_the_pal_from_a_guest() -> None:
    async def main() -> None:
        async with LocalRoom(socket="silent") as local, joining(local) as (room, arrivals):
            await local.come(PAL, "Charlie")
            await local.come(GUEST, "Ann")
            await local.say({"event_type": "system.pal_present", "message_type": "system"}, PAL)
            await until(lambda: messages(arrivals))
            assert [one.id for one in room.participants.values() if one.pal] == [PAL]

    asyncio.run(main())


def test_nothing_can_be_sent_before_joining() -> None:
    async def main() -> None:
        async with LocalRoom(socket="silent") as local, joining(local) as (room, arrivals):
            with pytest.raises(SendFailed, match="not joined yet"):
                await room.send({"a": 1})
            await local.say("still here")
            await until(lambda: messages(arrivals))
            assert not any("x-egassem" in str(frame) for frame in local.frames)

    asyncio.run(main())


def test_a_server_on_its_own_thread() -> None:
    """As benches use it: the room has its own loop."""
    with in_thread(LocalRoom(socket="silent")) as local:

        async def main() -> None:
            room = DailyRoom(room_url(), proxy=local.proxy)
            async with taking(room) as arrivals:
                join = asyncio.create_task(room.join())
                await asyncio.wrap_future(local.soon(local.joining()))
                await asyncio.wrap_future(local.soon(local.flood(1000)))
                await until(lambda: len(messages(arrivals)) == 1000)
                join.cancel()
                await asyncio.wait({join})

        asyncio.run(main())


# -- joins that end ------------------------------------------------------------------------------------


def failing(local: LocalRoom, **options: Any) -> tuple[ConsoleError, list[Arrival], bool]:
    """The error of a join into ``local``, what had arrived, and whether a native call is left over."""

    async def main() -> tuple[ConsoleError, list[Arrival], bool]:
        async with local:
            room = DailyRoom(room_url(), proxy=local.proxy, **options)
            async with taking(room) as arrivals:
                with pytest.raises(ConsoleError) as caught:
                    await room.join()
            return caught.value, arrivals, room in adapter.unfinished

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("lookup", "kind", "words"),
    [
        (400, CannotJoin, "HTTP 400"),
        (401, NotAuthorised, "token"),
        (403, NotAuthorised, "token"),
        (404, CannotJoin, "no room"),
        (500, CannotJoin, "HTTP 500"),
        (503, CannotJoin, "HTTP 503"),
        ({"error": "nbf-room"}, CannotJoin, "not available yet"),
        ({"error": "exp-room"}, ConversationOver, "over"),
        ({"error": "exp-token"}, NotAuthorised, "token"),
        ({"error": "not-allowed"}, NotAuthorised, "token"),
        ({"error": "no-room"}, CannotJoin, "no room"),
        ({"error": "brand new"}, CannotJoin, "brand new"),
        ({}, CannotJoin, "did not let us"),
    ],
    ids=str,
)
def test_joins_that_fail_at_the_lookup(lookup: Any, kind: type[ConsoleError], words: str) -> None:
    error, arrivals, hanging = failing(LocalRoom(lookup=lookup, socket="silent"))
    assert type(error) is kind
    assert words in str(error)
    assert notes(arrivals) == []
    assert not hanging


def test_an_endless_join_ends_by_our_own_limit() -> None:
    error, arrivals, hanging = failing(
        LocalRoom(socket="silent", early=[app_message("hello")]), join_timeout=1.0
    )
    assert type(error) is CannotJoin
    assert "never let us in" in str(error)
    assert messages(arrivals) == ["hello"]
    assert hanging
    assert adapter.unfinished


def test_a_second_room_works_beside_an_endless_join() -> None:
    async def main() -> None:
        async with LocalRoom(socket="silent") as local:
            async with joining(local) as (first, _):
                pass
            async with joining(local) as (second, arrivals):
                await local.say("hello")
                await until(lambda: messages(arrivals))
            assert first.conversation_id != second.conversation_id

    asyncio.run(main())


@pytest.mark.parametrize("way", ["cancel", "leave"])
def test_an_endless_join_that_we_give_up(way: str) -> None:
    outcome: list[str] = []

    async def give_up(room: DailyRoom, join: asyncio.Task[None]) -> None:
        if way == "cancel":
            join.cancel()
        else:
            await room.leave()
        try:
            await join
        except (asyncio.CancelledError, CannotJoin) as error:
            outcome.append(type(error).__name__)

    async def main() -> None:
        async with LocalRoom(socket="silent") as local:
            room = DailyRoom(room_url(), proxy=local.proxy)
            async with taking(room):
                join = asyncio.create_task(room.join())
                await local.joining()
                await give_up(room, join)

    asyncio.run(main())
    assert outcome == ["CancelledError" if way == "cancel" else "CannotJoin"]
    assert adapter.unfinished
