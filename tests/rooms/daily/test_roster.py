"""Who is there and who is the PAL: the best sign wins, among equals the latest, and never a guest."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.rooms.daily.roster import PAL_SIGNS, Change, Roster, is_pal_sign, read_participant
from tavus_cli.rooms.room import Participant

ME = Participant("me", "console", local=True)
ANN = Participant("ann", "Ann")
BOB = Participant("bob", "Bob")
PAL = Participant("pal", "Charlie", user_id="tavus-replica-r1")


def told(changes: list[Change]) -> list[tuple[str, str, bool]]:
    return [(one.id, change, one.pal) for one, change in changes]


def pals(roster: Roster) -> list[str]:
    return [one.id for one in roster.participants.values() if one.pal]


def test_coming_changing_going() -> None:
    roster = Roster()
    assert told(roster.seen(ME)) == [("me", "joined", False)]
    assert told(roster.seen(PAL)) == [("pal", "joined", True)]
    assert roster.seen(PAL) == []  # the join data repeats what an event said
    renamed = Participant("pal", "Anna", user_id="tavus-replica-r1")
    assert told(roster.seen(renamed)) == [("pal", "updated", True)]
    assert roster.participants["pal"].name == "Anna"
    assert told(roster.gone("pal")) == [("pal", "left", True)]
    assert roster.gone("pal") == []
    assert list(roster.participants) == ["me"]


def test_the_only_other_participant_is_the_pal_until_there_are_two() -> None:
    roster = Roster()
    roster.seen(ME)
    assert told(roster.seen(ANN)) == [("ann", "joined", True)]
    assert told(roster.seen(BOB)) == [("bob", "joined", False), ("ann", "updated", False)]
    assert pals(roster) == []
    assert told(roster.gone("ann")) == [("ann", "left", False), ("bob", "updated", True)]


def test_another_console_is_not_the_pal_and_hides_none() -> None:
    """Nor are we ourselves, where Daily still lists us from before a break."""
    roster = Roster()
    roster.seen(Participant("other", "console"))
    assert told(roster.seen(ME)) == [("me", "joined", False), ("other", "updated", False)]
    assert told(roster.seen(ANN)) == [("ann", "joined", True)]
    assert told(roster.gone("ann")) == [("ann", "left", True)]


def test_a_guest_taken_for_the_pal_is_corrected_by_a_user_id() -> None:
    roster = Roster()
    roster.seen(ANN)
    assert told(roster.seen(PAL)) == [("pal", "joined", True), ("ann", "updated", False)]


def test_a_guest_taken_for_the_pal_is_corrected_by_a_heartbeat() -> None:
    roster = Roster()
    roster.seen(ANN)
    roster.seen(BOB)
    assert told(roster.signed("bob")) == [("bob", "updated", True)]
    assert roster.signed("bob") == []


def test_a_user_id_is_a_better_sign_than_a_heartbeat() -> None:
    roster = Roster()
    roster.seen(ANN)
    roster.signed("ann")
    roster.seen(PAL)
    assert pals(roster) == ["pal"]
    roster.signed("ann")
    assert pals(roster) == ["pal"]


def test_a_heartbeat_may_come_before_its_sender() -> None:
    roster = Roster()
    roster.seen(ANN)
    assert roster.signed("bob") == []
    assert told(roster.seen(BOB)) == [("bob", "joined", True), ("ann", "updated", False)]


def test_the_guest_who_stays_is_not_the_pal() -> None:
    roster = Roster()
    roster.seen(ANN)
    roster.seen(PAL)
    roster.gone("pal")
    assert pals(roster) == []


def test_a_pal_that_comes_again_under_another_id_takes_over() -> None:
    roster = Roster()
    roster.seen(PAL)
    again = Participant("pal2", "Charlie", user_id="tavus-replica-r1")
    assert told(roster.seen(again)) == [("pal2", "joined", True), ("pal", "updated", False)]
    assert told(roster.gone("pal")) == [("pal", "left", False)]
    assert pals(roster) == ["pal2"]


def test_the_view_does_not_change_under_the_reader() -> None:
    roster = Roster()
    roster.seen(ANN)
    before = roster.participants
    roster.seen(BOB)
    assert list(before) == ["ann"]


_STEPS = st.lists(
    st.tuples(st.sampled_from(["seen", "gone", "signed"]), st.sampled_from([ME, ANN, BOB, PAL])), max_size=30
)


@given(_STEPS)
def test_what_is_reported_adds_up_to_what_is_there(steps: list[tuple[str, Participant]]) -> None:
    roster = Roster()
    mirror: dict[str, Participant] = {}
    for what, who in steps:
        changes = roster.seen(who) if what == "seen" else getattr(roster, what)(who.id)
        for one, change in changes:
            assert (change == "joined") == (one.id not in mirror)
            if change == "left":
                del mirror[one.id]
            else:
                assert mirror.get(one.id) != one
                mirror[one.id] = one
        assert mirror == dict(roster.participants)
        assert len(pals(roster)) <= 1
        assert "me" not in pals(roster)
        assert "pal" not in mirror or pals(roster) == ["pal"]


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        (
            {"id": "a", "info": {"isLocal": False, "userName": "A", "userId": "u"}, "media": {}},
            Participant("a", "A", "u"),
        ),
        ({"id": "a", "info": {"isLocal": True}}, Participant("a", local=True)),
        ({"id": "a"}, Participant("a")),
        ({"id": "a", "info": {"userName": None, "userId": 5}}, Participant("a")),
        ({"info": {}}, None),
        ({"id": 5}, None),
        ("a", None),
        (None, None),
    ],
)
def test_read_participant(raw: Any, wanted: Participant | None) -> None:
    assert read_participant(raw) == wanted


def test_signs() -> None:
    assert {"system.replica_joined", "system.pal_joined", "system.pal_present"} <= PAL_SIGNS
    assert "conversation.utterance" not in PAL_SIGNS
    assert "system.shutdown" not in PAL_SIGNS


@pytest.mark.parametrize("name", sorted(PAL_SIGNS))
def test_a_sign_is_seen_also_as_text(name: str) -> None:
    message = {"event_type": name, "message_type": "system"}
    assert is_pal_sign(message)
    assert is_pal_sign(json.dumps(message))


@pytest.mark.parametrize(
    "message",
    [None, 1, "x", [], {}, {"event_type": 1}, {"event_type": []}, '{"event_type": "system.', "[" * 9],
)
def test_no_sign(message: Any) -> None:
    assert not is_pal_sign(message)
