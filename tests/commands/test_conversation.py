"""Tables for people: they show any answer of the API, and are harmless to a terminal."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tavus_cli.commands import conversation as listing
from tavus_cli.commands.conversation import COLUMNS, Shape
from tavus_cli.session.environment import Environment

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("[red]\x1b[31m\u202e[/x]"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = [name for _, names in COLUMNS for name in names]
ROW = st.dictionaries(st.sampled_from([*NAMES, "events", "\x1b]0;title\x07"]), JSON)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def environment() -> Environment:
    return Environment(io.StringIO(), Terminal(), io.StringIO(), {"NO_COLOR": "1"})


def shown(around: Environment) -> str:
    text = around.stdout.getvalue()  # type: ignore[attr-defined]
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\u202e" not in text
    return str(text)


@settings(deadline=None)  # the first one imports rich
@given(rows=st.lists(ROW, max_size=4))
def test_any_list_is_a_table(rows: list[dict[str, Any]]) -> None:
    around = environment()
    Shape().show(rows, around, lambda: listing._table(rows, around))
    assert len(shown(around).splitlines()) >= min(len(rows) + 1, 1)


@settings(deadline=None)  # the first one imports rich
@given(row=ROW, events=st.none() | st.lists(ROW | JSON, max_size=3))
def test_any_conversation_is_shown(row: dict[str, Any], events: Any) -> None:
    around = environment()
    row = row | {"events": events}
    Shape().show(row, around, lambda: listing._details(row, around))
    shown(around)


@settings(deadline=None)  # the first one imports rich
@given(value=JSON)
def test_as_json_it_is_one_line(value: Any) -> None:
    around = environment()
    Shape(json=True).show(value, around, lambda: None)
    assert shown(around).count("\n") == 1


@pytest.mark.parametrize("new", [True, False])
def test_old_and_new_names_share_a_column(new: bool) -> None:
    row = {"conversation_id": "c1", "pal_id" if new else "persona_id": "p1", "face_id": "f1"}
    around = environment()
    listing._table([row], around)
    heading, line = shown(around).splitlines()
    assert heading.split()[:4] == ["conversation", "status", "PAL", "face"]
    assert line.index("p1") == heading.index("PAL")
    assert line.index("f1") == heading.index("face")


def test_an_empty_list_says_so() -> None:
    around = environment()
    listing._table([], around)
    assert shown(around) == "no conversations\n"
