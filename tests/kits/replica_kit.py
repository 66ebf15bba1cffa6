"""What tests of the simulated PAL share: scripts, running one, and its events in brief."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tavus_cli.protocol.events import decode
from tavus_cli.protocol.interactions import Interaction
from tavus_cli.rooms.sim.model import Options, SimScript
from tavus_cli.rooms.sim.replica import Replica
from tavus_cli.rooms.sim.script import parse_script

START = 1_000.0
EXACT = "[timing]\njitter = 0\nthink = 1\njoin = 1\nlag = 0\nwords_per_minute = 60\n"  # one word a second

Message = dict[str, Any]
Timed = tuple[float, Any]
Send = tuple[float, Any]  # seconds after START, and what is sent then
Sends = list[Send]


def script(text: str = "", *, timing: str = EXACT) -> SimScript:
    return parse_script(text + "\n" + timing, "s.toml")


def run(
    what: SimScript, sends: Sequence[Send] = (), until: float = 60, seed: int = 1, **options: Any
) -> list[Timed]:
    """What the PAL sends in the first ``until`` seconds."""
    replica = Replica(what, Options(seed=seed, **options), "c1", START)
    out: list[Timed] = []
    for after, one in sends:
        out += replica.due(START + after)
        replica.receive(one.encode("c1") if isinstance(one, Interaction) else one, START + after)
    return out + replica.due(START + until)


def brief(out: list[Timed], *, heartbeats: bool = False) -> list[str]:
    """One line an event, without twins and old spellings: "2 t1 pal utterance Hello."."""
    lines = []
    for at, message in out:
        event = decode(message)
        twin = event.get("role") == "replica" or (event.kind.role and event.type != "conversation.started")
        if twin or (event.kind.family == "present" and not heartbeats) or "replica_" in event.type:
            continue
        name = event.short.removeprefix("utterance.")
        words = event.word("speech") if event.kind.family in ("utterance", "partial") else ""
        marks = "!" * event.interrupted + "." * event.final
        who = f"{event.role} " if event.role else ""
        turn = "" if event.turn_idx is None else f"t{event.turn_idx} "
        lines.append(f"{at - START:g} {turn}{who}{name}{marks} {words}".strip())
    return lines


def of_type(out: list[Timed], name: str) -> list[Message]:
    return [message for _, message in out if isinstance(message, dict) and message.get("event_type") == name]


def texts(out: list[Timed], role: str = "pal") -> list[str]:
    told = [message["properties"] for message in of_type(out, "conversation.utterance")]
    return [one["speech"] for one in told if one["role"] == role]


def calls(out: list[Timed]) -> list[dict[str, Any]]:
    return [message["properties"] for message in of_type(out, "conversation.tool_call")]


def an_echo(**properties: Any) -> Interaction:
    return Interaction("conversation.echo", properties)


# -- scripts

TOOLS = """
[tools.look]
arguments = { what = "{1}" }
on_resolve = "%s"
say = "It is {output.colour}, says {output}."
error = "No: {output}"
timeout = 5
timed_out = "No answer."

[[reply]]
match = "look at (\\\\w+)"
tool = "look"
[[reply]]
match = "context"
say = "{context}"
"""

OBJECTIVES = """
[[objective]]
name = "day"
match = "(\\\\w+)day"
variables = { day = "{1}" }
[[objective]]
name = "size"
match = "\\\\d+"
variables = { text = "{user}" }
confirm = "manual"
"""

STEPS = """
[[at]]
perception = "wave"
arguments = { hand = "left" }
frames = [{ uri = "x" }]
[[at]]
perception = "mood"
modality = "audio"
arguments = "{}"
[[at]]
analysis = "calm"
[[at]]
guardrail = "rude"
reason = "words"
[[at]]
rag = ["a.pdf", "b.pdf"]
[[at]]
objective = "o"
state = "pending"
variables = { a = "b" }
[[at]]
event = "conversation.new"
properties = { a = 1 }
[[at]]
raw = "not a message"
[[at]]
say = "Hm."
[[at]]
tool = "end_call"
arguments = { why = "x" }
"""
