"""Splitting a typed line into a command and its arguments; the commands are in ``commands``.

A line without a slash is ``/respond LINE``; ``//x`` responds with ``/x``.
"""

from __future__ import annotations

import re
from contextlib import suppress
from math import inf

from tavus_cli.errors import UsageError

_UNITS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_DURATION = r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|min|m|h|)"


def split_line(line: str) -> tuple[str, str]:
    """The command's name and the rest, verbatim: "/echo  Hi  there" → ("echo", "Hi  there")."""
    line = line.strip()
    if not line.startswith("/"):
        return "respond", line
    if line.startswith("//"):
        return "respond", line[1:]
    name, *rest = re.split(r"\s+", line[1:], maxsplit=1)
    return name, rest[0] if rest else ""


def duration(text: str) -> float:
    """Seconds: "1500ms", "10s", "2.5", "5m", "1h". Raises UsageError."""
    match = re.fullmatch(_DURATION, text.strip())
    if match is None or (seconds := float(match[1]) * _UNITS[match[2]]) == inf:
        raise UsageError(f'"{text}" is not a duration: write 1500ms, 10s, 5m or 1h')
    return seconds


def speed_factor(text: str) -> float | None:
    """How many times as fast: "1", "0.5"; None for "max". Raises UsageError."""
    if text == "max":
        return None
    with suppress(ValueError):
        if 0 < (speed := float(text)) < 1e6:
            return speed
    raise UsageError(f'--speed must be a number such as 1 or 4, or max, not "{text}"')


class Words:
    """The arguments of one command, from a typed line or from a command line's list.

    ``word`` takes the next one, ``rest`` everything left, of a typed line verbatim. Both raise UsageError
    with the command's usage if there is none.
    """

    def __init__(self, source: str | list[str], usage: str) -> None:
        self._text = source.strip() if isinstance(source, str) else None
        self._list = [] if isinstance(source, str) else list(source)
        self._usage = usage

    @property
    def empty(self) -> bool:
        return not (self._text if self._text is not None else self._list)

    def flag(self, name: str) -> bool:
        """Whether ``--name`` is the first or last argument; it is removed."""
        if self._text is None:
            found = name in self._list
            self._list = [word for word in self._list if word != name]
            return found
        for rest, blank in (
            (self._text.removeprefix(name), slice(0, 1)),
            (self._text.removesuffix(name), slice(-1, None)),
        ):
            if rest != self._text and (not rest or rest[blank].isspace()):
                self._text = rest.strip()
                return True
        return False

    def word(self, what: str) -> str:
        if self.empty:
            raise self.wrong(f"{what} is missing")
        if self._text is None:
            return self._list.pop(0)
        first, *rest = self._text.split(maxsplit=1)
        self._text = rest[0] if rest else ""
        return first

    def rest(self, what: str) -> str:
        if self.empty:
            raise self.wrong(f"{what} is missing")
        text = " ".join(self._list) if self._text is None else self._text
        self._text, self._list = "", []
        return text

    def done(self) -> None:
        """Raises UsageError if arguments are left."""
        if not self.empty:
            raise self.wrong(f'unexpected "{self.rest("")}"')

    def none(self) -> None:
        """Raises UsageError if there are any arguments."""
        if not self.empty:
            raise self.wrong(f"{self._usage.lstrip('/')} takes no text")

    def wrong(self, what: str) -> UsageError:
        return UsageError(f"{what}; usage: {self._usage}")
