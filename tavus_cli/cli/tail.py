"""The commands ``tail`` and ``replay``: events to standard output, live and from a recording."""

from typing import Annotated

import typer

from tavus_cli.cli.app import app
from tavus_cli.cli.options import (
    All,
    BaseUrl,
    Color,
    ConversationId,
    Count,
    Envelope,
    Format,
    Hold,
    Ignore,
    JoinTimeout,
    Json,
    Name,
    Only,
    Partials,
    Proxy,
    Record,
    Role,
    Target,
    Theme,
    Turn,
    Until,
    Where,
    duration_option,
    environment_of,
    room_of,
)


@app.command()
def tail(
    ctx: typer.Context,
    target: Target = None,
    format: Format = "pretty",
    only: Only = None,
    ignore: Ignore = None,
    where: Where = None,
    turn: Turn = None,
    role: Role = None,
    count: Count = None,
    until: Until = None,
    for_: Annotated[float | None, duration_option("End after this time: 10s, 5m.", False, "--for")] = None,
    partials: Partials = False,
    all: All = False,
    envelope: Envelope = False,
    record: Record = None,
    hold: Hold = 0.25,
    name: Name = "tavus-console",
    join_timeout: JoinTimeout = 45.0,
    daily_proxy: Proxy = None,
    conversation_id: ConversationId = None,
    base_url: BaseUrl = None,
    color: Color = "auto",
    theme: Theme = "auto",
    json: Json = False,
) -> int:
    """Events to standard output, for eyes or for pipes."""
    from tavus_cli.commands.tail import TailOptions
    from tavus_cli.commands.tail import tail as run_tail
    from tavus_cli.language.selection import TypePattern, selection
    from tavus_cli.session.session import run

    environment = environment_of(ctx, color, theme)
    what = TailOptions(
        selection=selection(only, ignore, where, turn, role, partials, all),
        format=format,
        envelope=envelope,
        count=count,
        until=TypePattern(until or []),
        duration=for_,
        hold=hold,
        record=record,
    )
    room = room_of(
        target, name, join_timeout, daily_proxy, conversation_id, environment=environment, base_url=base_url
    )
    return run(lambda: run_tail(room, what, environment))


@app.command()
def replay(
    ctx: typer.Context,
    recording: Annotated[str, typer.Argument(metavar="RECORDING", help="A recording, or bare messages.")],
    speed: Annotated[
        str, typer.Option(metavar="1|4|max", help="How fast, or as fast as it is read.")
    ] = "max",
    format: Format = "pretty",
    only: Only = None,
    ignore: Ignore = None,
    where: Where = None,
    turn: Turn = None,
    role: Role = None,
    count: Count = None,
    until: Until = None,
    partials: Partials = False,
    all: All = False,
    envelope: Envelope = False,
    hold: Hold = 0.25,
    color: Color = "auto",
    theme: Theme = "auto",
    json: Json = False,
) -> int:
    """A recording through the same views."""
    from tavus_cli.commands.tail import TailOptions
    from tavus_cli.commands.tail import tail as run_tail
    from tavus_cli.language.grammar import speed_factor
    from tavus_cli.language.selection import TypePattern, selection
    from tavus_cli.rooms.recorded import RecordedRoom
    from tavus_cli.session.session import run

    environment = environment_of(ctx, color, theme)
    what = TailOptions(
        selection=selection(only, ignore, where, turn, role, partials, all),
        format=format,
        envelope=envelope,
        count=count,
        until=TypePattern(until or []),
        hold=hold,
        progress=False,
    )
    room = RecordedRoom(recording, speed=speed_factor(speed))
    return run(lambda: run_tail(room, what, environment))
