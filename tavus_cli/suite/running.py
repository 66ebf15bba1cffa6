"""Running the cases of a suite, several at once: each gets exactly one result, whatever happens."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from tavus_cli.errors import ConsoleError
from tavus_cli.rooms.room import Room
from tavus_cli.session.environment import Environment
from tavus_cli.suite.case import Case, Played, Program, Verdict, failure_of
from tavus_cli.suite.plan import Recordings, names_of
from tavus_cli.suite.result import Result
from tavus_cli.suite.rooms import Billed, Rooms
from tavus_cli.suite.surroundings import RunOptions, Surroundings

MOST_PRINTED = 1_000  # lines of one run; the rest is left out


class Watcher(Protocol):
    """Is told when each case begins, and its result. A case may be ``NOT_RUN`` without having begun."""

    def begun(self, case: Case) -> None: ...

    def ended(self, result: Result) -> None: ...


@dataclass(frozen=True, slots=True)
class Player:
    """``play`` plays one case. ``limit``: seconds that a run may take."""

    programs: Mapping[str, Program]
    rooms: Rooms
    options: RunOptions
    limit: float
    environment: Environment
    recordings: Recordings | None = None

    async def play(self, case: Case) -> Result:
        """Raises only signals and errors that end the whole suite."""
        printed: list[str] = []

        def tell(text: str) -> None:
            if len(printed) < MOST_PRINTED:
                printed.append(text)

        record = self._recording_of(case)
        _remove(record)  # from an earlier suite
        label = f"{names_of([case.script])[case.script]} {case.number}  "
        around = Surroundings(self.options, self.environment, tell, record, label=label)
        billed = Billed()

        async def in_room(room: Room) -> Played:
            return await self._limited(case, room, around)

        try:
            played = await self.rooms.run(case, in_room, billed)
        except BaseException as error:
            if not isinstance(error, Exception) or isinstance(error, ConsoleError):
                _remove(record)
                raise
            played = _stopped(case, around, Verdict.ERROR, f"{type(error).__name__}: {error}")
        if record is not None and not (os.path.exists(record) and self._keeps(played)):
            _remove(record)
            record = None
        minutes, name = billed.minutes, around.conversation_id
        return Result(case, played, name, minutes, record, tuple(printed), around.reported)

    async def _limited(self, case: Case, room: Room, around: Surroundings) -> Played:
        timer = asyncio.timeout(self.limit)
        try:
            async with timer:
                played = await self.programs[case.script].play(case, room, around)
        except ConsoleError as error:
            return _stopped(case, around, failure_of(error), str(error))
        except Exception as error:
            if isinstance(error, TimeoutError) and timer.expired():
                return _stopped(case, around, Verdict.TIMEOUT, self._too_long)
            return _stopped(case, around, Verdict.ERROR, f"{type(error).__name__}: {error}")
        if played.verdict == Verdict.OK and not room.live and played.seconds > self.limit:
            return _with(case, played, Verdict.TIMEOUT, self._too_long)  # of the room's own time
        return played

    @property
    def _too_long(self) -> str:
        return f"not done within {self.limit:g} s (--run-timeout)"

    def _recording_of(self, case: Case) -> str | None:
        if self.recordings is None:
            return None
        stem = os.path.basename(names_of([case.script])[case.script]).replace(os.sep, "_")
        return str(Path(self.recordings.folder) / f"{case.number:04}-{stem}.jsonl")

    def _keeps(self, played: Played) -> bool:
        assert self.recordings is not None
        return self.recordings.keep == "all" or played.verdict not in (Verdict.OK, Verdict.NOT_RUN)


def _stopped(case: Case, around: Surroundings, verdict: Verdict, detail: str) -> Played:
    """The outcome of a run that was stopped, as far as it is known."""
    return _with(case, around.so_far() if around.so_far else Played(verdict), verdict, detail)


def _with(case: Case, played: Played, verdict: Verdict, detail: str) -> Played:
    lines = (*played.lines, f"{case.script}: on {case.shown}", f"    {detail}")
    return replace(played, verdict=verdict, detail=detail, lines=lines)


def _remove(path: str | None) -> None:
    if path is not None:
        with contextlib.suppress(OSError):
            os.unlink(path)


async def run_all(
    cases: Sequence[Case], player: Player, jobs: int, watcher: Watcher, *, fail_fast: bool = False
) -> None:
    """By the end every case was reported to ``watcher``, even if a signal or an error ends this early."""
    waiting = deque(cases)
    stopping = asyncio.Event()

    async def worker() -> None:
        while waiting and not stopping.is_set():
            case = waiting.popleft()
            watcher.begun(case)
            result = _not_run(case, "stopped")
            try:
                result = await player.play(case)
            finally:
                watcher.ended(result)
            if fail_fast and not result.ok:
                stopping.set()

    tasks = {asyncio.create_task(worker()) for _ in range(min(jobs, len(cases)))}
    stop = asyncio.create_task(stopping.wait())
    try:
        while tasks:
            done, _ = await asyncio.wait({*tasks, stop}, return_when=asyncio.FIRST_COMPLETED)
            tasks -= done
            failed = [task for task in done - {stop} if task.exception()]
            if failed or stopping.is_set():
                await _cancel(tasks)
                for task in failed:
                    task.result()
                return
    finally:
        stop.cancel()
        try:
            await _cancel(tasks)
        finally:
            why = "after a failure (--fail-fast)" if stopping.is_set() else "stopped"
            for case in waiting:
                watcher.ended(_not_run(case, why))


async def _cancel(tasks: set[asyncio.Task[None]]) -> None:
    """Cancelled runs leave, and end the conversations that they created; a signal does not interrupt that."""
    for task in tasks:
        task.cancel()
    cancelled: asyncio.CancelledError | None = None
    while not all(task.done() for task in tasks):
        try:
            await asyncio.wait(tasks)
        except asyncio.CancelledError as error:
            cancelled = error
    for task in tasks:
        _ = task.cancelled() or task.exception()
    tasks.clear()
    if cancelled is not None:
        raise cancelled


def _not_run(case: Case, why: str) -> Result:
    return Result(case, Played(Verdict.NOT_RUN, why))


class InOrder:
    """Passes results on in the order of the suite, in whatever order they arrive."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self._order = deque(case.number for case in cases)
        self._held: dict[int, Result] = {}

    def put(self, result: Result) -> Iterator[Result]:
        """The results that can be passed on now."""
        self._held[result.case.number] = result
        while self._order and self._order[0] in self._held:
            yield self._held.pop(self._order.popleft())
