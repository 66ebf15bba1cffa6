"""Which events repeat another one: twins, heartbeats, partials, two generations of events."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.protocol.events import Event, decode
from tavus_cli.protocol.folding import Fold, Folding
from tests.kits.conversations import (
    HOSTILE_VALUES,
    SAMPLES,
    TYPES,
    deep_messages,
    few,
    hostile_messages,
    message,
    strange_messages,
)

STARTED, STOPPED = "conversation.started_speaking", "conversation.stopped_speaking"
OLD_STARTED, OLD_STOPPED = "conversation.replica.started_speaking", "conversation.replica.stopped_speaking"
UTTERANCE, STREAMING = "conversation.utterance", "conversation.utterance.streaming"

_SAMPLES: dict[Fold, list[int]] = {
    "twin": [2, 6, 7, 9, 11, 12, 15, 20, 25, 26, 28, 30, 34, 35, 46, 47],
    "heartbeat": [3, 4],
    "partial": [16, 17, 18, 19, 29, 31, 32, 42, 57],
}


def folds(*messages: dict[str, Any]) -> list[Fold | None]:
    folding = Folding()
    return [folding.fold(decode(one)) for one in messages]


def test_samples_by_line() -> None:
    expected = {line: fold for fold, lines in _SAMPLES.items() for line in lines}
    assert {line: fold for line, fold in enumerate(folds(*SAMPLES), 1) if fold} == expected


def says(name: str, role: str | None = None, inference: str | None = None, /, **more: Any) -> dict[str, Any]:
    return message(name, inference=inference, **({"role": role} if role else {}), **more)


def spoken(role: str, speech: str, inference: str | None = "i", **more: Any) -> dict[str, Any]:
    return says(UTTERANCE, role, inference, speech=speech, **more)


def snapshot(
    role: str, speech: str, index: Any = 0, *, inference: str | None = "i", **more: Any
) -> dict[str, Any]:
    return says(STREAMING, role, inference, speech=speech, content_index=index, **{"final": False, **more})


_CASES: dict[str, tuple[list[dict[str, Any]], list[Fold | None]]] = {
    "a twin by role": ([spoken("pal", "a"), spoken("replica", "a")], [None, "twin"]),
    "a twin the other way round": ([spoken("replica", "a"), spoken("pal", "a")], [None, "twin"]),
    "a twin without ids": ([spoken("pal", "a", None), spoken("replica", "a", None)], [None, "twin"]),
    "the same words said again": ([spoken("pal", "a", "i"), spoken("pal", "a", "j")], [None, None]),
    "said again without ids": ([spoken("pal", "a", None), spoken("pal", "a", None)], [None, None]),
    "other words": ([spoken("pal", "a"), spoken("replica", "b")], [None, None]),
    "the same, now flagged interrupted": (
        [spoken("pal", "a"), spoken("pal", "a", interrupted=True)],
        [None, None],
    ),
    "a user says it twice": ([spoken("user", "a"), spoken("user", "a")], [None, None]),
    "a user says what the PAL said": ([spoken("pal", "a"), spoken("user", "a")], [None, None]),
    "ready under two names": (
        [says("system.replica_joined", replica_id="r"), says("system.pal_joined", face_id="r")],
        [None, "twin"],
    ),
    "ready twice is news": (
        [says("system.pal_joined", face_id="r"), says("system.pal_joined", face_id="r")],
        [None, None],
    ),
    "joined and ready are two things": (
        [says("system.replica_joined", replica_id="r"), says("system.replica_ready", replica_id="r")],
        [None, None],
    ),
    "ready of another face": (
        [says("system.replica_joined", replica_id="r"), says("system.pal_joined", face_id="s")],
        [None, None],
    ),
    "heartbeats": (
        [says(f"system.{name}") for name in ("replica_present", "pal_present", "heartbeat")],
        ["heartbeat"] * 3,
    ),
    "three events for one start": (
        [says(OLD_STARTED, None, "i"), says(STARTED, "pal", "i"), says(STARTED, "replica", "i")],
        [None, "twin", "twin"],
    ),
    "without ids too": (
        [says(STARTED, "pal"), says(OLD_STARTED), says(STARTED, "replica")],
        [None, "twin", "twin"],
    ),
    "without ids, the same name again is another start": (
        [says(STARTED, "pal"), says(STARTED, "pal")],
        [None, None],
    ),
    "only one side has an id": ([says(STARTED, "pal", "i"), says(OLD_STARTED)], [None, "twin"]),
    "another id is another start": ([says(STARTED, "pal", "i"), says(STARTED, "pal", "j")], [None, None]),
    "start, stop, start": (
        [says(STARTED, "pal", "i"), says(STOPPED, "pal", "i"), says(STARTED, "pal", "i")],
        [None, None, None],
    ),
    "roles apart": (
        [says(STARTED, "pal", "i"), says(STARTED, "user", "i"), says(STOPPED, "pal", "i")],
        [None, None, None],
    ),
    "another role in between": (
        [says(STARTED, "pal", "i"), says(STARTED, "user", "u"), says(STARTED, "replica", "i")],
        [None, None, "twin"],
    ),
    "a stop without a start": ([says(STOPPED, "pal", "i"), says(STOPPED, "replica", "i")], [None, "twin"]),
    "the old stop that tells nothing, before the new one": (
        [
            says(STARTED, "user", "u"),
            says("conversation.user.stopped_speaking", None, "u"),
            says(STOPPED, "user", "u", duration=1.0),
        ],
        [None, "twin", None],
    ),
    "the old stop that tells nothing, in an old build": (
        [
            says("conversation.user.started_speaking", None, "u"),
            says("conversation.user.stopped_speaking", None, "u"),
        ],
        [None, None],
    ),
    "the old stop with a duration comes first": (
        [
            says(STARTED, "pal", "i"),
            says(OLD_STOPPED, None, "i", duration=1.0),
            says(STOPPED, "pal", "i", duration=1.0),
        ],
        [None, None, "twin"],
    ),
    "the removed interruption beside its stop": (
        [
            says(STARTED, "pal", "i"),
            says(STOPPED, "pal", "i", interrupted=True),
            says("conversation.replica_interrupted", None, "i"),
        ],
        [None, None, "twin"],
    ),
    "only the removed interruption": ([says("conversation.replica_interrupted", None, "i")], [None]),
    "the removed interruption of another": (
        [says(STOPPED, "pal", "i", interrupted=True), says("conversation.replica_interrupted", None, "j")],
        [None, None],
    ),
    "a user's snapshots, the final one too": (
        [snapshot("user", "a"), snapshot("user", "a b", 1, final=True)],
        ["partial", "partial"],
    ),
    "the PAL's snapshots": (
        [snapshot("pal", "a"), snapshot("replica", "a"), snapshot("pal", "a b", 1)],
        ["partial", "twin", "partial"],
    ),
    "the last word, of which nothing else tells": (
        [snapshot("pal", "a"), snapshot("pal", "a b", 1, final=True)],
        ["partial", None],
    ),
    "the last word, as it was meant": (
        [spoken("pal", "a b"), snapshot("pal", "a b", 1, final=True)],
        [None, "partial"],
    ),
    "the last word, cut short": (
        [spoken("pal", "a b"), snapshot("pal", "a", 1, final=True, is_interrupted=True)],
        [None, None],
    ),
    "the last word, other than meant": (
        [spoken("pal", "a b"), snapshot("pal", "a c", 1, final=True)],
        [None, None],
    ),
    "the last word twice": (
        [snapshot("pal", "a", 1, final=True), snapshot("replica", "a", 1, final=True)],
        [None, "twin"],
    ),
    "a snapshot under the plain name": (
        [spoken("pal", "a", final=False), spoken("replica", "a", final=False)],
        ["partial", "twin"],
    ),
    "a tool call twice": (
        [says("conversation.tool_call", name="f", arguments="{}", tool_call_id="c")] * 2,
        [None, "twin"],
    ),
    "a tool call without an id twice": (
        [says("conversation.tool_call", name="f", arguments="{}")] * 2,
        [None, None],
    ),
    "the same call with other arguments": (
        [says("conversation.tool_call", name="f", arguments=text, tool_call_id="c") for text in ("{}", "[]")],
        [None, None],
    ),
    "the analysis under two names": (
        [says(f"conversation.perception{mark}analysis", analysis="a") for mark in "_-"],
        [None, "twin"],
    ),
    "unknown, foreign, objectives, guardrails: never": (
        [{"a": 1}, says("conversation.new"), says("conversation.guardrail.x"), says("system.shutdown")] * 2,
        [None] * 8,
    ),
}


@pytest.mark.parametrize(("messages", "expected"), _CASES.values(), ids=_CASES)
def test_cases(messages: list[dict[str, Any]], expected: list[Fold | None]) -> None:
    assert folds(*messages) == expected


def test_the_intended_text() -> None:
    folding = Folding()
    folding.fold(decode(spoken("pal", "all of it")))
    folding.fold(decode(spoken("user", "not this", "u")))
    folding.fold(decode(spoken("pal", "nor this", None)))
    assert [folding.intended(one) for one in ("i", "u", None, "other")] == ["all of it", None, None, None]


def test_twins_are_remembered_for_a_while_and_no_longer() -> None:
    folding = Folding()
    assert folding.fold(decode(spoken("pal", "a", "first"))) is None
    for number in range(400):
        folding.fold(decode(spoken("pal", "x", f"n{number}")))
    assert folding.fold(decode(spoken("replica", "a", "first"))) == "twin"
    for number in range(400, 2_000):
        folding.fold(decode(spoken("pal", "x", f"n{number}")))
    assert folding.fold(decode(spoken("replica", "a", "first"))) is None
    assert folding.intended("n0") is None
    assert folding.intended("n1999") == "x"


def test_memory_is_bounded() -> None:
    folding = Folding()
    for number in range(5_000):
        for name in (STARTED, STOPPED, UTTERANCE, STREAMING):
            folding.fold(
                decode(says(name, f"role {number}", f"i{number}", speech="x", content_index=[number]))
            )
        folding.fold(decode(spoken("pal", "x", f"p{number}")))
    assert len(folding._speaking) <= 65
    for recent in (folding._recent, folding._intended):
        assert len(recent._new) + len(recent._old) <= 1_024


@few
@given(st.lists(strange_messages(), max_size=8))
def test_any_message_is_folded_without_an_error(messages: list[Any]) -> None:
    folding = Folding()
    for one in messages:
        event: Event = decode(one)
        assert folding.fold(event) in (None, "twin", "heartbeat", "partial")
        if event.kind.family in ("unknown", "foreign"):
            assert folding.fold(event) is None


@pytest.mark.parametrize("value", HOSTILE_VALUES.values(), ids=HOSTILE_VALUES)
def test_hostile_values_in_every_field(value: Any) -> None:
    folding = Folding()
    for name in TYPES:
        for one in hostile_messages(name, value):
            assert folding.fold(decode(one)) in (None, "twin", "heartbeat", "partial")


def test_deep_values_in_every_field() -> None:
    folding = Folding()
    for name in TYPES:
        for one in deep_messages(name):
            assert folding.fold(decode(one)) in (None, "twin", "heartbeat", "partial")
            role = {**one["properties"], "role": "pal"}
            assert folding.fold(decode({**one, "properties": role})) in (None, "twin", "heartbeat", "partial")
