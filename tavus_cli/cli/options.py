"""Options that several commands share, and the values made from them.

In this folder annotations are not strings: typer would evaluate each of them at every start.
"""

from typing import Annotated, Any, cast

import typer

from tavus_cli.cli.app import JOINING, SHOW
from tavus_cli.errors import UsageError
from tavus_cli.session.environment import Environment, is_tty
from tavus_cli.settings.table import KEYS, default, typed
from tavus_cli.views.theme import ColorChoice, ThemeName, TimesChoice

SETTING: Any = None  # default of options that have a setting; _or_setting replaces it

Target = Annotated[
    str | None,
    typer.Argument(
        metavar="[TARGET]",
        help="A room's URL, a conversation id, sim (sim:FILE.toml, sim:?seed=7&reorder=0.2), or - to read "
        "what conversation create printed. Default: $TAVUS_CONVERSATION, else the only running session.",
    ),
]


def seconds(value: Any) -> float:
    from tavus_cli.language.grammar import duration

    try:
        return value if isinstance(value, float) else duration(value)
    except UsageError as error:
        raise typer.BadParameter(str(error)) from None


def duration_option(help: str, *names: str, panel: str | None = None) -> Any:
    return typer.Option(*names, parser=seconds, metavar="DURATION", help=help, rich_help_panel=panel)


def lasting(text: str) -> Any:
    """The default of a ``duration_option``, as it would be typed."""
    return text


def _or_setting(ctx: typer.Context, param: typer.CallbackParam, value: Any) -> Any:
    """The value of the command line, or else that of the setting with the same name."""
    source = ctx.get_parameter_source(param.name or "")
    if source is not None and source.name == "COMMANDLINE":
        return value
    environment = cast(Environment, ctx.obj)
    if ctx.info_name == "doctor":  # it reports wrong settings instead of failing by them
        environment.check_settings()
    return getattr(environment.settings, param.name or "")


def setting(name: str, *names: str, panel: str, help: str = "", metavar: str = "", parser: Any = None) -> Any:
    """The option for a setting, with help and default from the table."""
    shown = typed(default(name))
    return typer.Option(
        *names,
        callback=_or_setting,
        parser=parser,
        metavar=metavar or None,
        show_default=False,
        help=(help or KEYS[name].about) + (f"  [default: {shown}]" if metavar and shown else ""),
        rich_help_panel=panel,
    )


ReadyTimeout = Annotated[float, setting("ready_timeout", panel=JOINING, metavar="DURATION", parser=seconds)]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="The root of Tavus' API, without /v2.  [default: $TAVUS_API_BASE_URL]",
        rich_help_panel=JOINING,
    ),
]
Hold = Annotated[float, setting("hold", panel=SHOW, metavar="DURATION", parser=seconds)]
History = Annotated[
    int | None,
    typer.Option(
        "--history",
        min=0,
        metavar="N",
        help="In a resident session: first show the last N rows from before you joined. "
        "[default: 200 on a terminal, 0 in a pipe]",
        rich_help_panel=SHOW,
    ),
]
Record = Annotated[str | None, typer.Option(metavar="FILE", help="Write a recording to a new file.")]
Redact = Annotated[
    bool, typer.Option("--redact", help="With --record: leave out everybody's words, names and ids.")
]
Otlp = Annotated[
    str | None,
    typer.Option("--otlp", metavar="URL|FILE", help="Send OpenTelemetry traces to this URL or file."),
]
OtlpContent = Annotated[bool, typer.Option("--otlp-content", help="Include what was said in the traces.")]
Color = Annotated[
    ColorChoice,
    setting("color", panel=SHOW, metavar="auto|always|never", help="Colours on standard output."),
]
Theme = Annotated[
    ThemeName,
    setting("theme", panel=SHOW, metavar="auto|dark|light|mono|high-contrast", help="The colour theme."),
]
Times = Annotated[
    TimesChoice,
    typer.Option(
        metavar="auto|full",
        help="auto: short times below 100 columns; full: with milliseconds.",
        rich_help_panel=SHOW,
        show_default=False,
    ),
]
Seq = Annotated[bool, typer.Option("--seq", help="Show sequence numbers.", rich_help_panel=SHOW)]
Json = Annotated[bool, typer.Option("--json", help="Print an error as one JSON object on standard error.")]
All = Annotated[bool, setting("all", "--all/--no-all", panel=SHOW)]
Partials = Annotated[bool, setting("partials", "--partials/--no-partials", panel=SHOW)]


ROWS_BEFORE = 200  # earlier rows of a resident session shown on a terminal


def rows_before(history: int | None, environment: Environment) -> int:
    """The number of rows that ``--history`` means."""
    if history is not None:
        return history
    return ROWS_BEFORE if is_tty(environment.stdout) else 0


# Options that name a file to write.
_OUTPUTS = ("record", "junit", "report", "html", "otlp", "tool_log", "results")


def check_redact(redact: bool, record: str | None) -> None:
    """Raises UsageError for ``--redact`` without ``--record``."""
    if redact and record is None:
        raise UsageError("--redact goes with --record")


def environment_of(
    ctx: typer.Context, color: ColorChoice = "auto", theme: ThemeName | None = None
) -> Environment:
    """The environment made by ``main``, with the colours of this command."""
    environment = cast(Environment, ctx.obj)
    outputs = [name for name in _OUTPUTS if ctx.params.get(name) == "-"]
    if len(outputs) > 1:
        first, second = (f"--{name.replace('_', '-')}" for name in outputs[:2])
        raise UsageError(f"{first} and {second} cannot both write to standard output")
    if outputs and not environment.stdout_taken:
        environment.stdout_taken = True
        environment.stdout = environment.stderr
    environment.color = color
    environment.theme_name = theme
    return environment
