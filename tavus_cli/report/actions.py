"""The page of a run in GitHub Actions: what is added to it as Markdown."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from tavus_cli.errors import redacted
from tavus_cli.files import open_to_write
from tavus_cli.session.environment import Environment


def add_to_summary(lines: Callable[[], Iterable[str]], environment: Environment) -> None:
    """Append to the file named by $GITHUB_STEP_SUMMARY, if any; a failure is a warning."""
    path = environment.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    try:
        descriptor = open_to_write(path, os.O_APPEND)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(redacted(line) + "\n" for line in lines())
    except (OSError, ValueError) as error:
        environment.warn(f"$GITHUB_STEP_SUMMARY: {getattr(error, 'strerror', None) or error}")
