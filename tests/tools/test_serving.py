"""Who may call over HTTP, and which requests are valid; without a server (tests/commands/test_tools.py has
one).
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tavus_cli.tools.performing import Performer
from tavus_cli.tools.serving import Answer, Served
from tavus_cli.tools.table import Table, option

TOKEN = {"authorization": "Bearer secret"}


def ask(
    path: str, body: Any, headers: dict[str, str] = TOKEN, method: str = "POST"
) -> tuple[Answer, list[str]]:
    told: list[str] = []

    async def main() -> Answer:
        table = Table([option("get_*=cat"), option("bad=false")])
        async with Performer(table, {"PATH": "/usr/bin:/bin"}) as performer:
            return await Served(table, performer, "secret", told.append).answer(method, path, headers, body)

    return asyncio.run(main()), told


def test_by_its_path_and_by_its_name() -> None:
    assert ask("/get_hours", {"day": "mon"}) == (Answer(200, {"day": "mon"}), ["get_hours answered"])
    call = {"name": "get_hours", "arguments": '{"day":"mon"}', "tool_call_id": "call_1"}
    assert ask("/", call) == (Answer(200, {"day": "mon"}), ["get_hours call_1 answered"])
    assert ask("/get_hours", None)[0] == Answer(200, {})


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer x", "secret", "Bearer secret ", "Bearer sécret"])
def test_without_the_token_nothing_runs(given: str) -> None:
    answer, told = ask("/get_hours", {}, {"authorization": given})
    assert (answer.status, told) == (401, [])


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/other", {}, 404),
        ("/get_../../etc/passwd", {}, 404),
        ("/get_\n", {}, 404),
        ("/", {}, 404),
        ("/", {"name": 7}, 404),
        ("/get_hours", [1], 400),
        ("/get_hours", "{", 400),
        ("/", {"name": "get_hours", "arguments": "{"}, 500),
        ("/bad", {}, 500),
    ],
)
def test_what_is_wrong_has_its_status(path: str, body: Any, status: int) -> None:
    assert ask(path, body)[0].status == status


def test_only_post() -> None:
    assert ask("/get_hours", None, method="GET")[0].status == 405
