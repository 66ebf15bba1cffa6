"""What the user asked to see: types by name and glob, roles, turns, expressions, partials."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.errors import UsageError
from tavus_cli.language.selection import Selection, TypePattern, compile_where, selection
from tavus_cli.protocol.entries import Entry, EventEntry, GapEntry, NoteEntry, SentEntry
from tavus_cli.protocol.events import decode
from tavus_cli.protocol.folding import Fold
from tavus_cli.protocol.turns import Turn
from tests.kits.conversations import (
    DEEP,
    HOSTILE_VALUES,
    SAMPLES,
    events_of,
    few,
    message,
    replayed,
    strange_messages,
)


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("utterance", "conversation.utterance", True),
        ("utterance", "conversation.utterance.streaming", False),
        ("conversation.utterance", "conversation.utterance", True),
        ("conversation.*", "conversation.utterance", True),
        ("conversation.*", "system.shutdown", False),
        ("replica.*", "conversation.replica.started_speaking", True),
        ("replica.*", "conversation.replica_interrupted", False),
        ("*speaking", "conversation.replica.started_speaking", True),
        ("st*_speaking", "conversation.stopped_speaking", True),
        ("st?rted_speaking", "conversation.started_speaking", True),
        ("[st]*_speaking", "conversation.started_speaking", True),
        ("shutdown", "system.shutdown", True),
        ("system.shutdown", "system.shutdown", True),
        ("UTTERANCE", "conversation.utterance", False),
        ("utterance,tool_call", "conversation.tool_call", True),
        ("tool_*,utterance,", "conversation.utterance", True),
        ("utterance,tool_call", "conversation.utterance.streaming", False),
        ("odd", "odd", True),
        ("*", "", True),
        ("utterance", "", False),
        ("utterance", "utterance", True),
    ],
)
def test_types(pattern: str, name: str, fits: bool) -> None:
    one = TypePattern([pattern])
    assert one(name) is fits
    assert one(name) is fits  # as remembered
    assert TypePattern(["nothing.like.it", pattern])(name) is fits


def test_no_pattern_is_not_a_filter() -> None:
    assert not TypePattern([])
    assert TypePattern(["x"])
    assert not TypePattern([])("conversation.utterance")


def test_what_is_remembered_is_bounded() -> None:
    pattern = TypePattern(["conversation.type1*"])
    for number in range(5_000):
        assert pattern(f"conversation.type{number}") is str(number).startswith("1")
    assert len(pattern._known) <= 1_024


@pytest.mark.parametrize(
    ("patterns", "doubts"),
    [
        (["utterance", "tool_call", "system.*"], []),
        (["uterance"], ['no known event type matches "uterance"; did you mean utterance?']),
        (["zzz", "pal.*", "Q"], ['no known event type matches "zzz"', 'no known event type matches "Q"']),
        ([], []),
    ],
)
def test_doubts(patterns: list[str], doubts: list[str]) -> None:
    assert TypePattern(patterns).doubts() == doubts


def entry(
    name: str = "conversation.utterance", *, fold: Fold | None = None, turn: int | None = None
) -> EventEntry:
    place = None if turn is None else Turn(turn, 0.0)
    return EventEntry(decode(message(name, role="replica", speech="Hi", index=0)), 0.0, place, fold=fold)


_SENT = SentEntry(decode(message("conversation.respond", text="Hi"), direction="out"), 0.0, Turn(2, 0.0))
_INTERRUPT = SentEntry(decode(message("conversation.interrupt"), direction="out"), 0.0)
_ECHO = EventEntry(
    decode(message("conversation.utterance", role="user", speech="Hi")), 0.0, Turn(2, 0.0), fold="echo"
)
_GAP, _NOTE = GapEntry(1, 2, 0.0), NoteEntry("n", 0.0)


def test_nothing_asked_for() -> None:
    assert [Selection()(entry(fold=fold)) for fold in (None, "twin", "partial")] == [True, False, False]


@pytest.mark.parametrize(
    ("what", "one", "shown"),
    [
        ({}, entry(), True),
        ({}, entry(fold="twin"), False),
        ({}, entry(fold="partial"), False),
        ({}, entry(fold="heartbeat"), False),
        ({}, entry(fold="echo"), False),
        ({}, _SENT, True),
        ({}, _GAP, True),
        ({}, _NOTE, True),
        ({"all": True}, entry(fold="twin"), True),
        ({"all": True}, entry(fold="echo"), True),
        ({"all": True}, _GAP, True),
        ({"partials": True}, entry(fold="partial"), True),
        ({"partials": True}, entry(fold="twin"), False),
        ({"only": ["utterance"]}, entry(), True),
        ({"only": ["utterance"]}, entry("system.shutdown"), False),
        ({"only": ["utterance", "shutdown"]}, entry("system.shutdown"), True),
        ({"only": ["utterance"]}, entry(fold="twin"), False),
        ({"only": ["utterance"]}, _GAP, False),
        ({"only": ["utterance"]}, _NOTE, False),
        ({"only": ["respond"]}, _SENT, True),
        ({"only": ["utterance"]}, _SENT, True),
        ({"only": ["utterance"]}, _ECHO, False),
        ({"only": ["shutdown"]}, _SENT, False),
        ({"ignore": ["utterance"]}, _SENT, False),
        ({"ignore": ["shutdown"]}, _SENT, True),
        ({"role": "user"}, _SENT, True),
        ({"role": "user"}, _INTERRUPT, False),
        ({"only": ["utterance"]}, _INTERRUPT, False),
        ({"ignore": ["utterance"]}, entry(), False),
        ({"ignore": ["utterance"]}, entry("system.shutdown"), True),
        ({"ignore": ["utterance"]}, _GAP, True),
        ({"ignore": ["utterance"]}, _NOTE, True),
        ({"only": ["*"], "ignore": ["utterance"]}, entry(), False),
        ({"role": "pal"}, entry(), True),
        ({"role": "replica"}, entry(), True),
        ({"role": "persona"}, entry(), True),
        ({"role": "face"}, entry(), True),
        ({"role": "user"}, entry(), False),
        ({"role": "pal"}, _GAP, False),
        ({"role": "pal"}, _SENT, False),
        ({"turn": 2}, entry(turn=2), True),
        ({"turn": 0}, entry(turn=0), True),
        ({"turn": 2}, entry(turn=1), False),
        ({"turn": 0}, entry(), False),
        ({"turn": 2}, _SENT, True),
        ({"turn": 2}, _NOTE, False),
        ({"where": "properties.speech == 'Hi'"}, entry(), True),
        ({"where": "properties.speech == 'Ho'"}, entry(), False),
        ({"where": "properties.text"}, _SENT, True),
        ({"where": "properties.speech == 'Hi'"}, _SENT, True),
        ({"where": "properties.role == 'pal'"}, _SENT, False),
        ({"where": "event_type == 'conversation.utterance'"}, _INTERRUPT, False),
        ({"where": "seq"}, _GAP, False),
        ({"where": "seq", "all": True}, entry(fold="twin"), False),
        ({"only": ["utterance"], "role": "pal", "turn": 1, "where": "properties"}, entry(turn=1), True),
    ],
)
def test_selections(what: dict[str, Any], one: Entry, shown: bool) -> None:
    asked = selection(**what)
    assert asked(one) is shown
    assert asked.among([one]) == ([one] if shown else [])


@pytest.mark.parametrize("what", [{"only": ["utterance"]}, {"role": "user"}, {"where": "properties.speech"}])
def test_readers_of_raw_messages_get_the_echo_once(what: dict[str, Any]) -> None:
    asked = selection(**what)
    asked.wire = True
    assert asked.among([_SENT, _ECHO]) == [_ECHO]
    assert Selection(wire=True).among([_SENT, _ECHO]) == [_SENT, _ECHO]


_TRUE: tuple[Any, ...] = (0, 0.0, 1, True, "a", [0], {"a": None})
_FALSE: tuple[Any, ...] = (None, False, "", [], {})


@pytest.mark.parametrize(
    ("value", "true"), [*((one, True) for one in _TRUE), *((one, False) for one in _FALSE)], ids=repr
)
def test_truth_is_as_jmespath_has_it(value: Any, true: bool) -> None:
    asked = selection(where="properties.value")
    event = decode({"event_type": "x", "properties": {"value": value}})
    assert asked(EventEntry(event, 0.0)) is true


@pytest.mark.parametrize(
    ("expression", "lines"),
    [
        ("properties.tool_call_id", [23, 50, 53]),
        ("properties.role == 'user' && properties.final", [19]),
        ("seq > `60`", [64, 65, 66]),
        ("contains(properties.speech, 'Friday')", [27, 28, 32]),  # most messages have no speech to look in
        ("properties.nested.beta[0] == 'x'", [65]),
        ("turn_idx == `0` && properties.role", [6, 7, 8, 9, 11, 12]),
    ],
)
def test_where_over_the_samples(expression: str, lines: list[int]) -> None:
    asked = selection(where=expression, all=True)
    shown = [SAMPLES.index(one.event.message) + 1 for one in events_of(replayed(SAMPLES)) if asked(one)]
    assert sorted(shown) == lines


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("properties.", "--where: "),
        ("", "--where: Invalid JMESPath expression"),
        ("a ==", "--where: "),
        ("a = 1", "--where: "),
        ("'open", "--where: "),
        ("contain(properties.speech, 'x')", "--where: unknown function contain(); did you mean contains?"),
        ("a && [*].zzz(@)", "--where: unknown function zzz()"),
    ],
)
def test_what_is_not_an_expression(expression: str, message: str) -> None:
    with pytest.raises(UsageError, match="^" + re.escape(message)) as caught:
        compile_where(expression)
    assert "\n" not in str(caught.value)


def test_no_expression() -> None:
    assert compile_where(None) is None


_EXPRESSIONS = (
    "contains(properties.speech, 'a')",
    "to_string(@)",
    "length(properties)",
    "seq > `5`",
    "ceil(seq)",
    "sort_by(properties, &seq)",
    "a[*].b == c",
)


@few
@given(st.sampled_from(_EXPRESSIONS), strange_messages())
def test_any_message_can_be_asked(expression: str, sent: Any) -> None:
    asked = Selection(where=compile_where(expression), only=TypePattern(["*"]), role="pal", all=True)
    for one in replayed([sent]):
        assert asked(one) in (True, False)


@pytest.mark.parametrize("value", [*HOSTILE_VALUES.values(), DEEP], ids=[*HOSTILE_VALUES, "deep"])
def test_hostile_values_can_be_asked_for(value: Any) -> None:
    for expression in _EXPRESSIONS:
        asked = selection(where=expression, only=["*"])
        sent = {"event_type": "x", "speech": value, "seq": value, "properties": {"speech": value, "a": value}}
        assert asked(EventEntry(decode(sent), 0.0)) in (True, False)


@pytest.mark.parametrize(
    ("where", "doubts"),
    [
        ('event_type == "conversation.utterance"', ["'conversation.utterance'"]),
        ("event_type == utterance", ["'utterance'"]),
        ("utterance", ["'utterance'"]),
        ("properties.text == 'a' && \"tool\"", ["'tool'"]),
        ("contains(event_type, started)", ["'started'"]),
        ("propertes.text", ["did you mean properties?"]),
        ("Seq > `3`", ["did you mean seq?"]),
        ("event_type == 'conversation.utterance'", []),
        ('seq > `3` && properties.role == `"user"`', []),
        ("properties.anything[?x == y].z | [0]", []),
        ("event_type == 'conversation.utterence'", ["did you mean conversation.utterance?"]),
        ("event_type == 'utterance'", ["did you mean conversation.utterance?"]),
        ("'system.shutdwn' == event_type", ["did you mean system.shutdown?"]),
        ('seq > `3` && !(event_type != `"conversation.tool_cal"`)', ["did you mean conversation.tool_call?"]),
        ("starts_with(event_type, 'conversation.obj')", []),
        ("starts_with(event_type, 'objective')", ['no known event_type starts with "objective"']),
        ("contains(event_type, 'speking') || contains(event_type, 'speak')", ["speking"]),
        ("contains(['system.shutdown', 'system.shtdown'], event_type)", ["did you mean system.shutdown?"]),
        ("message_type == 'sytem'", ['no known message_type is "sytem"; did you mean system?']),
        ("properties.role == 'usr'", ['no known properties.role is "usr"; did you mean user?']),
        ("turn_idx == '3' || seq < '9'", ["seq is a number", "turn_idx is a number"]),
        ("event_type != `null` && properties.anything == 'whatever'", []),
        ("properties | role == 'usr' ", []),
        ("@", []),
    ],
)
def test_an_expression_that_may_select_nothing_is_questioned(where: str, doubts: list[str]) -> None:
    found = selection(where=where).doubts()
    assert len(found) == len(doubts)
    assert all(doubt in text for doubt, text in zip(doubts, found, strict=True))


@pytest.mark.parametrize(
    ("given", "doubts"),
    [
        ({"role": "pall"}, ['no known role "pall"; did you mean pal?']),
        ({"role": "usr"}, ['no known role "usr"; did you mean user?']),
        ({"role": "zebra"}, ['no known role "zebra"']),
        ({"role": "persona"}, []),
        ({"only": ["utterence"]}, ['no known event type matches "utterence"; did you mean utterance?']),
        ({"ignore": ["x.*"]}, ['no known event type matches "x.*"']),
    ],
)
def test_a_filter_that_matches_nothing_known_is_questioned(given: dict[str, Any], doubts: list[str]) -> None:
    assert selection(**given).doubts() == doubts


def test_one_of_several_is_questioned_by_itself() -> None:
    doubts = TypePattern(["utterance,tol_call", "shutdown"]).doubts()
    assert doubts == ['no known event type matches "tol_call"; did you mean tool_call?']


def test_a_type_that_was_seen_is_known() -> None:
    assert TypePattern(["brand_new", "app.*"]).doubts(["conversation.brand_new", "app.event"]) == []
    (doubt,) = TypePattern(["brand_nw"]).doubts(["conversation.brand_new"])
    assert doubt.endswith("did you mean brand_new?")


@pytest.mark.parametrize(
    ("where", "meant"),
    [
        ("event_type == 'app.event'", None),
        ("event_type == 'conversation.brand_nw'", "conversation.brand_new"),
        ("ends_with(event_type, 'brand_new')", None),
    ],
)
def test_a_type_that_was_seen_is_known_in_an_expression(where: str, meant: str | None) -> None:
    doubts = selection(where=where).doubts(["conversation.brand_new", "app.event"])
    assert [one.rpartition(" ")[2] for one in doubts] == ([f"{meant}?"] if meant else [])
