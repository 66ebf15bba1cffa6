"""What each fault does to events, and what it never does."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.protocol.ordering import HOLD_SECONDS
from tavus_cli.rooms.sim.faults import LATE_SECONDS, LONGEST_GAP, REORDER_SECONDS, FaultRates, Faults
from tests.kits.conversations import some

Arrived = list[tuple[float, Any]]
probabilities = st.floats(0, 1)


def sent(number: int, step: float = 0.05) -> Arrived:
    """``number`` numbered messages, ``step`` seconds apart."""
    return [(1_000 + index * step, {"event_type": "x", "seq": index + 1}) for index in range(number)]


def arrived(rates: FaultRates, messages: Arrived, seed: int = 1) -> Arrived:
    faults = Faults(rates, seed)
    for at, message in messages:
        faults.put(at, message)
    out: Arrived = []
    while (at_next := faults.wake_at()) is not None:
        got = faults.due(at_next)
        assert got, "wake_at is when something is due"
        out += got
    return out


def numbers(messages: Arrived) -> list[int]:
    return [message["seq"] for _, message in messages]


def delays(messages: Arrived, came: Arrived) -> list[float]:
    sent_at = {message["seq"]: at for at, message in messages}
    return [at - sent_at[message["seq"]] for at, message in came]


def test_without_faults_everything_arrives_at_once_and_untouched() -> None:
    messages = sent(50)
    came = arrived(FaultRates(), messages)
    assert came == messages
    assert all(one is other for (_, one), (_, other) in zip(came, messages, strict=True))


def test_reorder_moves_events_and_stays_under_the_hold() -> None:
    messages = sent(200)
    came = arrived(FaultRates(reorder=0.3), messages)
    assert numbers(came) != numbers(messages)
    moved = [delay for delay in delays(messages, came) if delay]
    assert 30 < len(moved) < 90
    assert all(REORDER_SECONDS[0] <= delay <= REORDER_SECONDS[1] + 1e-6 for delay in moved)
    assert REORDER_SECONDS[1] < HOLD_SECONDS


def test_late_events_come_after_the_hold() -> None:
    messages = sent(200)
    came = arrived(FaultRates(late=0.1), messages)
    moved = [delay for delay in delays(messages, came) if delay]
    assert 5 < len(moved) < 40
    assert all(HOLD_SECONDS < delay <= LATE_SECONDS[1] + 1e-6 for delay in moved)


def test_drop_loses_events_and_gap_skips_numbers() -> None:
    messages = sent(200)
    dropped = numbers(arrived(FaultRates(drop=0.1), messages))
    assert len(dropped) < 200
    assert set(dropped) < set(range(1, 201))
    skipped = numbers(arrived(FaultRates(gap=0.1), messages))
    assert len(skipped) == 200
    steps = {later - earlier for earlier, later in pairwise(skipped)}
    assert steps == set(range(1, LONGEST_GAP + 2))


def test_duplicates_have_the_same_number_and_sometimes_other_content() -> None:
    came = arrived(FaultRates(duplicate=1), sent(100))
    counts = Counter(numbers(came))
    assert counts.pop(1) == 1  # the first one is left alone
    assert set(counts.values()) == {2}
    changed = [message for _, message in came if "resent" in message]
    assert 10 < len(changed) < 50


def test_slow_keeps_the_order() -> None:
    messages = sent(20)
    came = arrived(FaultRates(slow=2.5), messages)
    assert numbers(came) == numbers(messages)
    assert delays(messages, came) == pytest.approx([2.5] * 20)


def test_what_has_no_number_is_not_touched() -> None:
    everything = FaultRates(reorder=1, duplicate=1, gap=1, late=1, drop=1)
    messages: Arrived = [(1.0, "text"), (1.0, 7), (1.0, None), (1.0, {"seq": "1"}), (1.0, ["seq"])]
    assert arrived(everything, messages) == messages


def test_the_messages_put_in_are_not_changed() -> None:
    messages = sent(50)
    arrived(FaultRates(duplicate=1, gap=1), messages)
    assert messages == sent(50)


@some
@given(
    probabilities, probabilities, probabilities, st.floats(0, 5), st.integers(0, 2**32), st.integers(0, 80)
)
def test_nothing_is_lost_or_made_up(
    reorder: float, late: float, duplicate: float, slow: float, seed: int, number: int
) -> None:
    messages = sent(number)
    came = arrived(FaultRates(reorder=reorder, late=late, duplicate=duplicate, slow=slow), messages, seed)
    assert Counter(numbers(came)).keys() == set(numbers(messages))
    firsts = Counter(str(message) for _, message in came if "resent" not in message)
    assert firsts >= Counter(str(message) for _, message in messages)
    assert [at for at, _ in came] == sorted(at for at, _ in came)
    again = arrived(FaultRates(reorder=reorder, late=late, duplicate=duplicate, slow=slow), messages, seed)
    assert came == again


@some
@given(probabilities, probabilities, st.integers(0, 2**32))
def test_gap_and_drop_lose_no_order(gap: float, drop: float, seed: int) -> None:
    came = numbers(arrived(FaultRates(gap=gap, drop=drop), sent(60), seed))
    assert came == sorted(set(came))
