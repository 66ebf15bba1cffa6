"""The command ``doctor``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tavus_cli.cli.app import app
from tavus_cli.cli.options import (
    BaseUrl,
    Color,
    ConversationId,
    JoinTimeout,
    Name,
    Proxy,
    duration_option,
    environment_of,
    room_of,
)
from tavus_cli.errors import ConsoleError, UsageError

if TYPE_CHECKING:
    from tavus_cli.rooms.room import Room


@app.command()
def doctor(
    ctx: typer.Context,
    room: Annotated[
        str | None,
        typer.Option(metavar="TARGET", help="Join this room: its URL, a conversation id, or sim."),
    ] = None,
    send: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LINE", help="Send a line as typed in join: '/respond hi'. Several are possible."
        ),
    ] = None,
    for_: Annotated[float, duration_option("How long to count events.", "10s", "--for")] = 10.0,
    ready_timeout: Annotated[float, duration_option("How long to wait for the PAL.", "60s")] = 60.0,
    name: Name = "tavus-console",
    join_timeout: JoinTimeout = 45.0,
    daily_proxy: Proxy = None,
    conversation_id: ConversationId = None,
    base_url: BaseUrl = None,
    color: Color = "auto",
    json: Annotated[bool, typer.Option("--json", help="All findings as one JSON object.")] = False,
) -> int:
    """What works here, and with --room in a real room.

    Daily's client, terminal, settings, API key, the way to the API, what still runs.

    With --room also what works against a real room: join, events, sends, leave.
    Joining makes you a guest: it may start the greeting, and leaving may end the conversation.
    """
    from tavus_cli.commands.doctor.doctor import Doctor
    from tavus_cli.commands.doctor.doctor import doctor as run_doctor
    from tavus_cli.session.session import run

    environment = environment_of(ctx, color)
    what = Doctor(tuple(send or ()), for_, ready_timeout, base_url, json)
    target: Room | ConsoleError | None = None
    if room is not None:
        try:
            target = room_of(
                room,
                name,
                join_timeout,
                daily_proxy,
                conversation_id,
                environment=environment,
                base_url=base_url,
            )
        except UsageError:
            raise
        except ConsoleError as error:  # such as: it has ended
            target = error
    return run(lambda: run_doctor(target, what, environment))
