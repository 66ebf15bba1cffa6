"""``webhooks listen|trigger|resend|pull``."""

from typing import Annotated

import typer

from tavus_cli.cli.app import app, examples
from tavus_cli.cli.options import BaseUrl, environment_of

group = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Receive, post and resend Tavus' webhooks.",
)
app.add_typer(group, name="webhooks")

To = Annotated[str, typer.Option("--to", metavar="URL", help="The handler to post to.")]
AllowRemote = Annotated[bool, typer.Option("--allow-remote", help="Allow a handler on another machine.")]


@group.command(
    **examples(
        "webhooks listen",
        "webhooks listen --forward-to http://localhost:3000/tavus --record webhooks.jsonl",
        "webhooks listen --public-host abc123.ngrok.app",
    )
)
def listen(
    ctx: typer.Context,
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="The port; 0: any free port.")
    ] = 8788,
    forward_to: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Also post each webhook to this handler, and return its answer."),
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Append each webhook to this file, one JSON object a line."),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Listen on this address instead of only this machine."),
    ] = None,
    public_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Accept webhooks for this host name, such as a tunnel's."),
    ] = None,
    allow_remote: AllowRemote = False,
) -> int:
    """Receive webhooks and show them.

    It runs until you stop it. Give its address, or that of a tunnel to it, as the callback URL of a
    conversation.
    """
    from tavus_cli.local import require

    require()
    from tavus_cli.commands.webhooks import Listen
    from tavus_cli.commands.webhooks import listen as run_listen
    from tavus_cli.session.loop import run

    environment = environment_of(ctx)
    options = Listen(port, forward_to, record, host, public_host or [], allow_remote)
    return run(lambda: run_listen(options, environment))


@group.command(**examples("webhooks trigger system.shutdown --to http://localhost:3000/tavus"))
def trigger(
    ctx: typer.Context,
    kind: Annotated[
        str, typer.Argument(metavar="TYPE", help="system.shutdown, application.transcription_ready, …")
    ],
    to: To,
    conversation_id: Annotated[
        str, typer.Option(metavar="ID", help="The conversation id in the webhook.")
    ] = "c0000000000000000",
    allow_remote: AllowRemote = False,
) -> int:
    """Post an example webhook of one type to a handler."""
    from tavus_cli.local import require

    require()
    from tavus_cli.commands.webhooks import deliver, samples
    from tavus_cli.session.loop import run

    environment = environment_of(ctx)
    bodies = samples(kind, conversation_id, to)
    return run(lambda: deliver(bodies, to, allow_remote, environment))


@group.command(
    **examples(
        "webhooks resend webhooks.jsonl --to http://localhost:3000/tavus",
        "webhooks resend webhooks.jsonl --to http://localhost:3000/tavus --only 'system.*'",
    )
)
def resend(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A file written by listen --record.")],
    to: To,
    only: Annotated[
        list[str] | None, typer.Option(metavar="TYPE", help="Only these types: shutdown, 'system.*'.")
    ] = None,
    allow_remote: AllowRemote = False,
) -> int:
    """Post recorded webhooks to a handler, in order."""
    from tavus_cli.local import require

    require()
    from tavus_cli.commands.webhooks import deliver, recorded
    from tavus_cli.session.loop import run

    environment = environment_of(ctx)
    bodies = recorded(file, only or [], environment_of(ctx).stdin)
    return run(lambda: deliver(bodies, to, allow_remote, environment))


@group.command(**examples("webhooks pull c7f3a91d20be4b58 --forward-to http://localhost:3000/tavus"))
def pull(
    ctx: typer.Context,
    conversation: Annotated[str, typer.Argument(metavar="ID", help="A conversation id, or its room's URL.")],
    forward_to: Annotated[str, typer.Option("--forward-to", metavar="URL", help="The handler to post to.")],
    base_url: BaseUrl = None,
    allow_remote: AllowRemote = False,
) -> int:
    """Post a conversation's webhooks to a handler.

    They are made from what the API says about the conversation, so this needs no tunnel.
    """
    from tavus_cli.local import require

    require()
    from tavus_cli.api import conversations
    from tavus_cli.api.checks import check_id
    from tavus_cli.commands.webhooks import deliver, pulled
    from tavus_cli.session.loop import run

    environment = environment_of(ctx)
    name = check_id(conversation)
    with conversations.connect(environment.environ, base_url) as api:
        bodies = pulled(api.get(name, verbose=True), forward_to)
    return run(lambda: deliver(bodies, forward_to, allow_remote, environment))
