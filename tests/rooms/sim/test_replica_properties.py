"""The simulated PAL with any interactions at any times; and what the console shows of its events."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.protocol.catalogue import CATALOGUE
from tavus_cli.protocol.conversation import Conversation
from tavus_cli.protocol.entries import EventEntry
from tavus_cli.protocol.events import decode
from tavus_cli.protocol.interactions import (
    Interaction,
    append_context,
    confirm,
    echo,
    interrupt,
    respond,
    tool_result,
)
from tavus_cli.rooms.sim.faults import FaultRates, Faults
from tavus_cli.rooms.sim.model import Options, SimScript
from tavus_cli.rooms.sim.replica import Replica
from tavus_cli.rooms.sim.script import DEFAULT_SCRIPT, load_script
from tests.kits.conversations import INTERACTIONS, few, some
from tests.kits.replica_kit import OBJECTIVES, START, STEPS, TOOLS, Sends, Timed, an_echo, calls, run, script

# -- for any interactions at any times -------------------------------------------------------------------

DEFAULT = load_script(DEFAULT_SCRIPT)
TWO_USERS = '[[at]]\nafter = 2\nuser = "I talk."\n[[at]]\nafter = 3\nuser = "And again."'
SCRIPTS = [
    DEFAULT,
    script('default = "A b c d."' + TOOLS % "generate_response" + OBJECTIVES + STEPS, timing=""),
    script("respond_waits = true\nshutdown_after = 30" + OBJECTIVES, timing="[timing]\nlag = 0\njitter = 1"),
    script('greeting = "Hi you."\n' + TWO_USERS, timing=""),
]
WORDS = [
    "hi",
    "show me everything",
    "book Friday for 4 people",
    "look at it",
    "a story",
    "bye",
    "",
    "Saturday",
]
CALL_IDS = [
    call["tool_call_id"]
    for what in SCRIPTS
    for call in calls(run(what, [(2, respond("look at hours"))]))
    if "tool_call_id" in call
]
interactions = st.one_of(
    st.sampled_from(WORDS).map(respond),
    st.sampled_from(WORDS).map(echo),
    st.just(interrupt()),
    st.sampled_from(WORDS).map(append_context),
    st.builds(tool_result, st.sampled_from(CALL_IDS), st.sampled_from(["x", {"a": {"b": 1}}, "{1", 3])),
    st.builds(confirm, st.sampled_from(["day", "size", "number_of_visitors"])),
    st.sampled_from(INTERACTIONS),
    st.builds(lambda text, done: an_echo(text=text, inference_id="i", done=done), st.text(), st.booleans()),
    st.dictionaries(
        st.sampled_from(["event_type", "properties"]), st.sampled_from([None, "conversation.echo", {}, []])
    ),
)
sends_strategy = st.lists(st.tuples(st.floats(0, 8), interactions), max_size=12).map(
    lambda steps: [
        (sum(wait for wait, _ in steps[: index + 1]), what) for index, (_, what) in enumerate(steps)
    ]
)


@some
@given(st.sampled_from(SCRIPTS), sends_strategy, st.integers(0, 3))
def test_whatever_is_sent_whenever(what: SimScript, sends: Sends, seed: int) -> None:
    out = run(what, sends, until=300, seed=seed)
    assert json.dumps(run(what, sends, until=300, seed=seed)) == json.dumps(out)
    events = [decode(message) for _, message in out if isinstance(message, dict) and "seq" in message]
    assert [one.seq for one in events] == list(range(1, len(events) + 1))
    assert [at for at, _ in out] == sorted(at for at, _ in out)
    speaking: dict[tuple[str, Any], str | None] = {}
    turn = 0
    for one in events:
        assert one.type in CATALOGUE or one.type.endswith((".new", ".brand_new_event"))
        if one.kind.family == "started":
            assert speaking.get((one.type, one.get("role"))) is None
            speaking[one.type, one.get("role")] = one.inference_id
        elif one.kind.family == "stopped":
            key = one.type.replace("stopped", "started"), one.get("role")
            assert speaking[key] == one.inference_id
            speaking[key] = None
        if one.turn_idx is not None and one.turn_idx > turn:
            assert one.turn_idx == turn + 1
            assert one.role == "user", "turns are opened by the user alone"
            turn = one.turn_idx
    assert not any(speaking.values()), "every start has its stop"


@some
@given(sends_strategy, st.lists(st.floats(0, 100), max_size=20))
def test_how_often_it_is_polled_does_not_matter(sends: Sends, times: list[float]) -> None:
    asked: Sends = sorted([*sends, *((at, None) for at in times)], key=lambda step: step[0])
    replica = Replica(DEFAULT, Options(seed=1), "c1", START)
    out: list[Timed] = []
    for after, one in asked:
        out += replica.due(START + after)
        if (after, one) in sends:
            replica.receive(one.encode("c1") if isinstance(one, Interaction) else one, START + after)
    assert out + replica.due(START + 100) == run(DEFAULT, sends, until=100)


def shown(arrivals: list[Timed]) -> list[Any]:
    """What is shown of them, in order: numbers, turns and folds."""
    conversation = Conversation()
    entries = [entry for at, message in arrivals for entry in conversation.receive(message, at)]
    entries += conversation.close()
    return [
        (one.event.seq, one.turn.idx if one.turn else None, one.fold, one.late)
        for one in entries
        if isinstance(one, EventEntry) and not one.differs
    ]


@few
@given(sends_strategy, st.floats(0, 1), st.floats(0, 1), st.integers(0, 9))
def test_the_console_shows_the_same_with_reordered_and_repeated_events(
    sends: Sends, reorder: float, duplicate: float, seed: int
) -> None:
    out = [one for one in run(DEFAULT, sends, until=60) if isinstance(one[1], dict) and "seq" in one[1]]
    faults = Faults(FaultRates(reorder=reorder, duplicate=duplicate), seed)
    for at, message in out:
        faults.put(at, message)
    came = faults.due(float("inf"))
    assert shown([one for one in came if "resent" not in one[1]]) == shown(out)
    # A repetition with other content is shown, and may change what counts as the twin of what.
    assert [one[:2] for one in shown(came)] == [one[:2] for one in shown(out)]
