"""What an answer says about a failure."""

from __future__ import annotations

import json

import pytest

from tavus_cli.api.answer import Answer
from tavus_cli.api.said import said


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"message": "Invalid", "errors": {"persona_id": ["is missing"]}}, "Invalid: persona_id is missing"),
        ({"error": "Bad Request", "details": ["a", "b"]}, "Bad Request: a; b"),
        ({"error": {"message": "No", "details": {"field": "x", "message": "too long"}}}, "No: x too long"),
        ({"detail": [{"loc": ["body", "x"], "msg": "required"}]}, "body.x required"),
        ({"errors": [{"path": "y", "message": "bad"}]}, "y bad"),
        ({"message": "Only this"}, "Only this"),
    ],
)
def test_errors_keep_their_details(body: dict[str, object], words: str) -> None:
    assert said(Answer(400, {}, json.dumps(body), "/v2/conversations")) == words
