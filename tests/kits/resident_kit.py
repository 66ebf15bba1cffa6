"""What tests of resident sessions share; the fixture ``sessions`` (conftest.py) is their folder."""

from __future__ import annotations

import json
from typing import Any

from tavus_cli.resident.room import ResidentRoom, find
from tests.kits.program import SECONDS, console, process

Json = dict[str, Any]


def start(target: str = "sim", *options: str) -> Json:
    result = process("session", "start", target, *options, "--json")
    assert (result.status, result.err) == (0, "")
    about: Json = json.loads(result.out)
    return about


def listed() -> list[Json]:
    return [json.loads(line) for line in console("session", "list", "--json").lines]


def connected(name: str = "sim") -> ResidentRoom:
    room = find(name, timeout=SECONDS)
    assert room is not None
    return room
