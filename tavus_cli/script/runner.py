"""Running a script: each line on a stage, its outcome, and when to stop.

A stage is a joined room (``live``) or a recording (``recorded``).
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from tavus_cli.errors import ConsoleError, CutOff, ExitStatus, NotMet
from tavus_cli.language.commands import AudioEcho
from tavus_cli.protocol.entries import EventEntry
from tavus_cli.protocol.interactions import Interaction
from tavus_cli.script.conditions import REPLY, LineError
from tavus_cli.script.model import Assign, Line, Pause, Print, Quit, Repeat, Script, Send, Statement, When
from tavus_cli.script.names import Kept, Names
from tavus_cli.script.nearest import Near, nearest, one_line
from tavus_cli.script.outcomes import Outcome, Run
from tavus_cli.script.scheduled import Placed
from tavus_cli.script.statements import MOST_LINES, TOO_MANY, statement
from tavus_cli.script.window import Expectation, Window
from tavus_cli.session.turns import Turns


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of an expectation: the event, if there was one, and the events checked.

    ``ended``: why no more events can arrive, or why some may be missing. ``since`` and ``until``: the part of
    the window that counted, in Unix seconds.
    """

    entry: EventEntry | None
    window: Window
    ended: str | None = None
    cut_off: bool = False
    since: float = float("-inf")
    until: float = float("inf")


@dataclass(slots=True)
class Limits:
    """``timeout`` is how long an expectation without ``within`` waits, in seconds."""

    timeout: float
    keep_going: bool = False
    max_reply: float | None = None


class Stage(Protocol):
    """The place where a script runs. All methods except ``now`` raise the errors of sending."""

    replies: list[tuple[int, float]]
    turns: Turns
    everything: Window

    def now(self) -> float: ...

    async def send(self, action: Interaction | AudioEcho) -> None: ...

    async def pause(self, seconds: float) -> None: ...

    async def expect(self, what: Expectation) -> Checked: ...

    async def place(self, placed: Placed) -> None: ...

    async def finish(self) -> list[Placed]:
        """Every /when, once all that are due were sent."""


class _Stop(Exception):
    """The script is over: /quit, or a line failed."""


@dataclass(slots=True)
class Runner:
    """``run`` runs the whole script. ``print_line`` prints a line for /print; ``begin`` is called with each
    line before it is run."""

    stage: Stage
    limits: Limits
    result: Run
    print_line: Callable[[str], None]
    begin: Callable[[Line], None] | None = None
    names: Names = field(default_factory=lambda: Names(checking=False))
    _lines_run: int = 0

    async def run(self, script: Script) -> None:
        begun = self.stage.now()
        try:
            await self._lines(script.lines)
        except _Stop:
            pass
        finally:
            self.result.seconds = max(0.0, self.stage.now() - begun)
        self._placed(await self.stage.finish())
        self.result.replies = self.stage.replies
        self._check_replies()

    async def _lines(self, lines: tuple[Line, ...]) -> None:
        for line in lines:
            await self.stage.turns.give()
            if self.begin is not None:
                self.begin(line)
            said = await self._line(line)
            if isinstance(said, Quit):
                raise _Stop
            if isinstance(said, Repeat):
                for number in range(1, said.count + 1):
                    self.names.assign(said.name, str(number))
                    await self._lines(line.block)

    async def _line(self, line: Line) -> Statement | None:
        outcome = Outcome(line.number, line.text)
        begun = self.stage.now()
        said: Statement | None = None
        try:
            self._count()
            said = statement(line, self.names)
            await self._obey(said, line, outcome)
        except LineError as error:
            outcome.failure, outcome.status, outcome.mistake = str(error), NotMet.status, True
        except ConsoleError as error:
            outcome.failure, outcome.status = str(error), error.status
        outcome.seconds = max(0.0, self.stage.now() - begun)
        if not isinstance(said, Assign | Print | Repeat) or outcome.failure:
            self.result.outcomes.append(outcome)
        if outcome.failure is not None and not (self.limits.keep_going and self._lines_run <= MOST_LINES):
            raise _Stop
        return said

    def _count(self) -> None:
        self._lines_run += 1
        if self._lines_run > MOST_LINES:
            raise LineError(TOO_MANY)

    async def _obey(self, said: Statement, line: Line, outcome: Outcome) -> None:
        match said:
            case Send(action):
                await self.stage.send(action)
            case Pause(seconds):
                await self.stage.pause(seconds)
            case Expectation():
                await self._expect(said, outcome)
            case When():
                await self.stage.place(Placed(said, self.names.copy(), line.number, at=self.stage.now()))
            case Assign(name, value, remote):
                self.names.assign(name, value, remote=remote)
            case Print(text):
                self.print_line(text)

    async def _expect(self, what: Expectation, outcome: Outcome) -> None:
        if what.name:
            self.names.expect(what.name)
        checked = await self.stage.expect(what)
        entry, window = checked.entry, checked.window
        if entry is not None:
            outcome.message = entry.event.message
        if what.none:
            if entry is not None:
                outcome.failure, outcome.status = f"expected {what}, but it arrived", NotMet.status
                after, message = entry.at - window.at, entry.event.message
                outcome.came = [Near(one_line(entry, window.at), after, (), message)]
        elif entry is None:
            outcome.failure = _missing(what, checked)
            outcome.status = CutOff.status if checked.cut_off else NotMet.status
            outcome.came = nearest(window, what, checked.since, checked.until)
        elif what.name:
            self.names.keep(what.name, Kept(entry, entry.at - window.at))

    def _placed(self, placed: list[Placed]) -> None:
        """A /when that sent nothing fails its line, unless the script failed and stopped before."""
        stopped = bool(self.result.failed) and not self.limits.keep_going
        good: defaultdict[int, deque[Outcome]] = defaultdict(deque)
        for done in self.result.outcomes if placed else ():
            if done.failure is None:
                good[done.line].append(done)
        for one in placed:
            if not good[one.number] or one.fired or (stopped and one.error is None):
                continue
            outcome = good[one.number].popleft()
            outcome.status = NotMet.status if one.error is None else one.error.status
            outcome.failure = (
                str(one.error) if one.error else f"{one.when.event} did not arrive, so nothing was sent"
            )
            if one.error is None:
                outcome.came = nearest(self.stage.everything, one.when.event, one.at)

    def _check_replies(self) -> None:
        budget = self.limits.max_reply
        if budget is None:
            return
        over = [(turn, seconds) for turn, seconds in self.result.replies if seconds > budget]
        if not self.result.replies:
            failure = "no turn had a reply to measure"
        elif over:
            late = ", ".join(f"turn {turn} after {seconds:.3f} s" for turn, seconds in over)
            failure = f"replies over the budget of {budget:g} s: {late}"
        else:
            return
        self.result.outcomes.append(
            Outcome(0, f"--max-reply {budget:g}s", failure=failure, status=ExitStatus.NOT_MET)
        )


def _missing(what: Expectation, checked: Checked) -> str:
    failure = f"expected {what}, which did not arrive"
    if what.event == REPLY and not checked.window.answerable:
        return "nothing that has a reply was sent: expect an event type instead"
    return failure + (f": {checked.ended}" if checked.ended else "")
