"""``session start|list|stop``: the client side."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tavus_cli.errors import ConsoleError, ExitStatus, UsageError, without_keys
from tavus_cli.protocol.wire import from_json, is_conversation_id, to_json
from tavus_cli.resident import sockets as runtime
from tavus_cli.resident.room import ResidentRoom, find
from tavus_cli.resident.sessions import Found, check_supported, sessions
from tavus_cli.resident.sessions import stop as stop_session
from tavus_cli.resident.wire import error_of
from tavus_cli.rooms.sim import is_simulated
from tavus_cli.session import signals
from tavus_cli.session.blocking import bounded
from tavus_cli.session.environment import Environment
from tavus_cli.target import Default, RoomOptions, Target, parse, resolve
from tavus_cli.views.safe import safe, safe_json
from tavus_cli.views.table import UNCUT, table
from tavus_cli.views.theme import PLAIN

if TYPE_CHECKING:
    from tavus_cli.api.client import TavusApi
    from tavus_cli.api.conversations import Found as Joinable
    from tavus_cli.api.ending import Ending
    from tavus_cli.tools.options import ToolOptions

SERVER = "tavus_cli.commands.session_server"
USUAL_ID = "c" + 16 * "0"  # as long as those of Tavus
TRIES = 100  # another process may be starting or ending the same session
STARTING = 30.0  # seconds for its process to start and, after a failed join, to leave
AGAIN = 0.1  # seconds between them
NONE = "no session is running"
COLUMNS = ("id", "target", "PAL", "turn", "minutes", "billed", "clients")
JOINING, SILENT = "joining", "not answering"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Start:
    """``idle`` in seconds, None: never end; ``queue``: how many messages are kept for a client that does not
    read.
    """

    record: str | None
    idle: float | None
    queue: int
    json: bool
    tools: ToolOptions | None = None
    otlp: str | None = None
    otlp_content: bool = False
    redact: bool = False
    new: Ending | None = None  # the conversation created for the session

    def at_the_start(self) -> list[tuple[str, object]]:
        """Options that only a new session can have."""
        return [("--new", self.new), ("--record", self.record), ("--tool", self.tools), ("--otlp", self.otlp)]


def _absolute(where: str) -> str:
    return where if "://" in where else os.path.abspath(where)


def start_new(
    target: Target,
    fields: Json,
    body: str | None,
    how: RoomOptions,
    options: Start,
    environment: Environment,
) -> int:
    """Create a conversation and start a session in it, which holds its note.

    If it cannot be joined, it is ended. Raises UsageError, and the errors of creating and of ``start``.
    """
    from tavus_cli.api.conversations import connection, creation_from
    from tavus_cli.api.ending import join_new
    from tavus_cli.api.notes import warn_left_behind
    from tavus_cli.session.loop import run
    from tavus_cli.session.waiting import within

    if not isinstance(target, Default):
        raise UsageError("--new creates a conversation: leave TARGET out")
    _check(options, environment)  # before anything is billed
    runtime.own_folder()
    runtime.check_length(runtime.path_of(USUAL_ID))
    request = creation_from(fields, body, environment.stdin)
    warn_left_behind(environment)

    async def joining(found: Joinable, ending: Ending) -> int:
        known = how._replace(conversation_id=found.conversation_id)
        stop: list[Callable[[], object]] = []
        how_new = replace(options, new=ending)
        try:
            status = await within(None, lambda: start(parse(found.target), known, how_new, environment, stop))
            ending.new = None  # from now on the session is responsible for it
            return status
        finally:
            for one in stop:
                one()

    connect = connection(environment.environ, how.base_url)
    return run(lambda: join_new(connect, request, joining, environment))


def start(
    target: Target,
    how: RoomOptions,
    options: Start,
    environment: Environment,
    stop: list[Callable[[], object]] | None = None,
) -> int:
    """Returns once the session has joined.

    Raises the error that prevented that. ``stop`` receives a function that ends the process meanwhile, for a
    caller on another thread.
    """
    _check(options, environment)
    if options.tools is not None and options.tools.anyone:
        from tavus_cli.tools.options import ANYONE

        environment.warn(ANYONE)
    joinable, how = resolve(target, how, environment)
    runtime.own_folder()
    name = runtime.session_id(joinable[0], how.conversation_id)
    runtime.check_length(runtime.path_of(name))
    for _ in range(TRIES):
        environment.say(f"starting a session in {safe(name)} …")
        answer = _spawn(name, joinable[0], how, options, [] if stop is None else stop)
        if "error" in answer:
            raise error_of(answer["error"])
        if "hello" in answer:
            return _started(answer["hello"], options, environment)
        room = find(name, timeout=how.join_timeout)
        if room is not None:
            room.close()
            given = next((name for name, one in options.at_the_start() if one is not None), None)
            if given is not None:
                raise UsageError(f"the session {name} is already running: {given} needs a new one")
            environment.warn(f"the session {name} is already running")
            return _started(room.about, options, environment)
        time.sleep(AGAIN)
    raise ConsoleError(
        f"the session {name} was not started: another process is starting or stopping it; try again"
    )


def _check(options: Start, environment: Environment) -> None:
    """Check the options before joining. Raises UsageError."""
    check_supported()
    if options.otlp is not None:
        from tavus_cli.report.otlp import check

        check(options.otlp)
    if options.tools is not None:
        options.tools.table(environment.environ)


def _started(about: Json, options: Start, environment: Environment) -> int:
    if about["recording_failed"] is not None:
        environment.warn(f"recording: {about['recording_failed']}")
    print(
        safe_json(to_json(about)) if options.json else safe(about["id"]), file=environment.stdout, flush=True
    )
    return ExitStatus.DONE


def _config(name: str, word: str, how: RoomOptions, options: Start, note: str | None) -> Json:
    """The configuration that the process reads from standard input.

    ``note``: the note of a billed conversation.
    """
    new = options.new
    return {
        "id": name,
        "target": word,
        "record": options.record,
        "redact": options.redact,
        "idle": options.idle,
        "queue": options.queue,
        "options": how._asdict(),
        "otlp": None if options.otlp is None else _absolute(options.otlp),
        "otlp_content": options.otlp_content,
        "tools": None if options.tools is None else options.tools._asdict(),
        "billed": None if new is None else {"since": new.billed, "most": new.most},
        "note": note,
    }


def _spawn(name: str, word: str, how: RoomOptions, options: Start, stop: list[Callable[[], object]]) -> Json:
    """Start the process and return its answer.

    Its arguments do not contain the TARGET, which may hold a token.
    """
    new = options.new
    note = new.new.shared if new is not None and new.new is not None else None
    config = _config(name, word, how, options, None if note is None else note[0])
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
            env=without_keys(os.environ),  # it needs no key, and neither do the tools it runs
            pass_fds=[] if note is None else [note[1]],  # it holds the note from now on
        )
    except OSError as error:
        raise ConsoleError(f"the session's process cannot be started: {error.strerror or error}") from None
    assert process.stdin is not None
    assert process.stdout is not None
    stop.append(process.terminate)
    with process.stdin, process.stdout:
        try:
            process.stdin.write(json.dumps(config) + "\n")
            process.stdin.flush()
            line = bounded(how.join_timeout + STARTING, process.stdout.readline)
        except TimeoutError:
            process.kill()
            raise ConsoleError("the session's process started but did not answer: try again") from None
        except BaseException:  # before its output is closed, which a thread is still reading
            process.terminate()
            raise
    if not line:
        raise ConsoleError(f"the session's process ended at once, with status {process.wait()}")
    answer: Json = from_json(line)
    if "hello" not in answer:
        process.wait()
    else:
        stop.clear()
        process.returncode = 0  # it is independent from now on: nothing waits for it
    return answer


def list_sessions(environment: Environment, *, as_json: bool) -> int:
    found = sessions()
    found.close()
    abouts: list[Json] = [room.about | {"state": "joined"} for room in found.rooms]
    abouts += [{"id": name, "state": JOINING} for name in found.joining]
    abouts += [{"id": name, "state": SILENT} for name in found.silent]
    if as_json:
        for about in abouts:
            print(safe_json(to_json(about)), file=environment.stdout)
    elif abouts:
        rows = [("", _row(about)) for about in abouts]
        for line in table(COLUMNS, rows, PLAIN, UNCUT, widest=UNCUT):
            print(line, file=environment.stdout)
    else:
        environment.say(NONE)
    environment.stdout.flush()
    for about in abouts:
        if about.get("recording_failed"):
            environment.warn(f"{about['id']}: recording: {about['recording_failed']}")
        if about["state"] == SILENT:
            environment.warn(f"{about['id']} is not answering: tavus-console session stop {about['id']}")
    return ExitStatus.DONE


def _row(about: Json) -> tuple[str, ...]:
    if about["state"] != "joined":
        return (about["id"], about["state"], *"–––––")
    present = "present" if about["pal_present"] else "–"
    turn = "–" if about["turn"] is None else str(about["turn"])
    minutes, clients = str(about["minutes"]), str(about["clients"])
    return (about["id"], about["target"], present, turn, minutes, _billed(about.get("billed")), clients)


def _billed(billed: Json | None) -> str:
    """The billed minutes; unknown if the session did not create its conversation."""
    if billed is None:
        return "–"
    return f"{billed['minutes']}" + (f" of {billed['most'] / 60:g}" if billed["most"] else "")


def stop(name: str | None, base_url: str | None, environment: Environment, *, all: bool, end: bool) -> int:
    """Stop sessions, and with ``end`` end their conversations.

    Returns the exit status of the last failure. Raises UsageError if it is not clear which session is meant,
    and NotAuthorised before anything is stopped.
    """
    status = ExitStatus.DONE
    found = sessions()
    found.close()
    rooms = {str(room.about["id"]): room for room in found.rooms}
    chosen = _chosen(found, name, all=all)
    with ExitStack() as stack:
        api: TavusApi | None = None
        if end and any(not (one in rooms and is_simulated(rooms[one].target)) for one in chosen):
            from tavus_cli.api.conversations import connect

            api = stack.enter_context(connect(environment.environ, base_url))
        left = [name for one in chosen if end and (name := _to_end(one, rooms.get(one)))]
        stack.enter_context(_named(left, environment))
        for one in chosen:
            for note in stop_session(one):
                environment.warn(f"{safe(one)}: {safe(note)}")
                status = ExitStatus.FAILED
            environment.say(f"stopped {safe(one)}")
            if end:
                status = _end(one, rooms.get(one), api, environment) or status
                left[:] = left[1:] if _to_end(one, rooms.get(one)) else left
    return status


@contextmanager
def _named(left: list[str], environment: Environment) -> Iterator[None]:
    """If interrupted, name the conversations that are still to be ended."""

    def warn(why: str) -> None:
        from tavus_cli.api.ending import warn_not_ended

        for name in left:
            warn_not_ended(name, why, environment)

    with signals.named_at_hard_exit(lambda: warn("stopped by a second signal")):
        try:
            yield
        except BaseException as error:
            warn(str(error) if isinstance(error, ConsoleError) else "stopped before it was ended")
            raise


def _to_end(session: str, room: ResidentRoom | None) -> str | None:
    """The conversation of a session; None for a simulation, or if the session did not report it."""
    name = session if room is None else room.conversation_id
    return name if is_conversation_id(name) and (room is None or not is_simulated(room.target)) else None


def _chosen(found: Found, name: str | None, *, all: bool) -> list[str]:
    names = {str(room.about["id"]): room.conversation_id for room in found.rooms}
    names |= {one: one for one in (*found.joining, *found.silent)}
    if name is not None:
        chosen = [one for one, conversation in names.items() if name in (one, conversation)]
        wrong = f"no session {name} is running"
    else:
        chosen = list(names) if all or len(names) == 1 else []
        listed = ", ".join(sorted(map(safe, names)))
        wrong = f"{len(names)} sessions are running: give one of {listed}, or --all" if names else NONE
    if not chosen and not all:
        raise UsageError(wrong)
    return chosen


def _end(
    session: str, room: ResidentRoom | None, api: TavusApi | None, environment: Environment
) -> ExitStatus:
    from tavus_cli.api import conversations
    from tavus_cli.api.ending import warn_not_ended

    if room is not None and is_simulated(room.target):
        environment.warn(f"{safe(session)} is simulated: there is no conversation to end")
        return ExitStatus.DONE
    name = _to_end(session, room)
    if name is None:  # the session did not report its conversation
        environment.warn(f"{safe(session)} did not report its conversation, so nothing was ended")
        return ExitStatus.FAILED
    assert api is not None
    try:
        conversations.end(api, name)
    except ConsoleError as error:
        warn_not_ended(name, str(error), environment)
        return error.status
    return ExitStatus.DONE
