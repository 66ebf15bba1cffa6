"""Whether there are colours, decided once, and what they are."""

from __future__ import annotations

import re

import pytest

from tavus_cli.protocol.catalogue import CATALOGUE, FOREIGN, UNKNOWN
from tavus_cli.protocol.conversation import Conversation
from tavus_cli.protocol.wire import from_json
from tavus_cli.views.line import LineView
from tavus_cli.views.status import StatusLine
from tavus_cli.views.theme import (
    DARK,
    HIGH_CONTRAST,
    LIGHT,
    MONO,
    PLAIN,
    RESET,
    THEMES,
    ColorChoice,
    Theme,
    ThemeName,
    theme_named,
    use_color,
)
from tests.kits.program import SAMPLES


@pytest.mark.parametrize(
    ("choice", "environ", "is_tty", "color"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"TERM": "xterm-256color"}, True, True),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"TERM": ""}, True, True),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": "0"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "true"}, False, True),
        ("auto", {"FORCE_COLOR": "0"}, False, False),
        ("auto", {"FORCE_COLOR": "0"}, True, True),
        ("auto", {"FORCE_COLOR": ""}, False, False),
        ("auto", {"CLICOLOR_FORCE": "1"}, False, True),
        ("auto", {"CLICOLOR_FORCE": "0"}, False, False),
        ("auto", {"FORCE_COLOR": "0", "CLICOLOR_FORCE": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "1", "TERM": "dumb"}, True, True),
        ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": "", "FORCE_COLOR": "1"}, False, True),
        ("always", {"NO_COLOR": "1", "TERM": "dumb"}, False, True),
        ("never", {"FORCE_COLOR": "1", "CLICOLOR_FORCE": "1"}, True, False),
    ],
)
def test_use_color(choice: ColorChoice, environ: dict[str, str], is_tty: bool, color: bool) -> None:
    assert use_color(choice, environ, is_tty) is color


def test_painting() -> None:
    assert DARK.paint("user", "Hi") == f"{DARK.styles['user']}Hi{RESET}"
    assert DARK.paint("text", "Hi") == "Hi"  # a style without a colour
    assert DARK.paint("no such style", "Hi") == "Hi"
    assert PLAIN.paint("user", "Hi") == "Hi"
    assert (DARK.reset, PLAIN.reset) == (RESET, "")
    assert (DARK.sgr("user"), PLAIN.sgr("user")) == (DARK.styles["user"], "")


every_theme = pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)


@every_theme
def test_every_style_that_is_used_has_a_sequence(theme: Theme) -> None:
    used = {kind.style for kind in (*CATALOGUE.values(), UNKNOWN, FOREIGN)}
    used |= {"time", "rule", "user", "pal", "you", "mark", "latency", "quiet", "status", "partial", "warning"}
    assert used <= theme.styles.keys()
    for sgr in theme.styles.values():
        assert re.fullmatch(r"(\x1b\[[0-9;]+m)?", sgr)


@pytest.mark.parametrize(
    ("name", "colorfgbg", "theme"),
    [
        ("dark", "0;15", DARK),
        ("light", "15;0", LIGHT),
        ("mono", "", MONO),
        ("high-contrast", "", HIGH_CONTRAST),
        ("auto", None, DARK),
        ("auto", "", DARK),
        ("auto", "15;0", DARK),
        ("auto", "0;15", LIGHT),
        ("auto", "0;default;15", LIGHT),
        ("auto", "0;7", LIGHT),
        ("auto", "0;8", DARK),
        ("auto", "0;6", DARK),
        ("auto", "0;11", LIGHT),
        ("auto", "15;default", DARK),
        ("auto", "15;99999999999999", DARK),
        ("auto", "1;-9", DARK),
    ],
)
def test_which_theme(name: ThemeName, colorfgbg: str | None, theme: Theme) -> None:
    environ = {} if colorfgbg is None else {"COLORFGBG": colorfgbg}
    assert theme_named(name, environ) is theme


# -- readable without colour ---------------------------------------------------------------------------


def shown(theme: Theme) -> str:
    """Everything the samples show, and the status line."""
    view = LineView(lambda second: "12:00:00", theme=theme, all=True)
    conversation = Conversation()
    lines: list[str] = []
    for number, line in enumerate(SAMPLES.read_text(encoding="utf-8").splitlines()):
        lines += view.lines(conversation.receive(from_json(line), float(number)))
    lines += view.lines(conversation.close())
    status = StatusLine("c0123", theme, joined=0.0, recording=True)
    return "\n".join([*lines, status.line(conversation, 60.0, 0, 200), status.live(conversation, 80)])


@every_theme
def test_without_its_colours_a_theme_says_the_same(theme: Theme) -> None:
    text = shown(theme)
    assert text != shown(PLAIN)
    rows = re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()
    assert [row.rstrip() for row in rows] == [row.rstrip() for row in shown(PLAIN).splitlines()]


def test_mono_has_no_colour() -> None:
    for sgr in MONO.styles.values():
        assert set(re.findall(r"\d+", sgr)) <= {"1", "4", "7"}


def test_the_themes_without_a_background_of_their_own_leave_it_alone() -> None:
    for theme in (DARK, LIGHT, MONO):
        assert not any("48;5" in sgr for sgr in theme.styles.values())


def test_light_is_dark_enough_on_white() -> None:
    for style, sgr in LIGHT.styles.items():
        if found := re.search(r"38;5;(\d+)", sgr):
            for white in ((255, 255, 255), (0xFD, 0xF6, 0xE3)):
                assert contrast(rgb(int(found[1])), white) >= 4.5, style
        else:
            assert set(re.findall(r"\d+", sgr)) <= {"1", "7"}, style


def test_high_contrast_has_enough_contrast() -> None:
    for style, sgr in HIGH_CONTRAST.styles.items():
        if found := re.search(r"38;5;(\d+);48;5;(\d+)", sgr):
            assert contrast(rgb(int(found[1])), rgb(int(found[2]))) >= 7, style
        else:
            assert set(re.findall(r"\d+", sgr)) <= {"1", "4"}, style


def rgb(number: int) -> tuple[int, ...]:
    """One of the 240 colours that no terminal changes."""
    assert 16 <= number <= 255
    if number >= 232:
        return (8 + 10 * (number - 232),) * 3
    steps = (0, 95, 135, 175, 215, 255)
    return tuple(steps[(number - 16) // power % 6] for power in (36, 6, 1))


def contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """As defined by WCAG 2: 4.5 for text, 7 for enhanced contrast."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(color: tuple[int, ...]) -> float:
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in color)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
