"""Daily's signalling as a pure state machine: joins, who hears what, and what no client can break."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.local.signalling import (
    Frame,
    Joined,
    Left,
    Line,
    Malformed,
    Outcome,
    Reach,
    Said,
    Signalling,
)

ANN, BOB, PAL = (str(uuid.UUID(int=number)) for number in (1, 2, 3))


def hello(who: str, name: str = "") -> str:
    return json.dumps({"msgStr": "join-for-sig", "from": who, "msgData": {"presence": {"name": name}}})


def frame(kind: str, data: Any = None) -> str:
    return json.dumps({"msgStr": kind, "msgData": data})


def join(room: Signalling, who: str, name: str = "") -> Line:
    line = Line()
    room.receive(line, hello(who, name))
    for step in (
        frame("join-as-new-peer", {"_sendTs": 1}),
        frame("create-transport", {"_sendTs": 2, "direction": "send"}),
        frame("create-transport", {"_sendTs": 3, "direction": "recv"}),
    ):
        room.receive(line, step.encode())  # the client sends bytes from here on
    return line


def sent(outcomes: list[Outcome]) -> list[tuple[str, dict[str, Any]]]:
    return [(one.line.id, json.loads(one.text)) for one in outcomes if isinstance(one, Frame)]


def test_the_frames_of_a_join() -> None:
    room = Signalling("session")
    room.come(PAL, name="Nora", user_id="tavus-replica-r1")
    line = Line()
    [(who, ack)] = sent(room.receive(line, hello(ANN, "Ann")))
    assert (who, ack["msgStr"], ack["fullParticipantsCount"]) == (ANN, "sig-ack", 2)
    assert ack["mtgSession"] == {"id": "session"}
    assert ack["presences"] == [{"id": PAL, "name": "Nora", "user_id": "tavus-replica-r1"}]
    [(_, peer)] = sent(room.receive(line, frame("join-as-new-peer", {"_sendTs": 17})))
    assert (peer["tag"], peer["msgData"]["_kTs"]) == ("soup", 17)
    room.receive(line, frame("create-transport", {"_sendTs": 18, "direction": "send"}))
    assert room.guests == []
    outcomes = room.receive(line, frame("create-transport", {"_sendTs": 19, "direction": "recv"}))
    assert Joined(ANN, "Ann") in outcomes
    assert room.guests == [ANN]
    assert sent(room.receive(line, frame("sig-ack", {"lTs": 1}))) == [(ANN, {"msgStr": "sig-ack"})]


@pytest.mark.parametrize(
    ("reach", "answers"), [("silent", 0), ("acknowledged", 1), ("routed", 2), ("joined", 4)]
)
def test_how_far_a_join_gets(reach: Reach, answers: int) -> None:
    room = Signalling("session", reach=reach)
    line = Line()
    outcomes = list(room.receive(line, hello(ANN)))
    if outcomes:
        outcomes += room.receive(line, frame("join-as-new-peer", {"_sendTs": 1}))
        for direction in ("send", "recv"):
            outcomes += room.receive(line, frame("create-transport", {"_sendTs": 2, "direction": direction}))
    assert len(sent(outcomes)) == answers
    assert room.guests == ([ANN] if reach == "joined" else [])


def test_messages_go_to_everybody_else_or_to_one() -> None:
    room = Signalling("session")
    ann, bob = join(room, ANN), join(room, BOB)
    for to, reached in (("*", [BOB]), (BOB, [BOB]), (ANN, [ANN]), (PAL, [])):
        given = {"tag": "x-egassem", "envelopeTo": to, "fields": {"a": 1}}
        outcomes = room.receive(ann, frame("sig-msg", given))
        assert [who for who, _ in sent(outcomes)] == reached
        assert Said(ANN, to, {"a": 1}) in outcomes
    assert [who for who, _ in sent(room.say("hello", PAL))] == [ANN, BOB]
    assert bob.id == BOB


def test_coming_renaming_and_leaving_are_reported_to_the_others() -> None:
    room = Signalling("session")
    ann = join(room, ANN, "Ann")
    bob = Line()
    [_, (told, came)] = sent(room.receive(bob, hello(BOB, "Bob")))
    assert (told, came["from"], came["msgData"]["name"]) == (ANN, BOB, "Bob")
    [(told, renamed)] = sent(room.receive(bob, frame("sig-presence", {"name": "Rob"})))
    assert (told, renamed["msgData"]["name"]) == (ANN, "Rob")
    outcomes = room.receive(ann, frame("sig-presence", "sig-disconnect"))
    assert Left(ANN) in outcomes
    assert sent(outcomes) == [(BOB, {"msgStr": "sig-presence", "from": ANN, "msgData": None})]
    assert room.guests == []


def test_a_line_that_breaks_and_comes_back_is_one_guest() -> None:
    room = Signalling("session")
    first = join(room, ANN)
    assert room.lost(first)
    second = Line()
    outcomes = room.receive(second, hello(ANN))
    outcomes += room.receive(second, frame("create-transport", {"_sendTs": 1, "direction": "recv"}))
    assert not [one for one in outcomes if isinstance(one, Joined)]
    assert room.guests == [ANN]
    assert not room.lost(first)  # that one was replaced
    assert room.receive(first, frame("sig-ack")) == []


@pytest.mark.parametrize(
    "data",
    [
        "", "{", "[]", "7", "null", '"x"', b"\xff\xfe", "[" * 5000, '{"a":' * 300 + "1" + "}" * 300,
        "{}", frame("sig-ack"), hello("not-a-uuid"), hello(PAL), '{"msgStr": "join-for-sig"}',
    ],
)  # fmt: skip
def test_what_is_not_a_first_frame(data: str | bytes) -> None:
    room = Signalling("session")
    room.come(PAL, name="Nora")
    with pytest.raises(Malformed):
        room.receive(Line(), data)
    assert room.participants == [PAL]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KINDS = st.sampled_from(
    ["join-for-sig", "join-as-new-peer", "create-transport", "sig-ack", "sig-msg", "sig-presence", "other"]
)
DATA = JSON | st.fixed_dictionaries(
    {}, optional={"_sendTs": JSON, "tag": st.just("x-egassem"), "envelopeTo": JSON, "fields": JSON,
                  "presence": JSON, "name": JSON, "direction": JSON},
)  # fmt: skip
FRAMES = st.fixed_dictionaries({"msgStr": KINDS, "msgData": DATA}, optional={"from": st.just(ANN) | JSON})


@given(frames=st.lists(FRAMES, max_size=12))
def test_no_frame_breaks_the_room_for_another(frames: list[dict[str, Any]]) -> None:
    """Whatever a client sends is answered, ignored, or Malformed; the others stay in the room."""
    room = Signalling("session")
    join(room, BOB)
    line = Line()
    room.receive(line, hello(ANN))
    for one in frames:
        try:
            outcomes = room.receive(line, json.dumps(one))
        except Malformed:
            continue
        assert all(who in (ANN, BOB) for who, _ in sent(outcomes))
    assert room.guests.count(BOB) == 1
    assert BOB in [who for who, _ in sent(room.say("still here", PAL))]
