"""Answers of an API, or of something in its place: bounded in time and memory, errors of one line."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import random
import re
import resource
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tavus_cli.api import answer as answers
from tavus_cli.api import client as clients
from tavus_cli.api.client import PERHAPS_CREATED, CannotReach, TavusApi
from tavus_cli.errors import ConsoleError, ExitStatus
from tests.kits.program import Result, console
from tests.kits.tavus_api import KEY, PAL, LocalApi, Odd, local_api

ID = "c000000000000001"
Serve = Callable[[socket.socket], None]
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


@contextlib.contextmanager
def served(serve: Serve) -> Iterator[str]:
    """An address that answers each request with ``serve``."""
    listening = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []
    over = threading.Event()

    def one(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(10)
            asked = b""
            while b"\r\n\r\n" not in asked:
                asked += connection.recv(65_536) or b"\r\n\r\n"
            length = re.search(rb"(?i)content-length: (\d+)", asked)
            while length and len(asked.partition(b"\r\n\r\n")[2]) < int(length[1]):
                asked += connection.recv(65_536) or b" " * 999  # unread, it would reset the connection
            serve(connection)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while not over.is_set():
                threads.append(threading.Thread(target=one, args=(listening.accept()[0],), daemon=True))
                threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        over.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        accepting.join(10)
        for thread in threads:
            thread.join(15)


def said(data: bytes, *headers: bytes, head: bytes = HEAD) -> Serve:
    lines = head + b"".join(one + b"\r\n" for one in headers) + b"\r\n"
    return lambda connection: connection.sendall(lines + data)


def endless(head: bytes, part: bytes) -> Serve:
    def serve(connection: socket.socket) -> None:
        connection.sendall(head)
        while True:  # until the other side has had enough
            connection.sendall(part)

    return serve


def dripping(data: bytes, head: bytes = b"", pause: float = 0.05) -> Serve:
    def serve(connection: socket.socket) -> None:
        connection.sendall(head)
        never = threading.Event()
        for byte in itertools.cycle(data):
            connection.sendall(bytes([byte]))
            never.wait(pause)

    return serve


def bomb(pack: Callable[[bytes], bytes] = gzip.compress) -> bytes:
    return pack(bytes(2 << 20))


def silence(connection: socket.socket) -> None:
    connection.recv(1)  # until the other side has had enough


@pytest.fixture
def smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that are soon reached."""
    monkeypatch.setattr(answers, "MOST_BYTES", 1 << 20)
    monkeypatch.setattr(answers, "MOST_VALUES", 20_000)


CLOSE, GZIP = b"connection: close", b"content-encoding: gzip"
HOSTILE: dict[str, Serve] = {
    "a bomb": said(bomb(), GZIP, CLOSE),
    "a bomb in a bomb": said(gzip.compress(bomb()), b"content-encoding: gzip, gzip", CLOSE),
    "a bomb of deflate": said(bomb(zlib.compress), b"content-encoding: deflate", CLOSE),
    "brotli, which nobody asked for": said(b"\x1b\xff", b"content-encoding: br", CLOSE),
    "zstd, which nobody asked for": said(b"\x28\xb5\x2f\xfd", b"content-encoding: zstd", CLOSE),
    "an encoding nobody knows": said(b"{}", b"content-encoding: \xff\x00"[:19] + b"x", CLOSE),
    "gzip that is none": said(b'{"a":1}', GZIP, CLOSE),
    "gzip cut off": said(gzip.compress(b'{"a":1}' * 99, mtime=0)[:-9], GZIP, CLOSE),
    "gzip of nothing": said(b"", GZIP, CLOSE),
    "HTTP/1.0 without an end": endless(b"HTTP/1.0 200 OK\r\n\r\n", b" " * 65_536),
    "chunks without an end": endless(
        HEAD + b"transfer-encoding: chunked\r\n\r\n", b"400\r\n" + b" " * 1024 + b"\r\n"
    ),
    "a length of its own": said(b"{}", b"content-length: 99999999999999999999", CLOSE),
    "two lengths": said(b"{}", b"content-length: 1", b"content-length: 2", CLOSE),
    "a length that is no number": said(b"{}", b"content-length: -1", CLOSE),
    "headers without an end": endless(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 999),
    "one header without an end": endless(b"HTTP/1.1 200 OK\r\nx: ", b"y" * 65_536),
    "NUL in a header": said(b"{}", b"x: a\x00b", CLOSE),
    "not HTTP": said(b"", head=b"220 mail.example.com ESMTP\r\n"),
    "nothing": said(b"", head=b""),
    "a status nobody knows": said(b"{}", CLOSE, head=b"HTTP/1.1 999 What\r\n"),
    "a switch of protocols": said(b"", CLOSE, head=b"HTTP/1.1 101 Switching\r\n"),
    "a redirect to itself": said(b"", b"location: /v2/conversations", CLOSE, head=b"HTTP/1.1 302 Found\r\n"),
    "a redirect to nowhere": said(b"", b"location: http://[", CLOSE, head=b"HTTP/1.1 302 Found\r\n"),
    "millions of lists": said(b'{"data":[' + b"[]," * 30_000 + b"[]]}", CLOSE),
    "nested too deep": said(b'{"data":' + b"[" * 100_000, CLOSE),
    "a number of 9,000 digits": said(b'{"conversation_id":' + b"9" * 9_000 + b"}", CLOSE),
    "NUL": said(b"\x00" * 99, CLOSE),
    "no UTF-8": said(b'{"conversation_id": "\xff\xfe"}', CLOSE),
    "a lone surrogate": said(b'{"conversation_id": "\\ud800"}', CLOSE),
    "a list": said(b"[1]", CLOSE),
    "another name for an id": said(b'{"conversation_id": "x; rm -rf ~"}', CLOSE),
}
SLOW: dict[str, Serve] = {
    "a body by the byte": dripping(b" ", HEAD + b"\r\n"),
    "headers by the byte": dripping(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 99),
    "early hints without an end": endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "silence": silence,
    "gzip by the byte": dripping(gzip.compress(random.Random(0).randbytes(9_999)), HEAD + GZIP + b"\r\n\r\n"),
}


def failure(serve: Serve, call: Callable[[TavusApi], object], seconds: float = 10) -> ConsoleError:
    with (
        served(serve) as url,
        TavusApi(KEY, url, sleep=lambda _: None, timeout=seconds) as api,
        pytest.raises(ConsoleError) as caught,
    ):
        call(api)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.usefixtures("smaller")
@pytest.mark.parametrize("name", HOSTILE)
def test_create_warns_that_a_conversation_may_be_billed(name: str) -> None:
    error = failure(HOSTILE[name], lambda api: api.create({"persona_id": PAL}))
    assert str(error).endswith(PERHAPS_CREATED) or name == "a status nobody knows"
    assert error.status in (ExitStatus.CANNOT_JOIN, ExitStatus.FAILED)


@pytest.mark.usefixtures("smaller")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_broken_list_is_an_error_of_one_line(name: str) -> None:
    assert failure(HOSTILE[name], lambda api: list(api.conversations()))


@pytest.mark.parametrize("name", SLOW)
def test_an_answer_that_takes_too_long(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "CONNECT_TIMEOUT", 0.2)
    error = failure(SLOW[name], lambda api: api.create({"persona_id": PAL}), 0.3)
    assert isinstance(error, CannotReach)
    assert "in time" in str(error) or "broke" in str(error) or "half" in str(error)
    assert str(error).endswith(PERHAPS_CREATED)


# -- what is right, however it is packed ------------------------------------------------------------------


GOOD = json.dumps({"conversation_id": ID, "conversation_name": "Grüße"}, ensure_ascii=False).encode()


@pytest.mark.parametrize("charset", ["utf-16", "idna", "hex", "rot13", "no-such", "utf-8", "", '"', "\xff"])
def test_a_charset_changes_nothing(charset: str) -> None:
    kind = b"content-type: application/json; charset=" + charset.encode("latin-1")
    head = b"HTTP/1.1 200 OK\r\n" + kind + b"\r\n"
    with served(said(GOOD, CLOSE, head=head)) as url, TavusApi(KEY, url, sleep=lambda _: None) as api:
        assert api.create({"persona_id": PAL})["conversation_name"] == "Grüße"


@pytest.mark.parametrize(
    "data", [GOOD, gzip.compress(GOOD, mtime=0), b"\xef\xbb\xbf" + GOOD], ids=["plain", "gzip", "mark"]
)
def test_compressed_or_not(data: bytes) -> None:
    packed = [GZIP] if data[:1] == b"\x1f" else []
    with served(said(data, *packed, CLOSE)) as url, TavusApi(KEY, url, sleep=lambda _: None) as api:
        assert api.get(ID)["conversation_name"] == "Grüße"


def test_a_megabyte_is_read() -> None:
    data = json.dumps({"conversation_id": ID, "events": ["x" * 1_000] * 5_000}).encode()
    with served(said(gzip.compress(data, mtime=0), GZIP, CLOSE)) as url, TavusApi(KEY, url) as api:
        assert len(api.get(ID)["events"]) == 5_000


@pytest.mark.slow
def test_a_gzip_bomb_is_refused_early() -> None:
    """600 MB in 600 KB."""
    packed = zlib.compressobj(wbits=31)
    million = bytes(1 << 20)
    data = b"".join(packed.compress(million) for _ in range(600)) + packed.flush()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    error = failure(said(data, GZIP, CLOSE), lambda api: api.get(ID), 60)
    assert "more than 64 MiB" in str(error)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 256 << 10  # KiB


def test_the_limits_are_the_documented_ones() -> None:
    assert (answers.MOST_BYTES, clients.MOST_PAGES) == (64 << 20, 1_000)


# -- lists ---------------------------------------------------------------------------------------------


@pytest.fixture
def local() -> Iterator[LocalApi]:
    with local_api() as api:
        yield api


@pytest.mark.parametrize("total", [10**9, None, "many", -1, 1.5, True, [], {}])
def test_an_endless_list_is_refused(total: object, monkeypatch: pytest.MonkeyPatch, local: LocalApi) -> None:
    monkeypatch.setattr(clients, "MOST_PAGES", 5)
    for number in range(9):
        rows = [{"conversation_id": f"c{number:05}"}, "no row", None]
        local.odd.append(Odd(200, json.dumps({"data": rows, "total_count": total})))
    with TavusApi(KEY, local.base_url) as api:
        if isinstance(total, int) and total <= 1:  # it claims that this was all
            assert len(list(api.conversations())) == 1
            return
        with pytest.raises(CannotReach, match="does not end, even after 5"):
            list(api.conversations())
    assert len(local.requests) == 5


# -- the wrong type in every documented field ----------------------------------------------------------

FIELDS = (
    *("conversation_id", "conversation_name", "conversation_url", "status", "meeting_token", "created_at"),
    *("persona_id", "replica_id", "updated_at", "callback_url", "events", "data", "total_count"),
)
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, -1, 1e308, "", "\x00\x1b[31m\u202e", "https://[", [], [[]], {}, {"a": [None]}, "x" * 9_999),
)
CALLS: dict[str, list[str]] = {
    "create": ["conversation", "create", "--pal", PAL],
    "create, a token shown": ["conversation", "create", "--pal", PAL, "--show-token"],
    "get": ["conversation", "get", ID, "--verbose"],
    "list": ["conversation", "list"],
    "list active": ["conversation", "list", "--status", "active", "--json"],
    "end": ["conversation", "end", ID],
    "end all": ["conversation", "end", "--all-active", "--yes"],
    "join --new": ["join", "--new", "--pal", PAL],
    "doctor": ["doctor"],
    "webhooks pull": ["webhooks", "pull", ID],
}


@pytest.fixture
def alone(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.mark.slow
@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("name", CALLS)
def test_wrong_types(name: str, field: str, local: LocalApi) -> None:
    for value in ODD_VALUES:
        row = {
            "conversation_id": ID,
            "conversation_url": "sim:?speed=max",
            "status": "active",
            "created_at": "2026-11-24T09:20:00Z",
            "events": [{"event_type": "system.shutdown", "timestamp": "x", "properties": {}}],
        }
        answer = row | {"data": [row | {field: value}], "total_count": 1} | {field: value}
        local.odd.clear()
        local.odd.extend(Odd(200, json.dumps(answer)) for _ in range(4))
        result = _run(CALLS[name], local)
        assert result.status in set(ExitStatus), (value, result)
        assert "Traceback" not in result.err, (value, result)
        assert not any(char in result.out + result.err for char in "\x00\x1b\u202e"), (value, result)


def _run(arguments: list[str], local: LocalApi) -> Result:
    return console(*arguments, TAVUS_API_KEY=KEY, TAVUS_API_BASE_URL=local.base_url)
