"""``conversation create|list|get|end``."""

from __future__ import annotations

from typing import Annotated

import typer

from tavus_cli.api.creation import Json
from tavus_cli.cli.app import app
from tavus_cli.cli.creating import ALL, Body, body_of, with_fields
from tavus_cli.cli.options import BaseUrl, Color, environment_of

group = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Create, list, look up and end conversations."
)
app.add_typer(group, name="conversation")

AsJson = Annotated[
    bool, typer.Option("--json", help="JSON on a terminal too; errors as one JSON object on standard error.")
]
Query = Annotated[
    str | None,
    typer.Option("--query", metavar="JMESPATH", help="Pick from the answer; text alone is printed bare."),
]
Id = Annotated[str, typer.Argument(metavar="ID", help="A conversation id, or its room's URL.")]


@group.command()
@with_fields(*ALL)
def create(
    ctx: typer.Context,
    body: Body = None,
    show_token: Annotated[
        bool,
        typer.Option("--show-token", help="Print a private room's token; else it is only kept for join."),
    ] = False,
    base_url: BaseUrl = None,
    query: Query = None,
    json: AsJson = False,
    *,
    fields: Json,
) -> int:
    """Create a conversation. It is billed from then on, until it ends."""
    from tavus_cli.commands.conversation import Shape
    from tavus_cli.commands.conversation import create as run

    environment = environment_of(ctx)
    what = body_of(fields, body, environment)
    return run(what, base_url, Shape(json, query), environment, show_token=show_token)


@group.command("list")
def list_(
    ctx: typer.Context,
    status: Annotated[
        str | None, typer.Option(metavar="active|ended", help="Only these; active ones cost.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=1, metavar="N", help="No more than N; else all.")
    ] = None,
    base_url: BaseUrl = None,
    query: Query = None,
    color: Color = "auto",
    json: AsJson = False,
) -> int:
    """All conversations of the key's account."""
    from tavus_cli.commands.conversation import Shape
    from tavus_cli.commands.conversation import list_ as run

    return run(status, limit, base_url, Shape(json, query), environment_of(ctx, color))


@group.command()
def get(
    ctx: typer.Context,
    conversation: Id,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Also what happened in it.")] = False,
    base_url: BaseUrl = None,
    query: Query = None,
    json: AsJson = False,
) -> int:
    """One conversation."""
    from tavus_cli.commands.conversation import Shape
    from tavus_cli.commands.conversation import get as run

    return run(conversation, base_url, Shape(json, query), environment_of(ctx), verbose=verbose)


@group.command()
def end(
    ctx: typer.Context,
    conversations: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]", help="Conversation ids, or their rooms' URLs.")
    ] = None,
    all_active: Annotated[bool, typer.Option("--all-active", help="All that are running.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    base_url: BaseUrl = None,
    query: Query = None,
    json: AsJson = False,
) -> int:
    """End conversations for everybody in them. On a terminal it asks first."""
    from tavus_cli.commands.conversation import Shape
    from tavus_cli.commands.conversation import end as run

    shape = Shape(json, query)
    return run(conversations or [], all_active, base_url, shape, environment_of(ctx), yes=yes)
