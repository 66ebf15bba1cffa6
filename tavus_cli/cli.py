"""The command line: options in, one call out. No logic, and nothing heavy is imported at its top."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, cast

import typer

from tavus_cli import __version__
from tavus_cli.errors import EXIT_STATUS_HELP, ConsoleError, ExitStatus, UsageError
from tavus_cli.session.environment import PROGRAM, Environment
from tavus_cli.views.theme import ColorChoice

if TYPE_CHECKING:
    from tavus_cli.rooms.room import Room

_EPILOG = "\b\nExit status:\n" + "\n".join(f"{int(one):>5}  {text}" for one, text in EXIT_STATUS_HELP.items())

app = typer.Typer(
    add_completion=False,  # completions/ holds static scripts: faster, and nothing remote in a shell
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_EPILOG,
)

# -- options that several commands share -------------------------------------------------------------

Target = Annotated[
    str | None,
    typer.Argument(
        metavar="[TARGET]",
        envvar="TAVUS_CONVERSATION",
        show_envvar=False,
        help="A room's URL, a conversation id, or sim (sim:FILE.toml, sim:?seed=7&reorder=0.2); "
        "else $TAVUS_CONVERSATION.",
    ),
]


def _seconds(value: Any) -> float:
    from tavus_cli.language.grammar import duration

    try:
        return value if isinstance(value, float) else duration(value)
    except UsageError as error:
        raise typer.BadParameter(str(error)) from None


def _duration(help: str, shown: str | bool, *names: str) -> Any:
    return typer.Option(*names, parser=_seconds, metavar="DURATION", show_default=shown, help=help)


Name = Annotated[str, typer.Option(help="How you are called in the room.")]
JoinTimeout = Annotated[float, _duration("How long joining may take.", "45s")]
ReadyTimeout = Annotated[float, _duration("How long the PAL may take to come.", "300s")]
Proxy = Annotated[
    str | None,
    typer.Option(envvar="TAVUS_DAILY_PROXY", metavar="URL", help="A reverse proxy that leads to Daily."),
]
Hold = Annotated[float, _duration("How long a missing number is waited for.", "250ms")]
Record = Annotated[str | None, typer.Option(metavar="FILE", help="Write a recording; the file must be new.")]
Color = Annotated[ColorChoice, typer.Option(help="Colours on standard output.")]
Json = Annotated[bool, typer.Option("--json", help="Errors as one JSON object on standard error.")]
All = Annotated[bool, typer.Option("--all", help="Show what is folded too: twins, heartbeats, partials.")]
Partials = Annotated[bool, typer.Option("--partials", help="Show streaming text as it grows.")]
Format = Annotated[
    str,
    typer.Option(
        "--format", "-f", metavar="FORMAT", help="pretty, jsonl, or a template: '{time} {role} {text}'."
    ),
]
Only = Annotated[
    list[str] | None, typer.Option(metavar="TYPE", help="Only these event types: utterance, 'replica.*'.")
]
Ignore = Annotated[list[str] | None, typer.Option(metavar="TYPE", help="All event types but these.")]
Where = Annotated[
    str | None, typer.Option(metavar="JMESPATH", help="Only messages for which the expression is true.")
]
Turn = Annotated[int | None, typer.Option(metavar="N", help="Only this turn.")]
Role = Annotated[str | None, typer.Option(metavar="user|pal", help="Only what this role did.")]
Count = Annotated[int | None, typer.Option("--count", "-n", min=1, metavar="N", help="End after N events.")]
Until = Annotated[list[str] | None, typer.Option(metavar="TYPE", help="End after an event of this type.")]
Envelope = Annotated[
    bool, typer.Option("--envelope", help="jsonl: each message inside an object with time, turn and marks.")
]


# -- commands ------------------------------------------------------------------------------------------


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


@app.command()
def join(
    ctx: typer.Context,
    target: Target = None,
    name: Name = "tavus-console",
    record: Record = None,
    all: All = False,
    partials: Partials = False,
    hold: Hold = 0.25,
    join_timeout: JoinTimeout = 45.0,
    ready_timeout: ReadyTimeout = 300.0,
    reply_timeout: Annotated[float, _duration("From a pipe: how long a reply may take.", "60s")] = 60.0,
    daily_proxy: Proxy = None,
    color: Color = "auto",
    json: Json = False,
) -> int:
    """Live console: events above, a prompt below. Without a terminal, commands come from standard input."""
    from tavus_cli.language.matching import Selection
    from tavus_cli.session.join import Join
    from tavus_cli.session.join import join as run_join
    from tavus_cli.session.session import run
    from tavus_cli.settings import history_file

    environment = _environment(ctx, color)
    what = Join(
        selection=Selection(all=all, partials=partials),
        hold=hold,
        record=record,
        ready_timeout=ready_timeout,
        reply_timeout=reply_timeout,
        history=history_file(environment.environ),
    )
    room = _room(target, name, join_timeout, daily_proxy)
    return run(lambda: run_join(room, what, environment))


@app.command()
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
    for_: Annotated[float | None, _duration("End after this time: 10s, 5m.", False, "--for")] = None,
    partials: Partials = False,
    all: All = False,
    envelope: Envelope = False,
    record: Record = None,
    hold: Hold = 0.25,
    name: Name = "tavus-console",
    join_timeout: JoinTimeout = 45.0,
    daily_proxy: Proxy = None,
    color: Color = "auto",
    json: Json = False,
) -> int:
    """Events to standard output, for eyes or for pipes."""
    from tavus_cli.language.matching import TypePattern, selection
    from tavus_cli.session.session import run
    from tavus_cli.session.tail import Tail
    from tavus_cli.session.tail import tail as run_tail

    environment = _environment(ctx, color)
    what = Tail(
        selection=selection(only, ignore, where, turn, role, partials, all),
        format=format,
        envelope=envelope,
        count=count,
        until=TypePattern(until or []),
        duration=for_,
        hold=hold,
        record=record,
    )
    room = _room(target, name, join_timeout, daily_proxy)
    return run(lambda: run_tail(room, what, environment))


@app.command()
def replay(
    ctx: typer.Context,
    recording: Annotated[str, typer.Argument(metavar="RECORDING", help="A recording, or bare messages.")],
    speed: Annotated[
        str, typer.Option(metavar="1|4|max", help="How fast, or as fast as it is read.")
    ] = "max",
    format: Format = "pretty",
    only: Only = None,
    ignore: Ignore = None,
    where: Where = None,
    turn: Turn = None,
    role: Role = None,
    count: Count = None,
    until: Until = None,
    partials: Partials = False,
    all: All = False,
    envelope: Envelope = False,
    hold: Hold = 0.25,
    color: Color = "auto",
    json: Json = False,
) -> int:
    """A recording through the same views."""
    from tavus_cli.language.grammar import speed_factor
    from tavus_cli.language.matching import TypePattern, selection
    from tavus_cli.rooms.recorded import RecordedRoom
    from tavus_cli.session.session import run
    from tavus_cli.session.tail import Tail
    from tavus_cli.session.tail import tail as run_tail

    environment = _environment(ctx, color)
    what = Tail(
        selection=selection(only, ignore, where, turn, role, partials, all),
        format=format,
        envelope=envelope,
        count=count,
        until=TypePattern(until or []),
        hold=hold,
    )
    room = RecordedRoom(recording, speed=speed_factor(speed))
    return run(lambda: run_tail(room, what, environment))


@app.command(context_settings={"ignore_unknown_options": True})
def send(
    ctx: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[TARGET] KIND [TEXT]",
            help="KIND is respond, echo, interrupt, context, sensitivity, tool-result, confirm or raw; "
            "TEXT as after the slash command, or - for standard input.",
        ),
    ],
    wait: Annotated[
        str | None,
        typer.Option(metavar="reply|TYPE", help="Wait for the reply to this very turn, or for an event."),
    ] = None,
    timeout: Annotated[float, _duration("How long --wait waits.", "60s")] = 60.0,
    ready_timeout: ReadyTimeout = 300.0,
    hold: Hold = 0.25,
    name: Name = "tavus-console",
    join_timeout: JoinTimeout = 45.0,
    daily_proxy: Proxy = None,
    json: Annotated[
        bool, typer.Option("--json", help="What was sent and answered, and errors, as JSON objects.")
    ] = False,
) -> int:
    """One interaction; with --wait the answer is printed: its words, or the tool call that came instead."""
    from tavus_cli.language.commands import sendable
    from tavus_cli.session.send import Send
    from tavus_cli.session.send import send as run_send
    from tavus_cli.session.session import run

    environment = _environment(ctx, "auto")
    target, action = sendable(words, environment.environ.get("TAVUS_CONVERSATION"), environment.stdin.read)
    what = Send(action, wait, timeout, ready_timeout, hold, json)
    room = _room(target, name, join_timeout, daily_proxy)
    return run(lambda: run_send(room, what, environment))


@app.command()
def completion(
    ctx: typer.Context,
    shell: Annotated[str, typer.Argument(metavar="bash|zsh|fish", help="The shell.")],
) -> int:
    """The completion script for a shell, on standard output."""
    from tavus_cli.completion import script

    cast(Environment, ctx.obj).stdout.write(script(shell))
    return ExitStatus.DONE


# -- around the commands -------------------------------------------------------------------------------


def _environment(ctx: typer.Context, color: ColorChoice) -> Environment:
    environment = cast(Environment, ctx.obj)
    environment.color = color
    return environment


def _room(target: str | None, name: str, join_timeout: float, daily_proxy: str | None) -> Room:
    from tavus_cli.rooms.target import RoomOptions, open_room

    return open_room(target, RoomOptions(name, join_timeout, daily_proxy))


def main() -> NoReturn:
    """The program: a command's status, or one line about what went wrong; never a traceback."""
    environment = Environment()
    status = run_command(sys.argv[1:], environment)
    _leave(status, environment)


def run_command(arguments: list[str], environment: Environment) -> int:
    """The exit status of a command line."""
    as_json = "--json" in arguments
    try:
        status = app(arguments, prog_name=PROGRAM, standalone_mode=False, obj=environment)
        return int(status or 0)
    except ConsoleError as error:
        _tell(error, environment, as_json)
        return error.status
    except BrokenPipeError:
        return ExitStatus.BROKEN_PIPE
    except (KeyboardInterrupt, typer.Abort):
        return ExitStatus.INT
    except _CommandLineError as error:
        return _usage(error, environment, as_json)


# The base of all errors in a command line; typer has no public name for it.
_CommandLineError = cast(type[Exception], typer.BadParameter.__mro__[2])


def _usage(error: Any, environment: Environment, as_json: bool) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":
        environment.stdout.write(error.format_message() + "\n")
        return ExitStatus.USAGE
    where = error.ctx.command_path if getattr(error, "ctx", None) is not None else PROGRAM
    line = " ".join(error.format_message().split())
    _tell(UsageError(f"{line} (see {where} --help)"), environment, as_json)
    return ExitStatus.USAGE


def _tell(error: ConsoleError, environment: Environment, as_json: bool) -> None:
    if not as_json:
        environment.warn(str(error))
        return
    from json import dumps

    body = {"reason": error.reason, "message": str(error), "exit_status": int(error.status)}
    environment.complain(dumps({"error": body}))


def _leave(status: int, environment: Environment) -> NoReturn:
    """Everything is flushed; a reader that has gone, or a thread that is stuck, holds nothing up."""
    if not environment.flush() and status == ExitStatus.DONE:
        status = ExitStatus.BROKEN_PIPE
    daily = sys.modules.get("tavus_cli.rooms.daily")
    if environment.exit_hard or (daily is not None and daily.must_exit_hard()):
        os._exit(status)
    sys.exit(status)
