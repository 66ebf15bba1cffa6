"""Options for the fields of a new conversation, made from the table in ``api.creation``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from tavus_cli.api.creation import BY_NAME, FIELDS, Field, Json
from tavus_cli.cli.app import CREATING
from tavus_cli.cli.gathered import Command, gathered, option
from tavus_cli.cli.options import duration_option
from tavus_cli.errors import UsageError

Body = Annotated[
    str | None,
    typer.Option(
        "--body",
        metavar="FILE",
        help="A file with the request's JSON, or - for standard input; options override it.",
        rich_help_panel=CREATING,
    ),
]
MaxMinutes = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="With --new: Tavus ends it after N minutes, even if this console is gone.",
        rich_help_panel=CREATING,
    ),
]
Fields = Json  # fields of a new conversation, by their names in the API
ALL = tuple(field.name for field in FIELDS)


def new_fields(new: bool, fields: Fields, body: str | None, max_minutes: int | None) -> Fields:
    """``fields`` with --max-minutes. Raises UsageError if they are given without --new."""
    if max_minutes is not None:
        fields = fields | {"max_call_duration": max_minutes * 60}
    if not new and (any(fields.values()) or body is not None):
        raise UsageError("--pal, --max-minutes and the like need --new: they are for a new conversation")
    return fields


def with_fields(*names: str) -> Callable[[Command], Command]:
    """Add an option for each of these fields to a command, which gets them as one argument, ``fields``."""
    return gathered("fields", [_parameter(BY_NAME[name]) for name in names], lambda fields: fields)


def _parameter(field: Field) -> inspect.Parameter:
    kinds: dict[str, Any] = {"flag": bool, "whole": int | None, "texts": list[str] | None}
    if field.kind == "seconds":
        annotation: Any = Annotated[float | None, duration_option(field.help, *field.options, panel=CREATING)]
    elif field.kind == "flag":
        annotation = Annotated[bool, typer.Option(*field.options, help=field.help, rich_help_panel=CREATING)]
    else:
        own = typer.Option(
            *field.options,
            metavar=field.metavar,
            help=field.help,
            show_default=False,
            rich_help_panel=CREATING,
        )
        annotation = Annotated[kinds.get(field.kind, str | None), own]
    return option(field.name, annotation, False if field.kind == "flag" else None)
