"""``webhooks listen|trigger|resend|pull``."""

from typing import Annotated

import typer

from tavus_cli.cli.app import app
from tavus_cli.cli.options import BaseUrl, environment_of

group = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Take, make and repeat what Tavus posts to a backend."
)
app.add_typer(group, name="webhooks")

To = Annotated[str, typer.Option("--to", metavar="URL", help="The handler to post to.")]
AllowRemote = Annotated[bool, typer.Option("--allow-remote", help="The handler may be on another machine.")]


@group.command()
def listen(
    ctx: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="Where; 0: any.")] = 8788,
    forward_to: Annotated[
        str | None, typer.Option(metavar="URL", help="Post each to this handler too, and answer as it does.")
    ] = None,
    record: Annotated[
        str | None, typer.Option(metavar="FILE", help="Append each to this file, one JSON object a line.")
    ] = None,
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Listen on this address, not only this machine.")
    ] = None,
    public_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A name that webhooks may come under: a tunnel's."),
    ] = None,
    allow_remote: AllowRemote = False,
) -> int:
    """Take webhooks and show them, until stopped. Give its address, or a tunnel's, as callback_url."""
    from tavus_cli.local import require

    require()
    from tavus_cli.commands.webhooks import Listen
    from tavus_cli.commands.webhooks import listen as run_listen
    from tavus_cli.session.session import run

    environment = environment_of(ctx)
    what = Listen(port, forward_to, record, host, public_host or [], allow_remote)
    return run(lambda: run_listen(what, environment))


@group.command()
def trigger(
    ctx: typer.Context,
    kind: Annotated[
        str, typer.Argument(metavar="TYPE", help="system.shutdown, application.transcription_ready, …")
    ],
    to: To,
    conversation_id: Annotated[
        str, typer.Option(metavar="ID", help="The conversation that it is about.")
    ] = "c0000000000000000",
    allow_remote: AllowRemote = False,
) -> int:
    """Post an example of one type to a handler."""
    from tavus_cli.local import require

    require()
    from tavus_cli.commands.webhooks import deliver, samples
    from tavus_cli.session.session import run

    environment = environment_of(ctx)
    bodies = samples(kind, conversation_id, to)
    return run(lambda: deliver(bodies, to, allow_remote, environment))


@group.command()
def resend(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="What listen --record wrote.")],
    to: To,
    only: Annotated[
        list[str] | None, typer.Option(metavar="TYPE", help="Only these types: shutdown, 'system.*'.")
    ] = None,
    allow_remote: AllowRemote = False,
) -> int:
    """Post recorded webhooks to a handler, in their order."""
    from tavus_cli.local import require

    require()
    from tavus_cli.commands.webhooks import deliver, recorded
    from tavus_cli.session.session import run

    environment = environment_of(ctx)
    bodies = recorded(file, only or [], environment_of(ctx).stdin)
    return run(lambda: deliver(bodies, to, allow_remote, environment))


@group.command()
def pull(
    ctx: typer.Context,
    conversation: Annotated[str, typer.Argument(metavar="ID", help="A conversation id, or its room's URL.")],
    forward_to: Annotated[str, typer.Option("--forward-to", metavar="URL", help="The handler to post to.")],
    base_url: BaseUrl = None,
    allow_remote: AllowRemote = False,
) -> int:
    """Ask the API what happened in a conversation, and post that as webhooks: no tunnel is needed."""
    from tavus_cli.local import require

    require()
    from tavus_cli.api import conversations
    from tavus_cli.api.client import check_id
    from tavus_cli.commands.webhooks import deliver, pulled
    from tavus_cli.session.session import run

    environment = environment_of(ctx)
    name = check_id(conversation)
    with conversations.connect(environment.environ, base_url) as api:
        bodies = pulled(api.get(name, verbose=True), forward_to)
    return run(lambda: deliver(bodies, forward_to, allow_remote, environment))
