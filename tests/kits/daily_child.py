"""A child process that joins a Daily room and ends as the program does, to test signals and the end of
processes.

``python -m tests.kits.daily_child URL [--proxy URL] [--timeout SECONDS] [--plain]`` prints one JSON line for
each message that comes, ``{"pending": true}`` when the native join has begun, and one for a join that
failed; once joined it stays until the room is over.
``--plain``: end without ``os._exit`` even if a native call is unfinished.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from typing import Any

from tavus_cli.errors import ConsoleError
from tavus_cli.rooms.daily.room import DailyRoom, unfinished
from tavus_cli.rooms.room import Received
from tavus_cli.session.loop import run


def say(**what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


async def main(room: DailyRoom) -> int:
    async def take() -> None:
        async for batch in room.arrivals():
            for one in batch:
                if isinstance(one, Received):
                    say(message=one.message)

    begun = time.monotonic()
    taking = asyncio.create_task(take())
    status = 0
    joining = asyncio.create_task(room.join())
    try:
        while not (unfinished or joining.done()):
            await asyncio.sleep(0)
        say(pending=True)
        await joining
        await taking
    except ConsoleError as error:
        status = int(error.status)
        say(reason=error.reason, text=str(error), seconds=round(time.monotonic() - begun, 2))
    finally:
        joining.cancel()
        await room.leave()
        await taking
    return status


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--proxy")
    parser.add_argument("--timeout", type=float, default=60.0)
    parser.add_argument("--plain", action="store_true")
    options = parser.parse_args()
    room = DailyRoom(options.url, proxy=options.proxy, join_timeout=options.timeout)
    status = run(lambda: main(room))
    sys.stdout.flush()
    sys.stderr.flush()
    if unfinished and not options.plain:
        os._exit(status)
    sys.exit(status)
