"""``config path|edit|show``: the settings."""

from __future__ import annotations

import typer

from tavus_cli.cli.app import app
from tavus_cli.cli.conversation import AsJson
from tavus_cli.cli.options import environment_of
from tavus_cli.errors import ExitStatus

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Settings: where, which, and why.")
app.add_typer(group, name="config")


@group.command()
def path(ctx: typer.Context) -> int:
    """The path of the file, which need not be there."""
    from tavus_cli.settings.table import config_path

    environment = environment_of(ctx)
    environment.stdout.write(f"{config_path(environment.environ)}\n")
    return ExitStatus.DONE


@group.command()
def edit(ctx: typer.Context) -> int:
    """Open the file in $VISUAL or $EDITOR, made first if there is none, and say what is wrong with it."""
    from tavus_cli.commands.config import edit as run

    return run(environment_of(ctx))


@group.command()
def show(ctx: typer.Context, json: AsJson = False) -> int:
    """Every key with the value that counts, and where it comes from."""
    from tavus_cli.commands.config import show as run

    return run(environment_of(ctx), as_json=json)
