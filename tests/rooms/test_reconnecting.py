"""Joining again after being cut off: the policy as a table, and the room around scripted ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.errors import CannotJoin, ConsoleError, ConversationOver, NotAuthorised, SendFailed
from tavus_cli.rooms.reconnecting import Policy, ReconnectingRoom
from tavus_cli.rooms.room import (
    Arrival,
    LineChanged,
    Participant,
    ParticipantChanged,
    Received,
    RoomOver,
)
from tests.kits.room_kit import messages, taking, until

PAL = Participant("p", "Nora", "tavus-replica-r1", pal=True)
GUEST = Participant("g", "Dana")
CUT = RoomOver("lost", 0.0, cut_off=True)
QUICK = Policy(timeout=5.0, first=0.001, longest=0.004, pal=0.05)


# -- the policy ----------------------------------------------------------------------------------------


def test_pauses_double_up_to_the_longest() -> None:
    policy = Policy()
    assert [policy.pause(attempt, 0.5) for attempt in range(7)] == [1, 2, 4, 8, 16, 30, 30]


@given(st.integers(0, 10**6), st.floats(0, 1))
def test_a_pause_is_spread_by_a_quarter(attempt: int, chance: float) -> None:
    middle = Policy().pause(attempt, 0.5)
    assert middle * 0.75 <= Policy().pause(attempt, chance) <= middle * 1.25


# -- the room ------------------------------------------------------------------------------------------


class Scripted:
    """A room with these arrivals; ``fails``: what its join raises. It stays open unless they have an end."""

    target = "scripted"
    conversation_id = "c1"
    live = timed = leaving_may_end = True
    via = ""

    def __init__(self, *arrivals: Arrival, fails: ConsoleError | None = None, people: Any = (PAL,)) -> None:
        self._arrivals = list(arrivals)
        self._fails = fails
        self.participants: Mapping[str, Participant] = {one.id: one for one in people}
        self.sent: list[Any] = []
        self.left = asyncio.Event()

    def now(self) -> float:
        return 10.0

    async def join(self) -> None:
        if self._fails is not None:
            raise self._fails

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    async def leave(self) -> None:
        self.left.set()

    async def arrivals(self) -> AsyncIterator[list[Arrival]]:
        if self._arrivals:
            yield self._arrivals
        if not any(isinstance(one, RoomOver) for one in self._arrivals):
            await self.left.wait()


def reconnecting(
    *rooms: Scripted, policy: Policy = QUICK, has_ended: Callable[[], Awaitable[bool]] | None = None
) -> ReconnectingRoom:
    left = list(rooms)
    return ReconnectingRoom(lambda: left.pop(0), policy, has_ended=has_ended, chance=lambda: 0.5)


async def all_of(room: ReconnectingRoom) -> list[Arrival]:
    """What arrives until the room ends by itself."""
    await room.join()
    arrivals: list[Arrival] = []
    async with asyncio.timeout(10):
        async for batch in room.arrivals():
            arrivals += batch
    await room.leave()
    return arrivals


def words(arrivals: list[Arrival]) -> list[Any]:
    out: list[Any] = []
    for one in arrivals:
        match one:
            case Received(message):
                out.append(message)
            case LineChanged(up):
                out.append("up" if up else "down")
            case ParticipantChanged(who, change):
                out.append(f"{who.id} {change}")
            case RoomOver(reason, _, cut_off):
                out.append(("cut off" if cut_off else "over", reason))
    return out


ENDED = RoomOver("done", 11.0)


def outcome(*rooms: Callable[[], Scripted], **options: Any) -> list[Any]:
    async def main() -> list[Any]:
        return words(await all_of(reconnecting(*(make() for make in rooms), **options)))

    return asyncio.run(main())


def first() -> Scripted:
    return Scripted(Received("a"), CUT)


def test_it_continues_in_the_next_room() -> None:
    then = lambda: Scripted(Received("b"), ENDED)  # noqa: E731
    assert outcome(first, then) == ["a", "down", "up", "b", ("over", "done")]


def test_an_end_is_not_joined_again() -> None:
    assert outcome(lambda: Scripted(Received("a"), ENDED)) == ["a", ("over", "done")]


def test_it_tries_again_while_it_cannot_join() -> None:
    fails = lambda: Scripted(fails=CannotJoin("no network"))  # noqa: E731
    then = lambda: Scripted(ENDED)  # noqa: E731
    assert outcome(first, fails, fails, fails, then) == ["a", "down", "up", ("over", "done")]


def test_it_may_be_cut_off_again() -> None:
    assert outcome(first, first, lambda: Scripted(ENDED)) == [
        "a", "down", "up", "a", "down", "up", ("over", "done"),
    ]  # fmt: skip


def test_a_room_that_is_gone_is_over() -> None:
    gone = lambda: Scripted(fails=ConversationOver("gone"))  # noqa: E731
    assert outcome(first, gone) == ["a", "down", ("over", "the room is no longer available")]


def test_a_token_that_has_expired_ends_the_tries() -> None:
    refused = lambda: Scripted(fails=NotAuthorised("the token has expired"))  # noqa: E731
    assert outcome(first, refused) == ["a", "down", ("cut off", "lost; the token has expired")]


def test_connections_that_do_not_last_are_given_up_too() -> None:
    breaks = [lambda: Scripted(CUT)] * 100
    policy = QUICK._replace(timeout=0.5, longest=10.0)
    *before, (kind, reason) = outcome(first, *breaks, policy=policy)
    assert kind == "cut off"
    assert reason == "lost; could not join again for long within 0.5 s"
    assert 1 <= before.count("up") < 15


def test_it_gives_up_in_time_and_says_why() -> None:
    fails = [lambda: Scripted(fails=CannotJoin("no network"))] * 100
    short = QUICK._replace(timeout=0.02)
    *_, (kind, reason) = outcome(first, *fails, policy=short)
    assert kind == "cut off"
    assert reason == "lost; could not join again within 0.02 s (no network)"


@pytest.mark.parametrize("ended", [True, False])
def test_the_api_is_asked(ended: bool) -> None:
    async def has_ended() -> bool:
        return ended

    said = outcome(first, lambda: Scripted(ENDED), has_ended=has_ended)
    if ended:
        assert said == ["a", "down", ("over", "it ended while we were cut off")]
    else:
        assert said == ["a", "down", "up", ("over", "done")]


def test_without_the_pal_it_is_over() -> None:
    empty = lambda: Scripted(Received("b"), people=())  # noqa: E731
    assert outcome(first, empty) == [
        "a", "down", "up", "p left", "b",
        ("over", "the PAL was not there within 0.05 s of joining again"),
    ]  # fmt: skip


def test_where_there_was_no_pal_none_is_waited_for() -> None:
    alone = lambda: Scripted(CUT, people=(GUEST,))  # noqa: E731
    empty = lambda: Scripted(ENDED, people=())  # noqa: E731
    assert outcome(alone, empty) == ["down", "up", "g left", ("over", "done")]


def test_a_pal_that_was_not_back_is_awaited_after_a_second_break_too() -> None:
    again = lambda: Scripted(CUT, people=())  # noqa: E731
    empty = lambda: Scripted(people=())  # noqa: E731
    assert outcome(first, again, empty)[-4:] == [
        "p left", "down", "up", ("over", "the PAL was not there within 0.05 s of joining again"),
    ]  # fmt: skip


def test_who_left_meanwhile_is_named_but_for_the_pal_and_ourselves() -> None:
    async def main() -> list[str]:
        us = [Participant(number, "me", local=True) for number in "123"]
        ghosts = [one._replace(local=False) for one in us]  # Daily lists us for a while
        rooms = (
            Scripted(CUT, people=(PAL, GUEST, us[0])),
            Scripted(fails=CannotJoin("no"), people=(us[1],)),
            Scripted(CUT, people=(*ghosts[:2], us[2])),
            Scripted(ENDED, people=()),
        )
        arrivals = await all_of(reconnecting(*rooms))
        assert [one for one in words(arrivals) if "left" in one] == [
            "p left",
            "g left",
            "1 left",
            "2 left",
            "3 left",
        ]
        return [one.text for one in arrivals if isinstance(one, LineChanged) and one.up]

    assert asyncio.run(main()) == [
        "joined again after 10.0 s; left meanwhile: Dana",
        "joined again after 10.0 s",
    ]


def test_nothing_is_joined_once_it_was_left_while_the_api_was_asked() -> None:
    async def main() -> None:
        asked, never = asyncio.Event(), asyncio.Event()

        async def has_ended() -> bool:
            asked.set()
            return await never.wait()

        unwanted = Scripted()
        room = reconnecting(Scripted(CUT), unwanted, has_ended=has_ended)
        async with taking(room):
            await room.join()
            await asked.wait()
        assert room.joined is not unwanted

    asyncio.run(main())


def test_a_join_that_fails_is_not_tried_again() -> None:
    async def main() -> None:
        room = reconnecting(Scripted(fails=CannotJoin("no")))
        with pytest.raises(CannotJoin, match="no"):
            await room.join()
        await room.leave()

    asyncio.run(main())


def test_what_is_sent_while_the_line_is_down_is_refused() -> None:
    async def main() -> None:
        last = Scripted(Received("b"))
        room = reconnecting(Scripted(CUT), last, policy=QUICK._replace(first=0.2))
        async with taking(room) as arrivals:
            await room.join()
            await until(lambda: arrivals)
            with pytest.raises(SendFailed, match="the connection to the room is down"):
                await room.send({"n": 1})
            await until(lambda: messages(arrivals))
            await room.send({"n": 2})
            assert last.sent == [{"n": 2}]

    asyncio.run(main())


def test_leaving_ends_the_wait() -> None:
    async def main() -> None:
        room = reconnecting(Scripted(CUT), policy=Policy(first=1000.0, longest=1000.0, timeout=10_000.0))
        async with taking(room) as arrivals:
            await room.join()
            await until(lambda: arrivals)
        assert words(arrivals) == ["down"]

    asyncio.run(main())
