"""Options for what a conversation is created with, made from the table in ``creation``."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from tavus_cli.cli.options import duration_option
from tavus_cli.creation import BY_NAME, FIELDS, Field, Json, creation_body, parse_body
from tavus_cli.errors import UsageError
from tavus_cli.session.environment import Environment

Body = Annotated[
    str | None,
    typer.Option(
        "--body", metavar="FILE", help="The request's JSON, or - for standard input; options go over it."
    ),
]
ALL = tuple(field.name for field in FIELDS)


def with_fields(*names: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """A command gets an option for each of these fields; they come as one argument, ``fields``."""

    def decorate(function: Callable[..., int]) -> Callable[..., int]:
        @functools.wraps(function)
        def command(**given: Any) -> int:
            fields = {name: given.pop(name) for name in names}
            return function(**given, fields=fields)

        signature = inspect.signature(function, eval_str=True)
        own = [one for one in signature.parameters.values() if one.name != "fields"]
        own = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own]
        more = [_parameter(BY_NAME[name]) for name in names]
        command.__signature__ = signature.replace(parameters=[*own, *more])  # type: ignore[attr-defined]
        command.__annotations__ = {one.name: one.annotation for one in [*own, *more]}
        return command

    return decorate


def body_of(fields: Json, body: str | None, environment: Environment) -> Json:
    """What is sent. Raises UsageError."""
    return creation_body(fields, _read(body, environment) if body is not None else None)


def _read(path: str, environment: Environment) -> Json:
    if path == "-":
        return parse_body(environment.stdin.read(), "-")
    try:
        with open(path, encoding="utf-8") as file:
            return parse_body(file.read(), path)
    except (OSError, ValueError) as error:
        raise UsageError(f"--body cannot be read: {error}") from None


def _parameter(field: Field) -> inspect.Parameter:
    kinds: dict[str, Any] = {"flag": bool, "whole": int | None, "texts": list[str] | None}
    default = False if field.kind == "flag" else None
    if field.kind == "seconds":
        annotation: Any = Annotated[float | None, duration_option(field.help, False, *field.options)]
    elif field.kind == "flag":
        annotation = Annotated[bool, typer.Option(*field.options, help=field.help)]
    else:
        option = typer.Option(*field.options, metavar=field.metavar, help=field.help, show_default=False)
        annotation = Annotated[kinds.get(field.kind, str | None), option]
    keyword = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(field.name, keyword, default=default, annotation=annotation)
