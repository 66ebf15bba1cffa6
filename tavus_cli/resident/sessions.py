"""All resident sessions on this machine: finding and stopping them."""

from __future__ import annotations

import contextlib
import signal
import socket
import time
from typing import NamedTuple

from tavus_cli.errors import CannotJoin, ConsoleError, UsageError
from tavus_cli.resident import sockets as runtime
from tavus_cli.resident.room import ASKING, Ended, Greeted, ResidentRoom
from tavus_cli.resident.wire import CHUNK, FROM_SERVER, Lines, encode

STOPPING = 15.0  # seconds for a session that answers to leave its room
KILLING = 2.0  # seconds until the next, harder way of stopping


class Found(NamedTuple):
    """The sessions on this machine: rooms of those that have joined, and names of those that are still
    joining, do not answer, or answer in a way that we do not understand.
    """

    rooms: list[ResidentRoom]
    joining: list[str]
    silent: list[str]

    def close(self) -> None:
        for room in self.rooms:
            room.close()


def sessions() -> Found:
    """Find all sessions, in at most ``ASKING`` seconds; files of dead ones are removed."""
    check_supported()
    found = Found([], [], [])
    asked: list[tuple[str, Greeted]] = []
    for path in runtime.sockets():
        try:
            connection = runtime.connect(path, runtime.CONNECTING)
        except TimeoutError:
            found.silent.append(path.stem)
            continue
        except ConsoleError:  # not ours
            continue
        if connection is None:
            with contextlib.suppress(ConsoleError):
                runtime.tidy(path)
        else:
            asked.append((path.stem, Greeted(connection, path.stem)))
    deadline = time.monotonic() + ASKING
    for name, greeted in asked:
        _sort(name, greeted, deadline, found)
    return found


def _sort(name: str, greeted: Greeted, deadline: float, found: Found) -> None:
    room = None
    try:
        greeted.greet(deadline)
        room = greeted.room(deadline)
        found.rooms.append(room)
    except Ended:
        pass
    except TimeoutError:
        found.silent.append(name)
    except CannotJoin:
        (found.joining if greeted.greeted else found.silent).append(name)
    except ConsoleError:  # it could not join, and is about to end
        pass
    finally:
        if room is None:
            greeted.connection.close()


def stop(name: str) -> list[str]:
    """End a session for all clients: by its socket, then TERM, then KILL. Blocks. Returns its last notes.

    Takes at most ``STOPPING`` seconds if it answers, else ``KILLING`` before each step. Raises ConsoleError
    if the process still exists afterwards.
    """
    notes: list[str] = []
    leaving = False
    with contextlib.suppress(TimeoutError, UsageError):
        connection = runtime.connect(runtime.path_of(name), KILLING)
        if connection is not None:
            with connection:
                leaving = _asked_to_stop(connection, notes)
    # CONT: a stopped process handles no signal except KILL.
    for numbers in ((signal.SIGTERM, signal.SIGCONT), (signal.SIGKILL,)):
        if _has_ended(name, KILLING if leaving else 0.0):
            break
        leaving = True
        runtime.signal_holder(name, *numbers)
    else:
        if not _has_ended(name, KILLING):
            raise ConsoleError(f"the session {name} did not stop, even by KILL")
    runtime.tidy(runtime.path_of(name))
    return notes


def _asked_to_stop(connection: socket.socket, notes: list[str]) -> bool:
    """Whether the session closed the connection: it has left, and is about to end. Adds its notes."""
    lines = Lines(FROM_SERVER)
    until = time.monotonic() + KILLING
    try:
        connection.settimeout(KILLING)
        connection.sendall(encode({"do": "stop"}))
        while (left := until - time.monotonic()) > 0:
            connection.settimeout(left)
            data = connection.recv(CHUNK)
            if not data:
                return True
            for value in lines.feed(data):
                if value.get("stopping"):
                    until = time.monotonic() + STOPPING
                if "note" in value:
                    notes.append(str(value["note"]))
    except TimeoutError:
        return False
    except (OSError, ValueError):  # it was about to end anyway, or is of another version
        return True
    return False


def _has_ended(name: str, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while runtime.is_held(name):
        if time.monotonic() >= until:
            return False
        time.sleep(runtime.AGAIN)
    return True


def check_supported() -> None:
    if not runtime.supported():
        raise UsageError("resident sessions need Unix sockets, which this system does not have")
