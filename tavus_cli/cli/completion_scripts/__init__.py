"""Static completion scripts for bash, zsh and fish, made from the command tree.

Static, because a script that asks the program costs a fifth of a second a TAB. What they look up themselves
are the names of files, of running sessions and of conversations created here; a name with any other character
than an id has is left out, so nothing that a remote party chose reaches a shell. ``completions/`` holds the
scripts; a test compares.
"""

from __future__ import annotations

from tavus_cli.cli.completion_scripts import bash, fish, zsh
from tavus_cli.cli.completion_scripts.shapes import shapes
from tavus_cli.errors import UsageError, did_you_mean

_SHELLS = {"bash": bash.script, "zsh": zsh.script, "fish": fish.script}

__all__ = ["script", "shapes"]


def script(shell: str) -> str:
    """The script for "bash", "zsh" or "fish". Raises UsageError for another one."""
    make = _SHELLS.get(shell)
    if make is None:
        known = ", ".join(_SHELLS)
        raise UsageError(
            f'no completion for "{shell}": there is one for {known}{did_you_mean(shell, _SHELLS)}'
        )
    return make(list(shapes()))
