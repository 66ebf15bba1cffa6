"""Writing a recording (docs/recordings.md), and reading back what was written."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli import __version__
from tavus_cli.errors import UsageError
from tavus_cli.protocol.events import decode
from tavus_cli.rooms.recorded import RecordedRoom
from tavus_cli.rooms.room import Arrival, Received, RoomNote
from tavus_cli.session.recorder import Recorder, record_to
from tavus_cli.target import RoomOptions, RoomUrl, Sim, room_of
from tests.kits.conversations import (
    DEEP,
    HOSTILE_VALUES,
    SAMPLES,
    START,
    same_value,
    some,
    strange_messages,
    texts,
)
from tests.kits.room_kit import as_received

posix = pytest.mark.skipif(os.name != "posix", reason="modes and devices of POSIX")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "talk.jsonl"


def recorder(file: Path | str, **options: Any) -> Recorder:
    return Recorder(str(file), **{"conversation_id": "c1", "target": "sim", "started": START, **options})


async def arrivals(room: RecordedRoom) -> list[Arrival]:
    return [as_received(one) async for batch in room.arrivals() for one in batch]


def lines(file: Path) -> list[Any]:
    text = file.read_bytes().decode("utf-8")
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


# -- the file ---------------------------------------------------------------------------------------------


def test_the_first_line(file: Path) -> None:
    recorder(file, conversation_id="c7", target="sim:?seed=7").close()
    assert lines(file) == [
        {
            "recording": 1,
            "conversation_id": "c7",
            "target": "sim:?seed=7",
            "started": START,
            "versions": {"tavus-console": __version__},
        }
    ]
    assert list(lines(file)[0]) == ["recording", "conversation_id", "target", "started", "versions"]


def test_records_have_their_keys_in_order_and_the_message_last(file: Path) -> None:
    made = recorder(file)
    made.received({"seq": 1}, START + 0.25, "pal", None)
    made.sent({"event_type": "x"}, START + 1)
    made.note("participant joined: Nora", START + 1.5)
    made.received("text", START + 2, None, None)
    made.close()
    keys = ["at", "t", "dir", "from", "message"]
    told = lines(file)[1:]
    assert [list(one) for one in told] == [keys] * 4
    assert [tuple(one.values()) for one in told] == [
        (START + 0.25, 0.25, "in", "pal", {"seq": 1}),
        (START + 1, 1.0, "out", None, {"event_type": "x"}),
        (START + 1.5, 1.5, "note", None, "participant joined: Nora"),
        (START + 2, 2.0, "in", None, "text"),
    ]


def test_times_are_rounded_to_the_microsecond(file: Path) -> None:
    made = recorder(file)
    made.received({}, START + 0.123456789, None, None)
    made.close()
    assert lines(file)[1]["t"] == 0.123457
    assert '"t":0.123457,' in file.read_text()


def test_what_came_as_text_is_written_as_that_text(file: Path) -> None:
    raw = '{ "b": 1.50,  "a": 12345678901234567890.0, "é": "\\u00e9" }'
    made = recorder(file)
    made.received(json.loads(raw), START, None, raw)
    made.close()
    assert file.read_text("utf-8").splitlines()[1].endswith(f',"message":{raw}}}')


def test_no_token_and_no_key(file: Path) -> None:
    room = room_of(RoomUrl("https://tavus.daily.co/c0ffee?t=SECRET.token"), RoomOptions())
    made = record_to(str(file), room)
    assert made is not None
    made.close()
    assert lines(file)[0]["target"] == "https://tavus.daily.co/c0ffee"
    assert "SECRET" not in file.read_text()


def test_without_a_path_nothing_is_recorded() -> None:
    assert record_to(None, room_of(Sim("sim"), RoomOptions())) is None


# -- mode, flushing, what is there already ----------------------------------------------------------------


@posix
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_the_mode_is_0600_whatever_the_umask(file: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        recorder(file).close()
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@posix
def test_an_empty_file_is_used_and_closed_to_others(file: Path) -> None:
    file.touch(mode=0o644)
    file.chmod(0o666)
    recorder(file).close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(lines(file)) == 1


@posix
def test_the_mode_of_a_device_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def fchmod(descriptor: int, mode: int) -> None:
        raise AssertionError("/dev/null must stay open to all")

    monkeypatch.setattr(os, "fchmod", fchmod)
    made = recorder(os.devnull)
    made.sent({}, START)
    made.close()
    assert made.failed is None


def test_each_record_is_in_the_file_at_once(file: Path) -> None:
    made = recorder(file)
    assert len(lines(file)) == 1
    for number in range(1, 4):
        made.received({"seq": number}, START, None, None)
        assert [one["message"] for one in lines(file)[1:]] == [{"seq": at} for at in range(1, number + 1)]
    made.close()


@pytest.mark.parametrize("content", ["x", '{"recording":1}\n', "\n"])
def test_a_file_with_something_in_it_is_left_unchanged(file: Path, content: str) -> None:
    file.write_text(content)
    with pytest.raises(UsageError) as caught:
        recorder(file)
    assert str(caught.value) == f"{file} already exists: choose another file for the recording"
    assert file.read_text() == content


def test_a_file_that_cannot_be_made_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file or directory"):
        recorder(tmp_path / "no" / "folder")
    with pytest.raises(UsageError, match="Is a directory"):
        recorder(tmp_path)


# -- a full disk ------------------------------------------------------------------------------------------

needs_full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
FULL = "/dev/full: No space left on device; the recording ends here"


@needs_full
def test_a_full_disk_is_reported_once_and_stops_nothing() -> None:
    made = recorder("/dev/full")
    assert made.failed == FULL
    made.received({}, START, None, None)
    made.sent({}, START)
    made.note("x", START)
    made.close()
    assert made.failed == FULL


@posix
def test_a_disk_that_fills_up_later_keeps_what_was_written(tmp_path: Path) -> None:
    """A limit of file size stands in for it: writing beyond it fails."""
    import resource

    file = tmp_path / "a.jsonl"
    made = recorder(file)
    made.sent({"n": 1}, START)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size, before[1]))
    try:
        made.sent({"n": 2}, START)
        made.sent({"n": 3}, START)
        made.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(made.failed) == f"{file}: File too large; the recording ends here"
    assert [json.loads(line).get("message") for line in file.read_text().splitlines()] == [None, {"n": 1}]


@posix
def test_what_is_not_a_file_is_refused_and_nobody_waits_for_a_reader(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="a pipe that nobody reads"):
        recorder(tmp_path / "pipe")
    reading, writing = os.pipe()
    try:
        with pytest.raises(UsageError, match="not a file: pipes"):
            recorder(f"/dev/fd/{writing}")
    finally:
        os.close(reading)
        os.close(writing)


# -- there and back ---------------------------------------------------------------------------------------


def assert_comes_back(file: Path, messages: list[Any]) -> None:
    made = recorder(file)
    for number, message in enumerate(messages):
        if number % 3 == 2:
            made.sent(message, START + number)
        else:
            made.received(message, START + number, "pal", None)
    made.close()
    assert made.failed is None
    content = file.read_bytes()
    content.decode("utf-8")
    assert content.count(b"\n") == len(messages) + 1
    came = asyncio.run(arrivals(RecordedRoom(str(file))))
    assert len(came) == len(messages)
    for number, (arrival, message) in enumerate(zip(came, messages, strict=True)):
        assert isinstance(arrival, Received), arrival
        meant = decode(message).message  # an object in a string is taken for the object
        assert same_value(arrival.message, meant), (arrival.message, meant)
        out = number % 3 == 2
        assert (arrival.at, arrival.sender) == (START + number, None if out else "pal")
        assert arrival.direction == ("out" if out else "in")
        assert arrival.raw is not None


def test_the_samples_come_back(file: Path) -> None:
    assert_comes_back(file, SAMPLES)


@pytest.mark.parametrize("name", HOSTILE_VALUES)
def test_hostile_values_come_back(file: Path, name: str) -> None:
    value = HOSTILE_VALUES[name]
    assert_comes_back(file, [value, {"event_type": value}, {"event_type": "x", "properties": {"a": [value]}}])


def test_nesting_comes_back(file: Path) -> None:
    assert_comes_back(file, [DEEP, {"event_type": "x", "properties": DEEP}])


@some
@given(st.lists(strange_messages(), max_size=6))
def test_whatever_is_recorded_comes_back(
    tmp_path_factory: pytest.TempPathFactory, messages: list[Any]
) -> None:
    assert_comes_back(tmp_path_factory.mktemp("round") / "talk.jsonl", messages)


@some
@given(sender=texts(), note=texts())
def test_senders_and_notes_come_back(
    tmp_path_factory: pytest.TempPathFactory, sender: str, note: str
) -> None:
    file = tmp_path_factory.mktemp("round") / "talk.jsonl"
    made = recorder(file, conversation_id=sender, target=note)
    made.received({}, START, sender, None)
    made.note(note, START + 1)
    made.close()
    room = RecordedRoom(str(file))
    assert asyncio.run(arrivals(room)) == [Received({}, START, sender, "{}"), RoomNote(note, START + 1)]
    assert room.conversation_id == sender
