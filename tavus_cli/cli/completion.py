"""The command ``completion``: scripts for shells."""

from typing import Annotated

import typer

from tavus_cli.cli.app import app, examples
from tavus_cli.cli.options import environment_of
from tavus_cli.errors import ExitStatus


@app.command(**examples("completion bash > ~/.local/share/bash-completion/completions/tavus-console"))
def completion(
    ctx: typer.Context,
    shell: Annotated[str, typer.Argument(metavar="bash|zsh|fish", help="The shell.")],
) -> int:
    """Print the completion script for a shell."""
    from tavus_cli.cli.completion_scripts import script

    environment_of(ctx).stdout.write(script(shell))
    return ExitStatus.DONE
