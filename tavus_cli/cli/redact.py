"""The command ``redact``: a recording that can be shared."""

from typing import Annotated

import typer

from tavus_cli.cli.app import app
from tavus_cli.cli.options import environment_of


@app.command()
def redact(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A recording; - is standard input.")],
    key: Annotated[
        str | None,
        typer.Option(
            envvar="TAVUS_CONSOLE_REDACT_KEY",
            metavar="KEY",
            help="The same pseudonyms in each run; without it they are of this run only.",
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Errors as one JSON object on standard error.")
    ] = False,
) -> int:
    """Print a recording without anybody's words, names or ids.

    A report about it has the same figures.
    """
    from tavus_cli.commands.redact import redact as run_redact
    from tavus_cli.session.session import run

    environment = environment_of(ctx)
    return run(lambda: run_redact(file, key, environment))
