"""Figures from a timeline: latencies and their parts, barge-ins, silences, counts.

Pure. Values are in seconds. What cannot be determined has a reason instead of a figure, and passes no gate.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil
from typing import Any, Literal, NamedTuple, overload

from tavus_cli.report.spans import Call, TurnSpan
from tavus_cli.report.timeline import Timeline

SILENCE = 2.0  # seconds of silence that count as dead air
OUTAGE = 3.0  # seconds between two heartbeats, which come about once a second (section 3.10)
BOUNDS = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)  # of every histogram

PartKind = Literal["first_event", "tool", "words", "speaking"]
PARTS: tuple[PartKind, ...] = ("first_event", "tool", "words", "speaking")

# Each measure of time and what it is, in the order of all outputs.
TIMES: dict[str, str] = {
    "reply": "question's end to the PAL's start",
    "reply_first_event": "  until the first event, inside Tavus",
    "reply_tool": "  tool calls, answered here",
    "reply_words": "  until the words or the start, inside Tavus",
    "reply_speaking": "  words to the start, inside Tavus",
    "respond_first_event": "respond sent to the first event",
    "words": "question's end to the PAL's first words",
    "speaking": "question's end to the PAL's first sound",
    "tool": "tool call to its answer",
    "tool_to_speech": "tool answer to speech",
    "barge_in_stop": "barge-in to the PAL's stop",
    "talk_over": "both speak at once",
    "dead_air": f"nobody speaks, from {SILENCE:g} s on",
    "user_speech": "the user speaks",
    "pal_speech": "the PAL speaks",
    "outage": f"no heartbeat, from {OUTAGE:g} s on",
}
# Each count, likewise.
COUNTS: dict[str, str] = {
    "turns": "turns",
    "replies": "turns with a reply whose time is known",
    "unreplied": "turns with a question and no reply",
    "interruptions": "times the PAL was cut off",
    "barge_ins": "barge-ins",
    "barge_ins_stopped": "barge-ins that stopped the PAL",
    "barge_ins_failed": "barge-ins that did not",
    "calls": "tool calls",
    "unanswered_calls": "tool calls without an answer",
    "gaps": "gaps in the numbers",
    "missing": "numbers in them",
    "late": "events that came late",
    "duplicates": "events that came twice",
    "outages": "outages of the heartbeat",
    "unknown_types": "events of unknown types",
    "unknown_fields": "unknown fields in known events",
    "events": "events",
    "sent": "interactions",
}
_PART_TIMES = tuple(f"reply_{kind}" for kind in PARTS)
_SPEECH = {"user": "user_speech", "pal": "pal_speech"}
_RATE = "barge_in_success"


class Part(NamedTuple):
    """A stretch of a reply. ``tool`` names the tool of a part that waits for one."""

    kind: PartKind
    start: float
    end: float
    tool: str = ""

    @property
    def seconds(self) -> float:
        return self.end - self.start

    @property
    def inside(self) -> bool:
        """Whether it happens inside Tavus, where it cannot be observed."""
        return self.kind != "tool"


@dataclass(frozen=True, slots=True)
class Spread:
    """A distribution; percentiles by nearest rank, so that each is one of the values. None without values."""

    count: int
    p50: float | None
    p95: float | None
    max: float | None
    histogram: tuple[int, ...]  # the number of values up to each of BOUNDS, and above the last


@dataclass(slots=True, eq=False)
class Measures:
    """``times`` holds the values of each measure of TIMES, ``counts`` the number of each of COUNTS.

    Where one cannot be determined, it has no values, or None, and ``reasons`` says why. A measure of time
    with neither values nor a reason did not occur in the recording.
    """

    times: dict[str, Sequence[float]] = field(default_factory=dict)
    counts: dict[str, int | None] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def barge_in_success(self) -> float | None:
        """The share of barge-ins that stopped the PAL, of those whose end was seen."""
        stopped, failed = self.counts["barge_ins_stopped"] or 0, self.counts["barge_ins_failed"] or 0
        return stopped / (stopped + failed) if stopped + failed else None

    def spread(self, name: str) -> Spread:
        return spread(self.times[name])

    def as_json(self) -> dict[str, Any]:
        """By measure; numbers to the microsecond, None if unknown."""
        out: dict[str, Any] = {}
        for name in TIMES:
            one = self.spread(name)
            out[name] = {
                "count": one.count,
                **{stat: rounded(getattr(one, stat)) for stat in ("p50", "p95", "max")},
                "histogram": list(one.histogram),
            }
        out |= {name: self.counts[name] for name in COUNTS}
        out[_RATE] = rounded(self.barge_in_success)
        return out


@overload
def rounded(value: float) -> float: ...
@overload
def rounded(value: None) -> None: ...
def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def spread(values: Iterable[float]) -> Spread:
    ordered = sorted(values)
    if not ordered:
        return Spread(0, None, None, None, (0,) * (len(BOUNDS) + 1))
    histogram = [0] * (len(BOUNDS) + 1)
    place = 0
    for value in ordered:
        while place < len(BOUNDS) and value > BOUNDS[place]:
            place += 1
        histogram[place] += 1
    return Spread(len(ordered), _rank(ordered, 50), _rank(ordered, 95), ordered[-1], tuple(histogram))


def _rank(ordered: Sequence[float], percent: int) -> float:
    return ordered[max(0, ceil(percent * len(ordered) / 100) - 1)]


def parts(span: TurnSpan) -> list[Part]:
    """The parts of a reply, split at each event seen: they are contiguous, and their sum is the reply."""
    if span.asked is None or span.replied is None or span.replied <= span.asked:
        return []
    start, end = span.asked, span.replied
    first, words, calls = _marks(span, start, end)
    cuts = sorted({start, first, words, end, *(at for _, *both in calls for at in both)})
    out: list[Part] = []
    for left, right in pairwise(cuts):
        tool = next((name for name, at, until in calls if at <= left and right <= until), None)
        kind: PartKind
        if tool is not None:
            kind = "tool"
        elif right <= first:
            kind = "first_event"
        else:
            kind = "words" if right <= words else "speaking"
        if out and out[-1].kind == kind and out[-1].tool == (tool or ""):
            left = out.pop().start
        out.append(Part(kind, left, right, tool or ""))
    return out


def _marks(span: TurnSpan, start: float, end: float) -> tuple[float, float, list[tuple[str, float, float]]]:
    """The first event and the first words between ``start`` and ``end``; and the calls answered by then,
    which the reply may have waited for: name, call, answer.
    """
    first, words = span.first, span.words
    first = end if first is None or first > end else max(first, start)
    words = end if words is None or words > end else max(words, first)
    calls = [
        (call.name, max(call.at, start), call.answered)
        for call in span.calls
        if call.answered is not None and call.at is not None
        if not call.perception and call.at < call.answered <= end
    ]
    return first, words, calls


def measure(timeline: Timeline, duplicates: int = 0) -> Measures:
    """``duplicates`` is counted by the core, as repeated events do not become entries."""
    counts = timeline.counts
    times: dict[str, Any] = {name: array("d") for name in TIMES}
    tally = dict.fromkeys(COUNTS, 0)
    for span in timeline.turns:
        tally["turns"] += 1
        if span.reply is not None:
            _reply(span, span.reply, times)
        elif span.asked is not None:
            tally["unreplied"] += 1
    for span in (*timeline.turns, timeline.loose):
        _calls(span.calls, times, tally)
        for speech in span.speeches:
            if speech.end is not None:
                times[_SPEECH[speech.role]].append(speech.end - speech.start)
        for barge_in in span.barge_ins:
            tally["barge_ins"] += 1
            if barge_in.success is not None:
                tally["barge_ins_stopped" if barge_in.success else "barge_ins_failed"] += 1
            if barge_in.stopped is not None:
                times["barge_in_stop"].append(barge_in.stopped - barge_in.at)
    times["talk_over"].extend(timeline.talk_over)
    times["dead_air"].extend(one for one in timeline.silences if one >= SILENCE)
    times["outage"].extend(one for one in timeline.beats if one >= OUTAGE)
    tally |= {
        "replies": len(times["reply"]),
        "interruptions": counts.interruptions,
        "gaps": counts.gaps,
        "missing": counts.missing,
        "late": counts.late,
        "duplicates": duplicates,
        "outages": len(times["outage"]),
        "unknown_types": sum(timeline.unknown_types.values()),
        "unknown_fields": sum(timeline.unknown_fields.values()),
        "events": counts.events,
        "sent": counts.sent,
    }
    out = Measures(times, dict(tally))
    _cannot_tell(timeline, out)
    return out


def pooled(all: Sequence[Measures]) -> Measures:
    """The measures of several recordings as if they were one; a measure missing in one is missing in all."""
    if len(all) == 1:
        return all[0]
    out = Measures()
    for name in TIMES:
        values = array("d")
        for one in all:
            values.extend(one.times[name])
        out.times[name] = values
    for name in COUNTS:
        numbers = [one.counts[name] for one in all]
        out.counts[name] = None if None in numbers else sum(filter(None, numbers))
    for one in all:
        for name, reason in one.reasons.items():
            if name in COUNTS or not out.times.get(name):
                out.reasons.setdefault(name, reason)
    return out


def _reply(span: TurnSpan, reply: float, times: dict[str, Any]) -> None:
    times["reply"].append(reply)
    asked = span.asked or 0.0
    end = max(asked, span.replied or 0.0)
    first, words, calls = _marks(span, asked, end)
    if calls:
        seconds = dict.fromkeys(PARTS, 0.0)
        for part in parts(span):
            seconds[part.kind] += part.seconds
        for name, value in zip(_PART_TIMES, seconds.values(), strict=True):
            times[name].append(value)
    else:  # as in nearly every turn
        times["reply_first_event"].append(first - asked)
        times["reply_tool"].append(0.0)
        times["reply_words"].append(words - first)
        times["reply_speaking"].append(end - words)
    if span.by == "text" and span.first is not None:
        times["respond_first_event"].append(max(0.0, span.first - asked))
    if span.words is not None:
        times["words"].append(max(0.0, span.words - asked))
    if span.speaking is not None:
        times["speaking"].append(max(0.0, span.speaking - asked))


def _calls(calls: Sequence[Call], times: dict[str, Any], tally: dict[str, int]) -> None:
    for call in calls:
        tally["calls"] += 1
        if call.id and not call.perception and not call.done:
            tally["unanswered_calls"] += 1
        if call.at is not None and call.answered is not None:
            times["tool"].append(max(0.0, call.answered - call.at))
        if call.answered is not None and call.spoken is not None:
            times["tool_to_speech"].append(max(0.0, call.spoken - call.answered))


def _cannot_tell(timeline: Timeline, out: Measures) -> None:
    """Set the reasons for missing figures, and clear the figures that have one."""
    counts, reasons = timeline.counts, out.reasons

    def no(names: Iterable[str], reason: str) -> None:
        for name in names:
            reasons.setdefault(name, reason)
            if name in COUNTS:
                out.counts[name] = None

    if not counts.events:
        no((*TIMES, *COUNTS, _RATE), "no events")
        return
    if counts.untimed == counts.events:
        no([*TIMES, "outages"], "the messages have no times")
    if not counts.numbered:
        no(("gaps", "missing", "late", "duplicates"), "no event has a seq")
    if counts.heartbeats < 2:
        no(("outages", "outage"), "fewer than two heartbeats")
    if out.counts["unanswered_calls"] and not counts.sent:
        no(("unanswered_calls", "tool", "tool_to_speech"), "what was sent is not in the recording")
    if not timeline.turns:
        turns = ("reply", *(f"reply_{kind}" for kind in PARTS), "respond_first_event", "words", "speaking")
        no((*turns, "turns", "replies", "unreplied"), "no event has a turn_idx")
    seen = {"dead_air": timeline.silences, "talk_over": out.times["pal_speech"] and out.times["user_speech"]}
    seen["outage"] = timeline.beats
    no([name for name in TIMES if not out.times[name] and not seen.get(name)], "there was none")
    if out.barge_in_success is None:
        no([_RATE], "there was no barge-in")
