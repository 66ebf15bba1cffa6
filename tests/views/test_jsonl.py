"""Views for machines: messages as unchanged JSON lines, in envelopes, or by a template."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given

from tavus_cli.errors import UsageError
from tavus_cli.protocol.conversation import Conversation
from tavus_cli.protocol.entries import Entry, EventEntry, GapEntry, NoteEntry, SentEntry
from tavus_cli.protocol.events import decode
from tavus_cli.protocol.interactions import respond
from tavus_cli.protocol.turns import Turn
from tavus_cli.protocol.wire import from_json, to_json
from tavus_cli.session.environment import local_strftime
from tavus_cli.views.jsonl import JsonlView, TemplateView
from tests.kits.conversations import (
    DEEP,
    FIELDS,
    HOSTILE_VALUES,
    SAMPLE_LINES,
    SAMPLES,
    SENT_TYPES,
    START,
    TYPES,
    assert_harmless,
    every_entry,
    hostile_messages,
    json_values,
    message,
    replayed,
    same_value,
    some,
    strange_messages,
    texts,
)

UTTERANCE = "conversation.utterance"


def of(sent: Any, raw: str | None = None, **more: Any) -> EventEntry:
    return EventEntry(decode(sent, START, "peer", raw), **{"at": START, **more})


def line(entry: Entry, *, envelope: bool = False) -> str:
    (only,) = JsonlView(envelope=envelope).lines([entry])
    return only


# -- JSON lines ----------------------------------------------------------------------------------------


def test_samples_are_printed_unchanged() -> None:
    conversation = Conversation(by_count=True)
    entries: list[Entry] = []
    for text in SAMPLE_LINES:
        entries += conversation.receive(json.loads(text), None, None, text)
    entries += conversation.close()
    lines = JsonlView().lines(entries)
    assert lines == [*SAMPLE_LINES[:16], SAMPLE_LINES[17], SAMPLE_LINES[16], *SAMPLE_LINES[18:]]


def test_messages_that_came_as_objects() -> None:
    lines = JsonlView().lines(replayed(SAMPLES))
    assert [json.loads(one) for one in lines] == [*SAMPLES[:16], SAMPLES[17], SAMPLES[16], *SAMPLES[18:]]


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ('{"a": 1.0,  "b":1e2}', '{"a": 1.0,  "b":1e2}'),
        ('{"a":"\\u00e9\\u001b"}', '{"a":"\\u00e9\\u001b"}'),
        ('{"a":"é時"}', '{"a":"é時"}'),
        ('{"a":"\x7f\u202e"}', '{"a":"\\u007f\\u202e"}'),
        ('{\n  "a": 1\r\n}', '{   "a": 1  }'),
        ('{"a":\r1}', '{"a": 1}'),
        ('{"a":\n1}', '{"a": 1}'),
        ('{"a":\t1}', '{"a": 1}'),
        ('{"a":12345678901234567890123}', '{"a":12345678901234567890123}'),
    ],
    ids=ascii,
)
@pytest.mark.parametrize("envelope", [False, True], ids=["bare", "envelope"])
def test_text_is_kept_but_for_what_a_terminal_would_obey(raw: str, shown: str, envelope: bool) -> None:
    out = line(of(json.loads(raw), raw), envelope=envelope)
    tab = '{"a":\t1}'  # harmless to a terminal: either way will do
    if raw == tab:
        out = out.replace(tab, shown)
    assert out.endswith(shown + "}" if envelope else shown)
    assert len(out.splitlines()) == 1


def test_a_json_string_comes_out_as_a_json_string() -> None:
    text = '{"event_type": "x", "seq": 1}'
    assert line(of(text)) == json.dumps(text)
    assert line(of("just text")) == '"just text"'


@pytest.mark.parametrize("entry", [GapEntry(1, 2, START), NoteEntry("n", START)], ids=["gap", "note"])
def test_what_is_not_a_message_is_reported_in_the_envelope_alone(entry: Entry) -> None:
    assert JsonlView().lines([entry]) == []
    assert len(JsonlView(envelope=True).lines([entry])) == 1


_SENT = decode(respond("Hi").encode("c"), direction="out")
_MESSAGE = {"event_type": "x", "seq": 1}


@pytest.mark.parametrize(
    ("entry", "enveloped"),
    [
        (of(_MESSAGE), {"at": START, "dir": "in", "message": _MESSAGE}),
        (of(_MESSAGE, at=START + 0.12345678), {"at": START + 0.123457, "dir": "in", "message": _MESSAGE}),
        (of(_MESSAGE, turn=Turn(0, START)), {"at": START, "dir": "in", "turn": 0, "message": _MESSAGE}),
        (of(_MESSAGE, fold="twin"), {"at": START, "dir": "in", "fold": "twin", "message": _MESSAGE}),
        (
            of(_MESSAGE, late=True, differs=True, back=True),
            {"at": START, "dir": "in", "late": True, "differs": True, "message": _MESSAGE},
        ),
        (
            SentEntry(_SENT, START, Turn(3, START), echo=0.5),
            {"at": START, "dir": "out", "turn": 3, "message": _SENT.message},
        ),
        (of([1]), {"at": START, "dir": "in", "message": [1]}),
        (GapEntry(1, 2, START), {"at": START, "gap": [1, 2]}),
        (NoteEntry("a\n\u202e", START), {"at": START, "note": "a\n\u202e"}),
    ],
)
def test_envelopes(entry: Entry, enveloped: Any) -> None:
    out = line(entry, envelope=True)
    assert list(json.loads(out).items()) == list(enveloped.items())
    assert_harmless([out])


# -- templates -----------------------------------------------------------------------------------------

_ORDER = message(
    UTTERANCE, seq=7, turn=2, at=START, inference="i", role="replica", speech="Hi", list=[1, {"a": "b"}]
)


def by(template: str, sent: Any = _ORDER, **more: Any) -> str:
    (only,) = TemplateView(template).lines([of(sent, **{"turn": Turn(2, START), **more})])
    return only


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("{time}", "1790000000.0"),
        ("{time:.3f}", "1790000000.000"),
        ("{seq}", "7"),
        ("{seq:>4}|{seq:04d}", "   7|0007"),
        ("{turn}", "2"),
        ("{type}", UTTERANCE),
        ("{short}", "utterance"),
        ("{role}", "pal"),
        ("{text}", "Hi"),
        ("{text:<5}|", "Hi   |"),
        ("{text:.1}", "H"),
        ("{summary}", "Hi"),
        ("{inference_id}", "i"),
        ("{sender}", "peer"),
        ("{json}", to_json(_ORDER)),
        ("{event_type}", UTTERANCE),
        ("{properties.role}", "replica"),
        ("{properties.list}", '[1,{"a":"b"}]'),
        ("{properties.list.1.a}", "b"),
        ("{properties.list.9}", ""),
        ("{properties.list." + "9" * 5_000 + "}", ""),
        ("{properties.list.a}", ""),
        ("{properties.list.0.a}", ""),
        ("{properties.nothing.here}", ""),
        ("{conversation_id}|", "|"),
        ("{seq} {role}: {text}", "7 pal: Hi"),
        ("{{seq}}", "{seq}"),
        ("a\\tb\\nc", "a\tb\nc"),
        ("a \\ b", "a \\ b"),
        ("plain", "plain"),
        ("", ""),
        ("{role:>5.2f}", "pal"),
        ("{text:d}", "Hi"),
    ],
)
def test_templates(template: str, shown: str) -> None:
    assert by(template) == shown


def test_the_times_of_a_template() -> None:
    turn = Turn(1, START, START, START + 0.72)
    view = TemplateView(
        "{time:%H:%M:%S} {delta} {reply} {role} {text} {summary}",
        lambda at, form: datetime.fromtimestamp(at, UTC).strftime(form),
    )
    typed = SentEntry(decode(respond("Hi").encode("c"), direction="out"), START, turn)
    said = decode(message(UTTERANCE, role="pal", speech="Hello", is_interrupted=True))
    assert view.lines([typed, EventEntry(said, START + 1.25, turn)]) == [
        "14:13:20 0.0  user Hi respond",
        "14:13:21 1.25 0.72 pal Hello ✂ interrupted",
    ]
    assert TemplateView("{time:%Y}", local_strftime).lines([EventEntry(said, 1e300)]) == [""]
    assert TemplateView("{summary}").lines([EventEntry(said, START)]) == ["Hello  ✂ interrupted"]


def test_fields_that_are_not_there_are_empty() -> None:
    template = "{seq}{turn}{role}{text}{inference_id}{type}{seq:>2}{seq:03d}{properties.a.b}"
    assert by(template, {"chat": 1}, turn=None) == "  "
    assert by("{sender}", SAMPLES[0]) == "peer"
    assert by("{properties.a}", {"event_type": "x", "properties": {"a": True}}) == "true"
    assert by("{properties.a}", {"event_type": "x", "properties": {"a": None}}) == ""


def test_a_number_too_large_to_write() -> None:
    assert by("{properties.a}", {"event_type": "x", "properties": {"a": 10**5_000}}) == '"not JSON"'


def test_gaps_and_notes_have_no_fields() -> None:
    entries: list[Entry] = [GapEntry(1, 2, START), NoteEntry("n", START), SentEntry(_SENT, START)]
    assert TemplateView("{text}").lines(entries) == ["Hi"]


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{sec}", 'unknown field "sec"; did you mean seq?; fields are time, seq, turn'),
        ("{zzz}", 'unknown field "zzz"; fields are'),
        ("{}", "a field has no name"),
        ("{.a}", "a field has no name"),
        ("{0}", 'unknown field "0"'),
        ("{text!r}", "no conversion such as !r"),
        ("{seq", "expected '}' before end of string"),
        ("seq}", "Single '}' encountered"),
        ("{seq:zz}", '"zz" is not a valid format'),
        ("{seq:{turn}}", '"{turn}" is not a valid format'),
        ("{seq:>99999999999}", '">99999999999" is not a valid format'),
        ("{text[0]}", 'unknown field "text[0]"'),
        ("{text.__class__}", None),
    ],
)
def test_what_is_not_a_template(template: str, message: str | None) -> None:
    if message is None:
        assert by(template) == ""  # a path in the message, never into our objects
        return
    with pytest.raises(UsageError, match="^--format: " + re.escape(message)):
        TemplateView(template)


# -- hostile -------------------------------------------------------------------------------------------

_EVERY_FIELD = " ".join(
    [
        *(f"{{{name}}}" for name in ("time", "seq", "turn", "type", "short", "role", "text", "summary")),
        *(f"{{{name}}}" for name in ("inference_id", "sender", "json", "message_type", "properties")),
        *(f"{{properties.{name}}}" for name in FIELDS),
        "{seq:>6} {text:.5} {properties.duration:.2f} {properties.frames.0.mime_type:>10} {role:d}",
    ]
)
_TEMPLATE = TemplateView(_EVERY_FIELD)


def check(entries: list[Entry]) -> None:
    """Checks every view: harmless, one line each, and JSON with the original value."""
    messages = [one for one in entries if isinstance(one, EventEntry | SentEntry)]
    bare = JsonlView().lines(entries)
    enveloped = JsonlView(envelope=True).lines(entries)
    templated = _TEMPLATE.lines(entries)
    for lines in (bare, enveloped, templated):
        assert_harmless(lines)
    assert (len(bare), len(enveloped), len(templated)) == (len(messages), len(entries), len(messages))
    for entry, text in zip(messages, bare, strict=True):
        assert same_value(_as_decoded(from_json(text)), entry.event.message)
    for one, text in zip(entries, enveloped, strict=True):
        value = from_json(text)
        assert value["at"] == START
        if isinstance(one, EventEntry | SentEntry):
            assert same_value(_as_decoded(value["message"]), one.event.message)
        elif isinstance(one, NoteEntry):
            assert value["note"] == one.text


def _as_decoded(value: Any) -> Any:
    """A string that holds a message is decoded, as it was when it came."""
    return decode(value).message


@pytest.mark.parametrize("value", HOSTILE_VALUES.values(), ids=HOSTILE_VALUES)
def test_hostile_values_in_every_field_of_every_type(value: Any) -> None:
    text = value if isinstance(value, str) else "\x1b"
    for name in (UTTERANCE, "conversation.perception_tool_call", "odd", SENT_TYPES[0]):
        check([entry for one in hostile_messages(name, value) for entry in every_entry(one, text)])


def test_hostile_values_in_every_summary() -> None:
    template = TemplateView("{summary} {type} {short} {role}")
    for name in (*TYPES, *SENT_TYPES):
        for value in HOSTILE_VALUES.values():
            assert_harmless(template.lines([of(one) for one in hostile_messages(name, value)]))


def test_deep_values() -> None:
    for sent in (
        {"event_type": UTTERANCE, "properties": {"speech": DEEP, "role": DEEP}},
        {"event_type": DEEP},
        DEEP,
    ):
        check(every_entry(sent, "\x1b"))


@some
@given(strange_messages(), texts())
def test_any_message(sent: Any, text: str) -> None:
    check(every_entry(sent, text))


@some
@given(json_values())
def test_any_json_text_keeps_its_value(value: Any) -> None:
    for raw in (json.dumps(value), json.dumps(value, ensure_ascii=False), json.dumps(value, indent=1)):
        out = line(of(value, raw))
        assert_harmless([out])
        assert same_value(json.loads(out), value)


@pytest.mark.parametrize("text", ["a" * 10**6, "\x1b" * 10**5], ids=["plain", "escapes"])
def test_long_texts(text: str) -> None:
    check([of(message(UTTERANCE, role="pal", speech=text)), of(text), NoteEntry(text, START)])
