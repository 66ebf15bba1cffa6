"""The program itself: its typer application, and the options of the whole."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from tavus_cli import __version__
from tavus_cli.errors import EXIT_STATUS_HELP
from tavus_cli.session.environment import PROGRAM

_EPILOG = "\b\nExit status:\n" + "\n".join(f"{int(one):>5}  {text}" for one, text in EXIT_STATUS_HELP.items())

app = typer.Typer(
    add_completion=False,  # completions/ holds static scripts: faster, and nothing remote in a shell
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_EPILOG,
)


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"{PROGRAM} {__version__}\n")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """The terminal for live Tavus conversations: see every event in its true order, answer, script.

    Try it without an account: tavus-console join sim
    """
