"""Standard input by lines: whatever the pieces, and in a time that grows with the bytes."""

from __future__ import annotations

import asyncio
import io
import os
import threading
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.session.environment import Environment
from tavus_cli.session.stdin import stdin_lines


def lines_of(data: bytes) -> list[str]:
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb") as file:
            file.write(data)

    async def main() -> list[str]:
        with os.fdopen(reading, encoding="utf-8") as source:
            environment = Environment(source, io.StringIO(), io.StringIO(), {})
            return [line async for line in stdin_lines(environment)]

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


def test_letters_cut_in_two_by_a_read() -> None:
    text = "é" * 100_000 + "x" + "é" * 100_000
    assert lines_of(text.encode()) == [text]


def test_a_long_line_is_joined_once() -> None:
    """Each read is kept as it came: the memory is that of the line and of its pieces, not of copies."""
    tracemalloc.start()
    try:
        [line] = lines_of(b"x" * (20 << 20))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(line) == 20 << 20
    assert peak < 5 * len(line)
