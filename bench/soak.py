"""Long use of the real client in the local room: threads, descriptors and memory must stay flat.

100 joins and leaves in one process; then an hour's worth of 200 messages a second, as fast as possible, with
the connection cut now and then. The client is a process of its own, the room a thread of this one.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.live import _message
from bench.measure import PYTHON, aim

JOINS = 100
MESSAGES = 200 * 3600
PART = 20_000  # messages between two breaks of the line
PAGE = os.sysconf("SC_PAGE_SIZE")
SETTLING = 1.0  # seconds


def main() -> None:
    print("soak: the real client in the local room  (aim in brackets)")
    _report(f"{JOINS} joins and leaves", _in_room("joins", JOINS))
    figures = _in_room("hour", MESSAGES)
    _report(f"{MESSAGES:,} messages, {figures['breaks']} breaks, in {figures['seconds']:.0f} s", figures)
    aim("  lost while the line was up", f"{figures['lost']:,}", "0", figures["lost"] == 0)


def _report(what: str, figures: dict[str, Any]) -> None:
    """Compares the second half with the first, as the start may use more."""
    print(f"{what}:")
    half, end = figures["half"], figures["end"]
    for name, most in (("threads", 0), ("descriptors", 0), ("MiB", 8.0)):
        more = end[name] - half[name]
        aim(
            f"  {name}, half-way and at the end",
            f"{half[name]:g}, {end[name]:g}",
            f"+ {most:g} at most",
            more <= most,
        )


def _in_room(part: str, count: int) -> dict[str, Any]:
    from tests.kits.daily_room import PAL, LocalRoom, in_thread

    with in_thread(LocalRoom(here={PAL: "Nora"})) as room:
        code = f"from bench.soak import child; child({part!r}, {room.proxy!r}, {count})"
        process = subprocess.Popen(
            [PYTHON, "-c", code],
            env={**os.environ, **room.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        breaks, begun = 0, time.monotonic()
        if part == "hour":
            for first in range(0, count, PART):
                assert process.stdout.readline() == "ready\n"
                print(f"  {first:,} of {count:,} in {time.monotonic() - begun:.0f} s", file=sys.stderr)
                if first:
                    room.soon(_break(room)).result()
                    breaks += 1
                room.soon(_say(room, first, min(PART, count - first))).result()
        out, _ = process.communicate(timeout=600)
    return {**json.loads(out), "breaks": breaks}


async def _break(room: Any) -> None:
    """Cut the line, and return when the client has another one."""
    room.frames.clear()
    room.drop()
    await room.joining()


async def _say(room: Any, first: int, count: int) -> None:
    for number in range(first, first + count):
        await room.say(_message(number))


# -- the client's side -----------------------------------------------------------------------------------


def child(part: str, proxy: str, count: int) -> None:
    from tavus_cli.session.loop import run

    run(lambda: _joins(proxy, count) if part == "joins" else _hour(proxy, count))


def _figures() -> dict[str, float]:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "threads": len(os.listdir("/proc/self/task")),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "MiB": round(pages * PAGE / 2**20, 1),
    }


async def _settled() -> dict[str, float]:
    """Once the threads of a released client have ended, which takes them up to 0.2 s."""
    await asyncio.sleep(SETTLING)
    return _figures()


async def _joins(proxy: str, count: int) -> int:
    from tavus_cli.rooms.daily.room import DailyRoom
    from tavus_cli.session.session import Session
    from tests.kits.daily_room import room_url

    half: dict[str, float] = {}
    for number in range(count):
        async with Session(DailyRoom(room_url("soak"), proxy=proxy)):
            pass
        if number == count // 2:
            half = await _settled()
    return _end(half=half, end=await _settled())


async def _hour(proxy: str, count: int) -> int:
    from tavus_cli.rooms.daily.room import DailyRoom
    from tavus_cli.session.session import Session
    from tests.kits.daily_room import room_url

    session, watch = Session(DailyRoom(room_url("soak"), proxy=proxy)), _Watch()
    session.sinks.append(watch)
    loop = asyncio.get_running_loop()
    half: dict[str, float] = {}
    async with session:
        begun = loop.time()
        for first in range(0, count, PART):
            before = watch.count  # messages lost in one part are not awaited in the next
            print("ready", flush=True)
            await watch.has(before + min(PART, count - first))
            if not half and first >= count // 2:
                half = _figures()
        return _end(half=half, end=_figures(), seconds=loop.time() - begun, lost=count - watch.count)


def _end(**figures: Any) -> int:
    print(json.dumps(figures), flush=True)
    return 0


class _Watch:
    """A sink that counts events."""

    def __init__(self) -> None:
        self.count = 0
        self._more = asyncio.Event()

    def entries(self, entries: list[Any]) -> None:
        self.count += sum(type(entry).__name__ == "EventEntry" for entry in entries)
        self._more.set()

    async def drain(self) -> None:
        pass

    async def has(self, count: int) -> None:
        """Wait for this many events, or until none arrives for 10 s."""
        while self.count < count:
            self._more.clear()
            try:
                await asyncio.wait_for(self._more.wait(), 10.0)
            except TimeoutError:
                return
