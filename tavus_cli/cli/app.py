"""The program itself: its typer application, how --help looks, and the options of the whole."""

from __future__ import annotations

import copy
import re
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.models import CommandInfo, TyperInfo

from tavus_cli import __version__
from tavus_cli.errors import EXIT_STATUS_HELP
from tavus_cli.session.environment import PROGRAM

_EPILOG = "\b\nExit status:\n" + "\n".join(f"{int(one):>5}  {text}" for one, text in EXIT_STATUS_HELP.items())


ARGUMENTS, OPTIONS = "Arguments", "Options"
# Groups of options, in the order of --help.
SUITES = "Many scripts, many times"
GATES, SHOW, CREATING, TOOLS = "Gates", "What to show", "Creating a conversation", "Answering tool calls"
JOINING = "Connection"
_GROUPS = (ARGUMENTS, OPTIONS, SUITES, GATES, SHOW, CREATING, TOOLS, JOINING)
_RANGE = r"(\[|; )(?:\d+<=)?x[<>]=?\d+(?=\]$)"  # "[x>=1]", "[default: 5; x>=1]"


_Info = CommandInfo | TyperInfo  # of a command, of a group of them


# In the order of --help.
COMMANDS = (
    *("join", "tail", "send", "run", "script", "session", "tools", "replay", "report", "redact"),
    *("local", "webhooks", "conversation", "auth", "config", "doctor", "completion", "help"),
)


class Program(TyperGroup):
    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(super().list_commands(ctx), key=COMMANDS.index)


class CommandLine(typer.Typer):
    """Builds only the command that is named: building all takes longer than most of them run.

    Where none is named, as in --help, they are built without their options.
    """

    def __call__(self, arguments: list[str], **options: Any) -> Any:
        every: list[_Info] = [*self.registered_commands, *self.registered_groups]
        named = {_name(one): one for one in every}
        narrowed = copy.copy(self)
        if arguments and arguments[0] in named:
            kept = [named[arguments[0]]]
        elif named.keys() & set(arguments):  # behind an option of the whole
            kept = list(named.values())
        else:
            kept = [_outline(one) for one in named.values()]
        narrowed.registered_commands = [one for one in kept if isinstance(one, CommandInfo)]
        narrowed.registered_groups = [one for one in kept if isinstance(one, TyperInfo)]
        return typer.Typer.__call__(narrowed, arguments, **options)


def _name(one: _Info) -> str:
    return str(one.name or getattr(one.callback, "__name__", ""))


def _outline(one: _Info) -> CommandInfo:
    help = one.typer_instance.info.help if isinstance(one, TyperInfo) and one.typer_instance else None
    return CommandInfo(_name(one), callback=_nothing, help=help or one.callback.__doc__)


def _nothing() -> None:
    pass


class Command(TyperCommand):
    """A command whose --help has its options in groups (``rich_help_panel``), without importing rich."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Typer's metavar, without braces around required arguments, except for choices."""
        return [one if "|" in one else one.strip("{}") for one in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        groups: dict[str, list[tuple[str, str]]] = {title: [] for title in _GROUPS}
        for param in self.get_params(ctx):
            if (row := param.get_help_record(ctx)) is not None:
                own = OPTIONS if param.param_type_name == "option" else ARGUMENTS
                title = getattr(param, "rich_help_panel", None) or own
                groups[title].append((row[0], _without_range(row[1])))
        for title, rows in groups.items():
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


def _without_range(help: str) -> str:
    """Leave ranges out of --help; the error for a number out of range says it."""
    return re.sub(_RANGE, lambda found: "" if found[1] == "; " else "[", help).removesuffix("[]").rstrip()


def examples(*lines: str) -> dict[str, Any]:
    """What ``@app.command(**…)`` takes: examples under --help, each without the program's name."""
    text = "\n".join(f"  {PROGRAM} {line}" for line in lines)
    return {"cls": Command, "epilog": f"\b\nExamples:\n{text}"}


app = CommandLine(
    cls=Program,
    add_completion=False,  # completions/ has static scripts, which are faster and contain no remote text
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
