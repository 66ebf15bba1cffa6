"""Standard input by lines, however it is split into pieces; lines are limited to the size of a message."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.errors import UsageError
from tavus_cli.protocol.interactions import MOST_BYTES
from tavus_cli.session.environment import Environment
from tavus_cli.session.stdin import stdin_lines


def lines_of(data: bytes) -> list[str]:
    reading, writing = os.pipe()

    def write() -> None:
        with contextlib.suppress(BrokenPipeError), os.fdopen(writing, "wb") as file:
            file.write(data)

    async def main() -> list[str]:
        with os.fdopen(reading, encoding="utf-8") as source:
            environment = Environment(source, io.StringIO(), io.StringIO(), {})
            lines: list[str] = []
            try:
                async for line in stdin_lines(environment):
                    lines.append(line)
            except UsageError as error:
                error.__notes__ = lines
                raise
            return lines

    thread = threading.Thread(target=write)
    thread.start()
    try:
        return asyncio.run(main())
    finally:
        thread.join()


@given(
    st.lists(st.text(st.characters(exclude_characters="\n\r\0\ufeff", codec="utf-8")), max_size=5),
    st.booleans(),
)
def test_the_lines_are_those_of_the_text(lines: list[str], ends: bool) -> None:
    text = "\n".join(lines) + "\n" * ends
    want = text.split("\n")
    assert lines_of(text.encode()) == (want[:-1] if want[-1] == "" else want)


def test_no_more_is_read_than_is_taken() -> None:
    """Else a flood fills memory, and signals get lost among the calls to the event loop."""
    reading, writing = os.pipe()

    async def main() -> int:
        with os.fdopen(reading, encoding="utf-8") as source:
            lines = stdin_lines(Environment(source, io.StringIO(), io.StringIO(), {}))
            assert await anext(lines) == ""
            return await asyncio.to_thread(write)

    def write() -> int:
        """How much fits, once nothing has been taken for a second."""
        os.set_blocking(writing, False)
        wrote, last = 1, time.monotonic()
        while time.monotonic() < last + 1 and wrote < 5_000_000:
            with contextlib.suppress(BlockingIOError):
                wrote += os.write(writing, b"\n" * 10_000)
                last = time.monotonic()
        os.close(writing)
        return wrote

    os.write(writing, b"\n")
    assert asyncio.run(main()) < 5_000_000


def test_letters_cut_in_two_by_a_read() -> None:
    text = "é" * 100_000 + "x" + "é" * 100_000
    assert lines_of(text.encode()) == [text]


@pytest.mark.parametrize(
    "wrong", [b"x" * (MOST_BYTES + 1), b"\xff\n", b"a\0b\n"], ids=["long", "bytes", "NUL"]
)
def test_the_lines_before_a_wrong_one_are_out(wrong: bytes) -> None:
    with pytest.raises(UsageError, match="standard input:3: ") as raised:
        lines_of(b"one\n\n" + wrong + b"x" * MOST_BYTES)
    assert raised.value.__notes__ == ["one", ""]
