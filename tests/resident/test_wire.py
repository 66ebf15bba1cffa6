"""The lines of the resident socket: framing with a limit, and their content in both directions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli import errors
from tavus_cli.errors import ConsoleError, ConversationOver, NotMet, SendFailed
from tavus_cli.protocol.snapshot import Snapshot
from tavus_cli.resident.wire import (
    CALLS_BYTES,
    Lines,
    arrival_json,
    arrival_of,
    encode,
    error_json,
    error_of,
    rows_json,
    rows_of,
    snapshot_json,
    snapshot_of,
)
from tavus_cli.rooms.room import (
    Arrival,
    Idle,
    LineChanged,
    Participant,
    ParticipantChanged,
    Received,
    RoomNote,
    RoomOver,
)
from tavus_cli.views.table import RunRow

TEXTS = st.text(st.characters(codec=None, categories=["Lu", "Zs", "Cc", "Cs", "So"]), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=3)


@given(st.lists(OBJECTS, max_size=5), st.lists(st.integers(1, 40), min_size=1))
def test_objects_do_not_depend_on_how_the_bytes_are_split(objects: list[Any], sizes: list[int]) -> None:
    data = b"".join(map(encode, objects))
    lines, out, number = Lines(1 << 16), list[Any](), 0
    while data:
        size = sizes[number % len(sizes)]
        out += lines.feed(data[:size])
        data, number = data[size:], number + 1
    assert out == objects


@pytest.mark.parametrize("pieces", [1, 3, 1000], ids="{} at a time".format)
@pytest.mark.parametrize(("length", "fits"), [(64, True), (65, False)], ids=["fits", "one too many"])
def test_a_line_of_at_most_the_limit(length: int, fits: bool, pieces: int) -> None:
    """The end of the line does not count, and what came before it does not matter."""
    line = b'{"a":"' + b"x" * (length - 8) + b'"}'
    assert len(line) == length
    data, lines, out = encode({}) * 30 + line + b"\n", Lines(64), list[Any]()

    def feed() -> None:
        for start in range(0, len(data), pieces):
            out.extend(lines.feed(data[start : start + pieces]))

    if fits:
        feed()
        assert len(out) == 31
    else:
        with pytest.raises(ValueError, match=r"^a line of more than 64 bytes$"):
            feed()


def test_an_endless_line_is_not_kept() -> None:
    lines = Lines(1_000)
    for _ in range(1_000):
        assert lines.feed(b"x") == []
    with pytest.raises(ValueError, match="more than 1,000 bytes"):
        lines.feed(b"x")


@pytest.mark.parametrize("line", [b"[]", b"1", b"null", b'"x"', b"", b"{", b"\xff", b"x"])
def test_what_is_not_an_object_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"^a line that is not a JSON object$"):
        Lines(100).feed(line + b"\n")


ANN = Participant("a", "Ann", "u1")
ARRIVALS = [
    Received({"event_type": "x", "text": "\ud83d"}, 1.5, "p"),
    Received(["not an object"], 1.5, None),
    Received({"event_type": "x"}, 1.5, None, direction="out"),
    ParticipantChanged(ANN, "joined", 2.0),
    ParticipantChanged(Participant("p", pal=True), "left", 2.0),
    RoomNote("cut", 3.0, True),
    LineChanged(False, "lost", 3.5),
    LineChanged(True, "back", 3.6),
    RoomOver("expired", 4.0),
    RoomOver("gone", 5.0, cut_off=True),
]


@pytest.mark.parametrize("arrival", ARRIVALS, ids=lambda one: type(one).__name__)
def test_arrivals_there_and_back(arrival: Arrival) -> None:
    value = arrival_json(arrival)
    assert value is not None
    (there,) = Lines(1_000).feed(encode(value))
    assert arrival_of(there) == arrival


@pytest.mark.parametrize("arrival", [Idle(), Snapshot()], ids=["idle", "snapshot"])
def test_arrivals_only_for_this_side_have_no_line(arrival: Arrival) -> None:
    assert arrival_json(arrival) is None


def test_what_was_missed_is_a_note_and_answers_are_not_arrivals() -> None:
    note = arrival_of({"missed": 1234, "at": 1.0})
    assert isinstance(note, RoomNote)
    assert note.text.startswith("1,234 messages were missed")
    assert arrival_of({"number": 3}) is None
    assert arrival_of({"something": "new"}) is None


@pytest.mark.parametrize(
    "snapshot",
    [Snapshot(), Snapshot((3, 1.5), 118, "i1", True, ("pal", "user"), (({"event_type": "x"}, 1.0),))],
    ids=["empty", "full"],
)
def test_a_snapshot_there_and_back(snapshot: Snapshot) -> None:
    assert snapshot_of(json.loads(json.dumps(snapshot_json(snapshot)))) == snapshot


@pytest.mark.parametrize(
    "error", [SendFailed("not sent"), ConversationOver("over"), NotMet("x"), ConsoleError("y")]
)
def test_errors_keep_their_kind(error: ConsoleError) -> None:
    back = error_of(json.loads(json.dumps(error_json(error))))
    assert (type(back), str(back), back.status) == (type(error), str(error), error.status)


def test_every_kind_of_error_can_be_distinguished_by_its_reason() -> None:
    kinds = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, ConsoleError)]
    assert len({one.reason for one in kinds}) == len(kinds)
    assert type(error_of({"reason": "from the future", "message": "x"})) is ConsoleError


def test_the_latest_tool_calls_fit_into_their_bytes() -> None:
    rows = [RunRow(1, "failed", 0.1, None, None, "n" * 10_000, f"call_{number}") for number in range(200)]
    told = rows_json(rows)
    assert len(encode({"calls": told})) <= CALLS_BYTES + 2 * len(told) + 100
    assert 90 < len(told) < 200
    assert rows_of(told) == rows[-len(told) :]
    assert rows_of(rows_json(rows[:3])) == rows[:3]
