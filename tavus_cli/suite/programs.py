"""Finding and reading the programs of a suite, by their extensions."""

from __future__ import annotations

import os

from tavus_cli.callers.caller import is_caller
from tavus_cli.errors import ConsoleError, UsageError
from tavus_cli.files import read_text
from tavus_cli.script.runner import Limits
from tavus_cli.suite.case import Program

CALLER = ".toml"
SUFFIXES = (".tavus", CALLER)  # of the files in a FOLDER that are run; a file given by name may have any


def load(text: str, path: str, limits: Limits) -> Program:
    """The program in a file's ``text``. Raises UsageError; ``script.Mistakes`` where there are several."""
    if path.endswith(CALLER):
        from tavus_cli.suite.caller import load as load_caller

        return load_caller(text, path, limits)
    from tavus_cli.suite.script import load as load_script

    return load_script(text, path, limits)


def files_in(folder: str) -> list[str]:
    """The programs directly in a folder, by name, without TOML files for other purposes.

    Raises UsageError if there are none.
    """
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror or error}") from None
    paths = [os.path.join(folder, name) for name in names if name.endswith(SUFFIXES)]
    paths = [path for path in paths if not path.endswith(CALLER) or _is_caller(path)]
    if not paths:
        raise UsageError(f"{folder}: no script in it: their names end with {', '.join(SUFFIXES)}")
    return paths


def _is_caller(path: str) -> bool:
    try:
        return is_caller(read_text(path))
    except ConsoleError:
        return False
