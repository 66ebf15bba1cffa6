"""``session start|list|stop``: one join that many commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tavus_cli.cli.app import app
from tavus_cli.cli.options import (
    BaseUrl,
    JoinTimeout,
    Json,
    Name,
    Proxy,
    Record,
    Target,
    duration_option,
    environment_of,
    found_target,
)
from tavus_cli.errors import UsageError

if TYPE_CHECKING:
    from tavus_cli.api.client import TavusApi

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="One join that many commands share.")
app.add_typer(group, name="session")


@group.command()
def start(
    ctx: typer.Context,
    target: Target = None,
    record: Record = None,
    idle: Annotated[
        float, duration_option("Leave after so long without a client; 0: never.", "30m")
    ] = 1_800.0,
    queue: Annotated[
        int, typer.Option(min=1, metavar="N", help="Messages that wait for a client that does not read.")
    ] = 100_000,
    name: Name = "tavus-console",
    join_timeout: JoinTimeout = 45.0,
    daily_proxy: Proxy = None,
    conversation_id: Annotated[
        str | None, typer.Option(metavar="ID", help="Of a room that is not named as its conversation.")
    ] = None,
    base_url: BaseUrl = None,
    json: Annotated[bool, typer.Option("--json", help="The session, and errors, as JSON objects.")] = False,
) -> int:
    """Join, and stay in the background: join, tail, send and run then share that. Prints the session's id."""
    from tavus_cli.commands.session import Start
    from tavus_cli.commands.session import start as run_start
    from tavus_cli.target import RoomOptions

    environment = environment_of(ctx)
    options = RoomOptions(name, join_timeout, daily_proxy, conversation_id)
    target, options = found_target(target, options, environment, base_url)
    if not target:
        raise UsageError("no TARGET: give a room's URL, a conversation id, or sim, or set TAVUS_CONVERSATION")
    return run_start(Start(target, options, record, idle or None, queue, json), environment)


@group.command("list")
def list_(
    ctx: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="One JSON object for each session.")] = False,
) -> int:
    """The sessions of this machine: id, target, PAL, turn, minutes, clients."""
    from tavus_cli.commands.session import list_sessions

    return list_sessions(environment_of(ctx), as_json=json)


@group.command()
def stop(
    ctx: typer.Context,
    session: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="A session's id; may be left out where there is one.")
    ] = None,
    all: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    end: Annotated[bool, typer.Option("--end", help="End the conversation too, for everybody.")] = False,
    base_url: BaseUrl = None,
    json: Json = False,
) -> int:
    """Leave, and end the session. Leaving as the last guest may end the conversation."""
    from tavus_cli.commands.session import stop as run_stop

    environment = environment_of(ctx)

    def connect() -> TavusApi:
        from tavus_cli.api import conversations

        return conversations.connect(environment.environ, base_url)

    return run_stop(session, environment, all=all, connect=connect if end else None)
