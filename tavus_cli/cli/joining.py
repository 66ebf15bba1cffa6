"""Options for joining a room, which several commands share: one argument, ``how``."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tavus_cli.cli.app import JOINING
from tavus_cli.cli.gathered import Command, gathered, option
from tavus_cli.cli.options import SETTING, BaseUrl, duration_option, lasting, seconds, setting

if TYPE_CHECKING:
    from tavus_cli.target import RoomOptions

    How = RoomOptions
else:
    How = Any  # the type of a command's parameter ``how``, named without importing it

_RECONNECT = "5m"
_OPTIONS = {
    one.name: one
    for one in (
        option("name", Annotated[str, setting("name", panel=JOINING, metavar="NAME")], SETTING),
        option(
            "join_timeout",
            Annotated[float, setting("join_timeout", panel=JOINING, metavar="DURATION", parser=seconds)],
            SETTING,
        ),
        option(
            "daily_proxy",
            Annotated[
                str | None,
                setting(
                    "daily_proxy", panel=JOINING, metavar="URL", help="A reverse proxy that leads to Daily."
                ),
            ],
            SETTING,
        ),
        option(
            "no_reconnect",
            Annotated[
                bool,
                typer.Option(
                    "--no-reconnect", help="Do not join again after being cut off.", rich_help_panel=JOINING
                ),
            ],
            False,
        ),
        option(
            "reconnect_timeout",
            Annotated[
                float,
                duration_option(
                    "How long to try to join again after being cut off.",
                    "--reconnect-timeout",
                    panel=JOINING,
                ),
            ],
            lasting(_RECONNECT),
        ),
        option(
            "conversation_id",
            Annotated[
                str | None,
                typer.Option(
                    metavar="ID",
                    help="The conversation's id, for a room that is not named after it.",
                    rich_help_panel=JOINING,
                ),
            ],
        ),
        option("base_url", BaseUrl),
    )
}


def _how(values: dict[str, Any]) -> How:
    """Commands that lack the options for it join again, too, for the default time."""
    from tavus_cli.target import RoomOptions

    timeout = values.pop("reconnect_timeout", None) or seconds(_RECONNECT)
    reconnect = None if values.pop("no_reconnect", False) else timeout
    return RoomOptions(**values, reconnect=reconnect)


def with_room(*, without: tuple[str, ...] = ()) -> Callable[[Command], Command]:
    """Add the options to a command, which gets them as ``how``; ``without`` some of them."""
    options = [one for name, one in _OPTIONS.items() if name not in without]
    return gathered("how", options, _how)
