"""``join`` on a terminal: the prompt, the status line, and a sink that prints above them."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from textwrap import wrap
from typing import TYPE_CHECKING

from tavus_cli.errors import ConsoleError, ExitStatus
from tavus_cli.language.commands import AudioEcho, Say
from tavus_cli.language.patterns import TooSlow
from tavus_cli.protocol.entries import Entry
from tavus_cli.rooms.sim import is_simulated
from tavus_cli.session.environment import Environment, local_time
from tavus_cli.session.session import Session
from tavus_cli.terminal.completer import CommandCompleter
from tavus_cli.terminal.history import open_history
from tavus_cli.terminal.prompt import LivePrompt
from tavus_cli.views.copy import CLIPBOARD_BYTES, osc52
from tavus_cli.views.line import LineView
from tavus_cli.views.numbers import clock, latency
from tavus_cli.views.rows import Row, Rows
from tavus_cli.views.safe import safe
from tavus_cli.views.status import StatusLine
from tavus_cli.views.wrap import wrapped

from .commander import LEAVING, Commander, JoinOptions
from .inspector import Inspector
from .typed import Doubts, bare_command, completions

if TYPE_CHECKING:
    from tavus_cli.resident.wire import Calls

CLOCK_SECONDS = 1.0  # how often the status line is drawn when nothing happens, as it shows minutes
HINT = "type to respond, /help lists commands, F1 the keys, Ctrl-D leaves"
HELD_LINES = 20_000  # if the terminal is further behind, the room waits
LONG_LINE = 800  # characters of a line in the live view; /event, /turn and /last show all of it
KEYS = (
    "Enter            send; without a slash as a user turn",
    "Alt-Enter        start a new line; pasted text keeps its lines",
    "Tab              complete; Right takes the suggestion from earlier runs",
    "Up, Ctrl-R       what you typed before; search it",
    "Ctrl-C           clear the line",
    "Ctrl-D           leave the room",
    "Ctrl-Z           suspend; events that arrive meanwhile are shown after fg",
    "F1, ? (empty)    these keys",
    "F2               show or hide streaming text as it grows",
    "F3               fold or show twins and heartbeats",
    "F4               pause the view, and resume it; the events between are kept",
    "Ctrl-X Ctrl-E    edit the line in $EDITOR",
)


class Console:
    """Call ``run``, which enters the session."""

    keys: tuple[str, ...] = KEYS
    recorded = False  # whether it shows a recording, to which nothing can be sent

    def __init__(
        self,
        session: Session,
        options: JoinOptions,
        environment: Environment,
        prompt: Callable[..., LivePrompt] = LivePrompt,
        calls: Calls | None = None,
    ) -> None:
        self._session = session
        self._calls = calls
        self._environment = environment
        self._options = options
        make_view = partial(LineView, local_time, theme=environment.theme, times=options.times, wrap=True)
        self._live_view = partial(make_view, seq=options.seq, limit=LONG_LINE, console=True)
        self._view = self._live_view(width=environment.columns, all=options.selection.all)
        self._rows = Rows(options.selection)
        self._inspector = Inspector(
            session.conversation,
            options.selection,
            environment.theme,
            lambda: make_view(width=self._view.width, all=True, brief=True),
            options.events_kept,
            session.room.via or session.room.target,
            self.recorded,
        )
        self._status = StatusLine(
            session.room.conversation_id or session.room.target,
            environment.theme,
            recording=options.record is not None,
            billed=options.ending.billed if options.ending else None,
            most=options.ending.most if options.ending else None,
        )
        self._paused: list[Row] = []
        self._doubts = Doubts()
        self._typed: asyncio.Queue[str] = asyncio.Queue()
        self._prompt, note = self._new_prompt(prompt)
        if note:
            self._warn(note)
        self._commander = Commander(session, self._print_line, self._warn, options.ending, calls)
        session.sinks.append(self)

    def _new_prompt(self, make: Callable[..., LivePrompt]) -> tuple[LivePrompt, str | None]:
        """The prompt, and a warning if something is wrong with its history."""
        path = self._options.history
        history, note = open_history(path) if path else (None, None)
        prompt = make(
            status=self._status_line,
            live=lambda columns: self._status.live(self._session.conversation, columns),
            on_line=self._typed.put_nowait,
            on_blank=self._on_blank,
            completer=CommandCompleter(self._complete),
            history=history,
            vi_mode=self._environment.settings.vi_mode,
            on_keys={
                "f1": self._help,
                "?": self._help,
                "f2": lambda: self._show("partials"),
                "f3": lambda: self._show("all"),
                "f4": self._pause,
            },
        )
        return prompt, note

    async def run(self) -> int:
        """Returns the exit status. Raises the errors of joining."""
        # This also keeps the prompt off the first row: erased there, it would stay in tmux's scrollback.
        self._print(self._environment.theme.paint("quiet", safe(self._opening())))
        prompt = asyncio.create_task(self._prompt.run())
        work = asyncio.create_task(self._in_the_room())
        try:
            await asyncio.wait({prompt, work}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:  # a signal: do not wait for a terminal that has stopped reading
            self._prompt.close(hurry=True)
            raise
        finally:
            self._prompt.close()
            if not work.done():
                work.cancel()
            await asyncio.wait({prompt, work})
            self._go_on()
            self._prompt.print(self._summary())
        if not prompt.cancelled():
            prompt.result()
        over = self._session.over is not None
        if over:  # filters may hide its row
            self._environment.warn(self._session.ending)
        if work.cancelled():
            return self._session.end_error().status if over else ExitStatus.DONE
        return work.result()

    def _opening(self) -> str:
        room = self._session.room
        shared = f" through the session {room.via}" if room.via else ""
        return f"joining {room.target}{shared} – {HINT}"

    async def _in_the_room(self) -> int:
        """Run until the conversation is over, or /quit. Ctrl-D cancels this."""
        clock = asyncio.create_task(self._tick())
        try:
            async with self._session as session:
                self._status.joined = session.room.now()
                self._prompt.refresh()
                try:
                    return await self._obey(session)
                finally:
                    if (doubt := session.doubt_of_leaving()) is not None:
                        self._warn(doubt)
        finally:
            clock.cancel()

    async def _obey(self, session: Session) -> int:
        ended = asyncio.ensure_future(session.ended.wait())
        sounds: set[asyncio.Task[bool]] = set()
        try:
            while True:
                if ended.done():
                    return await self._after_the_end()
                typed = asyncio.ensure_future(self._typed.get())
                await asyncio.wait({typed, ended}, return_when=asyncio.FIRST_COMPLETED)
                if not typed.done():
                    typed.cancel()
                    continue
                if self._asks_back(typed.result()):
                    continue
                action = self._commander.parse(typed.result())
                if await self._commander.leaves(action):
                    return ExitStatus.DONE
                if isinstance(action, AudioEcho):  # it takes as long as the sound; typing continues
                    sound = asyncio.create_task(self._commander.obey(action))
                    sounds.add(sound)
                    sound.add_done_callback(sounds.discard)
                elif isinstance(action, Say) and action.command not in ("when", "retry", *LEAVING):
                    await self._answer(action)
                elif action is not None:
                    objectives = self._inspector.log.objectives()
                    for doubt in self._doubts.about(action, self._session.conversation, objectives):
                        self._warn(doubt)
                    await self._commander.obey(action)
        finally:
            ended.cancel()
            for sound in sounds:
                sound.cancel()

    def _on_blank(self) -> None:
        if self._session.ended.is_set():
            self._typed.put_nowait("")

    async def _after_the_end(self) -> int:
        """Stay until Enter or Ctrl-D, so that past events can be inspected."""
        await self._end_conversation()
        self._print_line("Enter or Ctrl-D leaves; /stats, /turns, /turn and /find still work")
        self._prompt.refresh()
        while (line := await self._typed.get()).strip():
            action = self._commander.parse(line)
            if isinstance(action, Say) and action.command in LEAVING:
                break
            if isinstance(action, Say) and action.command not in ("when", "retry"):
                await self._answer(action)
            elif action is not None:
                self._warn(f"not sent: {self._session.ending}")
        return self._session.end_error().status

    async def _end_conversation(self) -> None:
        """Where leaving will end it: nobody may be at this terminal to leave, and it is billed until then."""
        ending = self._options.ending
        if ending is None or not ending.due(self._session.end_error().status):
            return
        try:
            await ending.end_in_time()
        except ConsoleError as error:
            self._warn(f"{ending.conversation_id} is not ended yet, leaving tries again ({error})")
        else:
            self._print_line(f"{ending.conversation_id} has ended")

    def _asks_back(self, line: str) -> bool:
        """Refuse a bare word that was probably meant as a command: sent as a turn, it would cost money."""
        if (command := bare_command(line)) is None:
            return False
        self._warn(f"not sent: type /{command}, or /respond {line.strip().lower()} to say it")
        return True

    def _summary(self) -> list[str]:
        """The closing lines: figures, and the command to continue."""
        status, room, turns = self._status, self._session.room, self._inspector.log.turns()
        if status.joined is None:
            return []
        parts = [f"left after {clock(max(0.0, room.now() - status.joined))}"]
        parts.append(f"{len(turns):,} turn" + "s" * (len(turns) != 1))
        if replies := self._inspector.replies():
            parts.append(f"median reply {latency(median(replies))}")
        if open_calls := len(self._session.conversation.turns.waiting()):
            parts.append(f"{open_calls} tool call{'s' * (open_calls > 1)} unanswered")
        lines = [", ".join(parts)]
        target = room.via or room.target
        if self._options.record is not None:
            lines.append(f"look again: tavus-console report {shlex.quote(self._options.record)}")
        if self._session.over is None and (room.via or not is_simulated(target)):
            lines.append(f"continue: tavus-console join {shlex.quote(target)}")
        return [self._environment.theme.paint("quiet", safe(line)) for line in lines]

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(CLOCK_SECONDS)
            self._prompt.refresh()

    # -- a sink

    def entries(self, entries: list[Entry]) -> None:
        self._status.over = self._session.over
        self._remember(entries)
        self._show_rows(self._rows.take(entries, self._shown(entries)))

    def past(self, entries: list[Entry]) -> None:
        """What came before a resident session was joined."""
        self._remember(entries)
        rows = self._rows.take(entries, self._shown(entries))
        self._prompt.print(self._view.past(rows, self._options.past))

    def wake_at(self) -> float | None:
        return self._rows.wake_at()

    def tick(self, now: float) -> None:
        if rows := self._rows.tick(now):
            self._show_rows(rows)

    def _show_rows(self, shown: list[Row]) -> None:
        if self._status.paused is not None:
            self._paused += shown
            self._status.paused = len(self._paused)
        else:
            self._prompt.print(self._view.lines(shown))
        self._prompt.refresh()

    def _shown(self, entries: list[Entry]) -> list[Entry]:
        try:
            return self._inspector.selection.among(entries)
        except TooSlow as error:  # a failing filter must not end a conversation
            self._inspector.selection.where = None
            self._warn(f"{error}; all messages are shown".replace("--where", "/where", 1))
            return self._inspector.selection.among(entries)

    def _remember(self, entries: list[Entry]) -> None:
        log = self._inspector.log
        full = log.dropped > 0
        log.add(entries)
        if log.dropped and not full:
            self._print_line(f"from now on /find, /event and /turn know only the last {len(log):,} events")

    async def drain(self) -> None:
        while self._prompt.held > HELD_LINES:
            await asyncio.sleep(0.02)

    # -- commands that the console answers

    async def _answer(self, say: Say) -> None:
        try:
            if say.command == "find":
                lines = await self._inspector.find(say.argument)
            else:
                if say.command in ("tools", "stats") and self._calls is not None:
                    self._inspector.runs = await self._calls.rows()
                lines = self._inspector.answer(say, self._session.room.now(), self._view.width)
        except ConsoleError as error:
            self._warn(str(error))
            return
        self._view.all = self._inspector.selection.all
        if say.command == "copy" and self._options.clipboard:
            escape = osc52("\n".join(lines))
            lines[0] = escape + lines[0]
            if escape:
                lines.append("✓ copied, where the terminal allows it")
            else:
                lines.append(f"✗ not on the clipboard: terminals take {CLIPBOARD_BYTES:,} bytes at most")
        elif say.command == "copy":
            lines.append("not on the clipboard: the setting clipboard = true lets /copy put it there")
        asked = f"› /{say.command} {say.argument}".rstrip()
        self._print(self._environment.theme.paint("quiet", safe(asked)))
        self._prompt.print(lines)

    def _show(self, what: str) -> None:
        self._print_line(self._inspector.show(what))
        self._view.all = self._inspector.selection.all

    def _help(self) -> None:
        for line in self.keys:
            self._prompt.print(wrap(line, self._view.width, subsequent_indent=" " * 17))

    def _pause(self) -> None:
        if self._status.paused is None:
            self._status.paused = 0
            self._prompt.refresh()
        else:
            self._go_on()

    def _go_on(self) -> None:
        """Show the entries that waited while the view was paused."""
        waited, self._paused, self._status.paused = self._paused, [], None
        self._prompt.print(self._view.lines(waited))
        self._prompt.refresh()

    def _complete(self, text: str) -> Iterator[tuple[str, str]]:
        conversation, objectives = self._session.conversation, self._inspector.log.objectives()
        return completions(text, conversation, objectives, recorded=self.recorded)

    # -- rows

    def _status_line(self, columns: int) -> str:
        self._view.width = columns
        self._status.filtered = self._inspector.selection.filters
        session = self._session
        return self._status.line(session.conversation, session.room.now(), self._prompt.held, columns)

    def _print_line(self, text: str) -> None:
        self._print(safe(text))

    def _warn(self, text: str) -> None:
        mark = "" if text.startswith("warning: ") else "✗ "
        self._print(self._environment.theme.paint("warning", mark + safe(text)))

    def _print(self, line: str) -> None:
        self._prompt.print(wrapped(line, self._view.width, 2))
