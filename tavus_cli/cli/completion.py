"""The command ``completion``: scripts for shells."""

from __future__ import annotations

from typing import Annotated

import typer

from tavus_cli.cli.app import app
from tavus_cli.cli.options import environment_of
from tavus_cli.errors import ExitStatus


@app.command()
def completion(
    ctx: typer.Context,
    shell: Annotated[str, typer.Argument(metavar="bash|zsh|fish", help="The shell.")],
) -> int:
    """The completion script for a shell, on standard output."""
    from tavus_cli.cli.completion_scripts import script

    environment_of(ctx).stdout.write(script(shell))
    return ExitStatus.DONE
