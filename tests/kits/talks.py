"""Generated conversations with times, as in recordings, and their figures, computed in a second way.

``Talk.records`` are (at, direction, message) in order of arrival. ``expected`` does not use the package: it
goes through the raw messages once for each question.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.kits.conversations import START, Message, message

Record = tuple[float, str, Message]


@dataclass
class Talk:
    records: list[Record] = field(default_factory=list)

    def write(self, path: Path) -> str:
        """As a recording; its name."""
        head = {
            "recording": 1,
            "conversation_id": "c0ffee11",
            "target": "x",
            "started": START,
            "versions": {},
        }
        lines = [json.dumps(head)]
        for at, direction, one in self.records:
            record = {"at": at, "t": round(at - START, 6), "dir": direction, "from": None, "message": one}
            lines.append(json.dumps(record))
        path.write_text("\n".join(lines) + "\n", "utf-8")
        return str(path)


@st.composite
def talks(draw: st.DrawFn, turns: int = 5) -> Talk:
    """Spoken and typed questions, tool calls, twins, barge-ins, heartbeats; each at its own millisecond."""
    talk = Talk()
    now, seq = START, draw(st.integers(0, 500))

    def later(most: int = 2_500) -> None:
        nonlocal now
        now = round(now + draw(st.integers(1, most)) / 1000, 3)

    def say(name: str, turn: int | None, inference: str | None = None, /, **properties: Any) -> None:
        nonlocal seq
        seq += 1
        one = message(name, seq=seq, turn=turn, at=now, inference=inference, **properties)
        talk.records.append((now, "in", one))

    def send(name: str, **properties: Any) -> None:
        talk.records.append((now, "out", message(name, **properties)))

    def speaking(what: str, role: str, turn: int, inference: str, **properties: Any) -> None:
        """In one to three of its shapes."""
        later()
        say(f"conversation.{what}_speaking", turn, inference, role=role, **properties)
        if draw(st.booleans()):
            later(20)
            old = "replica" if role == "pal" else "user"
            say(f"conversation.{old}.{what}_speaking", turn, inference, **properties)
        if role == "pal" and draw(st.booleans()):
            later(20)
            say(f"conversation.{what}_speaking", turn, inference, role="replica", **properties)

    def maybe_heartbeat() -> None:
        if draw(st.integers(0, 2)) == 0:
            later(4_500)
            talk.records.append((now, "in", message("system.pal_present", at=now)))

    user_open = False
    for turn in range(1, draw(st.integers(1, turns)) + 1):
        user, pal = f"user-speech-{turn}", f"pal-speech-{turn}"  # long: redacted ids must not collide
        maybe_heartbeat()
        if user_open or draw(st.booleans()):
            if not user_open:
                speaking("started", "user", turn, user)
            speaking("stopped", "user", turn, user, interrupted=False, duration=None)
            user_open = False
            later()
            say("conversation.utterance", turn, user, role="user", speech=f"question {turn}")
        else:
            later()
            send("conversation.respond", text=f"typed {turn}")
            later(900)
            say("conversation.utterance", turn, user, role="user", speech=f"typed {turn}")
        if draw(st.booleans()):
            later()
            say("conversation.rag.observability", turn, user, documents=[])
        calls = [f"call-of-a-tool-{turn}.{number}" for number in range(draw(st.integers(0, 2)))]
        for call in calls:
            later()
            say("conversation.tool_call", turn, user, name="look", arguments="{}", tool_call_id=call)
        for call in calls:
            if draw(st.integers(0, 3)):
                later()
                send("conversation.tool_result", tool_call_id=call, output="42")
        if draw(st.integers(0, 5)) == 0:
            continue  # never answered
        text = f"answer {turn} of the PAL in some words"
        if draw(st.booleans()):
            later()
            say(
                "conversation.utterance.streaming", turn, pal, role="pal", speech=text[:6], content_index=0,
                final=False,
            )  # fmt: skip
        if draw(st.booleans()):
            speaking("started", "pal", turn, pal)
            later()
            say("conversation.utterance", turn, pal, role="pal", speech=text)
        else:
            later()
            say("conversation.utterance", turn, pal, role="pal", speech=text)
            speaking("started", "pal", turn, pal)
        maybe_heartbeat()
        how = draw(st.sampled_from(("no", "no", "speech", "interrupt", "in vain")))
        cut = how in ("speech", "interrupt")
        if how == "in vain":
            speaking("started", "user", turn, f"m{turn}")
            speaking("stopped", "user", turn, f"m{turn}", interrupted=False, duration=None)
        elif how == "speech":
            speaking("started", "user", turn + 1, f"user-speech-{turn + 1}")
            user_open = True
        elif how == "interrupt":
            later()
            send("conversation.interrupt")
        if cut:
            later(400)
            say(
                "conversation.utterance.streaming", turn, pal, role="pal", speech=text[:8], content_index=1,
                final=True, is_interrupted=True,
            )  # fmt: skip
        speaking("stopped", "pal", turn, pal, interrupted=cut, duration=None)
    return talk


# -- the same figures, computed in a second way -----------------------------------------------------------


def expected(talk: Talk) -> dict[str, Any]:
    """Sorted seconds by measure, and counts."""
    out: dict[str, Any] = {name: [] for name in ("reply", "reply_first_event", "reply_tool", "reply_inside")}
    out |= {"respond_first_event": [], "tool": [], "unreplied": 0}
    for turn in sorted({one["turn_idx"] for _, _, one in talk.records if "turn_idx" in one}):
        _turn(talk, turn, out)
    heard = {"user": _speeches(talk, "user"), "pal": _speeches(talk, "pal")}
    for role, speeches in heard.items():
        out[f"{role}_speech"] = [end - start for start, end, _ in speeches if end is not None]
    out["interruptions"] = sum(cut for _, _, cut in heard["pal"])
    out["talk_over"] = _overlaps(heard)
    out["dead_air"] = [one for one in _silences(heard) if one >= 2.0]
    _barge_ins(talk, heard, out)
    results = [(at, one["properties"]["tool_call_id"]) for at, one in _all(talk, "tool_result", "out")]
    calls = [(at, one["properties"]["tool_call_id"]) for at, one in _all(talk, "tool_call")]
    out["tool"] = [at - called for at, name in results for called, call in calls if call == name]
    out["unanswered_calls"] = len(calls) - len(results)
    spoken = [start for start, _, _ in heard["pal"]]
    out["tool_to_speech"] = [
        min(after) - at for at, _ in results if (after := [one for one in spoken if one > at])
    ]
    beats = [at for at, one in _all(talk, "pal_present")]
    out["outage"] = [b - a for a, b in pairwise(beats) if b - a >= 3.0]
    return {name: sorted(one) if isinstance(one, list) else one for name, one in out.items()}


def _all(talk: Talk, ending: str, direction: str = "in") -> list[tuple[float, Message]]:
    return [
        (at, one)
        for at, way, one in talk.records
        if way == direction and one["event_type"].endswith("." + ending)
    ]


def _turn(talk: Talk, turn: int, out: dict[str, Any]) -> None:
    mine = [(at, one) for at, way, one in talk.records if way == "in" and one.get("turn_idx") == turn]
    starting = ("started_speaking", "n.utterance")
    starts = [at for at, one in mine if _role(one) == "pal" and one["event_type"].endswith(starting)]
    replied = min(starts, default=float("inf"))
    typed = [
        at
        for at, way, one in talk.records
        if way == "out" and one.get("properties", {}).get("text") == f"typed {turn}"
    ]
    stops = [
        at
        for at, one in mine
        if _role(one) == "user" and at < replied and one["event_type"].endswith("stopped_speaking")
    ]
    if not typed and not stops:
        return
    asked = max(typed or stops)
    if replied == float("inf"):
        out["unreplied"] += 1
        return
    out["reply"].append(replied - asked)
    first = min(
        at for at, one in mine
        if at > asked and not (_role(one) == "user" and one["event_type"].endswith("_speaking"))
    )  # fmt: skip
    waits = []
    for called, call in _all(talk, "tool_call"):
        for answered, result in _all(talk, "tool_result", "out"):
            same = result["properties"]["tool_call_id"] == call["properties"]["tool_call_id"]
            if same and call["turn_idx"] == turn and answered <= replied:
                waits.append((called, answered))
    milliseconds = {
        ms for start, end in waits for ms in range(round((start - asked) * 1000), round((end - asked) * 1000))
    }
    tool = len(milliseconds) / 1000
    out["reply_first_event"].append(first - asked)
    out["reply_tool"].append(tool)
    out["reply_inside"].append(replied - asked - tool)
    if typed:
        out["respond_first_event"].append(first - asked)


def _role(one: Message) -> str | None:
    name = one["event_type"]
    if ".replica." in name:
        return "pal"
    if ".user." in name:
        return "user"
    role: str | None = one.get("properties", {}).get("role")
    return "pal" if role == "replica" else role


def _speeches(talk: Talk, role: str) -> list[tuple[float, float | None, bool]]:
    """(start, end, cut): of repeated events the first counts."""
    changes: list[tuple[float, bool, bool]] = []
    for at, way, one in talk.records:
        name = one["event_type"]
        if way == "in" and name.endswith("_speaking") and _role(one) == role:
            starts = "started" in name
            if not changes or changes[-1][1] != starts:
                changes.append((at, starts, one.get("properties", {}).get("interrupted", False)))
    out: list[tuple[float, float | None, bool]] = []
    for number, (at, starts, _) in enumerate(changes):
        if starts:
            last = number + 1 == len(changes)
            out.append((at, None, False) if last else (at, changes[number + 1][0], changes[number + 1][2]))
    return out


def _overlaps(heard: dict[str, Any]) -> list[float]:
    never = float("inf")
    both = [
        (max(u_start, p_start), min(u_end or never, p_end or never))
        for u_start, u_end, _ in heard["user"]
        for p_start, p_end, _ in heard["pal"]
    ]
    return [end - start for start, end in both if start < end < never]


def _silences(heard: dict[str, Any]) -> list[float]:
    spans = sorted((start, end) for one in heard.values() for start, end, _ in one)
    out, until = [], None
    for start, end in spans:
        if until is not None and start > until:
            out.append(start - until)
        if end is None:
            return out  # without a stop there is no silence
        until = end if until is None else max(until, end)
    return out


def _barge_ins(talk: Talk, heard: dict[str, Any], out: dict[str, Any]) -> None:
    cuts = [start for start, _, _ in heard["user"]] + [at for at, _ in _all(talk, "interrupt", "out")]
    out |= {"barge_ins": 0, "barge_ins_stopped": 0, "barge_ins_failed": 0, "barge_in_stop": []}
    for start, end, interrupted in heard["pal"]:
        inside = sorted(one for one in cuts if start < one < (end or float("inf")))
        out["barge_ins"] += len(inside)
        if not inside:
            continue
        out["barge_ins_failed"] += len(inside) - 1
        if end is not None and interrupted:
            out["barge_ins_stopped"] += 1
            out["barge_in_stop"].append(end - inside[-1])
        elif end is not None:
            out["barge_ins_failed"] += 1
