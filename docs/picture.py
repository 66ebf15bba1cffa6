"""Draws docs/join.svg: a real run of ``tavus-console join sim`` on a terminal emulator. Needs the test extra.

python docs/picture.py
"""

from __future__ import annotations

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
from rich.text import Text

COLUMNS, ROWS = 112, 34
TITLE = "tavus-console join sim"
SCENE = (  # seconds to wait, then what is typed
    (7.5, "What are your hours?\r"),
    (1.9, "/tool-result CALL from nine to five\r"),
    (5.0, "Tell me a long story\r"),
    (4.2, "/interrupt\r"),
    (1.0, "/sens"),
    (0.5, ""),
)
FONT_FACE = "@font-face"


def main() -> None:
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    with tempfile.TemporaryDirectory() as folder:
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ |= {"TERM": "xterm-256color", "TAVUS_CONSOLE_HISTORY": os.path.join(folder, "history")}
            program = str(Path(sys.executable).with_name("tavus-console"))
            os.execv(program, [program, "join", "sim"])
        ioctl(terminal, TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        for seconds, typed in SCENE:
            _watch(terminal, stream, seconds)
            call = next(
                (word for row in screen.display for word in row.split() if word.startswith("call_")), ""
            )
            os.write(terminal, typed.replace("CALL", call).encode())
        _watch(terminal, stream, 0.3)
        picture = _draw(screen)
        os.write(terminal, b"\x03\x04")
        os.waitpid(pid, 0)
    Path(__file__).with_name("join.svg").write_text(picture, encoding="utf-8")


def _watch(terminal: int, stream: pyte.ByteStream, seconds: float) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([terminal], [], [], left)[0]:
            stream.feed(os.read(terminal, 65_536))


def _draw(screen: pyte.Screen) -> str:
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
        svg = console.export_svg(title=TITLE)
    # The font is the reader's own: a picture should not call a server.
    while FONT_FACE in svg:
        before, _, rest = svg.partition(FONT_FACE)
        svg = before + rest.partition("}")[2]
    return svg


def _style(cell: pyte.screens.Char) -> Style:
    color = (
        None
        if cell.fg == "default"
        else cell.fg
        if cell.fg.islower() and cell.fg.isalpha()
        else f"#{cell.fg}"
    )
    names = {"brown": "yellow", "brightblue": "bright_blue", "brightgreen": "bright_green"}
    return Style(color=names.get(color or "", color), bold=cell.bold, reverse=cell.reverse)


main()
