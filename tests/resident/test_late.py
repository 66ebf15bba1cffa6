"""Joining a resident session late: open calls, the current turn, and old events."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tavus_cli.protocol.conversation import Conversation
from tavus_cli.protocol.entries import EventEntry, GapEntry, SentEntry
from tavus_cli.protocol.interactions import respond, tool_result
from tavus_cli.resident import sockets as runtime
from tavus_cli.resident.wire import CALLS_BYTES, snapshot_json, snapshot_of
from tests.kits.conversations import START, message
from tests.kits.program import CONSOLE, SECONDS, console, process
from tests.kits.resident_kit import connected, listed, start
from tests.kits.tmux import needs_tmux, pane
from tests.protocol.test_replies import Stage, told

resident = pytest.mark.usefixtures("sessions")
if not runtime.supported():
    pytest.skip("no Unix sockets here", allow_module_level=True)

CALL = "conversation.tool_call"
PICTURES = "x" * (CALLS_BYTES // 3)


def late(one: Conversation) -> Conversation:
    """As over the socket."""
    other = Conversation()
    other.resume(snapshot_of(json.loads(json.dumps(snapshot_json(one.snapshot())))))
    return other


# -- the core ----------------------------------------------------------------------------------------------


def test_an_empty_snapshot() -> None:
    core, other = Conversation(), late(Conversation())
    assert (other.snapshot(), other.highest_seq) == (core.snapshot(), -1)


def test_open_calls_the_turn_and_who_speaks_are_known_and_nothing_of_it_is_shown() -> None:
    core = Conversation()
    for number, one in enumerate(
        [
            message(CALL, turn=3, name="book", tool_call_id="c1", arguments="{}"),
            message(CALL, turn=3, name="look", tool_call_id="c2", arguments="{}"),
            message("conversation.started_speaking", turn=4, role="pal", inference="p4"),
        ]
    ):
        core.receive({**one, "seq": 100 + number}, START + number)
    core.sent(tool_result("c1", "done").encode("c"), START + 5)
    other = late(core)
    assert other.snapshot() == core.snapshot()
    assert (list(other.turns.open_calls), other.highest_seq) == (["c2"], 102)
    call = other.turns.open_calls["c2"]
    assert (call.name, call.at, call.turn and call.turn.idx) == ("look", START + 1, 3)
    assert other.turns.current is not None
    assert (other.turns.current.idx, other.status.speaking, other.status.events) == (4, {"pal"}, 0)
    (entry,) = other.sent(tool_result("c2", "seen").encode("c"), START + 6)
    assert isinstance(entry, SentEntry)
    assert entry.call is call
    assert other.turns.open_calls == {}


def test_a_client_that_joins_late_sees_gaps_after_what_the_session_knew() -> None:
    """Also before its own first event: the numbers that a break of the line cost are nobody's."""
    core = Conversation()
    core.receive(message("conversation.interrupt", seq=5), START)
    other = late(core)
    assert other.receive(message("conversation.interrupt", seq=9), START + 1) == []
    gap, event = other.tick(START + 2)
    assert isinstance(gap, GapEntry)
    assert isinstance(event, EventEntry)
    assert (gap.first, gap.last, event.event.seq) == (6, 8, 9)


def test_a_number_that_the_session_still_missed_is_late_for_a_client_that_joins() -> None:
    core = Conversation()
    for seq in (5, 7):  # 6 may still come
        core.receive(message("conversation.interrupt", seq=seq), START)
    other = late(core)
    (event,) = other.receive(message("conversation.interrupt", seq=6), START + 0.1)
    assert isinstance(event, EventEntry)
    assert event.late
    (event,) = other.receive(message("conversation.interrupt", seq=8), START + 0.1)
    assert isinstance(event, EventEntry)


def test_a_large_call_displaces_older_ones() -> None:
    core = Conversation()
    for number in range(5):
        core.receive(message(CALL, name="see", tool_call_id=f"c{number}", frames=PICTURES), START)
    assert list(late(core).turns.open_calls) == ["c3", "c4"]


def test_without_an_echo_what_an_older_turn_says_is_not_the_reply() -> None:
    core = Conversation()
    core.receive(message("conversation.started_speaking", seq=7, turn=2, inference="p2", role="pal"), START)
    core.tick(START + 1)
    stage = Stage()
    stage.conversation = late(core)
    stage.send(respond("second"))
    for number, (turn, text) in enumerate([(2, "the first answer"), (3, "the second answer")]):
        words = {"role": "pal", "speech": text}
        stage.come(message("conversation.utterance", seq=8 + number, turn=turn, **words))
    stage.end()
    assert told(stage) == "the second answer"


# -- over the socket ---------------------------------------------------------------------------------------


def opened(target: str = "sim") -> str:
    """A session in which a tool call is open; its id."""
    start(target)
    answer = json.loads(
        console("send", target, "respond", "What are your hours?", "--wait", "reply", "--json").out
    )
    call: str = answer["answer"]["properties"]["tool_call_id"]
    return call


@resident
def test_join_from_a_pipe_answers_a_call_that_came_before() -> None:
    call = opened()
    result = console("join", "sim", stdin=f"/tool-result {call} nine to five\nThank you.\n")
    assert (result.status, result.err) == (0, "")
    assert "answers get_hours after" in result.out
    assert "respond Thank you." in result.out
    assert result.out.count("get_hours") == 1  # not shown as new
    assert console("send", "sim", "tool-result", call, "again", "--json").status == 0


@resident
def test_a_reply_to_a_result_is_of_the_turn_that_called() -> None:
    call = opened("sim:?seed=3")
    result = console("send", "tool-result", call, "nine to five", "--wait", "reply")
    assert result.out == "Here is what I found: nine to five.\n"


@resident
@needs_tmux
def test_join_on_a_terminal_shows_completes_and_answers_it(tmp_path: Path, sessions: Path) -> None:
    call = opened()
    with pane(tmp_path, CONSOLE, "join", "sim", TAVUS_CONSOLE_RUNTIME=str(sessions)) as shown:
        shown.shows("joining sim through the session sim")
        shown.shows("PAL present")
        shown.shows("turn 1")
        shown.until(lambda: "1 tool call open" in shown.screen or "!! get_hours waits" in shown.screen)
        shown.type("/tools")
        shown.keys("Enter")
        shown.until(lambda: f"get_hours  {call}" in shown.all, "the table")
        shown.type("/tool-result ")
        shown.keys("Tab")
        shown.until(lambda: f"/tool-result {call}" in shown.screen, "the completion")
        shown.type(" nine to five")
        shown.keys("Enter")
        shown.shows("answers get_hours after")
        shown.shows("Here is what I found: nine to five.")
        assert [one["clients"] for one in listed()] == [1]
        shown.keys("C-d")
        assert shown.ends() == 0
    assert [one["clients"] for one in listed()] == [0]


@resident
def test_a_client_gets_every_event_once_whenever_it_joins() -> None:
    """It joins amid 2,000 events a second, and gets all from the number after the snapshot on."""
    start("sim:?rate=2000")
    name = listed()[0]["id"]
    console("tail", name, "--count", "1", "--all")
    for _ in range(30):
        room = connected(name)
        with room._connection as connection, connection.makefile("rb") as file:
            connection.settimeout(SECONDS)
            connection.sendall(b'{"do": "join"}\n')
            before = json.loads(file.readline())["snapshot"]
            came = [json.loads(file.readline()) for _ in range(100)]
        numbers = [one["in"]["seq"] for one in came if "in" in one and "seq" in one["in"]]
        assert numbers == list(range(before["seq"] + 1, before["seq"] + 1 + len(numbers)))
        assert len(numbers) > 50


@resident
def test_an_answer_sent_before_is_not_taken_by_the_next_command(tmp_path: Path) -> None:
    """Two commands join the session; the first answer is still being spoken when the second asks."""
    pal = tmp_path / "pal.toml"
    pal.write_text(
        'greeting = "Hi."\nrespond_waits = true\n'
        '[[reply]]\nmatch = "first"\nsay = "The answer to the first, which goes on for quite some time."\n'
        '[[reply]]\nmatch = "second"\nsay = "The answer to the second."\n'
    )
    target = f"sim:{pal}?reorder=0.3&duplicate=0.3&late=0.1"
    start(target)
    assert console("send", "respond", "the first", "--wait", "started_speaking").status == 0
    assert process("send", "respond", "the second", "--wait", "reply").out == "The answer to the second.\n"
