"""The Inbox: from any thread to the event loop, in order, bounded, and nothing lost silently."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.rooms.room import (
    BATCH,
    Arrival,
    Inbox,
    Participant,
    ParticipantChanged,
    Received,
    RoomNote,
    RoomOver,
)
from tests.kits.conversations import few


def taken(inbox: Inbox, meanwhile: Callable[[], object] = lambda: None) -> list[Arrival]:
    """Everything that comes out of an inbox until it is closed."""

    async def main() -> list[Arrival]:
        arrivals: list[Arrival] = []
        meanwhile()
        async with asyncio.timeout(20):
            async for batch in inbox.batches():
                assert 0 < len(batch) <= BATCH
                arrivals += batch
        return arrivals

    return asyncio.run(main())


def brief(arrivals: list[Arrival]) -> list[object]:
    """Messages by their value, notes by the number in them."""
    out: list[object] = []
    for one in arrivals:
        if isinstance(one, RoomNote):
            out.append("-" + one.text.partition(" ")[0])
        else:
            out.append(one.message if isinstance(one, Received) else one)
    return out


@pytest.mark.parametrize("count", [0, 1, BATCH - 1, BATCH, BATCH + 1, 5 * BATCH + 7])
def test_arrivals_before_opening_are_kept_in_order(count: int) -> None:
    inbox = Inbox()
    for number in range(count):
        inbox.put(Received(number))
    inbox.close()
    assert brief(taken(inbox)) == list(range(count))


def test_what_other_threads_put_comes_in_the_order_of_each() -> None:
    inbox, threads, each = Inbox(), 4, 2_000

    def put(thread: int) -> None:
        for number in range(each):
            inbox.put(Received((thread, number)))

    workers = [threading.Thread(target=put, args=(number,)) for number in range(threads)]

    def close() -> None:
        for worker in workers:
            worker.join()
        inbox.close()

    def start() -> None:
        for worker in [*workers, threading.Thread(target=close)]:
            worker.start()

    got = [one.message for one in taken(inbox, start) if isinstance(one, Received)]
    assert len(got) == threads * each
    for thread in range(threads):
        assert [number for who, number in got if who == thread] == list(range(each))


def test_every_single_put_wakes_the_waiter() -> None:
    """One at a time, each only after the last was taken; a lost wakeup would hang."""

    async def main() -> list[object]:
        inbox, next_one, got = Inbox(), threading.Semaphore(1), list[object]()

        def put() -> None:
            for number in range(500):
                next_one.acquire()
                inbox.put(Received(number))
            next_one.acquire()
            inbox.close()

        worker = threading.Thread(target=put)
        worker.start()
        async with asyncio.timeout(20):
            async for batch in inbox.batches():
                got += brief(batch)
                for _ in batch:
                    next_one.release()
        worker.join()
        return got

    assert asyncio.run(main()) == list(range(500))


def test_other_tasks_run_during_a_burst() -> None:
    async def main() -> list[int]:
        inbox, turns, seen = Inbox(), [0], list[int]()
        for number in range(4 * BATCH):
            inbox.put(Received(number))
        inbox.close()

        async def other() -> None:
            while True:
                turns[0] += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        async for _ in inbox.batches():
            seen.append(turns[0])
        task.cancel()
        return seen

    seen = asyncio.run(main())
    assert len(seen) == 4
    assert sorted(set(seen)) == seen, "somebody else had a turn between any two batches"


# -- overflow ---------------------------------------------------------------------------------------------


def test_an_overflow_is_reported_at_the_end() -> None:
    inbox = Inbox(limit=3)
    for number in range(10):
        inbox.put(Received(number))
    inbox.close()
    assert brief(taken(inbox)) == [0, 1, 2, "-7"]


def test_an_overflow_is_reported_in_its_place() -> None:
    async def main() -> list[object]:
        inbox = Inbox(limit=3)
        for number in range(5):
            inbox.put(Received(number))
        batches = inbox.batches()
        got = brief(await anext(batches))
        for number in range(5, 10):
            inbox.put(Received(number))
        inbox.close()
        async for batch in batches:
            got += brief(batch)
        return got

    assert asyncio.run(main()) == [0, 1, 2, "-2", 5, 6, 7, "-2"]


def test_what_still_fits_after_a_part_was_taken_comes_after_the_note() -> None:
    async def main() -> list[object]:
        inbox = Inbox(limit=BATCH + 5)
        for number in range(BATCH + 8):
            inbox.put(Received(number))
        batches = inbox.batches()
        got = brief(await anext(batches))
        inbox.put(Received("later"))
        inbox.close()
        async for batch in batches:
            got += brief(batch)
        return got

    assert asyncio.run(main()) == [*range(BATCH + 5), "-3", "later"]


def test_a_note_makes_no_batch_too_large() -> None:
    inbox = Inbox(limit=BATCH)
    for number in range(BATCH + 1):
        inbox.put(Received(number))
    inbox.close()
    assert brief(taken(inbox)) == [*range(BATCH), "-1"]


def test_the_end_of_the_room_fits_into_a_full_inbox() -> None:
    inbox, over = Inbox(limit=2), RoomOver("expired")
    for number in range(4):
        inbox.put(Received(number))
    inbox.put(over)
    inbox.close()
    assert brief(taken(inbox)) == [0, 1, "-2", over]


def test_other_arrivals_are_bounded_too() -> None:
    inbox, someone = Inbox(limit=1), ParticipantChanged(Participant("a"), "joined")
    inbox.put(someone)
    inbox.put(someone)
    inbox.close()
    assert brief(taken(inbox)) == [someone, "-1"]


@few
@given(
    limit=st.integers(1, 20),
    steps=st.lists(st.one_of(st.integers(1, 30), st.just("take")), max_size=20),
)
def test_every_message_comes_or_is_counted_where_it_is_missing(limit: int, steps: list[int | str]) -> None:
    async def main() -> tuple[list[object], int]:
        inbox, got, put = Inbox(limit), list[object](), 0
        batches = inbox.batches()
        inbox.put(Received(0))
        put = 1
        for step in steps:
            if isinstance(step, int):
                for _ in range(step):
                    inbox.put(Received(put))
                    put += 1
            elif put > len(got) and inbox._items:
                got += brief(await anext(batches))
        inbox.close()
        async for batch in batches:
            got += brief(batch)
        return got, put

    got, put = asyncio.run(main())
    place = 0
    for one in got:
        if isinstance(one, str):
            place += int(one[1:])
        else:
            assert one == place
            place += 1
    assert place == put


# -- closing ----------------------------------------------------------------------------------------------


def test_closing_ends_a_waiter() -> None:
    async def main() -> None:
        inbox = Inbox()
        task = asyncio.ensure_future(anext(inbox.batches(), None))
        await asyncio.sleep(0)
        assert not task.done()
        threading.Thread(target=inbox.close).start()
        async with asyncio.timeout(20):
            assert await task is None

    asyncio.run(main())


def test_closing_twice_is_closing() -> None:
    inbox = Inbox()
    inbox.put(Received(1))
    inbox.close()
    inbox.close()
    assert brief(taken(inbox)) == [1]


def test_putting_after_the_loop_is_closed_does_nothing() -> None:
    inbox = Inbox()
    asyncio.run(_open(inbox))
    inbox.put(Received(1))
    inbox.put(Received(2))
    inbox.close()


async def _open(inbox: Inbox) -> None:
    inbox.open()
