"""The outcome of a script as text, JSON and JUnit XML. Pure; remote text passes ``safe``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from tavus_cli.errors import ExitStatus, redacted, redacted_json
from tavus_cli.protocol.wire import to_json
from tavus_cli.script.nearest import Near
from tavus_cli.views.safe import safe, safe_json

_TIMES = ("started_ms", "answered_ms", "spoken_ms")
_NO_XML = re.compile(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(slots=True)
class Outcome:
    """The outcome of one line; number 0 is for the whole script. ``failure`` is None if it succeeded.

    ``came`` are the nearest events, None if none were looked for; ``message`` is the one that was found.
    ``seconds`` are room time. ``mistake``: the line itself could not be run.
    """

    line: int
    text: str
    seconds: float = 0.0
    failure: str | None = None
    came: list[Near] | None = None
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


def failure_lines(script: str, outcome: Outcome) -> list[str]:
    where = f"{script}:{outcome.line}" if outcome.line else script
    lines = [f"{where}: {outcome.text}", f"    {outcome.failure}"]
    if outcome.came is not None:
        for number, text in enumerate([one.line for one in outcome.came] or ["nothing"]):
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
    return safe_json(to_json(redacted_json(run_facts(run))))


def run_facts(run: Run) -> dict[str, Any]:
    """A run as an object for JSON."""
    lines: list[dict[str, Any]] = []
    for one in run.outcomes:
        line: dict[str, Any] = {"line": one.line, "text": one.text, "ok": one.failure is None}
        line["seconds"] = round(one.seconds, 3)
        if one.failure is not None:
            near = one.came or []
            line |= {"failure": one.failure, "came": [event.line for event in near]}
            line["nearest"] = [event.as_json() for event in near]
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
    """JUnit XML with a suite for each target and a case for each line that was run."""
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
    """The outcomes of its tool calls as properties."""
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
    """The value of an XML attribute, with its quotation marks."""
    return quoteattr(legal(safe(text)))


def legal(text: str) -> str:
    """The text without characters that XML forbids, and without secrets."""
    return _NO_XML.sub("�", redacted(text))
