"""TARGET: from the word that was typed to a value (``parse``), and from that to a room (``open_target``).

Every command that acts on a conversation opens it here and nowhere else.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from tavus_cli.errors import CannotJoin, UsageError, keep_token, redacted
from tavus_cli.files import read_stdin
from tavus_cli.protocol.wire import is_conversation_id
from tavus_cli.resident import sockets
from tavus_cli.rooms.room import Room
from tavus_cli.rooms.sim import is_simulated
from tavus_cli.session.environment import Environment, is_tty
from tavus_cli.settings.table import default

if TYPE_CHECKING:
    from tavus_cli.api.conversations import Found

VARIABLE = "TAVUS_CONVERSATION"
LONGEST_WORD = 200  # characters of an invalid TARGET that are quoted
ASK_SECONDS = 10.0  # seconds for the API to report whether a conversation has ended
_FORMS = "a room's URL (https://NAME.daily.co/ROOM), a conversation id, or sim"


class Sim(NamedTuple):
    """The simulated PAL; ``spec`` as typed: "sim", "sim:FILE.toml", "sim:?seed=7"."""

    spec: str


class RoomUrl(NamedTuple):
    """A Daily room; not checked yet. The URL may hold a token: print it through ``shown``."""

    url: str


class ConversationId(NamedTuple):
    id: str


class SessionName(NamedTuple):
    """A resident session, by the name that ``session list`` shows."""

    name: str


class Recording(NamedTuple):
    path: str


class Piped(NamedTuple):
    """ "-": the output of another command about a conversation, on standard input."""


class Default(NamedTuple):
    """No TARGET: $TAVUS_CONVERSATION, else the only resident session."""


Target = Sim | RoomUrl | ConversationId | SessionName | Recording | Piped | Default


class RoomOptions(NamedTuple):
    """How to join. ``join_timeout`` in seconds; ``daily_proxy`` is a URL that leads to Daily; ``base_url``
    is the root of Tavus' API, None for the environment's.

    ``conversation_id`` where it is not the room's name, as on somebody's own Daily domain. ``reconnect``: for
    how many seconds to try to join again after being cut off; None: not at all.
    """

    name: str = default("name")
    join_timeout: float = default("join_timeout")
    daily_proxy: str | None = None
    conversation_id: str | None = None
    base_url: str | None = None
    reconnect: float | None = None


class Opened(NamedTuple):
    """A room, not joined yet. ``conversation_id``: of the conversation at Tavus, which can be ended by it;
    None for a simulation, for a recording, and where a room's URL does not say it.
    """

    room: Room
    conversation_id: str | None = None


Joinable = tuple[Sim | RoomUrl, RoomOptions]


# -- the word ------------------------------------------------------------------------------------------


def parse(word: str | None, is_file: Callable[[str], bool] = os.path.isfile) -> Target:
    """The TARGET of a word. Raises UsageError, which says what to give and contains no token."""
    if not word:
        return Default()
    if word == "-":
        return Piped()
    if is_simulated(word):
        return Sim(word)
    if "://" in word:
        keep_token(word)
        return RoomUrl(word)
    if is_conversation_id(word):
        return ConversationId(word)
    if is_file(word):
        return Recording(word)
    if sockets.is_session_id(word):
        return SessionName(word)
    raise _invalid(word)


def shown(target: Target) -> str:
    """A TARGET to print: without a token."""
    match target:
        case RoomUrl(url):
            return redacted(url.partition("?")[0])
        case Piped():
            return "-"
        case Default():
            return f"${VARIABLE}"
    return target[0]


def _invalid(word: str) -> UsageError:
    """The error for an invalid word, quoted only up to a question mark: it may be a URL with a token."""
    start, query, rest = word.partition("?")
    if start.lower() == "sim":
        return UsageError(
            f'"{word}" is not a valid TARGET; did you mean {f"sim:?{rest}" if query else "sim"}?'
        )
    about = f": give {_FORMS}"
    if ".daily.co/" in start and "//" not in start:
        about = f"; did you mean https://{start}{query and '?…'}?"
    if len(start) > LONGEST_WORD:
        start = f"{start[:LONGEST_WORD]}…"
    return UsageError(f'"{start}{query and "?…"}" is not a valid TARGET{about}')


# -- opening -------------------------------------------------------------------------------------------


async def open_target(
    target: Target, options: RoomOptions, environment: Environment, *, recorded: bool = False
) -> Opened:
    """The room of a TARGET: the resident session for it, if there is one, or a room to join.

    It asks the API about an id, and reads standard input for "-", without blocking the event loop.
    ``recorded``: whether a recording is accepted. Raises UsageError, NotFound, ConversationOver, CannotJoin.
    """
    from tavus_cli.session.waiting import within

    if isinstance(target, Default):
        target = parse(environment.environ.get(VARIABLE))
    if isinstance(target, Default):
        return await within(None, _only_session)
    if isinstance(target, Piped):
        target, options = await within(None, functools.partial(_from_pipe, options, environment))
    if isinstance(target, Recording) and recorded:
        from tavus_cli.rooms.recorded import RecordedRoom

        return Opened(RecordedRoom(target.path))
    if not isinstance(target, Sim | RoomUrl) or sockets.sockets():
        found = await within(None, functools.partial(_look_up, target, options, environment))
        if not isinstance(found, tuple):
            return _opened(found, target)
        joinable, options = found
    else:
        joinable = target
    return _opened(room_of(joinable, options, environment.environ), target)


def run_in(
    target: Target,
    options: RoomOptions,
    environment: Environment,
    command: Callable[[Room], Coroutine[Any, Any, int]],
) -> int:
    """Open the TARGET and run ``command`` in its room; returns the exit status. Raises the errors of both."""
    from tavus_cli.session.loop import run

    async def opened() -> int:
        return await command((await open_target(target, options, environment)).room)

    return run(opened)


def _look_up(target: Target, options: RoomOptions, environment: Environment) -> Room | Joinable:
    """The resident session for a TARGET, or a target that can be joined instead. Blocks."""
    if (session := _session(target, options)) is not None:
        return session
    joinable = resolve(target, options, environment)
    if isinstance(target, ConversationId) and (session := _session(*joinable)) is not None:
        return session
    return joinable


def resolve(target: Target, options: RoomOptions, environment: Environment) -> Joinable:
    """A target that can be joined, also from an id, "-" or the default. Blocks; raises as ``open_target``."""
    if isinstance(target, Default):
        target = parse(environment.environ.get(VARIABLE))
    if isinstance(target, Piped):
        target, options = _from_pipe(options, environment)
    match target:
        case ConversationId(name):
            from tavus_cli.api.conversations import find

            found = find(name, environment.environ, options.base_url, environment.warn)
            target, options = parse(found.target), _known_as(found.conversation_id, options)
        case Recording(path):
            raise UsageError(f"{path} is a file: to show a recording, use tavus-console replay {path}")
        case SessionName(name):
            raise _invalid(name)
        case Default():
            raise nothing_given()
    assert isinstance(target, Sim | RoomUrl)
    return target, options


def room_of(target: Sim | RoomUrl, options: RoomOptions, environ: Mapping[str, str] = os.environ) -> Room:
    """The room itself, not a resident session for it. Raises UsageError.

    ``environ`` may hold the API key, with which a conversation that has ended is not joined again.
    """
    if isinstance(target, Sim):
        if options.conversation_id is not None:
            raise UsageError("--conversation-id goes with a room's URL: the simulation has an id of its own")
        from tavus_cli.rooms.sim.room import open_simulated

        return open_simulated(target.spec)
    from tavus_cli.rooms.daily.room import DailyRoom

    def open_room() -> DailyRoom:
        return DailyRoom(
            target.url,
            name=options.name,
            join_timeout=options.join_timeout,
            proxy=options.daily_proxy,
            conversation_id=options.conversation_id,
        )

    if options.reconnect is None:
        return open_room()
    from tavus_cli.rooms.reconnecting import Policy, ReconnectingRoom

    async def has_ended() -> bool:
        from tavus_cli.api.conversations import has_ended
        from tavus_cli.session.waiting import within

        name = room.conversation_id
        if not is_conversation_id(name):
            return False
        try:
            return await within(ASK_SECONDS, lambda: has_ended(name, environ, options.base_url))
        except TimeoutError:
            return False

    room = ReconnectingRoom(open_room, Policy(options.reconnect), has_ended=has_ended)
    return room


def room_of_new(found: Found, options: RoomOptions, environment: Environment) -> Room:
    """The room of a conversation that was created for this command, and that it ends itself."""
    known = _known_as(found.conversation_id, options._replace(conversation_id=None))
    room = room_of(*resolve(parse(found.target), known, environment), environment.environ)
    room.leaving_may_end = False
    return room


def _from_pipe(options: RoomOptions, environment: Environment) -> tuple[Target, RoomOptions]:
    """The target named on standard input, perhaps an id. Blocks. Raises UsageError, ConversationOver."""
    from tavus_cli.api.conversations import from_pipe

    found = from_pipe(_standard_input(environment))
    target = parse(found.target)
    if isinstance(target, Piped | Default):
        raise UsageError("TARGET is - but standard input names no conversation")
    return target, _known_as(found.conversation_id, options)


def _known_as(conversation_id: str | None, options: RoomOptions) -> RoomOptions:
    return options._replace(conversation_id=options.conversation_id or conversation_id)


def _opened(room: Room, target: Target) -> Opened:
    name = target.id if isinstance(target, ConversationId) else room.conversation_id
    return Opened(room, name if is_conversation_id(name) else None)


def _session(target: Target, options: RoomOptions) -> Room | None:
    if isinstance(target, Default | Recording | Piped) or not sockets.sockets():
        return None
    from tavus_cli.resident.room import find

    return find(target[0], options.conversation_id, options.join_timeout)


def _only_session() -> Opened:
    """The only resident session."""
    from tavus_cli.resident.room import NotAnswering
    from tavus_cli.resident.sessions import sessions

    if not sockets.sockets():
        raise nothing_given()
    found = sessions()
    if len(found.rooms) == 1 and not found.silent and not found.joining:
        return _opened(found.rooms[0], Default())
    found.close()
    names = sorted([*(str(room.about["id"]) for room in found.rooms), *found.joining, *found.silent])
    if names == found.silent and len(names) == 1:
        raise NotAnswering(names[0])
    if len(names) > 1:
        raise UsageError(f"no TARGET, and {len(names)} sessions are running: give one of {', '.join(names)}")
    if names:
        raise CannotJoin(f"the session {names[0]} is still joining its room: try again")
    raise nothing_given()


def nothing_given() -> UsageError:
    """The error if no TARGET was given."""
    return UsageError(f"no TARGET: give {_FORMS}, or set {VARIABLE}")


def _standard_input(environment: Environment) -> str:
    """Read all of standard input, and then replace it by the terminal, if there is one, for a prompt."""
    text = read_stdin(environment.stdin)
    with contextlib.suppress(OSError, ValueError):
        if is_tty(environment.stdout):
            terminal = os.open("/dev/tty", os.O_RDWR)
            os.dup2(terminal, environment.stdin.fileno())
            os.close(terminal)
    return text
