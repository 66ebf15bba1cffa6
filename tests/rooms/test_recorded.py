"""A recording as a room: every kind of file, invalid files, and its pace."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.errors import SendFailed, UsageError
from tavus_cli.protocol.events import decode
from tavus_cli.protocol.wire import to_json
from tavus_cli.rooms.recorded import RecordedRoom
from tavus_cli.rooms.room import BATCH, Arrival, Received, RoomNote
from tests.kits.conversations import DEEP, HOSTILE_TEXTS, deep, many, same_value, strange_messages
from tests.kits.room_kit import as_received

HEAD = '{"recording":1,"conversation_id":"c1","target":"sim","started":1000.0,"versions":{}}'
BARE = '{"event_type":"conversation.utterance","seq":1,"properties":{"role":"pal","speech":"Hi"}}'


def record(message: Any = None, at: Any = 1001.0, way: str = "in", **more: Any) -> str:
    head = to_json({"at": at, "t": 0.0, "dir": way, "from": None, **more})
    return f'{head[:-1]},"message":{to_json(message)}}}'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "talk.jsonl"


def write(file: Path, *lines: str | bytes, end: bytes = b"\n") -> Path:
    content = [
        line if isinstance(line, bytes) else line.encode("utf-8", "backslashreplace") for line in lines
    ]
    file.write_bytes(b"\n".join(content) + end)
    return file


def arrivals(room: RecordedRoom) -> list[Arrival]:
    async def main() -> list[Arrival]:
        out: list[Arrival] = []
        await room.join()
        async for batch in room.arrivals():
            assert 0 <= len(batch) <= BATCH
            out += map(as_received, batch)
        await room.leave()
        return out

    return asyncio.run(asyncio.wait_for(main(), 60))


def read(file: Path, *lines: str | bytes, end: bytes = b"\n", speed: float | None = None) -> list[Arrival]:
    return arrivals(RecordedRoom(str(write(file, *lines, end=end)), speed=speed))


def refused(file: Path) -> str:
    with pytest.raises(UsageError) as caught:
        RecordedRoom(str(file))
    text = str(caught.value)
    assert text.splitlines() == [text]
    assert text.startswith(f"{file}: ")
    return text.removeprefix(f"{file}: ")


def brief(arrivals: Iterable[Arrival], file: Path) -> list[Any]:
    """Messages, and notes as text without the file's name."""
    out: list[Any] = []
    for one in arrivals:
        assert isinstance(one, Received | RoomNote)
        out.append(one.message if isinstance(one, Received) else one.text.removeprefix(f"{file}:"))
    return out


# -- the kinds of files -----------------------------------------------------------------------------------


def test_a_recording(file: Path) -> None:
    lines = [HEAD, record({"seq": 1}, 1001.5), record({"seq": 2}, 1002, "out"), record("hello", 1003, "note")]
    room = RecordedRoom(str(write(file, *lines)))
    assert (room.target, room.conversation_id) == (str(file), "c1")
    assert (room.timed, room.live, room.leaving_may_end) == (True, False, False)
    assert room.participants == {}
    assert room.now() == 1000.0
    assert arrivals(room) == [
        Received({"seq": 1}, 1001.5, None, '{"seq":1}', "in"),
        Received({"seq": 2}, 1002.0, None, '{"seq":2}', "out"),
        RoomNote("hello", 1003.0),
    ]
    assert room.now() == 1002.0


def test_records_without_a_first_line(file: Path) -> None:
    room = RecordedRoom(str(write(file, record({"seq": 1}, 7.0), record({"seq": 2}, 8.0))))
    assert (room.timed, room.conversation_id) == (True, "")
    assert [one.at for one in arrivals(room) if isinstance(one, Received)] == [7.0, 8.0]


def test_bare_messages(file: Path) -> None:
    room = RecordedRoom(str(write(file, BARE, "5", '"text"', "null")))
    assert (room.timed, room.live, room.conversation_id) == (False, False, "")
    assert arrivals(room) == [
        Received(json.loads(BARE), None, None, BARE),
        Received(5, None, None, "5"),
        Received("text", None, None, '"text"'),
        Received(None, None, None, "null"),
    ]


@pytest.mark.parametrize(
    ("first", "timed"),
    [
        (HEAD, True),
        ('{"recording":1}', True),
        ('{"recording":1.0,"conversation_id":null,"started":null}', True),
        (record({}), True),
        ('{"dir":"note","message":"x"}', True),
        ('{"message":{},"dir":"sideways"}', False),
        ('{"dir":"in"}', False),
        ('{"message":"x"}', False),
        ('{"recording":7,"event_type":"conversation.utterance"}', False),
        ('{"recording":7,"event_type":"x","dir":"in","message":1}', True),
        ("{}", False),
        ("[]", False),
        ("NaN", False),
    ],
)
def test_the_first_line_says_the_kind(file: Path, first: str, timed: bool) -> None:
    room = RecordedRoom(str(write(file, first)))
    assert room.timed is timed
    arrivals(room)


def test_every_kind_of_line_end(file: Path) -> None:
    for end in (b"", b"\n", b"\r\n"):
        content = end.join([HEAD.encode(), record({"a": 1}).encode(), record({"b": "\u2028\x85"}).encode()])
        if end:
            file.write_bytes(content + end)
            assert brief(arrivals(RecordedRoom(str(file))), file) == [{"a": 1}, {"b": "\u2028\x85"}]
    assert brief(read(file, BARE, "2", end=b""), file) == [json.loads(BARE), 2]


def test_empty_lines_are_skipped(file: Path) -> None:
    assert brief(read(file, HEAD, "", record(1), " \t ", record(2), "", ""), file) == [1, 2]
    assert brief(read(file, "1", "", " ", "2", ""), file) == [1, 2]


def test_keys_in_any_order_more_keys_and_blanks(file: Path) -> None:
    lines = (
        '{"message":{"a":1},"dir":"in","at":5}',
        '{ "extra" : [1] , "at" : 6 , "dir" : "in" , "message" : { "a" : 2 } , "from" : "x" }',
    )
    got = read(file, HEAD, *lines)
    assert got == [
        Received({"a": 1}, 5.0, None, '{"a":1}'),
        Received({"a": 2}, 6.0, "x", '{ "a" : 2 }'),
    ]


# -- what is not a recording ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not a recording: it is empty"),
        (b"\n{}\n", "not a recording: its first line is empty"),
        (b"  \n", "not a recording: its first line is empty"),
        (b"hello\n", "not a recording: its first line is not JSON; --record writes one"),
        (b'{"recording":1,"conv', "not a recording: its first line is not JSON; --record writes one"),
        (bytes(range(256)), "not a recording: its first line is not JSON; --record writes one"),
        (
            b"\x7fELF\x02\x01\x01" + bytes(99),
            "not a recording: its first line is not JSON; --record writes one",
        ),
        (
            b"\x1f\x8b\x08\x00",
            "cannot be unpacked: Compressed file ended before the end-of-stream marker was reached",
        ),
        (b"1" * 5_000, "not a recording: its first line is not JSON; --record writes one"),
    ],
    ids=lambda value: value[:12].decode("latin-1") if isinstance(value, bytes) else "",
)
def test_other_files_are_refused(file: Path, content: bytes, told: str) -> None:
    file.write_bytes(content)
    assert refused(file) == told


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("2", "2"),
        ("0", "0"),
        ('"1"', '"1"'),
        ("null", "null"),
        ("1.5", "1.5"),
        ('"one\\ntwo"', '"one\\ntwo"'),
        ("[" * 200 + "]" * 200, "[" * 40),
        (f'"{"x" * 9_999}"', '"' + "x" * 39),
    ],
    ids=lambda value: value[:9],
)
def test_another_version_is_refused(file: Path, version: str, told: str) -> None:
    write(file, f'{{"recording":{version}}}')
    assert refused(file) == f"a recording of version {told}; this program reads version 1"


def test_what_is_not_a_file_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path) == f"a folder; give its files: {tmp_path}/*.jsonl"
    assert refused(tmp_path / "missing.jsonl") == "No such file or directory"


@pytest.mark.parametrize("value", ["null", "5", "{}", json.dumps(deep(90)), "1e999", "NaN", "-1", '"x"'])
def test_odd_values_in_the_first_line_are_ignored(file: Path, value: str) -> None:
    room = RecordedRoom(str(write(file, f'{{"recording":1,"conversation_id":{value},"started":{value}}}')))
    assert room.conversation_id == ("x" if value == '"x"' else "")
    assert room.now() == (5.0 if value == "5" else 0.0)
    assert arrivals(room) == []


# -- what is wrong inside one -----------------------------------------------------------------------------


@pytest.mark.parametrize("head", [HEAD, record(0)], ids=["header", "no header"])
def test_only_a_damaged_line_is_skipped(file: Path, head: str) -> None:
    before = [] if head == HEAD else [0]
    got = read(file, head, record(1), '{"at":5,"dir":"in","mess', record(2))
    told = "3: skipped, Unterminated string starting at: line 1 column 20 (char 19): "
    assert brief(got, file) == [*before, 1, told + '{"at":5,"dir":"in","mess', 2]
    assert [one.warning for one in got if isinstance(one, RoomNote)] == [True]


def test_a_damaged_line_among_bare_messages(file: Path) -> None:
    got = brief(read(file, BARE, "nonsense", "2"), file)
    assert got == [json.loads(BARE), "2: skipped, Expecting value: line 1 column 1 (char 0): nonsense", 2]


@pytest.mark.parametrize(
    "line",
    ["5", "[]", '"x"', "{}", '{"dir":"in"}', '{"message":1}', '{"dir":"up","message":1}', '{"dir":[]}'],
)
def test_what_is_not_a_record_in_a_recording_is_reported(file: Path, line: str) -> None:
    assert brief(read(file, HEAD, line, record(1)), file) == [f"2: skipped, not a record: {line}", 1]


@pytest.mark.parametrize("cut", [1, 5, 30])
def test_a_cut_last_line_is_reported_and_skipped(file: Path, cut: int) -> None:
    got = read(file, HEAD, record(1), record({"a": "b" * 30})[:-cut], end=b"")
    assert brief(got, file) == [1, "3: the last line is incomplete and was skipped"]
    assert isinstance(got[1], RoomNote)
    assert got[1].warning


def test_a_cut_last_bare_message(file: Path) -> None:
    assert (
        brief(read(file, BARE, BARE[:-1], end=b""), file)[1]
        == "2: the last line is incomplete and was skipped"
    )


def test_a_cut_inside_a_character(file: Path) -> None:
    got = read(file, HEAD.encode(), record("é").encode()[:-4], end=b"")
    assert brief(got, file) == ["2: the last line is incomplete and was skipped"]


def test_a_last_line_without_its_line_end_that_is_whole(file: Path) -> None:
    assert brief(read(file, HEAD, record(1), end=b""), file) == [1]


def test_lines_are_counted_across_batches(file: Path) -> None:
    lines = [record(number) for number in range(BATCH + 10)]
    lines[BATCH + 5] = "x"
    got = brief(read(file, HEAD, *lines), file)
    assert got[BATCH + 5].startswith(f"{BATCH + 7}: skipped")
    assert [one for one in got if isinstance(one, int)] == [n for n in range(BATCH + 10) if n != BATCH + 5]


def test_bytes_that_are_no_utf_8_are_kept(file: Path) -> None:
    line = b'{"at":5,"dir":"in","from":null,"message":{"a":"\xff\xfe"}}'
    got = read(file, HEAD.encode(), line, record(2).encode())
    assert [one.message for one in got if isinstance(one, Received)] == [{"a": "\udcff\udcfe"}, 2]
    bare = read(file, b"1", b'"\xff"')
    assert bare[1] == Received("\udcff", None, None, '"\udcff"')


ODD_MESSAGES: dict[str, str] = {
    "a big number": "1" + "0" * 399,
    "a long fraction": "0." + "1" * 50,
    "a number beyond all": "1e999",
    "not a number": "NaN",
    "minus infinity": '{"a":[-Infinity]}',
    "a lone surrogate": '{"a":"\\ud83d"}',
    "a lone surrogate as a key": '{"\\udc80":1}',
    "a pair": '"\\ud83d\\ude00"',
    "twice the same key": '{"a":1,"a":2}',
    "a message in it": '{"x":1,"message":{"message":5}}',
    "120 deep": to_json(DEEP),
    "100,000 deep": "[" * 100_000 + "]" * 100_000,
    "blanks": '{ "a" :\t[ 1 , 2 ] }',
    "escapes": '"\\u00e9\\/\\u001b"',
    "hostile": json.dumps(HOSTILE_TEXTS),
}


@pytest.mark.parametrize("name", ODD_MESSAGES)
def test_odd_messages_are_read_and_their_text_is_kept_exactly(file: Path, name: str) -> None:
    raw = ODD_MESSAGES[name]
    value = json.loads(raw) if "deep" not in name else None
    for lines in (
        [HEAD, f'{{"at":5.0,"t":0.0,"dir":"in","from":null,"message":{raw}}}'],
        [HEAD, f'{{"at":null,"dir":"out","message":{raw}}}'],
        [HEAD, f'{{"at":1e999,"dir":"in","message":{raw}}}'],
        [raw],
        ["0", raw],
    ):
        one = read(file, *lines)[-1]
        assert isinstance(one, Received)
        assert one.raw == raw
        assert value is None or same_value(one.message, value)


def test_reading_continues_after_a_message_nested_too_deep(file: Path) -> None:
    deep = "[" * 100_000 + "]" * 100_000
    for lines in (
        [HEAD, record("DEEP").replace('"DEEP"', deep), record(1)],
        [record("DEEP").replace('"DEEP"', deep), record(1)],
        [deep, "1"],
        ["0", deep, "1"],
    ):
        *_, one, last = read(file, *lines)
        assert isinstance(one, Received)
        assert isinstance(last, Received)
        assert (one.message, one.raw, last.message) == ("nested too deep", deep, 1)


def test_a_record_nested_too_deep_elsewhere(file: Path) -> None:
    odd = '{"dir":"in","x":' + "[" * 100_000 + "]" * 100_000 + "}"
    assert brief(read(file, HEAD, odd, record(1)), file)[0].startswith("2: skipped, nested too deep: ")


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ('"x"', "x"),
        ("5", "5"),
        ('{"a":1}', '{"a":1}'),
        ("null", "null"),
        (to_json(DEEP), to_json(DEEP)),
    ],
    ids=["text", "number", "object", "null", "deep"],
)
def test_a_note_is_text_whatever_it_is(file: Path, message: str, text: str) -> None:
    got = read(file, HEAD, f'{{"at":5,"dir":"note","message":{message}}}')
    assert got == [RoomNote(text, 5.0)]


# -- times ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("odd", ["null", '"5"', "-1", "1e308", "1e999", "NaN", "[]", "true", "1" + "0" * 30])
def test_a_record_without_a_usable_time_has_that_of_the_one_before(file: Path, odd: str) -> None:
    line = f'{{"at":{odd},"dir":"in","message":2}}'
    got = read(file, HEAD, line, record(1, 1001.0), line, '{"dir":"in","message":3}', record(4, 1002.0))
    assert [one.at for one in got if isinstance(one, Received)] == [1000.0, 1001.0, 1001.0, 1001.0, 1002.0]


def test_a_sender_that_is_not_text_is_none(file: Path) -> None:
    lines = ['{"from":5,"dir":"in","message":1}', '{"from":"pal","dir":"in","message":1}']
    assert [one.sender for one in read(file, HEAD, *lines) if isinstance(one, Received)] == [None, "pal"]


SPEEDS = [0.5, 1.0, 4.0, 1e6]


@pytest.mark.parametrize("speed", SPEEDS)
def test_paced_the_order_is_that_of_the_file(file: Path, speed: float) -> None:
    """Even if times jump back or are missing."""
    times: list[Any] = [1000.001, 1000.002, None, 1000.0, 1000.003, 7.0, 1000.004]
    lines = [record(number, at) for number, at in enumerate(times)]
    room = RecordedRoom(str(write(file, HEAD, *lines, record("note", 1000.005, "note"), "x")), speed=speed)
    assert room.live
    got = brief(arrivals(room), file)
    assert got[:8] == [0, 1, 2, 3, 4, 5, 6, "note"]
    assert got[8].startswith("10: skipped")


@pytest.mark.parametrize("speed", SPEEDS)
def test_paced_each_comes_when_the_recordings_clock_has_reached_it(file: Path, speed: float) -> None:
    lines = [record(number, 1000 + number / 200) for number in range(10)]

    async def main() -> None:
        room = RecordedRoom(str(write(file, HEAD, *lines)), speed=speed)
        before = 0.0
        async for batch in room.arrivals():
            one = as_received(*batch)
            assert isinstance(one, Received)
            assert one.at is not None
            assert room.now() >= one.at - 0.002 * speed, "a timer may be early by the clock's resolution"
            assert room.now() >= before
            before = room.now()

    asyncio.run(main())


def test_paced_bare_messages_go_by_their_timestamps(file: Path) -> None:
    lines = [json.dumps({"event_type": "x", "seq": n, "timestamp": 1000 + n / 1000}) for n in range(5)]
    lines[2:2] = ["5", '{"event_type":"y"}', '{"event_type":"y","timestamp":"x"}']
    room = RecordedRoom(str(write(file, *lines)), speed=1.0)
    assert (room.live, room.timed) == (False, False)
    got = arrivals(room)
    assert [one.raw for one in got if isinstance(one, Received)] == lines
    assert {one.at for one in got if isinstance(one, Received)} == {None}


@pytest.mark.parametrize("way", ["in", "note"])
@pytest.mark.parametrize("odd", [None, 0, -5, 1e308, "x"])
def test_paced_a_first_record_without_a_time_does_not_wait_for_years(file: Path, odd: Any, way: str) -> None:
    got = read(file, record("x", odd, way), record(1, 1.79e9), record(2, 1.79e9), speed=1.0)
    assert brief(got, file) == ["x", 1, 2]


def test_paced_without_times_at_all(file: Path) -> None:
    assert brief(read(file, record(1, None), record(2, None), speed=1.0), file) == [1, 2]


# -- the room ---------------------------------------------------------------------------------------------


def test_nothing_can_be_sent_to_a_recording(file: Path) -> None:
    room = RecordedRoom(str(write(file, HEAD)))
    with pytest.raises(SendFailed, match="a recording cannot receive messages"):
        asyncio.run(room.send({}))
    arrivals(room)


@pytest.mark.parametrize("speed", [None, 1e6])
def test_leaving_in_the_middle_ends_the_arrivals(file: Path, speed: float | None) -> None:
    async def main() -> int:
        lines = [record(number, 1000 + number) for number in range(5 * BATCH)]
        room, taken = RecordedRoom(str(write(file, HEAD, *lines)), speed=speed), 0
        async for batch in room.arrivals():
            taken += len(batch)
            await room.leave()
            await room.leave()
        return taken

    assert asyncio.run(main()) == (BATCH if speed is None else 1)


def test_leaving_does_not_wait_for_the_next_record(file: Path) -> None:
    async def main() -> list[Arrival]:
        write(file, HEAD, record(1, 1000), record(2, 5_000))
        room, got, first = RecordedRoom(str(file), speed=1.0), list[Arrival](), asyncio.Event()

        async def take() -> None:
            async for batch in room.arrivals():
                got.extend(map(as_received, batch))
                first.set()

        task = asyncio.create_task(take())
        async with asyncio.timeout(20):
            await first.wait()
            await asyncio.sleep(0)  # it now waits for the second one
            await room.leave()
            await task
        return got

    assert brief(asyncio.run(main()), file) == [1]


def test_nothing_arrives_if_it_is_left_before_joining(file: Path) -> None:
    async def main() -> list[list[Arrival]]:
        room = RecordedRoom(str(write(file, HEAD, record(1))))
        await room.leave()
        return [[as_received(one) for one in batch] async for batch in room.arrivals()]

    assert asyncio.run(main()) == []


# -- anything ---------------------------------------------------------------------------------------------


def _line(parts: Sequence[Any]) -> bytes:
    kind, value, noise = parts
    if kind == "record":
        return record(value).encode("utf-8", "backslashreplace")
    if kind == "bare":
        return to_json(value).encode("utf-8", "backslashreplace")
    if kind == "cut":
        return record(value).encode("utf-8", "backslashreplace")[: -1 - len(noise)]
    return bytes(noise).replace(b"\n", b"")


_LINES = st.lists(
    st.tuples(
        st.sampled_from(("record", "record", "bare", "cut", "noise")),
        strange_messages(),
        st.binary(max_size=20),
    ),
    max_size=6,
)


@many
@given(
    first=st.sampled_from((HEAD.encode(), record(0).encode(), BARE.encode(), b"")) | st.binary(max_size=40),
    lines=_LINES,
    end=st.sampled_from((b"", b"\n")),
    speed=st.sampled_from((None, 1e9)),
)
def test_any_file_is_refused_in_one_line_or_read_to_its_end(
    tmp_path_factory: pytest.TempPathFactory,
    first: bytes,
    lines: list[tuple[str, Any, bytes]],
    end: bytes,
    speed: float | None,
) -> None:
    file = tmp_path_factory.getbasetemp() / "anything.jsonl"
    file.write_bytes(b"\n".join([first, *map(_line, lines)]) + end)
    try:
        room = RecordedRoom(str(file), speed=speed)
    except UsageError as error:
        told = str(error)
        room = None
    else:
        told = "read"
    assert len(told.splitlines()) == 1
    if room is None:
        assert first not in (HEAD.encode(), record(0).encode(), BARE.encode())
        return
    got = arrivals(room)
    came = [one.message for one in got if isinstance(one, Received)]
    notes = [one for one in got if isinstance(one, RoomNote)]
    assert all(note.warning or note.text for note in notes)
    if first in (HEAD.encode(), record(0).encode()):
        intact = [decode(value).message for kind, value, _ in lines if kind == "record"]
        assert _among(intact, came)
    elif first == BARE.encode():
        assert _among([decode(value).message for kind, value, _ in lines if kind == "bare"], came)


def _among(wanted: list[Any], came: list[Any]) -> bool:
    """Whether the wanted values came, in this order."""
    rest = iter(came)
    return all(any(same_value(one, other) for other in rest) for one in wanted)
