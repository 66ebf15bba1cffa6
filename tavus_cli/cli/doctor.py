"""The command ``doctor``."""

from __future__ import annotations

from typing import Annotated

import typer

from tavus_cli.cli.app import app
from tavus_cli.cli.options import (
    Color,
    ConversationId,
    JoinTimeout,
    Name,
    Proxy,
    duration_option,
    environment_of,
    room_of,
)


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
    ready_timeout: Annotated[float, duration_option("How long the PAL may take to come.", "60s")] = 60.0,
    name: Name = "tavus-console",
    join_timeout: JoinTimeout = 45.0,
    daily_proxy: Proxy = None,
    conversation_id: ConversationId = None,
    color: Color = "auto",
    json: Annotated[bool, typer.Option("--json", help="All findings as one JSON object.")] = False,
) -> int:
    """What works here, and with --room what works against a real room: join, events, sends, leave.

    Joining makes you a guest: it may start the greeting, and leaving may end the conversation.
    """
    from tavus_cli.session.doctor import Doctor
    from tavus_cli.session.doctor import doctor as run_doctor
    from tavus_cli.session.session import run

    environment = environment_of(ctx, color)
    what = Doctor(tuple(send or ()), for_, ready_timeout, json)
    target = None
    if room is not None:
        target = room_of(room, name, join_timeout, daily_proxy, conversation_id, environment=environment)
    return run(lambda: run_doctor(target, what, environment))
