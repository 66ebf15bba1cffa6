"""A recording as a room: it delivers its arrivals again, in the order of the file (docs/recordings.md).

It reads records with times, as ``Recorder`` writes them; bare messages, one a line; messages wrapped by a
log; and JSON arrays of these. A line that cannot be read is skipped, with a note.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, Literal, TextIO

from tavus_cli.errors import SendFailed, UsageError
from tavus_cli.protocol.events import Event, decode
from tavus_cli.protocol.text_decoder import text_decoder
from tavus_cli.protocol.wire import MAX_TIME, TOO_DEEP, to_json
from tavus_cli.rooms.files import Lines
from tavus_cli.rooms.room import BATCH, Arrival, Participant, RoomNote
from tavus_cli.rooms.wrappers import events_of, unix, unwrapped, values_in

VERSION = 1

Parse = Callable[[str], "Arrival | None"]
ParseAll = Callable[[list[str]], list[Arrival]]
_MESSAGE = ',"message":'  # the last key of a record that ``Recorder`` wrote


class RecordedRoom:
    """``speed`` 1 is the pace of the recording, 4 is four times that, None is as fast as it can be read.

    Raises UsageError if the file cannot be read, or is not a recording.
    """

    leaving_may_end = False
    via = ""

    def __init__(self, path: str, *, speed: float | None = None, stdin: TextIO | None = None) -> None:
        self.target = path
        self.conversation_id = ""
        self.participants: Mapping[str, Participant] = {}
        self._path = path
        self._speed = speed
        self._lines = Lines(path, stdin)
        self._left = asyncio.Event()
        self._last_at = 0.0
        self._line = 0
        self._begin: list[str] = []  # the first lines, which were read already
        try:
            head = self._recognise()
        except UsageError:
            self._lines.close()
            raise
        self.live = self.timed and speed is not None
        if "recording" in head:
            self._last_at = _number(head.get("started")) or 0.0
        target = head.get("target")
        self.recorded_target = target if "recording" in head and isinstance(target, str) else ""
        conversation_id = head.get("conversation_id")
        self.conversation_id = conversation_id if isinstance(conversation_id, str) else ""
        self._begun = (time.monotonic(), self._last_at)

    def _recognise(self) -> dict[str, Any]:
        """Find the kind of file from its first line; returns that line if it is an object."""
        first = self._lines.first()
        if not first and self._lines.broken:
            raise UsageError(f"{self._path}: cannot be read: {self._lines.broken}")
        self._begin = [first]
        if (opened := _opened(first)) is not None:
            first = self._open_container(first, opened)
        head = _head(self._path, first)
        if "recording" in head:
            self._begin, self._line = self._begin[1:], 1
        self.timed = "recording" in head or _is_record(head)
        self._parse_all, self._parse = _record_readers() if self.timed else _bare_readers()
        if not self.timed and (logged := unwrapped(head)) is not None:
            self.timed = logged.at is not None
            self._parse_all, self._parse = _logged_readers(self.timed)
        return head

    def _open_container(self, first: str, opened: bool) -> str:
        """Read a JSON array, or JSON over several lines, as one message a line; returns the first."""
        text = first + self._lines.rest()
        lines: list[str] = []
        try:
            for value in values_in(text):
                lines.append(to_json(value) + "\n")
        except (ValueError, RecursionError):
            if not lines and not opened:
                raise UsageError(f"{self._path}: {_NOT_JSON}") from None
            self._lines.broken = self._lines.broken or "its JSON is incomplete"
        if not lines:
            raise UsageError(f"{self._path}: it holds no messages")
        self._begin = lines
        return lines[0]

    def now(self) -> float:
        """The time in the recording: that of the last record, plus what has passed since at this pace."""
        if self._speed is None:
            return self._last_at
        return self._begun[1] + (time.monotonic() - self._begun[0]) * self._speed

    async def join(self) -> None:
        pass

    async def send(self, message: dict[str, Any]) -> None:
        raise SendFailed("a recording cannot receive messages")

    async def leave(self) -> None:
        self._left.set()

    def close(self) -> None:
        """Close a recording whose ``arrivals`` may never be read."""
        self._lines.close()

    async def arrivals(self) -> AsyncIterator[list[Arrival]]:
        with contextlib.closing(self._lines):
            batches = self._batches() if self._speed is None else self._paced()
            for delay, batch in batches:
                await self._pause(delay)
                if self._left.is_set():
                    return
                yield batch

    async def _pause(self, seconds: float) -> None:
        """Wait, or return early when the room is left: there may be hours between two records."""
        if not seconds:
            await asyncio.sleep(0)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._left.wait()

    def _batches(self) -> Iterator[tuple[float, list[Arrival]]]:
        lines = chain(self._begin, self._lines)
        self._begin = []
        while some := _some(lines) or _some(lines):  # the second time: the end
            yield 0.0, self._take(some)
        if self._lines.broken:
            text = f"{self._path}: it ends early; everything before that is shown: {self._lines.broken}"
            yield 0.0, [RoomNote(text, warning=True)]

    def _paced(self) -> Iterator[tuple[float, list[Arrival]]]:
        """Batches of one arrival, each with the seconds to wait before it."""
        assert self._speed is not None
        begun = False
        for arrival in chain.from_iterable(batch for _, batch in self._batches()):
            at = arrival.at if isinstance(arrival, Event | RoomNote) else None
            if at is None and isinstance(arrival, Event):
                at = arrival.timestamp
            if not at:  # unknown; 0 if no earlier record had a time
                yield 0.0, [arrival]
                continue
            if not begun:
                begun, self._begun = True, (time.monotonic(), at)
            yield max(0.0, (at - self.now()) / self._speed), [arrival]

    def _take(self, lines: list[str]) -> list[Arrival]:
        try:
            out = self._parse_all(lines)
        except ValueError:
            out = list(self._one_by_one(lines))
        self._line += len(lines)
        if self.timed:
            self._date(out)
        return out

    def _one_by_one(self, lines: list[str]) -> Iterator[Arrival]:
        """Read line by line, for a batch with an unusual line."""
        for number, line in enumerate(lines, self._line + 1):
            try:
                arrival = self._parse(line)
            except ValueError as error:
                arrival = self._damaged(line, number, error)
            if arrival is not None:
                yield arrival

    def _date(self, arrivals: list[Arrival]) -> None:
        """Give a record without a time the time of the record before it."""
        for arrival in arrivals:
            if type(arrival) is Event:
                if arrival.at is None or not 0 <= arrival.at < MAX_TIME:
                    arrival.at = self._last_at
                self._last_at = arrival.at

    def _damaged(self, line: str, number: int, error: ValueError) -> RoomNote:
        where = f"{self._path}:{number}"
        if not line.endswith("\n"):
            return RoomNote(f"{where}: the last line is incomplete and was skipped", warning=True)
        text = line.strip()
        shown = text if len(text) <= _QUOTED else text[: _QUOTED - 1] + "…"
        return RoomNote(f"{where}: skipped, {error}: {shown}", warning=True)


def _some(lines: Iterator[str]) -> list[str]:
    """The lines up to "" (the next one is not there yet), at most BATCH."""
    return list(islice(iter(lines.__next__, ""), BATCH))


def _opened(line: str) -> bool | None:
    """Whether the line begins a container: True for a whole one, False for a part of one, else None."""
    if not line.lstrip().startswith(("[", "{")):
        return None
    try:
        value = _read(line)
    except ValueError:
        return None if line.startswith('{"recording"') else False
    if isinstance(value, list):
        return True if value and all(isinstance(one, dict) for one in value) else None
    return True if isinstance(value, dict) and events_of(value) != [value] else None


def _head(path: str, line: str) -> dict[str, Any]:
    """Check the first line. Raises UsageError if the file cannot be replayed."""
    if not line.strip():
        raise UsageError(f"{path}: not a recording: {'its first line' if line else 'it'} is empty")
    try:
        head = _read(line)
    except ValueError:
        raise UsageError(f"{path}: {_what_it_is(line)}") from None
    if not isinstance(head, dict):
        return {}
    if "recording" in head and "event_type" not in head:
        if head["recording"] != VERSION:
            version = to_json(head["recording"])[:40]
            raise UsageError(
                f"{path}: a recording of version {version}; this program reads version {VERSION}"
            )
        return head
    if head.get("report") == 1 and "measures" in head:
        raise UsageError(f"{path}: a report, not a recording; give the recording it was made from")
    if "conversation_url" in head and "event_type" not in head:
        raise UsageError(f"{path}: it holds no events; write it with conversation get ID --verbose")
    head.pop("recording", None)
    return head


_QUOTED = 120  # characters quoted of a line that cannot be read
_NOT_JSON = "not a recording: its first line is not JSON; --record writes one"


def _what_it_is(line: str) -> str:
    """The advice for a first line that is not JSON."""
    begins = line.lstrip().lower()
    if begins.startswith("<"):
        return "HTML or XML, not a recording; give what --record wrote"
    if begins.startswith(("/", "#")):
        return "a script or a text, not a recording; tavus-console run runs scripts"
    return _NOT_JSON


def _is_record(value: Any) -> bool:
    return isinstance(value, dict) and value.get("dir") in ("in", "out", "note") and "message" in value


def _number(value: Any) -> float | None:
    return float(value) if type(value) in (int, float) and 0 <= value < MAX_TIME else None


def _bare_readers() -> tuple[ParseAll, Parse]:
    """Two readers: for a batch of lines, which raises ValueError for unusual ones; and for one line."""
    decode_text = text_decoder()

    def parse_all(lines: list[str]) -> list[Arrival]:
        if not lines[-1].endswith("\n"):
            raise ValueError
        return [decode_text(line[:-1]) for line in lines]

    def parse(line: str) -> Arrival | None:
        raw = line.removesuffix("\n")
        return decode_text(raw) if raw.strip() else None

    return parse_all, parse


def _logged_readers(timed: bool) -> tuple[ParseAll, Parse]:
    """Readers for messages wrapped by a log; without times if the first has none."""

    def parse(line: str) -> Arrival | None:
        if not line.strip():
            return None
        value = _read(line)
        logged = unwrapped(value)
        if logged is None:
            return decode(value)
        return decode(logged.message, logged.at if timed else None, logged.sender, None, logged.direction)

    def parse_all(lines: list[str]) -> list[Arrival]:
        return [arrival for line in lines if (arrival := parse(line)) is not None]

    return parse_all, parse


def _record_readers() -> tuple[ParseAll, Parse]:
    """Readers for records; notes and unusual records are left to ``_slow_record``."""
    from msgspec import DecodeError, Raw, defstruct, json

    record = defstruct(
        "record",
        [("dir", Literal["in", "out"]), ("message", Raw), ("at", float, -1.0), ("sender", str | None, None)],
        rename={"sender": "from"},
    )
    outer, decode_text = json.Decoder(record).decode, text_decoder()

    def parse_all(lines: list[str]) -> list[Arrival]:
        try:
            some: list[Any] = [outer(line) for line in lines]
        except (DecodeError, UnicodeEncodeError, RecursionError):
            raise ValueError from None
        return [decode_text(bytes(one.message).decode(), one.at, one.sender, one.dir) for one in some]

    def parse(line: str) -> Arrival | None:
        try:
            return parse_all([line])[0]
        except ValueError:
            line = line.strip()
            return _slow_record(line) if line else None

    return parse_all, parse


def _slow_record(line: str) -> Arrival | None:
    """Reads what the fast reader does not: notes, unusual times, NaN, deep nesting. Raises ValueError."""
    value = _read(line)
    if isinstance(value, dict) and value.keys() <= {"at", "gap", "note"} and len(value) == 2:
        # Lines of ``tail --envelope``; gaps are found again.
        return RoomNote(str(value["note"]), unix(value.get("at"))) if "note" in value else None
    if not _is_record(value):
        raise ValueError(TOO_DEEP if value == TOO_DEEP else "not a record")
    at = _number(value.get("at"))
    if at is None:
        at = unix(value.get("at"))  # ISO 8601
    message, sender, direction = value["message"], value.get("from"), value["dir"]
    if direction == "note":
        return RoomNote(message if isinstance(message, str) else to_json(message), at)
    return decode(message, at, sender if isinstance(sender, str) else None, _message_text(line), direction)


def _read(line: str) -> Any:
    """The JSON of a line, with TOO_DEEP in place of a message nested too deep. Raises ValueError."""
    try:
        return json.loads(line)
    except RecursionError:
        head, mark, _ = line.partition(_MESSAGE)
        return json.loads(head + mark + to_json(TOO_DEEP) + "}") if mark else TOO_DEEP


def _message_text(line: str) -> str | None:
    """The text of the message in a line written by ``Recorder``, where it is the last key; else None."""
    text = line.partition(_MESSAGE)[2][:-1]
    with contextlib.suppress(RecursionError):
        try:
            json.loads(text)
        except ValueError:
            return None
    return text
