"""The command ``help``: the manual."""

from typing import Annotated

import typer

from tavus_cli.cli.app import app, examples
from tavus_cli.cli.options import environment_of
from tavus_cli.errors import UsageError


@app.command(**examples("help", "help scripts", "help sim | less"))
def help(
    ctx: typer.Context,
    topic: Annotated[str | None, typer.Argument(metavar="TOPIC", help="A page, or a command.")] = None,
) -> int:
    """List the pages of the manual, or show one."""
    from tavus_cli import cli
    from tavus_cli.commands import help as manual

    environment = environment_of(ctx)
    if topic is None:
        return manual.topics(environment)
    if topic in manual.TOPICS:
        return manual.page(topic, environment)
    if topic in cli.HOME:
        return cli.run_command([topic, "--help"], environment)
    raise UsageError(manual.unknown(topic, cli.HOME))
