"""``send``: one interaction, and optionally its answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from tavus_cli.errors import ExitStatus, SendFailed, UsageError
from tavus_cli.language.commands import AudioEcho
from tavus_cli.protocol.interactions import Interaction
from tavus_cli.protocol.wire import to_json
from tavus_cli.rooms.room import Room
from tavus_cli.session.environment import Environment, is_tty
from tavus_cli.session.sending import deliver, prepare
from tavus_cli.session.session import Session
from tavus_cli.settings.table import default
from tavus_cli.views.safe import safe, safe_json

if TYPE_CHECKING:
    from tavus_cli.protocol.entries import Entry
    from tavus_cli.protocol.events import Event

Answer = Callable[["Entry"], "Event | None"]


class SendOptions(NamedTuple):
    """What to send, and what to wait for: "reply", an event type or glob, or None. Times in seconds."""

    action: Interaction | AudioEcho
    timeout: float
    wait: str | None = None
    ready_timeout: float = default("ready_timeout")
    hold: float | None = None
    json: bool = False


async def send(room: Room, options: SendOptions, environment: Environment) -> int:
    """Join, wait for the PAL, send, print the answer if one is wanted, and leave.

    Returns the exit status. Raises UsageError, SendFailed, NotMet, ConversationOver, and the errors of
    joining.
    """
    action = options.action
    _check_wait(options, environment)
    prepared = prepare(action, room, environment.warn)
    watched = options.wait is not None
    session = Session(room, hold=options.hold, watched=watched, environment=environment)
    async with session:
        await session.pal_ready(options.ready_timeout)
        wait = session.waiter(_answer(options.wait, action, session)) if options.wait else None
        begun = room.now()
        message = await deliver(session, prepared, progress=lambda done: _progress(done, environment))
        if wait is None and session.down is not None:
            raise SendFailed(session.down)
        answer = await wait(options.timeout, f"the {options.wait}") if wait else None
        _print(answer, message, room.now() - begun, options, environment)
    return ExitStatus.DONE


def _check_wait(options: SendOptions, environment: Environment) -> None:
    """Check before joining. Raises UsageError for a reply that cannot come."""
    if options.wait == "reply":
        if isinstance(options.action, AudioEcho):
            raise UsageError("a reply to sound cannot be recognised: use --wait stopped_speaking")
        from tavus_cli.protocol.replies import check_answered

        check_answered(options.action.event_type)
    elif options.wait:
        from tavus_cli.language.selection import TypePattern

        for doubt in TypePattern([options.wait]).doubts(["reply"]):
            environment.warn(f"warning: {doubt}")


def _answer(wait: str, action: Interaction | AudioEcho, session: Session) -> Answer:
    if wait == "reply":
        from tavus_cli.protocol.replies import Reply

        assert isinstance(action, Interaction)
        return Reply(action, session.conversation, calls=not getattr(session.room, "tools", False))
    from tavus_cli.language.selection import TypePattern
    from tavus_cli.protocol.entries import EventEntry

    matches = TypePattern([wait])

    def event(entry: Entry) -> Event | None:
        return entry.event if isinstance(entry, EventEntry) and matches(entry.event.type) else None

    return event


def _progress(done: float, environment: Environment) -> None:
    if is_tty(environment.stderr):
        environment.stderr.write(f"\rspeaking {done:4.0%}" + ("\n" if done == 1 else ""))
        environment.stderr.flush()


def _print(
    answer: Event | None,
    message: dict[str, Any],
    seconds: float,
    options: SendOptions,
    environment: Environment,
) -> None:
    if not options.json and answer is None:
        return
    from tavus_cli.protocol.replies import reply_text
    from tavus_cli.views.jsonl import message_json

    if answer is None or options.json:
        text = f'{{"sent":{safe_json(to_json(message))},"seconds":{seconds:.3f},"answer":'
        text += (message_json(answer) if answer is not None else "null") + "}"
    else:
        text = safe(reply_text(answer))
    print(text, file=environment.stdout, flush=True)
