"""The process of a resident session: it claims the session's name, opens the room and serves."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from tavus_cli.errors import ConsoleError, ExitStatus, UsageError
from tavus_cli.resident import sockets as runtime
from tavus_cli.resident.server import Attach, Server, ServerOptions, report
from tavus_cli.resident.wire import Json, error_json
from tavus_cli.rooms.room import Room
from tavus_cli.session.recorder import Redacts, record_to


def claim(name: str) -> tuple[socket.socket, int] | None:
    """A listening socket with this name and its lock; None if another process has them.

    The lock ends with the process, however that ends; files of a dead process are removed.
    """
    runtime.check_length(runtime.path_of(name))
    lock = runtime.lock(name)
    if lock is None:
        return None
    path = runtime.path_of(name)
    if runtime.check_owner(path):
        path.unlink()
    listening = socket.socket(socket.AF_UNIX)
    try:
        before = os.umask(0o177)
        try:
            listening.bind(os.fspath(path))
        finally:
            os.umask(before)
        listening.listen(128)
    except OSError as error:
        listening.close()
        os.close(lock)
        raise ConsoleError(f"{path}: {error.strerror or error}") from None
    return listening, lock


async def reside(
    config: Json,
    open_room: Callable[[], Room],
    starter: TextIO,
    attach: Attach | None = None,
    redactor: Redacts | None = None,
) -> int:
    """Serve, and return the exit status. A ConsoleError of ``open_room`` is reported too."""
    options = ServerOptions(
        config["id"],
        config["idle"],
        config["queue"],
        tools=bool(config.get("tools")),
        billed=config.get("billed"),
    )
    path: Path | None = None
    claimed: tuple[socket.socket, int] | None = None
    try:
        claimed = claim(options.id)
        if claimed is None:
            report(starter, {"taken": options.id})
            return ExitStatus.DONE
        path = runtime.path_of(options.id)
        room = open_room()
        if not room.live:
            raise UsageError("a resident session runs in real time: sim:?speed=max cannot be shared")
        recorder = record_to(config["record"], room, redactor)
        return await Server(room, options, recorder, attach).serve(claimed[0], starter)
    except ConsoleError as error:
        report(starter, {"error": error_json(error)})
        return error.status
    finally:
        if claimed is not None and path is not None:
            path.unlink(missing_ok=True)
            claimed[0].close()  # if it did not get as far as serving
