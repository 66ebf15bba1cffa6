"""A recording as a room: what came then comes again, in the order of the file (docs/recordings.md).

Two kinds of files: records with times, as ``Recorder`` writes them, and bare messages, one a line. A
line that cannot be read costs that line alone, and is told.
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
from tavus_cli.protocol.events import decode
from tavus_cli.protocol.wire import TOO_DEEP, from_json, to_json
from tavus_cli.rooms.room import BATCH, Arrival, Participant, Received, RoomNote

VERSION = 1
_MAX_TIME = 1e11  # Unix seconds; more is no time

Parse = Callable[[str], Arrival | None]
ParseAll = Callable[[list[str]], list[Arrival]]
_MESSAGE = ',"message":'  # comes last in a record that ``Recorder`` wrote


class RecordedRoom:
    """``speed`` 1 is the pace it was recorded at, 4 four times that, None as fast as it is taken.

    Raises UsageError where the file cannot be read, or is no recording.
    """

    leaving_may_end = False
    via = ""

    def __init__(self, path: str, *, speed: float | None = None) -> None:
        self.target = path
        self.conversation_id = ""
        self.participants: Mapping[str, Participant] = {}
        self._path = path
        self._speed = speed
        self._file = _open(path)
        self._left = asyncio.Event()
        self._last_at = 0.0
        self._line = 0
        first = self._file.readline()
        try:
            head = _head(path, first)
        except UsageError:
            self._file.close()
            raise
        self._first = None if "recording" in head else first
        self.timed = "recording" in head or _is_record(head)
        self.live = self.timed and speed is not None
        self._parse_all, self._parse = _record_readers() if self.timed else _bare_readers()
        if "recording" in head:
            self._line = 1
            self._last_at = _number(head.get("started")) or 0.0
            conversation_id = head.get("conversation_id")
            self.conversation_id = conversation_id if isinstance(conversation_id, str) else ""
        self._begun = (time.monotonic(), self._last_at)

    def now(self) -> float:
        """The time of the recording: of its last record, or between two of them by its pace."""
        if self._speed is None:
            return self._last_at
        return self._begun[1] + (time.monotonic() - self._begun[0]) * self._speed

    async def join(self) -> None:
        pass

    async def send(self, message: dict[str, Any]) -> None:
        raise SendFailed("a recording cannot receive messages")

    async def leave(self) -> None:
        self._left.set()

    async def arrivals(self) -> AsyncIterator[list[Arrival]]:
        with self._file:
            batches = self._batches() if self._speed is None else self._paced()
            for delay, batch in batches:
                await self._pause(delay)
                if self._left.is_set():
                    return
                yield batch

    async def _pause(self, seconds: float) -> None:
        """Ends early where the room is left: there may be hours between two records."""
        if not seconds:
            await asyncio.sleep(0)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._left.wait()

    def _batches(self) -> Iterator[tuple[float, list[Arrival]]]:
        first = [] if self._first is None else [self._first]
        lines = chain(first, self._file)
        while some := list(islice(lines, BATCH)):
            yield 0.0, self._take(some)

    def _paced(self) -> Iterator[tuple[float, list[Arrival]]]:
        """One arrival a batch, with the seconds to wait before it."""
        assert self._speed is not None
        begun = False
        for arrival in chain.from_iterable(batch for _, batch in self._batches()):
            at = arrival.at if isinstance(arrival, Received | RoomNote) else None
            if at is None and isinstance(arrival, Received):
                at = decode(arrival.message).timestamp
            if not at:  # unknown; 0 where no record before said one
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
        """Where one of them is none of the usual ones."""
        for number, line in enumerate(lines, self._line + 1):
            try:
                arrival = self._parse(line)
            except ValueError as error:
                arrival = self._damaged(line, number, error)
            if arrival is not None:
                yield arrival

    def _date(self, arrivals: list[Arrival]) -> None:
        """A record without a time came when the one before it did."""
        for arrival in arrivals:
            if type(arrival) is Received:
                if arrival.at is None or not 0 <= arrival.at < _MAX_TIME:
                    arrival.at = self._last_at
                self._last_at = arrival.at

    def _damaged(self, line: str, number: int, error: ValueError) -> RoomNote:
        where = f"{self._path}:{number}"
        if not line.endswith("\n"):
            return RoomNote(f"{where}: the last line is incomplete and was skipped", warning=True)
        return RoomNote(f"{where}: skipped, {error}: {line.strip()}", warning=True)


def _open(path: str) -> TextIO:
    try:
        return open(path, encoding="utf-8", errors="surrogateescape", newline="\n")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None


def _head(path: str, line: str) -> dict[str, Any]:
    """The first line; raises UsageError where the file is none that can be replayed."""
    if not line.strip():
        raise UsageError(f"{path}: not a recording: its first line is empty")
    try:
        head = _read(line)
    except ValueError:
        raise UsageError(f"{path}: not a recording: its first line is not JSON") from None
    if not isinstance(head, dict):
        return {}
    if "recording" in head and "event_type" not in head:
        if head["recording"] != VERSION:
            version = to_json(head["recording"])[:40]
            raise UsageError(
                f"{path}: a recording of version {version}; this program reads version {VERSION}"
            )
        return head
    head.pop("recording", None)
    return head


def _is_record(value: Any) -> bool:
    return isinstance(value, dict) and value.get("dir") in ("in", "out", "note") and "message" in value


def _number(value: Any) -> float | None:
    return float(value) if type(value) in (int, float) and 0 <= value < _MAX_TIME else None


def _bare_readers() -> tuple[ParseAll, Parse]:
    """For a batch of lines, which raises ValueError where it does not read one of them; and for one line."""
    from msgspec import DecodeError, json

    fast = json.Decoder().decode
    unread = (DecodeError, UnicodeEncodeError, RecursionError)

    def parse_all(lines: list[str]) -> list[Arrival]:
        if not lines[-1].endswith("\n"):
            raise ValueError
        try:
            return [Received(fast(raw := line[:-1]), None, None, raw) for line in lines]
        except unread:
            raise ValueError from None

    def parse(line: str) -> Arrival | None:
        raw = line.removesuffix("\n")
        try:
            return Received(fast(raw), None, None, raw)
        except RecursionError:
            return Received(TOO_DEEP, None, None, raw)
        except unread:
            return Received(from_json(raw), None, None, raw) if raw.strip() else None

    return parse_all, parse


def _record_readers() -> tuple[ParseAll, Parse]:
    """The same for records; notes and odd ones are left to ``_slow_record``."""
    from msgspec import DecodeError, Raw, defstruct, json

    record = defstruct(
        "record",
        [("dir", Literal["in", "out"]), ("message", Raw), ("at", float, -1.0), ("sender", str | None, None)],
        rename={"sender": "from"},
    )
    outer, inner = json.Decoder(record).decode, json.Decoder().decode

    def parse_all(lines: list[str]) -> list[Arrival]:
        out: list[Arrival] = []
        one: Any
        try:
            for one in map(outer, lines):
                raw = bytes(one.message)
                out.append(Received(inner(raw), one.at, one.sender, raw.decode(), one.dir))
        except (DecodeError, UnicodeEncodeError, RecursionError):
            raise ValueError from None
        return out

    def parse(line: str) -> Arrival | None:
        try:
            return parse_all([line])[0]
        except ValueError:
            line = line.strip()
            return _slow_record(line) if line else None

    return parse_all, parse


def _slow_record(line: str) -> Arrival:
    """What the fast way does not read: notes, odd times, NaN, deep nesting. Raises ValueError."""
    value = _read(line)
    if not _is_record(value):
        raise ValueError(TOO_DEEP if value == TOO_DEEP else "not a record")
    at = _number(value.get("at"))
    message, sender, direction = value["message"], value.get("from"), value["dir"]
    if direction == "note":
        return RoomNote(message if isinstance(message, str) else to_json(message), at)
    return Received(message, at, sender if isinstance(sender, str) else None, _message_text(line), direction)


def _read(line: str) -> Any:
    """The JSON of a line, with TOO_DEEP for a message that is. Raises ValueError."""
    try:
        return json.loads(line)
    except RecursionError:
        head, mark, _ = line.partition(_MESSAGE)
        return json.loads(head + mark + to_json(TOO_DEEP) + "}") if mark else TOO_DEEP


def _message_text(line: str) -> str | None:
    """The message as it stands in a line written by ``Recorder``, where it comes last; else None."""
    text = line.partition(_MESSAGE)[2][:-1]
    with contextlib.suppress(RecursionError):
        try:
            json.loads(text)
        except ValueError:
            return None
    return text
