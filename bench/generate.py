"""Generated events for the bench: bare messages, one a line, as Tavus would send them.

``messages`` has the usual events of a turn once; ``all_kinds`` has every kind, with twins, both generations
of speaking events, streaming and heartbeats, as in a real room.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

START = 1_790_000_000.0
SPEECH = "We are open from nine to five on weekdays, and from ten to two on Saturdays."


Said = tuple[str, str | None, dict[str, Any]]  # type, inference_id, properties


def messages(count: int) -> Iterator[dict[str, Any]]:
    """``count`` messages: turns of a question, a tool call, a spoken answer, each in its usual shape."""
    return _numbered(count, _turn)


def all_kinds(count: int) -> Iterator[dict[str, Any]]:
    """``count`` messages: turns with every kind of event."""
    return _numbered(count, _full_turn)


def _numbered(count: int, turn_of: Callable[[int], Iterator[Said]]) -> Iterator[dict[str, Any]]:
    seq = turn = 0
    while True:
        turn += 1
        for name, inference, properties in turn_of(turn):
            seq += 1
            if seq > count:
                return
            system = name.startswith("system.")
            message = {
                "message_type": "system" if system else "conversation",
                "event_type": name if system else f"conversation.{name}",
                "conversation_id": "c7f3a91d20be4b58",
                "seq": seq,
                "turn_idx": turn,
                "timestamp": round(START + seq * 0.05, 3),
                "inference_id": inference,
                "properties": properties,
            }
            if system:
                del message["turn_idx"]
            if inference is None:
                del message["inference_id"]
            yield message


def _turn(turn: int) -> Iterator[Said]:
    user, pal = (f"{who:08x}-0000-4000-8000-{turn:012x}" for who in (1, 2))
    question = f"What are your hours in week {turn}?"
    yield "started_speaking", user, {"role": "user"}
    yield "stopped_speaking", user, {"role": "user", "interrupted": False, "duration": 1.25}
    yield "utterance", user, {"role": "user", "speech": question, "user_audio_analysis": "calm, friendly"}
    call = {"name": "get_hours", "arguments": '{"day":"mon"}', "tool_call_id": f"call_{turn}"}
    yield "tool_call", user, call
    yield "started_speaking", pal, {"role": "pal"}
    yield "utterance", pal, {"role": "pal", "speech": f"{SPEECH} ({turn})"}
    yield "stopped_speaking", pal, {"role": "pal", "interrupted": False, "duration": 3.16}


def _full_turn(turn: int) -> Iterator[Said]:
    user, pal = (f"{who:08x}-0000-4000-8000-{turn:012x}" for who in (1, 2))
    question, answer = f"What are your hours in week {turn}?", f"{SPEECH} ({turn})"
    yield "system.replica_present", None, {"replica_id": "r90bbd427f71"}
    yield "system.pal_present", None, {"face_id": "r90bbd427f71"}
    yield "started_speaking", user, {"role": "user"}
    yield "user.started_speaking", user, {}
    for number, partial in enumerate(_growing(question, 2)):
        said = {"role": "user", "speech": partial, "content_index": number, "final": partial == question}
        yield "utterance.streaming", user, said
    yield "stopped_speaking", user, {"role": "user", "interrupted": False, "duration": 1.25}
    yield "user.stopped_speaking", user, {}
    yield "utterance", user, {"role": "user", "speech": question, "user_audio_analysis": "calm, friendly"}
    call = {"name": "get_hours", "arguments": '{"day":"mon"}', "tool_call_id": f"call_{turn}"}
    yield "tool_call", user, call
    seen = {"name": "wave", "arguments": {"hand": "left"}, "modality": "vision"}
    yield "perception_tool_call", None, seen
    yield "rag.observability", user, {"documents": [{"document_id": "d1", "document_name": "hours.pdf"}]}
    yield "objective.completed", None, {"objective_name": "day", "output_variables": {"day": "Monday"}}
    yield "guardrail.triggered", None, {"guardrail": "no_photos", "guardrail_uuid": "g-1"}
    for role in ("replica", "pal"):
        yield "started_speaking", pal, {"role": role}
    yield "replica.started_speaking", pal, {}
    for role in ("replica", "pal"):
        yield "utterance", pal, {"role": role, "speech": answer}
    for number, partial in enumerate(_growing(answer, 5)):
        for role in ("replica", "pal"):
            said = {"role": role, "speech": partial, "content_index": number, "final": partial == answer}
            yield "utterance.streaming", pal, {**said, "is_interrupted": False}
    for role in ("replica", "pal"):
        yield "stopped_speaking", pal, {"role": role, "interrupted": False, "duration": 3.16}
    yield "replica.stopped_speaking", pal, {"interrupted": False, "duration": 3.16}
    yield "perception_analysis", None, {"analysis": f"One person at a desk, as in turn {turn}."}
    yield "some_new_event", user, {"alpha": 1, "nested": {"beta": ["x", None, True]}}


def _growing(text: str, words: int) -> Iterator[str]:
    said = text.split(" ")
    yield from (" ".join(said[:count]) for count in range(words, len(said), words))
    yield text


def write(path: str, messages: Iterable[dict[str, Any]]) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(message, separators=(",", ":")) + "\n" for message in messages)
