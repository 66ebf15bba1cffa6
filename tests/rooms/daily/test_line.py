"""The line to a room as the client's events show it. Pure, so times are arguments."""

from __future__ import annotations

from typing import Any

from tavus_cli.rooms.daily.line import Line
from tavus_cli.rooms.room import LineChanged, RoomNote, RoomOver


def network(event: str, connection: str = "signalling") -> dict[str, Any]:
    return {"connection": connection, "event": event}


def down(line: Line, at: float) -> str:
    change = line.changed(network("interrupted"), at)
    assert isinstance(change, LineChanged)
    assert not change.up
    assert line.down == at
    return change.text


def test_the_first_connection_is_not_a_change() -> None:
    assert Line().changed(network("connected"), 1.0) is None


def test_down_and_up_once_each() -> None:
    line = Line()
    assert down(line, 1.0) == "the connection to the room is interrupted"
    assert line.changed(network("interrupted"), 2.0) is None
    assert line.changed(network("connected"), 3.5) == LineChanged(
        True, "the connection to the room is back after 2.5 s", 3.5
    )
    assert line.down is None
    assert line.changed(network("connected"), 4.0) is None


def test_other_connections_carry_no_messages() -> None:
    line = Line()
    assert line.changed(network("interrupted", "sfu"), 1.0) == RoomNote(
        "the sfu connection is interrupted", 1.0
    )
    assert line.down is None


def test_what_was_sent_just_before_may_not_have_arrived() -> None:
    line = Line()
    line.heard(9.9)
    line.sent("echo", 8.0)
    line.sent("respond", 9.5)
    assert down(line, 10.0).endswith("; sent just before, it may not have arrived: respond")


def test_pieces_of_a_sound_are_counted() -> None:
    line = Line()
    for what in ("respond", "echo", "echo", "echo"):
        line.sent(what, 9.5)
    assert down(line, 10.0).endswith("it may not have arrived: respond, 3 × echo")


def test_in_a_silence_everything_since_then_may_be_lost() -> None:
    """A silent server is noticed after 10 s."""
    line = Line()
    line.heard(0.0)
    line.sent("respond", 1.0)
    assert down(line, 10.0).endswith("may not have arrived: respond")


def test_it_is_reported_once() -> None:
    line = Line()
    line.sent("respond", 1.0)
    assert "respond" in down(line, 1.5)
    line.changed(network("connected"), 2.0)
    assert "respond" not in down(line, 2.1)


def test_an_end_while_the_connection_is_down_is_a_cut_off() -> None:
    line = Line()
    down(line, 1.0)
    over = line.ended("", 26.0)
    assert over == RoomOver(
        "the connection to the room was lost 25 s ago and did not come back", 26.0, cut_off=True
    )


def test_any_other_end_is_the_end_of_the_conversation() -> None:
    line = Line()
    assert line.ended("", 5.0) == RoomOver("Daily ended the call", 5.0)
    down(line, 6.0)
    line.changed(network("connected"), 7.0)
    assert line.ended("Ejected", 8.0) == RoomOver("we were removed from the room", 8.0)


def test_a_client_that_gave_up_by_itself_is_cut_off() -> None:
    text = "Mediasoup manager error: Failed to create send transport: Timed out waiting for response"
    assert Line().ended(text, 9.0) == RoomOver(f"Daily's client gave up ({text})", 9.0, cut_off=True)
