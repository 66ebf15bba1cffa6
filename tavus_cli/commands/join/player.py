"""``replay -i``: the console over a recording, which pauses until a command continues it."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable

from tavus_cli.errors import ConsoleError, ExitStatus, UsageError
from tavus_cli.language.commands import Say
from tavus_cli.language.grammar import speed_factor
from tavus_cli.protocol.events import Event
from tavus_cli.rooms.recorded import RecordedRoom
from tavus_cli.rooms.room import Arrival
from tavus_cli.rooms.span import Bound, parse_bound
from tavus_cli.rooms.stepped import SteppedRoom, time_of
from tavus_cli.session.environment import Environment
from tavus_cli.session.session import Session
from tavus_cli.terminal.prompt import LivePrompt
from tavus_cli.views.rows import Row, Rows

from .commander import JoinOptions
from .console import KEYS, Console
from .typed import bare_command

HINT = "Enter shows the next row, /play, /seek, /help lists commands, F1 the keys, Ctrl-D leaves"
LAST_ROWS = 10  # shown when /seek goes to the end
_FOR_TEXT = ("Enter  ", "Alt-Enter", "F4")
_KEYS = (
    "Enter            on an empty line: the next row",
    "F4               play, or pause",
    *(line for line in KEYS if not line.startswith(_FOR_TEXT)),
)
_END = Bound("since", float("inf"))
_ENDED = "the recording has ended; /seek goes back"


async def replay_in_console(
    path: str, speed: float | None, begin: str | None, options: JoinOptions, environment: Environment
) -> int:
    """Run the console until the user leaves.

    ``speed`` as in ``/play``; ``begin`` is a place. Raises UsageError.
    """
    if path == "-" or (os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)):
        raise UsageError("replay -i goes back and forth in a recording: give a file, not a pipe")
    if not environment.interactive:
        raise UsageError("replay -i needs a terminal; without -i, replay prints the recording")

    def open_room() -> SteppedRoom:
        return SteppedRoom(RecordedRoom(path))

    place = _place(begin) if begin else None
    return await Player(open_room, options, environment, speed=speed, begin=place).run()


class Player(Console):
    """A console that shows events by steps, by playing and by seeking.

    To go back, it reads the recording again from its start, because each event is shown in the state that the
    earlier ones left.
    """

    keys = _KEYS
    recorded = True

    def __init__(
        self,
        open_room: Callable[[], SteppedRoom],
        options: JoinOptions,
        environment: Environment,
        prompt: Callable[..., LivePrompt] = LivePrompt,
        *,
        speed: float | None = 1.0,
        begin: Bound | None = None,
    ) -> None:
        self._open_room = open_room
        self._room = open_room()
        self._hold = options.hold
        super().__init__(Session(self._room, hold=self._hold), options, environment, prompt)
        self._speed = speed
        self._wanted = begin  # where to go after reading again
        self._playing: asyncio.Task[None] | None = None
        self._stop_playing = asyncio.Event()
        self._row_count = 0
        self._passed_over: deque[Row] | None = None  # rows not shown while seeking
        self._next_rows: deque[Row] = deque()  # read but not shown yet, for the next steps
        self._stands()

    def _opening(self) -> str:
        return f"{self._room.target} – {HINT}"

    async def _in_the_room(self) -> int:
        """Read the file, again each time it goes back, until the user leaves."""
        await self._room.next()
        self._status.joined = self._room.start or self._room.now()
        while True:
            async with self._session:
                self._prompt.refresh()
                try:
                    leaves = await self._until_it_goes_back()
                finally:
                    await self._pause_playing()
            if leaves:
                return ExitStatus.DONE
            self._begin_again()

    async def _until_it_goes_back(self) -> bool:
        """Returns False if the wanted place lies further back, True if the user leaves."""
        if self._wanted is not None:
            wanted, self._wanted = self._wanted, None
            await self._seek(wanted)
        while True:
            line = await self._typed.get()
            try:
                if command := bare_command(line):
                    raise UsageError(f"type /{command}")
                action = self._commander.parse(line) if line.strip() else Say("step")
                if isinstance(action, Say):
                    if action.command == "quit":
                        return True
                    if await self._did(action):
                        return False
                elif action is not None:
                    raise UsageError("not sent: a recording cannot receive messages")
            except ConsoleError as error:
                self._warn(str(error))

    async def _did(self, say: Say) -> bool:
        """Run a command; returns whether its place lies further back. Raises UsageError."""
        match say.command:
            case "step":
                await self._pause_playing()
                await self._step()
            case "pause":
                await self._pause_playing()
            case "play":
                await self._play(say.argument)
            case "seek":
                return await self._goes_back(_place(say.argument))
            case "when" | "retry" | "end":
                raise UsageError(f"/{say.command} works only in a conversation")
            case _:
                await self._answer(say)
        return False

    # -- forward

    async def _step(self) -> None:
        """Show one row. One message may cause several, such as events that were held until it arrived."""
        while not self._next_rows and not self._session.ended.is_set():
            await self._go_on_to_next()
        if self._next_rows:
            super()._show_rows([self._next_rows.popleft()])

    def _show_next_rows(self) -> None:
        super()._show_rows(list(self._next_rows))
        self._next_rows.clear()

    async def _go_on_to_next(self) -> None:
        await self._room.give()
        if await self._room.next() is None:
            await self._finish()

    async def _finish(self) -> None:
        if not self._session.ended.is_set():
            await self._room.give()
            await self._session.ended.wait()
        self._show_next_rows()
        self._stands()
        self._print_line(_ENDED)

    async def _play(self, argument: str) -> None:
        """Raises UsageError."""
        if argument:
            try:
                self._speed = speed_factor(argument)
            except UsageError:
                raise UsageError(f'/play SPEED: a number such as 1 or 4, or max, not "{argument}"') from None
        await self._pause_playing()
        if self._session.ended.is_set():
            raise UsageError(_ENDED)
        self._show_next_rows()
        self._stop_playing.clear()
        self._playing = asyncio.create_task(self._go_by(self._speed))
        self._status.mode = "plays" if self._speed == 1 else f"plays, {_times(self._speed)}"
        self._prompt.refresh()

    async def _go_by(self, speed: float | None) -> None:
        """Play at the pace of the recording, until the end or until ``_stop_playing``, which acts between two
        events.
        """
        clock = asyncio.get_running_loop().time
        begun: tuple[float, float] | None = None
        while not self._session.ended.is_set():
            arrival = await self._room.next()
            at = None if arrival is None else time_of(arrival)
            if at and speed is not None:
                begun = begun or (clock(), self._room.reached or at)
                delay = begun[0] + (at - begun[1]) / speed - clock()
                try:
                    async with asyncio.timeout(max(0.0, delay)):
                        await self._stop_playing.wait()
                except TimeoutError:
                    pass
            if self._stop_playing.is_set():
                return
            await self._go_on_to_next()

    async def _pause_playing(self) -> None:
        self._stop_playing.set()
        if self._playing is not None:
            await self._playing
            self._playing = None
        self._stands()

    def _stands(self) -> None:
        self._status.mode = "END" if self._session.ended.is_set() else "PAUSED, Enter steps"
        self._prompt.refresh()

    # -- to another place

    async def _goes_back(self, place: Bound) -> bool:
        await self._pause_playing()
        room = self._room
        here = place.value_of(room.seq, room.turn, room.reached, room.start)
        if here is not None and here >= place.value:
            self._next_room = self._open_room()  # raises UsageError if the file is gone
            self._wanted = place
            return True
        await self._seek(place)
        return False

    def _begin_again(self) -> None:
        """Reset everything to the start, except the filters."""
        self._room = self._next_room
        self._next_rows.clear()
        self._session = Session(self._room, hold=self._hold)
        self._session.sinks.append(self)
        self._rows = Rows(self._inspector.selection)
        self._inspector.begin(self._session.conversation)
        self._view = self._live_view(width=self._view.width, all=self._view.all)
        self._stands()

    async def _seek(self, place: Bound) -> None:
        """Go forward to the first event that is not before the place, and show it."""
        room = self._room

        def before(arrival: Arrival) -> bool:
            at = time_of(arrival)
            seq, turn = (arrival.seq, arrival.turn_idx) if isinstance(arrival, Event) else (None, None)
            value = place.value_of(seq, turn, at, room.start)
            return value is None or value < place.value

        self._show_next_rows()
        passed: deque[Row] = deque(maxlen=LAST_ROWS)
        self._passed_over = passed
        first = self._row_count
        try:
            while (arrival := await room.next()) is not None and before(arrival):
                await room.give(before)
            if arrival is None and not self._session.ended.is_set():
                await room.give()
                await self._session.ended.wait()
        finally:
            self._passed_over = None
        if count := self._row_count - first:
            self._quietly(f"… {count:,} rows skipped")
        if arrival is not None:
            await self._step()
            return
        super()._show_rows(list(passed))
        self._stands()
        self._print_line(_ENDED if place is _END else "the recording ends before that; /seek goes back")

    # -- what differs from a conversation

    def _show_rows(self, shown: list[Row]) -> None:
        self._row_count += len(shown)
        if self._passed_over is not None:
            self._passed_over += shown
        elif self._playing is None:
            self._next_rows += shown
        else:
            super()._show_rows(shown)

    def _on_blank(self) -> None:
        self._typed.put_nowait("")

    def _pause(self) -> None:
        self._typed.put_nowait("/pause" if self._playing is not None else "/play")

    def _summary(self) -> list[str]:
        return []

    def _quietly(self, text: str) -> None:
        self._print(self._environment.theme.paint("quiet", text))


def _place(text: str) -> Bound:
    """Raises UsageError."""
    word = text.strip().lower()
    if word in ("start", "end"):
        return _END if word == "end" else Bound("since", 0.0)
    return parse_bound(text)


def _times(speed: float | None) -> str:
    return "as fast as it can be read" if speed is None else f"{speed:g} times as fast"
