"""An answer of the API, read within bounds: its size, as sent and unpacked, its time, what its JSON takes.

A server behind ``--base-url`` or a proxy may answer anything. JSON is UTF-8 (RFC 8259), so the charset
that an answer claims is not looked at. httpx unpacks whole chunks, nested ones too, before anybody can
count them: the answer is read as sent, and unpacked here.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

MOST_BYTES = 64 << 20  # of an answer, as sent and unpacked
MOST_VALUES = 2_000_000  # in its JSON: "[],[],…" takes 20 times its size in memory
ENCODING = "gzip"  # the only one asked for, and unpacked
_STEP = 1 << 20  # bytes unpacked at once


class Unreadable(Exception):
    """The text says why, as the end of "HOST answered with …"."""


@dataclass(frozen=True, slots=True)
class Answer:
    """``path`` is that of the request."""

    status: int
    headers: Mapping[str, str]
    text: str
    path: str


def read(chunks: Iterable[bytes], encoding: str, late: Callable[[], bool]) -> str:
    """The text of a body that comes in ``chunks``, as sent. Raises Unreadable, and TimeoutError once it is
    ``late``.
    """
    match encoding.strip().lower():
        case "" | "identity":
            parts = iter(chunks)
        case "gzip" | "x-gzip":
            parts = _unpacked(chunks)
        case _:
            raise Unreadable("an encoding that was not asked for: a proxy is in between")
    data = bytearray()
    for part in parts:
        data += part
        if len(data) > MOST_BYTES:
            raise Unreadable(f"more than {MOST_BYTES >> 20} MiB; is --base-url right?")
        if late():
            raise TimeoutError
    if sum(map(data.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise Unreadable(f"more than {MOST_VALUES:,} values; is --base-url right?")
    return data.decode("utf-8-sig", "replace")


def _unpacked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    unpack = zlib.decompressobj(wbits=31)
    try:
        for chunk in chunks:
            yield b""  # every chunk is looked at, whether anything comes out of it or not
            while chunk and not unpack.eof:
                yield unpack.decompress(chunk, _STEP)
                chunk = unpack.unconsumed_tail
    except zlib.error:
        raise Unreadable("what is not gzip, though it says so: a proxy is in between") from None
    if not unpack.eof:
        raise Unreadable("half of an answer; try again")
