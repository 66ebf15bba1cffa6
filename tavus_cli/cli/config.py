"""``config path|edit|show``: the settings."""

import typer

from tavus_cli.cli.app import app, examples
from tavus_cli.cli.conversation import AsJson
from tavus_cli.cli.options import environment_of
from tavus_cli.errors import ExitStatus

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Show and edit the settings.")
app.add_typer(group, name="config")


@group.command(**examples("config path"))
def path(ctx: typer.Context) -> int:
    """Print the path of the settings file."""
    from tavus_cli.settings.table import config_path

    environment = environment_of(ctx)
    environment.stdout.write(f"{config_path(environment.environ)}\n")
    return ExitStatus.DONE


@group.command(**examples("config edit"))
def edit(ctx: typer.Context) -> int:
    """Open the settings in $VISUAL or $EDITOR, and check them afterwards."""
    from tavus_cli.commands.config import edit as run

    return run(environment_of(ctx))


@group.command(**examples("config show"))
def show(ctx: typer.Context, json: AsJson = False) -> int:
    """Show every setting, its value, and where the value comes from."""
    from tavus_cli.commands.config import show as run

    return run(environment_of(ctx), as_json=json)
