"""The two rows beside the prompt: their text, and that it always fits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.utils import get_cwidth

from tavus_cli.protocol.conversation import Conversation
from tavus_cli.protocol.interactions import respond
from tavus_cli.views.status import StatusLine
from tavus_cli.views.theme import DARK, PLAIN
from tests.kits.conversations import (
    FAMILY,
    HOSTILE_TEXTS,
    START,
    assert_harmless,
    message,
    some,
    texts,
    unsafe_in,
    without_color,
)

FLAG = "\U0001f1e9\U0001f1ea"
HEART = "\u2764\ufe0f"
WIDTHS = [*range(20, 130), 200, 300]


def heard(*messages: dict[str, Any]) -> Conversation:
    conversation = Conversation()
    for number, one in enumerate(messages):
        conversation.receive({"seq": number, **one}, START + number)
    return conversation


def cells(text: str) -> int:
    """As prompt_toolkit measures, which draws the row."""
    return get_cwidth(text)


def row(conversation: Conversation | None = None, columns: int = 200, behind: int = 0, **status: Any) -> str:
    now = START + status.pop("after", 0.0)
    line = StatusLine(status.pop("name", "c1"), PLAIN, **{"joined": START, **status})
    return line.line(conversation or Conversation(), now, behind, columns)


def live(conversation: Conversation, columns: int = 80) -> str:
    return StatusLine("c1", PLAIN).live(conversation, columns)


PAL_STARTS = message("conversation.started_speaking", turn=1, inference="p", role="pal")
USER_STARTS = message("conversation.user.started_speaking", turn=1, inference="u")


def partial(text: Any, role: Any = "pal", **more: Any) -> dict[str, Any]:
    return message("conversation.utterance.streaming", inference="p", role=role, speech=text, **more)


def call(number: int) -> dict[str, Any]:
    return message("conversation.tool_call", turn=1, name="look", arguments="{}", tool_call_id=f"c{number}")


# -- what the status line says ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("conversation", "status", "told"),
    [
        pytest.param(heard(), {"joined": None}, " c1 · joining … ", id="joining"),
        pytest.param(heard(), {}, " c1 · no PAL yet · 0:00 ", id="no PAL"),
        pytest.param(heard(message("system.pal_present")), {}, " c1 · PAL present · 0:00 ", id="present"),
        pytest.param(
            heard(message("system.pal_present"), message("system.shutdown")),
            {},
            " c1 · no PAL yet · 0:00 ",
            id="shut down",
        ),
        pytest.param(heard(PAL_STARTS), {}, " c1 · PAL speaks · turn 1 · 0:00 ", id="pal speaks"),
        pytest.param(
            heard(PAL_STARTS, USER_STARTS),
            {},
            " c1 · PAL and user speak · turn 1 · 0:00 ",
            id="both speak",
        ),
        pytest.param(
            heard(
                message("conversation.utterance", turn=2, role="user", speech="Hi"),
                message("conversation.utterance", turn=2, role="pal", speech="Hello", inference="x"),
            ),
            {},
            " c1 · PAL present · turn 2 · reply 1.00 s · 0:00 ",
            id="reply",
        ),
        pytest.param(heard(call(1)), {}, " c1 · no PAL yet · turn 1 · 1 tool call open · 0:00 ", id="a call"),
        pytest.param(
            heard(call(1), call(2)), {}, " c1 · no PAL yet · turn 1 · 2 tool calls open · 0:00 ", id="calls"
        ),
        pytest.param(
            heard(call(1)),
            {"after": 5.0},
            " c1 · no PAL yet · turn 1 · !! look waits 0:05 · 0:05 ",
            id="a call that nobody answers",
        ),
        pytest.param(
            heard(call(1), call(2)),
            {"after": 65.0},
            " c1 · no PAL yet · turn 1 · !! look waits 1:05, 1 more · 1:05 ",
            id="calls that nobody answers",
        ),
        pytest.param(
            heard(call(1), message("conversation.utterance", turn=2, role="pal", speech="Never mind.")),
            {"after": 65.0},
            " c1 · PAL present · turn 2 · 1:05 ",
            id="a call that the PAL has gone on without",
        ),
        pytest.param(
            heard(message("conversation.perception_tool_call", turn=1, name="look", tool_call_id="c1")),
            {"after": 65.0},
            " c1 · no PAL yet · turn 1 · 1:05 ",
            id="a call that wants no answer",
        ),
        pytest.param(
            heard(call(1)),
            {"over": "expired", "after": 65.0},
            " c1 · over · turn 1 · 1:05 ",
            id="a call, over",
        ),
        pytest.param(heard(), {"mode": "PAUSED"}, " c1 · PAUSED · no PAL yet · 0:00 ", id="a recording"),
        pytest.param(
            heard(), {"paused": 12}, " c1 · PAUSED, 12 waiting, F4 resumes · no PAL yet · 0:00 ", id="paused"
        ),
        pytest.param(heard(), {"recording": True}, " c1 · no PAL yet · ● recording · 0:00 ", id="recording"),
        pytest.param(heard(), {"over": "expired"}, " c1 · over · 0:00 ", id="over"),
        pytest.param(heard(), {"over": "", "joined": None}, " c1 · over ", id="over before joining"),
        pytest.param(heard(), {"after": 605.0}, " c1 · no PAL yet · 10:05 ", id="minutes"),
        pytest.param(heard(), {"behind": 1_000}, " c1 · no PAL yet · 0:00 ", id="a little behind"),
        pytest.param(
            heard(), {"behind": 12_345}, " c1 · no PAL yet · 12,000 lines behind · 0:00 ", id="far behind"
        ),
    ],
)
def test_the_status_line(conversation: Conversation, status: dict[str, Any], told: str) -> None:
    assert row(conversation, **status) == f"{told}· F1 keys "


@pytest.mark.parametrize(("gaps", "told"), [(1, "1 gap"), (2, "2 gaps")])
def test_gaps(gaps: int, told: str) -> None:
    conversation = Conversation(hold=0.0)
    for number in range(gaps + 1):
        conversation.receive({"event_type": "x", "seq": 5 * number}, START + number)
    assert f" · {told} · " in row(conversation)


def test_it_is_painted_as_a_whole() -> None:
    line = StatusLine("c1", DARK).line(Conversation(), START, 0, 40)
    assert line == DARK.paint("status", " c1 · joining … · F1 keys ")


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (70, " c1 · PAL present · turn 2 · reply 1.00 s · 1 gap · 0:00 · F1 keys "),
        (66, " PAL present · turn 2 · reply 1.00 s · 1 gap · 0:00 · F1 keys "),
        (56, " PAL present · turn 2 · reply 1.00 s · 1 gap · 0:00 "),
        (50, " PAL present · turn 2 · reply 1.00 s · 1 gap "),
        (40, " PAL present · turn 2 · 1 gap "),
        (28, " PAL present · 1 gap "),
        (12, " PAL prese…"),
    ],
)
def test_the_least_important_parts_are_left_out_first(columns: int, told: str) -> None:
    conversation = heard(
        message("conversation.utterance", turn=2, role="user", speech="Hi"),
        message("conversation.utterance", turn=2, role="pal", speech="Hello", inference="x"),
    )
    conversation.status.gaps = 1
    assert row(conversation, columns=columns) == told


def test_a_call_that_waits_stays_at_forty_columns() -> None:
    assert "!! look waits 1:05" in row(heard(call(1)), columns=40, after=65.0, name="c7f3a91d20be4b58")


# -- what the live line says ------------------------------------------------------------------------------


def test_nothing_is_reported() -> None:
    assert live(Conversation()) == ""


@pytest.mark.parametrize(
    ("role", "told"),
    [
        ("pal", "pal      Hello"),
        ("replica", "pal      Hello"),
        ("user", "user     Hello"),
        (None, "?        Hello"),
        ("interpreter", "interpr… Hello"),
        ("時間時間時間", "時間時…  Hello"),
        ("a\tb\n", "a b␊     Hello"),
    ],
)
def test_growing_speech(role: str | None, told: str) -> None:
    assert live(heard(partial("Hello", role))) == told


def test_the_end_of_long_speech_is_shown() -> None:
    assert live(heard(partial("one two three four five six")), 30) == "pal      …three four five six"


def test_what_was_typed_is_shown_until_it_is_heard() -> None:
    conversation = heard()
    conversation.sent(respond("What now?").encode("c1"), START)
    assert live(conversation) == "you      What now?"
    conversation.receive(message("conversation.utterance", turn=1, role="user", speech="What now?"), START)
    assert live(conversation) == ""


def test_growing_speech_comes_before_what_was_typed() -> None:
    conversation = heard(partial("Well"))
    conversation.sent(respond("What now?").encode("c1"), START)
    assert live(conversation) == "pal      Well"


@pytest.mark.parametrize(
    "end",
    [
        partial("Hello", final=True),
        message("conversation.stopped_speaking", role="pal", inference="p"),
    ],
    ids=["final", "stopped"],
)
def test_speech_that_has_ended_is_gone(end: dict[str, Any]) -> None:
    assert live(heard(PAL_STARTS, partial("Hello"), end)) == ""


# -- that they fit ----------------------------------------------------------------------------------------

NAMES = {
    **HOSTILE_TEXTS,
    "long": "https://tavus.daily.co/" + "x" * 400,
    "wide": "時" * 400,
    "families": FAMILY * 100,
    "flags": FLAG * 100,
    "hearts": HEART * 200,
    "accents": "a" + "\u0301" * 900,
    "zalgo": "a\u0301\u0302\u0303" * 200,
    "tabs": "\t" * 300,
    "skin": "✊🏽" * 100,
    "mixed": "a時" * 200,
}


def busy(name: str) -> Conversation:
    conversation = heard(PAL_STARTS, USER_STARTS, *map(call, range(12)), partial(name, name))
    conversation.status.gaps, conversation.status.reply = 123, 12.34
    return conversation


@pytest.mark.parametrize("name", NAMES)
def test_at_every_width_both_rows_fit(name: str) -> None:
    text = NAMES[name]
    conversation = busy(text)
    status = StatusLine(text, DARK, joined=START, recording=True)
    for columns in WIDTHS:
        rows = [status.line(conversation, START + 1e6, 12_345, columns), status.live(conversation, columns)]
        assert_harmless(rows)
        for one in map(without_color, rows):
            assert cells(one) < columns, (columns, cells(one), one)
            assert "\t" not in one


@pytest.mark.parametrize("columns", range(20))
def test_the_rows_fit_tiny_terminals_too(columns: int) -> None:
    for name in ("時間", "abc", "wide"):
        conversation = busy(NAMES.get(name, name))
        assert cells(row(conversation, columns, name=name)) <= max(columns - 1, 0)
        assert cells(live(conversation, columns)) <= max(columns - 1, 0)


@some
@given(name=texts(), speech=texts(), role=texts(12), columns=st.integers(0, 300), typed=st.booleans())
def test_whatever_is_reported_fits(name: str, speech: str, role: str, columns: int, typed: bool) -> None:
    conversation = heard() if typed else heard(partial(speech, role))
    if typed:
        conversation.sent(respond(speech).encode("c1"), START)
    for line in (row(conversation, columns, name=name), live(conversation, columns)):
        assert not unsafe_in(line)
        assert cells(line) <= max(columns - 1, 0)


@pytest.mark.parametrize(
    ("billed", "most", "shown"),
    [(START - 60, None, "11 min billed"), (START, 600.0, "10 of 10 min billed"), (START, 90.0, "of 1.5 min")],
)
def test_the_minutes_that_are_billed(billed: float, most: float | None, shown: str) -> None:
    status = StatusLine("c1", PLAIN, joined=START, billed=billed, most=most)
    assert shown in status.line(heard(), START + 605.0, 0, 100)
