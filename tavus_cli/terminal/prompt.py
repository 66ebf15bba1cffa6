"""The prompt of a session, and the lines printed above it.

The last rows of the terminal are the growing line of streaming speech (if any), the status line and the input
line. Everything else scrolls away above them and belongs to the terminal. Lines wait in a queue and are drawn
in frames: one write erases the prompt, prints at most ``LINES`` lines and draws the prompt again (``frame``).
The caller makes the text of lines, status and speech, and makes it safe; this folder sees no events.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Literal, TextIO, cast

from prompt_toolkit import PromptSession
from prompt_toolkit.application import Application
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory, ConditionalAutoSuggest
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import Completer
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import ANSI, StyleAndTextTuples, to_formatted_text
from prompt_toolkit.history import History
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding.vi_state import InputMode
from prompt_toolkit.layout import Dimension
from prompt_toolkit.layout.menus import CompletionsMenuControl
from prompt_toolkit.output import ColorDepth, Output, create_output
from prompt_toolkit.renderer import CPR_Support

from tavus_cli.terminal.frame import Folding, Frame, HeldOutput, folds
from tavus_cli.terminal.keys import bindings
from tavus_cli.terminal.lending import Lending
from tavus_cli.terminal.writer import PATIENCE_SECONDS, Writer, open_writer

LINES = 200  # in one frame: more would hold up keys and signals for too long
MENU_ROWS = 40
OTHER_ROWS = 6  # beside the menu: the live line, the status, the input, and the latest events
HINT = "Ctrl-D leaves"
VI_ESCAPE_SECONDS = 0.3  # Enter so soon after Esc is Alt-Enter, a new line
STALL_SECONDS = 2.0  # a terminal that accepts nothing for this long has stopped reading

Line = Callable[[int], str]


class LivePrompt:
    """One prompt_toolkit prompt for the whole session, with lines printed above it in held frames.

    ``status`` and ``live`` return their line for a number of columns; they are called whenever the prompt is
    drawn, which only a frame or a key causes. Both may contain SGR codes; an empty ``live`` takes no row.
    Enter passes the typed text, with its newlines, to ``on_line``, or calls ``on_blank`` if it is blank. The
    text then disappears; printing it is up to the caller. The completion menu is open while the first word is
    a command, with a slash. ``on_keys`` are further keys (``keys.bindings``). With ``vi_mode`` the input line
    begins with ":" in vi's command mode. A long text takes at most half of the screen. While the terminal is
    lent to an editor or the shell (``lending``), lines wait. If the terminal stops reading, only lines are
    delayed, and a line says so. Everything is called on the event loop that runs ``run``.
    """

    def __init__(
        self,
        *,
        status: Line,
        live: Line,
        on_line: Callable[[str], None],
        on_blank: Callable[[], object] = lambda: None,
        completer: Completer | None = None,
        history: History | None = None,
        on_keys: Mapping[str, Callable[[], None]] | None = None,
        vi_mode: bool = False,
        input: Input | None = None,
        output: Output | None = None,
        writer: Writer | None = None,
        frame_seconds: float = 0.03,
        color_depth: ColorDepth | None = None,
    ) -> None:
        folding = folds(os.environ) if output is None else Folding.NONE
        if output is None:
            writer = writer or open_writer(sys.stdout)
            output = create_output(cast(TextIO, writer))
        held = HeldOutput(output)
        self.left_by: Literal["eof", "closed"] | None = None
        self._status = status
        self._live = live
        self._on_line = on_line
        self._on_blank = on_blank
        self._frame_seconds = frame_seconds
        self._message: StyleAndTextTuples = []
        self._shown = ""  # the result of ``_rows`` for it
        self._waiting: deque[str] = deque()
        self._drawing = 0  # lines in the frame that is being drawn
        self._frame_due = False  # a frame was started and is not drawn yet
        self._wanted = False  # a frame was requested while the terminal had not accepted the last one
        self._timer: asyncio.TimerHandle | None = None
        self._next_frame = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None  # set while ``run`` runs
        self._closed = False
        self._hurried = False
        self._on_keys = on_keys or {}
        self._session = self._create_session(completer, history, input, cast(Output, held), color_depth)
        self._app = self._session.app
        self._prepare_app(vi_mode)
        self._frame = Frame(self._app, held, writer, folding)
        buffer = self._session.default_buffer
        self._lending = Lending(
            self._app, self._frame, buffer, lambda line: self.print([line]), self._all_written
        )

    def print(self, lines: Iterable[str]) -> None:
        """Finished lines for the scrollback: SGR codes are welcome, newlines are not.

        They are written in the next frame, or at once if ``run`` is not running.
        """
        if self._loop is None:
            self._write(lines)
        else:
            self._waiting.extend(lines)
            if self._waiting:
                self._arm()

    def refresh(self) -> None:
        """The status or the live line has changed: draw them in the next frame."""
        if self._loop is not None:
            self._arm()

    @property
    def held(self) -> int:
        """How many printed lines are not on the screen yet."""
        return len(self._waiting) + self._drawing

    async def run(self) -> None:
        """Show the prompt until ``close``, Ctrl-D on an empty line or the end of the input.

        Then the prompt is erased, all waiting lines are printed, and ``left_by`` says how it ended.
        """
        if self._closed:
            self.left_by = "closed"
            return
        self._loop = asyncio.get_running_loop()
        self._frame.hold(self._taken, self._stalled)
        try:
            # Without prompt_toolkit's exception handler, which would wait for an Enter, and without
            # its handling of SIGINT, which belongs to the owner of the session.
            with self._lending.jobs:
                await self._app.run_async(set_exception_handler=False, handle_sigint=False)
            self.left_by = self.left_by or "closed"
        except EOFError:
            self.left_by = "eof"
        finally:
            await self._stop()

    def close(self, *, hurry: bool = False) -> None:
        """End ``run``; before ``run`` it makes it return at once. May be called twice.

        ``run`` ends once the terminal has accepted all lines; with ``hurry`` after two seconds at most.
        """
        self._closed = True
        self._hurried = self._hurried or hurry
        self._leave("closed")

    # -- frames

    def _arm(self) -> None:
        """Request a frame, drawn at once or one frame's time after the last one."""
        if self._frame.busy:
            self._wanted = True  # the terminal is behind: one frame for everything that waits
        elif self._loop is not None and not (self._timer or self._frame_due or self._lending.lent):
            delay = max(0.0, self._next_frame - self._loop.time())
            self._timer = self._loop.call_later(delay, self._begin_frame)

    def _begin_frame(self) -> None:
        """Write lines, and below them the prompt, which is redrawn only if it has changed."""
        self._timer = None
        app = self._app
        if self._frame.busy:  # with what was typed
            self._wanted = True
            return
        if self._loop is None or self._lending.lent or not app.is_running or app.is_done:
            return  # ``_stop`` writes what waits
        same = self._rows() == self._shown
        if same and self._waiting and self._frame.whole:
            text = self._take()
            self._out(lambda: self._frame.repeat(text))
            self._end_frame()
        elif self._waiting or not same:
            self._frame_due = True
            app.invalidate()

    def _drawn(self, _: object) -> None:
        """Called after each drawing (for a frame, a key or a resize): write all of it at once."""
        if not self._out(self._frame.drawn):
            self._app.invalidate()
            return
        self._frame_due = False
        self._end_frame()

    def _out(self, write: Callable[[], bool | None]) -> bool:
        """Write; returns False if the prompt must be drawn again."""
        try:
            return write() is not False
        except OSError:  # the terminal is gone, and so is its user
            self._leave("eof")
            return True

    def _end_frame(self) -> None:
        if not self._frame.busy:
            self._taken()

    def _all_written(self) -> None:
        self._drawing = 0

    def _taken(self) -> None:
        """Called when everything drawn is on the screen."""
        self._all_written()
        if self._waiting or self._wanted:
            if self._waiting:  # many lines: print them soon, as they only scroll by
                self._next_frame -= self._frame_seconds / 2
            self._wanted = False
            self._arm()

    def _stalled(self, seconds: float) -> None:
        """Called when the terminal reads again."""
        if seconds >= STALL_SECONDS:
            waited = f", {len(self._waiting):,} lines waited" if self._waiting else ""
            self._waiting.appendleft(f"… the terminal stopped reading for {seconds:.1f} s{waited}")

    def _take(self) -> str:
        """The lines of one frame."""
        if self._loop is not None:
            self._next_frame = self._loop.time() + self._frame_seconds
        lines = [self._waiting.popleft() for _ in range(min(LINES, len(self._waiting)))]
        self._drawing += len(lines)
        return _joined(lines)

    async def _stop(self) -> None:
        self._loop = None
        self._frame_due = self._wanted = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        try:
            with contextlib.suppress(OSError, TimeoutError):  # the terminal may be gone, or stand still
                self._frame.release()
                while self._waiting:
                    self._app.output.write_raw(self._take())
                    self._app.output.flush()
                async with asyncio.timeout(PATIENCE_SECONDS if self._hurried else None):
                    await self._frame.drained()
        finally:
            self._drawing = 0
            self._frame.detach()

    def _write(self, lines: Iterable[str]) -> None:
        lines = iter(lines)
        while chunk := list(islice(lines, LINES)):
            self._app.output.write_raw(_joined(chunk))
            self._app.output.flush()

    def _leave(self, how: Literal["eof", "closed"]) -> None:
        if self._app.is_running and not self._app.is_done:
            self.left_by = how
            self._app.exit()

    # -- the prompt itself

    def _create_session(
        self,
        completer: Completer | None,
        history: History | None,
        input: Input | None,
        output: Output,
        color_depth: ColorDepth | None,
    ) -> PromptSession[str]:
        # Without colours a suggestion would look like text that was typed.
        coloured = Condition(lambda: self._app.color_depth != ColorDepth.DEPTH_1_BIT)
        return PromptSession(
            lambda: self._message,
            completer=completer,
            complete_while_typing=Condition(self._types_command),  # else rows stay reserved for the menu
            history=history,
            auto_suggest=ConditionalAutoSuggest(AutoSuggestFromHistory(), coloured),
            key_bindings=bindings(
                lambda: self.print([HINT]),
                lambda: self._lending.edit(),
                lambda: self._lending.suspend(),
                self._on_keys,
            ),
            prompt_continuation=lambda width, line, wrapped: "" if wrapped else " " * width,
            include_default_pygments_style=False,
            erase_when_done=True,
            color_depth=color_depth,
            input=input,
            output=output,
        )

    def _prepare_app(self, vi_mode: bool) -> None:
        app = self._app
        if vi_mode:
            app.editing_mode = EditingMode.VI
            app.timeoutlen = VI_ESCAPE_SECONDS
        # The position of the cursor is not needed. Not asking for it saves a round trip, and a warning in
        # terminals that do not answer.
        app.renderer.cpr_support = CPR_Support.NOT_SUPPORTED
        if hasattr(signal, "SIGWINCH") and threading.current_thread() is threading.main_thread():
            app.terminal_size_polling_interval = None  # SIGWINCH reports it; an idle prompt sleeps
        app.max_render_postpone_time = 0.003  # seconds that a key may wait while events are handled
        # Events stay visible above a long text. If it filled the screen, tmux would keep its erased rows.
        window = app.layout.current_window
        least = cast(Callable[[], Dimension], window.height)
        window.height = lambda: Dimension(
            min=least().min, max=max(least().min, (app.output.get_size().rows + 1) // 2)
        )
        for one in app.layout.find_all_windows():
            if isinstance(one.content, CompletionsMenuControl):
                one.height = Dimension(min=1, max=MENU_ROWS)
        app._on_resize = self._resized  # type: ignore[method-assign]
        app.before_render += self._compose
        app.after_render += self._drawn
        self._session.default_buffer.accept_handler = self._accept

    def _resized(self) -> None:
        """Erase the prompt, which the terminal may have moved, and draw it again."""
        if not self._lending.lent:
            self._frame.erase()
        Application._on_resize(self._app)

    def _compose(self, app: Application[str]) -> None:
        """Called before each drawing: add waiting lines, even if it is only for a key, and make the rows."""
        if not self._lending.lent:
            self._frame.begin()
        if self._waiting and not (self._lending.lent or self._frame.busy or app.is_done):
            self._frame.above(self._take())
        self._shown = self._rows()
        state = self._session.default_buffer.complete_state
        fitting = max(1, app.output.get_size().rows - OTHER_ROWS)
        wanted = len(state.completions) if state is not None else 0
        self._session.reserve_space_for_menu = min(wanted, MENU_ROWS, fitting) + 1 if wanted else 0
        commands = app.editing_mode == EditingMode.VI and app.vi_state.input_mode == InputMode.NAVIGATION
        sign = ": " if commands else "› "
        self._message = [*to_formatted_text(ANSI(self._shown)), ("", "\n"), ("class:prompt", sign)]

    def _rows(self) -> str:
        """The live line, if any, and the status, as they are now."""
        columns = self._app.output.get_size().columns
        try:
            rows = [row for row in (self._live(columns),) if row]
            rows.append(self._status(columns))
        except Exception as error:
            # Keep the old rows: without a prompt the terminal would seem to hang.
            handler = asyncio.get_running_loop().call_exception_handler
            handler({"message": "the status line failed", "exception": error})
            return self._shown
        return "\n".join(row.replace("\n", " ") for row in rows)

    def _types_command(self) -> bool:
        """Whether the input is the beginning of one word with a slash."""
        text = self._session.default_buffer.text
        return text.startswith("/") and not text.startswith("//") and not any(map(str.isspace, text))

    def _accept(self, buffer: Buffer) -> bool:
        text = buffer.text
        if text.strip():
            buffer.append_to_history()
        buffer.reset()
        self._app.vi_state.input_mode = InputMode.INSERT
        if text.strip():
            self._on_line(text)
        else:
            self._on_blank()
        return False


def _joined(lines: list[str]) -> str:
    return "\r\n".join(lines) + "\r\n"
