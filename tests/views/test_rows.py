"""One row for one thing: speaking folds into the words, a barge-in is a row, gaps of one burst are one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.language.selection import Selection, selection
from tavus_cli.protocol.conversation import Conversation
from tavus_cli.protocol.entries import Entry
from tavus_cli.protocol.interactions import respond
from tavus_cli.views.line import LineView
from tavus_cli.views.rows import HELD_SECONDS, Rows
from tests.kits.conversations import START, conversations, message, some, strange_messages, utc
from tests.kits.talks import Talk, talks

STARTED, STOPPED = "conversation.started_speaking", "conversation.stopped_speaking"
UTTERANCE, STREAMING = "conversation.utterance", "conversation.utterance.streaming"


class Played:
    """A conversation and its rows, without their times."""

    def __init__(self, chosen: Selection | None = None) -> None:
        self.selection = chosen or Selection()
        self.conversation = Conversation()
        self.rows = Rows(self.selection)
        self.view = LineView(utc, width=150, times="auto")
        self.shown: list[str] = []
        self._seq = 0
        self.conversation.receive(message("system.heartbeat", seq=0), START - 1)  # the first is held
        self.conversation.tick(START - 0.5)

    def comes(self, name: str, at: float, /, **fields: Any) -> list[str]:
        self._seq = fields.pop("seq", self._seq + 1)
        one = message(name, seq=self._seq, **{"turn": 1, "inference": "p", "role": "pal", **fields})
        return self.take(self.conversation.receive(one, START + at))

    def take(self, entries: list[Entry]) -> list[str]:
        return self._lines(self.rows.take(entries, self.selection.among(entries)))

    def passes(self, at: float) -> list[str]:
        return self._lines(
            [*self.rows.tick(START + at), *self.rows.take(*[self.conversation.tick(START + at)] * 2)]
        )

    def _lines(self, rows: Iterable[Any]) -> list[str]:
        lines = [line[24:] for line in self.view.lines(rows) if not line.startswith("──")]
        self.shown += lines
        return lines

    def due(self) -> float | None:
        at = self.rows.wake_at()
        return None if at is None else round(at - START, 3)


def test_a_start_is_shown_with_its_words() -> None:
    talk = Played()
    assert talk.comes(STOPPED, 0, role="user", inference="u") == []
    assert talk.comes(UTTERANCE, 0.1, role="user", inference="u", speech="Hi") == ["user     Hi"]
    assert talk.comes(STARTED, 0.72) == []
    assert talk.due() == 1.72
    assert talk.comes(UTTERANCE, 0.8, speech="Hello") == ["pal      Hello   reply 0.72 s"]
    assert talk.due() is None
    assert talk.comes(STOPPED, 3.44, duration=2.72) == []
    assert talk.passes(10) == []


def test_how_long_ago_it_began_is_reported_from_a_tenth_of_a_second_on() -> None:
    talk = Played()
    talk.comes(STARTED, 0)
    assert talk.comes(UTTERANCE, 0.44, speech="Hello") == ["pal      Hello   0.4 s ago"]


def test_a_start_without_words_is_shown_after_a_second() -> None:
    talk = Played()
    assert talk.comes(STARTED, 0) == []
    assert talk.passes(0.999) == []
    assert talk.passes(HELD_SECONDS) == ["pal      ▶ speaking   1.0 s ago"]
    assert talk.due() is None
    assert talk.comes(UTTERANCE, 2, speech="Hello") == ["pal      Hello"]


def test_other_events_are_not_held() -> None:
    talk = Played()
    talk.comes(STARTED, 0)
    new = 'event    new {"role":"pal"}'
    assert talk.comes("conversation.new", 0.5) == [new]
    assert talk.comes("conversation.new", 1.5) == ["pal      ▶ speaking   1.0 s ago", new]


def test_a_stop_without_words_is_shown() -> None:
    talk = Played()
    assert talk.comes(STOPPED, 0, duration=2.5) == []
    assert talk.passes(1) == ["pal      ■ 2.50 s   1.0 s ago"]
    talk.comes(STARTED, 3)
    talk.comes(STOPPED, 3.5, duration=0.5)
    assert talk.passes(4.5) == ["pal      ▶ speaking   1.5 s ago", "pal      ■ 0.50 s   1.0 s ago"]


def test_how_long_the_user_spoke_stands_behind_the_words() -> None:
    talk = Played()
    user = {"role": "user", "inference": "u"}
    talk.comes(STARTED, 0, **user)
    assert talk.comes(STREAMING, 0.3, speech="Where", final=False, **user) == []
    assert talk.passes(2) == []  # the words grow in the live line
    talk.comes(STOPPED, 2.6, duration=2.6, **user)
    assert talk.comes(UTTERANCE, 2.9, speech="Where is it?", **user) == [
        "user     Where is it?   spoke 2.6 s"
    ]


def test_partials_without_an_utterance_end_with_a_stop() -> None:
    talk = Played()
    talk.comes(STARTED, 0)
    talk.comes(STREAMING, 0.3, speech="Where", final=False)
    talk.comes(STOPPED, 2.6, duration=2.6)
    assert talk.passes(3.6) == ["pal      ■ 2.60 s   1.0 s ago"]


def barge_in(talk: Played, said: str, *, stop_first: bool = False) -> list[str]:
    talk.comes(STARTED, 0)
    talk.comes(UTTERANCE, 0, speech="Long ago there was a lantern, and it was lit every day.")
    talk.comes(STARTED, 2, role="user", inference="u", turn=2)
    before = len(talk.shown)
    cut = {"speech": said, "final": True, "is_interrupted": True}
    if stop_first:
        talk.comes(STOPPED, 2, duration=2, interrupted=True)
        talk.comes(STREAMING, 2, **cut)
    else:
        talk.comes(STREAMING, 2, **cut)
        talk.comes(STOPPED, 2, duration=2, interrupted=True)
    talk.comes(UTTERANCE, 2.5, role="user", inference="u", turn=2, speech="Stop")
    talk.passes(9)
    return talk.shown[before:]


@pytest.mark.parametrize("stop_first", [False, True])
@pytest.mark.parametrize(
    ("said", "row"),
    [
        ("Long ago there was", 'after "Long ago there was"'),
        ("Long ago there was a lantern, and it was lit", 'after "…there was a lantern, and it was lit"'),
        ("", "before the first word"),
    ],
)
def test_a_barge_in_adds_one_row(said: str, row: str, stop_first: bool) -> None:
    shown = barge_in(Played(), said, stop_first=stop_first)
    assert shown[0].endswith(f"✂ {row}")
    assert shown[1:] == ["user     Stop   0.5 s ago"]


def test_a_barge_in_without_a_snapshot_is_shown_by_its_stop() -> None:
    talk = Played()
    talk.comes(UTTERANCE, 0, speech="Hello")
    talk.comes(STOPPED, 2, duration=2, interrupted=True)
    assert talk.passes(3) == ["pal      ■ 2.00 s ✂ interrupted   1.0 s ago"]


def test_words_that_nobody_saw_are_shown_in_full_when_they_were_cut() -> None:
    talk = Played()
    talk.comes(STARTED, 0)
    cut = talk.comes(STREAMING, 0.5, speech="Long ago", final=True, is_interrupted=True)
    assert cut == ["pal      Long ago ✂ interrupted   0.5 s ago"]


def test_words_before_their_start() -> None:
    talk = Played()
    assert talk.comes(UTTERANCE, 0, speech="Hello") == ["pal      Hello"]
    assert talk.comes(STARTED, 0.2) == []
    assert talk.comes(STOPPED, 1, duration=0.8) == []
    assert talk.passes(9) == []


def test_what_came_back_late_is_an_echo() -> None:
    talk = Played()
    talk.take(talk.conversation.sent(respond("Where is it?").encode("c"), START))
    assert talk.passes(1) == ["you      respond Where is it?"]
    late = talk.comes(UTTERANCE, 60, role="user", inference="u", speech="Where is it?")
    assert late == ["user     ↩ late echo  Where is it?"]
    again = talk.comes(UTTERANCE, 61, role="user", inference="v", speech="Where is it?")
    assert again == ["user     Where is it?"]


def test_the_gaps_of_one_burst_are_one_row() -> None:
    talk = Played()
    talk.comes("conversation.new", 0, seq=1)
    for seq in (4, 6, 7, 10):
        talk.comes("conversation.new", 0.1, seq=seq)
    talk.passes(0.36)
    assert [row for row in talk.shown if row.startswith("gap")] == ["gap      seq 2–3, 5, 8–9"]
    talk.comes("conversation.new", 5, seq=12)
    assert talk.passes(5.3)[0] == "gap      seq 11"


@pytest.mark.parametrize(
    ("chosen", "rows"),
    [
        ({"only": ["started_speaking"]}, ["pal      ▶ speaking", "pal      ▶ speaking   reply 0.50 s"]),
        ({"only": ["utterance"]}, ["pal      Hello", "user     Hi", "pal      Yes   reply 0.50 s"]),
        (
            {"ignore": ["utterance"]},
            ["pal      ▶ speaking", "pal      ■ 0.90 s", "user     ■", "pal      ▶ speaking   reply 0.50 s"],
        ),
        ({"role": "user"}, ["user     Hi"]),
    ],
)
def test_filters(chosen: dict[str, Any], rows: list[str]) -> None:
    talk = Played(selection(**chosen))
    talk.comes(STARTED, 0, turn=0, inference="a")
    talk.comes(UTTERANCE, 0, turn=0, inference="a", speech="Hello")
    talk.comes(STOPPED, 0.9, turn=0, inference="a", duration=0.9)
    talk.comes(STOPPED, 1, role="user", inference="u")
    talk.comes(UTTERANCE, 1, role="user", inference="u", speech="Hi")
    talk.comes(STARTED, 1.5)
    talk.comes(UTTERANCE, 1.5, speech="Yes")
    talk.passes(9)
    assert talk.shown == rows


# -- properties ----------------------------------------------------------------------------------------


def everything_said(entries: list[Entry]) -> list[str]:
    texts = (entry.event.text for entry in Selection().among(entries) if hasattr(entry, "event"))
    return [text for text in texts if text]


@some
@given(talks())
def test_no_words_are_lost(talk: Talk) -> None:
    check(talk)


def check(talk: Talk) -> None:
    conversation, rows, chosen = Conversation(), Rows(Selection()), Selection()
    view = LineView(utc)
    lines: list[str] = []
    entries: list[Entry] = []

    def taken(some: list[Entry]) -> None:
        entries.extend(some)
        lines.extend(view.lines(rows.take(some, chosen.among(some))))

    for at, way, one in talk.records:
        if (due := rows.wake_at()) is not None and due <= at:
            lines += view.lines(rows.tick(due))
        taken(conversation.sent(one, at) if way == "out" else conversation.receive(one, at))
    taken(conversation.close())
    lines += view.lines(rows.close())
    assert rows.wake_at() is None
    shown = "\n".join(lines)
    for entry in Selection().among(entries):
        if getattr(entry, "intended", None) is None and hasattr(entry, "event"):
            assert entry.event.text in shown
    times = [line[:12] for line in lines if line[:1].isdigit()]
    assert times == sorted(times)


@some
@given(conversations(), st.booleans())
def test_with_all_every_entry_is_a_row(messages: list[Any], at_once: bool) -> None:
    conversation, rows = Conversation(by_count=True), Rows(Selection(all=True))
    entries = [entry for one in messages for entry in conversation.receive(one, None)] + conversation.close()
    batches = [entries] if at_once else [[entry] for entry in entries]
    assert [row for some in batches for row in rows.take(some, some)] == entries
    assert rows.close() == []


@some
@given(st.lists(strange_messages(), max_size=20), st.floats(0, 2))
def test_whatever_comes_every_event_has_a_row_or_is_folded_into_one(
    messages: list[Any], apart: float
) -> None:
    conversation, rows, chosen = Conversation(), Rows(Selection()), Selection()
    out: list[Any] = []
    for number, one in enumerate(messages):
        entries = conversation.receive(one, START + number * apart)
        out += rows.take(entries, chosen.among(entries))
    entries = conversation.close()
    out += [*rows.take(entries, chosen.among(entries)), *rows.close()]
    LineView(utc).lines(out)
    assert rows.wake_at() is None
