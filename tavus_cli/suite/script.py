"""A ``.tavus`` script as a program of a suite, and its run in a room, joined or recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass

from tavus_cli.errors import ExitStatus, UsageError
from tavus_cli.rooms.recorded import RecordedRoom
from tavus_cli.rooms.room import Room
from tavus_cli.script.live import LiveStage
from tavus_cli.script.model import Line, Script
from tavus_cli.script.outcomes import Outcome, Run, failure_lines, run_facts
from tavus_cli.script.recorded import RecordedStage
from tavus_cli.script.runner import Limits, Runner
from tavus_cli.script.statements import parse_script
from tavus_cli.suite.case import Case, Played, Verdict
from tavus_cli.suite.surroundings import Surroundings

_EXPECTING = ("/expect", "/wait", "/when")


@dataclass(frozen=True, slots=True)
class ScriptProgram:
    """``limits`` are those of every run."""

    script: Script
    limits: Limits
    chat: bool = False

    @property
    def warning(self) -> str | None:
        if self.limits.max_reply is not None or _expects(self.script.lines):
            return None
        return "it expects nothing, so it can only fail if the room cannot be joined or used"

    def check(self, environ: Mapping[str, str]) -> None:
        pass

    async def play(self, case: Case, room: Room, around: Surroundings) -> Played:
        run = Run(case.script, case.shown)
        around.so_far = lambda: played(run)
        await run_in(room, run, self.script, self.limits, around)
        return played(run)


async def run_in(room: Room, run: Run, script: Script, limits: Limits, around: Surroundings) -> None:
    """Run it in a room that is not joined yet, or on a recording; ``run`` receives the outcome of each line.
    Raises the errors of joining, and UsageError for what a recording cannot do.
    """
    if isinstance(room, RecordedRoom):
        with closing(room):
            await _run_on(room, run, script, limits, around)
        return
    warn = around.environment.warn
    try:
        async with around.joined(room, lambda session: LiveStage(session, limits.timeout, warn)) as stage:
            await Runner(stage, limits, run, around.print_line, _shower(run, around)).run(script)
    finally:
        run.tools = around.tool_facts


async def _run_on(
    recording: RecordedRoom, run: Run, script: Script, limits: Limits, around: Surroundings
) -> None:
    name = recording.target
    if around.options.report or around.options.otlp is not None:
        raise UsageError(f"{name} is a recording: tavus-console report {name} reports on it")
    if around.options.tools is not None:
        raise UsageError(f"{name} is a recording, which runs no tools: leave --tool out")
    transcript = around.transcript
    stage = RecordedStage(recording, around.options.hold, None if transcript is None else transcript.entries)
    await stage.load()
    if transcript is not None:
        transcript.tick(float("inf"))
    await Runner(stage, limits, run, around.print_line, _shower(run, around)).run(script)


def _shower(run: Run, around: Surroundings) -> Callable[[Line], None] | None:
    """A function that shows a line of the script before it is run."""
    transcript = around.transcript
    if transcript is None:
        return None
    return lambda line: transcript.line(f"{run.script}:{line.number}", line.text)


def played(run: Run) -> Played:
    """The outcome of a run, according to the first line that failed."""
    first = next(iter(run.failed), None)
    lines = [text for outcome in run.failed for text in failure_lines(run.script, outcome)]
    return Played(
        Verdict.OK if first is None else _verdict(first),
        "" if first is None else f"{_where(first)}{first.failure}",
        tuple(lines),
        run.seconds,
        tuple(seconds for _, seconds in run.replies),
        facts=run_facts(run),
    )


def _where(outcome: Outcome) -> str:
    return f"line {outcome.line}: " if outcome.line else ""


def _verdict(failed: Outcome) -> Verdict:
    if failed.mistake:
        return Verdict.SCRIPT_ERROR
    match failed.status:
        case ExitStatus.NOT_MET:
            return Verdict.EXPECTATION if failed.line else Verdict.BUDGET
        case ExitStatus.CANNOT_JOIN:
            return Verdict.CUT_OFF
        case ExitStatus.OVER:
            return Verdict.OVER
        case ExitStatus.USAGE:
            return Verdict.SCRIPT_ERROR
    return Verdict.ERROR


def _expects(lines: Iterable[Line]) -> bool:
    """Whether any line can fail because of an event, or a missing one; a /wait for some time cannot."""
    return any(_can_fail(line.text) or _expects(line.block) for line in lines)


def _can_fail(text: str) -> bool:
    words = text.split()
    if words[:1] == ["/wait"]:
        return not words[1:2] or not words[1][:1].isdigit()
    return bool(words) and words[0] in _EXPECTING


def load(text: str, path: str, limits: Limits) -> ScriptProgram:
    """Raises Mistakes."""
    script = parse_script(text)
    if script.mistakes:
        raise Mistakes([f"{path}:{one.line}:{one.column}: {one.message}" for one in script.mistakes])
    if not script.lines:
        raise UsageError(f"{path}: the script is empty")
    return ScriptProgram(script, limits)


class Mistakes(UsageError):
    """The mistakes in a script: ``lines`` has all of them, the error's text only the first."""

    def __init__(self, lines: list[str]) -> None:
        more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
        super().__init__(lines[0] + more)
        self.lines = lines
