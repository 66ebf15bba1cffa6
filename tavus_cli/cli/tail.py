"""The commands ``tail`` and ``replay``: events to standard output, live and from a recording."""

from typing import Annotated

import typer

from tavus_cli.cli.app import app, examples
from tavus_cli.cli.joining import How, with_room
from tavus_cli.cli.options import (
    SETTING,
    All,
    Color,
    Count,
    Envelope,
    Format,
    History,
    Hold,
    Ignore,
    JsonLines,
    Only,
    Otlp,
    OtlpContent,
    Partials,
    Record,
    Redact,
    Role,
    Seq,
    Target,
    Theme,
    Times,
    Turn,
    Until,
    Where,
    check_redact,
    duration_option,
    environment_of,
    rows_before,
)
from tavus_cli.cli.tooling import Tools, with_tools
from tavus_cli.errors import UsageError


def _format(format: str, json: bool) -> str:
    """Raises UsageError where --json contradicts --format."""
    if json and format not in ("pretty", "jsonl"):
        raise UsageError("--json is --format jsonl: leave one of them out")
    return "jsonl" if json else format


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
def tail(
    ctx: typer.Context,
    target: Target = None,
    format: Format = "pretty",
    only: Only = None,
    ignore: Ignore = None,
    where: Where = None,
    turn: Turn = None,
    role: Role = None,
    count: Count = None,
    until: Until = None,
    for_: Annotated[float | None, duration_option("End after this time: 10s, 5m.", "--for")] = None,
    partials: Partials = SETTING,
    all: All = SETTING,
    envelope: Envelope = False,
    record: Record = None,
    redact: Redact = False,
    otlp: Otlp = None,
    otlp_content: OtlpContent = False,
    hold: Hold = SETTING,
    color: Color = SETTING,
    theme: Theme = SETTING,
    times: Times = "auto",
    seq: Seq = False,
    history: History = None,
    json: JsonLines = False,
    *,
    how: How,
    tools: Tools,
) -> int:
    """Print the events of a conversation as they arrive."""
    from tavus_cli.commands.tail import TailOptions
    from tavus_cli.commands.tail import tail as run_tail
    from tavus_cli.language.selection import TypePattern, selection
    from tavus_cli.target import parse, run_in

    environment = environment_of(ctx, color, theme)
    check_redact(redact, record)
    options = TailOptions(
        selection=selection(only, ignore, where, turn, role, partials, all),
        format=_format(format, json),
        envelope=envelope,
        times=times,
        seq=seq,
        most=count,
        until=TypePattern(until or []),
        duration=for_,
        hold=hold,
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
    format: Format = "pretty",
    only: Only = None,
    ignore: Ignore = None,
    where: Where = None,
    turn: Turn = None,
    role: Role = None,
    count: Count = None,
    until: Until = None,
    from_: From = None,
    to: To = None,
    partials: Partials = SETTING,
    all: All = SETTING,
    envelope: Envelope = False,
    hold: Hold = SETTING,
    color: Color = SETTING,
    theme: Theme = SETTING,
    times: Times = "auto",
    seq: Seq = False,
    json: JsonLines = False,
    interactive: Annotated[
        bool,
        typer.Option(
            "--interactive", "-i", help="Open the recording in the console: step, play, seek, inspect."
        ),
    ] = False,
) -> int:
    """Print a recording as tail would have printed it."""
    from tavus_cli.commands.tail import TailOptions
    from tavus_cli.commands.tail import tail as run_tail
    from tavus_cli.language.grammar import speed_factor
    from tavus_cli.language.selection import TypePattern, selection
    from tavus_cli.rooms.recorded import RecordedRoom
    from tavus_cli.rooms.span import span
    from tavus_cli.session.loop import run

    environment = environment_of(ctx, color, theme)
    chosen = selection(only, ignore, where, turn, role, partials, all)
    if interactive:
        if json or format != "pretty" or envelope or count or until or to:
            raise UsageError("-i goes without --format, --json, --envelope, --count, --until and --to")
        from tavus_cli.commands.join.commander import JoinOptions
        from tavus_cli.commands.join.player import replay_in_console

        shown = JoinOptions(
            selection=chosen,
            times=times,
            seq=seq,
            hold=hold,
            events_kept=environment.settings.events_kept,
            clipboard=environment.settings.clipboard,
        )
        pace = 1.0 if speed is None else speed_factor(speed)
        return run(lambda: replay_in_console(recording, pace, from_, shown, environment))
    options = TailOptions(
        selection=chosen,
        format=_format(format, json),
        envelope=envelope,
        times=times,
        seq=seq,
        most=count,
        until=TypePattern(until or []),
        hold=hold,
        progress=False,
        span=span(from_, to),
    )
    room = RecordedRoom(recording, speed=speed_factor(speed or "max"), stdin=environment.stdin)
    return run(lambda: run_tail(room, options, environment))
