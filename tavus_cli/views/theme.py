"""Colours: whether to use them, and which. Compiled once to SGR strings.

A theme carries no meaning: the output without colours has the same words and signs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

ColorChoice = Literal["auto", "always", "never"]
ThemeName = Literal["auto", "dark", "light", "mono", "high-contrast"]
TimesChoice = Literal["auto", "full"]
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


class Theme(NamedTuple):
    """SGR sequences by style name; all are "" without colours."""

    styles: Mapping[str, str]

    def sgr(self, style: str) -> str:
        return self.styles.get(style, "")

    @property
    def reset(self) -> str:
        return RESET if self.styles else ""

    def paint(self, style: str, text: str) -> str:
        sgr = self.sgr(style)
        return f"{sgr}{text}{RESET}" if sgr else text


def _theme(**codes: str) -> Theme:
    """A theme from SGR parameters such as "1;31"."""
    return Theme({style: f"\x1b[{code}m" if code else "" for style, code in codes.items()})


PLAIN = Theme({})
# For a black or dark background, in the terminal's own sixteen colours.
DARK = _theme(
    time="2",
    rule="2",
    title="94",
    name="1",
    user="36",
    pal="32",
    you="1;33",
    text="",
    partial="2",
    speaking="2",
    tool="35",
    perception="94",
    objective="96",
    warning="1;31",
    system="1",
    quiet="2",
    unknown="33",
    mark="33",
    latency="1;32",
    status="7",
)
# For a white or light background: dark ones of the 256 colours, which terminals do not redefine.
LIGHT = _theme(
    time="38;5;240",
    rule="38;5;240",
    title="38;5;25",
    name="1",
    user="38;5;24",
    pal="38;5;22",
    you="1;38;5;94",
    text="",
    partial="38;5;240",
    speaking="38;5;240",
    tool="38;5;90",
    perception="38;5;25",
    objective="38;5;61",
    warning="1;38;5;124",
    system="1",
    quiet="38;5;240",
    unknown="38;5;94",
    mark="38;5;94",
    latency="1;38;5;22",
    status="7",
)
# No colours: bold, underlined, reversed.
MONO = _theme(
    time="",
    rule="",
    title="1",
    name="1",
    user="4",
    pal="1",
    you="1;4",
    text="",
    partial="",
    speaking="",
    tool="1",
    perception="",
    objective="4",
    warning="1;7",
    system="1",
    quiet="",
    unknown="",
    mark="7",
    latency="1",
    status="7",
)
# Nothing is dim. Each colour sets its own background, as the terminal's is unknown.
HIGH_CONTRAST = _theme(
    time="",
    rule="",
    title="1",
    name="1",
    user="1;38;5;16;48;5;51",
    pal="1;38;5;16;48;5;46",
    you="1;38;5;16;48;5;226",
    text="",
    partial="",
    speaking="",
    tool="1",
    perception="",
    objective="1;4",
    warning="1;38;5;231;48;5;88",
    system="1",
    quiet="",
    unknown="1",
    mark="1;38;5;16;48;5;214",
    latency="1;4",
    status="1;38;5;16;48;5;231",
)
THEMES: dict[ThemeName, Theme] = {"dark": DARK, "light": LIGHT, "mono": MONO, "high-contrast": HIGH_CONTRAST}


def theme_named(name: ThemeName, environ: Mapping[str, str]) -> Theme:
    """``auto`` is light if COLORFGBG, which some terminals set, names a light background; else dark."""
    if name != "auto":
        return THEMES[name]
    background = environ.get("COLORFGBG", "").rpartition(";")[2]
    light = background.isdecimal() and (background == "7" or 9 <= int(background[:9]) <= 15)
    return LIGHT if light else DARK
