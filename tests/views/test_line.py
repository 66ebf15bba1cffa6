"""The pretty view: rules, columns, marks, colours, and hostile text in every field."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given

from tavus_cli.protocol.entries import Entry, EventEntry, GapEntry, NoteEntry, SentEntry
from tavus_cli.protocol.events import decode
from tavus_cli.protocol.interactions import (
    Interaction,
    append_context,
    confirm,
    echo,
    interrupt,
    overwrite_context,
    respond,
    sensitivity,
    set_emotion,
    tool_result,
)
from tavus_cli.protocol.turns import ToolCall, Turn
from tavus_cli.views.line import CUT_OFF, LineView
from tavus_cli.views.numbers import offset
from tavus_cli.views.theme import DARK, PLAIN, RESET, Theme
from tests.kits.conversations import (
    FAMILY,
    HOSTILE_TEXTS,
    HOSTILE_VALUES,
    INTERACTIONS,
    SAMPLES,
    SENT_TYPES,
    START,
    TYPES,
    Message,
    assert_harmless,
    deep_messages,
    every_entry,
    hostile_messages,
    message,
    replayed,
    some,
    strange_messages,
    texts,
    utc,
    without_color,
)

UTTERANCE, STREAMING = "conversation.utterance", "conversation.utterance.streaming"
NOW = "14:13:20.000"  # START, in UTC


def view(**more: Any) -> LineView:
    return LineView(utc, **more)


def shown(*entries: Entry, **more: Any) -> list[str]:
    return view(**more).lines(entries)


def said(text: str = "Hi", role: str | None = "pal", *, seq: int | None = None, **more: Any) -> EventEntry:
    return EventEntry(decode(message(UTTERANCE, role=role, speech=text, seq=seq)), **{"at": START, **more})


def of(sent: Any, **more: Any) -> EventEntry:
    return EventEntry(decode(sent), START, **more)


# -- rows and columns ----------------------------------------------------------------------------------


def test_a_row() -> None:
    assert shown(said()) == [f"{NOW}            pal      Hi"]
    turn = Turn(1, START - 5)
    assert shown(said(turn=turn), said(turn=turn, at=START + 1.5))[1:] == [
        f"{NOW}    +0.000  pal      Hi",
        "14:13:21.500    +1.500  pal      Hi",
    ]


@pytest.mark.parametrize(
    ("at", "when"),
    [
        (START, "14:13:20.000"),
        (START + 0.412, "14:13:20.412"),
        (START + 0.001, "14:13:20.001"),
        (START + 0.999, "14:13:20.999"),
        (START + 0.9999, "14:13:20.999"),
        (START + 1.5, "14:13:21.500"),
        (0.0, "00:00:00.000"),
    ],
)
def test_times(at: float, when: str) -> None:
    assert shown(said(at=at))[0].startswith(f"{when} ")


def test_the_local_time_is_asked_for_once_a_second() -> None:
    asked = []

    def local_time(second: int) -> str:
        asked.append(second - int(START))
        return "12:00:00"

    LineView(local_time).lines([said(at=START + delay) for delay in (0, 0.1, 0.9, 1.0, 1.5, 0.5)])
    assert asked == [0, 1]


def test_times_never_run_backwards() -> None:
    turn = Turn(1, START)
    lines = shown(said(turn=turn), said(turn=turn, at=START - 0.1), said(turn=turn, at=START - 2.04))
    assert lines[1:] == [
        f"{NOW}    +0.000  pal      Hi",
        f"{NOW}    +0.000  pal      Hi",
        f"{NOW}    +0.000  pal      Hi   2.0 s ago",
    ]


@pytest.mark.parametrize(
    ("sent", "who"),
    [
        (message(UTTERANCE, speech="Hi", role="user"), "user    "),
        (message(UTTERANCE, speech="Hi", role="replica"), "pal     "),
        (message(UTTERANCE, speech="Hi", role="dj"), "dj      "),
        (message(UTTERANCE, speech="Hi", role="moderator"), "moderat…"),
        (message(UTTERANCE, speech="Hi", role="eightcha"), "eightcha"),
        (message(UTTERANCE, speech="Hi"), "?       "),
        (message("conversation.tool_call", name="f"), "tool    "),
        (message("conversation.tool_call", name="f", role="pal"), "tool    "),
        (message("conversation.perception_tool_call", name="f"), "sees    "),
        (message("conversation.guardrail.x", guardrail="g"), "guard   "),
        (message("system.shutdown"), "system  "),
        (message("conversation.new"), "event   "),
        ({"chat": "Hi"}, "other   "),
    ],
)
def test_who_column(sent: Message, who: str) -> None:
    assert shown(of(sent))[0][24:33] == f"{who} "


def test_the_who_column_does_not_depend_on_earlier_events() -> None:
    different = [{"chat": 1}, message("conversation.new"), message(UTTERANCE), message("system.shutdown")]
    together = view().lines([of(one) for one in different * 2])
    assert together == [shown(of(one))[0] for one in different] * 2


@pytest.mark.parametrize(
    ("role", "who"),
    [
        ("時間", "時間    "),
        ("時間時間", "時間時間"),
        ("時間時間時", "時間時… "),
        ("a時間時間", "a時間時…"),
        ("e\u0301" * 8, "e\u0301" * 8),
        ("e\u0301" * 9, "e\u0301" * 7 + "…"),
        ("\x1b[2J", "␛[2J    "),
    ],
    ids=ascii,
)
def test_who_is_eight_columns_wide(role: str, who: str) -> None:
    assert shown(said(role=role)) == [f"{NOW}            {who} Hi"]


def test_many_roles_are_not_all_remembered() -> None:
    one = view()
    lines = one.lines([said(role=f"r{number}") for number in range(1_000)])
    assert lines[999] == f"{NOW}            r999     Hi"
    assert len(one._who) <= 256


def test_narrow_terminals_get_short_rows() -> None:
    turn = Turn(1, START - 1.5)
    rows = (said(turn=turn), said(turn=turn, at=START + 12.34))
    assert shown(*rows, width=59)[2] == "14:13:32 pal    Hi"
    for times, width in (("auto", 60), ("auto", 99)):
        assert shown(*rows, width=width, times=times)[1:] == [
            "14:13:20  +0.0 pal    Hi",
            "14:13:32 +12.3 pal    Hi",
        ]
    for times, width in (("auto", 100), ("full", 60)):
        assert shown(*rows, width=width, times=times)[2] == "14:13:32.340   +12.340  pal      Hi"
    assert shown(said(seq=7), width=40, all=True) == ["14:13:20     #7  pal    Hi"]
    assert shown(said(seq=7), width=80, times="auto", seq=True) == ["14:13:20           #7  pal    Hi"]
    assert shown(GapEntry(1, 2, START), width=40) == ["         gap    seq 1–2"]
    assert shown(said(), width=40, theme=DARK)[0].startswith(f"{DARK.sgr('time')}14:13:20{RESET} ")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, " +0.0"), (99.94, "+99.9"), (99.96, "+1:39"), (599.9, "+9:59"), (600, " +10m"), (86_400, " +24h")],
)
def test_how_long_after_its_turn_began_a_row_came(seconds: float, text: str) -> None:
    assert offset(seconds) == text


@pytest.mark.parametrize(
    ("entry", "where"),
    [
        (said("a" * 11, seq=7, turn=Turn(3, START)), "/event 7"),
        (said("a" * 11, turn=Turn(3, START)), "/turn 3"),
        (said("a" * 11), "/last"),
    ],
    ids=["number", "turn", "neither"],
)
def test_at_a_prompt_it_is_reported_where_the_rest_is(entry: EventEntry, where: str) -> None:
    row = shown(entry, limit=10, console=True)[-1]
    assert row.endswith(f"aaaaaaaaaa… (1 more characters; {where} shows all)")


def test_long_text_is_cut_where_a_limit_is_asked_for() -> None:
    assert shown(said("a" * 11), limit=10) == [
        f"{NOW}            pal      aaaaaaaaaa… (1 more characters; --format jsonl shows all)"
    ]
    assert shown(said("a" * 10), limit=10) == [f"{NOW}            pal      aaaaaaaaaa"]
    assert len(shown(said("a" * 10**6))[0]) > 10**6
    assert shown(said("a" * 2_010), limit=10)[0].endswith(
        "… (2,000 more characters; --format jsonl shows all)"
    )
    assert "990 more" in shown(sent(respond("a" * 992)), limit=10)[0]  # with the word "respond "


# -- rules ---------------------------------------------------------------------------------------------


def test_each_turn_opens_with_a_rule() -> None:
    first, second = Turn(1, START), Turn(2, START)
    lines = shown(said(turn=first), said(turn=first), said(), said(turn=second))
    rules = [number for number, line in enumerate(lines) if line.startswith("── turn ")]
    assert rules == [0, 4]
    assert lines[0] == "── turn 1 " + "─" * 70
    assert lines[4] == "── turn 2 " + "─" * 70


def test_a_rule_shows_how_the_turn_before_went() -> None:
    first, second = Turn(1, START, START, START + 1.139, spoke=4.43), Turn(2, START, spoke=62.0)
    third, fourth = Turn(3, START, START, START), Turn(4, START)
    lines = [line for line in shown(*map(turned, (first, second, third, fourth))) if line.startswith("──")]
    assert lines[1] == "── turn 2 " + "─" * 33 + " turn 1: reply 1.14 s, spoke 4.4 s ──"
    assert lines[2].endswith("─ turn 2: spoke 1:02 ──")
    assert lines[3].endswith("─ turn 3: reply 0.00 s ──")


def turned(turn: Turn) -> EventEntry:
    return said(turn=turn)


@pytest.mark.parametrize("width", [1, 20, 40, 80, 200])
def test_a_rule_is_as_wide_as_the_terminal_and_never_cut(width: int) -> None:
    before, after = Turn(1, START, START, START + 1), Turn(20_000, START)
    lines = shown(said(turn=before), said(turn=after), width=width)
    assert len(lines[0]) == max(width, len("── turn 1 "))
    assert len(lines[2]) == max(width, len("── turn 20000 "))
    assert lines[2].endswith(" turn 1: reply 1.00 s ──") == (width >= 40)


def test_events_of_an_older_turn_open_no_turn() -> None:
    current, older = Turn(2, START), Turn(1, START)
    lines = shown(said(turn=current), said(turn=older, back=True), said(turn=current))
    assert [line.startswith("──") for line in lines] == [True, False, False, False]


def test_what_is_sent_opens_a_turn() -> None:
    turn = Turn(2, START)
    lines = shown(sent(respond("Hi"), turn=turn), said(turn=turn))
    assert lines[0].startswith("── turn 2 ─")
    assert len(lines) == 3


# -- marks ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("marks", "text"),
    [
        ({}, "Hi"),
        ({"late": True}, "↩ late  Hi"),
        ({"back": True, "turn": Turn(1, START)}, "↩ turn 1  Hi"),
        ({"back": True, "late": True, "turn": Turn(1, START)}, "↩ turn 1, late  Hi"),
        ({"differs": True}, "↩ seq 7 again, with different content  Hi"),
        ({"fold": "twin"}, "Hi"),
        ({"reply": 1.139}, "Hi   reply 1.14 s"),
    ],
    ids=["none", "late", "older turn", "both", "duplicate", "folded", "reply"],
)
def test_marks(marks: dict[str, Any], text: str) -> None:
    assert shown(said(seq=7, **marks))[-1][33:] == text


def test_all_shows_numbers_and_why_an_event_would_fold() -> None:
    turn = Turn(1, START)
    lines = shown(said(seq=7, turn=turn, fold="twin"), said(), sent(respond("Hi"), turn=turn), all=True)
    assert lines[1:] == [
        f"{NOW}    +0.000     #7  pal      ↩ twin  Hi",
        f"{NOW}               #–  pal      Hi",
        f"{NOW}    +0.000         you      respond Hi",
    ]


def test_gaps_and_notes() -> None:
    assert shown(GapEntry(131, 132, START), GapEntry(7, 7, START), NoteEntry("here\n", START)) == [
        "                        gap      seq 131–132",
        "                        gap      seq 7",
        f"{NOW}            note     here␊",
    ]
    assert shown(GapEntry(7, 7, START), all=True) == [" " * 31 + "gap      seq 7"]


@pytest.mark.parametrize(
    ("text", "intended", "cut"),
    [
        ("You can", "You can return it.", "  (cut: return it.)"),
        ("You can", "You can", ""),
        ("You can", "Something else", ""),
        ("", "All of it", "  (cut: All of it)"),
        ("You", "You\x1b", "  (cut: ␛)"),
        ("You", None, ""),
    ],
)
def test_cut_text(text: str, intended: str | None, cut: str) -> None:
    last = message(STREAMING, role="pal", speech=text, final=True, is_interrupted=True)
    assert shown(of(last, intended=intended))[0][33:] == f"{text} ✂ interrupted{cut}"


def test_complete_speech_has_no_cut_text() -> None:
    last = message(STREAMING, role="pal", speech="You", final=True)
    assert shown(of(last, intended="You can"))[0][33:] == "You"


def test_cut_text_is_limited() -> None:
    last = message(STREAMING, role="pal", speech="a", final=True, is_interrupted=True)
    assert shown(of(last, intended="a" * 150), limit=200)[0].endswith(f"(cut: {'a' * CUT_OFF}…)")


# -- what was sent -------------------------------------------------------------------------------------


def sent(interaction: Interaction, **more: Any) -> SentEntry:
    return SentEntry(decode(interaction.encode("c7f3"), direction="out"), START, **more)


@pytest.mark.parametrize(
    ("interaction", "text"),
    [
        (respond("Hi  there"), "respond Hi  there"),
        (echo("Hi"), "echo Hi"),
        (interrupt(), "interrupt"),
        (append_context("c"), "append_llm_context c"),
        (overwrite_context("c"), "overwrite_llm_context c"),
        (sensitivity("pause", "low"), "sensitivity participant_pause_sensitivity=low"),
        (tool_result("c1", "Yes"), "tool_result c1 success Yes"),
        (tool_result("c1", {"a": 1}, error=True), 'tool_result c1 error {"a":1}'),
        (confirm("o"), "objective.confirm o"),
        (set_emotion("anger"), "set_emotion anger"),
        (Interaction("", raw={"a": 1}), '{"a":1}'),
        (Interaction("", raw=INTERACTIONS[3]), "echo audio 1.3 KB"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_is_sent(interaction: Interaction, text: str) -> None:
    assert shown(sent(interaction)) == [f"{NOW}            you      {text}"]


def test_what_became_of_what_is_sent() -> None:
    assert shown(sent(respond("Hi"), echo=0.2064))[0].endswith("respond Hi   heard in 206 ms")
    waiting = ToolCall("c1", "look", START, None)
    assert shown(sent(tool_result("c1", "x"), call=waiting))[0].endswith("success x")
    call = ToolCall("c1", "look\n", START - 0.084, None, START)
    assert shown(sent(tool_result("c1", "x"), call=call))[0].endswith("   answers look␊ after 0.08 s")


@pytest.mark.parametrize("line", range(1, len(INTERACTIONS) + 1))
def test_every_sample_of_what_is_sent_is_one_line(line: int) -> None:
    (row,) = shown(SentEntry(decode(INTERACTIONS[line - 1], direction="out"), START))
    assert len(row) < 200


# -- colours -------------------------------------------------------------------------------------------


def test_colours_change_nothing_but_colours() -> None:
    entries = replayed(SAMPLES)
    for all in (False, True):
        plain, colored = shown(*entries, all=all), shown(*entries, all=all, theme=DARK)
        assert [without_color(line).rstrip() for line in colored] == plain
        assert not any("\x1b" in line for line in plain)
        assert all or len(colored) > 60


def test_colours_end_with_the_line() -> None:
    for line in shown(*replayed(SAMPLES), all=True, theme=DARK):
        last = line.rindex("\x1b[")
        assert line.startswith(RESET, last)


def test_a_mark_does_not_end_the_colour_of_what_follows() -> None:
    (line,) = shown(of(message("system.shutdown"), late=True), theme=DARK)
    assert line.endswith(f"{DARK.paint('mark', '↩ late')}  {DARK.styles['system']}shutdown{RESET}")


def test_who_and_text_have_their_own_colours() -> None:
    (line,) = shown(said(role="user"), theme=DARK)
    assert f"{DARK.styles['user']}user    {RESET} Hi{RESET}" in line
    (line,) = shown(of(message("conversation.tool_call", name="f")), theme=DARK)
    styles = DARK.styles
    assert f"{styles['tool']}tool    {RESET} {styles['tool']}{styles['name']}f{RESET}" in line


# -- hostile -------------------------------------------------------------------------------------------

_VIEWS: dict[str, dict[str, Any]] = {
    "plain": {"theme": PLAIN},
    "colour": {"theme": DARK},
    "all": {"theme": DARK, "all": True},
    "limited": {"theme": PLAIN, "all": True, "limit": 50},
}


def rows(lines: Iterable[str]) -> int:
    return sum(not without_color(line).startswith("──") for line in lines)


def check(entries: list[Entry], views: Iterable[str] = _VIEWS) -> None:
    for options in map(_VIEWS.__getitem__, views):
        lines = shown(*entries, **options)
        assert_harmless(lines)
        assert rows(lines) == len(entries)


@pytest.mark.parametrize("value", HOSTILE_VALUES.values(), ids=HOSTILE_VALUES)
def test_hostile_values_in_every_field_of_every_type(value: Any) -> None:
    text = value if isinstance(value, str) else "\x1b"
    for name in (*TYPES, *SENT_TYPES):
        check([entry for one in hostile_messages(name, value) for entry in every_entry(one, text)])


def test_deep_values_in_every_field_of_every_type() -> None:
    for name in (*TYPES, *SENT_TYPES):
        for one in deep_messages(name):
            sent = SentEntry(decode(one, direction="out"), START)
            check([*replayed([one]), sent], ["plain"])


@some
@given(strange_messages(), texts())
def test_any_message(one: Any, text: str) -> None:
    check(every_entry(one, text))


_LONG = {
    "plain": "a" * 10**6,
    "joined": FAMILY * 10**5,
    "escapes": "\x1b" * 10**5,
    "surrogates": "\ud83d" * 10**5,
}


@pytest.mark.parametrize("text", _LONG.values(), ids=_LONG)
def test_long_texts(text: str) -> None:
    check(
        [said(text), said(role=text), of(message(f"conversation.{text}")), of(text), NoteEntry(text, START)]
    )


def test_a_terminal_without_a_theme_of_ours() -> None:
    assert shown(said(), theme=Theme({"rule": DARK.styles["rule"]}))[0].endswith(f" Hi{RESET}")


@pytest.mark.parametrize("text", HOSTILE_TEXTS.values(), ids=HOSTILE_TEXTS)
def test_hostile_text_is_shown_and_not_swallowed(text: str) -> None:
    (line,) = shown(said(f"before{text}after"))
    assert line[33:].startswith("before")
    assert line.endswith("after")
