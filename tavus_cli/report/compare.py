"""Comparing two sets of recordings by measure: what got worse, by how much, out of how many values.

Pure. A measure is worse or better if its p50 or p95 has changed by more than ``tolerance`` (a share) and at
least NOTICED seconds. With fewer than ENOUGH values on either side it cannot be compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from tavus_cli.report.measures import TIMES, Measures, Spread, rounded
from tavus_cli.report.words import CANNOT_TELL, seconds

TOLERANCE = 0.10
NOTICED = 0.02
ENOUGH = 5

Outcome = Literal["worse", "better", "same", "cannot tell"]
_NEUTRAL = {"user_speech", "pal_speech"}  # longer is neither better nor worse
_FAULTS = ("unreplied", "unanswered_calls", "barge_ins_failed", "gaps", "late", "duplicates", "outages")


@dataclass(frozen=True, slots=True)
class Change:
    """A measure of time before and now; for faults, their number in a turn."""

    name: str
    outcome: Outcome
    before: Spread | None
    now: Spread | None
    text: str

    def line(self) -> str:
        return f"{self.outcome.upper()} {self.name} {self.text}"

    def as_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {"measure": self.name, "outcome": self.outcome, "text": self.text}
        for name, one in (("before", self.before), ("now", self.now)):
            if one is not None:
                stats = {stat: rounded(getattr(one, stat)) for stat in ("p50", "p95", "max")}
                out[name] = {"count": one.count, **stats}
        return out


def compare(before: Measures, now: Measures, tolerance: float = TOLERANCE) -> list[Change]:
    """The changes, worse ones first, in the order of the measures."""
    changes = [*_times(before, now, tolerance), *_faults(before, now)]
    order: list[Outcome] = ["worse", "cannot tell", "better", "same"]
    return sorted(changes, key=lambda one: order.index(one.outcome))


def _times(before: Measures, now: Measures, tolerance: float) -> Iterator[Change]:
    for name in TIMES:
        old, new = before.spread(name), now.spread(name)
        if name in _NEUTRAL or not (old.count or new.count):
            continue
        counts = f"{old.count:,} → {new.count:,} values"
        if min(old.count, new.count) < ENOUGH:
            yield Change(name, "cannot tell", old, new, f"too few values ({counts})")
            continue
        moves = [_move(stat, old, new) for stat in ("p50", "p95")]
        outcome: Outcome = "same"
        if any(_counts(then, than, tolerance) for then, than, _ in moves):
            outcome = "worse"
        elif any(_counts(than, then, tolerance) for then, than, _ in moves):
            outcome = "better"
        yield Change(name, outcome, old, new, f"{', '.join(text for _, _, text in moves)}, {counts}")


def _move(stat: str, old: Spread, new: Spread) -> tuple[float, float, str]:
    then, than = getattr(old, stat) or 0.0, getattr(new, stat) or 0.0
    by = f", {(than - then) / then:+.0%}" if then else ""
    return then, than, f"{stat} {seconds(then)} → {seconds(than)} ({than - then:+.2f} s{by})"


def _counts(then: float, than: float, tolerance: float) -> bool:
    """Whether ``than`` is significantly higher than ``then``."""
    return than - then >= NOTICED and than > then * (1 + tolerance)


def _faults(before: Measures, now: Measures) -> Iterator[Change]:
    for name in _FAULTS:
        old, new = before.counts[name], now.counts[name]
        turns = [measures.counts["turns"] for measures in (before, now)]
        if old is None and new is None:
            continue
        if old is None or new is None:
            reason = now.reasons.get(name) or before.reasons.get(name, CANNOT_TELL)
            yield Change(name, "cannot tell", None, None, f"({reason})")
        elif old or new:
            shares = [count / (of or 1) for count, of in zip((old, new), turns, strict=True)]
            outcome: Outcome = "same"
            if shares[0] != shares[1]:
                outcome = "worse" if shares[1] > shares[0] else "better"
            text = f"{old:,} in {turns[0] or 0:,} turns → {new:,} in {turns[1] or 0:,}"
            yield Change(name, outcome, None, None, text)
