"""Runs typed lines, from the prompt or from a pipe."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tavus_cli.errors import ConsoleError, ConversationOver, CutOff, UsageError
from tavus_cli.language.commands import GROUPS, Action, AudioEcho, Say, help_lines, parse
from tavus_cli.language.selection import Selection
from tavus_cli.protocol.interactions import Interaction
from tavus_cli.session.sending import deliver, prepare
from tavus_cli.session.session import Session
from tavus_cli.settings.table import default
from tavus_cli.views.theme import TimesChoice

if TYPE_CHECKING:
    from tavus_cli.api.ending import Ending
    from tavus_cli.resident.wire import Calls
    from tavus_cli.script.scheduled import Scheduler
    from tavus_cli.tools.options import ToolOptions

PrintLine = Callable[[str], None]
LEAVING = ("quit", "end")


class JoinOptions(NamedTuple):
    """How to join. Times in seconds.

    ``history`` is the file of typed lines; ``past`` is how many earlier rows of a resident session are shown.
    ``events_kept``: how many entries /find and /event search. ``clipboard``: whether /copy may use the
    terminal's clipboard, by an escape that some terminals refuse and others ask about. ``ending``: what /end
    does, None if there is nothing to end.
    """

    selection: Selection
    times: TimesChoice = "auto"
    seq: bool = False
    hold: float = default("hold")
    record: str | None = None
    redact: bool = False
    ready_timeout: float = default("ready_timeout")
    reply_timeout: float = inf  # the default of --reply-timeout is in cli/join
    history: Path | None = None
    events_kept: int = 100_000
    clipboard: bool = False
    ending: Ending | None = None
    tools: ToolOptions | None = None
    past: int = 0


class Commander:
    """Runs typed lines. Mistakes are reported, and counted in ``failed``."""

    def __init__(
        self,
        session: Session,
        print_line: PrintLine,
        warn: PrintLine,
        ending: Ending | None = None,
        calls: Calls | None = None,
    ) -> None:
        self.failed = 0
        self._ending = ending
        self._calls = calls
        self._scheduler: Scheduler | None = None
        self._sent_at = session.room.now()
        self.over = False  # already reported when the message could not be sent
        self._session = session
        self._print_line = print_line
        self._warn = warn

    def parse(self, line: str) -> Action | None:
        try:
            return parse(line)
        except ConsoleError as error:
            self._wrong(error)
            return None

    async def leaves(self, action: Action | None) -> bool:
        """Whether it is /quit, or /end if that is possible. The conversation is ended after leaving."""
        if not isinstance(action, Say) or action.command not in LEAVING:
            return False
        try:
            if action.command == "end":
                if self._ending is None:
                    raise UsageError(
                        "cannot end: the conversation id is not known (see --conversation-id); /quit leaves"
                    )
                await self._ending.want()
                self._session.room.leaving_may_end = False  # it is ended anyway
        except ConsoleError as error:
            self._wrong(error)
            return False
        return True

    async def obey(self, action: Action) -> bool:
        """Send or answer a command, except those that leave. Returns False if it failed."""
        try:
            if not isinstance(action, Say):
                await self._send(action)
            elif action.command == "help":
                for text in help_lines(action.argument):
                    self._print_line(text)
            elif action.command == "when":
                self._place(action.argument)
            elif action.command == "retry":
                if self._calls is None:
                    raise UsageError(f"no tools run here: /retry needs --tool or --tools{self._where()}")
                await self._calls.retry(action.argument)
            elif action.command in GROUPS["replay"]:
                raise UsageError(f"/{action.command} works only in a recording: tavus-console replay -i FILE")
            elif action.command not in LEAVING:
                raise UsageError(f"/{action.command} works only at the prompt of a terminal")
        except ConsoleError as error:
            self._wrong(error)
            return False
        return True

    def _where(self) -> str:
        """Where to give an option for tools."""
        return " of session start" if self._session.room.via else ""

    async def _send(self, action: Interaction | AudioEcho, *, placed: bool = False) -> None:
        prepared = prepare(action, self._session.room, self._warn)
        if not placed:
            self._sent_at = self._session.room.now()
        await deliver(self._session, prepared)
        if isinstance(action, AudioEcho):
            self._print_line(f"spoken: {action.path}")

    def _place(self, text: str) -> None:
        """Schedule a /when, list those that are waiting, or cancel one. Raises UsageError."""
        from tavus_cli.script.scheduled import Scheduler, placed

        words = text.split()
        waiting = self._scheduler.waiting if self._scheduler is not None else []
        if not words:
            lines = [f"{number}  /when {one.text}" for number, one in enumerate(waiting, 1)]
            for line in lines or ["no /when is waiting"]:
                self._print_line(line)
            return
        if words[0] == "cancel":
            if len(words) != 2 or not words[1].isdecimal() or not 0 < int(words[1][:9]) <= len(waiting):
                raise UsageError("/when cancel N: N is a number that /when lists")
            one = waiting[int(words[1]) - 1]
            assert self._scheduler is not None
            self._scheduler.cancel(one)
            self._print_line(f"cancelled: /when {one.text}")
            return
        when = placed(text)
        if self._scheduler is None:
            send = partial(self._send, placed=True)
            self._scheduler = Scheduler(self._session, send, lambda: self._sent_at, self._wrong)
        self._scheduler.place(when)
        self._print_line(f"waiting: /when {text}  (/when lists, /when cancel {len(waiting) + 1} cancels it)")

    def _wrong(self, error: ConsoleError) -> None:
        self.failed += 1
        self.over = self.over or isinstance(error, ConversationOver | CutOff)
        self._warn(str(error))
