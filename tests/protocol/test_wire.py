"""JSON text of messages: every value there and back, at any depth, whatever a peer chose."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

import pytest
from hypothesis import given

from tavus_cli.protocol.wire import MAX_DEPTH, from_json, same, to_json
from tests.kits.conversations import DEEP, HOSTILE_VALUES, deep, few, json_values, many, same_value


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


@few
@given(json_values())
def test_deep_values_are_written_like_shallow_ones(value: Any) -> None:
    """What json cannot do at depth is written by other code: the inside must be the same."""
    around = 3 * sys.getrecursionlimit()
    assert to_json(_boxed(value, around)) == "[" * around + to_json(value) + "]" * around


def _boxed(value: Any, times: int) -> Any:
    for _ in range(times):
        value = [value]
    return value


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
        pytest.param([10**5_000], '["(unprintable number)"]', id="5,000 digits"),
        pytest.param("é\u2028\ud800", '"é\u2028\ud800"', id="characters stay"),
    ],
)
def test_what_is_no_json_is_still_written(value: Any, text: str) -> None:
    assert to_json(value) == text


def test_depth_is_read_up_to_a_limit_and_refused_beyond() -> None:
    limit = sys.getrecursionlimit()
    assert from_json('{"a":' * 1_000 + "1" + "}" * 1_000)["a"]["a"]["a"]
    for text in ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "[" * 100_000, '{"a":' * 100_000):
        with pytest.raises(ValueError, match="nested"):
            from_json(text)
    assert sys.getrecursionlimit() == limit


def test_what_stands_side_by_side_is_not_depth() -> None:
    side_by_side = [["x", []]] * MAX_DEPTH
    text = to_json([_boxed(0, 1_100), side_by_side])
    assert from_json(text)[1] == side_by_side


def test_brackets_in_strings_are_not_depth() -> None:
    text = to_json(["[" * (MAX_DEPTH + 1) + '\\"{', deep(1_000)])
    assert same_value(from_json(text), ["[" * (MAX_DEPTH + 1) + '\\"{', deep(1_000)])


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
        pytest.param(deep(5_000, 1), deep(5_000, 1), True, id="deep"),
        pytest.param(deep(5_000, 1), deep(5_000, 2), False, id="deep, other value"),
    ],
)
def test_same(one: Any, other: Any, equal: bool) -> None:
    assert same(one, other) is equal
