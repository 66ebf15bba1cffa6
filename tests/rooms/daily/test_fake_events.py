"""The adapter with the fake client: events, and how a call ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tavus_cli.errors import CannotJoin, SendFailed
from tavus_cli.rooms.daily import room as adapter
from tavus_cli.rooms.daily.room import DailyRoom
from tavus_cli.rooms.room import Arrival, LineChanged, Received, RoomOver
from tests.kits.fake_daily import GUEST, LOCAL, PAL, FakeDaily, someone
from tests.kits.room_kit import URL, changes, fake_daily, joined, messages, notes, taking, until

Install = Callable[..., FakeDaily]
PRESENT = {"event_type": "system.pal_present"}


@pytest.fixture
def daily(monkeypatch: pytest.MonkeyPatch) -> Install:
    return fake_daily(monkeypatch)


# -- what comes ----------------------------------------------------------------------------------------


def test_every_kind_of_json_arrives_in_order_and_timed(daily: Install) -> None:
    fake = daily()
    kinds: list[Any] = [None, True, 0, -1, 1.5, 2**63, "", "text", [], [1], {}, {"a": None}]

    async def main() -> None:
        async with joined(clock=lambda: 1234.5) as (room, arrivals):
            for kind in kinds:
                fake.say(kind, GUEST)
            await until(lambda: len(messages(arrivals)) == len(kinds))
            assert messages(arrivals) == kinds
            received = [one for one in arrivals if isinstance(one, Received)]
            assert {(one.at, one.sender, one.raw, one.direction) for one in received} == {
                (1234.5, GUEST, None, "in")
            }
            assert room.now() == 1234.5

    asyncio.run(main())


def test_a_burst_arrives_whole(daily: Install) -> None:
    fake = daily(steps=[{"flood": 30_000}])

    async def main() -> None:
        async with joined() as (_, arrivals):
            await until(lambda: len(messages(arrivals)) == 30_000)
            assert messages(arrivals) == [{"n": number} for number in range(30_000)]

    asyncio.run(main())
    assert fake.started


def test_callbacks_never_wait_for_the_loop(daily: Install) -> None:
    """The client's thread delivers all events while the loop is busy; the inbox limits them."""
    fake = daily()

    async def main() -> None:
        async with joined() as (_, arrivals):
            for number in range(1000):
                fake.say(number)
            fake.settle()  # blocks the loop until the foreign thread is done
            await until(lambda: len(messages(arrivals)) == 1000)

    asyncio.run(main())


def test_people_come_change_and_go_and_the_pal_is_known(daily: Install) -> None:
    fake = daily(people=[someone(GUEST, "Ann")])

    async def main() -> None:
        async with joined() as (room, arrivals):
            assert room.participants[GUEST].pal  # the only other
            fake.come(someone(PAL, "Charlie"))
            fake.say({"event_type": "system.pal_present"}, PAL)
            fake.change(someone(GUEST, "Anna"))
            fake.change(someone(GUEST, "Anna"))  # its media changed, say
            fake.go(GUEST, "hidden")
            fake.go(PAL)
            await until(lambda: PAL not in room.participants and len(changes(arrivals)) == 8)
            assert changes(arrivals) == [
                (LOCAL, "joined", False),
                (GUEST, "joined", True),
                (PAL, "joined", False),
                (GUEST, "updated", False),
                (PAL, "updated", True),
                (GUEST, "updated", False),
                (GUEST, "left", False),
                (PAL, "left", True),
            ]

    asyncio.run(main())


def test_malformed_participants_and_states_harm_nothing(
    daily: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = daily()
    raised: list[Any] = []
    monkeypatch.setattr("sys.unraisablehook", raised.append)

    async def main() -> None:
        async with joined() as (_, arrivals):
            native = fake.clients[-1].native
            bads: list[Any] = [None, 1, "x", [], {}, {"id": None}]
            for bad in bads:
                for name in ("on_participant_joined", "on_participant_updated", "on_error"):
                    native.event(name, bad)
                native.event("on_participant_left", bad, None)
                native.event("on_call_state_updated", bad)
                native.event("on_network_connection_status_updated", bad)
                native.event("on_app_message", {"event_type": bad}, bad)
            await until(lambda: len(messages(arrivals)) == 6)

    asyncio.run(main())
    assert raised == []


def test_a_lost_and_restored_network_is_reported_once(daily: Install) -> None:
    fake = daily()

    async def main() -> None:
        async with joined() as (_, arrivals):
            for event in ("connected", "interrupted", "interrupted", "connected", "connected"):
                fake.network(event)
            fake.network("interrupted", "sfu")
            fake.say("last")
            await until(lambda: messages(arrivals))
            lines = [one for one in arrivals if isinstance(one, LineChanged)]
            assert [one.up for one in lines] == [False, True]
            assert lines[0].text == "the connection to the room is interrupted"
            assert lines[1].text.startswith("the connection to the room is back after ")
            assert notes(arrivals) == ["the sfu connection is interrupted"]

    asyncio.run(main())


BREAKS: dict[str, tuple[float, bool, bool, str]] = {
    "silent after it": (0.0, False, True, "Ann"),
    "heard after it": (0.0, True, False, "Ann"),
    "silent before it too": (60.0, False, False, "Charlie, Ann"),
}


@pytest.mark.parametrize(("silent", "heard", "left", "doubts"), BREAKS.values(), ids=BREAKS)
def test_who_may_have_left_while_the_line_was_down(
    daily: Install, monkeypatch: pytest.MonkeyPatch, silent: float, heard: bool, left: bool, doubts: str
) -> None:
    """A PAL is known to have left by its silence, until it is heard again; a guest is only named. ``silent``:
    seconds without a heartbeat before the break, on the room's clock; ``heard``: whether one comes after it.
    """
    time = [100.0]
    monkeypatch.setattr(adapter, "HEARTBEATS", 0.3)

    async def main() -> None:
        fake = daily(people=[someone(PAL, "Charlie", "tavus-replica-r1"), someone(GUEST, "Ann")])
        async with joined(clock=lambda: time[0]) as (room, arrivals):
            fake.say(PRESENT)
            fake.settle()
            time[0] += silent
            fake.network("interrupted")
            fake.network("connected")
            if heard:
                fake.say(PRESENT)
            fake.settle()
            await until(lambda: any(isinstance(one, LineChanged) and one.up for one in arrivals))
            [text] = [one.text for one in arrivals if isinstance(one, LineChanged) and one.up]
            assert (
                text == f"the connection to the room is back after 0.0 s; may have left meanwhile: {doubts}"
            )
            await asyncio.sleep(0.3)  # the room's own timer on this loop was there first
            assert (PAL not in room.participants) == left
            if left:
                await until(lambda: changes(arrivals)[-1] == (PAL, "left", True))
                fake.say(PRESENT)
                await until(lambda: changes(arrivals)[-1] == (PAL, "joined", True))
            assert GUEST in room.participants

    asyncio.run(main())


def test_errors_are_reported_but_not_twice(daily: Install) -> None:
    fake = daily()

    async def main() -> None:
        async with joined() as (_, arrivals):
            fake.error("Error handling sendAppMessage: something")
            fake.error("something\nelse")
            fake.say("last")
            await until(lambda: messages(arrivals))
            assert notes(arrivals) == ["Daily: something else"]

    asyncio.run(main())


# -- the end -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [("Ejected", "removed"), ("Room deleted", "no longer available"), ("", "ended the call")],
)
def test_an_end_we_did_not_ask_for(daily: Install, text: str, words: str) -> None:
    fake = daily()

    async def main() -> list[Arrival]:
        async with joined() as (room, arrivals):
            fake.say("before")
            fake.end(text)
            fake.say("after")
            fake.go(PAL)
            fake.network("interrupted")
            fake.settle()
            await until(lambda: any(isinstance(one, RoomOver) for one in arrivals))
            with pytest.raises(SendFailed, match=rf"^not sent: the conversation is over \(.*{words}"):
                await room.send({"a": 1})
        return arrivals

    arrivals = asyncio.run(main())
    assert isinstance(arrivals[-1], RoomOver)
    assert words in arrivals[-1].reason
    assert messages(arrivals) == ["before"]
    assert "leave" not in fake.names()
    assert fake.names()[-1] == "release"


def test_an_error_of_long_ago_does_not_explain_the_end(daily: Install) -> None:
    fake, times = daily(), [100.0]

    async def main() -> None:
        async with joined(clock=lambda: times[0]) as (_, arrivals):
            fake.error("Mediasoup manager error")
            fake.settle()
            times[0] += 60.0
            fake.end()
            await until(lambda: any(isinstance(one, RoomOver) for one in arrivals))
            assert arrivals[-1] == RoomOver("Daily ended the call", 160.0)

    asyncio.run(main())


def test_a_connection_lost_before_the_join_is_done_is_not_the_end(
    daily: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    daily(join="state only", steps=[{"network": "interrupted", "end": ""}])
    monkeypatch.setattr(adapter, "GRACE_SECONDS", 60.0)

    async def main() -> None:
        room = DailyRoom(URL)
        async with taking(room):
            with pytest.raises(CannotJoin, match=r"^not joined: the connection .* did not come back$"):
                await room.join()

    asyncio.run(main())


def test_leaving_calls_leave_then_release_and_is_not_an_end(daily: Install) -> None:
    fake = daily()

    async def main() -> list[Arrival]:
        async with joined() as (room, arrivals):
            await asyncio.gather(room.leave(), room.leave())
            await room.leave()
        return arrivals

    arrivals = asyncio.run(main())
    assert fake.names()[-2:] == ["leave", "release"]
    assert not any(isinstance(one, RoomOver) for one in arrivals)
    assert not adapter.unfinished


def test_leaving_before_joining_does_nothing(daily: Install) -> None:
    fake = daily()

    async def main() -> None:
        async with taking(DailyRoom(URL)):
            pass

    asyncio.run(main())
    assert fake.calls == []


def test_a_leave_that_never_completes_is_bounded(daily: Install) -> None:
    fake = daily(leave="never")

    async def main() -> None:
        async with joined():
            pass

    asyncio.run(main())
    assert fake.names()[-2:] == ["leave", "release"]


def test_a_leave_that_is_cancelled_still_releases(daily: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "LEAVE_SECONDS", 60.0)
    fake = daily(leave="never")

    async def main() -> None:
        async with joined() as (room, _):
            leaving = asyncio.create_task(room.leave())
            await until(lambda: "leave" in fake.names())
            leaving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await leaving

    asyncio.run(main())
    assert fake.names()[-2:] == ["leave", "release"]
    assert not adapter.unfinished


def test_a_release_that_never_returns_is_bounded_and_reported(daily: Install) -> None:
    daily(release="never")

    async def main() -> None:
        async with joined():
            pass

    asyncio.run(main())
    assert adapter.unfinished


def test_a_message_after_the_loop_is_gone_harms_nothing(
    daily: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = daily(join="never")
    raised: list[Any] = []
    monkeypatch.setattr("sys.unraisablehook", raised.append)

    async def main() -> None:
        room = DailyRoom(URL, join_timeout=0.1)
        async with taking(room):
            with pytest.raises(CannotJoin):
                await room.join()

    asyncio.run(main())
    fake.say("late")
    fake.network("interrupted")
    fake.come(someone(GUEST))
    fake.clients[-1].native.event("on_call_state_updated", "left")
    fake.settle()
    assert raised == []


def test_nothing_is_kept_that_comes_after_leaving(daily: Install) -> None:
    """A join that was given up may continue for hours, and its room may send events."""
    fake = daily(join="never", early=["before"])

    async def main() -> None:
        room = DailyRoom(URL, join_timeout=0.1)
        with pytest.raises(CannotJoin):
            await room.join()
        await room.leave()
        fake.say("after")
        fake.settle()
        arrivals = [one async for batch in room.arrivals() for one in batch]
        assert messages(arrivals) == ["before"]

    asyncio.run(main())


def test_release_runs_on_a_thread_that_does_not_hold_the_program(daily: Install) -> None:
    fake = daily(release="never")
    seen: list[threading.Thread] = []

    async def main() -> None:
        async with joined():
            pass
        seen.extend(one for one in threading.enumerate() if one.name == "daily-release")

    asyncio.run(main())
    assert seen
    assert all(one.daemon for one in seen)
    assert fake.names()[-1] == "release"


def test_no_client_to_load_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "daily", None)

    async def main() -> None:
        room = DailyRoom(URL)
        with pytest.raises(CannotJoin, match="could not be loaded"):
            await room.join()
        await room.leave()

    asyncio.run(main())
