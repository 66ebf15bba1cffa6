"""Options that several commands share, and that a command gets as one argument."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

Command = Callable[..., int]
KEYWORD = inspect.Parameter.KEYWORD_ONLY


def option(name: str, annotation: Any, default: Any = None) -> inspect.Parameter:
    return inspect.Parameter(name, KEYWORD, default=default, annotation=annotation)


def gathered(
    name: str,
    options: Sequence[inspect.Parameter],
    value: Callable[[dict[str, Any]], Any],
    *,
    first: bool = False,
) -> Callable[[Command], Command]:
    """Add ``options`` to a command, which gets what ``value`` makes of theirs as the argument ``name``.

    In --help they come after the command's own options, or ``first``.
    """

    def decorate(function: Command) -> Command:
        @functools.wraps(function)
        def command(**given: Any) -> int:
            taken = {one.name: given.pop(one.name) for one in options}
            return function(**given, **{name: value(taken)})

        signature = inspect.signature(function)
        own = [one.replace(kind=KEYWORD) for one in signature.parameters.values() if one.name != name]
        every = [*options, *own] if first else [*own, *options]
        command.__signature__ = signature.replace(parameters=every)  # type: ignore[attr-defined]
        command.__annotations__ = {one.name: one.annotation for one in every}
        return command

    return decorate
