"""Remote text before it reaches a terminal: what is made visible, what stays, in text and in JSON."""

from __future__ import annotations

import json
import sys
import unicodedata
from typing import Any

import pytest
from hypothesis import given

from tavus_cli.protocol.wire import from_json, to_json
from tavus_cli.views.safe import safe, safe_json
from tests.kits.conversations import (
    DEEP,
    HOSTILE_TEXTS,
    HOSTILE_VALUES,
    KEPT,
    UNSAFE,
    json_values,
    many,
    same_value,
    texts,
    unsafe_in,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("", ""),
        ("a\tb", "a\tb"),
        ("\x1b[31m", "␛[31m"),
        ("a\r\nb", "a␍␊b"),
        ("\x00\x07\x7f", "␀␇␡"),
        ("\x9b2J", "⟨U+009B⟩2J"),
        ("\x85", "⟨U+0085⟩"),
        ("\u202eabc", "⟨U+202E⟩abc"),
        ("\u2028", "⟨U+2028⟩"),
        ("\ufeff", "⟨U+FEFF⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("\U000e0041", "⟨U+E0041⟩"),
        ("[/oops]", "[/oops]"),
    ],
    ids=ascii,
)
def test_shown_as(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_every_unsafe_character_is_made_visible_and_no_other() -> None:
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        shown = safe(character)
        if character in UNSAFE:
            assert shown != character
            assert shown.isprintable()
        else:
            assert shown == character


def test_controls_that_a_terminal_obeys_are_all_unsafe() -> None:
    """The list includes every control and every bidi control of Unicode."""
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        bidi = unicodedata.bidirectional(character) in (
            "LRE",
            "RLE",
            "LRO",
            "RLO",
            "PDF",
            "LRI",
            "RLI",
            "FSI",
            "PDI",
        )
        separator = unicodedata.category(character) in ("Zl", "Zp", "Cs")
        control = unicodedata.category(character) == "Cc" and character != "\t"
        if bidi or separator or control:
            assert character in UNSAFE, hex(code)


@pytest.mark.parametrize("text", KEPT, ids=ascii)
def test_kept(text: str) -> None:
    assert safe(text) == text
    assert safe(f"\x1b{text}") == f"␛{text}"


@many
@given(texts(200))
def test_any_text(text: str) -> None:
    shown = safe(text)
    assert not unsafe_in(shown)
    assert safe(shown) == shown
    assert "\n" not in shown
    shown.encode("utf-8")
    assert len(shown) >= len(text)
    if not unsafe_in(text):
        assert shown == text


@pytest.mark.parametrize("text", HOSTILE_TEXTS.values(), ids=HOSTILE_TEXTS)
def test_hostile_text(text: str) -> None:
    assert not unsafe_in(safe(text))


@many
@given(json_values())
def test_any_json_keeps_its_value(value: Any) -> None:
    for text in (to_json(value), json.dumps(value, indent=2, ensure_ascii=False)):
        shown = safe_json(text)
        assert not unsafe_in(shown)
        assert "\t" not in shown
        shown.encode("utf-8")
        assert same_value(json.loads(shown), value)
        assert safe_json(shown) == shown


@pytest.mark.parametrize("value", [*HOSTILE_VALUES.values(), DEEP], ids=[*HOSTILE_VALUES, "deep"])
def test_hostile_values_in_json(value: Any) -> None:
    shown = safe_json(to_json({"value": value, "list": [value]}))
    assert not unsafe_in(shown)
    assert same_value(from_json(shown), {"value": value, "list": [value]})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"a":"\x7f"}', '{"a":"\\u007f"}'),
        ('{"a":"\U000e0041"}', '{"a":"\\udb40\\udc41"}'),
        ('"\ud800"', '"\\ud800"'),
        ('{\n\t"a":\r1}', '{  "a": 1}'),
        ('"\\\\\u202e"', '"\\\\\\u202e"'),
        ('{"a":"é時"}', '{"a":"é時"}'),
    ],
    ids=ascii,
)
def test_json_shown_as(text: str, shown: str) -> None:
    assert safe_json(text) == shown
