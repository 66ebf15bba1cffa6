"""Rates over repeats, when they are good enough, and what changed since a baseline."""

from __future__ import annotations

import pytest

from tavus_cli.suite.case import Verdict
from tavus_cli.suite.result import Rate, changes, rates_before, rates_of
from tests.suite.kit import case, result


def rate(passed: int, *failed: Verdict, needed: float = 1.0, replies: tuple[float, ...] = ()) -> Rate:
    cases = [case(n + 1, repeat=n + 1) for n in range(passed + len(failed))]
    (one,) = rates_of(cases, needed).values()
    for where, verdict in zip(cases, [Verdict.OK] * passed + list(failed), strict=True):
        one.add(result(where, verdict, "", *replies))
    return one


def test_a_rate_in_words() -> None:
    assert rate(5).words() == "5/5 ok"
    assert rate(4, Verdict.TIMEOUT).words() == "4/5 FAILED (1 timeout)"
    assert rate(4, Verdict.TIMEOUT, needed=0.8).words() == "4/5 ok (1 timeout)"
    more = rate(1, Verdict.OVER, Verdict.EXPECTATION, Verdict.EXPECTATION, needed=0.8)
    assert more.words() == "1/4 FAILED (2 expectation, 1 over)"


@pytest.mark.parametrize(
    ("passed", "failed", "needed", "ok"),
    [(2, 1, 2 / 3, True), (0, 1, 0.0, True), (79, 21, 0.8, False), (80, 20, 0.8, True), (9, 1, 1.0, False)],
)
def test_the_required_share_must_pass(passed: int, failed: int, needed: float, ok: bool) -> None:
    assert rate(passed, *[Verdict.BUDGET] * failed, needed=needed).ok is ok


def test_what_was_not_run_is_not_passed() -> None:
    one = rate(4, Verdict.NOT_RUN, needed=0.5)
    assert (one.ok, one.run, one.failed, one.mark) == (False, 4, 0, "not run")


def test_it_is_failed_as_soon_as_it_cannot_pass() -> None:
    cases = [case(n, repeat=n) for n in (1, 2, 3, 4, 5)]
    (one,) = rates_of(cases, 0.8).values()
    marks = []
    for where, verdict in zip(cases, [Verdict.OK, Verdict.TIMEOUT, Verdict.OVER], strict=False):
        one.add(result(where, verdict))
        marks.append(one.mark)
    assert marks == ["", "", "FAILED"]


def test_replies_are_those_of_all_runs() -> None:
    one = rate(10, replies=(0.5, 1.0))
    assert (one.p50, one.p95) == (0.75, 1.0)
    assert (rate(1).p50, rate(1).p95) == (None, None)


def test_a_baseline_shows_what_is_new() -> None:
    def rows(verdicts: list[str], reply: float) -> list[dict[str, object]]:
        one: dict[str, object] = {"script": "a.tavus", "target": "sim:?speed=max", "replies": [reply] * 3}
        return [one | {"verdict": verdict} for verdict in verdicts]

    before = rates_before(rows(["ok", "ok"], 0.5), 1.0)
    assert changes(before, [rate(2, replies=(0.5, 0.55, 0.5))]) == []
    slower, failing = rate(2, replies=(0.9,) * 3), rate(1, Verdict.OVER)
    assert [(one.what, one.text) for one in changes(before, [slower, failing])] == [
        ("slower", "median reply 0.50 s → 0.90 s"),
        ("newly failing", "2/2 → 1/2"),
    ]
    (fixed,) = changes(rates_before(rows(["ok", "timeout"], 0.5), 1.0), [rate(2)])
    assert fixed.what == "fixed"
    assert changes({}, [failing]) == []
    with pytest.raises(ValueError):  # noqa: PT011
        rates_before([{"script": 1}], 1.0)
