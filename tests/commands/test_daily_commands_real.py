"""Situations × commands before "joined": the real client and the local room. See test_daily_commands.py."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.kits.command_kit import COMMANDS, LIMIT, Run, arguments
from tests.kits.daily_room import LocalRoom, Socket, app_message, room_url
from tests.kits.program import Result


@dataclass
class Refusal:
    """``room`` refuses; ``ends`` is the status of every command."""

    ends: int
    words: str
    lookup: int | dict[str, Any] | None = None
    socket: Socket = "silent"
    options: Sequence[str] = ()
    variables: dict[str, str] = field(default_factory=dict)


SHORT = ("--join-timeout", "1500ms")
REAL: dict[str, Refusal] = {
    "no such room": Refusal(5, "no room", lookup=404),
    "a bad token": Refusal(4, "token", lookup=401),
    "over": Refusal(6, "over", lookup={"error": "exp-room"}),
    "not yet": Refusal(5, "not available yet", lookup={"error": "nbf-room"}),
    "down": Refusal(5, "HTTP 503", lookup=503),
    "never acknowledged": Refusal(5, "never let us in", options=SHORT),
    "WebSockets refused": Refusal(5, "within 1.5 s", socket="refuse", options=SHORT),
    "WebSockets dropped": Refusal(5, "within 1.5 s", socket="drop", options=SHORT),
    "nobody there": Refusal(
        5, "within 1.5 s", options=SHORT, variables={"TAVUS_DAILY_PROXY": "https://127.0.0.1:1/"}
    ),
    "no authority file": Refusal(5, "/nowhere.pem", variables={"SSL_CERT_FILE": "/nowhere.pem"}),
    "no proxy": Refusal(2, "Daily proxy", variables={"TAVUS_DAILY_PROXY": "http://127.0.0.1:1/"}),
}


@pytest.mark.parametrize("name", REAL)
def test_joins_that_fail(name: str) -> None:
    refusal = REAL[name]

    async def main() -> list[Result]:
        async with LocalRoom(lookup=refusal.lookup, socket=refusal.socket) as room:
            variables = {**room.environment, "RUST_LOG": "trace", **refusal.variables}
            runs = [Run(arguments(command, room_url(), *refusal.options), variables) for command in COMMANDS]
            return await asyncio.gather(*(run.end() for run in runs))

    for command, result in zip(COMMANDS, asyncio.run(main()), strict=True):
        assert result.status == refusal.ends, (command, result)
        assert refusal.words in (result.out + result.err), (command, result)


@pytest.mark.parametrize("command", COMMANDS)
def test_signals_while_joining(command: str) -> None:
    async def main() -> list[tuple[int, Result]]:
        async with LocalRoom(socket="silent") as room:

            async def one(number: int) -> tuple[int, Result]:
                url = room_url()
                run = Run(arguments(command, url), {**room.environment, "RUST_LOG": "trace"}, open=True)
                process = await run.start()
                await room.joining(url.rsplit("/", 1)[1], LIMIT)
                process.send_signal(number)
                return number, await run.end()

            return await asyncio.gather(*map(one, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)))

    for number, result in asyncio.run(main()):
        assert (result.status, result.err) == (128 + number, "")
        assert "joined" not in result.out


def test_tail_may_finish_before_the_join_is_done() -> None:
    early = [app_message({"event_type": f"e{number}"}) for number in range(7)]

    async def main() -> Result:
        async with LocalRoom(socket="silent", early=early) as room:
            run = Run(["tail", room_url(), "--count", "5", "--format", "{type}"], room.environment)
            return await run.end()

    result = asyncio.run(main())
    assert (result.status, result.lines, result.err) == (0, [f"e{number}" for number in range(5)], "")


def test_a_reader_that_goes_away_while_joining() -> None:
    async def main() -> Result:
        async with LocalRoom(socket="silent", early=[app_message({"event_type": "e"})]) as room:
            run = Run(["tail", room_url(), "--format", "{type}"], room.environment)
            process = await run.start()
            assert process.stdout is not None
            await process.stdout.readline()
            process.stdout._transport.close()  # type: ignore[attr-defined]
            return await run.end()

    result = asyncio.run(main())
    assert (result.status, result.err) == (141, "")
