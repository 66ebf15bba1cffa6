"""The lines of keys in a TOML text."""

from __future__ import annotations

from pathlib import Path

import pytest

from tavus_cli.errors import UsageError
from tavus_cli.settings.toml_lines import Toml, lines_of_keys, read_text

TEXT = """
top = 1
[tools.get_hours]
timeout = 3
text = '''
no_key = 1
'''

[[reply]]
match = "hours?"
then = [{ after = 1, user = "Hm." }]

[[reply]]
say = "Bye."
[[reply.then]]
analysis = "fine"

[[at]]
"a key" = 2
"""


def test_lines_of_keys() -> None:
    lines = lines_of_keys(TEXT)
    rows = TEXT.splitlines()
    assert rows[lines["reply", 1, "say"] - 1] == 'say = "Bye."'
    assert rows[lines["reply", 1, "then", 0, "analysis"] - 1] == 'analysis = "fine"'
    assert rows[lines["tools", "get_hours", "timeout"] - 1] == "timeout = 3"
    assert rows[lines["at", 0] - 1] == "[[at]]"
    assert rows[lines["at", 0, "a key"] - 1] == '"a key" = 2'
    assert not any("no_key" in path for path in lines)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 2),
        (("reply", 0, "then", 0, "user"), 11),  # in an inline table
        (("reply", 1, "missing"), 13),  # at its table
        (("missing",), 1),
    ],
)
def test_a_mistake_has_its_line(path: tuple[str | int, ...], line: int) -> None:
    assert str(Toml(TEXT, "s.toml").wrong(path, "two\nlines")) == f"s.toml:{line}: two lines"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = 1\nb = ", "s.toml:2: Invalid value"),
        ("a = 1\na = 2\n", "s.toml:2: Cannot overwrite a value"),
        ("a = " + "[" * 10_000, "s.toml:1: nested too deep"),
    ],
)
def test_a_syntax_error_has_its_line(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Toml(text, "s.toml")
    assert str(caught.value) == message


def test_a_text_that_is_not_utf_8(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_bytes(b"a = 1\nb = '\xff'\n")
    with pytest.raises(UsageError, match=r"s\.toml:2: not UTF-8 text: convert it"):
        read_text(file)


def test_a_number_that_python_does_not_read_is_one_line() -> None:
    with pytest.raises(UsageError, match=r"^x\.toml:2: a number with too many digits$"):
        Toml("a = 1\nb = " + "9" * 5_000 + "\n", "x.toml")
