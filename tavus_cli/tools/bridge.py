"""Answering the tool calls of a conversation: a sink of its Session, and jobs that run and reply.

The policy decides which calls run. Each is a task that waits for a slot, runs, and sends the reply; leaving
ends them all.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from tavus_cli.errors import ConsoleError, UsageError
from tavus_cli.protocol.entries import Entry, EventEntry
from tavus_cli.protocol.interactions import SIZE_LIMIT, Interaction
from tavus_cli.protocol.wire import to_json
from tavus_cli.rooms.room import Room, VirtualTime
from tavus_cli.tools.log import ToolLog, facts
from tavus_cli.tools.options import ToolOptions
from tavus_cli.tools.performing import Performer
from tavus_cli.tools.policy import Call, Decision, Policy
from tavus_cli.tools.replies import Result, cut, reply, size
from tavus_cli.tools.table import Tool
from tavus_cli.views.table import RunRow

WAITING = 1_000  # calls that wait for a slot; more are not run
REMEMBERED = 1_000  # calls listed; the oldest is dropped first
SILENT = 50  # answered calls for which the PAL has not spoken yet
NOTED = 200  # characters of a reason in a note
ABOUT_CALL = "tool "  # how a note about a call begins
SIGNS = ("ready", "present")  # families of events that only a PAL sends

State = Literal["waiting", "running", "answered", "failed", "unanswered"]
Send = Callable[[Interaction], Awaitable[Any]]


@dataclass(slots=True, eq=False)
class Run:
    """One call and its outcome.

    Times are seconds since it arrived; ``reason`` is why it failed or was not answered; ``sent`` is the type
    of the message that answered it.
    """

    call: Call
    tool: Tool
    state: State = "waiting"
    reason: str = ""
    started: float | None = None
    answered: float | None = None
    spoken: float | None = None
    output: Any = None
    sent: str | None = None
    forged: bool = False
    since: float = 0.0  # in time of the bridge's clock
    answered_at: float = 0.0  # in the room's time

    def __str__(self) -> str:
        """The outcome in one line, not yet safe to print."""
        known = (("started", self.started), ("answered", self.answered), ("spoken", self.spoken))
        parts = [f"{name} after {value * 1000:.0f} ms" for name, value in known if value is not None]
        reason = [self.reason[:NOTED] + "…" * (len(self.reason) > NOTED)] if self.reason else []
        return (
            f"{self.call.known_as} {self.state}"
            + (": " if parts or reason else "")
            + ", ".join(reason + parts)
        )


class Bridge:
    """``async with`` it around the session whose sink it is. ``send`` None: nothing is answered.

    ``note`` shows and records a line. Raises UsageError for invalid options.
    """

    def __init__(
        self,
        options: ToolOptions,
        room: Room,
        send: Send | None,
        note: Callable[[str], None],
        environ: Mapping[str, str],
    ) -> None:
        table = options.table(environ)
        self.runs: OrderedDict[object, Run] = OrderedDict()
        self.finished: list[Callable[[Run], None]] = []  # called with each call that has ended
        self._options = options
        self._room = room
        self._send = send
        self._note_line = note
        self._policy = Policy(table, anyone=options.anyone, max_calls=options.max_calls, again=send is None)
        self._performer = Performer(table, environ, self._pause)
        self._jobs: set[asyncio.Task[None]] = set()
        self._silent: list[Run] = []
        self._signed: set[str | None] = set()
        self._log = ToolLog(options.log) if options.log is not None else None
        self._closed = False
        self._recorded = not room.live and not isinstance(room, VirtualTime)

    async def __aenter__(self) -> Self:
        await self._performer.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Send running programs TERM, and KILL two seconds later; returns once they are gone."""
        self._closed = True
        for job in self._jobs:
            job.cancel()
        try:
            while self._jobs:
                await asyncio.wait(self._jobs)
        finally:
            if self._log is not None:
                self._log.close()
            await self._performer.__aexit__()

    @property
    def failed(self) -> str | None:
        """Why the log of the calls is not complete."""
        return self._log.failed if self._log is not None else None

    async def retry(self, call_id: str) -> None:
        """Run a call again after it failed or was not answered. Raises UsageError."""
        run = self.runs.get(call_id)
        if run is None:
            raise UsageError(f"no tool call {call_id} is known here; /tools lists them")
        if run.state in ("waiting", "running"):
            raise UsageError(f"{call_id} is still {run.state}")
        if run.state == "answered" or (run.state == "unanswered" and self._policy.answered(run.call)):
            raise UsageError(f"{call_id} was answered already")
        self._begin(run.call, run.tool, self._clock(), again=True)

    def facts(self) -> list[dict[str, Any]]:
        """A row for each known call, oldest first."""
        return [facts(run, self._room.conversation_id, run.call.at) for run in self.runs.values()]

    async def rows(self) -> list[RunRow]:
        """The outcome as a row of a table."""
        return [
            RunRow(
                run.call.turn,
                run.state,
                run.started,
                run.answered,
                run.spoken,
                run.call.name,
                run.call.id,
            )
            for run in self.runs.values()
        ]

    # -- a sink ----------------------------------------------------------------------------------------

    def entries(self, entries: list[Entry]) -> None:
        for entry in entries:
            if type(entry) is EventEntry:
                family = entry.event.kind.family
                if self._recorded and family in SIGNS:
                    self._signed.add(entry.event.sender)
                if self._silent and entry.event.role == "pal" and family in ("started", "utterance"):
                    self._spoke(entry)
            for decision in self._policy.decide(entry, self._is_pal):
                self._act(decision)

    async def drain(self) -> None:
        """Wait for running calls in a recording; a live room does not wait."""
        while self._recorded and self._jobs:
            await asyncio.wait(self._jobs)

    # -- one call --------------------------------------------------------------------------------------

    def _is_pal(self, sender: str | None) -> bool:
        if self._recorded:
            return sender is None or not self._signed or sender in self._signed
        participant = self._room.participants.get(sender) if sender is not None else None
        return participant is not None and participant.pal

    def _clock(self) -> float:
        """Seconds of real time: programs take real time even if the room's time is simulated."""
        return self._room.now() if self._room.live else time.monotonic()

    def _act(self, decision: Decision) -> None:
        call = decision.call
        since = call.at if self._room.live else self._clock()
        refused = decision.refused
        if refused is None and len(self._jobs) >= WAITING:
            refused = f"over {WAITING:,} calls wait"
        if refused is None and self._options.dry_run:
            refused = f"dry run: {decision.tool.what} would run with {_shown(call.arguments)}"
        if refused is None:
            self._begin(call, decision.tool, since)
            return
        run = self._remember(Run(call, decision.tool, forged=decision.forged, since=since))
        self._end(run, "unanswered", refused)

    def _begin(self, call: Call, tool: Tool, since: float, *, again: bool = False) -> None:
        run = self._remember(Run(call, tool, since=since))
        job = asyncio.create_task(self._job(run, again, self._hold()))
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)

    async def _job(self, run: Run, again: bool, release: Callable[[], None]) -> None:
        def started() -> None:
            run.started, run.state = self._clock() - run.since, "running"
            self._note(run)

        try:
            async with self._performer.performed(
                run.tool, run.call, self._room.conversation_id, started
            ) as result:
                await self._answer(run, result, again)
        finally:
            release()

    async def _answer(self, run: Run, result: Result, again: bool) -> None:
        call, failed = run.call, result.error is not None
        run.output = result.error if failed else result.output
        reason = result.error or ""
        if self._policy.answered(call) and not again:
            self._end(run, "unanswered", "somebody else has answered")
            return
        interaction = reply(call, run.tool, result, self._options.reply)
        if interaction is None or self._send is None:
            why = "nothing is sent" if self._send is None else "run, but not to be answered"
            self._end(run, "failed" if failed else "unanswered", reason or why)
            return
        interaction = self._sized(run, interaction)
        if interaction.event_type == "conversation.respond":
            self._policy.responded()
        try:
            await self._send(interaction)
        except ConsoleError as error:
            self._end(run, "unanswered", str(error))
            return
        run.sent = interaction.event_type
        run.answered, run.answered_at = self._clock() - run.since, self._room.now()
        self._silent = [*self._silent[-SILENT + 1 :], run]
        self._end(run, "failed" if failed else "answered", reason)

    def _sized(self, run: Run, interaction: Interaction) -> Interaction:
        conversation_id = self._room.conversation_id
        count = size(interaction, conversation_id)
        if count <= SIZE_LIMIT:
            return interaction
        known = f"{run.call.known_as}: a reply of {count:,} bytes"
        if self._options.cut:
            self._say(f"{known} was cut to {SIZE_LIMIT:,}")
            return cut(interaction, conversation_id)
        self._say(f"warning: {known}: over {SIZE_LIMIT:,} it may get lost on its way (--cut shortens it)")
        return interaction

    def _end(self, run: Run, state: State, reason: str) -> None:
        run.state, run.reason = state, reason
        if state != "answered":  # the reply itself is shown, and soon a note that it was spoken
            self._note(run)
        for report in self.finished:
            report(run)
        if self._log is not None:
            wrong = self._log.write(facts(run, self._room.conversation_id, self._room.now()))
            if wrong is not None:
                self._say(wrong)

    def _spoke(self, entry: EventEntry) -> None:
        idx = None if entry.turn is None else entry.turn.idx
        for run in list(self._silent):
            if entry.at < run.answered_at or (idx is not None and idx < (run.call.turn or 0)):
                continue
            self._silent.remove(run)
            waited = entry.at - run.call.at
            run.spoken = waited if self._room.live else waited + (run.answered or 0.0)
            self._note(run)

    # -- around it -------------------------------------------------------------------------------------

    def _remember(self, run: Run) -> Run:
        # a forged call must not replace another one
        key = object() if run.forged or not run.call.id else run.call.id
        self.runs.pop(key, None)
        self.runs[key] = run
        if len(self.runs) > REMEMBERED:
            self.runs.popitem(last=False)
        return run

    def _note(self, run: Run) -> None:
        self._say(f"{ABOUT_CALL}{run}")

    def _say(self, text: str) -> None:
        """Send later: the session may be in the middle of calling its sinks."""
        asyncio.get_running_loop().call_soon(self._say_now, text)

    def _say_now(self, text: str) -> None:
        if not self._closed:
            self._note_line(text)

    def _hold(self) -> Callable[[], None]:
        """Stop the time of a room without real time while a call runs."""
        room = self._room
        if room.live or not isinstance(room, VirtualTime):
            return lambda: None
        room.hold()
        return room.release

    async def _pause(self, seconds: float) -> None:
        room = self._room
        if not seconds:
            return
        if room.live:
            await asyncio.sleep(seconds)
        elif isinstance(room, VirtualTime):
            alarm = room.alarm(room.now() + seconds)
            room.release()
            try:
                await alarm
            finally:
                room.hold()


def _shown(arguments: Any) -> str:
    text = (
        arguments
        if isinstance(arguments, str)
        else "no arguments"
        if arguments is None
        else to_json(arguments)
    )
    return text[:NOTED]
