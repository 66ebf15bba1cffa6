"""``config edit|show``: make and open the file with the settings, show the values in use."""

from __future__ import annotations

import json
from pathlib import Path

from tavus_cli.errors import ConsoleError, ExitStatus, redacted
from tavus_cli.files import cannot
from tavus_cli.session.environment import Environment
from tavus_cli.settings.file import wrong_in
from tavus_cli.settings.table import KEYS, commented, config_path, toml
from tavus_cli.terminal.editor import EditorFailed, open_editor
from tavus_cli.views.safe import safe


def edit(environment: Environment) -> int:
    """Create the file if there is none, open it, and report its mistakes afterwards."""
    path = config_path(environment.environ)
    make(path)
    try:
        open_editor(path, environment.environ, terminal=environment.interactive)
    except EditorFailed as error:
        raise ConsoleError(str(error)) from None
    wrong = wrong_in(path)
    for line in wrong:
        environment.warn(line)
    return ExitStatus.USAGE if wrong else ExitStatus.DONE


def show(environment: Environment, *, as_json: bool) -> int:
    """Print every key with its value and the source of that. Without ``as_json`` it is valid TOML."""
    settings = environment.settings
    found = {key: (getattr(settings, key), settings.origins.get(key, "default")) for key in KEYS}
    if as_json:
        body = {
            key: {"value": redacted(str(value)) if isinstance(value, Path | str) else value, "from": origin}
            for key, (value, origin) in found.items()
        }
        environment.stdout.write(json.dumps(body) + "\n")
        return ExitStatus.DONE
    for key, (value, origin) in found.items():
        environment.stdout.write(f"{f'{key} = {redacted(toml(value))}':<30}  # {safe(origin)}\n")
    return ExitStatus.DONE


def make(path: Path) -> None:
    """Create the commented file if there is none. Raises UsageError; ConsoleError on a full disk."""
    if path.is_file():
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "x", encoding="utf-8") as file:
            try:
                file.write(commented())
                file.flush()
            except OSError:
                path.unlink()  # half a file would count as the whole one next time
                raise
    except (OSError, ValueError) as error:
        raise cannot(path, error) from None
