"""The settings file: finding, reading and checking it. ``table`` has the keys and their values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tavus_cli.errors import UsageError, instead
from tavus_cli.settings.table import CONFIG, KEYS, Settings, Unfit, config_path, settled
from tavus_cli.settings.toml_lines import Toml, read_text, unreadable


def load(environ: Mapping[str, str]) -> Settings:
    """The settings from file and environment. Raises UsageError with one line, "FILE:LINE: …"."""
    path = config_path(environ)
    text = read(path, must_be=bool(environ.get(CONFIG)))
    values, origins, wrong = checked(text, path) if _sets(text) else ({}, {}, [])
    if wrong:
        raise UsageError(wrong[0])
    return settled(values, origins, environ)


def _sets(text: str) -> bool:
    """Whether the file has more than comments, as ``config edit`` creates it: reading TOML takes 2 ms."""
    return any(line and not line.isspace() and not line.startswith("#") for line in text.splitlines())


def read(path: Path, *, must_be: bool) -> str:
    """The text of the file, "" if there is none. Raises UsageError."""
    try:
        return read_text(path)
    except FileNotFoundError as error:
        if not must_be:
            return ""
        raise UsageError(f"{path}: {error.strerror}; create it with: tavus-console config edit") from None
    except NotADirectoryError as error:
        if not must_be:
            return ""
        raise unreadable(path, error) from None
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from None


def checked(text: str, path: Path) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    """The valid values, "FILE:LINE" of each, and a line for each mistake."""
    try:
        toml = Toml(text, str(path))
    except UsageError as error:
        return {}, {}, [str(error)]
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    wrong: list[str] = []
    for name, value in toml.data.items():
        if (key := KEYS.get(name)) is None:
            wrong.append(str(toml.wrong((name,), f'unknown key "{name}"{instead(name, KEYS)}')))
            continue
        try:
            values[name] = key.read(value)
            origins[name] = toml.where((name,))
        except Unfit as unfit:
            wrong.append(str(toml.wrong((name,), f'"{name}" must be {unfit}')))
    return values, origins, wrong


def wrong_in(path: Path) -> list[str]:
    """A line for each mistake in the file."""
    try:
        return checked(read(path, must_be=False), path)[2]
    except UsageError as error:
        return [str(error)]
