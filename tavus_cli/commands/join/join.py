"""``join``: send typed lines to the room, and show its events.

On a terminal that is ``console``; without one, commands are read line by line from standard input.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tavus_cli.errors import ExitStatus
from tavus_cli.language.commands import Action
from tavus_cli.protocol.entries import Entry, EventEntry, SentEntry
from tavus_cli.protocol.interactions import Interaction
from tavus_cli.protocol.replies import Reply
from tavus_cli.rooms.room import Room
from tavus_cli.session.environment import Environment
from tavus_cli.session.output import Output
from tavus_cli.session.printer import Printer, line_view
from tavus_cli.session.recorder import Redacts, record_to
from tavus_cli.session.session import Session
from tavus_cli.session.stdin import stdin_lines
from tavus_cli.session.waiting import first_of

from .commander import Commander, JoinOptions

if TYPE_CHECKING:
    from tavus_cli.resident.wire import Calls

AT_ONCE = 16  # arrivals handled at once while somebody types: about a millisecond of work
_END = "\n"  # of the input: no line holds one


async def join(room: Room, options: JoinOptions, environment: Environment) -> int:
    """Returns the exit status. Raises UsageError, and the errors of joining."""
    recorder = record_to(options.record, room, _redactor() if options.redact else None)
    if room.via:
        from tavus_cli.resident.room import with_past

        with_past(room, options.past)
    if environment.interactive:
        from .console import Console

        session = Session(room, hold=options.hold, recorder=recorder, at_once=AT_ONCE)
        async with answering(session, options, environment) as calls:
            status = await Console(session, options, environment, calls=calls).run()
    else:
        session = Session(room, hold=options.hold, recorder=recorder, environment=environment)
        async with answering(session, options, environment) as calls:
            status = await _piped(session, options, environment, calls)
    if recorder is not None and recorder.failed:
        environment.warn(recorder.failed)
        return ExitStatus.FAILED
    return status


def _redactor() -> Redacts:
    from tavus_cli.report.redact import new_redactor

    return new_redactor()


@asynccontextmanager
async def answering(
    session: Session, options: JoinOptions, environment: Environment
) -> AsyncIterator[Calls | None]:
    """What answers tool calls: --tool here, or the process of the resident session."""
    if options.tools is not None:
        async with options.tools.bridge(session, environment) as bridge:
            yield bridge
    elif session.room.via:
        from tavus_cli.resident.room import ResidentRoom

        assert isinstance(session.room, ResidentRoom)
        yield session.room if session.room.tools else None
    else:
        yield None


# -- without a terminal --------------------------------------------------------------------------------


async def _piped(
    session: Session, options: JoinOptions, environment: Environment, calls: Calls | None
) -> int:
    view = line_view(environment, all=options.selection.all, seq=options.seq, times=options.times)
    async with Output(environment) as output:
        session.sinks.append(Printer(view, options.selection, output, environment, history=options.past))
        status = await first_of(_obey_lines(session, options, environment, calls), output.gone)
    return output.status() if status is None or output.gone.is_set() else status


async def _obey_lines(
    session: Session, options: JoinOptions, environment: Environment, calls: Calls | None
) -> int:
    """Send each line as it is read, but let a respond wait for the reply to the one before it.

    An interrupt ends that wait, and /quit does not wait. Blank lines, and lines that begin with "# ", are
    skipped. Returns once the last reply has arrived, or the conversation is over. Raises NotMet if a reply
    does not arrive, ConversationOver, and the errors of joining.
    """
    commander = Commander(session, environment.complain, environment.warn, options.ending, calls)
    async with session:
        await session.pal_ready(options.ready_timeout)
        if not await _obey_each(commander, session, options, environment):
            if commander.over:
                return session.end_error().status
            raise session.end_error()
    return ExitStatus.FAILED if commander.failed else ExitStatus.DONE


async def _obey_each(
    commander: Commander, session: Session, options: JoinOptions, environment: Environment
) -> bool:
    """Whether the input was read to its end, or to /quit; False if the conversation ended before that."""
    reply: asyncio.Task[object] | None = None
    lines = stdin_lines(environment)
    try:
        while (line := await first_of(_next(lines), session.ended)) not in (None, _END):
            assert line is not None
            if not line.strip() or line.startswith("# "):
                continue
            action = commander.parse(line)
            if await commander.leaves(action):
                return True
            asks = isinstance(action, Interaction) and action.event_type == "conversation.respond"
            if asks and reply is not None:
                await reply
            if not session.room.live:
                await session.over_or_idle()  # otherwise simulated time would pass while a line is read
            if session.over is not None:
                break
            if asks:
                reply = await _ask(session, action, options, commander)
            elif action is not None:
                await commander.obey(action)
        if reply is not None:
            await reply
    finally:
        if reply is not None:
            reply.cancel()
    return line == _END


async def _next(lines: AsyncIterator[str]) -> str:
    return await anext(lines, _END)


async def _ask(
    session: Session, action: Action | None, options: JoinOptions, commander: Commander
) -> asyncio.Task[object] | None:
    """Send a respond and start waiting for its reply. None if it was not sent."""
    assert isinstance(action, Interaction)
    reply = Reply(action, session.conversation, calls=options.tools is None)
    wait = session.waiter(lambda entry: reply(entry) or _interrupts(entry))
    if not await commander.obey(action):
        return None
    return asyncio.create_task(wait(options.reply_timeout, "the reply"))


def _interrupts(entry: Entry) -> Entry | None:
    """Whether an entry is anybody's interrupt, which ends the wait for a reply."""
    if isinstance(entry, SentEntry | EventEntry) and entry.event.type == "conversation.interrupt":
        return entry
    return None
