"""Options for what a conversation is created with, made from the table in ``creation``."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tavus_cli.api.creation import BY_NAME, FIELDS, Field, Json, creation_body, parse_body
from tavus_cli.cli.options import duration_option, open_target
from tavus_cli.errors import UsageError
from tavus_cli.session.environment import Environment

if TYPE_CHECKING:
    from tavus_cli.api.client import TavusApi
    from tavus_cli.commands.join.commander import JoinOptions
    from tavus_cli.target import RoomOptions

Body = Annotated[
    str | None,
    typer.Option(
        "--body", metavar="FILE", help="The request's JSON, or - for standard input; options go over it."
    ),
]
New = Annotated[
    bool, typer.Option("--new", help="Create a conversation (--pal, --face, --body) and join that.")
]
EndOnExit = Annotated[
    bool, typer.Option("--end-on-exit", help="End it for everybody when you leave, however you leave.")
]
Fields = Json  # of creation, by their names
ALL = tuple(field.name for field in FIELDS)


def with_fields(*names: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """A command gets an option for each of these fields; they come as one argument, ``fields``."""

    def decorate(function: Callable[..., int]) -> Callable[..., int]:
        @functools.wraps(function)
        def command(**given: Any) -> int:
            fields = {name: given.pop(name) for name in names}
            return function(**given, fields=fields)

        signature = inspect.signature(function, eval_str=True)
        own = [one for one in signature.parameters.values() if one.name != "fields"]
        own = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own]
        more = [_parameter(BY_NAME[name]) for name in names]
        command.__signature__ = signature.replace(parameters=[*own, *more])  # type: ignore[attr-defined]
        command.__annotations__ = {one.name: one.annotation for one in [*own, *more]}
        return command

    return decorate


@dataclass(frozen=True, slots=True)
class Wanted:
    """What ``join`` was told about making and ending a conversation."""

    new: bool
    end_on_exit: bool
    fields: Json
    body: str | None
    base_url: str | None


def join_room(
    target: str | None, wanted: Wanted, options: RoomOptions, what: JoinOptions, environment: Environment
) -> int:
    """``join`` to its exit status. Raises UsageError, and what creating and joining raise."""
    from tavus_cli.api.conversations import Found, connect
    from tavus_cli.api.ending import Ending, join_new
    from tavus_cli.commands.join.join import join
    from tavus_cli.session.session import run
    from tavus_cli.target import open_room

    if not wanted.new:
        return _join_target(target, wanted, options, what, environment)
    if target and target != environment.environ.get("TAVUS_CONVERSATION"):
        raise UsageError("--new makes a conversation of its own: leave TARGET out")
    body = body_of(wanted.fields, wanted.body, environment)

    def api(timeout: float) -> TavusApi:
        return connect(environment.environ, wanted.base_url, timeout=timeout)

    async def joining(found: Found, ending: Ending) -> int:
        known = options._replace(conversation_id=found.conversation_id)
        room = open_room(found.target, known, resident=False)
        return await join(room, replace(what, ending=ending), environment)

    return run(lambda: join_new(api, body, joining, environment, end_on_exit=wanted.end_on_exit))


def _join_target(
    target: str | None, wanted: Wanted, options: RoomOptions, what: JoinOptions, environment: Environment
) -> int:
    from tavus_cli.commands.join.join import join
    from tavus_cli.protocol.wire import is_conversation_id
    from tavus_cli.session.session import run

    if any(wanted.fields.values()) or wanted.body is not None:
        raise UsageError("--pal, --face and the like are for a new conversation: say --new")
    room = open_target(target, options, environment, wanted.base_url)
    name = target if target is not None and is_conversation_id(target) else room.conversation_id
    if not is_conversation_id(name):  # the simulation, or a room on a domain of somebody's own
        if wanted.end_on_exit:
            raise UsageError("--end-on-exit: no conversation to end is known here; see --conversation-id")
        return run(lambda: join(room, what, environment))
    from tavus_cli.api.conversations import connect
    from tavus_cli.api.ending import Ending, ended_after

    def api(timeout: float) -> TavusApi:
        return connect(environment.environ, wanted.base_url, timeout=timeout)

    ending = Ending(name, api, always=wanted.end_on_exit)
    ends = replace(what, ending=ending)
    return run(lambda: ended_after(join(room, ends, environment), ending, environment))


def body_of(fields: Json, body: str | None, environment: Environment) -> Json:
    """What is sent. Raises UsageError."""
    return creation_body(fields, _read(body, environment) if body is not None else None)


def _read(path: str, environment: Environment) -> Json:
    if path == "-":
        return parse_body(environment.stdin.read(), "-")
    try:
        with open(path, encoding="utf-8") as file:
            return parse_body(file.read(), path)
    except (OSError, ValueError) as error:
        raise UsageError(f"--body cannot be read: {error}") from None


def _parameter(field: Field) -> inspect.Parameter:
    kinds: dict[str, Any] = {"flag": bool, "whole": int | None, "texts": list[str] | None}
    default = False if field.kind == "flag" else None
    if field.kind == "seconds":
        annotation: Any = Annotated[float | None, duration_option(field.help, False, *field.options)]
    elif field.kind == "flag":
        annotation = Annotated[bool, typer.Option(*field.options, help=field.help)]
    else:
        option = typer.Option(*field.options, metavar=field.metavar, help=field.help, show_default=False)
        annotation = Annotated[kinds.get(field.kind, str | None), option]
    keyword = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(field.name, keyword, default=default, annotation=annotation)
