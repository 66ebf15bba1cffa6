"""Each rule of SECURITY.md names an existing test; each wait in the manual is as long as in the code."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RULES = re.findall(r"^\| .+ \| (tests/\S+\.py)::(\w+) \|$", (ROOT / "SECURITY.md").read_text("utf-8"), re.M)
MANUAL = (ROOT / "docs" / "architecture.md").read_text("utf-8")
WAITS = re.findall(r"^\| [^|]+ \| ([\d.]+) s \| `(\w[\w/]*)\.(\w+)` \|$", MANUAL, re.M)


def test_there_are_rules_and_each_line_has_its_test() -> None:
    section = (ROOT / "SECURITY.md").read_text("utf-8").partition("## Rules")[2]
    rows = [line for line in section.splitlines() if line.startswith("|")][2:]
    assert len(RULES) == len(rows) > 20


@pytest.mark.parametrize(("file", "name"), RULES)
def test_the_test_of_each_rule_exists(file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    functions = {one.name for one in tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert name in functions


def test_waits_are_listed() -> None:
    assert len(WAITS) > 20


@pytest.mark.parametrize(("seconds", "module", "name"), WAITS)
def test_a_wait_is_as_long_as_the_manual_says(seconds: str, module: str, name: str) -> None:
    assert getattr(importlib.import_module(f"tavus_cli.{module.replace('/', '.')}"), name) == float(seconds)
