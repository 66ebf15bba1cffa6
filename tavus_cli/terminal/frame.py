"""One write a frame: what is drawn is held back until the drawing is complete.

prompt_toolkit flushes its output several times while it erases and draws; on the terminal each
flush is a picture of its own, and the one between the erasing and the drawing has no prompt. So
the prompt draws on a ``HeldOutput``, which lets nothing out until ``Frame.drawn``.

A drawing costs milliseconds, for working out where everything stands. Where the prompt is as it was,
``repeat`` puts out again what the last drawing came to.
Neighbours: ``prompt`` decides when a frame is due and what is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.layout.screen import Screen
from prompt_toolkit.output import Output

from tavus_cli.terminal.writer import Writer

# A terminal that knows this mode shows nothing of a frame before all of it is there, in however many parts
# the tty passes it on; others ignore it.
_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"


class HeldOutput:
    """Another output, whose ``flush`` does nothing as long as it is ``held``.

    It passes everything else on, as prompt_toolkit's own output for Windows does.
    """

    def __init__(self, output: Output) -> None:
        self.held = False
        self._output = output

    def __getattr__(self, name: str) -> Any:
        return getattr(self._output, name)

    @property
    def pieces(self) -> list[str]:
        """What is written and not flushed: all there is to learn what a drawing came to."""
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
        """What is held goes out."""
        self._output.flush()

    def hand_over(self) -> None:
        """What is held goes out, and the terminal is left as another program expects it."""
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
        """Whether the terminal has not taken all of what was let go."""
        return self._writer is not None and self._writer.busy

    def hold(self, on_free: Callable[[], None], on_stall: Callable[[float], None]) -> None:
        """From now on nothing reaches the terminal before ``drawn``. What is called: ``Writer.attach``."""
        if self._writer is not None:
            self._writer.attach(on_free, on_stall)
        self._output.held = True

    def above(self, text: str) -> None:
        """Take the prompt away and write where it stood. It must then be drawn again."""
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
        """Everything held goes out in one write."""
        if self._begun is not None:
            self._whole = "".join(self._output.pieces[self._begun :])
            self._screen = self._app.renderer.last_rendered_screen if self._whole else None
            self._begun = None
        self._at_once()

    @property
    def whole(self) -> bool:
        """Whether the last drawing was of the whole prompt, so that it can be repeated."""
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
        """What is held goes out, and another program finds the terminal as it expects it."""
        self._output.hand_over()
        await self.drained()

    async def drained(self) -> None:
        """Returns when the terminal has taken everything."""
        if self._writer is not None:
            await self._writer.drained()

    def detach(self) -> None:
        """After ``release``: writes wait for the terminal again; what it has not taken is dropped."""
        if self._writer is not None:
            self._writer.detach()

    def release(self) -> None:
        """The output is as it was before ``hold``; what is still held goes out."""
        self._output.held = False
        self._output.hand_over()
