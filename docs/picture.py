"""Draws docs/join.svg and docs/theme-NAME.svg: real runs of ``join sim`` on a terminal emulator.

``make pictures``; or python docs/picture.py [NAME …] for some of them. Needs the test extra.
"""

from __future__ import annotations

import copy
import os
import pty
import select
import struct
import sys
import tempfile
import time
from fcntl import ioctl
from itertools import groupby
from pathlib import Path
from termios import TIOCSWINSZ

import pyte
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, SVG_EXPORT_THEME, TerminalTheme
from rich.text import Text

COLUMNS, ROWS = 112, 42
COMMAND = ("join", "sim")
DARK, LIGHT = SVG_EXPORT_THEME, DEFAULT_TERMINAL_THEME
BLACK = TerminalTheme((0, 0, 0), (255, 255, 255), [(0, 0, 0)] * 8)
PICTURES: dict[str, tuple[tuple[str, ...], TerminalTheme]] = {  # how it is run, on which terminal
    "join": (COMMAND, DARK),
    "theme-dark": ((*COMMAND, "--theme", "dark"), DARK),
    "theme-light": ((*COMMAND, "--theme", "light"), LIGHT),
    "theme-mono": ((*COMMAND, "--theme", "mono"), DARK),
    "theme-high-contrast": ((*COMMAND, "--theme", "high-contrast"), BLACK),
}
# the text that must be on the screen and how often, the seconds to wait after that, and what to type then
SCENE = (
    ("show me everything", 1, 7.5, "What are your hours?\r"),
    ("tool call open", 1, 1.0, "/tool-result CALL from nine to five\r"),
    ("nine to five.", 1, 4.0, "Tell me a long story\r"),
    ("Long before", 1, 3.3, "/interrupt\r"),
    ("✂", 1, 0.9, "/sensitivity \t"),
    ("pause=", 1, 0.5, ""),
)
PATIENCE = 30.0  # seconds
FONT_FACE = "@font-face"


def main() -> None:
    for name in sys.argv[1:] or PICTURES:
        arguments, terminal_theme = PICTURES[name]
        svg = _draw(_run(arguments), " ".join(("tavus-console", *arguments)), terminal_theme)
        Path(__file__).with_name(f"{name}.svg").write_text(svg, encoding="utf-8")


def _run(arguments: tuple[str, ...]) -> pyte.Screen:
    """The screen at the end of the scene."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    with tempfile.TemporaryDirectory() as folder:
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ |= {
                "TERM": "xterm-256color",
                "TAVUS_CONSOLE_HISTORY": os.path.join(folder, "history"),
                "TAVUS_CONSOLE_CONFIG": os.devnull,
            }
            os.environ.pop("NO_COLOR", None)
            program = str(Path(sys.executable).with_name("tavus-console"))
            os.execv(program, [program, *arguments])
        ioctl(terminal, TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        for sign, times, seconds, typed in SCENE:
            _await(terminal, stream, screen, sign, times)
            _watch(terminal, stream, seconds)
            call = next(
                (word for row in screen.display for word in row.split() if word.startswith("call_")), ""
            )
            os.write(terminal, typed.replace("CALL", call).encode())
        _watch(terminal, stream, 0.3)
        seen = copy.deepcopy(screen)
        os.write(terminal, b"\x03\x04")
        _watch(terminal, stream, 1.0)
        os.close(terminal)
        os.waitpid(pid, 0)
    return seen


def _await(terminal: int, stream: pyte.ByteStream, screen: pyte.Screen, sign: str, times: int) -> None:
    end = time.monotonic() + PATIENCE
    while "\n".join(screen.display).count(sign) < times:
        if time.monotonic() > end:
            raise SystemExit(f"{sign} did not come {times} times:\n" + "\n".join(screen.display))
        _watch(terminal, stream, 0.05)


def _watch(terminal: int, stream: pyte.ByteStream, seconds: float) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([terminal], [], [], left)[0]:
            try:
                stream.feed(os.read(terminal, 65_536))
            except OSError:  # the program has ended
                return


def _draw(screen: pyte.Screen, title: str, terminal_theme: TerminalTheme) -> str:
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        console = Console(
            width=COLUMNS, record=True, file=nowhere, force_terminal=True, color_system="truecolor"
        )
        last = max(number for number, row in enumerate(screen.display) if row.strip())
        for number in range(last + 1):
            row = screen.buffer[number]
            line = Text()
            cells = [row[column] for column in range(COLUMNS)]
            for style, run in groupby(cells, _style):
                line.append("".join(cell.data for cell in run), style)
            line.rstrip()
            console.print(line, soft_wrap=True)
        svg = console.export_svg(title=title, theme=terminal_theme)
    # The font is the reader's own, because a picture should not call a server.
    while FONT_FACE in svg:
        before, _, rest = svg.partition(FONT_FACE)
        svg = before + rest.partition("}")[2]
    return svg


def _style(cell: pyte.screens.Char) -> Style:
    return Style(
        color=_color(cell.fg),
        bgcolor=_color(cell.bg),
        bold=cell.bold,
        reverse=cell.reverse,
        underline=cell.underscore,
    )


def _color(name: str) -> str | None:
    """pyte's name for a colour, or its six digits, as rich calls it."""
    if name == "default":
        return None
    if len(name) == 6 and not set(name) - set("0123456789abcdef"):
        return f"#{name}"
    return name.replace("bfight", "bright").replace("brown", "yellow").replace("bright", "bright_")


main()
