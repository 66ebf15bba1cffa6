"""``join`` on a terminal: the prompt, the status line, and a sink that prints above them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tavus_cli.errors import ExitStatus
from tavus_cli.language.commands import AudioEcho, complete
from tavus_cli.protocol.conversation import Entry
from tavus_cli.session.commander import Commander, Join
from tavus_cli.session.environment import Environment
from tavus_cli.session.session import Session
from tavus_cli.session.tail import line_view
from tavus_cli.terminal.completer import CommandCompleter
from tavus_cli.terminal.history import open_history
from tavus_cli.terminal.prompt import LivePrompt
from tavus_cli.views.safe import safe
from tavus_cli.views.status import StatusLine

CLOCK_SECONDS = 1.0  # how often the status line is drawn when nothing happens: it shows minutes
HINT = "type to respond, /help lists commands, Ctrl-D leaves"
HELD_LINES = 20_000  # when the terminal is further behind, the room waits


class Console:
    """``run`` is the whole of it; the session must not be entered yet."""

    def __init__(
        self,
        session: Session,
        what: Join,
        environment: Environment,
        prompt: Callable[..., LivePrompt] = LivePrompt,
    ) -> None:
        self._session = session
        self._select = what.selection
        self._environment = environment
        self._view = line_view(environment, all=what.selection.all)
        self._status = StatusLine(
            session.room.conversation_id or session.room.target,
            environment.theme,
            recording=what.record is not None,
        )
        self._typed: asyncio.Queue[str] = asyncio.Queue()
        history, note = open_history(what.history) if what.history else (None, None)
        self._prompt = prompt(
            status=self._status_line,
            live=lambda columns: self._status.live(session.conversation, columns),
            on_line=self._typed.put_nowait,
            completer=CommandCompleter(complete),
            history=history,
        )
        if note:
            self._warn(note)
        self._commander = Commander(session, self._tell, self._warn, what.ending)
        session.sinks.append(self)

    async def run(self) -> int:
        """The exit status. Raises what joining raises."""
        # Also so that the prompt never stands on the first row: erased from there, it would stay
        # in tmux's scrollback.
        target = safe(self._session.room.target)
        self._prompt.print([self._environment.theme.paint("quiet", f"joining {target} – {HINT}")])
        prompt = asyncio.create_task(self._prompt.run())
        work = asyncio.create_task(self._in_the_room())
        try:
            await asyncio.wait({prompt, work}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._prompt.close()
            if not work.done():
                work.cancel()
            await asyncio.wait({prompt, work})
        if not prompt.cancelled():
            prompt.result()
        return ExitStatus.DONE if work.cancelled() else work.result()

    async def _in_the_room(self) -> int:
        """Until the conversation is over, or /quit; Ctrl-D cancels it."""
        clock = asyncio.create_task(self._tick())
        try:
            async with self._session as session:
                self._status.joined = session.room.now()
                self._prompt.refresh()
                return await self._obey(session)
        finally:
            clock.cancel()

    async def _obey(self, session: Session) -> int:
        ended = asyncio.ensure_future(session.ended.wait())
        sounds: set[asyncio.Task[bool]] = set()
        try:
            while True:
                typed = asyncio.ensure_future(self._typed.get())
                await asyncio.wait({typed, ended}, return_when=asyncio.FIRST_COMPLETED)
                if not typed.done():
                    typed.cancel()
                    return ExitStatus.OVER
                action = self._commander.parse(typed.result())
                if self._commander.leaves(action):
                    return ExitStatus.DONE
                if isinstance(action, AudioEcho):  # it takes its time; typing goes on
                    sound = asyncio.create_task(self._commander.obey(action))
                    sounds.add(sound)
                    sound.add_done_callback(sounds.discard)
                elif action is not None:
                    await self._commander.obey(action)
        finally:
            ended.cancel()
            for sound in sounds:
                sound.cancel()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(CLOCK_SECONDS)
            self._prompt.refresh()

    # -- a sink

    def entries(self, entries: list[Entry]) -> None:
        self._status.over = self._session.over
        self._prompt.print(self._view.lines(self._select.among(entries)))
        self._prompt.refresh()

    async def drain(self) -> None:
        while self._prompt.held > HELD_LINES:
            await asyncio.sleep(0.02)

    # -- rows

    def _status_line(self, columns: int) -> str:
        self._view.width = columns
        session = self._session
        return self._status.line(session.conversation, session.room.now(), self._prompt.held, columns)

    def _tell(self, text: str) -> None:
        self._prompt.print([safe(text)])

    def _warn(self, text: str) -> None:
        mark = "" if text.startswith("warning: ") else "✗ "
        self._prompt.print([self._environment.theme.paint("warning", mark + safe(text))])
