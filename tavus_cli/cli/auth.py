"""``auth login|status|logout``: the API key."""

from __future__ import annotations

import typer

from tavus_cli.cli.app import app
from tavus_cli.cli.conversation import AsJson
from tavus_cli.cli.options import BaseUrl, environment_of
from tavus_cli.errors import UsageError

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The API key: store, show, forget.")
app.add_typer(group, name="auth")


@group.command(context_settings={"allow_extra_args": True})
def login(ctx: typer.Context, base_url: BaseUrl = None, json: AsJson = False) -> int:
    """Store an API key in the keyring. It is asked for unseen, or read from standard input, and tried."""
    if ctx.args:  # not repeated: what stands there may be a key
        raise UsageError("a key does not belong on the command line, where others see it: type it when asked")
    from tavus_cli.commands.auth import login as run

    return run(base_url, environment_of(ctx), as_json=json)


@group.command()
def status(ctx: typer.Context, json: AsJson = False) -> int:
    """Where the API key comes from, and its last four characters."""
    from tavus_cli.commands.auth import status as run

    return run(environment_of(ctx), as_json=json)


@group.command()
def logout(ctx: typer.Context, json: AsJson = False) -> int:
    """Take our API key out of the keyring."""
    from tavus_cli.commands.auth import logout as run

    return run(environment_of(ctx), as_json=json)
