"""One write for each frame: drawing is held until it is complete.

prompt_toolkit flushes its output several times while it erases and draws. The terminal shows each flush, and
one between erasing and drawing has no prompt. So the prompt draws on a ``HeldOutput``, which writes nothing
until ``Frame.drawn``.

Drawing costs milliseconds, mostly for layout. If the prompt is unchanged, ``repeat`` writes the result of the
last drawing again. Neighbours: ``prompt`` decides when a frame is due and what is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.layout.screen import Screen
from prompt_toolkit.output import Output

from tavus_cli.terminal.writer import Writer

# Terminals that know this mode show a frame only when all of it has arrived, in however many parts
# the tty passes it on; others ignore it.
_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"


class HeldOutput:
    """Wraps an output; ``flush`` does nothing while it is ``held``.

    It passes everything else on, as prompt_toolkit's own output for Windows does.
    """

    def __init__(self, output: Output) -> None:
        self.held = False
        self._output = output

    def __getattr__(self, name: str) -> Any:
        return getattr(self._output, name)

    @property
    def pieces(self) -> list[str]:
        """The text written and not flushed yet: the result of a drawing."""
        pieces: list[str] = getattr(self._output, "_buffer", [])
        return pieces

    def flush(self) -> None:
        if not self.held:
            self._output.flush()

    def disable_bracketed_paste(self) -> None:
        """Not while held: erasing would switch it off for a moment in every frame.

        Over a slow link a paste could fall into that moment, and each of its lines would be sent as if by
        Enter.
        """
        if not self.held:
            self._output.disable_bracketed_paste()

    def let_go(self) -> None:
        """Write what is held."""
        self._output.flush()

    def hand_over(self) -> None:
        """Write what is held, and leave the terminal as another program expects it."""
        self._output.disable_bracketed_paste()
        self._output.flush()


Output.register(HeldOutput)

# What terminals that fold long rows, when they become narrower, tell the programs in them. Of an unknown one
# nothing is assumed: where it does not fold, going up would erase what was printed.
_FOLDING = (
    "TMUX",
    "VTE_VERSION",
    "KITTY_WINDOW_ID",
    "ALACRITTY_WINDOW_ID",
    "KONSOLE_VERSION",
    "WEZTERM_PANE",
    "GHOSTTY_RESOURCES_DIR",
    "ITERM_SESSION_ID",
    "WT_SESSION",
)
_FOLDING_TERMS = ("tmux", "foot", "xterm-kitty", "xterm-ghostty", "alacritty")
_FOLDING_PROGRAMS = ("Apple_Terminal", "vscode")


def folds(environ: Mapping[str, str]) -> bool:
    """Whether the terminal is known to fold what it has shown, instead of cutting it."""
    return (
        any(environ.get(name) for name in _FOLDING)
        or environ.get("TERM", "").startswith(_FOLDING_TERMS)
        or environ.get("TERM_PROGRAM") in _FOLDING_PROGRAMS
    )


class Frame:
    """Holds what is drawn on an output, from ``hold`` to ``release``.

    ``writer`` is what the output writes to; without one a write waits for the terminal.
    """

    def __init__(self, app: Application[str], output: HeldOutput, writer: Writer | None) -> None:
        self._app = app
        self._output = output
        self._writer = writer
        self._begun: int | None = None  # where in the pieces the drawing of a whole prompt begins
        self._whole = ""  # the last such drawing,
        self._screen: Screen | None = None  # and what it came from

    @property
    def busy(self) -> bool:
        """Whether the terminal has not accepted everything written so far."""
        return self._writer is not None and self._writer.busy

    def hold(self, on_free: Callable[[], None], on_stall: Callable[[float], None]) -> None:
        """From now on nothing reaches the terminal before ``drawn``.

        The callbacks are those of ``Writer.attach``.
        """
        if self._writer is not None:
            self._writer.attach(on_free, on_stall)
        self._output.held = True

    def above(self, text: str) -> None:
        """Erase the prompt and write in its place. It must then be drawn again."""
        self._app.renderer.erase(leave_alternate_screen=False)
        self._output.write_raw(text)
        self._begun = len(self._output.pieces)

    def folded(self, columns: int) -> None:
        """A terminal that became narrower has folded the rows that no longer fit: go up to the first of them.

        Only a terminal that is known to do so, as ``folds`` says. The prompt is erased next.
        """
        screen = self._app.renderer.last_rendered_screen
        if screen is None:
            return
        cursor = screen.get_cursor_position(self._app.layout.current_window)
        more = cursor.x // columns
        for y in range(cursor.y):
            cells = screen.data_buffer[y].items()
            ends = (x + cell.width for x, cell in cells if cell.char != " " or "reverse" in cell.style)
            more += max(0, max(ends, default=1) - 1) // columns
        if more:
            self._output.cursor_up(more)

    def drawn(self) -> None:
        """Write everything held at once."""
        if self._begun is not None:
            self._whole = "".join(self._output.pieces[self._begun :])
            self._screen = self._app.renderer.last_rendered_screen if self._whole else None
            self._begun = None
        self._at_once()

    @property
    def whole(self) -> bool:
        """Whether the last drawing was of the whole prompt, and can be repeated."""
        return self._screen is not None and self._screen is self._app.renderer.last_rendered_screen

    def repeat(self, text: str) -> None:
        """Write above the prompt, which is as it was last drawn, and ``whole``."""
        assert self._screen is not None
        output = self._output
        cursor = self._screen.get_cursor_position(self._app.layout.current_window)
        output.cursor_backward(cursor.x)
        output.cursor_up(cursor.y)
        output.erase_down()
        output.reset_attributes()
        output.enable_autowrap()
        output.write_raw(text)
        output.write_raw(self._whole)
        self._at_once()

    def _at_once(self) -> None:
        if pieces := self._output.pieces:
            pieces.insert(0, _BEGIN)
            pieces.append(_END)
        self._output.let_go()

    async def lend(self) -> None:
        """Write what is held, and leave the terminal as another program expects it."""
        self._output.hand_over()
        await self.drained()

    async def drained(self) -> None:
        """Wait until the terminal has accepted everything."""
        if self._writer is not None:
            await self._writer.drained()

    def detach(self) -> None:
        """After ``release``: writes block again; text the terminal has not accepted is dropped."""
        if self._writer is not None:
            self._writer.detach()

    def release(self) -> None:
        """Restore the output as before ``hold``; what is still held is written."""
        self._output.held = False
        self._output.hand_over()
