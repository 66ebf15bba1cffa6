"""The transcript of a call, for the caller and the judge. Pure.

The words are remote text: they pass ``safe`` where they are printed.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from tavus_cli.protocol.entries import Entry, EventEntry, SentEntry
from tavus_cli.protocol.wire import to_json

Who = Literal["caller", "pal", "tool call", "tool result"]
MOST_LETTERS = 200_000  # characters of a whole transcript: a model must be able to read it, and it costs


class Line(NamedTuple):
    who: Who
    text: str


class Transcript:
    """A sink of a session. ``lines`` are in the order of arrival; ``full`` is set once some did not fit.

    ``active`` counts actions of the PAL: starting to speak, speaking, calling a tool.
    """

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.full = False
        self.active = 0
        self._room = MOST_LETTERS

    def said_by(self, who: Who) -> bool:
        return any(line.who == who for line in self.lines)

    @property
    def working(self) -> bool:
        """Whether a tool was called since the caller spoke, so that the PAL may still report its result."""
        calls = 0
        for number, line in enumerate(reversed(self.lines)):
            if line.who == "caller":
                break
            if number == 0 and line.who == "tool result":
                return True
            calls += {"tool call": 1, "tool result": -1}.get(line.who, 0)
        return calls > 0

    def caller_says(self, text: str) -> None:
        """Add the caller's words when they are sent, as the echo may come late, or never."""
        self._add("caller", text)

    def entries(self, entries: list[Entry]) -> None:
        for entry in entries:
            event = entry.event if isinstance(entry, EventEntry | SentEntry) else None
            if event is None or (isinstance(entry, EventEntry) and entry.fold is not None):
                continue
            if event.kind.family in ("started", "utterance", "tool_call") and event.role != "user":
                self.active += 1
            if event.type == "conversation.tool_result":
                output = event.get("output")
                self._add("tool result", output if isinstance(output, str) else to_json(output))
            elif event.type == "conversation.tool_call":
                self._add("tool call", event.kind.summary(event))
            elif event.kind.family == "utterance" and event.role == "pal":
                self._add("pal", event.text)

    async def drain(self) -> None:
        pass

    def _add(self, who: Who, text: str) -> None:
        text = text.strip()
        self._room -= len(text) + 20  # with its frame
        if self._room < 0:
            self.full = True
        elif text:
            self.lines.append(Line(who, text))
