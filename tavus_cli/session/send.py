"""``send``: one interaction, and if asked for, what it causes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tavus_cli.errors import ExitStatus, UsageError
from tavus_cli.language.commands import AudioEcho
from tavus_cli.language.matching import TypePattern
from tavus_cli.protocol.conversation import Entry, EventEntry
from tavus_cli.protocol.events import Event
from tavus_cli.protocol.interactions import Interaction, lint
from tavus_cli.protocol.ordering import HOLD_SECONDS
from tavus_cli.protocol.replies import Reply, check_answered, reply_text
from tavus_cli.protocol.wire import to_json
from tavus_cli.rooms.room import Room
from tavus_cli.session.audio import read_wav
from tavus_cli.session.commander import speak
from tavus_cli.session.environment import Environment, is_tty
from tavus_cli.session.session import Session
from tavus_cli.views.jsonl import message_json
from tavus_cli.views.safe import safe, safe_json

Answer = Callable[[Entry], Event | None]


@dataclass(frozen=True, slots=True)
class Send:
    """What to send, and what to wait for: "reply", an event type or glob, or None. Times in seconds."""

    action: Interaction | AudioEcho
    wait: str | None = None
    timeout: float = 60.0
    ready_timeout: float = 300.0
    hold: float = HOLD_SECONDS
    json: bool = False


async def send(room: Room, what: Send, environment: Environment) -> int:
    """Join, wait for the PAL, send, print the answer if one is waited for, leave. The exit status.

    Raises UsageError, SendFailed, NotMet, ConversationOver, and what joining raises.
    """
    action = what.action
    sound = read_wav(action.path) if isinstance(action, AudioEcho) else None
    _check(what, room, environment)
    session = Session(room, hold=what.hold, progress=environment.say)
    async with session:
        await session.pal_ready(what.ready_timeout)
        wait = session.waiter(_answer(what.wait, action, session)) if what.wait else None
        begun = room.now()
        if sound is not None:
            message = await speak(session, *sound, lambda done: _progress(done, environment))
        else:
            assert isinstance(action, Interaction)
            message = await session.send(action)
        answer = await wait(what.timeout, f"the {what.wait}") if wait else None
        _print(answer, message, room.now() - begun, what, environment)
        warn_of_leaving(room, environment)
    return ExitStatus.DONE


def _check(what: Send, room: Room, environment: Environment) -> None:
    """What can be said before joining. Raises UsageError."""
    if isinstance(what.action, Interaction):
        for warning in lint(what.action.encode(room.conversation_id)):
            environment.warn(f"warning: {warning}")
    if what.wait == "reply":
        if isinstance(what.action, AudioEcho):
            raise UsageError("a reply to sound cannot be recognised: wait for stopped_speaking instead")
        check_answered(what.action.event_type)
    elif what.wait:
        for doubt in TypePattern([what.wait]).doubts():
            environment.warn(f"warning: {doubt}")


def _answer(wait: str, action: Interaction | AudioEcho, session: Session) -> Answer:
    if wait == "reply":
        assert isinstance(action, Interaction)
        return Reply(action, session.conversation)
    matches = TypePattern([wait])

    def event(entry: Entry) -> Event | None:
        return entry.event if isinstance(entry, EventEntry) and matches(entry.event.type) else None

    return event


def warn_of_leaving(room: Room, environment: Environment) -> None:
    guests = any(not one.local and not one.pal for one in room.participants.values())
    if room.leaving_may_end and not guests:
        environment.warn("warning: leaving as the last guest may end the conversation (see session start)")


def _progress(done: float, environment: Environment) -> None:
    if is_tty(environment.stderr):
        environment.stderr.write(f"\rspeaking {done:4.0%}" + ("\n" if done == 1 else ""))
        environment.stderr.flush()


def _print(
    answer: Event | None, message: dict[str, Any], seconds: float, what: Send, environment: Environment
) -> None:
    if what.json:
        text = f'{{"sent":{safe_json(to_json(message))},"seconds":{seconds:.3f},"answer":'
        text += (message_json(answer) if answer is not None else "null") + "}"
    elif answer is not None:
        text = safe(reply_text(answer))
    else:
        return
    print(text, file=environment.stdout, flush=True)
