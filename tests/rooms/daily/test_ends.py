"""How slow joins end, and how the process ends in each case: the real client, in child processes. A child is
``tests/kits/daily_child.py``: the adapter, the program's own signal handling, and its end. A child that hangs
is killed and fails the test; nothing may reach its standard error, although RUST_LOG asks for everything.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tests.kits.daily_room import LocalRoom, Socket, app_message, room_url, silent_port

pytestmark = pytest.mark.slow

TIMES = 20  # how often each end is repeated
SIDE_BY_SIDE = 10
CLOSED = "https://127.0.0.1:1/"
NOWHERE = "https://nothing.invalid/"


@dataclass
class Ended:
    status: int | None  # None: it hung, and was killed
    said: list[dict[str, Any]]
    errors: str


async def child(
    room: LocalRoom, *options: str, proxy: str | None = None, stop: int | None = None, within: float
) -> Ended:
    """Run a child to its end; ``stop``: the signal it gets once its join has begun and, if the room has a
    message for it, that has arrived.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.kits.daily_child", room_url(), "--proxy", proxy or room.proxy, *options,
        env={**os.environ, **room.environment, "RUST_LOG": "trace"}, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        first = b""
        if stop is not None:
            async with asyncio.timeout(60):  # two cores, many children
                for _ in range(1 + len(room.early)):
                    first += await process.stdout.readline()
            process.send_signal(stop)
        async with asyncio.timeout(within):
            out, errors = await process.communicate()
            status = process.returncode
    except TimeoutError:
        process.kill()
        out, errors = await process.communicate()
        first, status = b"", None
    said = [json.loads(line) for line in (first + out).splitlines()]
    assert {"pending": True} in said or status is None
    return Ended(status, [one for one in said if "pending" not in one], errors.decode())


def test_joins_that_fail_slowly() -> None:
    """Every slow row of the table in docs/daily.md, in parallel: takes as long as the longest, 49 s."""

    async def main() -> None:
        async with (
            LocalRoom(socket="silent") as good,
            LocalRoom(trusted=False) as untrusted,
            LocalRoom(socket="refuse") as refusing,
            LocalRoom(socket="close") as closing,
            LocalRoom(socket="drop") as dropping,
            silent_port() as silent,
        ):
            cases: list[tuple[str, LocalRoom, str | None]] = [
                ("refused the connection", good, CLOSED),
                ("DNS", good, NOWHERE),
                ("SSL_CERT_FILE", untrusted, None),
                ("did not answer", good, silent),
                ("WebSockets", refusing, None),
                ("WebSockets", closing, None),
                ("WebSockets", dropping, None),
            ]
            ends = await asyncio.gather(*(child(room, proxy=proxy, within=100.0) for _, room, proxy in cases))
        for (words, *_), end in zip(cases, ends, strict=True):
            assert end.status == 5, (words, end)
            assert end.errors == ""
            assert [one["reason"] for one in end.said] == ["join_failed"]
            assert words in end.said[0]["text"]

    asyncio.run(main())


async def many(
    room: LocalRoom, *options: str, proxy: str | None = None, stops: Sequence[int | None] = (None,)
) -> list[Ended]:
    """The same end TIMES times, SIDE_BY_SIDE in parallel; ``stops``: the signals, in turn."""
    gate = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(number: int) -> Ended:
        async with gate:
            stop = stops[number % len(stops)]
            return await child(room, *options, proxy=proxy, stop=stop, within=20.0)

    return list(await asyncio.gather(*(one(number) for number in range(TIMES))))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda one: one.name)
def test_a_signal_ends_an_endless_join(number: signal.Signals) -> None:
    async def main() -> list[Ended]:
        async with LocalRoom(socket="silent", early=[app_message("hello")]) as room:
            return await many(room, stops=[number])

    for end in asyncio.run(main()):
        assert (end.status, end.errors) == (128 + number, "")
        assert end.said == [{"message": "hello"}]


@pytest.mark.parametrize("situation", ["silent", "closed", "nowhere", "refused", "dropped"])
def test_a_signal_ends_a_slow_join(situation: str) -> None:
    signals = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]

    async def main() -> list[Ended]:
        sockets: dict[str, Socket] = {"refused": "refuse", "dropped": "drop"}
        async with LocalRoom(socket=sockets.get(situation, "silent")) as room, silent_port() as silent:
            proxy = {"silent": silent, "closed": CLOSED, "nowhere": NOWHERE}.get(situation)
            return await many(room, proxy=proxy, stops=signals)

    ends = asyncio.run(main())
    assert [end.status for end in ends] == [128 + signals[number % 3] for number in range(TIMES)]
    assert {end.errors for end in ends} == {""}


def test_our_own_limit_ends_an_endless_join() -> None:
    async def main() -> list[Ended]:
        async with LocalRoom(socket="silent") as room:
            return await many(room, "--timeout", "1")

    for end in asyncio.run(main()):
        assert (end.status, end.errors) == (5, "")
        assert [one["reason"] for one in end.said] == ["join_failed"]


def test_our_own_limit_ends_a_lookup_that_hangs() -> None:
    """Half of the times nothing listens there at all."""

    async def main() -> list[Ended]:
        async with LocalRoom(socket="silent") as room, silent_port() as silent:
            ends = await many(room, "--timeout", "1", proxy=silent)
            return ends + await many(room, "--timeout", "1", proxy=CLOSED)

    for end in asyncio.run(main()):
        assert (end.status, end.errors) == (5, "")


def test_a_failed_join_ends_plainly() -> None:
    async def main() -> list[Ended]:
        async with LocalRoom(lookup={"error": "exp-room"}) as room:
            return await many(room)

    for end in asyncio.run(main()):
        assert (end.status, end.errors) == (6, "")
        assert [one["reason"] for one in end.said] == ["conversation_over"]


def test_with_the_extra_reference_even_a_plain_exit_ends() -> None:
    """The program ends by ``os._exit``; this protects callers that forget it."""

    async def main() -> list[Ended]:
        async with LocalRoom(socket="silent") as room:
            return await many(room, "--timeout", "1", "--plain")

    for end in asyncio.run(main()):
        assert (end.status, end.errors) == (5, "")


def test_two_signals_end_at_once() -> None:
    async def main() -> Ended:
        async with LocalRoom(socket="silent", early=[app_message("hello")]) as room:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.kits.daily_child", room_url(), "--proxy", room.proxy,
                env={**os.environ, **room.environment}, stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            assert process.stdout is not None
            await asyncio.wait_for(process.stdout.readline(), 60)
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(ProcessLookupError):  # ended by the first
                process.send_signal(signal.SIGINT)
            _, errors = await asyncio.wait_for(process.communicate(), 20)
            return Ended(process.returncode, [], errors.decode())

    end = asyncio.run(main())
    assert (end.status, end.errors) == (130, "")
