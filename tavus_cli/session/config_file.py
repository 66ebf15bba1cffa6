"""The file with the settings: found, read, checked, made, shown. What a key may be is in ``settings``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from tavus_cli.errors import ConsoleError, ExitStatus, UsageError
from tavus_cli.session.environment import Environment
from tavus_cli.settings import CONFIG, KEYS, Settings, Unfit, commented, config_path, settled
from tavus_cli.terminal.editor import EditorFailed, open_editor
from tavus_cli.views.safe import safe


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

    from tavus_cli.rooms.toml_lines import lines_of_keys

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


def make(path: Path) -> None:
    """The commented file, where there is none yet. Raises UsageError."""
    if path.is_file():
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "x", encoding="utf-8") as file:
            file.write(commented())
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None


def _instead(name: str) -> str:
    near = get_close_matches(name.lower().replace("-", "_"), KEYS, n=1, cutoff=0.5)
    return f'; did you mean "{near[0]}"?' if near else "; known are " + ", ".join(KEYS)


# -- the command config ----------------------------------------------------------------------------


def edit(environment: Environment) -> int:
    """Make the file if there is none, open it, and say what is wrong with it afterwards."""
    path = config_path(environment.environ)
    make(path)
    try:
        open_editor(path, environment.environ)
    except EditorFailed as error:
        raise ConsoleError(str(error)) from None
    wrong = wrong_in(path)
    for line in wrong:
        environment.warn(line)
    return ExitStatus.USAGE if wrong else ExitStatus.DONE


def show(environment: Environment, *, as_json: bool) -> int:
    """Every key with the value that counts, and where it comes from. Without ``as_json`` it is valid TOML."""
    settings = environment.settings
    found = {key: (getattr(settings, key), settings.origins.get(key, "default")) for key in KEYS}
    if as_json:
        body = {
            key: {"value": str(value) if isinstance(value, Path) else value, "from": origin}
            for key, (value, origin) in found.items()
        }
        environment.stdout.write(json.dumps(body) + "\n")
        return ExitStatus.DONE
    for key, (value, origin) in found.items():
        environment.stdout.write(f"{f'{key} = {_toml(value)}':<30}  # {safe(origin)}\n")
    return ExitStatus.DONE


def _toml(value: object) -> str:
    if isinstance(value, bool | int):
        return str(value).lower()
    if isinstance(value, float):
        number, unit = (value * 1000, "ms") if value < 1 else (value, "s")
        return f'"{number:.6f}'.rstrip("0").rstrip(".") + f'{unit}"'
    return json.dumps("" if value is None else str(value), ensure_ascii=False)
