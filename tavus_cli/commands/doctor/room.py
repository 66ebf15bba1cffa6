"""``doctor --room``: join a real room once, with a finding for each step."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

from tavus_cli.errors import ConsoleError, ConversationOver, CutOff, NotMet, UsageError
from tavus_cli.language.commands import AudioEcho, parse
from tavus_cli.protocol.catalogue import short_name
from tavus_cli.protocol.entries import Entry, EventEntry, NoteEntry, SentEntry
from tavus_cli.protocol.interactions import Interaction
from tavus_cli.rooms.room import Room
from tavus_cli.session.audio import Sound, read_wav
from tavus_cli.session.environment import Environment
from tavus_cli.session.sending import deliver
from tavus_cli.session.session import Session

from .findings import Findings

MOST_TYPES = 100  # event types counted separately; the number is limited, as their names are remote text
SHOWN_TYPES = 4
NAME_LIMIT = 60  # characters of one

Sending = tuple[str, Interaction | Sound]  # its name, and what to send


def sendings(lines: tuple[str, ...]) -> list[Sending]:
    """What to send for these lines, as typed in the console.

    Raises UsageError for a line that sends nothing, or whose sound cannot be read.
    """
    found: list[Sending] = []
    for line in lines:
        action = parse(line)
        if isinstance(action, AudioEcho):
            found.append(("echo --audio", read_wav(action.path)))
        elif isinstance(action, Interaction):
            found.append((short_name(action.event_type) or "raw", action))
        else:
            raise UsageError("--send takes what can be sent: /respond TEXT, /echo TEXT, /interrupt …")
    return found


class Visit:
    """Join, wait for the PAL, send, count events for ``duration``, leave. Times in seconds."""

    def __init__(
        self, room: Room, duration: float, ready_timeout: float, findings: Findings, environment: Environment
    ) -> None:
        self._room = room
        self._duration = duration
        self._ready_timeout = ready_timeout
        self._findings = findings
        self._watch = _Watch(findings)
        self._session = Session(room, environment=environment)
        self._session.sinks.append(self._watch)
        self._begun = room.now()

    async def make(self, sendings: list[Sending]) -> None:
        findings, begun = self._findings, time.perf_counter()
        self._begun = self._room.now()
        try:
            async with self._session as session:
                took = time.perf_counter() - begun
                findings.add("join", True, f"joined {self._room.target} in {took:.3f} s", seconds=took)
                try:
                    await self._pal()
                    for name, action in sendings:
                        await self._send(name, action)
                    await self._stay()
                except (ConversationOver, CutOff) as error:
                    findings.failed("room", error)
                self._heard()
                leaving, notes = time.perf_counter(), len(self._watch.notes)
        except ConsoleError as error:
            findings.failed("join", error)
            return
        took = time.perf_counter() - leaving
        if session.over is not None:
            findings.add("leave", None, "the room has ended: nothing to leave")
        # reported by the room: leaving was not confirmed, or the client is stuck
        elif len(self._watch.notes) > notes:
            findings.failed("leave", ConsoleError(f"left, but not cleanly, in {took:.3f} s"))
        else:
            findings.add("leave", True, f"left in {took:.3f} s", seconds=took)

    async def _pal(self) -> None:
        try:
            await self._session.pal_ready(self._ready_timeout)
        except (ConversationOver, CutOff):
            raise
        except ConsoleError as error:  # send the other lines
            self._findings.failed("pal", error)
            return
        took = self._room.now() - self._begun
        name = next((one.name for one in self._room.participants.values() if one.pal), "")
        text = (
            f"the PAL{f' ({name:.{NAME_LIMIT}})' if name else ''} is there {took:.3f} s after joining began"
        )
        self._findings.add("pal", True, text, seconds=took)

    async def _send(self, name: str, action: Interaction | Sound) -> None:
        begun = time.perf_counter()
        try:
            await deliver(self._session, action)
        except (ConversationOver, CutOff):
            raise
        except ConsoleError as error:
            self._findings.failed("send", type(error)(f"{name} {error}"))
            return
        took = time.perf_counter() - begun
        self._findings.add("send", True, f"{name} sent, confirmed in {took:.3f} s", seconds=took, sent=name)

    async def _stay(self) -> None:
        """Raises ConversationOver, and CutOff, also if the connection is down at the end."""
        session = self._session
        try:
            async with asyncio.timeout(self._duration):
                await session.over_or_idle()
        except TimeoutError:
            if (held := session.conversation.wake_at()) is not None:  # held, although it has arrived
                await asyncio.sleep(max(0.0, held - self._room.now()) + 0.01)
            if session.down is not None:
                raise CutOff(session.down) from None
            return
        if session.ended.is_set():
            raise session.end_error()

    def _heard(self) -> None:
        """Report the events received since joining began."""
        findings, watch, stayed = self._findings, self._watch, self._room.now() - self._begun
        if watch.first is None:
            findings.failed("events", NotMet(f"no event arrived within {stayed:.1f} s"))
            return
        first = max(0.0, watch.first - self._begun)
        status = self._session.conversation.status
        types = [f"{name} {count}" for name, count in watch.types.most_common(SHOWN_TYPES)]
        more = ["…"] if len(watch.types) > SHOWN_TYPES else []
        findings.add(
            "events",
            True,
            f"{watch.count} events, the first {first:.3f} s after joining began: {', '.join(types + more)}",
            seconds=first,
            count=watch.count,
            types=dict(watch.types),
            gaps=status.gaps,
            late=status.late,
            duplicates=status.duplicates,
        )
        if watch.echo is not None:
            text = f"respond came back as the user's words after {watch.echo:.3f} s"
            findings.add("echo", True, text, seconds=watch.echo)
        if watch.reply is not None:
            findings.add("reply", True, f"the PAL replied after {watch.reply:.3f} s", seconds=watch.reply)


class _Watch:
    """A sink that counts events; each note becomes a finding at once, as a remark."""

    def __init__(self, findings: Findings) -> None:
        self.count = 0
        self.types: Counter[str] = Counter()
        self.first: float | None = None  # when, in the room's time
        self.echo: float | None = None
        self.reply: float | None = None
        self.notes: list[str] = []
        self._findings = findings

    def entries(self, entries: list[Entry]) -> None:
        for entry in entries:
            if isinstance(entry, EventEntry):
                self._event(entry)
            elif isinstance(entry, SentEntry):
                self.echo = entry.echo if self.echo is None else self.echo
            elif isinstance(entry, NoteEntry):
                self.notes.append(entry.text)
                self._findings.add("note", None, entry.text)

    async def drain(self) -> None:
        pass

    def _event(self, entry: EventEntry) -> None:
        self.count += 1
        name = entry.event.short[:NAME_LIMIT]
        self.types[name if name in self.types or len(self.types) < MOST_TYPES else "…"] += 1
        self.first = entry.at if self.first is None else min(self.first, entry.at)
        self.reply = entry.reply if self.reply is None else self.reply
