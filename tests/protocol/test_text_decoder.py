"""Messages received as text are decoded as their values are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from tavus_cli.protocol.events import Event, decode
from tavus_cli.protocol.text_decoder import text_decoder
from tavus_cli.protocol.wire import from_json, to_json
from tests.kits.conversations import SAMPLES, Message, many, same_value, strange_messages


def _as_decoded(event: Event) -> list[Any]:
    kept = (
        event.kind,
        event.type,
        event.seq,
        event.turn_idx,
        event.inference_id,
        event.role,
        event.timestamp,
    )
    told = (event.text, event.interrupted, event.final, event.duration, event.kind.summary(event))
    return [*kept, *told, event.at, event.sender, event.raw, event.direction]


@many
@given(strange_messages())
def test_text_is_decoded_as_its_value(sent: Any) -> None:
    text = to_json(sent)
    whole, event = decode(from_json(text), 1.0, "peer", text, "out"), text_decoder()(text, 1.0, "peer", "out")
    assert same_value(_as_decoded(event), _as_decoded(whole))
    assert same_value(event.message, whole.message)
    assert same_value(dict(event.properties), dict(whole.properties))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda one: one["event_type"])
def test_samples_as_text(sample: Message) -> None:
    event = text_decoder()(json.dumps(sample))
    assert event.kind.summary(event) == decode(sample).kind.summary(decode(sample))
    assert event.message == sample


@pytest.mark.parametrize("text", ["", "{", "nothing", '{"event_type": "x"} x', "[1,"])
def test_text_that_is_not_json(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        text_decoder()(text)
