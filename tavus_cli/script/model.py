"""A script as values: its lines, and what each of them does. ``statements`` parses them."""

from __future__ import annotations

from dataclasses import dataclass

from tavus_cli.language.commands import AudioEcho
from tavus_cli.protocol.interactions import Interaction
from tavus_cli.script.window import Expectation


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is not a comment; ``column`` is its start, from 1; ``block`` are the lines it repeats."""

    number: int
    column: int
    text: str
    block: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Send:
    action: Interaction | AudioEcho


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


@dataclass(frozen=True, slots=True)
class When:
    """``command`` is parsed again when the event has arrived, which it may name; ``column`` is its place."""

    event: Expectation
    after: float
    command: str
    column: int


@dataclass(frozen=True, slots=True)
class Assign:
    """``remote``: the value contains text from an event."""

    name: str
    value: str
    remote: bool


@dataclass(frozen=True, slots=True)
class Print:
    text: str


@dataclass(frozen=True, slots=True)
class Repeat:
    count: int
    name: str


@dataclass(frozen=True, slots=True)
class Quit:
    pass


Statement = Send | Pause | Expectation | When | Assign | Print | Repeat | Quit


@dataclass(frozen=True, slots=True)
class Mistake:
    line: int
    column: int
    message: str


@dataclass(frozen=True, slots=True)
class Script:
    lines: tuple[Line, ...]
    mistakes: tuple[Mistake, ...]
