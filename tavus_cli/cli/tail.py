"""The commands ``tail`` and ``replay``: events to standard output, live and from a recording."""

from typing import Annotated

import typer

from tavus_cli.cli.app import app, examples
from tavus_cli.cli.joining import How, with_room
from tavus_cli.cli.options import (
    SETTING,
    Color,
    History,
    Otlp,
    OtlpContent,
    Record,
    Redact,
    Target,
    Theme,
    check_redact,
    duration_option,
    environment_of,
    rows_before,
)
from tavus_cli.cli.tooling import Tools, with_tools
from tavus_cli.cli.viewing import View, with_view
from tavus_cli.errors import UsageError


@app.command(
    **examples(
        "tail sim",
        "tail c7f3a91d20be4b58 --only utterance,tool_call --format jsonl",
        "tail sim --until utterance --for 10s",
        "tail sim --format '{time} {role} {text}'",
    )
)
@with_tools
@with_room()
@with_view
def tail(
    ctx: typer.Context,
    target: Target = None,
    for_: Annotated[float | None, duration_option("End after this time: 10s, 5m.", "--for")] = None,
    record: Record = None,
    redact: Redact = False,
    otlp: Otlp = None,
    otlp_content: OtlpContent = False,
    color: Color = SETTING,
    theme: Theme = SETTING,
    history: History = None,
    *,
    how: How,
    tools: Tools,
    view: View,
) -> int:
    """Print the events of a conversation as they arrive."""
    from tavus_cli.commands.tail import tail as run_tail
    from tavus_cli.target import parse, run_in

    environment = environment_of(ctx, color, theme)
    check_redact(redact, record)
    options = view._replace(
        duration=for_,
        record=record,
        redact=redact,
        otlp=otlp,
        otlp_content=otlp_content,
        tools=tools,
        history=rows_before(history, environment),
    )
    return run_in(parse(target), how, environment, lambda room: run_tail(room, options, environment))


From = Annotated[
    str | None,
    typer.Option(
        "--from", metavar="PLACE", help="Where to begin: 12:03:11, +90s, seq:120, turn:3, ISO time."
    ),
]
To = Annotated[str | None, typer.Option("--to", metavar="PLACE", help="Where to end.")]


@app.command(
    **examples("replay talk.jsonl", "replay talk.jsonl --speed 1", "replay talk.jsonl --turn 3 --all")
)
@with_view
def replay(
    ctx: typer.Context,
    recording: Annotated[
        str, typer.Argument(metavar="RECORDING", help="A recording, or a file of messages, one a line.")
    ],
    speed: Annotated[
        str | None,
        typer.Option(
            metavar="1|4|max", help="How fast. [default: max, as fast as it can be read; with -i 1]"
        ),
    ] = None,
    from_: From = None,
    to: To = None,
    color: Color = SETTING,
    theme: Theme = SETTING,
    interactive: Annotated[
        bool,
        typer.Option(
            "--interactive", "-i", help="Open the recording in the console: step, play, seek, inspect."
        ),
    ] = False,
    *,
    view: View,
) -> int:
    """Print a recording as tail would have printed it."""
    from tavus_cli.commands.tail import tail as run_tail
    from tavus_cli.language.grammar import speed_factor
    from tavus_cli.rooms.recorded import RecordedRoom
    from tavus_cli.rooms.span import span
    from tavus_cli.session.loop import run

    environment = environment_of(ctx, color, theme)
    if interactive:
        if view.format != "pretty" or view.envelope or view.most or view.until or to:
            raise UsageError("-i goes without --format, --json, --envelope, --count, --until and --to")
        from tavus_cli.commands.join.commander import JoinOptions
        from tavus_cli.commands.join.player import replay_in_console

        shown = JoinOptions(
            selection=view.selection,
            times=view.times,
            seq=view.seq,
            hold=view.hold,
            events_kept=environment.settings.events_kept,
            clipboard=environment.settings.clipboard,
        )
        pace = 1.0 if speed is None else speed_factor(speed)
        return run(lambda: replay_in_console(recording, pace, from_, shown, environment))
    options = view._replace(progress=False, span=span(from_, to))
    room = RecordedRoom(recording, speed=speed_factor(speed or "max"), stdin=environment.stdin)
    return run(lambda: run_tail(room, options, environment))
