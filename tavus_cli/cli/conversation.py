"""``conversation create|list|get|end``."""

from typing import Annotated

import typer

from tavus_cli.api.creation import Json
from tavus_cli.cli.app import app, examples
from tavus_cli.cli.fields import ALL, Body, with_fields
from tavus_cli.cli.options import SETTING, BaseUrl, Color, environment_of

group = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Create, list, show and end conversations."
)
app.add_typer(group, name="conversation")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on a terminal too, and errors as JSON.")]
Query = Annotated[
    str | None,
    typer.Option(
        "--query", metavar="JMESPATH", help="Print only what this expression selects; text without quotes."
    ),
]
Id = Annotated[str, typer.Argument(metavar="ID", help="A conversation id, or the URL of its room.")]


@group.command(
    **examples(
        "conversation create --pal p5d11710002a",
        "conversation create --pal p5d11710002a --private --max-call-duration 10m --query conversation_id",
        "conversation create --body request.json | tavus-console join -",
    )
)
@with_fields(*ALL)
def create(
    ctx: typer.Context,
    body: Body = None,
    show_token: Annotated[
        bool,
        typer.Option(
            "--show-token", help="Also print the token of a private room; join ID finds it either way."
        ),
    ] = False,
    base_url: BaseUrl = None,
    query: Query = None,
    json: AsJson = False,
    *,
    fields: Json,
) -> int:
    """Create a conversation. It is billed until it ends."""
    from tavus_cli.commands.conversation import Shape
    from tavus_cli.commands.conversation import create as run

    return run(fields, body, base_url, Shape(json, query), environment_of(ctx), show_token=show_token)


@group.command("list", **examples("conversation list --status active", "conversation list --json -n 5"))
def list_(
    ctx: typer.Context,
    status: Annotated[
        str | None,
        typer.Option(
            metavar="active|ended", help="Only conversations with this status; active ones are billed."
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, metavar="N", help="At most N.")] = None,
    base_url: BaseUrl = None,
    query: Query = None,
    color: Color = SETTING,
    json: AsJson = False,
) -> int:
    """List the conversations of your account."""
    from tavus_cli.commands.conversation import Shape
    from tavus_cli.commands.conversation import list_ as run

    return run(status, limit, base_url, Shape(json, query), environment_of(ctx, color))


@group.command(**examples("conversation get c7f3a91d20be4b58 --query status"))
def get(
    ctx: typer.Context,
    conversation: Id,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Also show what happened in it.")] = False,
    base_url: BaseUrl = None,
    query: Query = None,
    json: AsJson = False,
) -> int:
    """Show one conversation."""
    from tavus_cli.commands.conversation import Shape
    from tavus_cli.commands.conversation import get as run

    return run(conversation, base_url, Shape(json, query), environment_of(ctx), verbose=verbose)


@group.command(**examples("conversation end c7f3a91d20be4b58", "conversation end --all-active"))
def end(
    ctx: typer.Context,
    conversations: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]…", help="Conversation ids, or the URLs of their rooms."),
    ] = None,
    all_active: Annotated[bool, typer.Option("--all-active", help="End all active conversations.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    base_url: BaseUrl = None,
    query: Query = None,
    json: AsJson = False,
) -> int:
    """End conversations for everybody in them. Asks first, on a terminal."""
    from tavus_cli.commands.conversation import Shape
    from tavus_cli.commands.conversation import end as run

    shape = Shape(json, query)
    return run(conversations or [], all_active, base_url, shape, environment_of(ctx), yes=yes)
