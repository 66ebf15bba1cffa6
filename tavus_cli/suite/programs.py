"""The programs of a suite by their extensions: which file is one, and reading it."""

from __future__ import annotations

import os

from tavus_cli.errors import UsageError
from tavus_cli.script.runner import Limits
from tavus_cli.suite.case import Program

SUFFIXES = (".tavus",)  # of the files in a FOLDER that are run; a file that is named may have any other


def load(text: str, path: str, limits: Limits) -> Program:
    """The program in a file's ``text``. Raises UsageError; ``script.Mistakes`` where there are several."""
    from tavus_cli.suite.script import load as load_script

    return load_script(text, path, limits)


def files_in(folder: str) -> list[str]:
    """The programs right in it, by name. Raises UsageError where there are none."""
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror or error}") from None
    paths = [os.path.join(folder, name) for name in names if name.endswith(SUFFIXES)]
    if not paths:
        raise UsageError(f"{folder}: no script in it: their names end with {', '.join(SUFFIXES)}")
    return paths
