"""A conversation as one object: samples and generated ones replayed, and a live one in which we send."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.language.selection import Selection
from tavus_cli.protocol.conversation import ECHO_SECONDS, Conversation
from tavus_cli.protocol.entries import Entry, EventEntry, GapEntry, NoteEntry, SentEntry
from tavus_cli.protocol.interactions import append_context, echo, respond, tool_result
from tavus_cli.protocol.snapshot import Snapshot
from tests.kits.conversations import (
    SAMPLE_LINES,
    SAMPLES,
    START,
    Message,
    conversations,
    events_of,
    few,
    message,
    pretty,
    replayed,
    shuffled,
    some,
    strange_messages,
)

STARTED, STOPPED = "conversation.started_speaking", "conversation.stopped_speaking"
UTTERANCE, STREAMING = "conversation.utterance", "conversation.utterance.streaming"
_FOLDED = {2, 3, 4, 6, 7, 9, 11, 12, 15, 16, 17, 18, 19, 20} | {
    25,
    26,
    28,
    29,
    30,
    31,
    32,
    34,
    35,
    42,
    46,
    47,
    57,
}


def line_of(entry: EventEntry) -> int:
    return SAMPLES.index(entry.event.message) + 1


def rows(lines: Iterable[str]) -> list[str]:
    """The lines without the rules between turns."""
    return [line for line in lines if not line.startswith("──")]


# -- the samples ---------------------------------------------------------------------------------------


def test_all_shows_every_message() -> None:
    lines = rows(pretty(SAMPLES, all=True))
    assert len(lines) == len(SAMPLES) == 66


def test_without_all_twins_heartbeats_and_partials_fold() -> None:
    shown = [entry for entry in events_of(replayed(SAMPLES)) if Selection()(entry)]
    assert [line_of(entry) for entry in shown] == [n for n in range(1, 67) if n not in _FOLDED]
    assert len(rows(pretty(SAMPLES))) == len(shown)


def test_with_partials() -> None:
    shown = [entry for entry in events_of(replayed(SAMPLES)) if Selection(partials=True)(entry)]
    partials = {16, 17, 18, 19, 29, 31, 32, 42, 57}
    assert {line_of(entry) for entry in shown} == set(range(1, 67)) - _FOLDED | partials


def test_the_swapped_pair_comes_out_in_order_and_the_rest_as_it_was() -> None:
    lines = [line_of(entry) for entry in events_of(replayed(SAMPLES))]
    assert lines == [*range(1, 17), 18, 17, *range(19, 67)]


def test_nothing_about_the_samples_is_late_missing_or_doubled() -> None:
    entries = replayed(SAMPLES)
    assert all(type(entry) is EventEntry and not entry.late and not entry.differs for entry in entries)


def test_the_first_of_each_turn_opens_it() -> None:
    entries = events_of(replayed(SAMPLES))
    assert [line_of(entry) for entry in entries if entry.opens] == [5, 14, 38, 48, 65]
    assert not any(entry.back for entry in entries)


def test_the_unknown_type_is_shown_in_full() -> None:
    (line,) = [line for line in pretty(SAMPLES) if "some_future_event" in line]
    for part in ('"alpha":1', '"nested":{"beta":["x",null,true]}'):
        assert part in line


def test_a_rule_opens_each_turn_and_shows_the_last_latency() -> None:
    rules = [line for line in pretty(SAMPLES) if line.startswith("──")]
    assert [rule.split("─ ")[1].split(" ─")[0] for rule in rules] == [f"turn {n}" for n in range(5)]
    told = [rule.partition(": reply ")[2].partition(" s")[0] for rule in rules]
    assert told == ["", "", "1.35", "0.97", "16.20"]


def test_speech_that_was_cut_shows_what_was_said_and_what_was_not() -> None:
    (line,) = [line for line in pretty(SAMPLES) if "(cut:" in line]
    assert "within thirty days ✂ interrupted  (cut: , as long as it is unused" in line


def test_json_text_and_json_strings_replay_the_same() -> None:
    assert pretty(SAMPLE_LINES) == pretty(SAMPLES)
    assert pretty(SAMPLE_LINES, all=True) == pretty(SAMPLES, all=True)


@some
@given(shuffled(SAMPLES))
def test_shuffled_samples_give_the_same_output(messages: list[Message]) -> None:
    assert pretty(messages) == pretty(SAMPLES)
    assert pretty(messages, all=True) == pretty(SAMPLES, all=True)


@some
@given(st.data())
def test_shuffled_conversations_give_the_same_output(data: st.DataObject) -> None:
    """Events without a number keep their place; gaps are reported alike."""
    messages = data.draw(conversations())
    again = data.draw(shuffled(messages))
    assert pretty(again) == pretty(messages)
    assert pretty(again, all=True) == pretty(messages, all=True)


@few
@given(st.data())
def test_a_live_room_shows_numbered_events_as_a_file_does(data: st.DataObject) -> None:
    numbered = [message("first", seq=0)] + [one for one in data.draw(conversations()) if "seq" in one]
    first, *rest = numbered
    conversation = Conversation(hold=1.0)
    now = START
    entries: list[Entry] = []
    for one in [first, *data.draw(shuffled(rest))]:
        now += 1 / 45
        entries += conversation.receive(one, now)
    entries += conversation.tick(now + 2)
    assert conversation.wake_at() is None
    assert [entry.event.message for entry in events_of(entries)] == numbered


# -- live ----------------------------------------------------------------------------------------------


class Live:
    """A live conversation as a script: ``say`` receives, ``send`` sends; both return the entries."""

    def __init__(self) -> None:
        self.core = Conversation()
        self.seq = 0

    def say(
        self, at: float, name: str, turn: int | None = None, /, seq: int | None = None, **more: Any
    ) -> list[Entry]:
        first = self.seq == 0
        self.seq = self.seq + 1 if seq is None else seq
        if first:  # test_ordering tests the wait at the start
            self.core.resume(Snapshot(seq=self.seq - 1))
        sent = message(name, seq=self.seq, turn=turn, **more)
        return self.core.receive(sent, START + at)

    def say_one(self, at: float, name: str, turn: int | None = None, /, **more: Any) -> EventEntry:
        (entry,) = self.say(at, name, turn, **more)
        assert isinstance(entry, EventEntry)
        return entry

    def respond(self, at: float, text: str) -> list[Entry]:
        return self.core.sent(respond(text).encode("c"), START + at)


def test_a_sent_respond_is_merged_with_its_echo() -> None:
    live = Live()
    live.say(0, STARTED, 0, role="pal")
    assert live.respond(1, "What are your  hours?") == []
    assert live.core.pending_text == "What are your  hours?"
    sent, came = live.say(1.2, UTTERANCE, 1, role="user", speech=" What are your hours? ")
    assert isinstance(sent, SentEntry)
    assert isinstance(came, EventEntry)
    assert sent.event.direction == "out"
    assert sent.event.type == "conversation.respond"
    assert (sent.at, sent.opens) == (START + 1, True)
    assert sent.echo == pytest.approx(0.2)
    assert sent.turn is came.turn is live.core.turns.current
    assert (came.fold, came.opens) == ("echo", False)
    assert [Selection()(entry) for entry in (sent, came)] == [True, False]
    assert live.core.pending_text == ""
    assert live.core.wake_at() is None
    assert live.core.tick(START + 9) == []


def test_the_latency_counts_from_the_sending() -> None:
    live = Live()
    live.respond(1, "Hi")
    live.say(1.2, UTTERANCE, 1, role="user", speech="Hi")
    assert live.say_one(2.5, STARTED, 1, role="pal").reply == pytest.approx(1.5)
    assert live.core.status.reply == pytest.approx(1.5)


def test_a_respond_without_an_echo_goes_out_after_a_second() -> None:
    live = Live()
    live.say(0, STARTED, 0, role="pal")
    live.respond(1, "Hi")
    assert live.core.wake_at() == START + 1 + ECHO_SECONDS
    assert live.core.tick(START + 1.9) == []
    (sent,) = live.core.tick(START + 2)
    assert isinstance(sent, SentEntry)
    assert (sent.at, sent.echo, sent.turn) == (START + 1, None, live.core.turns.current)
    assert live.core.wake_at() is None
    (came,) = live.say(2.1, UTTERANCE, 1, role="user", speech="Hi")
    assert isinstance(came, EventEntry)
    assert came.fold is None


def test_a_respond_without_an_echo_goes_out_before_what_comes_later() -> None:
    live = Live()
    live.respond(1, "Hi")
    sent, came = live.say(5, STARTED, 0, role="pal")
    assert isinstance(sent, SentEntry)
    assert isinstance(came, EventEntry)


def test_a_respond_without_an_echo_stands_in_the_turn_that_has_begun_meanwhile() -> None:
    live = Live()
    live.say(0, STARTED, 0, role="pal")
    live.respond(1, "Hi")
    live.say(1.5, STARTED, 1, role="user")
    (sent,) = live.core.tick(START + 2)
    assert isinstance(sent, SentEntry)
    assert sent.turn is live.core.turns.current
    assert sent.turn is not None
    assert sent.turn.idx == 1


def test_responds_are_merged_each_with_its_own_echo() -> None:
    live = Live()
    for at, text in ((1.0, "one"), (1.1, "two"), (1.2, "one")):
        live.respond(at, text)
    assert live.core.pending_text == "one"
    found = []
    for text in ("two", "one", "one"):
        sent, _ = live.say(1.5, UTTERANCE, 1, role="user", speech=text)
        assert isinstance(sent, SentEntry)
        found.append((sent.event.text, round(sent.at - START, 1)))
    assert found == [("two", 1.1), ("one", 1.0), ("one", 1.2)]


@pytest.mark.parametrize(
    ("name", "role", "text"),
    [
        (UTTERANCE, "pal", "Hi"),
        (UTTERANCE, "user", "Hi there"),
        (STREAMING, "user", "Hi"),
        (UTTERANCE, "user", ""),
    ],
)
def test_what_is_not_an_echo(name: str, role: str, text: str) -> None:
    live = Live()
    live.respond(1, "Hi")
    assert not any(isinstance(one, SentEntry) for one in live.say(1.1, name, 1, role=role, speech=text))
    assert live.core.pending_text == "Hi"


def test_the_latency_counts_from_the_sending_also_where_the_echo_is_late() -> None:
    live = Live()
    live.say(0, STARTED, 0, role="pal")
    live.respond(1, "Hi")
    (sent,) = live.core.tick(START + 2)
    came = live.say_one(4, UTTERANCE, 1, role="user", speech=" Hi")
    assert isinstance(sent, SentEntry)
    assert (sent.echo, came.fold, came.asked) == (None, None, START + 1)
    assert live.say_one(5, STARTED, 1, role="pal").reply == 4.0
    assert live.say_one(6, UTTERANCE, 2, role="user", speech="Hi").asked is None  # once


def test_without_an_echo_it_counts_from_the_sending_to_the_next_turn_that_nobody_else_asked_for() -> None:
    live = Live()
    live.say(0, STARTED, 3, role="pal")
    live.respond(1, "Hi")
    live.core.tick(START + 2)
    assert live.say_one(2.5, UTTERANCE, 3, role="pal", speech="an older turn").asked is None
    live.say(3, UTTERANCE, 4, role="user", speech="Somebody else")
    assert live.say_one(3.5, STARTED, 4, role="pal").reply == 0.5
    assert live.say_one(4, "conversation.tool_call", 5, name="f").asked is None
    assert live.say_one(4.5, UTTERANCE, 5, role="pal", speech="Hello").reply == 3.5
    assert live.say_one(6, STARTED, 6, role="pal").reply is None


def test_a_greeting_that_comes_after_the_sending_is_not_an_answer_to_it() -> None:
    live = Live()
    live.respond(1, "Hi")
    live.core.tick(START + 2)
    assert live.say_one(2.5, STARTED, 0, role="pal").reply is None
    live.say(3, UTTERANCE, 1, role="user", speech="Hi")
    assert live.say_one(3.5, STARTED, 1, role="pal").reply == 2.5


def test_the_same_words_long_after_belong_to_others() -> None:
    live = Live()
    live.respond(1, "Hi")
    assert len(live.core.tick(START + 2)) == 1
    assert live.say_one(150, UTTERANCE, 1, role="user", speech="Hi").asked is None
    assert live.say_one(151, STARTED, 1, role="pal").reply == 1.0


def test_an_echo_goes_to_the_oldest_of_the_same_words_but_not_to_one_that_was_answered_without() -> None:
    live = Live()
    live.say(0, STARTED, 0, role="pal")
    live.respond(1, "Hi")
    live.core.tick(START + 2)
    live.respond(3, "Hi")
    assert live.say_one(3.1, UTTERANCE, 1, role="user", speech="Hi").asked == START + 1
    live.core.tick(START + 4)
    assert live.say_one(4.1, STARTED, 2, role="pal").reply == pytest.approx(1.1)
    live.respond(5, "Hi")
    sent, came = live.say(5.1, UTTERANCE, 3, role="user", speech="Hi")
    assert isinstance(sent, SentEntry)
    assert isinstance(came, EventEntry)
    assert (sent.at, came.asked) == (START + 5, START + 5)


def test_what_else_is_sent_goes_out_at_once() -> None:
    live = Live()
    live.say(0, STARTED, 0, role="pal")
    for interaction in (echo("a"), append_context("b")):
        (entry,) = live.core.sent(interaction.encode("c"), START + 1)
        assert isinstance(entry, SentEntry)
        assert (entry.at, entry.turn, entry.echo, entry.call) == (
            START + 1,
            live.core.turns.current,
            None,
            None,
        )


def test_a_tool_result_names_the_call_it_answers() -> None:
    live = Live()
    live.say(0, "conversation.tool_call", 0, name="look", tool_call_id="c1")
    (entry,) = live.core.sent(tool_result("c1", "x").encode("c"), START + 0.5)
    assert isinstance(entry, SentEntry)
    assert entry.call is not None
    assert (entry.call.name, entry.call.answered) == ("look", START + 0.5)
    assert live.core.turns.open_calls == {}
    (entry,) = live.core.sent(tool_result("c1", "x").encode("c"), START + 0.6)
    assert isinstance(entry, SentEntry)
    assert entry.call is None


@pytest.mark.parametrize("raw", [{}, {"a": 1}, {"event_type": 5}, {"event_type": "conversation.respond"}])
def test_anything_can_be_sent(raw: Message) -> None:
    core = Conversation()
    assert len(core.sent(raw, START) + core.close()) == 1


def test_the_reply_is_reported_once_however_close_the_events_are() -> None:
    live = Live()
    live.say(0, STOPPED, 1, role="user")
    entries = [
        live.say_one(1.5, STARTED, 1, role="pal"),
        live.say_one(1.5, UTTERANCE, 1, role="pal", speech="a"),
        live.say_one(1.5, STOPPED, 1, role="pal"),
    ]
    assert [entry.reply for entry in entries] == [1.5, None, None]


def test_the_reply_is_reported_by_words_or_a_start_that_are_shown() -> None:
    live = Live()
    live.say(0, STARTED, 1, role="pal", inference_id="i")
    live.say(1, STOPPED, 2, role="user")
    twin = live.say_one(2, STARTED, 2, role="pal", inference_id="i")
    partial = live.say_one(3, STREAMING, 2, role="pal", speech="a", final=False)
    words = live.say_one(4, UTTERANCE, 2, role="pal", speech="a")
    assert (twin.fold, twin.reply, partial.reply, words.reply) == ("twin", None, None, 1.0)


def test_a_gap_a_late_one_and_duplicates() -> None:
    live = Live()
    first = live.say_one(0, STARTED, 1, seq=10, role="pal")
    assert live.say(0.1, UTTERANCE, 2, seq=12, role="user", speech="a") == []
    assert live.core.wake_at() == pytest.approx(START + 0.35)
    gap, held = live.core.tick(START + 0.35)
    assert isinstance(gap, GapEntry)
    assert isinstance(held, EventEntry)
    assert (gap.first, gap.last, gap.at) == (11, 11, first.at)
    assert (held.at, held.opens, held.late) == (START + 0.1, True, False)
    late = live.say_one(0.5, STOPPED, 1, seq=11, role="pal")
    assert (late.late, late.back, late.opens) == (True, True, False)
    assert late.turn is first.turn
    assert live.say(0.6, STOPPED, 1, seq=11, role="pal") == []
    again = live.say_one(0.7, UTTERANCE, 2, seq=12, role="user", speech="b")
    assert (again.differs, again.late) == (True, False)
    status = live.core.status
    assert (status.events, status.gaps, status.late, status.duplicates) == (5, 1, 1, 2)


def test_twins_that_share_a_number_are_still_twins() -> None:
    live = Live()
    live.say(0, UTTERANCE, 1, seq=1, role="pal", speech="a", inference="i")
    twin = live.say_one(0, UTTERANCE, 1, seq=1, role="replica", speech="a", inference="i")
    assert (twin.fold, twin.differs) == ("twin", False)
    assert live.core.status.duplicates == 0


def test_what_is_overdue_goes_out_before_what_comes() -> None:
    live = Live()
    live.say(0, "a", seq=1)
    live.say(0, "c", seq=3)
    entries = live.core.receive(message("b"), START + 1)
    assert [type(entry) for entry in entries] == [GapEntry, EventEntry, EventEntry]
    assert [entry.event.type for entry in events_of(entries)] == ["c", "b"]


def test_a_restart_is_a_note_and_turns_begin_anew() -> None:
    live = Live()
    before = live.say_one(0, STARTED, 3, seq=5_000, role="pal")
    assert live.say(1, STARTED, 0, seq=1, role="pal") == []
    note, *events = live.say(1, STARTED, 3, seq=2, role="user")
    assert isinstance(note, NoteEntry)
    assert (note.text, note.at) == ("the counter restarted: seq 5001 was next, 1 came", START)
    first, second = events_of(events)
    assert (first.opens, second.opens, second.back) == (True, True, False)
    assert second.turn is not before.turn


def test_an_older_turn_does_not_become_the_current_one() -> None:
    live = Live()
    live.say(0, STARTED, 2, role="user")
    back = live.say_one(1, STOPPED, 1, role="pal")
    assert (back.opens, back.back, back.late) == (False, True, False)
    assert live.core.turns.current is not None
    assert live.core.turns.current.idx == 2
    assert live.say_one(2, STOPPED, 2, role="user").back is False
    nowhere = live.say_one(3, "conversation.new")
    assert (nowhere.turn, nowhere.opens, nowhere.back) == (None, False, False)


@pytest.mark.parametrize(
    ("arrived", "created", "at"),
    [
        (START + 5, START, START + 5),
        (None, START + 7, START + 7),
        (None, None, START + 1),
        (None, "no", START + 1),
    ],
    ids=["arrival", "creation", "the one before", "creation is nonsense"],
)
def test_when_it_was(arrived: float | None, created: Any, at: float) -> None:
    core = Conversation()
    core.receive(message("first", at=START + 1), None)
    (entry,) = core.receive(message("second", at=created), arrived)
    assert isinstance(entry, EventEntry)
    assert entry.at == at


def test_a_note_comes_after_what_was_held_until_then() -> None:
    """In a recording nothing but the next record says that time has passed."""
    live = Live()
    live.say(0, UTTERANCE, 1, role="user", speech="one")
    assert live.say(1, UTTERANCE, 1, seq=4, role="pal", speech="two") == []
    (note,) = live.core.note("still held", START + 1.1)
    gap, event, later = live.core.note("cut off", START + 9)
    assert isinstance(note, NoteEntry)
    assert isinstance(gap, GapEntry)
    assert isinstance(event, EventEntry)
    assert isinstance(later, NoteEntry)
    assert (event.event.seq, later.text) == (4, "cut off")


def test_notes() -> None:
    core = Conversation()
    core.receive(message("x"), START)
    assert [vars_of(entry) for entry in core.note("here", None)] == [("here", START, False)]
    assert [vars_of(entry) for entry in core.note("now", START + 2, warning=True)] == [
        ("now", START + 2, True)
    ]


def vars_of(entry: Entry) -> tuple[str, float, bool]:
    assert isinstance(entry, NoteEntry)
    return entry.text, entry.at, entry.warning


def test_closing_lets_everything_go() -> None:
    live = Live()
    live.say(0, "a", seq=1)
    live.say(0, "c", seq=3)
    live.respond(0, "Hi")
    assert [type(entry) for entry in live.core.close()] == [GapEntry, EventEntry, SentEntry]
    assert live.core.wake_at() is None
    assert live.core.close() == []


def test_the_status() -> None:
    live = Live()
    status = live.core.status

    def seen() -> tuple[list[str], str | None]:
        return sorted(status.speaking), status.partial.text if status.partial else None

    def heard() -> tuple[bool, str | None]:
        return status.pal_present, status.shutdown

    assert heard() == (False, None)
    live.say(0, "system.replica_present")
    assert heard() == (True, None)
    live.say(1, STARTED, 1, role="user", inference="u")
    live.say(1.1, STREAMING, 1, role="user", speech="What", final=False, inference="u")
    assert seen() == (["user"], "What")
    live.say(2, STOPPED, 1, role="user", inference="u")
    assert seen() == ([], None)
    live.say(2.1, UTTERANCE, 1, role="user", speech="What now")
    live.say(3, STARTED, 1, role="replica", inference="p")
    live.say(3, STARTED, 1, role="pal", inference="p")
    assert status.reply == 1.0
    live.say(3.1, STREAMING, 1, role="pal", speech="Then", final=False, inference="p")
    assert seen() == (["pal"], "Then")
    live.say(3.2, STREAMING, 1, role="pal", speech="Then", final=True, inference="p")
    live.say(4, STARTED, 1, role="somebody")
    assert seen() == (["pal"], None)
    assert live.core.pal_inference_id == "p"
    live.say(5, "system.shutdown", reason="the end")
    assert heard() == (False, "shutdown: the end")
    assert status.events == 11


def test_who_is_there_and_what_is_not_over() -> None:
    live = Live()
    status = live.core.status
    live.say(0, "conversation.new")
    assert (status.pal_present, status.shutdown) == (False, None)
    live.say(1, "system.pal_joined", face_id="r")
    assert status.pal_present


def test_the_words_of_the_pal_do_not_end_its_growing_line() -> None:
    live = Live()
    live.say(0, STREAMING, 1, role="pal", speech="a", final=False)
    live.say(1, UTTERANCE, 1, role="pal", speech="a b")
    assert live.core.status.partial is not None


def test_a_user_utterance_ends_the_growing_line() -> None:
    live = Live()
    live.say(0, STREAMING, 1, role="user", speech="a", final=False)
    live.say(1, UTTERANCE, 1, role="user", speech="a b")
    assert live.core.status.partial is None


@some
@given(st.lists(strange_messages(), max_size=10), st.sampled_from(("file", "live", "close together")))
def test_any_messages(messages: list[Any], how: str) -> None:
    """There is no exception, and every message becomes an entry or is an exact duplicate."""
    core = Conversation(by_count=how == "file")
    entries: list[Entry] = []
    for number, one in enumerate(messages):
        now = START + number * (0.01 if how == "close together" else 1)
        entries += core.receive(one, None if how == "file" else now)
        if isinstance(one, dict):
            core.sent(one, now)
    entries += core.close()
    shown = events_of(entries)
    assert core.status.events == len(messages)
    hidden = len(messages) - len(shown)
    assert 0 <= hidden <= core.status.duplicates


def test_a_long_conversation_is_bounded() -> None:
    live = Live()
    for number in range(4_000):
        live.say(number, UTTERANCE, number, role="pal", speech="a", inference=f"i{number}")
        live.say(number, "conversation.tool_call", number, name="f", tool_call_id=f"c{number}")
    assert len(live.core.turns.open_calls) == 1_000
    assert live.core._ordering.held == 0
