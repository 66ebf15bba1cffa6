"""What the body of a creation may hold."""

from __future__ import annotations

from typing import Any

import pytest

from tavus_cli.local.fields import with_old_names, wrong


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"persona_id": "p", "properties": {"language": "x"}}, None),
        ({"pal_id": "p", "face_id": "f", "chat": True, "memory_stores": ["a"]}, None),
        ({"persona_id": 1}, "persona_id: must be text"),
        ({"personaid": "p"}, "personaid: unknown field"),
        ({"max_participants": 1}, "max_participants: out of range"),
        ({"properties": {"max_call_duration": 3601}}, "max_call_duration: out of range"),
        ({"properties": {"max_call_duration": "60"}}, "max_call_duration: must be integer"),
        ({"properties": {"max_call_duration": True}}, "max_call_duration: must be integer"),
        ({"properties": []}, "properties: must be object"),
        ({"persona_id": "p", "document_tags": ["a", 1]}, "document_tags: must be array of text"),
        ({}, "persona_id is missing"),
        ({"persona_id": ""}, "persona_id is missing"),
        (None, "the body must be an object"),
        ("{", "the body must be an object"),
    ],
)
def test_what_is_wrong_with_a_body(body: Any, problem: str | None) -> None:
    assert wrong(with_old_names(body)) == problem
