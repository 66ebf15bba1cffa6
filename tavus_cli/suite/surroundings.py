"""What surrounds a run: how its room is joined, recorded and reported on, and where it prints."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from tavus_cli.errors import ConsoleError
from tavus_cli.report.live import tracing
from tavus_cli.report.reader import Reader
from tavus_cli.report.recording import Reported
from tavus_cli.report.redact import new_redactor
from tavus_cli.rooms.room import Room
from tavus_cli.session.environment import Environment
from tavus_cli.session.recorder import record_to
from tavus_cli.session.session import Session
from tavus_cli.settings.table import default
from tavus_cli.suite.case import Played
from tavus_cli.suite.transcript import Transcript

if TYPE_CHECKING:
    from tavus_cli.tools.options import ToolOptions

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Options that are the same for all runs. Times in seconds.

    ``report``: whether a report of each run is wanted. ``otlp``: where traces go. ``verbose``: whether the
    conversation is shown while it runs.
    """

    hold: float = default("hold")
    ready_timeout: float = default("ready_timeout")
    redact: bool = False
    report: bool = False
    otlp: str | None = None
    otlp_content: bool = False
    tools: ToolOptions | None = None
    verbose: bool = False


@dataclass(slots=True)
class Surroundings:
    """The surroundings of one run. ``print_line`` prints what the script prints.

    ``record``: a file for its recording.

    Afterwards ``tool_facts`` and ``reported`` hold what the tools did, and the report if one was wanted;
    ``conversation_id`` is known once joined; ``ending`` is why the conversation ended before the run did, or
    a note that the connection was down. ``label`` begins each line of the transcript. ``so_far``: the outcome
    to report if the run is stopped.
    """

    options: RunOptions
    environment: Environment
    print_line: Callable[[str], None]
    record: str | None = None
    tool_facts: list[dict[str, Any]] = field(default_factory=list)
    reported: Reported | None = None
    conversation_id: str | None = None
    ending: str = ""
    so_far: Callable[[], Played] | None = None
    label: str = ""
    transcript: Transcript | None = field(init=False)

    def __post_init__(self) -> None:
        self.transcript = Transcript(self.environment, self.label) if self.options.verbose else None

    @contextlib.asynccontextmanager
    async def joined(self, room: Room, begin: Callable[[Session], T]) -> AsyncIterator[T]:
        """Within the block, the room is joined and the PAL is there; afterwards it is left, whatever
        happened. ``begin`` is called with the session before joining, to add sinks; the block gets what it
        returns. Raises the errors of joining, and a ConsoleError if the recording or the log of tool
        calls could not be written.
        """
        options, environment = self.options, self.environment
        recorder = record_to(self.record, room, new_redactor() if options.redact else None)
        session = Session(room, hold=options.hold, recorder=recorder, environment=environment)
        reader = Reader(room.target, _quiet, _quiet)
        if options.report:
            session.sinks.append(reader)
        if self.transcript is not None:
            session.sinks.append(self.transcript)
        traces = tracing(options.otlp, options.otlp_content, session, environment.warn)
        begun = begin(session)
        bridge = options.tools.bridge(session, environment) if options.tools else None
        try:
            async with traces, bridge or contextlib.nullcontext(), session:
                self.conversation_id = room.conversation_id
                await session.pal_ready(options.ready_timeout)
                yield begun
                if session.finished.is_set():
                    self.ending = session.ending
                elif session.down is not None:
                    self.ending = session.down
        finally:
            self.tool_facts = bridge.facts() if bridge is not None else []
            if options.report:
                duplicates = session.conversation.status.duplicates
                self.reported = reader.reported(room.conversation_id, duplicates)
        failed = (recorder.failed if recorder else None) or (bridge.failed if bridge else None)
        if failed is not None:
            raise ConsoleError(failed)


def _quiet(text: str) -> None:
    """The program reports it."""
