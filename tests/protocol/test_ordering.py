"""True order: every row of the rules as a script of arrivals, and properties of any arrivals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.protocol.events import Event, decode
from tavus_cli.protocol.ordering import (
    FAR_BELOW,
    HOLD_MESSAGES,
    HOLD_SECONDS,
    Duplicate,
    Gap,
    Late,
    Ordered,
    Ordering,
    Restarted,
    Twin,
)
from tavus_cli.protocol.wire import from_json, to_json
from tests.kits.conversations import few, many, some

Arrival = tuple[Event, float]


def numbered(seq: int | None, content: Any = None) -> Event:
    return decode({"event_type": "x", "seq": seq, "properties": {"content": content}})


def told(ordered: Iterable[Ordered]) -> list[str]:
    """Each thing that is delivered, as a word: "5", "late 3", "gap 6–7"."""
    return [_word(one) for one in ordered]


def _word(one: Ordered) -> str:
    match one:
        case Event():
            return str(one.seq) if one.seq is not None else f"–{one.get('content')}"
        case Late(event):
            return f"late {event.seq}"
        case Gap(first, last):
            return f"gap {first}–{last}"
        case Duplicate(event, same):
            return f"{'same' if same else 'other'} {event.seq}"
        case Twin(event):
            return f"twin {event.seq}"
        case Restarted(expected, start):
            return f"restart {expected} → {start}"


def run(ordering: Ordering, script: str) -> list[str]:
    """Feed "5 7@0.1 6 -a tick@0.4 5=x": numbers, at times, with content, without number, ticks."""
    out: list[str] = []
    now = 0.0
    for step in script.split():
        word, _, time = step.partition("@")
        now = float(time) if time else now
        if word == "tick":
            out += told(ordering.tick(now))
        elif word == "close":
            out += told(ordering.close())
        elif word.startswith("-"):
            out += told(ordering.receive(numbered(None, word[1:]), now))
        else:
            number, _, content = word.partition("=")
            out += told(ordering.receive(numbered(int(number), content), now))
    return out


_LIVE = {
    "the first sets the start": ("7", "7"),
    "the next goes out at once": ("7 8 9", "7 8 9"),
    "a higher one is held": ("7 9", "7"),
    "until the missing one comes": ("7 9@0 8@0.1", "7 8 9"),
    "until all missing ones come": ("7 10 8 9", "7 8 9 10"),
    "a hold of 250 ms": ("7 9@1 tick@1.249", "7"),
    "hold expired by a tick": ("7 9@1 tick@1.25", "7 | gap 8–8 | 9"),
    "hold expired by an arrival": ("7 9@1 12@1.25", "7 | gap 8–8 | 9"),
    "each is held from its own arrival": ("7 9@1 12@1.2 tick@1.25", "7 | gap 8–8 | 9"),
    "and goes out at its own time": ("7 9@1 12@1.2 tick@1.25 tick@1.45", "7 | gap 8–8 | 9 | gap 10–11 | 12"),
    "the older of two higher ones opens the way": (
        "1 9@1 7@1.2 tick@1.25",
        "1 | gap 2–6 | 7 | gap 8–8 | 9",
    ),
    "two gaps at once": ("1 3 5 tick@1", "1 | gap 2–2 | 3 | gap 4–4 | 5"),
    "a gap of many": ("1 100 tick@1", "1 | gap 2–99 | 100"),
    "lower, not seen: late, at once": ("7 6", "7 | late 6"),
    "late after a gap": ("1 3 tick@1 2", "1 | gap 2–2 | 3 | late 2"),
    "late twice": ("1 3 tick@1 2 2", "1 | gap 2–2 | 3 | late 2 | same 2"),
    "late does not move the counter": ("7 6 8", "7 | late 6 | 8"),
    "seen, the same content": ("7 8 7", "7 8 | same 7"),
    "seen, other content": ("7 8 7=other", "7 8 | other 7"),
    "seen among those held": ("7 9 9 9=other 8", "7 8 9 | same 9 | other 9"),
    "the expected one again at once": ("7 7 8", "7 | same 7 | 8"),
    "a thousand below is late": ("1000 1", "1000 | late 1"),
    "further below waits": ("1001 1 tick@0.2", "1001"),
    "and is late if no other follows": ("1002 1@0 tick@0.25", "1002 | late 1"),
    "and is late when the count goes on": ("1002 1 1003", "1002 | late 1 | 1003"),
    "twice it is one and a duplicate": (
        "1002 1 1 1=other tick@1",
        "1002 | late 1 | same 1 | other 1",
    ),
    "rising from there is a restart": ("5000 1 2 3", "5000 | restart 5001 → 1 | 1 2 3"),
    "a restart in a mess": ("5000 2 1 3", "5000 | restart 5001 → 1 | 1 2 3"),
    "a restart with a hole": ("5000 1 3 tick@1", "5000 | restart 5001 → 1 | 1 | gap 2–2 | 3"),
    "a restart lets go what was held": (
        "5000 5002 1 2",
        "5000 | gap 5001–5001 | 5002 | restart 5003 → 1 | 1 2",
    ),
    "numbers mean others after a restart": (
        "3000 3001 1 2 3 1",
        "3000 3001 | restart 3002 → 1 | 1 2 3 | same 1",
    ),
    "after a restart, too, a number is seen once": (
        "5000 1 2 9000 9001 1 2",
        "5000 | restart 5001 → 1 | 1 2 | same 1 | same 2",
    ),
    "twins that share a number, restarted": (
        "5000 1 1 2 2",
        "5000 | restart 5001 → 1 | 1 | same 1 | 2 | same 2",
    ),
    "a jump and back": (
        "1 900000 tick@1 2@2 3",
        "1 | gap 2–899999 | 900000 | restart 900001 → 2 | 2 3",
    ),
    "no number: at once": ("-a 7 -b 9 -c 8", "–a | 7 | –b | –c | 8 9"),
    "zero is a number": ("0 1", "0 1"),
    "closing lets everything go": ("7 10 9 close", "7 | gap 8–8 | 9 10"),
    "closing lets a far one go": ("5000 1 close", "5000 | late 1"),
    "closing nothing": ("close", ""),
}


def words(expected: str) -> list[str]:
    """ "1 2 | gap 3–4" → ["1", "2", "gap 3–4"]."""
    parts = [part.strip() for part in expected.split("|")]
    return [
        word
        for part in parts
        if part
        for word in (part.split() if part.replace(" ", "").isdigit() else [part])
    ]


@pytest.mark.parametrize(("script", "expected"), _LIVE.values(), ids=_LIVE)
def test_in_a_live_room(script: str, expected: str) -> None:
    """After the start is settled, which is the first number of the script."""
    first = next((int(word) for word in script.split() if word.isdigit()), 0)
    assert run(started(first), script) == words(expected)


def started(first: int, hold: float = HOLD_SECONDS) -> Ordering:
    """An Ordering that expects ``first`` and no lower number."""
    ordering = Ordering(hold)
    ordering.start_at(first)
    return ordering


_START = {
    "the first is held": ("7 tick@0.249", ""),
    "no longer than any other": ("7 tick@0.25", "7"),
    "the next number ends the wait": ("7 8", "7 8"),
    "what comes first need not be the lowest": ("42 41 43", "41 42 43"),
    "three in the wrong order": ("43 42 41", "42 43 | late 41"),
    "the next of a lower one ends the wait": ("43 41 42", "41 42 43"),
    "a hole at the start": ("7 9@0.1 tick@0.25 tick@0.35", "7 | gap 8–8 | 9"),
    "the lowest that came by then is the start": ("9 7@0.2 tick@0.25", "7 | gap 8–8 | 9"),
    "it waits once": ("7 8 9", "7 8 9"),
    "nothing is lower than 0": ("0 1", "0 1"),
    "the first twice": ("7 7=other tick@0.25", "7 | other 7"),
    "a counter that begins anew at the start": ("5000 1 2", "1 2"),
    "no number: at once": ("7 -a tick@0.25", "–a | 7"),
    "closing": ("7 close", "7"),
}


@pytest.mark.parametrize(("script", "expected"), _START.values(), ids=_START)
def test_the_start_in_a_live_room(script: str, expected: str) -> None:
    assert run(Ordering(), script) == words(expected)


_FILE = {
    "the start is held too": ("7 6", ""),
    "and comes out in order": ("7 5 6 close", "5 6 7"),
    "one without a number before all": ("-a 7 close", "–a | 7"),
    "one without a number keeps its place": ("3 -a 1 2 -b close", "1 | –a | 2 3 | –b"),
    "several without a number": ("2 -a -b 1 -c close", "1 | –a | –b | 2 | –c"),
    "a gap at the end": ("1 2 5 -a close", "1 2 | gap 3–4 | 5 | –a"),
    "duplicates": ("1 2 2 1=x close", "1 | other 1 | 2 | same 2"),
    "times are not looked at": ("1@5 3@900 tick@500 2@1 close", "1 2 3"),
}


@pytest.mark.parametrize(("script", "expected"), _FILE.values(), ids=_FILE)
def test_in_a_file_without_times(script: str, expected: str) -> None:
    assert run(Ordering(by_count=True), script) == words(expected)


def test_a_file_gives_up_after_a_thousand_further_messages() -> None:
    ordering = Ordering(by_count=True)
    rest = range(3, 3 + HOLD_MESSAGES)
    assert run(ordering, "1 " + " ".join(map(str, rest[:-1]))) == []
    assert run(ordering, str(rest[-1])) == ["1"]  # the first has waited for a thousand
    assert run(ordering, str(rest[-1] + 1))[:3] == ["gap 2–2", "3", "4"]
    assert run(ordering, "2 close") == ["late 2"]


def test_a_late_number_after_the_ring_has_wrapped() -> None:
    """The remembered content of a number is not taken for that of another."""
    ordering = Ordering()
    run(ordering, " ".join(str(seq) for seq in range(1_100) if seq != 1_050) + " tick@1")
    assert run(ordering, "1050 1050 1051 99") == ["late 1050", "same 1050", "same 1051"]
    assert run(ordering, "close") == ["late 99"]


def test_what_came_as_text_is_compared_by_its_value() -> None:
    """Also where the text is a string that holds the message (section 1.2)."""
    text = '{"event_type":"conversation.x","seq":1,"properties":{"a":1}}'
    other = '{"seq": 1, "properties": {"a": 1}, "event_type": "conversation.x"}'
    for first in (text, to_json(text)):
        ordering = started(1)
        ordering.receive(decode(from_json(first), 0.0, None, first), 0.0)
        for again, alike in ((text, True), (other, True), (text.replace('"a":1', '"a":2'), False)):
            (one,) = ordering.receive(decode(from_json(again), 1.0, None, again), 1.0)
            assert isinstance(one, Duplicate)
            assert one.same is alike


def test_messages_without_a_number_count_towards_the_thousand() -> None:
    ordering = Ordering(by_count=True)
    out = run(ordering, "1 3 " + "-a " * (HOLD_MESSAGES - 1))
    assert out[0] == "1"
    assert run(ordering, "-b")[:3] == ["gap 2–2", "3", "–a"]
    assert ordering.held == 0


def test_in_a_file_a_far_number_waits_for_the_next() -> None:
    ordering = Ordering(by_count=True)
    run(ordering, " ".join(str(seq) for seq in range(5_000, 5_000 + 2 * HOLD_MESSAGES)) + " tick@inf")
    assert run(ordering, "1 2 3 close")[-3:] == ["1", "2", "3"]


def test_a_thousand_are_held_at_most() -> None:
    ordering = started(1)
    out = run(ordering, "1 " + " ".join(str(seq) for seq in range(3, 3 + HOLD_MESSAGES)))
    assert out == ["1"]
    assert ordering.held == HOLD_MESSAGES
    out = run(ordering, "5000")
    assert out[:2] == ["gap 2–2", "3"]
    assert len(out) == 1 + HOLD_MESSAGES
    assert ordering.held == 1


def test_a_flood_of_one_far_number_is_bounded_too() -> None:
    ordering = started(9000)
    run(ordering, "9000 " + "1 " * (2 * HOLD_MESSAGES))
    assert ordering.held <= HOLD_MESSAGES


@pytest.mark.parametrize("hold", [0.0, 0.01, 5.0])
def test_the_hold_is_the_callers(hold: float) -> None:
    ordering = started(1, hold)
    assert run(ordering, "1@100 3@100") == (["1"] if hold else ["1", "gap 2–2", "3"])
    assert ordering.wake_at() == (100 + hold if hold else None)


@pytest.mark.parametrize(
    ("script", "wake_at"),
    [
        ("", None),
        ("1@10", 10 + HOLD_SECONDS),
        ("1@10 2@10.1", None),
        ("1@10 2@11", None),
        ("1@10 3@11", 11 + HOLD_SECONDS),
        ("1@10 3@11 5@11.1", 11 + HOLD_SECONDS),
        ("1@10 5@11 3@11.1 2@11.2", 11 + HOLD_SECONDS),
        ("1@10 3@11 5@11.1 2@11.2", 11.1 + HOLD_SECONDS),
        ("1@10 3@11 2@11.1", None),
        ("5000@10 tick@10.5 1@11", 11 + HOLD_SECONDS),
        ("5000@10 5002@11 1@11.1", 11 + HOLD_SECONDS),
        ("-a@10", None),
    ],
)
def test_wake_at(script: str, wake_at: float | None) -> None:
    ordering = Ordering()
    run(ordering, script)
    assert ordering.wake_at() == wake_at
    assert Ordering(by_count=True).wake_at() is None


def test_wake_at_of_a_file_is_never() -> None:
    ordering = Ordering(by_count=True)
    run(ordering, "1 3 5")
    assert ordering.held == 3
    assert ordering.wake_at() is None


# -- any arrivals --------------------------------------------------------------------------------------

_SEQS = st.one_of(
    st.none(),
    st.integers(0, 12),
    st.integers(0, 12),
    st.integers(FAR_BELOW - 3, FAR_BELOW + 3),
    st.integers(5_000, 5_006),
    st.integers(0, 2**53 - 1),
)
_STEPS = st.lists(
    st.tuples(_SEQS, st.sampled_from("ab"), st.sampled_from((0.0, 0.01, 0.1, 0.3))), max_size=40
)


def arrivals(steps: Sequence[tuple[int | None, str, float]]) -> list[Arrival]:
    out: list[Arrival] = []
    now = 1_000.0
    for seq, content, pause in steps:
        now += pause
        out.append((numbered(seq, content), now))
    return out


def event_of(one: Ordered) -> Event | None:
    match one:
        case Event():
            return one
        case Late(event) | Duplicate(event, _) | Twin(event):
            return event
        case _:
            return None


@many
@given(_STEPS, st.booleans())
def test_nothing_is_lost_and_nothing_doubled(
    steps: list[tuple[int | None, str, float]], by_count: bool
) -> None:
    ordering = Ordering(by_count=by_count)
    came: list[Event] = []
    out: list[Ordered] = []
    for event, now in arrivals(steps):
        came.append(event)
        out += ordering.receive(event, now)
        gone = [found for one in out if (found := event_of(one)) is not None]
        assert len(came) - len(gone) == ordering.held
    out += ordering.close()
    gone = [found for one in out if (found := event_of(one)) is not None]
    assert Counter(map(id, gone)) == Counter(map(id, came))
    assert ordering.held == 0
    assert ordering.wake_at() is None


@many
@given(_STEPS)
def test_the_numbers_that_go_out_rise_and_gaps_are_what_is_missing(
    steps: list[tuple[int | None, str, float]],
) -> None:
    """Between restarts, events and gaps together are consecutive numbers."""
    ordering = Ordering()
    out: list[Ordered] = []
    for event, now in arrivals(steps):
        out += ordering.receive(event, now)
    expected: int | None = None
    seen: set[int] = set()
    for one in out + ordering.close():
        match one:
            case Event() if one.seq is not None:
                assert expected in (None, one.seq)
                expected = one.seq + 1
                seen.add(one.seq)
            case Gap(first, last):
                assert expected == first <= last
                expected = last + 1
            case Late(event):
                assert expected is not None
                assert event.seq is not None
                assert event.seq < expected
                assert event.seq not in seen or event.seq < expected - FAR_BELOW
                seen.add(event.seq)
            case Duplicate(event, _):
                assert event.seq in seen
            case Restarted(was, start):
                assert was == expected
                expected = start
                seen.clear()


@many
@given(_STEPS)
def test_a_tick_when_it_is_due_moves_something(steps: list[tuple[int | None, str, float]]) -> None:
    ordering = Ordering()
    for event, now in arrivals(steps):
        while (due := ordering.wake_at()) is not None and due <= now:
            assert ordering.tick(due)
        ordering.receive(event, now)
        due = ordering.wake_at()
        assert (due is None) == (ordering.held == 0)
        if due is not None:
            assert now < due <= now + HOLD_SECONDS
            assert ordering.tick((now + due) / 2) == []
    for _ in range(2 * len(steps)):
        due = ordering.wake_at()
        if due is None:
            break
        assert ordering.tick(due) or (ordering.wake_at() or due) > due
    assert ordering.held == 0


@many
@given(st.data(), st.integers(0, 10**6), st.integers(1, 60))
def test_any_order_within_the_hold_comes_out_sorted(data: st.DataObject, first: int, length: int) -> None:
    rest = data.draw(st.permutations(range(first + 1, first + length)))
    pauses = data.draw(st.lists(st.floats(0, HOLD_SECONDS / 70), min_size=length, max_size=length))
    ordering = started(first)
    out: list[str] = []
    now = 1_790_000_000.0
    for seq, pause in zip([first, *rest], pauses, strict=True):
        now += pause
        out += told(ordering.receive(numbered(seq), now))
    assert out == [str(seq) for seq in range(first, first + length)]
    assert ordering.held == 0


@some
@given(st.data(), st.sets(st.integers(0, 400), min_size=1, max_size=80))
def test_in_a_file_any_order_comes_out_sorted_with_gaps_reported(data: st.DataObject, seqs: set[int]) -> None:
    ordering = Ordering(by_count=True)
    out: list[Ordered] = []
    for seq in data.draw(st.permutations(sorted(seqs))):
        out += ordering.receive(numbered(seq), 0.0)
    out += ordering.close()
    assert [one.seq for one in out if isinstance(one, Event)] == sorted(seqs)
    missing = {seq for one in out if isinstance(one, Gap) for seq in range(one.first, one.last + 1)}
    assert missing == set(range(min(seqs), max(seqs))) - seqs


@few
@given(st.integers(0, 2**32))
def test_a_long_file_shuffled_within_the_hold(seed: int) -> None:
    length = 3 * HOLD_MESSAGES
    random = Random(seed)
    order = sorted(range(length), key=lambda seq: seq + random.uniform(0, HOLD_MESSAGES / 2 - 1))
    ordering = Ordering(by_count=True)
    out = [one for seq in order for one in ordering.receive(numbered(seq), 0.0)] + ordering.close()
    assert [one.seq for one in out if isinstance(one, Event)] == list(range(length))
    assert len(out) == length
