"""JSON text of messages: every value survives, and what is nested too deep."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given

from tavus_cli.protocol.wire import MAX_DEPTH, from_json, same, to_json, too_deep
from tests.kits.conversations import DEEP, HOSTILE_VALUES, deep, json_values, many, same_value


@many
@given(json_values())
def test_every_value_comes_back(value: Any) -> None:
    text = to_json(value)
    assert "\n" not in text
    assert same_value(from_json(text), value)


@many
@given(json_values())
def test_text_is_what_json_writes(value: Any) -> None:
    assert to_json(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize("value", [*HOSTILE_VALUES.values(), DEEP], ids=[*HOSTILE_VALUES, "deep"])
def test_hostile_values_come_back(value: Any) -> None:
    assert same_value(from_json(to_json(value)), value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(math.nan, "NaN", id="not a number"),
        pytest.param(b"\x00", "\"b'\\\\x00'\"", id="bytes, by their repr"),
        pytest.param({1: {2: b""}}, '{"1":{"2":"b\'\'"}}', id="keys that are numbers"),
        pytest.param([(1, 2), {"a": [], "b": {}}, b""], '[[1,2],{"a":[],"b":{}},"b\'\'"]', id="tuples"),
        pytest.param([10**5_000], '"not JSON"', id="5,000 digits"),
        pytest.param({(1, 2): 3}, '"not JSON"', id="a key that is a tuple"),
        pytest.param("é\u2028\ud800", '"é\u2028\ud800"', id="characters stay"),
    ],
)
def test_what_json_lacks_is_still_written(value: Any, text: str) -> None:
    assert to_json(value) == text


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000])
def test_what_is_nested_deeper_than_python_reads(text: str) -> None:
    with pytest.raises(ValueError, match=r"^nested too deep$"):
        from_json(text)


def test_what_is_nested_deeper_than_python_writes() -> None:
    assert to_json(deep(100_000)) == '"nested too deep"'


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(deep(MAX_DEPTH), False, id="as deep as can be"),
        pytest.param(deep(MAX_DEPTH + 1), True, id="one level more"),
        pytest.param({"a": 1, "b": [deep(MAX_DEPTH - 1)]}, True, id="in a later place"),
        pytest.param(deep(100_000), True, id="far more"),
        pytest.param([["x", []]] * 5_000, False, id="side by side"),
        pytest.param("[" * 5_000, False, id="in a text"),
        pytest.param(None, False, id="null"),
    ],
)
def test_too_deep(value: Any, expected: bool) -> None:
    assert too_deep(value) is expected


@pytest.mark.parametrize("text", ["", "{", "nope", '{"a":1}{', "'a'", "9" * 5_000])
def test_what_cannot_be_read_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):  # the words are json's
        from_json(text)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        pytest.param({"a": 1, "b": [2]}, {"b": [2], "a": 1}, True, id="order of keys"),
        pytest.param({"a": 1}, {"a": 2}, False, id="other value"),
        pytest.param({"a": 1}, "a", False, id="other type"),
        pytest.param(deep(MAX_DEPTH, 1), deep(MAX_DEPTH, 1), True, id="deep"),
        pytest.param(deep(100_000, 1), deep(100_000, 1), False, id="too deep to compare"),
    ],
)
def test_same(one: Any, other: Any, equal: bool) -> None:
    assert same(one, other) is equal


@pytest.mark.parametrize("text", ["9" * 5_000, f'{{"a": [-{"9" * 5_000}]}}'])
def test_a_number_of_thousands_of_digits_is_reported_in_plain_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"^a number with too many digits$"):
        from_json(text)
