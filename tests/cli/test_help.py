"""--help of every command: options in groups, examples, and none of typer's own notation."""

from __future__ import annotations

import re

import pytest

from tavus_cli.cli import run_command
from tavus_cli.cli.completion_scripts import shapes
from tavus_cli.session.environment import Environment

SHAPES = [one.path for one in shapes()]
COMMANDS = [words for words in SHAPES if words and not any(other[:-1] == words for other in SHAPES if other)]
NOISE = re.compile(r"<\w+|\(\d+ ?m?s\)|x[<>]=|\b(?:INTEGER|FLOAT)\b|default: \(|^Usage:.*\{[^|}]*\}", re.M)


def test_the_commands_are_found() -> None:
    assert len(COMMANDS) > 20


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command([*words, "--help"], Environment()) == 0
    page = capsys.readouterr().out
    name = " ".join(["tavus-console", *words])
    assert page.startswith(f"Usage: {name} ")
    assert f"\n  Examples:\n    {name}" in page
    assert NOISE.findall(page) == []
