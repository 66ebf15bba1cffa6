"""The file with the settings: found, read, checked. What a key may be is in ``settings``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from tavus_cli.errors import UsageError
from tavus_cli.settings.table import CONFIG, KEYS, Settings, Unfit, config_path, settled


def load(environ: Mapping[str, str]) -> Settings:
    """What counts where the command line says nothing. Raises UsageError: one line, "FILE:LINE: …"."""
    path = config_path(environ)
    text = read(path, must_be=bool(environ.get(CONFIG)))
    values, origins, wrong = checked(text, path) if text else ({}, {}, [])
    if wrong:
        raise UsageError(wrong[0])
    return settled(values, origins, environ)


def read(path: Path, *, must_be: bool) -> str:
    """The file's text, "" where there is none. Raises UsageError."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        if not must_be:
            return ""
        raise UsageError(f"{path}: {error.strerror}; tavus-console config edit makes it") from None
    except NotADirectoryError:
        return ""
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UsageError(f"{path}:{line}: not UTF-8 text") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: {getattr(error, 'strerror', None) or error}") from None


def checked(text: str, path: Path) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    """The values that are right, "FILE:LINE" of each, and a line for each thing that is wrong."""
    import tomllib

    from tavus_cli.settings.toml_lines import lines_of_keys

    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"at line (\d+)", str(error))
        line = int(at[1]) if at else text.rstrip().count("\n") + 1
        return {}, {}, [f"{path}:{line}: {re.sub(r' *[(]at .*', '', str(error))}"]
    except RecursionError:
        return {}, {}, [f"{path}:1: nested too deep"]
    lines = lines_of_keys(text)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    wrong: list[str] = []
    for name, value in data.items():
        where = f"{path}:{lines.get((name,), 1)}"
        if (key := KEYS.get(name)) is None:
            wrong.append(f'{where}: unknown key "{name}"{_instead(name)}')
            continue
        try:
            values[name] = key.read(value)
            origins[name] = where
        except Unfit as unfit:
            wrong.append(f'{where}: "{name}" must be {unfit}')
    return values, origins, wrong


def wrong_in(path: Path) -> list[str]:
    """A line for each thing that is wrong in the file."""
    try:
        return checked(read(path, must_be=False), path)[2]
    except UsageError as error:
        return [str(error)]


def _instead(name: str) -> str:
    near = get_close_matches(name.lower().replace("-", "_"), KEYS, n=1, cutoff=0.5)
    return f'; did you mean "{near[0]}"?' if near else "; known are " + ", ".join(KEYS)
