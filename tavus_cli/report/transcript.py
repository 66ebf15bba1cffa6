"""The transcript as spoken: of an interrupted answer, the part that was heard.

Pure. The PAL's utterance is all it meant to say; its streaming snapshots hold only words that were spoken
(docs/protocol.md, section 3.2), so after an interruption the last of them is the truth.
"""

from __future__ import annotations

from collections import OrderedDict

from msgspec import Struct  # noqa: TID253 - as protocol.events

from tavus_cli.protocol.events import Event
from tavus_cli.report.spans import TurnSpan

_RECENT = 64  # the PAL's latest lines, to which a snapshot or a stop may still belong


class Line(Struct, eq=False, gc=False):
    """One utterance. ``role`` is user or pal; times in Unix seconds, None where unknown.

    ``text`` is what was spoken, ``intended`` what the PAL meant to say where that differs. ``cut`` is whether
    it was interrupted; then ``sure`` says whether ``text`` is known to end there.
    """

    role: str
    turn: TurnSpan
    at: float | None
    text: str
    end: float | None = None
    typed: bool = False
    whole: bool = False  # the utterance has arrived, not only snapshots of it
    cut: bool = False
    sure: bool = True
    intended: str | None = None
    spoken: str | None = None  # the latest snapshot


class _Speech(Struct, eq=False, gc=False):
    start: float | None
    turn: TurnSpan
    end: float | None = None


class Transcript:
    """Call the methods for the events, in order. ``lines`` are in the order in which they began."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._began: dict[str, _Speech] = {}  # speech that has no words yet, by role
        self._latest: dict[str, Line] = {}
        self._recent: OrderedDict[str, Line] = OrderedDict()  # of the PAL, by inference id

    def typed(self, event: Event, at: float | None, turn: TurnSpan) -> None:
        self._add(Line("user", turn, at or None, event.text, typed=True, whole=True))

    def said(self, event: Event, at: float | None, turn: TurnSpan) -> None:
        """An utterance, or a snapshot of one."""
        role = event.role
        if role != "pal" and role != "user":
            return
        line = self._line(role, event, at, turn)
        if event.kind.family == "partial":
            line.spoken = event.text
            if not line.whole:
                line.text = event.text
        else:
            line.text, line.whole = event.text, True
        if event.interrupted:
            line.cut = True
        if line.cut:
            _cut(line)

    def started(self, role: str, at: float, turn: TurnSpan) -> None:
        """A speech to which the next words belong, or the words that have just arrived."""
        latest = self._latest.get(role)
        if latest is not None and latest.end is None and latest.turn is turn and not latest.typed:
            latest.at = at
            return
        self._began[role] = _Speech(at, turn)

    def stopped(self, role: str, at: float | None, cut: bool, inference_id: str | None) -> None:
        if (began := self._began.get(role)) is not None:
            began.end = at
            return
        line = self._latest.get(role)
        if line is None or line.end is not None or line.typed:
            return
        if role == "pal" and inference_id and self._recent.get(inference_id, line) is not line:
            return
        line.end = at
        if cut and role == "pal":
            line.cut = True
            _cut(line)

    def _line(self, role: str, event: Event, at: float | None, turn: TurnSpan) -> Line:
        """The line to which words belong: for the PAL by inference id, else the latest in this turn."""
        inference_id = event.inference_id if role == "pal" else None
        if inference_id is not None:
            line = self._recent.get(inference_id)
        else:
            line = self._latest.get(role)
            if line is not None and (line.whole or line.turn is not turn):
                line = None
        if line is not None:
            return line
        began = self._began.pop(role, None)
        if began is None or began.turn is not turn:
            line = Line(role, turn, at, event.text)
        else:
            line = Line(role, turn, began.start, event.text, began.end)
        self._add(line)
        if inference_id is not None:
            self._recent[inference_id] = line
            if len(self._recent) > _RECENT:
                self._recent.popitem(last=False)
        return line

    def _add(self, line: Line) -> None:
        self.lines.append(line)
        self._latest[line.role] = line


def _cut(line: Line) -> None:
    """The part of an interrupted answer that was heard, according to its snapshots."""
    if line.role != "pal":
        return
    if line.spoken is None:
        line.sure = False
        return
    if line.whole and line.intended is None and line.text != line.spoken:
        line.intended = line.text
    line.text, line.sure = line.spoken, True
    if line.intended == line.text:  # it was cut at its end
        line.intended = None
