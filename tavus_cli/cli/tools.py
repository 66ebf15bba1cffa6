"""The command ``tools``: answer tool calls, or serve the tools."""

from typing import Annotated

import typer

from tavus_cli.cli.app import app, examples
from tavus_cli.cli.joining import How, with_room
from tavus_cli.cli.options import (
    SETTING,
    Hold,
    Record,
    Redact,
    Target,
    check_redact,
    environment_of,
)
from tavus_cli.cli.tooling import Tools, with_tools
from tavus_cli.errors import UsageError


@app.command(
    **examples(
        "tools c7f3a91d20be4b58 --tool 'get_hours=./hours.sh'",
        "tools sim --tools tools.toml --dry-run",
        "tools talk.jsonl --rerun --tools tools.toml",
        "tools --tools tools.toml --listen 8700",
    )
)
@with_tools
@with_room(without=("no_reconnect", "reconnect_timeout"))
def tools(
    ctx: typer.Context,
    target: Target = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would run, without running or answering anything.")
    ] = False,
    rerun: Annotated[
        bool, typer.Option("--rerun", help="Run the tools again for the calls in a recording.")
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
        typer.Option(
            metavar="NAME",
            help="With --listen: accept requests for this host name, such as a tunnel's. Can be repeated.",
        ),
    ] = None,
    record: Record = None,
    redact: Redact = False,
    hold: Hold = SETTING,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object for each call, and errors as JSON too.")
    ] = False,
    *,
    how: How,
    tools: Tools,
) -> int:
    """Answer tool calls with programs, URLs or mocks.

    It runs until you stop it. TARGET may also be a recording: its calls are then shown, or run again with
    --rerun.
    """
    from tavus_cli.commands.tools import Listen, ToolsCommand
    from tavus_cli.commands.tools import listen as run_listen
    from tavus_cli.commands.tools import tools as run_tools
    from tavus_cli.session.loop import run
    from tavus_cli.target import open_target, parse

    environment = environment_of(ctx)
    if tools is None:
        raise UsageError("no tools: give --tool NAME=COMMAND, --tool NAME=URL, or --tools FILE")
    if listen is not None:
        if target is not None and target != environment.environ.get("TAVUS_CONVERSATION"):
            raise UsageError("--listen serves the tools and joins nothing: leave TARGET out")
        serving = Listen(tools, listen, tuple(public_host or ()), json)
        return run(lambda: run_listen(serving, environment))
    check_redact(redact, record)
    if public_host:
        raise UsageError("--public-host goes with --listen")
    options = ToolsCommand(tools._replace(dry_run=dry_run), hold, record, rerun, json, redact)
    where = parse(target)

    async def opened() -> int:
        room = (await open_target(where, how, environment, recorded=True)).room
        return await run_tools(room, options, environment)

    return run(opened)
