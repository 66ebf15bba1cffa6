"""Conversations for tests: samples, generated ones, and messages that a hostile peer could send."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tavus_cli.language.selection import Selection
from tavus_cli.protocol.catalogue import CATALOGUE
from tavus_cli.protocol.conversation import Conversation
from tavus_cli.protocol.entries import Entry, EventEntry, GapEntry, NoteEntry, SentEntry
from tavus_cli.protocol.events import decode
from tavus_cli.protocol.turns import ToolCall, Turn
from tavus_cli.protocol.wire import MAX_DEPTH
from tavus_cli.views.line import LineView
from tavus_cli.views.theme import DARK, RESET

Message = dict[str, Any]

_FOLDER = Path(__file__).parent.parent / "samples"
SAMPLE_LINES = (_FOLDER / "events.jsonl").read_text("utf-8").splitlines()
SAMPLES: list[Message] = [json.loads(line) for line in SAMPLE_LINES]
INTERACTIONS: list[Message] = [
    json.loads(line) for line in (_FOLDER / "interactions.jsonl").read_text("utf-8").splitlines()
]
SEEN_LINES = (_FOLDER / "seen.jsonl").read_text("utf-8").splitlines()
SEEN: list[Message] = [json.loads(line) for line in SEEN_LINES]  # of public clients, old and odd ones too
START = 1_790_000_000.0  # Unix seconds of generated messages

_SLOW_IS_FINE = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]


def examples(count: int, suppress: Collection[HealthCheck] = ()) -> settings:
    """Try this many examples; fewer in the profile "quick" (see tests/conftest.py)."""
    return settings(
        deadline=None,
        max_examples=max(1, count * settings().max_examples // 100),
        suppress_health_check=[*_SLOW_IS_FINE, *suppress],
    )


few = examples(30)
some = examples(100)
many = examples(300)


# -- messages ------------------------------------------------------------------------------------------


def message(
    name: str,
    /,
    *,
    seq: Any = None,
    turn: Any = None,
    at: Any = None,
    inference: Any = None,
    **properties: Any,
) -> Message:
    """A wire message of Tavus with only the given fields."""
    full = {
        "message_type": "system" if name.startswith("system.") else "conversation",
        "event_type": name,
        "seq": seq,
        "turn_idx": turn,
        "timestamp": at,
        "inference_id": inference,
        "properties": properties or None,
    }
    return {key: value for key, value in full.items() if value is not None}


def utc(seconds: int) -> str:
    return time.strftime("%H:%M:%S", time.gmtime(seconds))


def replayed(messages: Iterable[Any]) -> list[Entry]:
    """The entries of a file of bare messages."""
    conversation = Conversation(by_count=True)
    out = [entry for one in messages for entry in conversation.receive(one, None)]
    return out + conversation.close()


def events_of(entries: Iterable[Entry]) -> list[EventEntry]:
    return [entry for entry in entries if isinstance(entry, EventEntry)]


def pretty(messages: Iterable[Any], *, all: bool = False) -> list[str]:
    """What ``replay`` shows of a file of bare messages."""
    selection = Selection(all=all)
    return LineView(utc, all=all).lines(entry for entry in replayed(messages) if selection(entry))


@st.composite
def shuffled(draw: st.DrawFn, messages: list[Message], within: int = 20) -> list[Message]:
    """The numbered messages up to ``within`` places from where they were; the others keep their place."""
    places = [place for place, one in enumerate(messages) if "seq" in one]
    delays = draw(st.lists(st.integers(0, within), min_size=len(places), max_size=len(places)))
    order = sorted(range(len(places)), key=lambda index: index + delays[index])
    out = list(messages)
    for place, index in zip(places, order, strict=True):
        out[place] = messages[places[index]]
    return out


# -- generated conversations ---------------------------------------------------------------------------

FAMILY = "\U0001f469\u200d\U0001f469\u200d\U0001f467"  # one picture of three, held by joiners
_WORDS = ("hours", "order", "8841", "please", "schön", "時間", FAMILY, "returns", "now")
_QUIET = ("conversation.objective.activated", "conversation.rag.observability", "conversation.brand_new")


@st.composite
def conversations(draw: st.DrawFn, turns: int = 4) -> list[Message]:
    """A plausible conversation: turns with twins, partials, heartbeats, and events without a number."""
    out: list[Message] = []
    seq = draw(st.integers(0, 5_000))
    now = START

    def say(name: str, turn: int | None = None, inference: str | None = None, /, **properties: Any) -> None:
        nonlocal seq, now
        now = round(now + draw(st.integers(1, 900)) / 1000, 3)
        if draw(st.integers(0, 14)) == 0:  # an old build
            out.append(message(name, inference=inference, **properties))
            return
        seq += draw(st.sampled_from((1, 1, 1, 1, 1, 1, 1, 2)))
        out.append(message(name, seq=seq, turn=turn, at=now, inference=inference, **properties))

    def speech() -> str:
        return " ".join(draw(st.lists(st.sampled_from(_WORDS), min_size=1, max_size=5)))

    for turn in range(draw(st.integers(1, turns))):
        asked, answered = speech(), speech()
        say("conversation.user.started_speaking", turn, f"u{turn}")
        say("conversation.utterance.streaming", turn, f"u{turn}", role="user", speech=asked[:3], final=False)
        say("conversation.stopped_speaking", turn, f"u{turn}", role="user", duration=1.5, interrupted=False)
        say("conversation.utterance", turn, f"u{turn}", role="user", speech=asked)
        if draw(st.booleans()):
            say("system.pal_present", attempt=turn)
            say(draw(st.sampled_from(_QUIET)), turn, detail=speech())
        if draw(st.booleans()):
            say(
                "conversation.tool_call",
                turn,
                f"u{turn}",
                name="look",
                arguments="{}",
                tool_call_id=f"c{turn}",
            )
        for role in ("pal", "replica"):
            say("conversation.started_speaking", turn, f"p{turn}", role=role)
        for role in ("pal", "replica"):
            say("conversation.utterance", turn, f"p{turn}", role=role, speech=answered)
        cut = draw(st.booleans())
        say(
            "conversation.utterance.streaming",
            turn,
            f"p{turn}",
            role="pal",
            speech=answered[:4] if cut else answered,
            content_index=0,
            final=True,
            is_interrupted=cut,
        )
        say("conversation.stopped_speaking", turn, f"p{turn}", role="pal", duration=2.0, interrupted=cut)
    return out


# -- hostile values ------------------------------------------------------------------------------------

ESC, BEL, CSI, OSC, DEL = "\x1b", "\x07", "\x9b", "\x9d", "\x7f"
RIGHT_TO_LEFT, BYTE_ORDER_MARK, TAG_A = "\u202e", "\ufeff", "\U000e0041"
LONE_HIGH, LONE_LOW = "\ud83d", "\udc80"
ZWNJ, ZWJ, EMOJI_STYLE, TEXT_STYLE = "\u200c", "\u200d", "\ufe0f", "\ufe0e"
KEPT = (ZWNJ, ZWJ, EMOJI_STYLE, TEXT_STYLE, "\U000e0100", "\t", "\xa0", "é", FAMILY)

HOSTILE_TEXTS = {
    "empty": "",
    "rich markup": "[/oops] [bold red]",
    "braces": "{seq} {0.__class__} %s %(x)s",
    "quotes": "\"'\\",
    "newlines": "one\r\ntwo\nthree\x0b\x0cfour\x85five\u2028six\u2029seven",
    "colour": f"{ESC}[38;5;9mred",
    "clear screen": f"{ESC}[2J{ESC}c",
    "title": f"{ESC}]0;owned{BEL}",
    "clipboard": f"{ESC}]52;c;aGk={ESC}\\",
    "link": f"{ESC}]8;;http://example.invalid{ESC}\\x{ESC}]8;;{ESC}\\",
    "eight-bit controls": f"{CSI}2J{OSC}52;c;aGk={BEL}",
    "null and delete": f"\x00{DEL}\x08",
    "bidi": f"abc{RIGHT_TO_LEFT}fed\u2066\u2069\u061c\u200e\u200f",
    "lone surrogates": f"{LONE_HIGH} {LONE_LOW}",
    "byte order mark": BYTE_ORDER_MARK,
    "tag characters": f"🏴{TAG_A}",
    "json in text": '{"event_type": "conversation.utterance"',
    "wide": "時間" * 20,
    "joined": FAMILY * 20,
}


def deep(levels: int, inner: Any = None) -> Any:
    """Lists and objects in turn, ``levels`` deep."""
    value = inner
    for level in range(levels):
        value = {"a": value} if level % 2 else [value]
    return value


HOSTILE_VALUES: dict[str, Any] = {
    **HOSTILE_TEXTS,
    "true": True,
    "null": None,
    "minus one": -1,
    "400 digits": 10**399,
    "float": 2.5,
    "not a number": math.nan,
    "infinity": -math.inf,
    "empty list": [],
    "empty object": {},
    "list of text": [f"{ESC}[2J", "\n", [LONE_HIGH]],
    "object of text": {f"{ESC}[2J\n": f"{RIGHT_TO_LEFT}\n", LONE_LOW: {}},
}
DEEP = deep(MAX_DEPTH + 20, f"{ESC}\n")  # nested too deep, but still read

_FIELDS = """
    role speech text content transcript interrupted is_interrupted duration final content_index name
    tool_name arguments tool_call_arguments tool_call_id modality frames analysis objective_name
    output_variables guardrail guardrail_name reason documents face_id replica_id shutdown_reason
    participant_id user_audio_analysis user_visual_analysis visual_context canvas_config context status
    output audio participant_pause_sensitivity anything_else
    participant objective tool_calls function speaker
"""
FIELDS = tuple(_FIELDS.split())
ENVELOPE = ("seq", "turn_idx", "inference_id", "timestamp", "conversation_id", "message_type")
TYPES = (
    *CATALOGUE,
    "conversation.some_future_event",
    "conversation.guardrail.fired",
    "Conversation.RAG.Observability",
    "system.unheard_of",
    "odd",
)
SENT_TYPES = (
    *(f"conversation.{name}" for name in ("echo", "respond", "interrupt", "sensitivity", "tool_result")),
    *(f"conversation.{name}_llm_context" for name in ("append", "overwrite")),
    "conversation.objective.confirm",
    "conversation.realtime_api",
)


def hostile_messages(name: str, value: Any) -> Iterator[Message]:
    """``value`` in every field of an event type: at each place where it is looked for, and as a number."""
    fields = dict.fromkeys(FIELDS, value)
    inside = {
        "frames": [{"data": value, "mime_type": value}, {"uri": value}, value],
        "documents": [{"document_name": value}, {"document_id": value}],
        "canvas_config": {"component": value},
        "output_variables": {"name": value},
    }
    yield {"event_type": name, "properties": fields}
    yield {"event_type": name, "properties": value}
    yield {"event_type": name, **fields}
    yield {"event_type": name, **dict.fromkeys(ENVELOPE, value), "properties": fields}
    yield {"event_type": name, "properties": {**fields, **inside}}
    yield {"event_type": name, "properties": inside, "canvas_config": {"component": value}}
    for role in ("pal", "user"):
        yield message(name, seq=7, turn=3, at=START, inference="i", **{**fields, "role": role, "final": True})
    if isinstance(value, str):
        yield {"event_type": f"conversation.{value}", "properties": fields}
        yield {"event_type": f"conversation.guardrail.{value}", "properties": fields}
        yield {"event_type": value, "properties": fields}


def deep_messages(name: str) -> Iterator[Message]:
    """As ``hostile_messages`` with a value nested too deep, where it can matter."""
    fields = FIELDS if name in CATALOGUE or name in SENT_TYPES else ("speech", "anything_else")
    yield {"event_type": name, "properties": dict.fromkeys(fields, DEEP)}
    yield {"event_type": name, "properties": DEEP, "role": DEEP, "seq": DEEP, "inference_id": DEEP}
    frames = [{"data": "AAAA", "mime_type": DEEP}, {"uri": DEEP}, DEEP]
    yield {
        "event_type": name,
        "canvas_config": {"component": DEEP},
        "properties": {"frames": frames, "documents": [{"document_id": DEEP}], "arguments": DEEP},
    }


_CHARACTERS = st.one_of(
    st.characters(),
    st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Mn"]),
    st.sampled_from([*KEPT, ESC, BEL, CSI, DEL, RIGHT_TO_LEFT, BYTE_ORDER_MARK, TAG_A, "\n", "\r"]),
)


def _as_parsed(text: str) -> str:
    """Join neighbouring surrogates into one character, as decoding JSON does."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def texts(max_size: int = 40) -> st.SearchStrategy[str]:
    """Any text that JSON can hold, preferably dangerous."""
    wild = st.lists(_CHARACTERS, max_size=max_size).map(lambda parts: _as_parsed("".join(parts)))
    return st.one_of(wild, st.sampled_from(list(HOSTILE_TEXTS.values())))


def json_values(max_leaves: int = 12) -> st.SearchStrategy[Any]:
    """Any JSON value."""
    leaves = st.one_of(
        st.none(), st.booleans(), st.integers(), st.integers(10**30, 10**400), st.floats(), texts()
    )
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts(10), inner, max_size=5),
        max_leaves=max_leaves,
    )


def strange_messages() -> st.SearchStrategy[Any]:
    """Messages with known names and any values in their fields, and any other JSON value."""
    value = json_values(6) | st.sampled_from(list(HOSTILE_VALUES.values()))
    small = st.integers(-2, 40)
    names = st.sampled_from(TYPES) | texts(12)
    known = st.fixed_dictionaries(
        {"event_type": names | value},
        optional={
            "properties": value | st.dictionaries(st.sampled_from(FIELDS + ENVELOPE), value, max_size=8),
            "seq": small | value,
            "turn_idx": small | value,
            **dict.fromkeys(("inference_id", "timestamp", "conversation_id", "message_type", "role"), value),
            "speech": value,
        },
    )
    return st.one_of(known, known, known, value, known.map(json.dumps))


# -- what a terminal may be given ----------------------------------------------------------------------

_UNSAFE_RANGES = (
    (0x00, 0x08),
    (0x0A, 0x1F),
    (0x7F, 0x9F),
    (0x061C, 0x061C),
    (0x200E, 0x200F),
    (0x2028, 0x202E),
    (0x2066, 0x2069),
    (0xD800, 0xDFFF),
    (0xFEFF, 0xFEFF),
    (0xE0000, 0xE007F),
)
UNSAFE = frozenset(chr(code) for first, last in _UNSAFE_RANGES for code in range(first, last + 1))
_UNSAFE_PATTERN = re.compile("[" + "".join(f"{chr(a)}-{chr(b)}" for a, b in _UNSAFE_RANGES) + "]")


def unsafe_in(text: str) -> list[str]:
    return [hex(ord(one)) for one in _UNSAFE_PATTERN.findall(text)]


def without_color(line: str) -> str:
    """The line without our own theme's escape sequences; all others stay."""
    for sgr in {RESET, *DARK.styles.values()} - {""}:
        line = line.replace(sgr, "")
    return line


def assert_harmless(lines: Iterable[str]) -> None:
    """Assert that each is one line, encodable, and has no escape sequences but our own colours."""
    for line in lines:
        bare = without_color(line)
        assert not unsafe_in(bare), (unsafe_in(bare)[:5], bare[:200])
        line.encode("utf-8")


def same_value(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same: any depth, types told apart, NaN like NaN."""
    pairs = [(one, other)]
    while pairs:
        a, b = pairs.pop()
        if type(a) is not type(b):
            return False
        if isinstance(a, dict):
            if list(a) != list(b):
                return False
            pairs += [(value, b[key]) for key, value in a.items()]
        elif isinstance(a, list):
            if len(a) != len(b):
                return False
            pairs += list(zip(a, b, strict=True))
        elif a != b and not (a != a and b != b):
            return False
    return True


def every_entry(sent: Any, text: str) -> list[Entry]:
    """A message as every kind of entry, with ``text`` wherever remote text can appear."""
    event = decode(sent, START, text, None)
    turn = Turn(3, START - 1)
    call = ToolCall(text, text, START - 1, turn, START)
    return [
        *Conversation().receive(sent, START, text),
        EventEntry(event, START, Turn(4, START), opens=True, reply=1.0),
        EventEntry(event, START, turn, back=True, late=True, differs=True, fold="twin"),
        EventEntry(event, START, turn, intended=event.text + text),
        SentEntry(decode(sent, START, None, None, "out"), START, turn, echo=0.1, call=call),
        NoteEntry(text, START),
        GapEntry(1, 2, START),
    ]
