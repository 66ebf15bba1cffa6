"""The command ``doctor``."""

from typing import Annotated

import typer

from tavus_cli.cli.app import app, examples
from tavus_cli.cli.joining import How, with_room
from tavus_cli.cli.options import (
    SETTING,
    Color,
    duration_option,
    environment_of,
    lasting,
)


@app.command(
    **examples(
        "doctor", "doctor --room c7f3a91d20be4b58", "doctor --room sim --send '/respond hi' --for 5s --json"
    )
)
@with_room(without=("no_reconnect", "reconnect_timeout"))
def doctor(
    ctx: typer.Context,
    room: Annotated[
        str | None,
        typer.Option(metavar="TARGET", help="Join this room: its URL, a conversation id, or sim."),
    ] = None,
    send: Annotated[
        list[str] | None,
        typer.Option(metavar="LINE", help="Send a line as typed in join: '/respond hi'. Can be repeated."),
    ] = None,
    for_: Annotated[float, duration_option("How long to count events.", "--for")] = lasting("10s"),
    ready_timeout: Annotated[float, duration_option("How long to wait for the PAL.")] = lasting("60s"),
    color: Color = SETTING,
    json: Annotated[bool, typer.Option("--json", help="Print all findings as one JSON object.")] = False,
    *,
    how: How,
) -> int:
    """Check this machine and the API, and with --room a real room.

    Checks Daily's client, the terminal, settings, the API key, the way to the API, and what is running.

    With --room it also checks a real room: join, events, sends, leave. Joining makes you a guest: it may
    start the greeting, and leaving may end the conversation.
    """
    from tavus_cli.commands.doctor.doctor import Doctor
    from tavus_cli.commands.doctor.doctor import doctor as run_doctor
    from tavus_cli.session.loop import run
    from tavus_cli.target import parse

    environment = environment_of(ctx, color)
    options = Doctor(how._replace(reconnect=None), tuple(send or ()), for_, ready_timeout, json)
    target = parse(room) if room is not None else None
    return run(lambda: run_doctor(target, options, environment))
