"""``python -m tavus_cli.commands.session_server``: the process that ``session start`` leaves behind.

It reads what to do from standard input as JSON, and writes one line back (``resident/server``).
"""

from __future__ import annotations

import os
import sys

from tavus_cli.protocol.wire import from_json
from tavus_cli.resident.server import reside
from tavus_cli.rooms.room import Room
from tavus_cli.session import signals
from tavus_cli.session.session import run
from tavus_cli.target import RoomOptions, RoomUrl, Sim, parse, room_of


def main() -> None:
    signals.take()
    config = from_json(sys.stdin.readline())

    def opened() -> Room:
        target = parse(config["target"])
        assert isinstance(target, Sim | RoomUrl)  # session start has resolved it
        return room_of(target, RoomOptions(**config["options"]))

    status = run(lambda: reside(config, opened, sys.stdout))
    daily = sys.modules.get("tavus_cli.rooms.daily.room")
    if daily is not None and daily.must_exit_hard():
        os._exit(status)
    sys.exit(status)


if __name__ == "__main__":
    main()
