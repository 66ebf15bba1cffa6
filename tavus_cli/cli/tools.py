"""The command ``tools``: answer tool calls, or serve the tools."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from tavus_cli.cli.app import app
from tavus_cli.cli.options import (
    BaseUrl,
    ConversationId,
    Hold,
    JoinTimeout,
    Name,
    Proxy,
    Record,
    Target,
    environment_of,
    room_of,
)
from tavus_cli.cli.tooling import Tools, with_tools
from tavus_cli.errors import UsageError

if TYPE_CHECKING:
    from tavus_cli.rooms.room import Room


@app.command()
@with_tools
def tools(
    ctx: typer.Context,
    target: Target = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would run; run and answer nothing.")
    ] = False,
    rerun: Annotated[
        bool, typer.Option("--rerun", help="TARGET is a recording: run the tools for its calls.")
    ] = False,
    listen: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            metavar="PORT",
            help="Serve the tools over HTTP on this machine instead of joining; 0: any port.",
        ),
    ] = None,
    public_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="With --listen: a name that requests may come under, a tunnel's."),
    ] = None,
    record: Record = None,
    hold: Hold = 0.25,
    name: Name = "tavus-console",
    join_timeout: JoinTimeout = 45.0,
    daily_proxy: Proxy = None,
    conversation_id: ConversationId = None,
    base_url: BaseUrl = None,
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object for each call, and errors as such.")
    ] = False,
    *,
    tools: Tools,
) -> int:
    """Answer tool calls by programs, URLs and mocks, until stopped. A recording may be the TARGET."""
    from tavus_cli.commands.tools import Listen, ToolsCommand
    from tavus_cli.commands.tools import listen as run_listen
    from tavus_cli.commands.tools import tools as run_tools
    from tavus_cli.session.session import run

    environment = environment_of(ctx)
    if not tools.wanted:
        raise UsageError("no tools: give --tool NAME=COMMAND, --tool NAME=URL, or --tools FILE")
    if listen is not None:
        if target is not None and target != environment.environ.get("TAVUS_CONVERSATION"):
            raise UsageError("--listen serves the tools and joins nothing: leave TARGET out")
        serving = Listen(tools, listen, tuple(public_host or ()), json)
        return run(lambda: run_listen(serving, environment))
    if public_host:
        raise UsageError("--public-host goes with --listen")
    what = ToolsCommand(tools._replace(dry_run=dry_run), hold, record, rerun, json)

    def opened() -> Room:
        if target is not None and os.path.isfile(target):
            from tavus_cli.rooms.recorded import RecordedRoom

            return RecordedRoom(target)
        return room_of(
            target,
            name,
            join_timeout,
            daily_proxy,
            conversation_id,
            environment=environment,
            base_url=base_url,
        )

    room = opened()
    return run(lambda: run_tools(room, what, environment))
