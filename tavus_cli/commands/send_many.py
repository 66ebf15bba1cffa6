"""``send … -``: commands, or messages as JSON, line by line from standard input, over one join."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from tavus_cli.errors import ExitStatus, SendFailed, UsageError
from tavus_cli.language.commands import AudioEcho, Say, parse
from tavus_cli.protocol.interactions import Interaction
from tavus_cli.protocol.wire import to_json
from tavus_cli.rooms.room import Room
from tavus_cli.session.environment import Environment
from tavus_cli.session.sending import deliver
from tavus_cli.session.session import Session
from tavus_cli.session.stdin import stdin_lines
from tavus_cli.settings.table import default
from tavus_cli.views.safe import safe_json


@dataclass(frozen=True, slots=True)
class SendManyOptions:
    """``rate``: at most this many a second; None: as they are read. Times in seconds."""

    rate: float | None = None
    ready_timeout: float = default("ready_timeout")
    hold: float = default("hold")
    json: bool = False


async def send_many(room: Room, options: SendManyOptions, environment: Environment) -> int:
    """Send each line. Returns FAILED if one could not be sent; the others are sent. Raises ConversationOver,
    and the errors of joining.
    """
    failed, due = 0, 0.0
    loop = asyncio.get_running_loop()
    session = Session(room, hold=options.hold, environment=environment)
    async with session:
        await session.pal_ready(options.ready_timeout)
        number = 0
        async for line in stdin_lines(environment):
            number += 1
            if not line.strip() or line.startswith("#"):
                continue
            if options.rate is not None:
                if (delay := due - loop.time()) > 0:
                    await asyncio.sleep(delay)
                due = max(due, loop.time() - 1 / options.rate) + 1 / options.rate
            try:
                await _send(line, session, options, environment)
            except (UsageError, SendFailed) as error:
                failed += 1
                environment.warn(f"line {number}: {error}")
    return ExitStatus.FAILED if failed else ExitStatus.DONE


async def _send(line: str, session: Session, options: SendManyOptions, environment: Environment) -> None:
    action = _action(line)
    message = await deliver(session, action, environment.warn)
    if options.json:
        print(f'{{"sent":{safe_json(to_json(message))}}}', file=environment.stdout, flush=True)


def _action(line: str) -> Interaction | AudioEcho:
    """A command as typed in the console, or a JSON object to send unchanged. Raises UsageError."""
    action = parse(f"/raw {line}" if line.lstrip().startswith("{") else line)
    if isinstance(action, Say):
        raise UsageError(f"/{action.command} sends nothing")
    return action


def rate_of(rate: float | None) -> float | None:
    """Raises UsageError."""
    if rate is not None and not 0.001 <= rate <= 1e6:
        raise UsageError("--rate takes messages a second, such as 5 or 0.5")
    return rate
