"""Answers the tool calls of a conversation: a sink of its Session, and jobs that run and reply.

The policy says which calls run. Each is a task that waits for a place, runs, and sends the reply; leaving
ends them all.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

from tavus_cli.errors import ConsoleError, UsageError
from tavus_cli.protocol.conversation import Entry, EventEntry
from tavus_cli.protocol.interactions import SIZE_LIMIT, Interaction
from tavus_cli.protocol.wire import to_json
from tavus_cli.rooms.room import Room, VirtualTime
from tavus_cli.session.signals import at_hard_exit
from tavus_cli.tools.log import ToolLog, facts
from tavus_cli.tools.mock import Mocked
from tavus_cli.tools.options import ToolOptions
from tavus_cli.tools.policy import Call, Decision, Policy, Unreadable, arguments_of
from tavus_cli.tools.process import kill_all, running
from tavus_cli.tools.replies import Result, cut, reply, size
from tavus_cli.tools.table import Tool

if TYPE_CHECKING:
    from tavus_cli.tools.http import Poster

WAITING = 1_000  # calls that wait for a place; more are not run
REMEMBERED = 1_000  # calls that are shown; the oldest leaves first
SILENT = 50  # answered calls of which it is not known yet when the PAL spoke
NOTED = 200  # characters of a reason in a note
LONGEST_ID = 1_024  # characters of a call's id in a variable
SIGNS = ("ready", "present")  # families of events that only a PAL sends

State = Literal["waiting", "running", "answered", "failed", "unanswered"]
Send = Callable[[Interaction], Awaitable[Any]]


@dataclass(slots=True, eq=False)
class Run:
    """What became of one call. Times are seconds since it came; ``reason`` is why it failed or was not
    answered; ``sent`` is the type of what answered it."""

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
    since: float = 0.0  # by the bridge's clock
    answered_at: float = 0.0  # by the room's

    def __str__(self) -> str:
        """In one line; not made safe."""
        known = (("started", self.started), ("answered", self.answered), ("spoken", self.spoken))
        parts = [f"{name} after {value * 1000:.0f} ms" for name, value in known if value is not None]
        reason = [self.reason[:NOTED] + "…" * (len(self.reason) > NOTED)] if self.reason else []
        return (
            f"{self.call.known_as} {self.state}"
            + (": " if parts or reason else "")
            + ", ".join(reason + parts)
        )


class Bridge:
    """``async with`` it around the session it is a sink of. ``send`` None: nothing is answered.

    ``note`` shows and records a line. Raises UsageError for options that cannot be.
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
        self.finished: list[Callable[[Run], None]] = []  # told of each call that has come to its end
        self._options = options
        self._room = room
        self._send = send
        self._note_line = note
        self._environ = environ
        self._policy = Policy(table, anyone=options.anyone, max_calls=options.max_calls)
        self._slots = {tool.name: asyncio.Semaphore(tool.concurrency) for tool in table.tools}
        self._mocks = {tool.name: Mocked(tool.mock) for tool in table.tools if tool.mock is not None}
        self._asks_urls = any(tool.url for tool in table.tools)
        self._jobs: set[asyncio.Task[None]] = set()
        self._silent: list[Run] = []
        self._signed: set[str | None] = set()
        self._stack = AsyncExitStack()
        self._poster: Poster | None = None
        self._log = ToolLog(options.log) if options.log is not None else None
        self._closed = False
        self._recorded = not room.live and not isinstance(room, VirtualTime)

    async def __aenter__(self) -> Self:
        at_hard_exit.append(kill_all)
        self._stack.callback(at_hard_exit.remove, kill_all)
        if self._asks_urls and not self._options.dry_run:
            from tavus_cli.tools.http import poster

            self._poster = await self._stack.enter_async_context(poster())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Programs that run get TERM, and KILL two seconds later; returns when they are gone."""
        self._closed = True
        for job in self._jobs:
            job.cancel()
        try:
            while self._jobs:
                await asyncio.wait(self._jobs)
        finally:
            if self._log is not None:
                self._log.close()
            await self._stack.aclose()

    def retry(self, call_id: str) -> None:
        """Run a call again that failed or was not answered. Raises UsageError."""
        run = self.runs.get(call_id)
        if run is None:
            raise UsageError(f"no tool call {call_id} is known here; /tools lists them")
        if run.state in ("waiting", "running"):
            raise UsageError(f"{call_id} is still {run.state}")
        if run.state == "answered" or (run.state == "unanswered" and self._policy.answered(run.call)):
            raise UsageError(f"{call_id} was answered already")
        self._begin(run.call, run.tool, self._clock(), again=True)

    # -- a sink ----------------------------------------------------------------------------------------

    def entries(self, entries: list[Entry]) -> None:
        for entry in entries:
            if type(entry) is EventEntry:
                family = entry.event.kind.family
                if self._recorded and family in SIGNS:
                    self._signed.add(entry.event.sender)
                if self._silent and entry.event.role == "pal" and family in ("started", "utterance"):
                    self._spoke(entry)
            decision = self._policy.decide(entry, self._is_pal)
            if decision is not None:
                self._act(decision)

    async def drain(self) -> None:
        """A recording waits for what it calls; a live room does not."""
        while self._recorded and self._jobs:
            await asyncio.wait(self._jobs)

    # -- one call --------------------------------------------------------------------------------------

    def _is_pal(self, sender: str | None) -> bool:
        if self._recorded:
            return sender is None or not self._signed or sender in self._signed
        participant = self._room.participants.get(sender) if sender is not None else None
        return participant is not None and participant.pal

    def _clock(self) -> float:
        """Of the wall where the room has a time of its own: programs take real time there too."""
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
        try:
            async with self._slots[run.tool.name]:
                try:
                    arguments = arguments_of(run.call)
                except Unreadable as error:
                    await self._answer(run, Result(error=str(error)), again)
                    return
                async with self._performed(run, arguments) as result:
                    await self._answer(run, result, again)
        finally:
            release()

    @contextlib.asynccontextmanager
    async def _performed(self, run: Run, arguments: dict[str, Any]) -> AsyncIterator[Result]:
        tool, call = run.tool, run.call

        def started() -> None:
            run.started, run.state = self._clock() - run.since, "running"
            self._note(run)

        if tool.command:
            given = _bytes(arguments)
            async with running(
                tool.command, given, tool.timeout, started, environ=self._variables(call), folder=tool.folder
            ) as result:
                yield result
        elif tool.url:
            assert self._poster is not None
            started()
            told = {
                "name": call.name,
                "arguments": arguments,
                "tool_call_id": call.id or None,
                "conversation_id": self._room.conversation_id,
            }
            headers = {header: self._environ[name] for header, name in tool.headers.items()}
            yield await self._poster.post(tool.url, _bytes(told), headers, tool.timeout)
        else:
            assert tool.mock is not None
            started()
            late = tool.mock.delay > tool.timeout
            await self._pause(min(tool.mock.delay, tool.timeout))
            yield (
                Result(error=f"no result within {tool.timeout:g} s")
                if late
                else self._mocks[tool.name].result()
            )

    def _variables(self, call: Call) -> dict[str, str]:
        """Whatever a remote party chose is a value here. An id that no variable can hold is left out."""
        usable = call.id if call.id.isprintable() and len(call.id) <= LONGEST_ID else ""
        return {
            **self._environ,
            "TAVUS_TOOL_NAME": call.name,
            "TAVUS_TOOL_CALL_ID": usable,
            "TAVUS_CONVERSATION_ID": self._room.conversation_id,
        }

    async def _answer(self, run: Run, result: Result, again: bool) -> None:
        call, failed = run.call, result.error is not None
        run.output = result.error if failed else result.output
        reason = result.error or ""
        if self._policy.answered(call) and not again:
            self._end(run, "unanswered", "somebody else has answered")
            return
        interaction = reply(call, run.tool, result, self._options.reply)
        if interaction is None or self._send is None:
            why = "nothing is sent" if self._send is None else "run, and not to be answered"
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
        self._say(f"warning: {known}: over {SIZE_LIMIT:,} it may vanish on its way (--cut cuts it)")
        return interaction

    def _end(self, run: Run, state: State, reason: str) -> None:
        run.state, run.reason = state, reason
        if state != "answered":  # the reply itself is shown, and in a moment that it was spoken
            self._note(run)
        for told in self.finished:
            told(run)
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
        key = object() if run.forged or not run.call.id else run.call.id  # a forged one replaces none
        self.runs.pop(key, None)
        self.runs[key] = run
        if len(self.runs) > REMEMBERED:
            self.runs.popitem(last=False)
        return run

    def _note(self, run: Run) -> None:
        self._say(f"tool {run}")

    def _say(self, text: str) -> None:
        """Not at once: the session may be in the middle of telling its sinks something."""
        asyncio.get_running_loop().call_soon(self._say_now, text)

    def _say_now(self, text: str) -> None:
        if not self._closed:
            self._note_line(text)

    def _hold(self) -> Callable[[], None]:
        """A room without real time stands still while something real is done for it."""
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


def _bytes(value: Any) -> bytes:
    """JSON; what UTF-8 cannot hold is written as the escape that JSON has for it."""
    return (to_json(value) + "\n").encode("utf-8", "backslashreplace")


def _shown(arguments: Any) -> str:
    text = (
        arguments
        if isinstance(arguments, str)
        else "no arguments"
        if arguments is None
        else to_json(arguments)
    )
    return text[:NOTED]
