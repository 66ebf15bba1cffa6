"""``run``: a script on each of its targets, and the reports about it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field

from tavus_cli.errors import ConsoleError, ExitStatus, UsageError
from tavus_cli.protocol.ordering import HOLD_SECONDS
from tavus_cli.rooms.recorded import RecordedRoom
from tavus_cli.rooms.room import Room
from tavus_cli.script.live import LiveStage
from tavus_cli.script.outcomes import Outcome, Run, failure_lines, junit, run_json, summary
from tavus_cli.script.recorded import RecordedStage
from tavus_cli.script.runner import Limits, Runner
from tavus_cli.script.statements import Script, parse_script
from tavus_cli.session.environment import Environment
from tavus_cli.session.recorder import Recorder, record_to
from tavus_cli.session.session import Session
from tavus_cli.views.safe import safe


@dataclass(frozen=True, slots=True)
class RunScript:
    """``name`` is the script's file, ``text`` what is in it. Times in seconds."""

    name: str
    text: str
    limits: Limits = field(default_factory=Limits)
    hold: float = HOLD_SECONDS
    ready_timeout: float = 300.0
    record: str | None = None
    junit: str | None = None
    json: bool = False


def checked(what: RunScript, environment: Environment) -> Script | None:
    """The script, None once its mistakes have been told. With JSON a UsageError holds the first."""
    script = parse_script(what.text)
    told = [f"{what.name}:{one.line}:{one.column}: {one.message}" for one in script.mistakes]
    if told and what.json:
        raise UsageError(told[0] + (f" (and {len(told) - 1} more)" if len(told) > 1 else ""))
    for line in told:
        environment.warn(line)
    if not told and not script.lines:
        raise UsageError(f"{what.name}: nothing to run in it")
    return None if told else script


async def run_script(
    targets: list[str | None],
    open_target: Callable[[str | None], Room],
    what: RunScript,
    script: Script,
    environment: Environment,
) -> int:
    """Each target after the other. The exit status of the first that failed.

    Raises UsageError, and what joining raises where there is one target alone.
    """
    runs: list[Run] = []
    report = _open_report(what.junit)
    try:
        for target in targets:
            run = Run(what.name, target or environment.environ.get("TAVUS_CONVERSATION", ""))
            runs.append(run)
            try:
                await _on(_room(target, open_target), run, what, script, environment)
            except ConsoleError as error:
                run.outcomes.append(Outcome(0, f"on {run.target}", failure=str(error), status=error.status))
                if len(targets) == 1:
                    raise
            except asyncio.CancelledError:
                run.outcomes.append(Outcome(0, f"on {run.target}", failure="stopped by a signal"))
                raise
            _tell(run, what, len(targets) > 1, environment)
    finally:  # what was run is told whatever ended it
        if report is not None:
            _write(report, junit(runs))
    return next((run.status for run in runs if run.status != ExitStatus.DONE), ExitStatus.DONE)


def _room(target: str | None, open_target: Callable[[str | None], Room]) -> Room:
    if target is not None and os.path.isfile(target):
        return RecordedRoom(target)
    return open_target(target)


async def _on(room: Room, run: Run, what: RunScript, script: Script, environment: Environment) -> None:
    run.target = room.target

    def tell(text: str) -> None:
        print(safe(text), file=environment.stderr if what.json else environment.stdout, flush=True)

    if isinstance(room, RecordedRoom):
        recorded = RecordedStage(room, what.hold)
        await recorded.load()
        await Runner(recorded, what.limits, run, tell).run(script)
        return
    recorder: Recorder | None = record_to(what.record, room)
    session = Session(room, hold=what.hold, recorder=recorder)
    stage = LiveStage(session, what.limits.timeout, environment.warn)
    environment.say(f"joining {safe(room.target)} …")
    async with session:
        await session.pal_ready(what.ready_timeout)
        await Runner(stage, what.limits, run, tell).run(script)
    if recorder is not None and recorder.failed:
        raise ConsoleError(recorder.failed)


def _tell(run: Run, what: RunScript, several: bool, environment: Environment) -> None:
    for outcome in run.failed if not what.json else ():
        for line in failure_lines(run.script, outcome):
            environment.complain(line)
    if what.json:
        print(run_json(run), file=environment.stdout, flush=True)
    elif several:
        print(summary(run), file=environment.stdout, flush=True)
    else:
        environment.say(summary(run))


def _open_report(path: str | None) -> str | None:
    """The file of the report is made before anything is sent. Raises UsageError."""
    if path is not None:
        _write(path, junit([]))
    return path


def _write(path: str, text: str) -> None:
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None
