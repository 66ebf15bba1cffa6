"""A run's result, and the rate of a script on a target over its repeats. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import TYPE_CHECKING, Any

from tavus_cli.suite.case import Case, Played, Verdict
from tavus_cli.views.table import percentile

if TYPE_CHECKING:
    from tavus_cli.report.recording import Reported

MOST_SLOWER = 0.10  # of the median before, and …
SLOWER_BY = 0.1  # … seconds at least, of …
ENOUGH = 3  # replies on either side at least


@dataclass(frozen=True, slots=True)
class Result:
    """``minutes``: how long the conversation created for it was billed. ``recording``: its file.

    ``printed``: what the script printed. ``reported``: what --report says about it.
    """

    case: Case
    played: Played
    conversation_id: str | None = None
    minutes: float = 0.0
    recording: str | None = None
    printed: tuple[str, ...] = ()
    reported: Reported | None = None

    @property
    def ok(self) -> bool:
        return self.played.verdict == Verdict.OK

    @property
    def run(self) -> bool:
        return self.played.verdict != Verdict.NOT_RUN

    def kept(self) -> Result:
        """A copy without what only its own output needs, to save memory in large suites."""
        lines = () if self.ok else self.played.lines[:20]
        return replace(self, played=replace(self.played, facts={}, lines=lines), printed=(), reported=None)

    def as_json(self) -> dict[str, Any]:
        case, played = self.case, self.played
        return {
            "number": case.number,
            "script": case.script,
            "target": case.shown,
            "repeat": case.repeat,
            "verdict": str(played.verdict),
            "ok": self.ok,
            "detail": played.detail or None,
            "seconds": round(played.seconds, 3),
            "replies": [round(one, 3) for one in played.replies],
            "minutes": round(self.minutes, 3),
            "cost": played.cost,
            "conversation_id": self.conversation_id,
            "recording": self.recording,
        }


@dataclass(slots=True)
class Rate:
    """The rate of one script on one target. ``needed`` is the share of its runs that must pass."""

    script: str
    target: str
    needed: float = 1.0
    planned: int = 0
    passed: int = 0
    kinds: Counter[str] = field(default_factory=Counter)  # of runs that did not pass, by verdict
    replies: list[float] = field(default_factory=list)

    def add(self, result: Result) -> None:
        self.replies += result.played.replies
        if result.ok:
            self.passed += 1
        else:
            self.kinds[str(result.played.verdict)] += 1

    @property
    def run(self) -> int:
        return self.passed + self.kinds.total() - self.kinds[Verdict.NOT_RUN]

    @property
    def failed(self) -> int:
        return self.run - self.passed

    @property
    def ok(self) -> bool:
        """Whether enough of the planned runs have passed."""
        return self.run == self.planned and self.passed >= self.needed * self.planned - 1e-9

    @property
    def p50(self) -> float | None:
        return median(self.replies) if self.replies else None

    @property
    def p95(self) -> float | None:
        return percentile(self.replies, 95) if self.replies else None

    @property
    def mark(self) -> str:
        """ "ok", "FAILED", or "not run" if it might have passed; "" while it may still become either."""
        if self.failed > (1 - self.needed) * self.planned + 1e-9:
            return "FAILED"
        if self.passed + self.kinds.total() < self.planned:
            return ""
        return "ok" if self.ok else "not run"

    @property
    def why(self) -> str:
        """ "1 timeout, 2 expectation", the most frequent first."""
        return ", ".join(f"{number} {kind}" for kind, number in self.kinds.most_common())

    def words(self) -> str:
        """ "4/5 FAILED (1 timeout)"."""
        why = f" ({self.why})" if self.kinds else ""
        return f"{self.passed}/{self.planned} {self.mark}{why}"

    def as_json(self) -> dict[str, Any]:
        return {
            "script": self.script,
            "target": self.target,
            "runs": self.run,
            "passed": self.passed,
            "rate": round(self.passed / self.run, 4) if self.run else None,
            "ok": self.ok,
            "failures": dict(sorted(self.kinds.items())),
            "reply_p50": None if self.p50 is None else round(self.p50, 3),
            "reply_p95": None if self.p95 is None else round(self.p95, 3),
        }


def rates_of(cases: Iterable[Case], needed: float) -> dict[tuple[str, str], Rate]:
    """By script and target, in the order of the suite; nothing has been run yet."""
    rates: dict[tuple[str, str], Rate] = {}
    for case in cases:
        rate = rates.setdefault(case.group, Rate(*case.group, needed))
        rate.planned += 1
    return rates


# -- the baseline ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """A change against the baseline: "newly failing", "fixed", "slower"."""

    what: str
    script: str
    target: str
    text: str

    def as_json(self) -> dict[str, str]:
        return {"what": self.what, "script": self.script, "target": self.target, "text": self.text}


def rates_before(rows: Sequence[Mapping[str, Any]], needed: float) -> dict[tuple[str, str], Rate]:
    """Rates from the lines of an earlier ``--results``. Raises ValueError for any other line."""
    rates: dict[tuple[str, str], Rate] = {}
    for row in rows:
        script, target, verdict, replies = (row.get(n) for n in ("script", "target", "verdict", "replies"))
        numbers = isinstance(replies, list) and all(type(one) in (int, float) for one in replies)
        if not (isinstance(script, str) and isinstance(target, str) and isinstance(verdict, str) and numbers):
            raise ValueError
        rate = rates.setdefault((script, target), Rate(script, target, needed))
        rate.planned += 1
        rate.replies += replies or []
        if verdict == Verdict.OK:
            rate.passed += 1
        else:
            rate.kinds[verdict] += 1
    return rates


def changes(before: Mapping[tuple[str, str], Rate], now: Iterable[Rate]) -> list[Change]:
    """The changes: what got worse and what was fixed; new scripts are ignored."""
    found = []
    for rate in now:
        old = before.get((rate.script, rate.target))
        if old is None or not rate.run:
            continue
        counts = f"{old.passed}/{old.planned} → {rate.passed}/{rate.planned}"
        if old.ok and not rate.ok:
            found.append(Change("newly failing", rate.script, rate.target, counts))
        elif rate.ok and not old.ok:
            found.append(Change("fixed", rate.script, rate.target, counts))
        then, than = old.p50, rate.p50
        if then is None or than is None or min(len(old.replies), len(rate.replies)) < ENOUGH:
            continue
        if than - then >= SLOWER_BY and than > then * (1 + MOST_SLOWER):
            text = f"median reply {then:.2f} s → {than:.2f} s"
            found.append(Change("slower", rate.script, rate.target, text))
    return found
