"""Sending an interaction or the sound of a file, for every command that sends."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tavus_cli.language.commands import AudioEcho
from tavus_cli.protocol.interactions import Interaction, lint
from tavus_cli.rooms.room import Room
from tavus_cli.session.session import Session

if TYPE_CHECKING:
    from tavus_cli.session.audio import Sound

Warn = Callable[[str], None]


def prepare(action: Interaction | AudioEcho, room: Room, warn: Warn) -> Interaction | Sound:
    """Check before anything is sent: warn about an interaction, read the file of a sound.

    Raises UsageError if the file cannot be read, or is not a WAV file of 16-bit PCM.
    """
    if isinstance(action, Interaction):
        for warning in lint(action.encode(room.conversation_id)):
            warn(f"warning: {warning}")
        return action
    from tavus_cli.session.audio import read_wav

    return read_wav(action.path)


async def deliver(
    session: Session,
    action: Interaction | AudioEcho | Sound,
    warn: Warn | None = None,
    progress: Callable[[float], None] | None = None,
) -> dict[str, Any]:
    """Send an action; a sound takes as long as it lasts. Returns the message sent, or the last one of a
    sound.

    Omit ``warn`` for actions that were prepared before. ``progress`` is called with the part of a sound
    already sent, 0 to 1. Raises SendFailed, ConversationOver, and the errors of ``prepare``.
    """
    if warn is not None and isinstance(action, Interaction | AudioEcho):
        action = prepare(action, session.room, warn)
    if isinstance(action, Interaction):
        return await session.send(action)
    assert not isinstance(action, AudioEcho)
    from tavus_cli.session.audio import speak

    return await speak(session, action, progress)
