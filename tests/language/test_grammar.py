"""How a line is split: names and rests, words and flags, durations."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.errors import UsageError
from tavus_cli.language.grammar import Words, duration, speed_factor, split_line
from tests.kits.conversations import many

USAGE = "/it WORD REST [--flag]"


@pytest.mark.parametrize(
    ("line", "name", "rest"),
    [
        ("Hi  there", "respond", "Hi  there"),
        ("  Hi there \n", "respond", "Hi there"),
        ("", "respond", ""),
        ("/echo Hi", "echo", "Hi"),
        ("/echo   Hi  there ", "echo", "Hi  there"),
        ("/echo\tHi\tthere", "echo", "Hi\tthere"),
        ("/echo\nHi there\nand there", "echo", "Hi there\nand there"),
        ("/echo \n Hi", "echo", "Hi"),
        ("  /interrupt ", "interrupt", ""),
        ("/", "", ""),
        ("/ echo Hi", "", "echo Hi"),
        ("//x", "respond", "/x"),
        ("//x  y", "respond", "/x  y"),
        ("//", "respond", "/"),
        ("///x", "respond", "//x"),
        ("a /echo b", "respond", "a /echo b"),
        ("--audio x", "respond", "--audio x"),
    ],
)
def test_split_line(line: str, name: str, rest: str) -> None:
    assert split_line(line) == (name, rest)


@many
@given(st.text())
def test_what_is_not_a_command_is_reported_as_it_is(text: str) -> None:
    name, rest = split_line(text)
    if not text.strip().startswith("/"):
        assert (name, rest) == ("respond", text.strip())
    assert split_line("/" + "/" + text.strip()) == ("respond", ("/" + text.strip()).strip())


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1500ms", 1.5),
        ("10s", 10),
        ("10 s", 10),
        (" 10s ", 10),
        ("2.5", 2.5),
        ("0", 0),
        ("5m", 300),
        ("5min", 300),
        ("1h", 3600),
        ("0.5h", 1800),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "s", "-1s", "1d", "1.s", ".5", "1e3", "nan", "inf", "10s5", "1h30m", "٣s", "1,5s", "9" * 400]
)
def test_what_is_not_a_duration(text: str) -> None:
    with pytest.raises(UsageError, match=re.escape("is not a duration: write 1500ms, 10s, 5m or 1h")):
        duration(text)


@pytest.mark.parametrize(("text", "factor"), [("1", 1.0), ("0.5", 0.5), ("20", 20.0), ("max", None)])
def test_speed_factors(text: str, factor: float | None) -> None:
    assert speed_factor(text) == factor


@pytest.mark.parametrize("text", ["", "0", "-1", "nan", "inf", "1e9", "fast", "MAX"])
def test_what_is_not_a_speed(text: str) -> None:
    with pytest.raises(UsageError, match="--speed must be a number such as 1 or 4, or max"):
        speed_factor(text)


def test_words_of_a_line_keep_their_spaces() -> None:
    words = Words("  first   second  third ", USAGE)
    assert words.word("WORD") == "first"
    assert words.rest("REST") == "second  third"
    assert words.empty
    words.done()


def test_words_of_a_command_line_are_joined() -> None:
    words = Words(["first", "second  word", "third"], USAGE)
    assert words.word("WORD") == "first"
    assert words.rest("REST") == "second  word third"
    assert words.empty
    words.done()


@pytest.mark.parametrize(
    ("source", "found", "rest"),
    [
        ("--flag a b", True, "a b"),
        ("a b --flag", True, "a b"),
        ("a  b   --flag", True, "a  b"),
        ("--flag", True, None),
        ("a --flag b", False, "a --flag b"),
        ("--flags a", False, "--flags a"),
        ("a --noflag--flag", False, "a --noflag--flag"),
        ("a", False, "a"),
        ("", False, None),
        (["--flag", "a"], True, "a"),
        (["a", "--flag", "b"], True, "a b"),
        (["a", "--flag"], True, "a"),
        (["a --flag"], False, "a --flag"),
        ([], False, None),
    ],
)
def test_flags(source: str | list[str], found: bool, rest: str | None) -> None:
    words = Words(source, USAGE)
    assert words.flag("--flag") is found
    assert words.empty is (rest is None)
    if rest is not None:
        assert words.rest("REST") == rest


def test_a_flag_is_not_a_pattern() -> None:
    assert not Words("-xflag a", USAGE).flag("-.flag")


@pytest.mark.parametrize("source", ["", "   ", []], ids=["line", "spaces", "list"])
def test_missing_arguments_are_reported_with_the_usage(source: str | list[str]) -> None:
    for take in (Words(source, USAGE).word, Words(source, USAGE).rest):
        with pytest.raises(UsageError, match=re.escape(f"WORD is missing; usage: {USAGE}")):
            take("WORD")


@pytest.mark.parametrize("source", ["too much", ["too", "much"]], ids=["line", "list"])
def test_extra_arguments_are_reported_with_the_usage(source: str | list[str]) -> None:
    with pytest.raises(UsageError, match=re.escape(f'unexpected "too much"; usage: {USAGE}')):
        Words(source, USAGE).done()


def test_the_callers_list_is_left_unchanged() -> None:
    given = ["a", "--flag"]
    words = Words(given, USAGE)
    words.flag("--flag")
    words.word("WORD")
    assert given == ["a", "--flag"]
