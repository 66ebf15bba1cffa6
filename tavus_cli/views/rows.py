"""One row for one thing: several events about the same speech become one row of the pretty view.

Speaking starts and stops fold into the words, a barge-in is one row, and the gaps of one burst are one row.
Pure: time comes from the entries and from ``tick``; ``wake_at`` says when that is due. It stands between the
selection and ``line.LineView``, and nothing is lost: what is not folded into another row is a row itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tavus_cli.language.selection import Selection
from tavus_cli.protocol.entries import Entry, EventEntry, GapEntry

HELD_SECONDS = 1.0  # a start or a stop waits this long for its words
BURST_SECONDS = 1.0  # gaps no further apart are one row
_ROLES = 64  # roles are remote text
_NEVER = float("inf")
_SPEECH = frozenset(("utterance", "partial", "started", "stopped", "interrupted"))


class Said(NamedTuple):
    """Words, with facts from their speaking events; or a speaking event that waited for its words until
    ``at``. Durations in seconds, ``began`` and ``at`` in Unix seconds. ``spoke`` is how long the user spoke.
    With ``cut`` the row only says that speech was interrupted, and after which words. ``late_echo``: typed
    text came back after more than a second.
    """

    entry: EventEntry
    reply: float | None = None
    spoke: float | None = None
    began: float | None = None
    at: float | None = None
    cut: bool = False
    late_echo: bool = False


class Gaps(NamedTuple):
    """The gaps of one burst, with the first and last number of each."""

    spans: list[tuple[int, int]]
    at: float


Row = Entry | Said | Gaps


class _Speech:
    """What one role is saying. ``start`` and ``stop`` are not in a row yet, and are ``due`` in one at that
    time (Unix seconds). ``grows``: there is streaming text, which the live line shows. ``words``: the
    inference id of words that have their row. ``cut``: a row has said that they were interrupted.
    """

    __slots__ = ("cut", "due", "grows", "start", "stop", "words")

    def __init__(self) -> None:
        self.start: EventEntry | None = None
        self.stop: EventEntry | None = None
        self.due = 0.0
        self.grows = False
        self.words: str | None = None
        self.cut = False

    @property
    def held(self) -> EventEntry | None:
        """Speech events that become separate rows when their time is up."""
        return self.stop or (None if self.grows else self.start)


class Rows:
    """``take`` entries in order, and those of them that are selected; it returns rows.

    With ``selection.all`` every entry is a row, as it was received.
    """

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._speech: dict[str | None, _Speech] = {}
        self._due = _NEVER  # nothing is due before that; saves checking each role

    def take(self, entries: Sequence[Entry], chosen: Sequence[Entry]) -> list[Row]:
        """``chosen`` are those of ``entries`` that the selection shows."""
        if self._selection.all:
            return [*self.close(), *chosen]
        shown = set(map(id, chosen))
        out: list[Row] = []
        add = out.append
        for entry in entries:
            if type(entry) is EventEntry:
                if entry.at >= self._due:
                    out += self.tick(entry.at)
                if entry.event.kind.family in _SPEECH:
                    fold = entry.fold
                    if (fold is None or fold == "partial") and not entry.differs:
                        self._spoken(entry, id(entry) in shown, out)
                        continue
            elif type(entry) is GapEntry and id(entry) in shown:
                _add_gap(entry, out)
                continue
            if id(entry) in shown:
                add(entry)
        return out

    def wake_at(self) -> float | None:
        if self._due is not _NEVER:
            self._look()
        return None if self._due is _NEVER else self._due

    def tick(self, now: float) -> list[Row]:
        """Rows that have waited long enough."""
        due = [one for one in self._speech.values() if one.held is not None and one.due <= now]
        due.sort(key=lambda one: one.due)
        out = [row for one in due for row in self._alone(one, min(one.due, now))]
        self._look()
        return out

    def _look(self) -> None:
        self._due = min((one.due for one in self._speech.values() if one.held is not None), default=_NEVER)

    def close(self) -> list[Row]:
        """Rows still held, when nothing more will come."""
        return self.tick(_NEVER)

    # -- speech ---------------------------------------------------------------------------------------

    def _spoken(self, entry: EventEntry, shown: bool, out: list[Row]) -> None:
        family, fold, role = entry.event.kind.family, entry.fold, entry.event.role
        speech = self._speech.get(role)
        if speech is None:
            if len(self._speech) >= _ROLES:
                out += self.close()
                self._speech.clear()
            speech = self._speech[role] = _Speech()
        if family == "started":
            self._started(speech, entry, shown, out)
        elif family == "partial" and fold == "partial":
            speech.grows = True
            if shown:
                out.append(entry)
        elif family == "utterance" or family == "partial":
            self._words(speech, entry, shown, out)
        else:
            self._stopped(speech, entry, shown, out)

    def _started(self, speech: _Speech, entry: EventEntry, shown: bool, out: list[Row]) -> None:
        inference = entry.event.inference_id
        if speech.words is not None and speech.words == inference and speech.start is None:
            return  # its words came first, and show the latency
        out += self._alone(speech, entry.at)
        speech.grows, speech.words, speech.cut = False, None, False
        if shown and not self._words_are_shown():
            out.append(entry)
            return
        speech.start = entry
        self._hold(speech, entry)

    def _words(self, speech: _Speech, entry: EventEntry, shown: bool, out: list[Row]) -> None:
        event, start, stop = entry.event, speech.start, speech.stop
        if event.interrupted and event.kind.family == "partial" and speech.words is not None:
            speech.stop = None
            if shown and not speech.cut:
                speech.cut = True
                out.append(Said(entry, cut=True))
            return
        late_echo = entry.asked is not None and event.role == "user"
        if not shown:
            return
        speech.start = speech.stop = None
        speech.words = event.inference_id or "" if stop is None else None
        speech.cut = event.interrupted
        if start is None and stop is None and not late_echo:
            out.append(entry)
            return
        spoke = stop.event.duration if stop is not None and event.role == "user" else None
        reply = entry.reply if start is None or start.reply is None else start.reply
        began = None if start is None else start.at
        out.append(Said(entry, reply, spoke, began, late_echo=late_echo))

    def _stopped(self, speech: _Speech, entry: EventEntry, shown: bool, out: list[Row]) -> None:
        cut = entry.event.interrupted or entry.event.kind.family == "interrupted"
        if speech.stop is not None:
            out += self._alone(speech, entry.at)
        reported = speech.words is not None and (speech.cut or not cut)
        if shown and not self._words_are_shown():
            out.append(entry)
        elif not reported:
            speech.stop = entry
            self._hold(speech, entry)
        if reported:
            speech.words, speech.cut = None, False

    def _hold(self, speech: _Speech, entry: EventEntry) -> None:
        speech.due = entry.at + HELD_SECONDS
        self._due = min(self._due, speech.due)

    def _alone(self, speech: _Speech, at: float) -> list[Row]:
        """Turn held events of a speech into separate rows; its words may still arrive later."""
        held = [one for one in (None if speech.grows else speech.start, speech.stop) if one is not None]
        speech.start = speech.stop = None
        return [Said(one, one.reply, began=one.at, at=at) for one in held if self._selection(one)]

    def _words_are_shown(self) -> bool:
        selection = self._selection
        name = "conversation.utterance"
        return (not selection.only or selection.only(name)) and not selection.ignore(name)


def _add_gap(entry: GapEntry, out: list[Row]) -> None:
    """Add a gap to the row of its burst, even after other rows."""
    for row in reversed(out):
        if type(row) is Gaps:
            if entry.at - row.at <= BURST_SECONDS:
                row.spans.append((entry.first, entry.last))
                return
            break
    out.append(Gaps([(entry.first, entry.last)], entry.at))
