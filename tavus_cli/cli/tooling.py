"""Options for answering tool calls, which several commands share: one argument, ``tools``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tavus_cli.cli.app import TOOLS
from tavus_cli.cli.gathered import Command, gathered, option

if TYPE_CHECKING:
    from tavus_cli.tools.options import ToolOptions

    Tools = ToolOptions | None
else:
    Tools = Any  # the type of a command's parameter ``tools``, named without importing it


def _option(*names: str, **more: Any) -> Any:
    return typer.Option(*names, rich_help_panel=TOOLS, **more)


_OPTIONS = (
    option(
        "tool",
        Annotated[
            list[str] | None,
            _option(
                metavar="NAME=COMMAND",
                help="Answer calls to this tool, or glob, with a program or a URL. Can be repeated.",
            ),
        ],
    ),
    option(
        "tools_file",
        Annotated[str | None, _option("--tools", metavar="FILE", help="Tools from a TOML file.")],
    ),
    option(
        "tool_reply",
        Annotated[
            str | None,
            _option(
                metavar="echo|append|respond|none",
                help="How to answer calls without an id.  [default: append]",
            ),
        ],
    ),
    option("tool_from", Annotated[str, _option(metavar="pal|any", help="Whose calls to run.")], "pal"),
    option(
        "max_calls",
        Annotated[int, _option(min=1, metavar="N", help="At most this many calls run in a turn.")],
        5,
    ),
    option("cut", Annotated[bool, _option("--cut", help="Cut replies of over 4,096 bytes.")], False),
    option(
        "tool_log",
        Annotated[
            str | None, _option(metavar="FILE", help="Append a line of JSON to this file for each call.")
        ],
    ),
)


def _tools(values: dict[str, Any]) -> Tools:
    """None if no option was given."""
    if values == {one.name: one.default for one in _OPTIONS}:
        return None
    from tavus_cli.tools.options import tool_options

    return tool_options(
        values["tool"],
        values["tools_file"],
        values["tool_reply"],
        values["tool_from"],
        values["max_calls"],
        values["cut"],
        values["tool_log"],
    )


def with_tools(function: Command) -> Command:
    """Add the options to a command, which gets them as ``tools``, None if none was given."""
    return gathered("tools", _OPTIONS, _tools)(function)
