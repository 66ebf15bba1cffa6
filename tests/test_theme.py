"""Whether there are colours, decided once, and what they are."""

from __future__ import annotations

import re

import pytest

from tavus_cli.protocol.events import CATALOGUE, FOREIGN, UNKNOWN
from tavus_cli.views.theme import DARK, PLAIN, RESET, ColorChoice, Theme, use_color


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


@pytest.mark.parametrize("theme", [DARK], ids=["dark"])
def test_every_style_that_is_used_has_a_sequence(theme: Theme) -> None:
    used = {kind.style for kind in (*CATALOGUE.values(), UNKNOWN, FOREIGN)}
    used |= {"time", "rule", "user", "pal", "you", "mark", "latency", "quiet", "status", "partial", "warning"}
    assert used <= theme.styles.keys()
    for sgr in theme.styles.values():
        assert re.fullmatch(r"(\x1b\[[0-9;]+m)?", sgr)
