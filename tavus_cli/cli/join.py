"""The command ``join``: the live console."""

from typing import Annotated

import typer

from tavus_cli.cli.app import app
from tavus_cli.cli.creating import Body, EndOnExit, Fields, New, Wanted, join_room, with_fields
from tavus_cli.cli.options import (
    All,
    BaseUrl,
    Color,
    ConversationId,
    Hold,
    JoinTimeout,
    Json,
    Name,
    Partials,
    Proxy,
    ReadyTimeout,
    Record,
    Target,
    Theme,
    duration_option,
    environment_of,
)


@app.command()
@with_fields("persona_id", "replica_id", "chat", "require_auth")
def join(
    ctx: typer.Context,
    target: Target = None,
    new: New = False,
    end_on_exit: EndOnExit = False,
    body: Body = None,
    name: Name = "tavus-console",
    record: Record = None,
    all: All = False,
    partials: Partials = False,
    hold: Hold = 0.25,
    join_timeout: JoinTimeout = 45.0,
    ready_timeout: ReadyTimeout = 300.0,
    reply_timeout: Annotated[float, duration_option("From a pipe: how long a reply may take.", "60s")] = 60.0,
    daily_proxy: Proxy = None,
    conversation_id: ConversationId = None,
    base_url: BaseUrl = None,
    color: Color = "auto",
    theme: Theme = "auto",
    json: Json = False,
    *,
    fields: Fields,
) -> int:
    """Live console: events above, a prompt below. Without a terminal, commands come from standard input."""
    from tavus_cli.commands.join.commander import JoinOptions
    from tavus_cli.language.selection import Selection
    from tavus_cli.target import RoomOptions

    environment = environment_of(ctx, color, theme)
    what = JoinOptions(
        selection=Selection(all=all, partials=partials),
        hold=hold,
        record=record,
        ready_timeout=ready_timeout,
        reply_timeout=reply_timeout,
        history=environment.settings.history,
        events_kept=environment.settings.events_kept,
        clipboard=environment.settings.clipboard,
    )
    wanted = Wanted(new, end_on_exit, fields, body, base_url)
    options = RoomOptions(name, join_timeout, daily_proxy, conversation_id)
    return join_room(target, wanted, options, what, environment)
