"""The table of settings: their values, their precedence, and the paths of files.

The command line overrides the environment, the environment the file, and the file the default. ``settled``
merges the last three, ``cli.options`` adds the command line. ``settings.file`` reads the file.
"""

from collections.abc import Callable, Iterator, Mapping
from math import inf
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, get_args

from tavus_cli.errors import UsageError
from tavus_cli.language.grammar import duration
from tavus_cli.settings.folders import APP, config_folder, state_folder
from tavus_cli.views.theme import ColorChoice, ThemeName

CONFIG = "TAVUS_CONSOLE_CONFIG"
_COLOR_VARIABLES = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE")


def config_path(environ: Mapping[str, str]) -> Path:
    """The settings file; TAVUS_CONSOLE_CONFIG names another one."""
    if named := environ.get(CONFIG):
        return Path(named)
    return config_folder() / "config.toml"


def default_history() -> Path:
    return state_folder() / "history"


class Settings(NamedTuple):
    """Times in seconds. ``origins`` names the source of each value that is not the default."""

    history: Path
    theme: ThemeName = "auto"
    color: ColorChoice = "auto"
    vi_mode: bool = False
    name: str = APP
    hold: float = 0.25
    join_timeout: float = 45.0
    ready_timeout: float = 300.0
    daily_proxy: str | None = None
    clipboard: bool = False
    events_kept: int = 100_000
    partials: bool = False
    all: bool = False
    origins: Mapping[str, str] = MappingProxyType({})


def default(name: str) -> Any:
    """The default of a setting. Not for ``history``, whose default depends on the system."""
    return Settings._field_defaults[name]


class Unfit(Exception):
    """An invalid value; the message says what it must be."""


Read = Callable[[object], Any]  # a value of TOML, or a variable's text; raises Unfit


def _one_of(choices: object) -> Read:
    words = get_args(choices)

    def read(value: object) -> Any:
        if value not in words:
            raise Unfit("one of " + ", ".join(words))
        return value

    return read


def _flag(value: object) -> bool:
    known: dict[object, bool] = {"true": True, "1": True, "false": False, "0": False}
    found = value if isinstance(value, bool) else known.get(value) if isinstance(value, str) else None
    if found is None:
        raise Unfit("true or false")
    return found


def _seconds(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < inf:
        return float(value)
    try:
        return duration(value if isinstance(value, str) else "")
    except UsageError:
        raise Unfit('a time such as "250ms", "10s" or "5m"') from None


def _count(value: object) -> int:
    if isinstance(value, str) and value.isdecimal() and len(value) < 12:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 100_000_000:
        raise Unfit("a whole number from 1 to 100000000")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise Unfit("printable text")
    return value


def _path(value: object) -> Path:
    try:
        return Path(_text(value)).expanduser()
    except (Unfit, RuntimeError):  # "~nobody/x"
        raise Unfit("the path of a file") from None


def _url(value: object) -> str | None:
    if value == "":
        return None
    try:
        return _text(value)
    except Unfit:
        raise Unfit('an address such as "https://HOST/", or ""') from None


class Key(NamedTuple):
    """One setting: what it does (for the file and for --help), and how its value is read."""

    name: str
    about: str
    read: Read

    @property
    def variable(self) -> str:
        return "TAVUS_DAILY_PROXY" if self.name == "daily_proxy" else f"TAVUS_CONSOLE_{self.name.upper()}"

    @property
    def default(self) -> str:
        """The default as TOML."""
        return toml("~/.tavus-console-history" if self.name == "history" else default(self.name))


def typed(value: object) -> str:
    """A value as one types it: seconds as "250ms" or "45s", None as ""."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        number, unit = (value * 1000, "ms") if value < 1 else (value, "s")
        return f"{number:.6f}".rstrip("0").rstrip(".") + unit
    return "" if value is None else str(value)


def toml(value: object) -> str:
    """A value as the file writes it: text and seconds in quotes."""
    if isinstance(value, int):
        return typed(value)
    import json

    return json.dumps(typed(value), ensure_ascii=False)


KEYS: dict[str, Key] = {
    key.name: key
    for key in (
        Key(
            "theme",
            "auto, dark, light, mono (no colours, only bold and underline) or high-contrast;\n"
            "auto is light where COLORFGBG says so, else dark.",
            _one_of(ThemeName),
        ),
        Key(
            "color",
            "auto, always or never; auto: on a terminal, unless NO_COLOR is set.",
            _one_of(ColorChoice),
        ),
        Key("vi_mode", "Edit the input line with vi keys.", _flag),
        Key("name", "Your name in the room.", _text),
        Key("hold", "How long to wait for a missing sequence number before showing what follows.", _seconds),
        Key("join_timeout", "How long joining may take.", _seconds),
        Key("ready_timeout", "How long to wait for the PAL to join.", _seconds),
        Key("history", "Another file for the history of what you type.", _path),
        Key(
            "daily_proxy",
            "A reverse proxy for Daily; empty for none. In the environment: TAVUS_DAILY_PROXY.",
            _url,
        ),
        Key(
            "clipboard",
            "Let /copy use the terminal's clipboard too (OSC 52);\nsome terminals ask first, others refuse.",
            _flag,
        ),
        Key("events_kept", "How many events /find, /event and /turn can search.", _count),
        Key("partials", "Show streaming text as it grows (partials), not only the final text.", _flag),
        Key(
            "all",
            "Show everything: also twins (the same event under a second name), heartbeats and partials.",
            _flag,
        ),
    )
}


def commented() -> str:
    """The file as ``config edit`` creates it: every key, commented out."""
    head = (
        "# Settings of tavus-console. Remove the # before a key to set it. The command line and the\n"
        "# environment (TAVUS_CONSOLE_ and the key in capitals) override this file;\n"
        '# "tavus-console config show" shows the values in use, and where they come from.\n'
    )
    parts = [head]
    for key in KEYS.values():
        lines = [f"# {line}" for line in key.about.splitlines()]
        parts.append("\n".join([*lines, f"#{key.name} = {key.default}"]) + "\n")
    return "\n".join(parts)


def settled(file: Mapping[str, Any], origins: Mapping[str, str], environ: Mapping[str, str]) -> Settings:
    """The values of the file, overridden by those of the environment. Raises UsageError.

    NO_COLOR and the like count as the environment's value of ``color``, so they override the file.
    """
    values, sources = dict(file), dict(origins)
    if variable := next(_deciding(environ), None):
        values["color"], sources["color"] = "auto", variable
    for key in KEYS.values():
        if text := environ.get(key.variable):
            try:
                values[key.name] = key.read(text)
            except Unfit as unfit:
                given = "" if key.read is _url else f', not "{text}"'  # it may hold a password
                raise UsageError(f"{key.variable} must be {unfit}{given}") from None
            sources[key.name] = key.variable
    return Settings(**{"history": default_history(), **values}, origins=sources)


def _deciding(environ: Mapping[str, str]) -> Iterator[str]:
    """Whether a variable is set that decides about colour for any terminal (``use_color``)."""
    for name in _COLOR_VARIABLES:
        unset = ("",) if name == "NO_COLOR" else ("", "0")
        if environ.get(name, "") not in unset:
            yield name
