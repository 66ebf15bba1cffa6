"""Values of a TOML file: each function returns what to use, or raises Bad with words for after "must be"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from tavus_cli.errors import UsageError
from tavus_cli.language.grammar import duration


class Bad(Exception):
    """The words go after "must be"."""


def some_text(value: Any, what: str) -> str:
    """A string with something in it."""
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise Bad(what)
    return value


def address(value: Any, example: str) -> str:
    """An address with http or https and a host."""
    what = f"an address such as {example}"
    try:
        parts = urlsplit(some_text(value, what))
        _ = parts.port
    except ValueError:
        raise Bad(what) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not str(value).isprintable():
        raise Bad(what)
    return str(value)


def is_loopback(url: str) -> bool:
    """Whether an address is of this machine. Names below localhost are not: some resolvers ask others."""
    from ipaddress import ip_address

    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def seconds(value: Any) -> float:
    """A number, or a duration as people write it, of at most a day."""
    try:
        if isinstance(value, str):
            value = duration(value)
    except UsageError:
        value = None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 86_400:
        raise Bad('a time such as "250ms" or "10s"')
    return float(value)


def timeout(value: Any) -> float:
    """The same, above 0."""
    if (limit := seconds(value)) == 0:
        raise Bad('a time such as "250ms" or "10s"; 0 leaves none')
    return limit


def whole(low: int, high: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise Bad(f"a whole number from {low} to {high}")
        return value

    return read


def share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise Bad("a number from 0 to 1")
    return float(value)
