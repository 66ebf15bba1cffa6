"""The targets of ``make fuzz``: on their seeds, and on earlier findings, which must stay fixed."""

from __future__ import annotations

import socket

import pytest

from fuzz.targets import SEEDS, TARGETS

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets here")

FOUND: list[tuple[str, bytes]] = [
    ("toml", b"a = " + b"9" * 5_000),
    ("toml", b"[[reply]]\nafter = " + b"9" * 5_000),
    ("resident", b'{"protocol": ' + b"9" * 5_000 + b"}\n"),
    ("resident", b'{"error": 3}\n'),
    ("resident", b'{"error": null}\n'),
    ("resident", b'{"cmber":1,"error":{"reaso~":"failed"}}\n'),
    ("resident", b'{"missed": "x"}\n'),
    ("answers", b"```\n" + b"\n" * 100_000),
    ("toml", b"\n" * 200_000),
]


@pytest.mark.parametrize("name", TARGETS)
def test_the_seeds_are_fine(name: str) -> None:
    for data in SEEDS[name]:
        TARGETS[name](data)


@pytest.mark.parametrize(("name", "data"), FOUND)
def test_what_fuzzing_found_stays_fixed(name: str, data: bytes) -> None:
    TARGETS[name](data)
