"""One run of a suite: the case, the program that plays it, and the outcome. Pure.

A file of a suite is a **program**: it is read once (``programs.load`` chooses by its extension) and played
many times, each time as a **case** in a room of its own::

    class Caller:                                      # a Program
        warning, chat = None, True

        def check(self, environ): ...

        async def play(self, case: Case, room: Room, around: Surroundings) -> Played:
            async with around.joined(room, Ear) as ear:        # Ear(session) adds itself to session.sinks
                ...                                            # joined, and the PAL is there
            return Played(Verdict.OK, seconds=12.5, replies=(0.8, 1.1))

``play`` returns the outcome, also of a failure. It may also raise: ``failure_of`` gives the verdict of an
error. The runner of the suite makes the room, sets the time limit (``play`` is cancelled at its end) and, if
it created a conversation, ends that, whatever happens. ``around.so_far`` may be set to the outcome to report
if ``play`` is cancelled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from tavus_cli.errors import (
    CannotJoin,
    ConsoleError,
    ConversationOver,
    CutOff,
    NotAuthorised,
    NotMet,
    UsageError,
)

if TYPE_CHECKING:
    from tavus_cli.rooms.room import Room
    from tavus_cli.suite.surroundings import Surroundings


class Verdict(StrEnum):
    """The verdict of a run. The words are stable, as every output contains them."""

    OK = "ok"
    EXPECTATION = "expectation"  # something expected did not arrive, or something unexpected did
    TIMEOUT = "timeout"  # the run took too long (--run-timeout)
    BUDGET = "budget"  # a reply was slower than --max-reply, or none could be measured; a model cost too much
    NOT_JOINED = "not joined"  # no conversation, no room, or no PAL in it
    OVER = "over"  # the conversation was over before the script was
    CUT_OFF = "cut off"  # the connection to the room broke
    SCRIPT_ERROR = "script error"  # a line cannot be run: a name without a value, invalid JSON
    CANNOT_TELL = "cannot tell"  # a judge gave no usable answer
    ERROR = "error"  # anything else
    NOT_RUN = "not run"  # stopped before it was done: a signal, --fail-fast, --max-cost-minutes


@dataclass(frozen=True, slots=True)
class Case:
    """``script`` on ``target``, for the ``repeat``-th time (from 1).

    ``number`` is its place in the whole suite (from 1), the same on every shard. ``target`` is the word, None
    for a new conversation or no TARGET; ``shown`` is the target to print, without a token.
    """

    number: int
    script: str
    target: str | None
    repeat: int
    shown: str

    @property
    def group(self) -> tuple[str, str]:
        """The key of the rate that this run counts for."""
        return self.script, self.shown


@dataclass(frozen=True, slots=True)
class Played:
    """The outcome of a case.

    ``detail``: one line, what failed first. ``lines``: more about it, as printed under a failure. ``seconds``
    of the room's time, ``replies`` are latencies in seconds. ``cost``: what a model cost, in US dollars;
    None: not known. ``facts`` go into ``--json`` as they are. All text may be remote: whoever prints it makes
    it safe.
    """

    verdict: Verdict
    detail: str = ""
    lines: tuple[str, ...] = ()
    seconds: float = 0.0
    replies: tuple[float, ...] = ()
    cost: float | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


class Program(Protocol):
    """A file of a suite, read and without mistakes.

    ``warning``: why it cannot fail; None if it can. ``chat``: whether a conversation created for it is text
    only, unless the command line or --body says otherwise.
    """

    @property
    def warning(self) -> str | None: ...

    @property
    def chat(self) -> bool: ...

    def check(self, environ: Mapping[str, str]) -> None:
        """Called before anything is created or joined. Raises UsageError if it cannot be played here."""

    async def play(self, case: Case, room: Room, around: Surroundings) -> Played: ...


def failure_of(error: ConsoleError) -> Verdict:
    """The verdict of a run that ended with an error."""
    match error:
        case CutOff():
            return Verdict.CUT_OFF
        case ConversationOver():
            return Verdict.OVER
        case CannotJoin() | NotAuthorised():
            return Verdict.NOT_JOINED
        case UsageError():
            return Verdict.SCRIPT_ERROR
        case NotMet():
            return Verdict.EXPECTATION
    return Verdict.ERROR
