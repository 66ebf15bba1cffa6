"""Reading an answer of the API within limits: size (sent and unpacked), time, and memory for its JSON.

A server behind ``--base-url``, or a proxy, may answer anything. JSON is UTF-8 (RFC 8259), so the charset of
an answer is ignored. httpx unpacks whole chunks, nested ones too, before they can be measured; so the answer
is read as sent, and unpacked here.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

MOST_BYTES = 64 << 20  # bytes of an answer, as sent and unpacked
MOST_VALUES = 2_000_000  # values in its JSON: "[],[],…" takes 20 times its size in memory
ENCODING = "gzip"  # the only encoding we accept and unpack
_STEP = 1 << 20  # bytes unpacked at once


class Unreadable(Exception):
    """The message completes "HOST answered with …"."""


@dataclass(frozen=True, slots=True)
class Answer:
    """``path`` is the path of the request."""

    status: int
    headers: Mapping[str, str]
    text: str
    path: str


def read(chunks: Iterable[bytes], encoding: str, late: Callable[[], bool]) -> str:
    """The text of a body that arrives in ``chunks``, as sent. Raises Unreadable, and TimeoutError once it is
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
            yield b""  # check every chunk, even one that unpacks to nothing
            while chunk and not unpack.eof:
                yield unpack.decompress(chunk, _STEP)
                chunk = unpack.unconsumed_tail
    except zlib.error:
        raise Unreadable("an invalid gzip body: a proxy is in between") from None
    if not unpack.eof:
        raise Unreadable("an incomplete answer; try again")
