"""What tests of answering tool calls share: a simulated PAL that calls, and a bridge over a session."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tavus_cli.protocol.entries import Entry, SentEntry
from tavus_cli.rooms.room import Room
from tavus_cli.rooms.sim.room import open_simulated
from tavus_cli.session.session import Session
from tavus_cli.tools.bridge import Bridge, Run
from tavus_cli.tools.options import ToolOptions

Json = dict[str, Any]


def pal(
    folder: Path, *calls: tuple[str, Any], every: float = 0.0, id: bool = True, speed: str = "?speed=max"
) -> str:
    """The spec of a PAL that makes these calls, one ``every`` few seconds, and answers results."""
    lines = ["greeting = ''"]
    for name in dict.fromkeys(name for name, _ in calls):
        lines += [f"[tools.{json.dumps(name)}]", f"id = {str(id).lower()}"]
        lines += [
            'on_resolve = "generate_response"',
            'say = "It is {output}."',
            'error = "It failed: {output}"',
        ]
    for number, (name, arguments) in enumerate(calls):
        lines += ["[[at]]", f"after = {1 + number * every}", f"tool = {json.dumps(name)}"]
        if arguments is not None:
            text = arguments if isinstance(arguments, str) else json.dumps(arguments, separators=(",", ":"))
            lines.append(f"arguments = {json.dumps(text)}")
    file = folder / "pal.toml"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return f"sim:{file}{speed}"


@dataclass
class Talk:
    """``sent`` are the messages that this side sent, ``notes`` the lines that people see."""

    session: Session
    bridge: Bridge
    sent: list[Json]
    notes: list[str]

    @property
    def runs(self) -> list[Run]:
        return list(self.bridge.runs.values())

    @property
    def results(self) -> dict[str, tuple[str, Any]]:
        """What was answered: id → status and output."""
        told = [one["properties"] for one in self.sent if one["event_type"] == "conversation.tool_result"]
        found = {one["tool_call_id"]: (one["status"], one["output"]) for one in told}
        assert len(found) == len(told), "an id was answered twice"
        return found

    @property
    def result(self) -> tuple[str, Any]:
        (one,) = self.results.values()
        return one


class _Sent:
    def __init__(self, sent: list[Json]) -> None:
        self._sent = sent

    def entries(self, entries: list[Entry]) -> None:
        self._sent += [entry.event.message for entry in entries if type(entry) is SentEntry]

    async def drain(self) -> None:
        pass


@contextlib.asynccontextmanager
async def answering(
    room: Room | str, *tools: str, environ: Mapping[str, str] = os.environ, **options: Any
) -> AsyncIterator[Talk]:
    """A joined room in which tool calls are answered."""
    room = open_simulated(room) if isinstance(room, str) else room
    session = Session(room)
    sent: list[Json] = []
    notes: list[str] = []

    def note(text: str) -> None:
        notes.append(text)
        session.note(text)

    bridge = Bridge(ToolOptions(tools, **options), room, session.send, note, environ)
    session.sinks += [bridge, _Sent(sent)]
    async with bridge, session:
        yield Talk(session, bridge, sent, notes)


async def talked(room: Room | str, *tools: str, **options: Any) -> Talk:
    """A whole simulated conversation, in simulated time."""
    async with answering(room, *tools, **options) as talk:
        await talk.session.over_or_idle()
    return talk
