"""Colours: whether there are any, and which. Compiled once to SGR strings, which cost nothing a line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

ColorChoice = Literal["auto", "always", "never"]
RESET = "\x1b[0m"


def use_color(choice: ColorChoice, environ: Mapping[str, str], is_tty: bool) -> bool:
    """``--color``, then NO_COLOR, then FORCE_COLOR and CLICOLOR_FORCE, then the terminal."""
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    if any(environ.get(name, "") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return is_tty and environ.get("TERM") != "dumb"


@dataclass(frozen=True, slots=True)
class Theme:
    """Style name → SGR sequence; every style is "" where there is no colour."""

    styles: Mapping[str, str]

    def sgr(self, style: str) -> str:
        return self.styles.get(style, "")

    @property
    def reset(self) -> str:
        return RESET if self.styles else ""

    def paint(self, style: str, text: str) -> str:
        sgr = self.sgr(style)
        return f"{sgr}{text}{RESET}" if sgr else text


PLAIN = Theme({})
DARK = Theme(
    {
        "time": "\x1b[2m",
        "rule": "\x1b[1;34m",
        "user": "\x1b[36m",
        "pal": "\x1b[32m",
        "you": "\x1b[1;33m",
        "text": "",
        "partial": "\x1b[2m",
        "speaking": "\x1b[2m",
        "tool": "\x1b[35m",
        "perception": "\x1b[34m",
        "objective": "\x1b[94m",
        "warning": "\x1b[1;31m",
        "system": "\x1b[1m",
        "quiet": "\x1b[2m",
        "unknown": "\x1b[33m",
        "mark": "\x1b[33m",
        "latency": "\x1b[1;32m",
        "status": "\x1b[7m",
    }
)
