"""``session start|list|stop``: one join that many commands share."""

from typing import Annotated

import typer

from tavus_cli.cli.app import CREATING, app, examples
from tavus_cli.cli.fields import Body, Fields, MaxMinutes, new_fields, with_fields
from tavus_cli.cli.joining import How, with_room
from tavus_cli.cli.options import (
    BaseUrl,
    Json,
    Otlp,
    OtlpContent,
    Record,
    Redact,
    Target,
    check_redact,
    duration_option,
    environment_of,
    lasting,
)
from tavus_cli.cli.tooling import Tools, with_tools

group = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="One connection that many commands share."
)
app.add_typer(group, name="session")


@group.command(
    **examples(
        "session start c7f3a91d20be4b58",
        "session start sim --record talk.jsonl --idle 0",
        "session start --new --pal p5d11710002a --max-minutes 15",
    )
)
@with_fields("persona_id", "replica_id", "chat", "require_auth")
@with_tools
@with_room()
def start(
    ctx: typer.Context,
    target: Target = None,
    new: Annotated[
        bool,
        typer.Option(
            "--new",
            help="Create a conversation (see --pal, --face, --body) and join it. It is ended if it cannot be "
            "joined; else it continues until it is ended (session stop --end).",
            rich_help_panel=CREATING,
        ),
    ] = False,
    max_minutes: MaxMinutes = None,
    body: Body = None,
    record: Record = None,
    redact: Redact = False,
    idle: Annotated[float, duration_option("Leave after this long without a client; 0: never.")] = lasting(
        "30m"
    ),
    queue: Annotated[
        int,
        typer.Option(min=1, metavar="N", help="How many messages to queue for a client that does not read."),
    ] = 100_000,
    json: Annotated[
        bool, typer.Option("--json", help="Print the session, and errors, as JSON objects.")
    ] = False,
    otlp: Otlp = None,
    otlp_content: OtlpContent = False,
    *,
    how: How,
    fields: Fields,
    tools: Tools,
) -> int:
    """Join and stay in the background.

    Prints the session's id. join, tail, send and run then share its connection.
    """
    from tavus_cli.commands.session import Start, start_new
    from tavus_cli.commands.session import start as run_start
    from tavus_cli.target import parse

    check_redact(redact, record)
    options = Start(record, idle or None, queue, json, tools, otlp, otlp_content, redact)
    fields = new_fields(new, fields, body, max_minutes)
    if new:
        return start_new(parse(target), fields, body, how, options, environment_of(ctx))
    return run_start(parse(target), how, options, environment_of(ctx))


@group.command("list", **examples("session list", "session list --json"))
def list_(
    ctx: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object for each session.")] = False,
) -> int:
    """List the sessions on this machine.

    Shows their id, target, PAL, turn, minutes (joined and billed) and clients.
    """
    from tavus_cli.commands.session import list_sessions

    return list_sessions(environment_of(ctx), as_json=json)


@group.command(**examples("session stop", "session stop c7f3a91d20be4b58 --end", "session stop --all"))
def stop(
    ctx: typer.Context,
    session: Annotated[
        str | None,
        typer.Argument(metavar="[ID]", help="The session's id. Not needed if only one is running."),
    ] = None,
    all: Annotated[bool, typer.Option("--all", help="Stop all sessions.")] = False,
    end: Annotated[bool, typer.Option("--end", help="Also end the conversation, for everybody.")] = False,
    base_url: BaseUrl = None,
    json: Json = False,
) -> int:
    """Leave the room and stop the session.

    If it was the last guest, this may end the conversation.
    """
    from tavus_cli.commands.session import stop as run_stop

    return run_stop(session, base_url, environment_of(ctx), all=all, end=end)
