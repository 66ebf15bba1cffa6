"""Which event answers what was sent: one of the same turn, or none."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.errors import UsageError
from tavus_cli.protocol.conversation import ECHO_SECONDS, Conversation
from tavus_cli.protocol.entries import Entry
from tavus_cli.protocol.events import Event
from tavus_cli.protocol.interactions import (
    Interaction,
    append_context,
    confirm,
    echo,
    interrupt,
    overwrite_context,
    respond,
    sensitivity,
    tool_result,
)
from tavus_cli.protocol.ordering import HOLD_SECONDS
from tavus_cli.protocol.replies import Reply, check_answered, reply_text
from tavus_cli.rooms.sim.model import Options, SimScript
from tavus_cli.rooms.sim.room import SimulatedRoom
from tavus_cli.rooms.sim.script import parse_script, parse_spec
from tavus_cli.session.session import Session
from tests.kits.conversations import START, Message, few, many, message, strange_messages

# -- tables ------------------------------------------------------------------------------------------------

STEP = 0.01  # seconds between two messages of a table


def said(text: str, turn: int | None = None, inference: str | None = None, role: str = "pal") -> Message:
    return message("conversation.utterance", turn=turn, inference=inference, role=role, speech=text)


def user(text: str, turn: int | None = None) -> Message:
    return said(text, turn, role="user")


def stopped(turn: int, inference: str = "p", interrupted: bool = True, role: str = "pal") -> Message:
    return message(
        "conversation.stopped_speaking", turn=turn, inference=inference, role=role, interrupted=interrupted
    )


def final(text: str, turn: int, inference: str = "p") -> Message:
    name = "conversation.utterance.streaming"
    return message(name, turn=turn, inference=inference, role="pal", speech=text, final=True, content_index=0)


def call(turn: int | None, name: str = "look", call_id: str = "c1") -> Message:
    properties = {"name": name, "arguments": "{}", "tool_call_id": call_id}
    return message("conversation.tool_call", turn=turn, inference="u", **properties)


class Stage:
    """A conversation, and what is sent into it; ``answer`` is the result of the reply."""

    def __init__(self) -> None:
        self.conversation = Conversation()
        self.now = START
        self.answer: Event | None = None
        self._reply: Reply | None = None

    def send(self, interaction: Interaction) -> None:
        self._reply = Reply(interaction, self.conversation)
        self._look(self.conversation.sent(interaction.encode("c1"), self.now, interaction))

    def come(self, one: Any, at: float | None = None) -> None:
        """Receive a message at the next step or at ``at``; the conversation's timers run first."""
        self._pass(self.now + STEP if at is None else at)
        self._look(self.conversation.receive(one, self.now))

    def end(self) -> Event | None:
        self._pass(self.now + 60)
        self._look(self.conversation.close())
        return self.answer

    def _pass(self, until: float) -> None:
        while (due := self.conversation.wake_at()) is not None and due <= until:
            self.now = max(self.now, due)
            self._look(self.conversation.tick(self.now))
        self.now = max(self.now, until)

    def _look(self, entries: list[Entry]) -> None:
        for entry in entries:
            if self._reply is not None and self.answer is None:
                self.answer = self._reply(entry)


def told(stage: Stage) -> str | None:
    return None if stage.answer is None else reply_text(stage.answer)


def answer(before: list[Any], interaction: Interaction, after: list[Any]) -> str | None:
    """The answer among the messages after the send, as text."""
    stage = Stage()
    for one in before:
        stage.come(one)
    stage.send(interaction)
    for one in after:
        stage.come(one)
    stage.end()
    return told(stage)


def numbered(messages: list[Message], *numbers: int) -> list[Message]:
    return [{**one, "seq": number} for one, number in zip(messages, numbers, strict=True)]


OLD = [user("Old question", 3), said("Old answer", 3, "p3")]
ASK = respond("What now?")
HEARD = user("What  now?", 4)
raw = Interaction(
    "conversation.respond", raw={"event_type": "conversation.respond", "properties": {"text": "What now?"}}
)
flat = Interaction("conversation.respond", raw={"event_type": "conversation.respond", "text": "What now?"})
CALL_3 = [user("Look", 3), call(3)]
RESULT = tool_result("c1", "blue")

TABLE: dict[str, tuple[list[Any], Interaction, list[Any], str | None]] = {
    # respond
    "the words of its turn": (OLD, ASK, [HEARD, said("Yes", 4, "p4")], "Yes"),
    "at the very beginning": ([], ASK, [user("What now?", 0), said("Yes", 0, "p")], "Yes"),
    "only twins of it come": (OLD, ASK, [HEARD, said("Yes", 4, "p4", "replica")], "Yes"),
    "nothing comes": (OLD, ASK, [], None),
    "only the echo comes": (OLD, ASK, [HEARD], None),
    "an older turn still says something": (
        OLD,
        ASK,
        [said("Old, more", 3, "p3b"), final("Old", 3, "p3"), stopped(3), HEARD, said("Yes", 4, "p4")],
        "Yes",
    ),
    "an older turn says something after the echo": (
        OLD,
        ASK,
        [HEARD, said("Old, more", 3, "p3b"), call(3), said("Yes", 4, "p4")],
        "Yes",
    ),
    "only an older turn": (OLD, ASK, [HEARD, said("Old, more", 3, "p3b")], None),
    "the answer comes before the echo": (OLD, ASK, [said("Yes", 4, "p4"), HEARD], "Yes"),
    "somebody speaks in between": (
        OLD,
        ASK,
        [user("Hello?", 4), said("Hello!", 4, "p4"), user("What now?", 5), said("Yes", 5, "p5")],
        "Yes",
    ),
    "somebody speaks after it": (
        OLD,
        ASK,
        [HEARD, user("Hello?", 5), said("Hello!", 5, "p5"), said("Yes", 4, "p4")],
        "Yes",
    ),
    "a tool call instead of words": (OLD, ASK, [HEARD, call(4), said("Done", 4)], "tool_call look {} c1"),
    "words, then a tool call": (OLD, ASK, [HEARD, said("Hm", 4), call(4)], "Hm"),
    "what the camera sees is no answer": (
        OLD,
        ASK,
        [HEARD, message("conversation.perception_tool_call", turn=4, name="wave"), said("Yes", 4)],
        "Yes",
    ),
    "a snapshot is no answer": (OLD, ASK, [HEARD, final("Ye", 4, "p4"), said("Yes", 4, "p4")], "Yes"),
    "no echo: a later turn": (OLD, ASK, [said("Old, more", 3, "x"), said("Yes", 4, "p4")], "Yes"),
    "no echo: only an older turn": (OLD, ASK, [said("Old, more", 3, "x")], None),
    "no echo: any later turn": (OLD, ASK, [said("Yes", 9, "p9")], "Yes"),
    "no echo: what somebody else asked": (
        OLD,
        ASK,
        [user("Hello?", 4), said("Hello!", 4, "p4"), said("Yes", 5, "p5")],
        "Yes",
    ),
    "no echo: the words came back otherwise": (OLD, ASK, [user("what now", 4), said("Yes", 4, "p4")], "Yes"),
    "no echo: a turn that a number from before tells of": (
        numbered([*OLD, stopped(4, "p4")], 10, 11, 14),
        ASK,
        numbered([said("Old, more", 4, "p4"), said("Yes", 5, "p5")], 15, 16),
        "Yes",
    ),
    "an old build": ([said("Old", None, "a")], ASK, [user("What now?"), said("Yes", None, "b")], "Yes"),
    "an old build repeats itself": (
        [said("Old", None, "a")],
        ASK,
        [
            user("What now?"),
            said("Old", None, "a", "replica"),
            said("Old more", None, "a"),
            said("Yes", None, "b"),
        ],
        "Yes",
    ),
    "an old build without any id": ([said("Old")], ASK, [user("What now?"), said("Yes")], "Yes"),
    "an old build calls a tool": (OLD, ASK, [user("What now?"), call(None)], "tool_call look {} c1"),
    "what is tied to no turn is none where turns are told": (
        OLD,
        ASK,
        [HEARD, said("From elsewhere", None, "x"), said("Yes", 4, "p4")],
        "Yes",
    ),
    "as raw": (OLD, raw, [HEARD, said("Old, more", 3, "x"), said("Yes", 4, "p4")], "Yes"),
    "as raw, flat": (OLD, flat, [HEARD, said("Old, more", 3, "x"), said("Yes", 4, "p4")], "Yes"),
    "as raw, without words": (
        OLD,
        Interaction("conversation.respond", raw={"event_type": "conversation.respond"}),
        [said("Yes", 4, "p4")],
        "Yes",
    ),
    "number seen late, of another turn": (
        numbered(OLD, 10, 12),
        ASK,
        numbered([said("Old, more", 9, "x"), HEARD, said("Yes", 4, "p4")], 11, 13, 14),
        "Yes",
    ),
    # echo
    "echo: its words": ([], echo("Say  this"), [said("Say this", 0, "e")], "Say this"),
    "echo: its last snapshot": ([], echo("Say this"), [final("Say this", 0, "e")], "Say this"),
    "echo: other words": ([], echo("Say this"), [said("Something else", 0, "e")], None),
    "echo: said by the user": ([], echo("Say this"), [user("Say this", 0)], None),
    "echo: a growing snapshot": (
        [],
        echo("Say this"),
        [message("conversation.utterance.streaming", role="pal", speech="Say this")],
        None,
    ),
    "echo: the same words said before": (
        [said("Say this", 0, "e1")],
        echo("Say this"),
        [final("Say this", 0, "e1"), said("Say this", 0, "e2")],
        "Say this",
    ),
    "echo: the same words said before, alone": (
        [said("Say this", 0, "e1")],
        echo("Say this"),
        [final("Say this", 0, "e1")],
        None,
    ),
    "echo: the same words, numbered before": (
        numbered([user("a", 0), user("b", 0)], 1, 3),
        echo("Say this"),
        numbered([said("Say this", 0, "x")], 2),
        None,
    ),
    # interrupt
    "interrupt": (OLD, interrupt(), [stopped(3, "p3")], "stopped_speaking ■ ✂ interrupted"),
    "interrupt: it ended by itself": (OLD, interrupt(), [stopped(3, "p3", interrupted=False)], None),
    "interrupt: the user stopped": (OLD, interrupt(), [stopped(3, "u", role="user")], None),
    "interrupt: a stop from before": (
        numbered([*OLD, user("Wait", 4), said("Yes", 4, "p4")], 1, 2, 4, 5),
        interrupt(),
        numbered([stopped(3, "p3")], 3),
        None,
    ),
    "interrupt: what an older turn still says": (
        [*OLD, user("Next", 4)],
        interrupt(),
        [stopped(3, "p3")],
        "stopped_speaking ■ ✂ interrupted",
    ),
    # tool_result
    "result: what is said then": (CALL_3, RESULT, [said("It is blue", 3, "p3")], "It is blue"),
    "result: what was said before": (
        [*CALL_3, said("One moment", 3, "p3")],
        RESULT,
        [said("One moment", 3, "p3", "replica"), said("It is blue", 3, "p3b")],
        "It is blue",
    ),
    "result: somebody spoke meanwhile": (
        [*CALL_3, user("And?", 4)],
        RESULT,
        [said("Wait a moment", 4, "p4"), said("It is blue", 3, "p3")],
        "It is blue",
    ),
    "result: another call": (CALL_3, RESULT, [call(3, "next", "c2")], "tool_call next {} c2"),
    "result: of an unknown call": (OLD, tool_result("?", "x"), [said("Hm", 3, "x")], "Hm"),
    "result: of an unknown call, older turn": (OLD, tool_result("?", "x"), [said("Hm", 2, "x")], None),
    "result: a call without a turn": ([*OLD, call(None)], RESULT, [said("It is blue", 3, "x")], "It is blue"),
    "result: as raw": (
        [*CALL_3, user("And?", 4)],
        Interaction(
            "conversation.tool_result",
            raw={"event_type": "conversation.tool_result", "tool_call_id": "c1", "output": "blue"},
        ),
        [said("Wait a moment", 4, "p4"), said("It is blue", 3, "p3")],
        "It is blue",
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_the_answer(name: str) -> None:
    before, interaction, after, expected = TABLE[name]
    assert answer(before, interaction, after) == expected


def test_after_a_restart_of_the_counter_the_answer_is_still_found() -> None:
    before = numbered(OLD, 5_000, 5_001)
    after = numbered([user("x", 0), user("What now?", 1), said("Yes", 1, "p")], 1, 2, 3)
    assert answer(before, ASK, after) == "Yes"


def test_a_late_echo_still_shows_the_turn() -> None:
    """The wait for it ends after a second, but it may still arrive, and somebody may speak meanwhile."""
    stage = Stage()
    for one in OLD:
        stage.come(one)
    stage.send(ASK)
    for after, one in ((1.5, user("Hello?", 4)), (1.6, user("What now?", 5)), (1.7, said("Hello!", 4))):
        stage.come(one, stage.now + after)
    assert stage.answer is None
    stage.come(said("Yes", 5, "p5"))
    assert told(stage) == "Yes"


def test_no_time_is_spent_on_waiting_for_more() -> None:
    stage = Stage()
    stage.send(ASK)
    found = []
    for one in (user("What now?", 0), said("Yes", 0)):
        stage.come(one)
        found.append(stage.answer is not None)
    assert found == [False, True]


@pytest.mark.parametrize(
    "interaction",
    [
        append_context("x"),
        overwrite_context("x"),
        sensitivity("pause", "low"),
        confirm("x"),
        Interaction("", raw={}),
        Interaction("conversation.new_thing", raw={"event_type": "conversation.new_thing"}),
    ],
    ids=lambda one: one.event_type or "none",
)
def test_other_interactions_have_no_answer(interaction: Interaction) -> None:
    with pytest.raises(UsageError, match=r" has no reply: wait for an event type instead$"):
        Reply(interaction, Conversation())
    with pytest.raises(UsageError):
        check_answered(interaction.event_type)


# -- any order ---------------------------------------------------------------------------------------------

TEXT = "What are your hours?"
ECHOES = ("in time", "late", "missing")


@dataclass
class Scene:
    """A conversation in which we ask: what arrives when, and which turn is ours."""

    before: list[tuple[float, Message]]
    after: list[tuple[float, Message]]
    turn: int
    echo: str
    interposed: bool  # somebody else speaks before our turn


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Numbered events, delayed by up to 200 ms or late, some of them twice."""
    seq = draw(st.sampled_from((0, 7, 3_000)))
    which, now = draw(st.sampled_from(ECHOES)), START

    def turn(idx: int, text: str, kind: str = "words") -> list[Message]:
        out = [user(text, idx)] if text else []
        if kind == "call":
            return [*out, call(idx, call_id=f"c{idx}")]
        pal = f"answer {idx}"
        start = message("conversation.started_speaking", turn=idx, inference=f"p{idx}", role="pal")
        both = [said(pal, idx, f"p{idx}", role) for role in ("pal", "replica")]
        return [*out, start, *both, final(pal, idx, f"p{idx}"), stopped(idx, f"p{idx}", False)]

    old = turn(3, "Old question")
    cut = draw(st.integers(0, len(old)))
    rest = old[cut:]
    if draw(st.booleans()):
        rest += [said("more of the old", 3, "p3b"), call(3, call_id="c3")]
    interposed = draw(st.booleans())
    ours = 5 if interposed else 4
    between = turn(4, "Hello?") if interposed else []
    mine = turn(ours, "", draw(st.sampled_from(("words", "call"))))
    heard = user(TEXT, ours)
    later = turn(ours + 1, "Bye.", "words") if draw(st.booleans()) else []
    order = [*rest, *between, heard, *mine, *later]
    if which == "missing":
        order.remove(heard)

    def arrivals(messages: list[Message]) -> list[tuple[float, Message]]:
        nonlocal seq, now
        out: list[tuple[float, Message]] = []
        for one in messages:
            seq += 1
            now += draw(st.sampled_from((0.0, 0.01, 0.3)))
            delay = draw(st.sampled_from((0.0, 0.0, 0.05, 0.2, 0.4, 1.4)))
            if one is heard:
                delay = 1.2 if which == "late" else min(delay, 0.2)
            out.append((now + delay, {**one, "seq": seq}))
            if draw(st.integers(0, 5)) == 0:
                out.append((now + delay + 0.1, {**one, "seq": seq, "resent": True}))
        return sorted(out, key=lambda pair: pair[0])

    first = arrivals(old[:cut])
    sent = now
    then = [pair for pair in first if pair[0] > sent]  # on their way when we send
    return Scene(
        [pair for pair in first if pair[0] <= sent],
        sorted([*then, *arrivals(order)], key=lambda pair: pair[0]),
        ours,
        which,
        interposed,
    )


@many
@given(scenes())
def test_whatever_the_order_the_answer_is_of_our_turn(scene: Scene) -> None:
    stage = Stage()
    for at, one in scene.before:
        stage.come(one, at)
    known = stage.conversation.turns.current
    stage.send(respond(TEXT))
    sent = stage.now
    for at, one in scene.after:
        stage.come(one, at)
    found = stage.end()
    assert found is not None
    assert found.kind.family in ("utterance", "tool_call")
    assert found.role in ("pal", None)
    came = next((at for at, one in scene.after if one["turn_idx"] == scene.turn and _is_echo(one)), None)
    if came is not None and came - sent < ECHO_SECONDS - HOLD_SECONDS:
        assert found.turn_idx == scene.turn
    elif known is not None:
        assert found.turn_idx is not None
        assert found.turn_idx > known.idx
        assert scene.interposed or found.turn_idx >= scene.turn


def _is_echo(one: Message) -> bool:
    return bool(one["properties"].get("speech") == TEXT)


@few
@given(
    before=st.lists(strange_messages(), max_size=4),
    after=st.lists(strange_messages(), max_size=8),
    interaction=st.sampled_from((ASK, echo("x"), interrupt(), RESULT, raw, flat)),
)
def test_strange_messages_are_handled(before: list[Any], after: list[Any], interaction: Interaction) -> None:
    answer(before, interaction, after)


# -- over the simulated room -------------------------------------------------------------------------------

SCRIPT = """
respond_waits = true
greeting = "Welcome to the museum, where lanterns of seven centuries are waiting for you today."
[[reply]]
match = "history"
say = "It begins in the Middle Ages, when monks carried horn lanterns from the chapel to the cellar and back."
[[reply]]
match = "colour"
say = "Green."
[[reply]]
match = "look"
tool = "look"
[tools.look]
on_resolve = "generate_response"
say = "I see {output}."
"""
FAULTS = "reorder=0.4&duplicate=0.3&late=0.15"
ASKED = {
    "history": "It begins in the Middle Ages",
    "colour": "Green.",
    "look": "tool_call look {}",
    "history again": "It begins in the Middle Ages",
    "colour, please": "Green.",
}


def sim(seed: int) -> SimulatedRoom:
    script: SimScript = parse_script(SCRIPT, "museum.toml")
    options: Options = parse_spec(f"sim:?seed={seed}&speed=max&{FAULTS}")[1]
    return SimulatedRoom(script, options)


async def ask(session: Session, interaction: Interaction) -> Event:
    wait = session.waiter(Reply(interaction, session.conversation))
    await session.send(interaction)
    event: Event = await wait(60, "the reply")
    return event


def starts(entry: Entry) -> bool | None:
    event = getattr(entry, "event", None)
    speaks = isinstance(event, Event) and event.kind.family == "started" and event.role == "pal"
    return speaks or None


@pytest.mark.parametrize(
    "seeds", [range(first, first + 50) for first in range(0, 200, 50)], ids=lambda r: f"{r[0]}"
)
def test_the_right_reply_while_another_is_still_being_spoken(seeds: range) -> None:
    """The PAL first finishes its speech, over a faulty network; each question follows at once."""

    async def main(seed: int) -> None:
        async with Session(sim(seed)) as session:
            await session.waiter(starts)(60, "the greeting")
            for question, words in ASKED.items():
                event = await ask(session, respond(question))
                assert reply_text(event).startswith(words), (seed, question, reply_text(event))

    for seed in seeds:
        asyncio.run(main(seed))


def test_results_echoes_and_interrupts_over_the_simulated_room() -> None:
    async def main(seed: int) -> None:
        async with Session(sim(seed)) as session:
            await session.waiter(starts)(60, "the greeting")
            called = await ask(session, respond("look"))
            result = await ask(session, tool_result(called.word("tool_call_id"), "a lantern"))
            assert reply_text(result) == "I see a lantern."
            assert result.turn_idx == called.turn_idx
            for _ in range(2):
                assert reply_text(await ask(session, echo("Mind the step."))) == "Mind the step."
            assert reply_text(await ask(session, respond("history"))).startswith("It begins")
            cut = await ask(session, interrupt())
            assert (cut.interrupted, cut.role) == (True, "pal")

    for seed in range(40):
        asyncio.run(main(seed))
