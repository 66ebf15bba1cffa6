"""``auth login|status|logout``: the API key."""

import typer

from tavus_cli.cli.app import app, examples
from tavus_cli.cli.conversation import AsJson
from tavus_cli.cli.options import BaseUrl, environment_of
from tavus_cli.errors import UsageError

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Store, show and remove the API key.")
app.add_typer(group, name="auth")


@group.command(context_settings={"allow_extra_args": True}, **examples("auth login", "auth login < key.txt"))
def login(ctx: typer.Context, base_url: BaseUrl = None, json: AsJson = False) -> int:
    """Store an API key in the keyring. Prompts without echo, or reads it from standard input."""
    if ctx.args:  # not quoted in the error: it may be a key
        raise UsageError("do not put the key on the command line, where others see it: type it at the prompt")
    from tavus_cli.commands.auth import login as run

    return run(base_url, environment_of(ctx), as_json=json)


@group.command(**examples("auth status", "auth status --json"))
def status(ctx: typer.Context, json: AsJson = False) -> int:
    """Show where the API key comes from, and its last four characters."""
    from tavus_cli.commands.auth import status as run

    return run(environment_of(ctx), as_json=json)


@group.command(**examples("auth logout"))
def logout(ctx: typer.Context, json: AsJson = False) -> int:
    """Remove the API key from the keyring."""
    from tavus_cli.commands.auth import logout as run

    return run(environment_of(ctx), as_json=json)
