"""The table of tools, and finding the tool for a call. Pure, except for the file that ``load`` reads.

Every mistake is a UsageError of one line; in a file it begins with "FILE:LINE: ".
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from tavus_cli.errors import UsageError, instead
from tavus_cli.language.patterns import LONGEST_GLOB, glob, is_glob
from tavus_cli.settings.toml_lines import Toml, as_json, read_text, unreadable
from tavus_cli.settings.toml_values import Bad, address, seconds, share, some_text, timeout, whole

# How to answer a call without an id; "none": run it, and do not answer.
ReplyKind = Literal["echo", "append", "respond", "none"]
REPLY_KINDS = get_args(ReplyKind)
TIMEOUT = 10.0
CONCURRENCY = 4

# What a wildcard may match: names as Tavus and OpenAI allow them (docs/protocol.md, section 7).
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


class Mock(NamedTuple):
    """Answers without a program: ``outputs`` in turn, then the last one repeatedly.

    ``delay`` in seconds; ``fail`` is the share of calls that fail, drawn from ``seed``.
    """

    outputs: tuple[str | dict[str, Any], ...]
    delay: float = 0.0
    fail: float = 0.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Tool:
    """One entry: ``name`` is a name or a glob; one of ``command``, ``url`` and ``mock`` is set, and runs.

    ``timeout`` in seconds; ``concurrency``: calls at once; ``folder``: where the command runs, None for the
    current one; ``headers``: header → the environment variable that holds its value; ``reply`` is None if the
    entry sets none.
    """

    name: str
    command: tuple[str, ...] = ()
    url: str = ""
    mock: Mock | None = None
    timeout: float = TIMEOUT
    concurrency: int = CONCURRENCY
    folder: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    reply: ReplyKind | None = None

    @property
    def what(self) -> str:
        """A short description of what runs."""
        return shlex.join(self.command) if self.command else self.url or "mock"


class Table:
    """The tools in order of precedence: exact names, then globs as written, ``*`` last."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        self.tools = sorted(tools, key=lambda tool: _rank(tool.name))
        self._exact = {tool.name: tool for tool in reversed(self.tools) if not is_glob(tool.name)}
        self._globs = [(glob(tool.name), tool) for tool in self.tools if is_glob(tool.name)]

    def __bool__(self) -> bool:
        return bool(self.tools)

    def find(self, name: str) -> Tool | None:
        """The tool for a name, which is remote text, so a wildcard matches only plain names."""
        if (tool := self._exact.get(name)) is not None:
            return tool
        if _PLAIN_NAME.fullmatch(name) is None:
            return None
        return next((tool for matches, tool in self._globs if matches(name)), None)


def _rank(name: str) -> int:
    return 2 if name == "*" else 1 if is_glob(name) else 0


def option(text: str) -> Tool:
    """``--tool NAME=COMMAND`` or ``NAME=URL``. Raises UsageError."""
    name, equals, what = text.partition("=")
    name, what = name.strip(), what.strip()
    if not equals or not name or not what:
        raise UsageError(f'--tool "{text}": write NAME=COMMAND or NAME=URL')
    try:
        _name(name)
        if re.match(r"https?://", what, re.I):
            return Tool(name, url=_url(what))
        return Tool(name, command=_command(what))
    except Bad as bad:
        raise UsageError(f'--tool "{text}": it must be {bad}') from None


def load(path: str) -> list[Tool]:
    """The tools of a file. Raises UsageError."""
    try:
        text = read_text(path)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from None
    return parse(text, path)


def parse(text: str, path: str) -> list[Tool]:
    """``[[tool]]`` tables; ``path`` is for messages, and its folder is where commands run."""
    toml = Toml(text, path)
    data, wrong = toml.data, toml.wrong
    for key in data:
        if key != "tool":
            raise wrong((key,), f'unknown key "{key}"; a tool is a table [[tool]]')
    tables = data.get("tool", [])
    if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
        raise wrong(("tool",), "write [[tool]], with two brackets, before each tool")
    if not tables:
        raise UsageError(f"{path}: no [[tool]] in it")
    folder = str(Path(path).absolute().parent)
    tools: dict[str, Tool] = {}
    for number, table in enumerate(tables):
        try:
            tool = _tool(table, folder)
            if tool.name in tools:
                raise _Mistake("name", f'"{tool.name}" is there twice')
        except _Mistake as mistake:
            raise wrong(("tool", number, mistake.key), mistake.message) from None
        tools[tool.name] = tool
    return list(tools.values())


class _Mistake(Exception):
    """A mistake in the table of a tool, at ``key``."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key, self.message = key, message


def _tool(table: dict[str, Any], folder: str) -> Tool:
    values: dict[str, Any] = {}
    for key, value in table.items():
        if (read := _KEYS.get(key)) is None:
            raise _Mistake(key, f'unknown key "{key}"{instead(key, _KEYS)}')
        try:
            values[key] = read(value)
        except Bad as bad:
            raise _Mistake(key, f'"{key}" must be {bad}') from None
    if "name" not in values:
        raise _Mistake("name", '"name" is missing')
    kinds = [key for key in ("command", "url", "output") if key in values]
    if len(kinds) != 1:
        said = "has " + " and ".join(kinds) if kinds else "has none of them"
        raise _Mistake(kinds[-1] if kinds else "name", f"a tool needs one of command, url, output; it {said}")
    for key, of in _ONLY_WITH.items():
        if key in values and of != kinds[0]:
            raise _Mistake(key, f'"{key}" goes with "{of}"')
    mock = {key: values.pop(key) for key in ("delay", "fail", "seed") if key in values}
    if "output" in values:
        values["mock"] = Mock(values.pop("output"), **mock)
    if "command" in values:
        values["folder"] = folder
    return Tool(**values)


# -- values: each returns what to use, or raises Bad with words that go after "must be" --------------------


def _name(value: Any) -> str:
    name = some_text(value, "a tool's name, or a pattern such as get_*")
    if len(name) > LONGEST_GLOB:
        raise Bad(f"a tool's name of at most {LONGEST_GLOB} characters")
    return name


def _command(value: Any) -> tuple[str, ...]:
    if isinstance(value, list) and value:
        return tuple(some_text(word, "a command, or a list of its words") for word in value)
    try:
        words = shlex.split(some_text(value, "a command, or a list of its words"))
    except ValueError as error:
        raise Bad(f"a command as a shell takes it: {str(error).lower()}") from None
    if not words:
        raise Bad("a command, or a list of its words")
    return tuple(words)


def _url(value: Any) -> str:
    return address(value, "http://127.0.0.1:8000/hours")


def _one_output(value: Any) -> str | dict[str, Any]:
    if isinstance(value, str | dict):
        plain: str | dict[str, Any] = _json(value)
        return plain
    raise Bad("a string, a table, or a list of them")


def _outputs(value: Any) -> tuple[str | dict[str, Any], ...]:
    if isinstance(value, list) and value:
        return tuple(_one_output(one) for one in value)
    return (_one_output(value),)


def _json(value: Any) -> Any:
    try:
        return as_json(value)
    except ValueError as error:
        raise Bad(str(error)) from None


def _headers(value: Any) -> dict[str, str]:
    token, variable = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"), re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
    if isinstance(value, dict) and all(
        token.fullmatch(name) and isinstance(of, str) and variable.fullmatch(of) for name, of in value.items()
    ):
        return dict(value)
    raise Bad('header = "VARIABLE" pairs: the value comes from the environment')


def _reply(value: Any) -> ReplyKind:
    if value not in REPLY_KINDS:
        raise Bad("one of " + ", ".join(REPLY_KINDS))
    kind: ReplyKind = value
    return kind


_KEYS: dict[str, Callable[[Any], Any]] = {
    "name": _name,
    "command": _command,
    "url": _url,
    "output": _outputs,
    "timeout": timeout,
    "concurrency": whole(1, 64),
    "headers": _headers,
    "reply": _reply,
    "delay": seconds,
    "fail": share,
    "seed": whole(0, 2**53),
}
_ONLY_WITH = {"headers": "url", "delay": "output", "fail": "output", "seed": "output"}
