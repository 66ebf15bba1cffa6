"""Text files and standard input: their text, or one line about why they cannot be read."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.errors import UsageError
from tavus_cli.files import TERMINAL_LINE, LineDecoder, decoded, read_text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"\xef\xbb\xbf/interrupt\n", "/interrupt\n"),
        (b"one\r\ntwo\r\n", "one\ntwo\n"),
        (b"\xef\xbb\xbfone\r\n\r\ntwo", "one\n\ntwo"),
        ("grüß dich\n\ufeff".encode(), "grüß dich\n\ufeff"),
        (b"a\rb\n", "a\rb\n"),
    ],
)
def test_what_is_text(data: bytes, text: str) -> None:
    assert decoded(data, "a.txt") == text


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            "hello".encode("utf-16"),
            "a.txt: UTF-16 text, not UTF-8: convert it (iconv -f UTF-16 -t UTF-8 a.txt)",
        ),
        ("hello".encode("utf-16-le"), "a.txt: UTF-16-LE text, not UTF-8"),
        ("hello".encode("utf-16-be"), "a.txt: UTF-16-BE text, not UTF-8"),
        ("hello".encode("utf-32"), "a.txt: UTF-32 text, not UTF-8"),
        (b"one\ntw\xf6\n", "a.txt:2: not UTF-8 text: convert it (iconv -f WINDOWS-1252 -t UTF-8 a.txt)"),
        (b"one\ntwo\nthr\xe2\x82", "a.txt:3: not UTF-8 text"),
        (b"\xed\xa0\x80", "a.txt:1: not UTF-8 text"),
        (b"one\nt\0wo", "a.txt:2: not text: it has a NUL character"),
        (b"\x1f\x8b\x08\0", "a.txt: compressed by gzip: unpack it first (gzip -dc a.txt)"),
        (b"\x28\xb5\x2f\xfd..", "a.txt: compressed by zstd: unpack it first (zstd -dc a.txt)"),
        (b"PK\x03\x04", "a.txt: a zip archive"),
    ],
)
def test_invalid_text_is_refused_with_the_remedy(data: bytes, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        decoded(data, "a.txt")
    assert str(caught.value).startswith(message)


def test_the_remedy_can_be_pasted_into_a_shell() -> None:
    with pytest.raises(UsageError, match=r"iconv -f UTF-16 -t UTF-8 'my file; rm'\)$"):
        decoded("x".encode("utf-16"), "my file; rm")


@given(st.binary(max_size=40), st.lists(st.integers(0, 40)))
def test_the_pieces_that_it_comes_in_do_not_matter(data: bytes, cuts: list[int]) -> None:
    def lines(pieces: list[bytes]) -> list[str] | str:
        reader = LineDecoder("a")
        found: list[str] = []
        try:
            for piece in pieces:
                found += reader.feed(piece)
            return [*found, reader.rest()]
        except UsageError as error:
            return str(error)

    ends = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    pieces = [data[start:end] for start, end in itertools.pairwise(ends)]
    assert lines(pieces) == lines([data])


@pytest.mark.parametrize("extra", [0, 1, 5_000])
def test_a_line_that_the_terminal_may_have_cut_is_refused(extra: int) -> None:
    with pytest.raises(
        UsageError, match=r"^a:2: the terminal cuts lines at [\d,]+ bytes, so this one was not sent"
    ):
        decoded(b"short\n" + b"x" * (TERMINAL_LINE + extra) + b"\n", "a", terminal=True)
    assert len(decoded(b"x" * (TERMINAL_LINE - 1) + b"\n", "a", terminal=True)) == TERMINAL_LINE
    assert len(decoded(b"x" * (TERMINAL_LINE + extra), "a")) == TERMINAL_LINE + extra


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("a\0b", "not a valid file name: it has a NUL character"),
        ("missing", "No such file"),
        (".", "Is a directory"),
        ("x" * 300, "File name too long"),
    ],
)
def test_a_missing_file(name: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=why):
        read_text(name)
