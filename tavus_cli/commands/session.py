"""``session start|list|stop``: from this side of the socket."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tavus_cli.errors import ConsoleError, ExitStatus, UsageError
from tavus_cli.protocol.wire import from_json, to_json
from tavus_cli.resident import sockets as runtime
from tavus_cli.resident.room import ResidentRoom, check_supported, find, sessions
from tavus_cli.resident.wire import error_of
from tavus_cli.session.environment import Environment
from tavus_cli.target import RoomOptions
from tavus_cli.views.safe import safe, safe_json
from tavus_cli.views.table import UNCUT, table
from tavus_cli.views.theme import PLAIN

if TYPE_CHECKING:
    from tavus_cli.api.client import TavusApi

SERVER = "tavus_cli.commands.session_server"
STOPPING = 15.0
TRIES = 100  # another start of the same session may fail, or it may be ending, while we look
AGAIN = 0.1  # seconds between them
COLUMNS = ("id", "target", "PAL", "turn", "minutes", "clients")
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Start:
    """``idle`` in seconds; ``queue``: messages that wait for a client that does not read."""

    target: str
    options: RoomOptions
    record: str | None = None
    idle: float | None = None
    queue: int = 100_000
    json: bool = False


def start(what: Start, environment: Environment) -> int:
    """Returns once the session has joined. Raises what kept it from that."""
    check_supported()
    runtime.own_folder()
    name = runtime.session_id(what.target, what.options.conversation_id)
    for _ in range(TRIES):
        environment.say(f"starting a session in {safe(name)} …")
        told = _spawn(name, what)
        if "error" in told:
            raise error_of(told["error"])
        if "hello" in told:
            return _started(told["hello"], what, environment)
        room = find(name, timeout=what.options.join_timeout)
        if room is not None:
            room.close()
            if what.record is not None:
                raise UsageError(f"the session {name} is there already: --record is for a new one")
            environment.warn(f"the session {name} is there already")
            return _started(room.about, what, environment)
        time.sleep(AGAIN)
    raise ConsoleError(f"the session {name} comes and goes: try again")


def _started(about: Json, what: Start, environment: Environment) -> int:
    print(safe_json(to_json(about)) if what.json else safe(about["id"]), file=environment.stdout, flush=True)
    return ExitStatus.DONE


def _spawn(name: str, what: Start) -> Json:
    """What the new process says first: nothing of a TARGET, which may hold a token, is in its arguments."""
    options = what.options
    config = {
        "id": name,
        "target": what.target,
        "record": what.record,
        "idle": what.idle,
        "queue": what.queue,
        "options": {
            "name": options.name,
            "join_timeout": options.join_timeout,
            "daily_proxy": options.daily_proxy,
            "conversation_id": options.conversation_id,
        },
    }
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        with process.stdin, process.stdout:
            process.stdin.write(json.dumps(config) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
    except BaseException:
        process.terminate()
        raise
    if not line:
        raise ConsoleError(f"the session's process ended at once, with status {process.wait()}")
    told: Json = from_json(line)
    if "hello" not in told:
        process.wait()
    else:
        process.returncode = 0  # it is on its own from here on: nobody waits for it
    return told


def list_sessions(environment: Environment, *, as_json: bool) -> int:
    rooms = sessions()
    for room in rooms:
        room.close()
    if as_json:
        for room in rooms:
            print(safe_json(to_json(room.about)), file=environment.stdout)
        environment.stdout.flush()
        return ExitStatus.DONE
    if not rooms:
        environment.say("no sessions")
        return ExitStatus.DONE
    rows = [("", _row(room.about)) for room in rooms]
    for line in table(COLUMNS, rows, PLAIN, UNCUT, widest=UNCUT):
        print(line, file=environment.stdout)
    environment.stdout.flush()
    return ExitStatus.DONE


def _row(about: Json) -> tuple[str, ...]:
    present = "present" if about["pal_present"] else "–"
    turn = "–" if about["turn"] is None else str(about["turn"])
    minutes, clients = str(about["minutes"]), str(about["clients"])
    return (about["id"], about["target"], present, turn, minutes, clients)


def stop(
    name: str | None, environment: Environment, *, all: bool, connect: Callable[[], TavusApi] | None
) -> int:
    """``connect`` where the conversations are to end too, for good. The exit status of the last that did not.

    Raises UsageError where it is not clear which session, NotAuthorised before anything is stopped.
    """
    status = ExitStatus.DONE
    with ExitStack() as stack:
        rooms = [stack.enter_context(contextlib.closing(room)) for room in sessions()]
        chosen = _chosen(rooms, name, all=all)
        costs = connect is not None and any(not room.target.startswith("sim") for room in chosen)
        api = stack.enter_context(connect()) if connect is not None and costs else None
        for room in chosen:
            if not room.stop(STOPPING):
                raise ConsoleError(f"the session {room.about['id']} did not stop within {STOPPING:g} s")
            environment.say(f"stopped {safe(room.about['id'])}")
            if connect is not None and room.target.startswith("sim"):
                environment.warn(f"{safe(room.about['id'])} is simulated: no conversation was ended")
            elif api is not None:
                status = _end(api, room.conversation_id, environment) or status
    return status


def _chosen(rooms: list[ResidentRoom], name: str | None, *, all: bool) -> list[ResidentRoom]:
    if name is not None:
        chosen = [room for room in rooms if name in (room.about["id"], room.conversation_id)]
        wrong = f"there is no session {name}"
    else:
        chosen = rooms if all or len(rooms) == 1 else []
        wrong = "there is no session" if not rooms else "there are several: give an ID, or --all"
    if not chosen and not all:
        raise UsageError(wrong)
    return chosen


def _end(api: TavusApi, name: str, environment: Environment) -> ExitStatus:
    from tavus_cli.api import conversations
    from tavus_cli.api.ending import tell_not_ended

    try:
        conversations.end(api, name)
    except ConsoleError as error:
        tell_not_ended(name, str(error), environment)
        return error.status
    return ExitStatus.DONE
