"""The command ``join``: the live console."""

from typing import Annotated

import typer

from tavus_cli.cli.app import CREATING, app, examples
from tavus_cli.cli.fields import Body, Fields, MaxMinutes, new_fields, with_fields
from tavus_cli.cli.joining import How, with_room
from tavus_cli.cli.options import (
    SETTING,
    All,
    Color,
    History,
    Hold,
    Json,
    Partials,
    ReadyTimeout,
    Record,
    Redact,
    Seq,
    Target,
    Theme,
    Times,
    check_redact,
    duration_option,
    environment_of,
    lasting,
    rows_before,
)
from tavus_cli.cli.tooling import Tools, with_tools


@app.command(
    **examples(
        "join sim",
        "join c7f3a91d20be4b58 --record talk.jsonl",
        "join --new --pal p5d11710002a",
        "join sim < lines.txt",
    )
)
@with_fields("persona_id", "replica_id", "chat", "require_auth")
@with_tools
@with_room()
def join(
    ctx: typer.Context,
    target: Target = None,
    new: Annotated[
        bool,
        typer.Option(
            "--new",
            help="Create a conversation (see --pal, --face, --body) and join it. It is ended if an error or "
            "a signal stops the console; after /quit it continues.",
            rich_help_panel=CREATING,
        ),
    ] = False,
    end_on_exit: Annotated[
        bool, typer.Option("--end-on-exit", help="End the conversation for everybody when you leave.")
    ] = False,
    max_minutes: MaxMinutes = None,
    body: Body = None,
    record: Record = None,
    redact: Redact = False,
    all: All = SETTING,
    partials: Partials = SETTING,
    hold: Hold = SETTING,
    ready_timeout: ReadyTimeout = SETTING,
    reply_timeout: Annotated[float, duration_option("From a pipe: how long to wait for a reply.")] = lasting(
        "60s"
    ),
    color: Color = SETTING,
    theme: Theme = SETTING,
    times: Times = "auto",
    seq: Seq = False,
    history: History = None,
    json: Json = False,
    *,
    how: How,
    fields: Fields,
    tools: Tools,
) -> int:
    """Join a conversation: events above, a prompt below.

    Without a terminal, commands are read from standard input.
    """
    from tavus_cli.commands.join.commander import JoinOptions
    from tavus_cli.commands.join.opening import New, join_new, join_target
    from tavus_cli.language.selection import Selection
    from tavus_cli.target import parse

    environment = environment_of(ctx, color, theme)
    check_redact(redact, record)
    options = JoinOptions(
        selection=Selection(all=all, partials=partials),
        times=times,
        seq=seq,
        hold=hold,
        record=record,
        redact=redact,
        ready_timeout=ready_timeout,
        reply_timeout=reply_timeout,
        history=environment.settings.history,
        events_kept=environment.settings.events_kept,
        clipboard=environment.settings.clipboard,
        tools=tools,
        past=rows_before(history, environment),
    )
    fields = new_fields(new, fields, body, max_minutes)
    if new:
        return join_new(parse(target), New(fields, body), end_on_exit, how, options, environment)
    return join_target(parse(target), end_on_exit, how, options, environment)
