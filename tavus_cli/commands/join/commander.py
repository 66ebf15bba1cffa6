"""From a typed line to what is sent, for the prompt and for a pipe alike."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tavus_cli.errors import ConsoleError, ConversationOver, UsageError
from tavus_cli.language.commands import Action, AudioEcho, Say, help_lines, parse
from tavus_cli.language.selection import Selection
from tavus_cli.protocol.interactions import Interaction, lint
from tavus_cli.protocol.ordering import HOLD_SECONDS
from tavus_cli.session.session import Session

if TYPE_CHECKING:
    from tavus_cli.api.ending import Ending

Tell = Callable[[str], None]
LEAVING = ("quit", "end")


@dataclass(frozen=True, slots=True)
class Join:
    """How to join. Times in seconds; ``history`` is the file of what was typed.

    ``events_kept``: how many entries /find and /event look through. ``clipboard``: whether /copy may put
    its lines there, by an escape that some terminals refuse and others ask about. ``ending``: what /end
    does, None where there is nothing to end.
    """

    selection: Selection = field(default_factory=Selection)
    hold: float = HOLD_SECONDS
    record: str | None = None
    ready_timeout: float = 300.0
    reply_timeout: float = 60.0
    history: Path | None = None
    events_kept: int = 100_000
    clipboard: bool = False
    ending: Ending | None = None


class Commander:
    """From a line to what is sent: parse, lint, send. What is wrong is told, and counted in ``failed``."""

    def __init__(self, session: Session, tell: Tell, warn: Tell, ending: Ending | None = None) -> None:
        self.failed = 0
        self._ending = ending
        self._placed: set[asyncio.Task[None]] = set()
        self.over = False  # told already, by a sending that came too late
        self._session = session
        self._tell = tell
        self._warn = warn

    def parse(self, line: str) -> Action | None:
        try:
            return parse(line)
        except ConsoleError as error:
            self._wrong(error)
            return None

    async def leaves(self, action: Action | None) -> bool:
        """Whether it is /quit, or an /end that can be done: that comes after leaving."""
        if not isinstance(action, Say) or action.command not in LEAVING:
            return False
        try:
            if action.command == "end":
                if self._ending is None:
                    raise UsageError(
                        "no conversation to end is known here (see --conversation-id); /quit leaves"
                    )
                await self._ending.want()
        except ConsoleError as error:
            self._wrong(error)
            return False
        return True

    async def obey(self, action: Action) -> bool:
        """Send it, or answer it; what leaves is up to the caller. False where it went wrong."""
        try:
            if isinstance(action, Interaction):
                for warning in lint(action.encode(self._session.room.conversation_id)):
                    self._warn(f"warning: {warning}")
                await self._session.send(action)
            elif isinstance(action, AudioEcho):
                from tavus_cli.session.audio import read_wav, speak

                await speak(self._session, *read_wav(action.path), lambda done: None)
                self._tell(f"spoken: {action.path}")
            elif action.command == "help":
                for text in help_lines(action.argument):
                    self._tell(text)
            elif action.command == "when":
                self._place(action.argument)
            elif action.command not in LEAVING:
                raise UsageError(f"/{action.command} works at the prompt of a terminal alone")
        except ConsoleError as error:
            self._wrong(error)
            return False
        return True

    def _place(self, text: str) -> None:
        """A /when: the typing goes on; what is wrong with it is told at once. Raises UsageError."""
        from tavus_cli.script.scheduled import placed

        task = asyncio.create_task(placed(text, self._session, self.obey, self._wrong))
        self._placed.add(task)
        task.add_done_callback(self._placed.discard)

    def _wrong(self, error: ConsoleError) -> None:
        self.failed += 1
        self.over = self.over or isinstance(error, ConversationOver)
        self._warn(str(error))
