"""Options that several commands share, and what they become.

Here and where commands are, annotations are no strings: typer would evaluate each of them at every start.
"""

import contextlib
import os
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from tavus_cli.errors import UsageError
from tavus_cli.session.environment import Environment, is_tty
from tavus_cli.views.theme import ColorChoice, ThemeName

if TYPE_CHECKING:
    from tavus_cli.rooms.room import Room
    from tavus_cli.target import RoomOptions

Target = Annotated[
    str | None,
    typer.Argument(
        metavar="[TARGET]",
        envvar="TAVUS_CONVERSATION",
        show_envvar=False,
        help="A room's URL, a conversation id, sim (sim:FILE.toml, sim:?seed=7&reorder=0.2), or - for what "
        "conversation create printed; else $TAVUS_CONVERSATION.",
    ),
]


def _seconds(value: Any) -> float:
    from tavus_cli.language.grammar import duration

    try:
        return value if isinstance(value, float) else duration(value)
    except UsageError as error:
        raise typer.BadParameter(str(error)) from None


def duration_option(help: str, shown: str | bool, *names: str, setting: bool = False) -> Any:
    return typer.Option(
        *names,
        parser=_seconds,
        metavar="DURATION",
        show_default=shown,
        help=help,
        callback=_or_setting if setting else None,
    )


def _or_setting(ctx: typer.Context, param: typer.CallbackParam, value: Any) -> Any:
    """What the command line says; where it is silent, the setting of the same name."""
    source = ctx.get_parameter_source(param.name or "")
    if source is not None and source.name == "COMMANDLINE":
        return value
    environment = cast(Environment, ctx.obj)
    if ctx.info_name == "doctor":  # it tells what is wrong with them, rather than to fail by it
        environment.check_settings()
    return getattr(environment.settings, param.name or "")


Name = Annotated[str, typer.Option(callback=_or_setting, help="Your name in the room.")]
JoinTimeout = Annotated[float, duration_option("How long joining may take.", "45s", setting=True)]
ReadyTimeout = Annotated[float, duration_option("How long to wait for the PAL.", "300s", setting=True)]
Proxy = Annotated[
    str | None,
    typer.Option(callback=_or_setting, metavar="URL", help="A reverse proxy that leads to Daily."),
]
ConversationId = Annotated[
    str | None,
    typer.Option(metavar="ID", help="The conversation's id, where the room is not named as it."),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(metavar="URL", help="The API's root, without /v2; else $TAVUS_API_BASE_URL."),
]
Hold = Annotated[
    float, duration_option("How long to wait for a missing sequence number.", "250ms", setting=True)
]
Record = Annotated[str | None, typer.Option(metavar="FILE", help="Write a recording; the file must be new.")]
Color = Annotated[ColorChoice, typer.Option(callback=_or_setting, help="Colours on standard output.")]
Theme = Annotated[ThemeName, typer.Option(callback=_or_setting, help="Which colours.")]
Json = Annotated[bool, typer.Option("--json", help="Errors as one JSON object on standard error.")]
All = Annotated[
    bool,
    typer.Option(
        "--all/--no-all",
        callback=_or_setting,
        help="Show folded events too: twins, heartbeats, partials.",
    ),
]
Partials = Annotated[
    bool,
    typer.Option("--partials/--no-partials", callback=_or_setting, help="Show streaming text as it grows."),
]
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


def environment_of(
    ctx: typer.Context, color: ColorChoice = "auto", theme: ThemeName | None = None
) -> Environment:
    """What ``main`` made, with the colours this command was asked for."""
    environment = cast(Environment, ctx.obj)
    environment.color = color
    environment.theme_name = theme
    return environment


def room_of(
    target: str | None,
    name: str,
    join_timeout: float,
    daily_proxy: str | None,
    conversation_id: str | None = None,
    *,
    environment: Environment,
    base_url: str | None,
) -> "Room":
    """The room of a TARGET, from options as they come."""
    from tavus_cli.target import RoomOptions

    options = RoomOptions(name, join_timeout, daily_proxy, conversation_id)
    return open_target(target, options, environment, base_url)


def open_target(
    target: str | None, options: "RoomOptions", environment: Environment, base_url: str | None
) -> "Room":
    """The room of a TARGET: the API is asked about an id, and for "-" standard input is read."""
    from tavus_cli.protocol.wire import is_conversation_id
    from tavus_cli.target import open_room

    if target and is_conversation_id(target):
        from tavus_cli.resident.room import find

        if (room := find(target, timeout=options.join_timeout)) is not None:
            return room
    return open_room(*found_target(target, options, environment, base_url))


def found_target(
    target: str | None, options: "RoomOptions", environment: Environment, base_url: str | None
) -> "tuple[str | None, RoomOptions]":
    """A TARGET that a room can be opened for by itself, whatever an id or "-" stood for."""
    from tavus_cli.protocol.wire import is_conversation_id

    if not target or not (target == "-" or is_conversation_id(target)):
        return target, options
    from tavus_cli.api.conversations import resolve

    text = _piped(environment) if target == "-" else target
    found = resolve(text, environment.environ, base_url, environment.warn, piped=target == "-")
    name = options.conversation_id or found.conversation_id
    return found.target, options._replace(conversation_id=name)


def _piped(environment: Environment) -> str:
    """All of standard input, which is then the terminal again where there is one: for a prompt."""
    text = environment.stdin.read()
    with contextlib.suppress(OSError, ValueError, AttributeError):
        if is_tty(environment.stdout):
            terminal = os.open("/dev/tty", os.O_RDWR)
            os.dup2(terminal, environment.stdin.fileno())
            os.close(terminal)
    return text
