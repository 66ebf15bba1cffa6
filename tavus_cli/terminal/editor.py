"""The user's editor: $VISUAL, $EDITOR, or one that is installed."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tavus_cli.errors import without_keys

_USUAL = ("notepad",) if os.name == "nt" else ("editor", "nano", "vi")
_DRAWS = {"editor", "nano", "vi", "vim", "nvim", "pico", "micro", "hx"}  # editors that draw on the terminal


class EditorFailed(Exception):
    """The message is one line."""


def open_editor(path: Path, environ: Mapping[str, str], *, terminal: bool = True) -> None:
    """Open a file and wait until the editor ends. Without a ``terminal``, one that draws on it is refused.

    Raises EditorFailed, also for an editor that ends with a status other than 0.
    """
    words = _command(environ)
    if not terminal and Path(words[0]).name in _DRAWS:
        raise EditorFailed(f"{words[0]} needs a terminal: edit {path} yourself, or name an editor in VISUAL")
    try:
        status = subprocess.call([*words, str(path)], env=without_keys(os.environ))
    except OSError as error:
        raise EditorFailed(f"{words[0]}: {error.strerror or error}") from None
    if status:
        raise EditorFailed(f"{words[0]} ended with status {status}")


def edited(text: str, environ: Mapping[str, str]) -> str:
    """The text as saved by the editor, without the newline at its end. Raises EditorFailed."""
    try:
        with tempfile.TemporaryDirectory(prefix="tavus-console-") as folder:  # readable only by its owner
            path = Path(folder) / "message.txt"
            path.write_text(text + "\n", encoding="utf-8", errors="replace")
            open_editor(path, environ)
            return path.read_text(encoding="utf-8", errors="replace").removesuffix("\n")
    except OSError as error:
        raise EditorFailed(f"the editor's file: {error.strerror or error}") from None


def _command(environ: Mapping[str, str]) -> list[str]:
    for name in ("VISUAL", "EDITOR"):
        try:
            if words := shlex.split(environ.get(name, ""), posix=os.name != "nt"):
                return words
        except ValueError as error:  # an unclosed quote
            raise EditorFailed(f"{name}: {error}") from None
    if found := next(filter(shutil.which, _USUAL), None):
        return [found]
    raise EditorFailed("no editor is installed; set EDITOR")
