"""The command ``report``: what happened, how fast, and whether that is good enough."""

from typing import Annotated

import typer

from tavus_cli.cli.app import app
from tavus_cli.cli.options import Color, Hold, Theme, environment_of


@app.command()
def report(
    ctx: typer.Context,
    files: Annotated[
        list[str], typer.Argument(metavar="FILE…", help="Recordings, also .gz and .zst; - is standard input.")
    ],
    hold: Hold = 0.25,
    color: Color = "auto",
    theme: Theme = "auto",
    json: Annotated[bool, typer.Option("--json", help="One JSON object, and errors as such.")] = False,
) -> int:
    """What happened in a recording, and how fast.

    All figures: docs/report.md.
    """
    from tavus_cli.commands.report import Report
    from tavus_cli.commands.report import report as run_report
    from tavus_cli.session.session import run

    environment = environment_of(ctx, color, theme)
    what = Report(files, hold, json)
    return run(lambda: run_report(what, environment))
