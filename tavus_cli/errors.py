"""What can go wrong, and the exit status each outcome has.

::

    ConsoleError            failed                     1
    ├── UsageError          usage                      2
    ├── NotMet              expectation, wait          3
    ├── NotAuthorised       not_authorised             4
    ├── CannotJoin          join_failed                5
    │   └── CannotReach     cannot_reach               5    tavus_api
    ├── CutOff              cut_off                    5
    ├── ConversationOver    conversation_over          6
    ├── SendFailed          send_failed                1
    ├── Refused             refused                    1    tavus_api
    │   ├── NotFound        not_found                  1
    │   └── RateLimited     rate_limited               1
    └── NoKeyring           no_keyring                 1    credentials

Every error carries one line for a person, without a secret in it, saying what to do next where that can be
known. What a remote party wrote passes ``safe()`` where the message is printed.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from tavus_cli.secret import redacted


class ExitStatus(IntEnum):
    """The exit statuses of every command; an interface, shown in the README and in ``--help``."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_MET = 3
    NOT_AUTHORISED = 4
    CANNOT_JOIN = 5
    OVER = 6
    HUP = 129
    INT = 130
    BROKEN_PIPE = 141
    TERM = 143


EXIT_STATUS_HELP: dict[ExitStatus, str] = {
    ExitStatus.DONE: "done",
    ExitStatus.FAILED: "failed",
    ExitStatus.USAGE: "usage: the command line, a script or a file is wrong",
    ExitStatus.NOT_MET: "expectation not met, or a wait timed out",
    ExitStatus.NOT_AUTHORISED: "not authorised",
    ExitStatus.CANNOT_JOIN: "cannot reach or join the room, or cut off from it",
    ExitStatus.OVER: "the conversation is over",
    ExitStatus.HUP: "stopped by HUP, after leaving the room",
    ExitStatus.INT: "stopped by INT (Ctrl-C), after leaving the room",
    ExitStatus.BROKEN_PIPE: "the reader closed the pipe",
    ExitStatus.TERM: "stopped by TERM, after leaving the room",
}


class ConsoleError(Exception):
    """One line for a person; ``reason`` is the stable word for ``--json``."""

    status: ExitStatus = ExitStatus.FAILED
    reason: str = "failed"

    def __init__(self, text: str = "") -> None:
        super().__init__(redacted(text))


class UsageError(ConsoleError):
    status = ExitStatus.USAGE
    reason = "usage"


class NotMet(ConsoleError):
    status = ExitStatus.NOT_MET
    reason = "not_met"


class NotAuthorised(ConsoleError):
    status = ExitStatus.NOT_AUTHORISED
    reason = "not_authorised"


class CannotJoin(ConsoleError):
    status = ExitStatus.CANNOT_JOIN
    reason = "join_failed"


class CutOff(ConsoleError):
    """The way to the room has ended; the conversation may continue."""

    status = ExitStatus.CANNOT_JOIN
    reason = "cut_off"


class ConversationOver(ConsoleError):
    status = ExitStatus.OVER
    reason = "conversation_over"


class SendFailed(ConsoleError):
    reason = "send_failed"


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known word most like this one, ignoring case; None where none is near."""
    from difflib import get_close_matches

    words = {one.lower(): one for one in known}
    return next((words[one] for one in get_close_matches(word.lower(), words, n=1, cutoff=cutoff)), None)


def did_you_mean(word: str, known: Iterable[str], prefix: str = "") -> str:
    """ "; did you mean X?", or "" where nothing is near."""
    near = nearest(word, known)
    return f"; did you mean {prefix}{near}?" if near else ""


def instead(word: str, known: Iterable[str]) -> str:
    """For a key in a file, where the valid ones are few: the nearest one, or all of them."""
    near = nearest(word.replace("-", "_"), known := list(known), cutoff=0.5)
    return f'; did you mean "{near}"?' if near else "; known are " + ", ".join(known)
