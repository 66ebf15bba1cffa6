"""``run`` with several scripts, or one of them several times: the suite, its screen and its reports."""

from __future__ import annotations

import contextlib
import gc
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from io import FileIO
from typing import Any

from tavus_cli import files
from tavus_cli.errors import ConsoleError, ExitStatus, UsageError, redacted
from tavus_cli.files import read_text
from tavus_cli.report.actions import add_to_summary
from tavus_cli.report.measures import pooled
from tavus_cli.report.recording import Reported
from tavus_cli.resident.sockets import sockets
from tavus_cli.script.runner import Limits
from tavus_cli.session.environment import Environment, is_tty
from tavus_cli.session.loop import run as run_session
from tavus_cli.suite import reports
from tavus_cli.suite.board import Board, Screen, shown
from tavus_cli.suite.case import Case, Program
from tavus_cli.suite.plan import SuiteOptions, cases_of, chosen, names_of, split
from tavus_cli.suite.programs import load
from tavus_cli.suite.result import Rate, Result, changes, rates_before, rates_of
from tavus_cli.suite.rooms import GivenRooms, NewRooms, simulated
from tavus_cli.suite.running import InOrder, Player, run_all
from tavus_cli.suite.surroundings import RunOptions
from tavus_cli.target import VARIABLE, Default, Piped, RoomOptions, Sim, nothing_given, parse
from tavus_cli.views.safe import safe
from tavus_cli.views.table import UNCUT

MARGIN_SECONDS = 60.0  # how much longer than its run a conversation may last, for joining and leaving
COLLECT_EVERY = 50  # runs
LARGEST_BASELINE = 64 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Creating:
    """``--new``: ``fields`` by the names of the API, over the JSON of the file ``body``."""

    fields: dict[str, Any]
    body: str | None
    max_cost_minutes: float = 30.0


@dataclass(frozen=True, slots=True)
class RunMany:
    """``words`` as typed, ``targets`` those of --target. Times in seconds."""

    words: list[str]
    targets: list[str]
    limits: Limits
    run: RunOptions
    suite: SuiteOptions
    new: Creating | None = None
    junit: str | None = None
    report: str | None = None
    json: bool = False


def run_many(options: RunMany, room: RoomOptions, environment: Environment) -> int:
    """Run the suite. The exit status is NOT_MET if a script passed too rarely, or not everything was run.

    Raises UsageError before anything is joined, and NotAuthorised.
    """
    first, scripts = split(options.words)
    targets: list[str | None] = [*first, *options.targets]
    if options.new is not None and targets:
        raise UsageError("--new creates a conversation for each run: leave TARGET out")
    scripts = chosen(scripts, options.suite.filter)
    programs = _programs(scripts, options, environment)
    if programs is None:
        return ExitStatus.USAGE
    cases = cases_of(
        scripts, targets or [None], options.suite.repeat, options.suite.shard, new=options.new is not None
    )
    if not cases:
        environment.warn("nothing in this shard: there are fewer scripts × targets than shards")
    before = _baseline(options)
    if options.new is None:
        _check_targets(targets or [environment.environ.get(VARIABLE)])
    for program in programs.values():
        program.check(environment.environ)
    rooms = _rooms(options, programs, room, environment)
    with contextlib.ExitStack() as stack:
        suite = _Suite(options, cases, names_of(scripts), before, environment)
        suite.open(stack)
        return run_session(lambda: suite.run(programs, rooms))


def _check_targets(targets: Iterable[str | None]) -> None:
    """Raises UsageError for a target on which nothing can be run."""
    for word in targets:
        match parse(word):
            case Piped():
                raise UsageError("TARGET cannot be - in a suite: give the URL or the id")
            case Sim(spec):
                simulated(spec, 1)
            case Default() if not sockets():
                raise nothing_given()


def _programs(
    scripts: Iterable[str], options: RunMany, environment: Environment
) -> dict[str, Program] | None:
    """Read all scripts; returns None if any has mistakes, after printing them. Raises UsageError."""
    from tavus_cli.suite.script import Mistakes

    programs: dict[str, Program] = {}
    wrong = False
    for path in scripts:
        try:
            programs[path] = program = load(read_text(path, environment.stdin), path, options.limits)
        except Mistakes as error:
            if options.json:
                raise
            wrong = True
            for line in error.lines:
                environment.warn(line)
            continue
        if program.warning is not None:
            environment.warn(f"warning: {path}: {program.warning}")
    return None if wrong else programs


def _baseline(options: RunMany) -> dict[tuple[str, str], Rate]:
    if options.suite.baseline is None:
        return {}
    from tavus_cli.protocol.wire import from_json

    text = files.decoded(files.read(options.suite.baseline, LARGEST_BASELINE), options.suite.baseline)
    try:
        rows = [from_json(line) for line in text.split("\n") if line.strip()]
        if all(isinstance(row, dict) for row in rows):
            return rates_before(rows, options.suite.min_pass)
    except ValueError:
        pass
    raise UsageError(f"--baseline {options.suite.baseline} was not written by --results")


def _rooms(
    options: RunMany, programs: Mapping[str, Program], room: RoomOptions, environment: Environment
) -> Callable[[Environment], GivenRooms | NewRooms]:
    """A function that makes the rooms, given the environment of the runs.

    Raises UsageError, and NotAuthorised if conversations are to be created and there is no key.
    """
    new = options.new
    if new is None:
        return lambda quiet: GivenRooms(room, quiet)
    from tavus_cli.api.client import TIMEOUT
    from tavus_cli.api.conversations import connection, creation_from
    from tavus_cli.api.notes import warn_left_behind

    seconds = options.suite.run_timeout + MARGIN_SECONDS
    if seconds / 60 > new.max_cost_minutes:
        raise UsageError(
            f"--max-cost-minutes {new.max_cost_minutes:g}: one run may take {seconds / 60:g} minutes "
            "(--run-timeout and one more)"
        )
    fields = new.fields | {"max_call_duration": seconds}
    body = creation_from(fields, new.body, environment.stdin)
    connect = connection(environment.environ, room.base_url)
    with connect(TIMEOUT):
        warn_left_behind(environment)

    def body_of(case: Case) -> dict[str, Any]:
        said = "chat" in body or "audio_only" in body
        return body | {"chat": True} if programs[case.script].chat and not said else body

    return lambda quiet: NewRooms(connect, body_of, seconds, new.max_cost_minutes, room, quiet)


@dataclass(slots=True)
class _Suite:
    """A ``Watcher``: counts, prints and writes the result of each run."""

    options: RunMany
    cases: list[Case]
    names: reports.Names
    before: dict[tuple[str, str], Rate]
    environment: Environment
    rates: dict[tuple[str, str], Rate] = field(init=False)
    in_order: InOrder = field(init=False)
    results: list[Result] = field(default_factory=list)
    reported: list[Reported] = field(default_factory=list)
    _board: Board = field(init=False)
    _lines: reports.Lines = field(init=False)
    _screen: Screen = field(init=False)
    _file: FileIO | None = None
    _failure: ConsoleError | None = None

    def __post_init__(self) -> None:
        self.rates = rates_of(self.cases, self.options.suite.min_pass)
        self.in_order = InOrder(self.cases)
        theme = self.environment.theme
        self._board = Board(self.rates, self.names, theme)
        self._lines = reports.Lines(self.rates.values(), self.names, self.options.suite.repeat, theme)
        self._screen = Screen(self.environment)

    def open(self, stack: contextlib.ExitStack) -> None:
        """Create all files before anything is joined. Raises the errors of that."""
        options = self.options
        if options.suite.recordings is not None:
            try:
                os.makedirs(options.suite.recordings.folder, exist_ok=True)
            except OSError as error:
                raise UsageError(f"{options.suite.recordings.folder}: {error.strerror or error}") from None
        if options.junit is not None and options.junit != "-":
            files.make(options.junit, reports.junit([], {}, {}))
        if options.suite.results is not None:
            try:
                descriptor = files.open_to_write(options.suite.results, os.O_TRUNC)
            except (OSError, ValueError) as error:
                raise files.cannot(options.suite.results, error) from None
            self._file = stack.enter_context(FileIO(descriptor, "w"))

    async def run(
        self, programs: dict[str, Program], rooms_in: Callable[[Environment], GivenRooms | NewRooms]
    ) -> int:
        options, environment = self.options, self.environment
        begun = time.monotonic()
        live = is_tty(environment.stdout) and environment.environ.get("TERM") != "dumb" and not options.json
        try:
            async with shown(self._board, environment, live=live) as (self._screen, quiet):
                rooms = rooms_in(quiet)
                player = Player(
                    programs, rooms, options.run, options.suite.run_timeout, quiet, options.suite.recordings
                )
                await run_all(self.cases, player, options.suite.jobs, self, fail_fast=options.suite.fail_fast)
        finally:  # however the suite ended, the reports show what was run
            self._screen = Screen(environment)
            status = self._finish(time.monotonic() - begun)
        if isinstance(rooms, NewRooms) and rooms.left:
            status = status or ExitStatus.FAILED
        return status

    # -- a watcher -------------------------------------------------------------------------------------

    def begun(self, case: Case) -> None:
        self._board.begun(case)

    def ended(self, result: Result) -> None:
        self.rates[result.case.group].add(result)
        self._board.ended(result)
        if self.options.json:
            for line in result.printed:
                self.environment.complain(safe(line))
        elif result.run:
            self._print(result)
        if not self.options.json:  # they may have to wait for an earlier run
            result = replace(result, played=replace(result.played, facts={}))
        for one in self.in_order.put(result):
            self._write(one)
            if one.reported is not None:
                self.reported.append(one.reported)
            self.results.append(one.kept())
        if len(self.results) % COLLECT_EVERY == 0:
            gc.collect()  # finished runs leave reference cycles, and ``loop.run`` collects rarely

    def _print(self, result: Result) -> None:
        for line in result.printed:
            self._screen.print(safe(line))
        self._screen.print(self._lines.line(result))
        if not result.ok:
            for line in result.played.lines:
                self._complain(safe(line))
            if result.recording is not None:
                self._complain(f"    recording {safe(result.recording)}")

    def _complain(self, line: str) -> None:
        """Explain a failure: below its line on a terminal, else on standard error."""
        if is_tty(self.environment.stdout):
            self._screen.print(redacted(line))
        else:
            self.environment.complain(line)

    def _write(self, result: Result) -> None:
        if self.options.json:
            print(reports.result_json(result), file=self.environment.stdout, flush=True)
        if self._file is None:
            return
        try:
            left = memoryview((reports.row(result) + "\n").encode("utf-8", "backslashreplace"))
            while left:  # flush at once, so that each line appears when its run ends
                left = left[self._file.write(left) :]
        except (OSError, ValueError) as error:
            self._failure = files.cannot(self.options.suite.results or "", error)
            self._file = None

    # -- the end ---------------------------------------------------------------------------------------

    def _finish(self, seconds: float) -> ExitStatus:
        environment, options = self.environment, self.options
        rates = list(self.rates.values())
        status = ExitStatus.DONE if all(one.ok for one in rates) else ExitStatus.NOT_MET
        found = changes(self.before, rates)
        status = self._written(status)
        if options.json:
            print(reports.suite_json(rates, found, seconds, status), file=environment.stdout, flush=True)
        else:
            columns = environment.columns if is_tty(environment.stdout) else UNCUT
            lines = reports.summary(rates, self.names, found, seconds, environment.theme, columns)
            print("", *lines, sep="\n", file=environment.stdout, flush=True)
        add_to_summary(lambda: reports.markdown(rates, self.names, found, seconds), environment)
        return status

    def _written(self, status: ExitStatus) -> ExitStatus:
        """Write the reports. A full disk is reported, but does not hide a failure."""
        options = self.options
        try:
            if self._failure is not None:
                raise self._failure
            if options.junit is not None:
                files.write(options.junit, reports.junit(self.results, self.rates, self.names))
            if options.report is not None and self.reported:
                from tavus_cli.report.reader import Result as Read
                from tavus_cli.report.reader import write_html

                measures = pooled([one.measures for one in self.reported])
                write_html(options.report, Read(self.reported, measures, [], []))
        except ConsoleError as error:
            self.environment.warn(str(error))
            return status or error.status
        return status
