"""Opens the conversation to join, an existing one or a new one, and ends it."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, NamedTuple

from tavus_cli.errors import UsageError
from tavus_cli.session.environment import Environment
from tavus_cli.session.loop import run
from tavus_cli.target import Default, RoomOptions, Target, open_target, room_of_new

from .commander import JoinOptions
from .join import join

if TYPE_CHECKING:
    from tavus_cli.api.conversations import Found
    from tavus_cli.api.ending import Ending

Json = dict[str, Any]


class New(NamedTuple):
    """A conversation to create: ``fields`` by the names of the API; ``body`` is a file with JSON, or "-"."""

    fields: Json
    body: str | None = None


def join_target(
    target: Target, end_on_exit: bool, how: RoomOptions, options: JoinOptions, environment: Environment
) -> int:
    """Join an existing conversation; returns the exit status.

    Raises UsageError, and the errors of joining.
    """
    from tavus_cli.api.notes import warn_left_behind

    warn_left_behind(environment)
    return run(lambda: _join(target, end_on_exit, how, options, environment))


async def _join(
    target: Target, end_on_exit: bool, how: RoomOptions, options: JoinOptions, environment: Environment
) -> int:
    room, conversation_id = await open_target(target, how, environment)
    if conversation_id is None:  # the simulation, or a room on somebody's own Daily domain
        if end_on_exit:
            raise UsageError("--end-on-exit: the conversation to end is not known; give --conversation-id")
        return await join(room, options, environment)
    from tavus_cli.api.conversations import connection
    from tavus_cli.api.ending import Ending, ended_after
    from tavus_cli.resident.room import ResidentRoom

    billed = (room.about.get("billed") if isinstance(room, ResidentRoom) else None) or {}
    ending = Ending(
        conversation_id,
        connection(environment.environ, how.base_url),
        billed=billed.get("since"),
        most=billed.get("most"),
    )
    if end_on_exit:
        await ending.want()
        room.leaving_may_end = False  # it is ended anyway
    joining = join(room, options._replace(ending=ending), environment)
    return await ended_after(joining, ending, environment)


def join_new(
    target: Target,
    new: New,
    end_on_exit: bool,
    how: RoomOptions,
    options: JoinOptions,
    environment: Environment,
) -> int:
    """Create a conversation, join it and end it.

    Raises UsageError, and the errors of creating and joining.
    """
    from tavus_cli.api.conversations import connection, creation_from
    from tavus_cli.api.ending import join_new as run_new
    from tavus_cli.api.notes import warn_left_behind

    if not isinstance(target, Default):
        raise UsageError("--new creates a conversation: leave TARGET out")
    body = creation_from(new.fields, new.body, environment.stdin)
    connect = connection(environment.environ, how.base_url)
    warn_left_behind(environment)

    def joining(found: Found, ending: Ending) -> Coroutine[Any, Any, int]:
        return join(room_of_new(found, how, environment), options._replace(ending=ending), environment)

    return run(lambda: run_new(connect, body, joining, environment, end_on_exit=end_on_exit))
