"""The content of a timeline: turns with speeches, tool calls and barge-ins. Times are Unix seconds."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct  # noqa: TID253 - as protocol.events

By = Literal["speech", "text"]  # how the user asked: aloud, or by a respond


class Speech(Struct, eq=False, gc=False):
    """A speech; ``end`` is None if no stop was seen."""

    role: str
    start: float
    end: float | None = None
    interrupted: bool = False


class Call(Struct, eq=False, gc=False):
    """A tool call. ``perception``: nothing waits for an answer (section 7).

    ``spoken`` is when the PAL next spoke after the answer.
    """

    id: str
    name: str
    at: float | None
    perception: bool = False
    answered: float | None = None
    done: bool = False  # answered, perhaps at an unknown time
    failed: bool = False
    spoken: float | None = None


class BargeIn(Struct, eq=False, gc=False):
    """The user, or our ``interrupt``, cuts in while the PAL speaks.

    ``stopped`` is when the PAL stopped for it; ``success`` is None if no stop was seen.
    """

    at: float
    by: Literal["speech", "interrupt"]
    stopped: float | None = None
    success: bool | None = None


class TurnSpan(Struct, eq=False, gc=False):
    """A turn and its marks. ``idx`` is None for what belongs to no turn.

    ``asked`` is when the question was over (our respond was sent, else the user's stop, else the user's
    utterance), ``replied`` when the PAL began to speak or its words came: as in ``protocol.turns.Turn``.
    ``first`` is the first event of the turn after the question, ``words`` the PAL's first words, ``speaking``
    its first start.
    """

    idx: int | None
    started: float | None
    by: By = "speech"
    asked: float | None = None
    replied: float | None = None
    first: float | None = None
    words: float | None = None
    speaking: float | None = None
    calls: tuple[Call, ...] = ()  # no lists: a tuple of one or two takes half
    speeches: tuple[Speech, ...] = ()
    barge_ins: tuple[BargeIn, ...] = ()

    @property
    def reply(self) -> float | None:
        """Seconds from the end of the question to the beginning of the answer."""
        return None if self.asked is None or self.replied is None else max(0.0, self.replied - self.asked)
