"""A sink that makes a report of a session, live or recorded; and writing the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tavus_cli.errors import ExitStatus, redacted
from tavus_cli.files import write
from tavus_cli.protocol.entries import Entry, NoteEntry
from tavus_cli.report.compare import Change
from tavus_cli.report.gates import GateResult
from tavus_cli.report.measures import Measures, measure
from tavus_cli.report.recording import Reported
from tavus_cli.report.timeline import Timeline

_REPORT_EVERY = 100_000  # events


@dataclass(slots=True)
class Result:
    """The recordings that were read, and their results."""

    all: list[Reported]
    whole: Measures
    verdicts: list[GateResult]
    changes: list[Change]
    fails_if_worse: bool = False

    @property
    def status(self) -> ExitStatus:
        met = all(one.passed for one in self.verdicts) and not (self.fails_if_worse and self._worse)
        return ExitStatus.DONE if met else ExitStatus.NOT_MET

    @property
    def _worse(self) -> bool:
        """Whether any measure is worse; True also if not even the reply can be compared."""
        known = {one.name for one in self.changes if one.outcome != "cannot tell"}
        return "reply" not in known or any(one.outcome == "worse" for one in self.changes)


class Reader:
    """Builds a timeline from entries. Warnings are kept and passed to ``warn``; progress goes to ``say``."""

    def __init__(self, name: str, warn: Callable[[str], None], say: Callable[[str], None]) -> None:
        self.name = name
        self._timeline = Timeline()
        self._warnings: list[str] = []
        self._warn = warn
        self._say = say
        self._next_report = _REPORT_EVERY

    def entries(self, entries: list[Entry]) -> None:
        self._timeline.entries(entries)
        for entry in entries:
            if type(entry) is NoteEntry and entry.warning:
                self._warnings.append(entry.text)
                self._warn(entry.text)
        if self._timeline.counts.events >= self._next_report:
            self._say(f"{self.name}: {self._next_report:,} events …")
            self._next_report += _REPORT_EVERY

    async def drain(self) -> None:
        pass

    def reported(self, conversation_id: str, duplicates: int) -> Reported:
        """``duplicates`` is counted by the core, as exact repeats do not become entries."""
        measures = measure(self._timeline, duplicates)
        return Reported(self.name, conversation_id, self._timeline, measures, self._warnings)


def write_html(path: str, result: Result) -> None:
    """Write a report, with mode 0600, as it holds people's words. Raises ConsoleError if that fails."""
    from tavus_cli.report.html import html

    pieces = html(result.all, result.whole, result.verdicts, result.changes)
    write(path, map(redacted, pieces))
