"""The prompt for the caller's next words, and what is said of the model's answer."""

from __future__ import annotations

import pytest

from tavus_cli.callers.caller import Caller, Model
from tavus_cli.callers.prompts import MOST_WORDS, spoken, to_play
from tavus_cli.callers.transcript import Line

CALLER = Caller("c.toml", "A visitor.", "The {price}.", ("x",), Model("small"))


def roles(*lines: Line) -> list[str]:
    return [one["role"][0] for one in to_play(CALLER, lines)]


def test_the_pal_is_the_other_side_of_the_chat() -> None:
    system, first, ours, theirs = to_play(
        CALLER,
        [
            Line("pal", "Hello."),
            Line("pal", "I am Nora."),
            Line("caller", "How much?"),
            Line("tool call", "get_price {}"),
            Line("pal", "Twelve."),
        ],
    )
    assert "The {price}." in system["content"]
    assert (first, ours, theirs) == (
        {"role": "user", "content": "Hello.\nI am Nora."},
        {"role": "assistant", "content": "How much?"},
        {"role": "user", "content": "Twelve."},
    )
    assert "Nora" not in system["content"]


def test_roles_alternate_whoever_begins() -> None:
    pal, caller = Line("pal", "Hello."), Line("caller", "Hi.")
    assert roles() == ["s", "u"]
    assert roles(caller) == ["s", "u", "a", "u"]
    assert roles(caller, pal) == ["s", "u", "a", "u"]
    assert roles(pal, caller, caller) == ["s", "u", "a", "u"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("  How much\n is it? ", ("How much is it?", False)),
        ('"How much?"', ("How much?", False)),
        ("<think>I should ask.</think>How much?", ("How much?", False)),
        ("Thanks, bye. [Hang up] Anything else", ("Thanks, bye.", True)),
        ("[hang_up]", ("", True)),
        ("/quit", ("/quit", False)),
        ("word " * 500, (("word " * 200).strip(), False)),
        ("", ("", False)),
    ],
)
def test_what_is_said(answer: str, said: tuple[str, bool]) -> None:
    assert spoken(answer) == said
    assert len(said[0]) <= MOST_WORDS
