"""Generated events for the bench: bare messages, one a line, a conversation as Tavus would send it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

START = 1_790_000_000.0
SPEECH = "We are open from nine to five on weekdays, and from ten to two on Saturdays."


def messages(count: int) -> Iterator[dict[str, Any]]:
    """``count`` messages: turns of a question, a tool call, a spoken answer, each in its usual shape."""
    seq = turn = 0
    while True:
        turn += 1
        for name, inference, properties in _turn(turn):
            seq += 1
            if seq > count:
                return
            yield {
                "message_type": "conversation",
                "event_type": f"conversation.{name}",
                "conversation_id": "c7f3a91d20be4b58",
                "seq": seq,
                "turn_idx": turn,
                "timestamp": round(START + seq * 0.05, 3),
                "inference_id": inference,
                "properties": properties,
            }


def _turn(turn: int) -> Iterator[tuple[str, str, dict[str, Any]]]:
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


def write(path: str, count: int) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(message, separators=(",", ":")) + "\n" for message in messages(count))
