"""The command ``send``: one interaction, or many from standard input."""

from typing import Annotated

import typer

from tavus_cli.cli.app import app, examples
from tavus_cli.cli.joining import How, with_room
from tavus_cli.cli.options import (
    SETTING,
    Hold,
    ReadyTimeout,
    duration_option,
    environment_of,
    lasting,
)
from tavus_cli.errors import UsageError
from tavus_cli.files import read_stdin


@app.command(
    context_settings={"ignore_unknown_options": True},
    **examples(
        "send sim respond 'What are your hours?' --wait reply",
        "send c7f3a91d20be4b58 interrupt",
        "send sim context append 'The caller is a member.'",
        "send sim tool-result call_8f2d41 '{\"open\": true}'",
        "send sim - < lines.txt",
    ),
)
@with_room(without=("no_reconnect", "reconnect_timeout"))
def send(
    ctx: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[TARGET] KIND [TEXT]",
            help="KIND is respond, echo, interrupt, context, sensitivity, tool-result, confirm, set-emotion "
            "or raw; TEXT is what follows the slash command of that name in join, or - to read it from "
            "standard input. A - in place of KIND sends many lines from there.",
        ),
    ],
    wait: Annotated[
        str | None,
        typer.Option(metavar="reply|TYPE", help="Wait for the reply to this turn, or for an event."),
    ] = None,
    timeout: Annotated[float, duration_option("How long --wait waits.")] = lasting("60s"),
    rate: Annotated[
        float | None, typer.Option(metavar="N", help="With - in place of KIND: at most N lines a second.")
    ] = None,
    ready_timeout: ReadyTimeout = SETTING,
    hold: Hold = SETTING,
    json: Annotated[
        bool, typer.Option("--json", help="Print what was sent and answered, and errors, as JSON objects.")
    ] = False,
    *,
    how: How,
) -> int:
    """Send one interaction, and with --wait print the answer.

    The answer is the words of the reply, or the tool call that came instead.
    """
    from tavus_cli.commands.send import SendOptions
    from tavus_cli.commands.send import send as run_send
    from tavus_cli.language.commands import KINDS, sendable
    from tavus_cli.target import parse, run_in

    environment = environment_of(ctx)
    if words[-1] == "-" and (len(words) == 1 or (len(words) == 2 and words[0] not in KINDS)):
        from tavus_cli.commands.send_many import SendManyOptions, rate_of, send_many

        if wait is not None:
            raise UsageError(
                "--wait goes with one interaction; to wait between several, write a script (run)"
            )
        many = SendManyOptions(rate_of(rate), ready_timeout, hold, json)
        target = parse(words[0] if len(words) == 2 else None)
        return run_in(target, how, environment, lambda room: send_many(room, many, environment))
    if rate is not None:
        raise UsageError("--rate goes with - in place of KIND: lines from standard input")
    word, action = sendable(words, None, lambda: read_stdin(environment.stdin))
    options = SendOptions(action, timeout, wait, ready_timeout, hold, json)
    return run_in(parse(word), how, environment, lambda room: run_send(room, options, environment))
