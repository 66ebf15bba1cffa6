"""``redact``: print a recording without anybody's words, names or ids."""

from __future__ import annotations

from collections.abc import Iterator

from tavus_cli.errors import ExitStatus
from tavus_cli.protocol.events import Event
from tavus_cli.protocol.wire import to_json
from tavus_cli.report.redact import Redactor, new_redactor
from tavus_cli.rooms.recorded import RecordedRoom
from tavus_cli.rooms.room import Arrival, RoomNote
from tavus_cli.session.environment import Environment
from tavus_cli.session.output import Output
from tavus_cli.session.recorder import head_line, record_line


async def redact(file: str, key: str | None, environment: Environment) -> int:
    """Returns the exit status: FAILED if an unreadable line was skipped. Raises UsageError."""
    redactor = new_redactor() if key is None else Redactor(key.encode())
    room = RecordedRoom(file, stdin=environment.stdin)
    output = Output(environment)
    left_out = 0
    async with output:
        started = room.now()
        if room.timed:
            name = redactor.text(room.conversation_id)
            name = room.conversation_id[:1] + name[1:]
            target = redactor.target(room.recorded_target)
            output.write(head_line(name, target, started, redacted=True))
        async for batch in room.arrivals():
            left_out += sum(isinstance(one, RoomNote) and one.warning for one in batch)
            output.write("".join(_lines(batch, room.timed, started, redactor, environment)))
            await output.drain()
            if output.gone.is_set():
                break
    if output.gone.is_set():
        return output.status()
    return ExitStatus.FAILED if left_out else ExitStatus.DONE


def _lines(
    batch: list[Arrival], timed: bool, started: float, redactor: Redactor, environment: Environment
) -> Iterator[str]:
    for one in batch:
        if isinstance(one, RoomNote):
            if one.warning:
                # the rest of the warning would quote the line
                where, skipped, _ = one.text.partition(": skipped")
                environment.warn(f"{where}: skipped, it cannot be read" if skipped else where)
            elif timed:
                yield record_line(one.at or started, started, "note", None, to_json(redactor.note(one.text)))
        elif isinstance(one, Event):
            message = to_json(redactor.message(one.message))
            if not timed:
                yield message + "\n"
                continue
            sender = None if one.sender is None else redactor.text(one.sender)
            yield record_line(one.at or 0.0, started, one.direction, sender, message)
