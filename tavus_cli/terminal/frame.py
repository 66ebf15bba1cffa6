"""One write for each frame: drawing is held until it is complete.

prompt_toolkit flushes its output several times while it erases and draws. The terminal shows each flush, and
one between erasing and drawing has no prompt. So the prompt draws on a ``HeldOutput``, which writes nothing
until ``Frame.drawn``.

Drawing costs milliseconds, mostly for layout. If the prompt is unchanged, ``repeat`` writes the result of the
last drawing again. Neighbours: ``prompt`` decides when a frame is due and what is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from itertools import zip_longest
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.data_structures import Point, Size
from prompt_toolkit.layout.screen import Screen
from prompt_toolkit.output import Output

from tavus_cli.terminal.writer import Writer

# Terminals with this mode show a frame only when all of it has arrived, even if the tty passes it on in
# parts; others ignore it.
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
        """Does nothing while held: otherwise each frame would switch it off for a moment.

        Over a slow link a paste could fall into that moment, and Enter would seem to be pressed after each of
        its lines.
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

# The variables of terminals that fold long rows when they become narrower. Unknown terminals are assumed not
# to fold: otherwise moving up could erase printed lines.
_FOLDING = (
    "VTE_VERSION",
    "KITTY_WINDOW_ID",
    "ALACRITTY_WINDOW_ID",
    "KONSOLE_VERSION",
    "WEZTERM_PANE",
    "GHOSTTY_RESOURCES_DIR",
    "ITERM_SESSION_ID",
    "WT_SESSION",
)
_FOLDING_TERMS = ("foot", "xterm-kitty", "xterm-ghostty", "alacritty")
_FOLDING_PROGRAMS = ("Apple_Terminal", "vscode")


class Folding(Enum):
    """What a terminal that becomes narrower does with rows that are too long."""

    NONE = 0  # cuts them, or is unknown
    TEXT = 1  # folds them
    ONCE_USED = 2  # folds them at the width that they once had, even if only blanks are left of it: tmux


def folds(environ: Mapping[str, str]) -> Folding:
    """What this terminal is known to do."""
    term = environ.get("TERM", "")
    if environ.get("TMUX") or term.startswith("tmux"):
        return Folding.ONCE_USED
    known = (
        any(environ.get(name) for name in _FOLDING)
        or term.startswith(_FOLDING_TERMS)
        or environ.get("TERM_PROGRAM") in _FOLDING_PROGRAMS
    )
    return Folding.TEXT if known else Folding.NONE


def _ends(screen: Screen) -> list[int]:
    """The columns that each row uses."""
    ends = []
    for y in range(screen.height):
        cells = screen.data_buffer[y].items()
        ends.append(
            max(
                (x + cell.width for x, cell in cells if cell.char != " " or "reverse" in cell.style),
                default=0,
            )
        )
    return ends


class Frame:
    """Holds what is drawn on an output, from ``hold`` to ``release``.

    ``writer`` is what the output writes to; without one a write waits for the terminal. ``folding`` is what
    ``folds`` says.
    """

    def __init__(
        self, app: Application[str], output: HeldOutput, writer: Writer | None, folding: Folding
    ) -> None:
        self._app = app
        self._output = output
        self._writer = writer
        self._folding = folding
        self._begun: int | None = None  # the index of the piece where the drawing of a whole prompt begins
        self._whole = ""  # the last such drawing,
        self._screen: Screen | None = None  # and what it came from
        self._text = ""  # what ``above`` wrote for the current drawing
        self._size: Size | None = None  # for which the current drawing, or else the last one, was made
        self._there: Screen | None = None  # the prompt that the terminal shows,
        self._ends: list[int] = []  # and the columns that its rows use
        self._fresh = True  # the current drawing begins on erased rows

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

    def begin(self) -> None:
        """Called before a drawing. Reads the size now, as the signal of a resize may come later."""
        size = self._output.get_size()
        if self._size not in (None, size):
            self.erase()
        self._size = size
        self._fresh = self._app.renderer.last_rendered_screen is None

    def above(self, text: str) -> None:
        """Erase the prompt and write in its place. It must then be drawn again."""
        self._app.renderer.erase(leave_alternate_screen=False)
        self._write_above(text)

    def erase(self) -> None:
        """Called after a resize: drop the current drawing, except its lines, and erase the prompt, wherever
        it is now. If the terminal became narrower, it may have folded rows of the prompt.
        """
        output = self._output
        self._size = output.get_size()
        output.pieces.clear()
        self._begun = None
        self._app.renderer.reset(leave_alternate_screen=False)
        if self._there is not None:
            cursor = self._there.get_cursor_position(self._app.layout.current_window)
            output.cursor_backward(cursor.x)
            output.cursor_up(cursor.y + self._folded(cursor, self._size.columns))
        output.erase_down()
        output.reset_attributes()
        output.enable_autowrap()
        if text := self._text:
            self._text = ""
            self._write_above(text)

    def _folded(self, cursor: Point, columns: int) -> int:
        """How many more rows are above the cursor than when it was drawn, on a terminal of ``columns``."""
        if self._folding is Folding.NONE:
            return 0
        return cursor.x // columns + sum(max(0, end - 1) // columns for end in self._ends[: cursor.y])

    def forget(self) -> None:
        """Called if another program has used the terminal: the prompt is no longer there."""
        self._there = None

    def drawn(self) -> bool:
        """Write everything held at once; False if the size has changed since ``begin``: draw it again."""
        if self._size not in (None, self._output.get_size()):
            self.erase()
            return False
        if self._begun is not None:
            self._whole = "".join(self._output.pieces[self._begun :])
            self._screen = self._app.renderer.last_rendered_screen if self._whole else None
            self._begun = None
        self._at_once()
        return True

    @property
    def whole(self) -> bool:
        """Whether the last drawing was of the whole prompt, for this size, and can be repeated."""
        return (
            self._screen is not None
            and self._screen is self._app.renderer.last_rendered_screen
            and self._size == self._output.get_size()
        )

    def repeat(self, text: str) -> None:
        """Write above the prompt, which is unchanged since the last drawing, and ``whole``."""
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
        self._fresh = True
        self._at_once()

    def _write_above(self, text: str) -> None:
        self._text += text
        self._output.write_raw(text)
        self._begun = len(self._output.pieces)
        self._fresh = True

    def _at_once(self) -> None:
        self._text = ""
        self._there = self._app.renderer.last_rendered_screen
        self._measure()
        if pieces := self._output.pieces:
            pieces.insert(0, _BEGIN)
            pieces.append(_END)
        self._output.let_go()

    def _measure(self) -> None:
        if self._there is None or self._folding is Folding.NONE:
            return
        ends = _ends(self._there)
        if self._folding is Folding.ONCE_USED and not self._fresh:
            ends = [max(pair) for pair in zip_longest(ends, self._ends, fillvalue=0)]
        self._ends = ends

    async def lend(self) -> None:
        """Write what is held, and leave the terminal as another program expects it."""
        self._output.hand_over()
        self._there = None
        await self.drained()

    async def drained(self) -> None:
        """Wait until the terminal has accepted everything."""
        if self._writer is not None:
            await self._writer.drained()

    def detach(self) -> None:
        """Called after ``release``: writes block again; text the terminal has not accepted is dropped."""
        if self._writer is not None:
            self._writer.detach()

    def release(self) -> None:
        """Restore the output as before ``hold``; what is still held is written."""
        self._output.held = False
        self._output.hand_over()
