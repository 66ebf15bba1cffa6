"""``run``: a script on each of its targets, and the reports about it."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass

from tavus_cli import files
from tavus_cli.errors import ConsoleError, ExitStatus, UsageError
from tavus_cli.files import read_text
from tavus_cli.report.measures import pooled
from tavus_cli.report.reader import Result, write_html
from tavus_cli.report.recording import Reported
from tavus_cli.rooms.room import Room
from tavus_cli.script.model import Script
from tavus_cli.script.outcomes import Outcome, Run, failure_lines, junit, run_json, summary
from tavus_cli.script.runner import Limits
from tavus_cli.script.statements import parse_script
from tavus_cli.session.environment import Environment
from tavus_cli.session.loop import run as run_session
from tavus_cli.suite.plan import RECORDINGS
from tavus_cli.suite.programs import files_in, load
from tavus_cli.suite.script import Mistakes, run_in
from tavus_cli.suite.surroundings import RunOptions, Surroundings
from tavus_cli.target import Recording, RoomOptions, SessionName, Target, open_target, parse, shown
from tavus_cli.views.safe import safe


@dataclass(frozen=True, slots=True)
class RunScript:
    """``name`` is the script's file, or "-". Times in seconds."""

    name: str
    limits: Limits
    run: RunOptions
    record: str | None = None
    junit: str | None = None
    report: str | None = None
    json: bool = False
    check: bool = False


def run_script(words: list[str], how: RoomOptions, options: RunScript, environment: Environment) -> int:
    """Run the script on each TARGET of ``words`` in turn; returns the exit status of the first that failed.

    Raises UsageError, and with only one target the errors of joining.
    """
    if options.check:
        return _check([*words, options.name], options, environment)
    _check_script_is_given(words, options)
    targets = [parse(word) for word in words] or [parse(None)]
    if options.record is not None and len(targets) > 1:
        raise UsageError("--record works with one target only")
    script = _script(options, environment)
    if script is None:
        return ExitStatus.USAGE
    return run_session(lambda: _on_each(targets, how, options, script, environment))


def _check(words: list[str], options: RunScript, environment: Environment) -> int:
    """Check all scripts, even after a mistake; a TARGET among them is skipped."""
    scripts = [
        path
        for word in words
        if os.path.isdir(word) or _may_be_script(word)
        for path in (files_in(word) if os.path.isdir(word) else [word])
    ]
    if not scripts:
        raise UsageError("SCRIPT is missing: give [TARGET] SCRIPT")
    checked = [_checked(name, options, environment) for name in scripts]
    return ExitStatus.DONE if all(checked) else ExitStatus.USAGE


def _checked(name: str, options: RunScript, environment: Environment) -> bool:
    """Check one script and print its mistakes; returns whether there were none. Raises UsageError."""
    try:
        load(read_text(name, environment.stdin), name, options.limits)
    except Mistakes as error:
        if options.json:
            raise
        for line in error.lines:
            environment.warn(line)
        return False
    return True


def _may_be_script(word: str) -> bool:
    if word == "-":
        return True
    try:
        target = parse(word)
    except UsageError:  # no such file; reading it reports that
        return True
    is_file = isinstance(target, Recording | SessionName)
    return is_file and not word.endswith(RECORDINGS)


def _check_script_is_given(words: list[str], options: RunScript) -> None:
    if not words and options.name != "-" and not isinstance(parse(options.name), Recording | SessionName):
        raise UsageError("SCRIPT is missing: give [TARGET] SCRIPT")


def _script(options: RunScript, environment: Environment) -> Script | None:
    """The script, or None if it has mistakes, which are printed.

    With --json, raises UsageError for the first.
    """
    script = parse_script(read_text(options.name, environment.stdin))
    mistakes = [f"{options.name}:{one.line}:{one.column}: {one.message}" for one in script.mistakes]
    if mistakes and options.json:
        raise UsageError(mistakes[0] + (f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""))
    for line in mistakes:
        environment.warn(line)
    if not mistakes and not script.lines:
        raise UsageError(f"{options.name}: the script is empty")
    return None if mistakes else script


async def _on_each(
    targets: list[Target], how: RoomOptions, options: RunScript, script: Script, environment: Environment
) -> int:
    runs: list[Run] = []
    readers: list[Reported] = []
    report = _open_report(options.junit)
    try:
        for target in targets:
            run = Run(options.name, shown(target))
            runs.append(run)
            try:
                room = (await open_target(target, how, environment, recorded=True)).room
                await _on(room, run, options, script, environment, readers)
            except ConsoleError as error:
                run.outcomes.append(Outcome(0, f"on {run.target}", failure=str(error), status=error.status))
                if len(targets) == 1:
                    raise
            except asyncio.CancelledError:
                run.outcomes.append(Outcome(0, f"on {run.target}", failure="stopped by a signal"))
                raise
            _report(run, options, len(targets) > 1, environment)
    finally:  # however the run ended, the reports show what was run
        unwritten = _written(runs, readers, report, options.report, environment)
    return next((run.status for run in runs if run.status != ExitStatus.DONE), unwritten)


def _written(
    runs: list[Run],
    readers: list[Reported],
    report: str | None,
    html: str | None,
    environment: Environment,
) -> ExitStatus:
    """Write the reports. A full disk is reported, but does not hide a failure of the script."""
    status = ExitStatus.DONE
    try:
        if report is not None:
            files.write(report, [junit(runs)])
        if html is not None and readers:
            write_html(html, Result(readers, pooled([one.measures for one in readers]), [], []))
    except ConsoleError as error:
        environment.warn(str(error))
        status = error.status
    return status


async def _on(
    room: Room,
    run: Run,
    options: RunScript,
    script: Script,
    environment: Environment,
    reports: list[Reported],
) -> None:
    """Run the script in a room. However that ends, a report of what happened is added to ``reports``."""
    run.target = room.target

    def print_line(text: str) -> None:
        print(safe(text), file=environment.stderr if options.json else environment.stdout, flush=True)

    around = Surroundings(options.run, environment, print_line, options.record)
    try:
        await run_in(room, run, script, options.limits, around)
        if around.ending and not run.failed:  # else the lines that failed say it
            environment.warn(around.ending)
    finally:
        if around.reported is not None:
            reports.append(around.reported)


def _report(run: Run, options: RunScript, several: bool, environment: Environment) -> None:
    for outcome in run.failed if not options.json else ():
        for line in failure_lines(run.script, outcome):
            environment.complain(line)
    if options.json:
        print(run_json(run), file=environment.stdout, flush=True)
    elif several:
        print(summary(run), file=environment.stdout, flush=True)
    else:
        environment.say(summary(run))


def _open_report(path: str | None) -> str | None:
    """Create the file of the report, before anything is sent. Raises UsageError."""
    if path is not None and path != "-":
        files.make(path, [junit([])])
    return path
