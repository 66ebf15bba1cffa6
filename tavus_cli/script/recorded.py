"""The stage of a script on a recording: compares what the script sends with what was sent in the recording.
It never waits, as everything has arrived already. After sending, events count until the next message that was
not sent by a /when, since a live script would not have continued before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tavus_cli.errors import ConsoleError, NotMet, UsageError
from tavus_cli.language.commands import AudioEcho
from tavus_cli.protocol.conversation import Conversation
from tavus_cli.protocol.entries import Entry, EventEntry
from tavus_cli.protocol.events import Event, decode
from tavus_cli.protocol.interactions import Interaction
from tavus_cli.protocol.wire import to_json
from tavus_cli.rooms.recorded import RecordedRoom
from tavus_cli.script.conditions import REPLY
from tavus_cli.script.model import Quit
from tavus_cli.script.names import Kept
from tavus_cli.script.runner import Checked
from tavus_cli.script.scheduled import Placed
from tavus_cli.script.statements import command
from tavus_cli.script.window import Expectation, Window
from tavus_cli.session.turns import Turns
from tavus_cli.settings.table import default

_SHOWN = 300  # characters of a message in an error


@dataclass(slots=True, eq=False)
class Sent:
    """A message that was sent in the recording; ``window`` has the events around it, of which ``after``
    arrived before it. ``sure_at`` is when it was known which turn it had opened; expectations decide nothing
    before that.
    """

    message: Any
    at: float
    window: Window
    after: int = 0
    sure_at: float | None = None
    used: bool = False


class RecordedStage:
    """A ``runner.Stage``; call ``load`` first. It gives all entries to ``watch``."""

    def __init__(
        self,
        room: RecordedRoom,
        hold: float = default("hold"),
        watch: Callable[[list[Entry]], None] | None = None,
    ) -> None:
        if not room.timed:
            raise UsageError(f"{room.target}: bare messages do not say what was sent; give a recording")
        self.replies: list[tuple[int, float]] = []
        self._room = room
        self._watch = watch
        self._conversation = Conversation(hold=hold)
        self.sendings: list[Sent] = []
        self.everything = Window(self._conversation, room.now(), sent=False)
        self.delivered: list[float] = []  # when each of its events was let out, as it may have been held
        self._current: Sent | None = None
        self._now = room.now()
        self._placed: list[Placed] = []
        self.turns = Turns(room)

    async def load(self) -> None:
        async for batch in self._room.arrivals():
            for arrival in batch:
                await self.turns.give()
                if type(arrival) is not Event:
                    continue
                at = self._room.now() if arrival.at is None else arrival.at
                self._tick(at)
                if arrival.direction == "out":
                    self._was_sent(arrival.message, at)
                else:
                    self._add(self._conversation.take([arrival]), at)
        self._tick(float("inf"))
        self._add(self._conversation.close(), self._room.now())

    def _tick(self, now: float) -> None:
        """Let held events out at the time when they were let out live, not with the next arrival."""
        while (at := self._conversation.wake_at()) is not None and at <= now:
            self._add(self._conversation.tick(at), at)

    def now(self) -> float:
        return self._now

    async def send(self, action: Interaction | AudioEcho) -> None:
        left = [one for one in self.sendings if not one.used]
        if isinstance(action, AudioEcho):
            pieces = _sound(left)
            if not pieces:
                raise NotMet(f"expected a sound, but the recording sent {_shown(left)}")
        else:
            pieces = left[:1]
            if not pieces or not alike(pieces[0].message, action):
                raise NotMet(f"not what was sent in the recording: {_shown(left)}")
        for piece in pieces:
            piece.used = True
        self._current = pieces[-1]
        self._now = max(self._now, pieces[-1].at)

    async def pause(self, seconds: float) -> None:
        self._now += seconds

    async def expect(self, what: Expectation) -> Checked:
        current, until = self._current, self._until()
        window = self.everything if current is None or what.from_start else current.window
        if what.event == REPLY and current is not None:
            window = current.window
        since = self._now if what.waits and what.event != REPLY else window.at
        if what.within is not None:
            until = min(until, since + what.within)
        elif what.none:
            until = min(until, self._now)
        for entry in window.counted(what):
            if since <= entry.at <= until and what.fits(entry):
                self._now = max(self._now, entry.at)
                return Checked(entry, window)
            await self.turns.give()
        return Checked(None, window, "the recording has no such event there", since=since, until=until)

    async def place(self, placed: Placed) -> None:
        """Find the event of a /when, and the message that followed, at once."""
        self._placed.append(placed)
        when = placed.when
        for entry in self.everything.entries:
            await self.turns.give()
            if entry.at >= self._now and when.event.fits(entry):
                try:
                    self._compare(placed, entry)
                except ConsoleError as error:
                    placed.error = error
                return

    async def finish(self) -> list[Placed]:
        return self._placed

    def _compare(self, placed: Placed, entry: EventEntry) -> None:
        if placed.when.event.name:
            since = self._current.at if self._current else self.everything.at
            placed.names.keep(placed.when.event.name, Kept(entry, entry.at - since))
        said = command(placed.when.command, placed.names)
        assert not isinstance(said, Quit)
        later = [one for one in self.sendings if not one.used and one.at >= entry.at]
        if isinstance(said.action, AudioEcho):
            found = _sound(later)
        else:
            found = [one for one in later if alike(one.message, said.action)][:1]
        if not found:
            raise NotMet(f"not sent in the recording: {placed.when.command}")
        for one in found:
            one.used = True
        placed.fired = True

    def _until(self) -> float:
        """The index of the next message that no /when sent."""
        return next((one.at for one in self.sendings if not one.used), float("inf"))

    def _was_sent(self, message: Any, at: float) -> None:
        raw = message if isinstance(message, dict) else {}
        name = raw.get("event_type")
        interaction = Interaction(name if isinstance(name, str) else "", raw=raw)
        window = Window(self._conversation, at, interaction, sent=True)
        self.sendings.append(Sent(message, at, window, len(self.everything.entries)))
        self._add(self._conversation.sent(message, at, interaction), at)

    def _add(self, entries: list[Entry], at: float) -> None:
        if self._watch is not None:
            self._watch(entries)
        for entry in entries:
            self.everything.add(entry)
            for one in self.sendings:
                one.window.add(entry)
                if one.sure_at is None and not one.window.in_doubt:
                    one.sure_at = at
            if isinstance(entry, EventEntry):
                self.delivered.append(at)
            if isinstance(entry, EventEntry) and entry.reply is not None and entry.turn is not None:
                self.replies.append((entry.turn.idx, entry.reply))


def alike(message: Any, action: Interaction) -> bool:
    """Whether it is the same interaction; the conversation may differ, and a raw message may name none."""
    mine, then = decode(action.encode("")), decode(message)
    if action.raw is not None:
        if isinstance(then.message, dict) and "conversation_id" not in action.raw:
            return action.raw == {key: then.message[key] for key in then.message if key != "conversation_id"}
        return bool(mine.message == then.message)
    return mine.type == then.type and mine.properties == then.properties


def _sound(sendings: list[Sent]) -> list[Sent]:
    """The pieces of one sound, beginning with the first message."""
    found = []
    for one in sendings:
        event = decode(one.message)
        if event.type != "conversation.echo" or event.get("modality") != "audio":
            break
        found.append(one)
        if event.get("done") in (True, "true"):
            break
    return found


def _shown(left: list[Sent]) -> str:
    return to_json(left[0].message)[:_SHOWN] if left else "nothing more"
