"""Compressed recordings, and messages wrapped by logs."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.errors import UsageError
from tavus_cli.protocol.events import Event
from tavus_cli.rooms.recorded import RecordedRoom
from tavus_cli.rooms.room import Received, RoomNote
from tavus_cli.rooms.wrappers import unix, unwrapped, values_in
from tests.kits.conversations import SAMPLES, many
from tests.kits.program import SAMPLES as FILE
from tests.kits.program import console
from tests.rooms.test_recorded import arrivals

TEXT = FILE.read_text("utf-8")
ONE = {"event_type": "conversation.utterance", "seq": 1, "properties": {"role": "pal", "speech": "Hé"}}
PLAIN = console("replay", str(FILE)).out


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(TEXT.encode()),
        gzip.compress(TEXT.encode()[:2_000]) + gzip.compress(TEXT.encode()[2_000:]),
        zstandard.compress(TEXT.encode()),
        zstandard.compress(TEXT.encode()[:2_000]) + zstandard.compress(TEXT.encode()[2_000:]),
        b"\xef\xbb\xbf" + TEXT.encode(),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.replace("\n", "\r\n").encode("utf-16"),
        gzip.compress(TEXT.encode("utf-16")),
        json.dumps(SAMPLES).encode(),
        json.dumps(SAMPLES, indent=2).encode(),
        "\n".join(json.dumps(one, indent=2) for one in SAMPLES).encode(),
    ],
    ids=lambda _: "",
)
def test_however_it_is_packed_it_shows_the_same(tmp_path: Path, packed: bytes) -> None:
    file = tmp_path / "x"
    file.write_bytes(packed)
    result = console("replay", str(file))
    assert (result.status, result.err) == (0, "")
    assert result.out == PLAIN


def test_standard_input() -> None:
    lines = "".join(TEXT.splitlines(keepends=True)[:20])
    result = console("replay", "-", stdin=lines)
    assert result.status == 0
    assert PLAIN.startswith(result.out[:200])
    assert console("report", "-", stdin=lines).status == 0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_pipe_is_read_as_its_lines_come(encoding: str) -> None:
    """Data is passed on before more is written, even if it ends within a character."""
    lines = [json.dumps({**ONE, "seq": number}, ensure_ascii=False) + "\n" for number in range(4)]
    data = "".join(lines).encode(encoding)
    cuts = [
        len("".join(lines[:n]).encode(encoding))
        + lines[n].encode(encoding).index(0xC3 if encoding == "utf-8" else 0xE9)
        + 1
        for n in (1, 3)
    ]
    reading, writing = os.pipe()

    async def main() -> list[list[int]]:
        seqs = []
        with open(reading, encoding="utf-8") as stdin, open(writing, "wb", buffering=0) as pipe:
            pipe.write(data[: cuts[0]])
            batches = RecordedRoom("-", stdin=stdin).arrivals()
            for piece in (data[cuts[0] : cuts[1]], data[cuts[1] :], b""):
                seqs.append([one.message["seq"] for one in await anext(batches) if isinstance(one, Event)])
                pipe.write(piece)
            pipe.close()
            assert [one async for one in batches] == []
        return seqs

    assert asyncio.run(main()) == [[0], [1, 2], [3]]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_what_is_cut_is_read_as_far_as_it_goes(tmp_path: Path, pack: Any) -> None:
    text = "".join(
        json.dumps({**ONE, "seq": number, "x": str(number) * 50}) + "\n" for number in range(9_000)
    )
    packed = pack(text.encode())
    file = tmp_path / "x"
    file.write_bytes(packed[: len(packed) // 2])
    got = arrivals(RecordedRoom(str(file)))
    seqs = [one.message["seq"] for one in got if isinstance(one, Received)]
    assert len(seqs) > 1_000
    assert seqs == list(range(len(seqs)))
    assert isinstance(got[-1], RoomNote)
    assert got[-1].warning


def test_an_array_that_is_cut_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_text(json.dumps([ONE, ONE, ONE], indent=1)[:-20])
    got = arrivals(RecordedRoom(str(file)))
    assert [one.message for one in got if isinstance(one, Received)] == [ONE, ONE]
    assert isinstance(got[-1], RoomNote)


ISO = "2026-07-11T06:48:37.500Z"
AT = 1_783_752_517.5


@pytest.mark.parametrize(
    ("wrapped", "at", "sender", "direction"),
    [
        ({"action": "app-message", "data": ONE, "fromId": "abc"}, None, "abc", "in"),
        ({"action": "app-message", "data": ONE, "timestamp": AT * 1000}, AT, None, "in"),
        ({"kind": "tavus.received", "data": ONE, "at": ISO}, AT, None, "in"),
        ({"kind": "tavus.sent", "data": ONE, "ts": AT}, AT, None, "out"),
        ({"event": ONE, "time": ISO}, AT, None, "in"),
        ({"message": ONE, "received_at": "2026-07-11T08:48:37.5+02:00"}, AT, None, "in"),
        ({"data": json.dumps(ONE), "at": 5}, None, None, "in"),
        ({"payload": {**ONE, "timestamp": AT}}, AT, None, "in"),
        ({"direction": "outbound", "body": ONE, "date": "2026-07-11T06:48:37.5"}, AT, None, "out"),
    ],
)
def test_what_logs_put_around(
    tmp_path: Path, wrapped: dict[str, Any], at: float | None, sender: str | None, direction: str
) -> None:
    logged = unwrapped(wrapped)
    assert logged is not None
    assert (logged.at, logged.sender, logged.direction) == (at, sender, direction)
    assert logged.message["event_type"] == ONE["event_type"]
    file = tmp_path / "x.jsonl"
    file.write_text(json.dumps(wrapped) + "\n" + json.dumps(wrapped) + "\n\n")
    room = RecordedRoom(str(file))
    assert room.timed == (at is not None)
    got = arrivals(room)
    assert [one.at for one in got if isinstance(one, Received)] == [at, at]


@pytest.mark.parametrize(
    "value",
    [ONE, {"event": "chat-msg", "message": "hi"}, {"data": {}}, {"data": 5}, [], 5, None, {"data": "{"}, {}],
)
def test_values_that_are_not_wrapped(value: Any) -> None:
    assert unwrapped(value) is None


def test_the_events_of_get_verbose(tmp_path: Path) -> None:
    events = [
        {"event_type": "system.replica_joined", "timestamp": ISO, "properties": {"replica_id": "r1"}},
        {
            "event_type": "system.shutdown",
            "timestamp": "2026-07-11T06:49:37.5Z",
            "properties": {"reason": "x"},
        },
    ]
    for indent in (None, 2):
        file = tmp_path / f"{indent}.json"
        answer = {"conversation_id": "c7f3a91d20be4b58", "status": "ended", "events": events}
        file.write_text(json.dumps(answer, indent=indent))
        room = RecordedRoom(str(file))
        assert (room.timed, room.conversation_id) == (True, "c7f3a91d20be4b58")
        assert [one.at for one in arrivals(room) if isinstance(one, Received)] == [AT, AT + 60]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"<!doctype html>\n", "HTML or XML, not a recording"),
        (b"PK\x03\x04abc", "unpack it first (unzip"),
        (b"\xfd7zXZ\x00abc", "xz -d"),
        (b"BZh91AY", "bzip2 -d"),
        (b"RIFF....WAVE", "sound or video"),
        (b"/respond hello\n", "tavus-console run"),
        (b'{"conversation_id":"c1","conversation_url":"x"}\n', "conversation get ID --verbose"),
        (b'{"report":1,"measures":{}}\n', "the recording it was made from"),
        (b"[\n]\n", "it holds no messages"),
        (b"{\n", "not a recording"),
    ],
)
def test_other_files_are_refused_with_what_to_do(tmp_path: Path, content: bytes, told: str) -> None:
    file = tmp_path / "x"
    file.write_bytes(content)
    for command in ("replay", "report"):
        result = console(command, str(file))
        assert result.status == 2
        assert told in result.err
        assert len(result.err.splitlines()) == 1
    folder = console("replay", str(tmp_path))
    assert folder.status == 2
    assert "a folder" in folder.err


@given(st.binary(max_size=60) | st.builds(gzip.compress, st.binary(max_size=60)))
@many
def test_no_file_ends_in_a_traceback(tmp_path_factory: Any, content: bytes) -> None:
    file = tmp_path_factory.mktemp("any") / "x"
    file.write_bytes(content)
    with contextlib.suppress(UsageError):
        arrivals(RecordedRoom(str(file)))


@given(st.lists(st.dictionaries(st.text(max_size=3), st.integers(), max_size=2), max_size=5), st.booleans())
@many
def test_containers_hold_what_was_put_in(values: list[Any], indented: bool) -> None:
    assert list(values_in(json.dumps(values, indent=2 if indented else None))) == values
    assert list(values_in("\n".join(map(json.dumps, values)))) == values


@pytest.mark.parametrize(
    "value", [None, True, "", "yesterday", 5, -1, 1e30, float("nan"), "0001-01-01", [], "-"]
)
def test_what_is_not_a_time(value: Any) -> None:
    assert unix(value) in (None, 0.0)
