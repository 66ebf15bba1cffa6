"""The command ``redact``: a recording that can be shared."""

from typing import Annotated

import typer

from tavus_cli.cli.app import app, examples
from tavus_cli.cli.options import environment_of


@app.command(**examples("redact talk.jsonl > shared.jsonl", "redact talk.jsonl --key SECRET > shared.jsonl"))
def redact(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A recording; - reads standard input.")],
    key: Annotated[
        str | None,
        typer.Option(
            envvar="TAVUS_CONSOLE_REDACT_KEY",
            metavar="KEY",
            help="Give the same pseudonyms in every run with this key. Without it they differ in each run.",
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print an error as one JSON object on standard error.")
    ] = False,
) -> int:
    """Print a recording without anybody's words, names or ids.

    A report on it has the same figures as one on the original.
    """
    from tavus_cli.commands.redact import redact as run_redact
    from tavus_cli.session.loop import run

    environment = environment_of(ctx)
    return run(lambda: run_redact(file, key, environment))
