"""What became of a script: for people, as JSON, as JUnit's XML. Pure; remote text passes ``safe``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from tavus_cli.errors import ExitStatus
from tavus_cli.language.patterns import TooSlow
from tavus_cli.protocol.conversation import EventEntry
from tavus_cli.protocol.wire import to_json
from tavus_cli.script.conditions import REPLY, Match
from tavus_cli.script.window import Expectation, Window
from tavus_cli.views.safe import safe, safe_json

NEAREST = 3  # events shown with a failure
_LOOKED_AT = 1_000  # the latest events of which the nearest are found
_TIMES = ("started_ms", "answered_ms", "spoken_ms")
_WIDTH = 160  # characters of such an event
_NO_XML = re.compile(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(slots=True)
class Outcome:
    """One line that was run; 0 is for the whole of it. ``failure`` is None where it went well.

    ``came`` are the nearest events, ``message`` is the one that was found. ``seconds`` are room time.
    ``mistake``: the line itself could not be run.
    """

    line: int
    text: str
    seconds: float = 0.0
    failure: str | None = None
    came: list[str] = field(default_factory=list)
    status: ExitStatus = ExitStatus.DONE
    message: Any = None
    mistake: bool = False


@dataclass(slots=True)
class Run:
    """A script on one target. ``replies`` are the latencies of its turns, by turn; ``tools`` are the facts
    of each tool call that was answered by --tool (``tools.log.facts``)."""

    script: str
    target: str
    outcomes: list[Outcome] = field(default_factory=list)
    seconds: float = 0.0
    replies: list[tuple[int, float]] = field(default_factory=list)
    tools: list[dict[str, Any]] = field(default_factory=list)

    @property
    def failed(self) -> list[Outcome]:
        return [one for one in self.outcomes if one.failure is not None]

    @property
    def status(self) -> ExitStatus:
        return next((one.status for one in self.failed), ExitStatus.DONE)


def nearest(window: Window, what: Expectation) -> list[str]:
    """The events that came closest to what was expected, with what they lack."""
    rated: list[tuple[int, int, int, EventEntry]] = []
    for entry in window.entries[-_LOOKED_AT:]:
        right = what.of_type(entry)
        if entry.fold is not None and not right:
            continue
        met = sum(_met(match, entry) for match in what.matches) if right else 0
        rated.append((-right, -met, len(rated), entry))
    rated.sort(key=lambda one: one[:3])
    lines = dict.fromkeys(_near(entry, what, window.at) for *_, entry in rated[: 2 * NEAREST])  # no twins
    return list(lines)[:NEAREST]


def _met(match: Match, entry: EventEntry) -> bool:
    try:
        return match(entry)
    except TooSlow:
        return False


def one_line(entry: EventEntry, since: float) -> str:
    """An event in one line."""
    event = entry.event
    words = [f"{entry.at - since:+.3f}", event.short or "other", event.role or ""]
    text = safe(" ".join(word for word in [*words, event.kind.summary(event)] if word))
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"


def _near(entry: EventEntry, what: Expectation, since: float) -> str:
    line = one_line(entry, since)
    if not what.of_type(entry):
        return line
    lacks = [safe(match.shown(entry)) for match in what.matches if not _met(match, entry)]
    if not lacks and what.within is not None and entry.at - since > what.within:
        lacks = ["too late"]
    if not lacks and what.event != REPLY:
        lacks = ["not counted: from before the sending, from an older turn, or your own words"]
    return line + (f"  ({'; '.join(lacks)[:_WIDTH]})" if lacks else "")


def failure_lines(script: str, outcome: Outcome) -> list[str]:
    where = f"{script}:{outcome.line}" if outcome.line else script
    lines = [f"{where}: {outcome.text}", f"    {outcome.failure}"]
    for number, text in enumerate(outcome.came):
        lines.append(("    came " if number == 0 else "         ") + text)
    return [safe(line) for line in lines]


def summary(run: Run) -> str:
    """One line for people: "ok  sim  5 lines  3.20 s"."""
    mark = "FAILED" if run.failed else "ok    "
    lines = sum(one.line > 0 for one in run.outcomes)
    text = f"{mark}  {safe(run.target)}  {lines} lines  {run.seconds:.2f} s"
    if run.replies:
        latencies = sorted(seconds for _, seconds in run.replies)
        text += f"  reply {latencies[len(latencies) // 2]:.2f} s, at most {latencies[-1]:.2f} s"
    return text


def run_json(run: Run) -> str:
    return safe_json(to_json(run_facts(run)))


def run_facts(run: Run) -> dict[str, Any]:
    """A run as JSON has it."""
    lines: list[dict[str, Any]] = []
    for one in run.outcomes:
        line: dict[str, Any] = {"line": one.line, "text": one.text, "ok": one.failure is None}
        line["seconds"] = round(one.seconds, 3)
        if one.failure is not None:
            line |= {"failure": one.failure, "came": one.came}
        if one.message is not None:
            line["event"] = one.message
        lines.append(line)
    whole: dict[str, Any] = {
        "script": run.script,
        "target": run.target,
        "ok": not run.failed,
        "exit_status": int(run.status),
        "seconds": round(run.seconds, 3),
        "replies": [{"turn": turn, "seconds": round(seconds, 3)} for turn, seconds in run.replies],
        "lines": lines,
    }
    if run.tools:
        whole["tools"] = run.tools
    return whole


def junit(runs: Sequence[Run]) -> str:
    """One suite for each target, one case for each line that was run."""
    parts = ['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>"]
    for run in runs:
        counts = f'tests="{len(run.outcomes)}" failures="{len(run.failed)}" errors="0" skipped="0"'
        name = attribute(f"{run.script} {run.target}")
        parts.append(f'  <testsuite name={name} {counts} time="{run.seconds:.3f}">')
        parts += _properties(run)
        for one in run.outcomes:
            what = f"line {one.line}: {one.text}" if one.line else one.text
            case = f"name={attribute(what)} classname={attribute(run.script)}"
            case = f'    <testcase {case} time="{one.seconds:.3f}"'
            if one.failure is None:
                parts.append(case + "/>")
                continue
            body = escape(legal("\n".join(failure_lines(run.script, one))))
            failure = f"<failure message={attribute(one.failure)}>{body}</failure>"
            parts += [case + ">", f"      {failure}", "    </testcase>"]
        parts.append("  </testsuite>")
    return "\n".join([*parts, "</testsuites>", ""])


def _properties(run: Run) -> list[str]:
    """What became of its tool calls."""
    if not run.tools:
        return []
    lines = []
    for one in run.tools:
        times = [
            f"{name.removesuffix('_ms')} after {one[name]:.0f} ms" for name in _TIMES if one[name] is not None
        ]
        value = ", ".join([one["state"], *filter(None, [one["reason"]]), *times])
        name = attribute(f"tool {one['tool']} {one['tool_call_id']}".rstrip())
        lines.append(f"      <property name={name} value={attribute(value)}/>")
    return ["    <properties>", *lines, "    </properties>"]


def attribute(text: str) -> str:
    """A value of an attribute in XML, with its quotation marks."""
    return quoteattr(legal(safe(text)))


def legal(text: str) -> str:
    """With nothing in it that XML cannot hold."""
    return _NO_XML.sub("�", text)
