"""What goes out, for every command that sends: an interaction, or the sound of a file."""

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
    """Find what is wrong before anything is sent: warn about an interaction, read the file of a sound.

    Raises UsageError for a file that cannot be read, or is not a WAV file of 16-bit PCM.
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
    """Send it; a sound takes as long as it lasts. The message as sent, of a sound the last one.

    Leave ``warn`` out for what was prepared before. ``progress`` gets the part of a sound that is sent,
    0 to 1. Raises SendFailed, ConversationOver, and what ``prepare`` raises.
    """
    if warn is not None and isinstance(action, Interaction | AudioEcho):
        action = prepare(action, session.room, warn)
    if isinstance(action, Interaction):
        return await session.send(action)
    assert not isinstance(action, AudioEcho)
    from tavus_cli.session.audio import speak

    return await speak(session, action, progress)
