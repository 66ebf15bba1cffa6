"""The commands about a room: join, tail, replay, send; and the completion scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tavus_cli.cli.app import app
from tavus_cli.cli.creating import Body, EndOnExit, Fields, New, Wanted, join_room, with_fields
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
    ReadyTimeout,
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
from tavus_cli.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from tavus_cli.rooms.room import Room


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
    from tavus_cli.language.matching import Selection
    from tavus_cli.rooms.target import RoomOptions
    from tavus_cli.session.commander import Join

    environment = environment_of(ctx, color, theme)
    what = Join(
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
    from tavus_cli.language.matching import TypePattern, selection
    from tavus_cli.session.session import run
    from tavus_cli.session.tail import Tail
    from tavus_cli.session.tail import tail as run_tail

    environment = environment_of(ctx, color, theme)
    what = Tail(
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
    from tavus_cli.language.grammar import speed_factor
    from tavus_cli.language.matching import TypePattern, selection
    from tavus_cli.rooms.recorded import RecordedRoom
    from tavus_cli.session.session import run
    from tavus_cli.session.tail import Tail
    from tavus_cli.session.tail import tail as run_tail

    environment = environment_of(ctx, color, theme)
    what = Tail(
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


@app.command(context_settings={"ignore_unknown_options": True})
def send(
    ctx: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[TARGET] KIND [TEXT]",
            help="KIND is respond, echo, interrupt, context, sensitivity, tool-result, confirm or raw; "
            "TEXT as after the slash command, or - for standard input. A - alone: many lines from there.",
        ),
    ],
    wait: Annotated[
        str | None,
        typer.Option(metavar="reply|TYPE", help="Wait for the reply to this very turn, or for an event."),
    ] = None,
    timeout: Annotated[float, duration_option("How long --wait waits.", "60s")] = 60.0,
    rate: Annotated[float | None, typer.Option(metavar="N", help="With - alone: at most N a second.")] = None,
    ready_timeout: ReadyTimeout = 300.0,
    hold: Hold = 0.25,
    name: Name = "tavus-console",
    join_timeout: JoinTimeout = 45.0,
    daily_proxy: Proxy = None,
    conversation_id: ConversationId = None,
    base_url: BaseUrl = None,
    json: Annotated[
        bool, typer.Option("--json", help="What was sent and answered, and errors, as JSON objects.")
    ] = False,
) -> int:
    """One interaction; with --wait the answer is printed: its words, or the tool call that came instead."""
    from tavus_cli.language.commands import KINDS, sendable
    from tavus_cli.session.send import Send
    from tavus_cli.session.send import send as run_send
    from tavus_cli.session.session import run

    environment = environment_of(ctx)
    default = environment.environ.get("TAVUS_CONVERSATION")

    def room(target: str | None) -> Room:
        return room_of(
            target,
            name,
            join_timeout,
            daily_proxy,
            conversation_id,
            environment=environment,
            base_url=base_url,
        )

    if words[-1] == "-" and (len(words) == 1 or (len(words) == 2 and words[0] not in KINDS)):
        from tavus_cli.session.send_many import SendMany, rate_of, send_many

        if wait is not None:
            raise UsageError("--wait goes with one interaction; a script (run) waits between several")
        many, shared = SendMany(rate_of(rate), ready_timeout, hold, json), room([*words[:-1], default][0])
        return run(lambda: send_many(shared, many, environment))
    if rate is not None:
        raise UsageError("--rate goes with - alone: lines from standard input")
    target, action = sendable(words, default, environment.stdin.read)
    what, joined = Send(action, wait, timeout, ready_timeout, hold, json), room(target)
    return run(lambda: run_send(joined, what, environment))


@app.command()
def completion(
    ctx: typer.Context,
    shell: Annotated[str, typer.Argument(metavar="bash|zsh|fish", help="The shell.")],
) -> int:
    """The completion script for a shell, on standard output."""
    from tavus_cli.completion import script

    environment_of(ctx).stdout.write(script(shell))
    return ExitStatus.DONE
