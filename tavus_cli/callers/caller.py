"""The file of a simulated caller: its persona, its goal, the criteria of success, and the model.

Pure, except for the file that ``load`` reads. Every mistake is a UsageError of one line, "FILE:LINE: …".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tavus_cli.errors import UsageError, instead, is_key
from tavus_cli.settings.toml_lines import Toml, read_text, unreadable
from tavus_cli.settings.toml_values import Bad, address, is_loopback, seconds, some_text, timeout, whole

OLLAMA = "http://127.0.0.1:11434/v1"
TIMEOUT = 60.0  # seconds for an answer: a model on this machine must be loaded first
MOST_TURNS = 100
MOST_CRITERIA = 20
MOST_TEXT = 4_000  # characters of a text in the file
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Model:
    """``url`` is what ``/chat/completions`` is added to; ``key_env`` names the variable that holds the key.

    ``timeout`` in seconds, for each answer. ``max_tokens``: what one run may use, as the endpoint counts.
    """

    name: str
    url: str = OLLAMA
    key_env: str = ""
    timeout: float = TIMEOUT
    max_tokens: int = 100_000

    @property
    def local(self) -> bool:
        return is_loopback(self.url)


@dataclass(frozen=True, slots=True)
class Caller:
    """``greeting``: how many seconds the PAL is given to speak first. ``file`` is for messages."""

    file: str
    persona: str
    goal: str
    success: tuple[str, ...]
    model: Model
    max_turns: int = 10
    greeting: float = 5.0


def is_caller(text: str) -> bool:
    """Whether a TOML text describes a caller, not tools or a simulated PAL. Raises nothing."""
    return re.search(r"^[ \t]*(?:persona|goal|success)[ \t]*=", text, re.MULTILINE) is not None


def load(path: str) -> Caller:
    """Read a file. Raises UsageError; ConsoleError if it cannot be read."""
    try:
        text = read_text(path)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from None
    return parse(text, path)


def parse(text: str, file: str) -> Caller:
    """Raises UsageError."""
    toml = Toml(text, file)
    values = _values(toml, toml.data, (), _KEYS)
    for name in ("persona", "goal", "success", "model"):
        if name not in values:
            raise UsageError(f'{file}: "{name}" is missing{_MISSING[name]}')
    table = _values(toml, values.pop("model"), ("model",), _MODEL_KEYS)
    if "name" not in table:
        raise toml.wrong(("model",), f'"name" is missing{_MISSING["name"]}')
    model = Model(**table)
    if model.key_env and not model.local and urlsplit(model.url).scheme == "http":
        raise toml.wrong(("model", "url"), "http:// would send the key unencrypted: use https://")
    return Caller(file=file, model=model, **values)


def key_of(model: Model, environ: Mapping[str, str]) -> str:
    """The key, "" if none is named. Raises UsageError if the variable holds no valid key."""
    if not model.key_env:
        return ""
    key = environ.get(model.key_env, "").strip()
    if not key:
        raise UsageError(f"{model.key_env} is not set: it must hold the key of the model at {model.url}")
    if re.fullmatch(r"[!-~]{1,4096}", key) is None:
        raise UsageError(f"{model.key_env} does not hold a key: it has spaces, or letters outside ASCII")
    return key


_MISSING = {
    "persona": ": who is the caller?",
    "goal": ": what does the caller want?",
    "success": ": give a list of criteria by which the call is judged",
    "model": ": write [model] and below it the name of a model",
    "name": ': write name = "MODEL", as the endpoint calls it (`ollama list` shows yours)',
}


def _values(
    toml: Toml, table: dict[str, Any], path: tuple[str, ...], keys: Mapping[str, Callable[[Any], Any]]
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key in ("key", "api_key"):
            raise toml.wrong(
                (*path, key), "a key is not written into the file: key_env names the variable that holds it"
            )
        if (read := keys.get(key)) is None:
            raise toml.wrong((*path, key), f'unknown key "{key}"{instead(key, keys)}')
        try:
            values[key] = read(value)
        except Bad as bad:
            raise toml.wrong((*path, key), f'"{key}" must be {bad}') from None
    return values


def _words(what: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        text = some_text(value, what).strip()
        if len(text) > MOST_TEXT:
            raise Bad(f"{what} of at most {MOST_TEXT:,} characters")
        return text

    return read


def _criteria(value: Any) -> tuple[str, ...]:
    what = f'a list of 1 to {MOST_CRITERIA} criteria, such as ["The PAL names the price."]'
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_CRITERIA:
        raise Bad(what)
    criteria = tuple(map(_words(what), value))
    if len(set(criteria)) < len(criteria):
        raise Bad("a list of criteria, each of them once")
    return criteria


def _table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Bad("a table: write [model]")
    return value


def _url(value: Any) -> str:
    url = address(value, OLLAMA).rstrip("/")
    parts = urlsplit(url)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise Bad(f"an address without a password, ? and #, such as {OLLAMA}")
    return url.removesuffix("/chat/completions")


def _variable(value: Any) -> str:
    if not isinstance(value, str) or _VARIABLE.fullmatch(value) is None:
        raise Bad("the name of an environment variable, such as OPENAI_API_KEY")
    if is_key(value):
        raise Bad("the name of a variable for the model: this one holds the key of Tavus")
    return value


_KEYS: dict[str, Callable[[Any], Any]] = {
    "persona": _words("a text that says who calls"),
    "goal": _words("a text that says what the caller wants"),
    "success": _criteria,
    "max_turns": whole(1, MOST_TURNS),
    "greeting": seconds,
    "model": _table,
}
_MODEL_KEYS: dict[str, Callable[[Any], Any]] = {
    "url": _url,
    "name": _words("the name of a model"),
    "key_env": _variable,
    "timeout": timeout,
    "max_tokens": whole(1, 10**9),
}
