"""The command ``script from``: a script made of a recording."""

from typing import Annotated

import typer

from tavus_cli.cli.app import app, examples
from tavus_cli.cli.options import SETTING, Hold, Json, environment_of

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Make a script from a recording.")
app.add_typer(group, name="script")


@group.callback()
def script() -> None:
    """Make a script from a recording."""


@group.command(
    "from",
    **examples(
        "script from talk.jsonl > talk.tavus",
        "script from talk.jsonl --words -o talk.tavus",
        "run sim talk.tavus",
    ),
)
def from_(
    ctx: typer.Context,
    recording: Annotated[
        str, typer.Argument(metavar="RECORDING", help="A recording; - reads standard input.")
    ],
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Write the script to this file.")
    ] = None,
    words: Annotated[
        bool,
        typer.Option("--words", help="Also expect the PAL's words and the values of tool arguments."),
    ] = False,
    hold: Hold = SETTING,
    json: Json = False,
) -> int:
    """Print a script that repeats a recording.

    It sends the same messages, with the same pauses, and expects what came back: events by type, by role and
    by the names of tools and arguments.
    """
    from tavus_cli.commands.script import FromRecording, script_from
    from tavus_cli.session.loop import run

    environment = environment_of(ctx)
    return run(lambda: script_from(FromRecording(recording, output, words, hold), environment))
