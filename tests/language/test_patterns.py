"""Limits of patterns: what is refused when it is read, and what gives up when it is used."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tavus_cli.errors import UsageError
from tavus_cli.language import patterns
from tavus_cli.language.patterns import Expression, Pattern, TooSlow, glob, literal, literal_glob
from tavus_cli.language.selection import TypePattern, compile_where

SLOW = [
    ("(a|aa)+$", "a" * 60 + "!"),
    ("(x+x+)+y", "x" * 20_000),
    (r"\b(\w+)\b.*\1$", "ab " * 20_000),
    ("(?:(?:a{1,50}){1,50}){1,50}b", "a" * 2_000),
    ("(?R)", "a"),
    ("a.*" * 300, "a" * 20_000),
    ("(?>a+)+(?<!a)(a|b)*c", "a" * 200_000),
]


@pytest.mark.parametrize(("pattern", "text"), SLOW)
def test_a_search_that_would_not_end_gives_up(pattern: str, text: str) -> None:
    with pytest.raises(TooSlow, match="takes too long on a text of"):
        Pattern(pattern).search(text)
    with pytest.raises(TooSlow):
        Pattern(pattern).search_many(text)


@pytest.mark.parametrize(
    "pattern",
    [
        "((a{100}){100}){100}",
        "(a{1000}){1000}",
        "(a {100} ){1000}",
        "a{2000000}",
        "(" * 30 + "a" + ")+" * 30,
        "(?:" * 1_000,
        "(" * 41 + ")" * 41,
        "a" * 201,
        "(?:)".join("a" * 201),
        r"\x61" * 201,
        "[a]" * 201,
        "a." * 1_001,
        "[" * 1_500 + "(" * 200,
        "a{99999999999}",
        "(",
        "*",
        "[",
        "\\",
        r"\L<x>",
        r"\N{no such letter}",
        "(?P<a>x)(?P<a",
        "(?(9)a|b)",
    ],
)
def test_a_pattern_that_is_wrong_or_too_large_is_refused(pattern: str) -> None:
    with pytest.raises(UsageError) as raised:
        Pattern(pattern)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"\d{4}-\d{2}-\d{2}", "on 2026-05-04"),
        (r"([a-z]+\.)+com", "www.tavus.com"),
        (r"^(?:\w{1,20} ?){1,100}$", "what are your hours"),
        (r"\((\d{3})\) [(]", "(030) ("),
        ("x{0,5000}", "x"),
        ("a" * 200 + "." + "a" * 200, "a" * 401),
        (literal("a" * 1_800), "a" * 2_000),
        ("(" * 40 + "a" + ")" * 40, "a"),
        ("nine", "from NINE"),
    ],
)
def test_everyday_patterns_are_accepted(pattern: str, text: str) -> None:
    assert Pattern(pattern, ignore_case=True).search_many(text)


@settings(deadline=None, max_examples=300)
@given(
    st.text("(|)*+?a{},29[]^$.\\b!:<>=P#&~- ", max_size=60),
    st.text("a!b ", max_size=300),
)
def test_any_pattern_ends(pattern: str, text: str) -> None:
    with contextlib.suppress(UsageError, TooSlow):
        Pattern(pattern).search_many(text)


def test_a_flood_of_slow_texts_gets_less_time_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts the searches that may take the longer time, not seconds."""
    pattern = Pattern("a")
    given: list[float] = []

    def search(text: str, timeout: float) -> str | None:
        given.append(timeout)
        if timeout == patterns.QUICK_SECONDS and text == "slow":
            raise TimeoutError
        return text

    monkeypatch.setattr(pattern, "_search", search)
    for _ in range(patterns.SLOW_TEXTS):
        assert pattern.search_many("slow") == "slow"
    with pytest.raises(TooSlow):
        pattern.search_many("slow")
    assert given.count(patterns.SLOW_SECONDS) == patterns.SLOW_TEXTS
    for _ in range(patterns.QUICK_TEXTS):
        pattern.search_many("quick")
    assert pattern.search_many("slow") == "slow"
    with pytest.raises(TooSlow):
        pattern.search_many("slow")


@given(st.text(min_size=1, max_size=100), st.text(max_size=100))
def test_what_is_literal_matches_only_itself(text: str, other: str) -> None:
    assert Pattern(f"^(?:{literal(text)})\\Z").search(text)
    assert glob(literal_glob(text))(text)
    if text != other:
        assert not Pattern(f"^(?:{literal(text)})\\Z").search(other)
        assert not glob(literal_glob(text))(other)


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("replica.*", "replica.started_speaking", True),
        ("*a" * 99 + "*c", "a" * 2_000, False),
        ("*a" * 99 + "*", "a" * 2_000, True),
        ("*" * 200, "a", True),
        ("[z-a]", "z", False),
        ("[", "[", True),
        ("*", "a" * 100_000, True),
        ("a*", "a" * 100_000, False),
        ("?", "\n", True),
        ("A", "a", False),
    ],
)
def test_globs(pattern: str, name: str, matches: bool) -> None:
    assert glob(pattern)(name) is matches


@pytest.mark.parametrize("words", [["*a" * 101], ["a" * 201], ["utterance"] * 51])
def test_types_are_limited(words: list[str]) -> None:
    with pytest.raises(UsageError, match="at most"):
        TypePattern(words)


def test_long_types_are_not_remembered() -> None:
    matches = TypePattern(["a*"])
    assert matches("a" * 1_000)
    assert matches._known == {}


@pytest.mark.parametrize(
    "expression",
    [
        "||".join("a" * 3_000),
        "||".join("a" * 500),
        "(" * 1_500 + "a" + ")" * 1_500,
        "(" * 900 + "a" + ")" * 900,
        "(" * 1_500,
        "[" * 1_900,
        "!" * 1_900 + "a",
        "&" * 1_900,
        "a" + "[*]" * 600,
        "a" + "|@" * 900,
        "not_null(" * 200 + "a" + ")" * 200,
        "|".join(["[@,@]"] * 40),
        "|".join(["{a:@,b:@}"] * 40),
        "|".join(["[@[],@[]][]"] * 20),
        "|".join(["merge(@,@)"] * 40),
        "map(&[@,@]," * 20 + "@" + ")" * 20,
        "foo(",
        "nosuch(@)",
        "a[",
        "'",
    ],
)
def test_an_expression_that_is_wrong_or_too_large_is_refused(expression: str) -> None:
    with pytest.raises(UsageError) as raised:
        Expression(expression)
    assert "\n" not in str(raised.value)
    with pytest.raises(UsageError, match="--where: "):
        compile_where(expression)


@pytest.mark.parametrize(
    ("expression", "value", "found"),
    [
        ("type=='a' || type=='b'", {"type": "b"}, True),
        (" || ".join(f"type=='{n}'" for n in range(60)), {"type": "59"}, True),
        ("[?a>`1`].[a,b][]", [{"a": 2, "b": 3}], [2, 3]),
        ("contains(join(',', [a, b, a]), 'xy')", {"a": "x", "b": "y"}, False),
        ("sort_by(@, &a)[0].{x:a,y:a}", [{"a": 2}, {"a": 1}], {"x": 1, "y": 1}),
    ],
)
def test_everyday_expressions_are_accepted(expression: str, value: Any, found: Any) -> None:
    assert Expression(expression).search(value) == found


@pytest.mark.parametrize(
    "expression", ["[]|[]|[]|[]|[]", "[*][*][]", "[?@].a", "map(&@,@)|map(&@,@)|map(&@,@)"]
)
def test_a_value_that_takes_too_many_steps(expression: str) -> None:
    value = [[1]] * 60_000
    with pytest.raises(TooSlow, match="--where: the expression takes too long"):
        where(expression)(value)


def test_unused_steps_are_saved_up_for_large_values() -> None:
    search, value = where("[].a | length(@)"), [{"a": 1}] * 5_000
    assert search(value) == 5_000
    with pytest.raises(TooSlow):
        deque((search(value) for _ in range(100)), maxlen=0)
    small = where("[].a | length(@)")
    assert all(small([{"a": 1}] * 50) == 50 for _ in range(1_000))


def where(expression: str) -> Callable[[Any], Any]:
    compiled = compile_where(expression)
    assert compiled is not None
    return compiled
