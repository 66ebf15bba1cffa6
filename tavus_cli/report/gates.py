"""Gates: limits for measures. A measure without a figure does not pass.

Pure. ``PASS reply_p95 0.95 s <= 1.2 s``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from tavus_cli.errors import UsageError, did_you_mean
from tavus_cli.language.grammar import duration
from tavus_cli.report.measures import COUNTS, TIMES, Measures, rounded
from tavus_cli.report.words import CANNOT_TELL

Stat = Literal["p50", "p95", "max", "count"]
RATE = "barge_in_success"

_GATE = re.compile(r"\s*([a-z_]+?)(?:[_.](p50|p95|max|count))?\s*(<=|>=)\s*(\S.*?)\s*")


_LONGEST = 200  # characters


@dataclass(frozen=True, slots=True)
class Gate:
    """``limit`` in seconds for measures of time; ``stat`` is None for counts and the rate."""

    measure: str
    stat: Stat | None
    at_most: bool
    limit: float

    @property
    def name(self) -> str:
        return self.measure if self.stat is None else f"{self.measure}_{self.stat}"

    @property
    def unit(self) -> str:
        return " s" if self.stat not in (None, "count") else ""


@dataclass(frozen=True, slots=True)
class GateResult:
    """``passed`` is None if the measure has no figure; ``reason`` then says why."""

    gate: Gate
    value: float | None
    passed: bool | None
    reason: str = ""

    @property
    def word(self) -> str:
        return "PASS" if self.passed else "FAIL" if self.passed is False else CANNOT_TELL.upper()

    def line(self) -> str:
        gate = self.gate
        limit = f"{'<=' if gate.at_most else '>='} {_exact(gate.limit)}{gate.unit}"
        if self.value is None:
            return f"{self.word} {gate.name} {limit}: {self.reason}"
        return f"{self.word} {gate.name} {_shown(self.value, gate)} {limit}"

    def as_json(self) -> dict[str, Any]:
        return {
            "gate": self.gate.name,
            "value": rounded(self.value),
            "at_most" if self.gate.at_most else "at_least": rounded(self.gate.limit),
            "passed": self.passed,
            "reason": self.reason or None,
        }


def parse_gate(text: str) -> Gate:
    """ "reply_p95 <= 1.2s", "gaps<=0", "reply_count >= 20". Raises UsageError."""
    match = _GATE.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise UsageError(f'"{text}" is not a valid gate: write MEASURE<=LIMIT, such as reply_p95<=1.2s')
    name, stat, sign, limit = match.groups()
    if name not in TIMES and name not in COUNTS and name != RATE:
        known = [*TIMES, *COUNTS, RATE]
        near = did_you_mean(name, known) or f": there are {', '.join(known)}"
        raise UsageError(f'unknown measure "{name}"{near}')
    if name in TIMES:
        stat = stat or "max"
    elif stat is not None:
        raise UsageError(f"{name} has no {stat}: it is one number")
    return Gate(name, cast(Stat | None, stat), sign == "<=", _limit(name, stat, limit))


def judge(gates: Sequence[Gate], measures: Measures) -> list[GateResult]:
    return [_judge(gate, measures) for gate in gates]


def _judge(gate: Gate, measures: Measures) -> GateResult:
    value = _value(gate, measures)
    if value is None:
        return GateResult(gate, None, None, measures.reasons.get(gate.measure, "there was none"))
    return GateResult(gate, value, _keeps(rounded(value), gate))


def _keeps(value: float, gate: Gate) -> bool:
    """A value as printed, to the microsecond; clocks are less exact."""
    limit = rounded(gate.limit)
    return value <= limit if gate.at_most else value >= limit


def _value(gate: Gate, measures: Measures) -> float | None:
    if gate.measure == RATE:
        return measures.barge_in_success
    if gate.stat is None:
        return measures.counts[gate.measure]
    if gate.stat == "count":
        reason = measures.reasons.get(gate.measure)
        return None if reason not in (None, "there was none") else len(measures.times[gate.measure])
    found: float | None = getattr(measures.spread(gate.measure), gate.stat)
    if found is None and gate.measure not in measures.reasons:
        return 0.0  # measured, and none occurred
    return found


def _limit(name: str, stat: str | None, text: str) -> float:
    if stat is not None and stat != "count":
        return duration(text)
    try:
        number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1e12 or (name == RATE and number > 1):
        kind = "a share such as 0.9 or 90%" if name == RATE else "a number"
        raise UsageError(f'the limit of {name} must be {kind}, not "{text}"')
    return number


def _shown(value: float, gate: Gate) -> str:
    """Two digits, or as many as it takes to show on which side of the limit a value is."""
    if not gate.unit and float(value).is_integer():
        return f"{value:.0f}"
    short, exact = f"{value:.2f}", _exact(value)
    honest = _keeps(float(short), gate) == _keeps(rounded(value), gate)
    return f"{short if honest else exact}{gate.unit}"


def _exact(value: float) -> str:
    """To the microsecond: "1.2", "0.000008", never "8e-06"."""
    whole, dot, digits = f"{value:.6f}".partition(".")
    digits = digits.rstrip("0")
    return whole + dot + digits if digits else whole
