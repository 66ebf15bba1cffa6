"""The table of tools: options, TOML with lines, and which tool a name finds."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.errors import UsageError
from tavus_cli.tools.table import Mock, Table, Tool, option, parse


def test_an_option_is_split_as_a_shell_would() -> None:
    tool = option("get_hours=python3 'my hours.py' --day=mon")
    assert (tool.name, tool.command) == ("get_hours", ("python3", "my hours.py", "--day=mon"))
    assert option("x=HTTP://127.0.0.1:1/a?b=c").url == "HTTP://127.0.0.1:1/a?b=c"
    assert option("get_*=./x").name == "get_*"
    assert option("x=echo '$HOME; rm *'").command == ("echo", "$HOME; rm *")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("get_hours", "write NAME=COMMAND or NAME=URL"),
        ("=./x", "write NAME=COMMAND"),
        ("x=", "write NAME=COMMAND"),
        ("x='unfinished", "a command as a shell takes it: no closing quotation"),
        ("x=http://", "an address such as"),
        ("x=https://host:port/", "an address such as"),
        ("x=./a\0b", "a command"),
    ],
)
def test_a_wrong_option_says_what_to_write(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=re.escape(told)):
        option(text)


FILE = """
# the museum's tools
[[tool]]
name = "get_hours"
command = "./hours.sh --all"
timeout = "2s"
concurrency = 2

[[tool]]
name = "book_*"
url = "http://127.0.0.1:8000/book"
headers = { Authorization = "BOOKING_TOKEN" }
reply = "echo"

[[tool]]
name = "*"
output = [{ ok = true, since = 2026-01-02 }, "done"]
delay = 0.25
fail = 0.1
seed = 7
"""


def test_a_file_is_read_as_it_says() -> None:
    hours, book, rest = parse(FILE, "/somewhere/tools.toml")
    assert hours == Tool(
        "get_hours", command=("./hours.sh", "--all"), timeout=2, concurrency=2, folder="/somewhere"
    )
    assert (book.url, dict(book.headers), book.reply) == (
        "http://127.0.0.1:8000/book",
        {"Authorization": "BOOKING_TOKEN"},
        "echo",
    )
    assert rest.mock == Mock(({"ok": True, "since": "2026-01-02"}, "done"), 0.25, 0.1, 7)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "t.toml: no [[tool]] in it"),
        ("[[tool]]\nname = 'x'\n", "t.toml:2: a tool needs one of command, url, output; it has none"),
        ("[[tool]]\nname='x'\ncommand='a'\nurl='http://x'\n", "t.toml:4: a tool needs one of"),
        ("[[tool]]\ncommand='a'\n", 't.toml:1: "name" is missing'),
        ("[[tool]]\nname='x'\ncomand='a'\n", 't.toml:3: unknown key "comand"; did you mean "command"?'),
        ("[[tool]]\nname='x'\ncommand='a'\ntimeout='soon'\n", 't.toml:4: "timeout" must be a time'),
        ("[[tool]]\nname='x'\ncommand='a'\ntimeout=0\n", 't.toml:4: "timeout" must be a time'),
        ("[[tool]]\nname='x'\ncommand=[]\n", 't.toml:3: "command" must be a command'),
        ("[[tool]]\nname='x'\noutput=1\n", 't.toml:3: "output" must be a string, a table'),
        ("[[tool]]\nname='x'\noutput={a=nan}\n", 't.toml:3: "output" must be a value that JSON has'),
        ("[[tool]]\nname='x'\noutput='a'\nfail=2\n", 't.toml:4: "fail" must be a number from 0 to 1'),
        ("[[tool]]\nname='x'\ncommand='a'\nfail=1\n", 't.toml:4: "fail" goes with "output"'),
        ("[[tool]]\nname='x'\ncommand='a'\nreply='shout'\n", 't.toml:4: "reply" must be one of echo'),
        ("[[tool]]\nname='x'\nurl='http://x'\nheaders={a='b c'}\n", 't.toml:4: "headers" must be'),
        ("[[tool]]\nname='x'\nurl='http://x'\nheaders={'a b'='B'}\n", 't.toml:4: "headers" must be'),
        ("[[tool]]\nname='x'\noutput='1'\n[[tool]]\nname='x'\noutput='2'\n", 't.toml:5: "x" is there twice'),
        ("[tool]\nname='x'\n", "t.toml:1: write [[tool]], with two brackets"),
        ("[tools]\n", 't.toml:1: unknown key "tools"'),
        ("[[tool]\n", "t.toml:1: "),
        ("a = " + "[" * 100_000, "t.toml:1: "),
    ],
)
def test_a_mistake_is_one_line_that_says_where(text: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text, "t.toml")
    assert str(caught.value).startswith(told)
    assert "\n" not in str(caught.value)


def test_exact_names_come_before_globs_and_the_star_is_last() -> None:
    table = Table([option("*=a"), option("get_*=b"), option("get_hours=c"), option("g*=d")])
    found = {name: table.find(name) for name in ("get_hours", "get_x", "go", "other")}
    assert {name: tool and tool.command[0] for name, tool in found.items()} == {
        "get_hours": "c",
        "get_x": "b",
        "go": "d",
        "other": "a",
    }


def test_the_first_of_two_with_one_name_counts() -> None:
    found = Table([option("x=first"), option("x=second")]).find("x")
    assert found is not None
    assert found.command == ("first",)


NAMES = st.one_of(
    st.text(max_size=80),
    st.text("./\\\0\n\r\t *?[]{}$`;|&'\"abc_", max_size=80),
    st.just("a" * 10_000),
    st.sampled_from(["..", "../x", "/etc/passwd", "a\nb", "a\0b", "*", "?", "[a]", "get_hours\n", "\ud800"]),
)


@given(NAMES, st.sets(NAMES.filter(lambda one: one.strip() and "\0" not in one and "=" not in one)))
def test_a_name_from_the_wire_matches_only_what_was_written(name: str, written: set[str]) -> None:
    """Exactly what was written, or by a wildcard a plain name: letters, digits, "_", "-"."""
    found = Table(Tool(one, command=("x",)) for one in written).find(name)
    if found is not None and found.name != name:
        assert set("*?[") & set(found.name)
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name)
    if found is None:
        assert name not in written or set("*?[") & set(name)
