"""Options about what ``tail`` and ``replay`` print: one argument, ``view``."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tavus_cli.cli.app import SHOW
from tavus_cli.cli.gathered import Command, gathered, option
from tavus_cli.cli.options import SETTING, All, Hold, Partials, Seq, Times
from tavus_cli.errors import UsageError

if TYPE_CHECKING:
    from tavus_cli.commands.tail import TailOptions

    View = TailOptions
else:
    View = Any  # the type of a command's parameter ``view``, named without importing it

_OPTIONS = (
    option(
        "format",
        Annotated[
            str,
            typer.Option(
                "--format",
                "-f",
                metavar="FORMAT",
                help="pretty, jsonl, or a template: '{time} {role} {text}'.",
                rich_help_panel=SHOW,
            ),
        ],
        "pretty",
    ),
    option(
        "only",
        Annotated[
            list[str] | None,
            typer.Option(
                metavar="TYPE", help="Only these event types: utterance, 'replica.*'.", rich_help_panel=SHOW
            ),
        ],
    ),
    option(
        "ignore",
        Annotated[
            list[str] | None,
            typer.Option(metavar="TYPE", help="Leave out these event types.", rich_help_panel=SHOW),
        ],
    ),
    option(
        "where",
        Annotated[
            str | None,
            typer.Option(
                metavar="JMESPATH",
                help="Only messages for which this expression is true.",
                rich_help_panel=SHOW,
            ),
        ],
    ),
    option(
        "turn", Annotated[int | None, typer.Option(metavar="N", help="Only this turn.", rich_help_panel=SHOW)]
    ),
    option(
        "role",
        Annotated[
            str | None,
            typer.Option(metavar="user|pal", help="Only events of this role.", rich_help_panel=SHOW),
        ],
    ),
    option(
        "count",
        Annotated[int | None, typer.Option("--count", "-n", min=1, metavar="N", help="End after N events.")],
    ),
    option(
        "until",
        Annotated[list[str] | None, typer.Option(metavar="TYPE", help="End after an event of this type.")],
    ),
    option("partials", Partials, SETTING),
    option("all", All, SETTING),
    option(
        "envelope",
        Annotated[
            bool,
            typer.Option(
                "--envelope",
                help="With jsonl: put each message into an object with its time, turn and marks.",
                rich_help_panel=SHOW,
            ),
        ],
        False,
    ),
    option("hold", Hold, SETTING),
    option("times", Times, "auto"),
    option("seq", Seq, False),
    option(
        "json",
        Annotated[
            bool,
            typer.Option(
                "--json", help="The same as --format jsonl; errors are JSON too, on standard error."
            ),
        ],
        False,
    ),
)


def _view(values: dict[str, Any]) -> View:
    """Raises UsageError for an invalid filter, and if --json contradicts --format."""
    from tavus_cli.commands.tail import TailOptions
    from tavus_cli.language.selection import TypePattern, selection

    filters = ("only", "ignore", "where", "turn", "role", "partials", "all")
    chosen = selection(*[values.pop(name) for name in filters])
    if values.pop("json"):
        if values["format"] not in ("pretty", "jsonl"):
            raise UsageError("--json is --format jsonl: leave one of them out")
        values["format"] = "jsonl"
    values["most"] = values.pop("count")
    values["until"] = TypePattern(values["until"] or [])
    return TailOptions(selection=chosen, **values)


def with_view(function: Command) -> Command:
    """Add the options to a command, which gets them as ``view``."""
    return gathered("view", _OPTIONS, _view, first=True)(function)
