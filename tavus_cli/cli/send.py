"""The command ``send``: one interaction, or many from standard input."""

from typing import TYPE_CHECKING, Annotated

import typer

from tavus_cli.cli.app import app
from tavus_cli.cli.options import (
    BaseUrl,
    ConversationId,
    Hold,
    JoinTimeout,
    Name,
    Proxy,
    ReadyTimeout,
    duration_option,
    environment_of,
    room_of,
)
from tavus_cli.errors import UsageError

if TYPE_CHECKING:
    from tavus_cli.rooms.room import Room


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
    """One interaction, and with --wait its answer.

    That is printed: its words, or the tool call that came instead.
    """
    from tavus_cli.commands.send import SendOptions
    from tavus_cli.commands.send import send as run_send
    from tavus_cli.language.commands import KINDS, sendable
    from tavus_cli.session.session import run

    environment = environment_of(ctx)
    default = environment.environ.get("TAVUS_CONVERSATION")

    def room(target: str | None) -> "Room":
        how = (name, join_timeout, daily_proxy, conversation_id)
        return room_of(target, *how, environment=environment, base_url=base_url)

    if words[-1] == "-" and (len(words) == 1 or (len(words) == 2 and words[0] not in KINDS)):
        from tavus_cli.commands.send_many import SendManyOptions, rate_of, send_many

        if wait is not None:
            raise UsageError("--wait goes with one interaction; a script (run) waits between several")
        many, shared = (
            SendManyOptions(rate_of(rate), ready_timeout, hold, json),
            room([*words[:-1], default][0]),
        )
        return run(lambda: send_many(shared, many, environment))
    if rate is not None:
        raise UsageError("--rate goes with - alone: lines from standard input")
    target, action = sendable(words, default, environment.stdin.read)
    what, joined = SendOptions(action, wait, timeout, ready_timeout, hold, json), room(target)
    return run(lambda: run_send(joined, what, environment))
