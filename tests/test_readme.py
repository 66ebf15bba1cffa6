"""The README: short, and its two commands exist. Its examples are run by test_docs."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from tavus_cli.cli import HOME
from tests.kits.pages import README, ROOT

TEXT = README.read_text("utf-8")


def test_it_is_short() -> None:
    assert len(TEXT.splitlines()) <= 150


def test_every_command_is_in_its_table() -> None:
    table = TEXT.partition("## Commands")[2].partition("\n\nExit")[0]
    assert set(re.findall(r"^\| \[?`(\w+)`", table, re.M)) >= set(HOME) - {"config"}
    assert "[`config`]" in table


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_the_two_commands_exist() -> None:
    for target, does in (("sim", "tavus-console join sim"), ("test", "pytest")):
        assert f"make {target}\n" in TEXT
        done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=True)
        assert does in done.stdout
