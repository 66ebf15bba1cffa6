"""How long whole processes take, which users wait for after Enter."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench.measure import CONSOLE, PYTHON, Contest

NOTHING = "import typer\napp = typer.Typer()\n@app.command()\ndef main() -> None: pass\napp()\n"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "nothing.py")
        program.write_text(NOTHING)
        Contest(
            "start-up, whole processes",
            {
                "python -c pass": [PYTHON, "-c", "pass"],
                "a do-nothing typer program": [PYTHON, str(program)],
                "tavus-console --version": [CONSOLE, "--version"],
                "tavus-console --help": [CONSOLE, "--help"],
                "tavus-console send sim respond hi --wait reply": [
                    *(CONSOLE, "send", "sim", "respond", "hi", "--wait", "reply"),
                ],
                "tavus-console send sim:?speed=max (the same)": [
                    *(CONSOLE, "send", "sim:?speed=max", "respond", "hi", "--wait", "reply"),
                ],
            },
        ).run().table(against="a do-nothing typer program")
