"""Options for answering tool calls, which several commands share: one argument, ``tools``."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tavus_cli.cli.app import TOOLS

if TYPE_CHECKING:
    from tavus_cli.tools.options import ToolOptions

    Tools = ToolOptions | None
else:
    Tools = Any  # the type of a command's parameter ``tools``, named without importing it


def _option(*names: str, **more: Any) -> Any:
    return typer.Option(*names, rich_help_panel=TOOLS, **more)


_OPTIONS: dict[str, tuple[Any, Any]] = {
    "tool": (
        Annotated[
            list[str] | None,
            _option(
                metavar="NAME=COMMAND",
                help="Answer calls to this tool, or glob, with a program or a URL. Can be repeated.",
            ),
        ],
        None,
    ),
    "tools_file": (
        Annotated[str | None, _option("--tools", metavar="FILE", help="Tools from a TOML file.")],
        None,
    ),
    "tool_reply": (
        Annotated[
            str | None,
            _option(
                metavar="echo|append|respond|none",
                help="How to answer calls without an id.  [default: append]",
            ),
        ],
        None,
    ),
    "tool_from": (
        Annotated[str, _option(metavar="pal|any", help="Whose calls to run.")],
        "pal",
    ),
    "max_calls": (
        Annotated[int, _option(min=1, metavar="N", help="At most this many calls run in a turn.")],
        5,
    ),
    "cut": (Annotated[bool, _option("--cut", help="Cut replies of over 4,096 bytes.")], False),
    "tool_log": (
        Annotated[
            str | None, _option(metavar="FILE", help="Append a line of JSON to this file for each call.")
        ],
        None,
    ),
}


def with_tools(function: Callable[..., int]) -> Callable[..., int]:
    """Add the options to a command, which gets them as ``tools``, None if none was given."""

    @functools.wraps(function)
    def command(**given: Any) -> int:
        tools = _taken(given)
        return function(**given, tools=tools)

    signature = inspect.signature(function)
    keyword = inspect.Parameter.KEYWORD_ONLY
    own = [one.replace(kind=keyword) for one in signature.parameters.values() if one.name != "tools"]
    more = [
        inspect.Parameter(name, keyword, default=default, annotation=annotation)
        for name, (annotation, default) in _OPTIONS.items()
    ]
    command.__signature__ = signature.replace(parameters=[*own, *more])  # type: ignore[attr-defined]
    command.__annotations__ = {one.name: one.annotation for one in [*own, *more]}
    return command


def _taken(given: dict[str, Any]) -> Tools:
    values = {name: given.pop(name) for name in _OPTIONS}
    if values == {name: default for name, (_, default) in _OPTIONS.items()}:
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
