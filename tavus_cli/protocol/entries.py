"""Entries: what a conversation consists of, in the order in which it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct  # noqa: TID253 - for the classes of entries

from tavus_cli.protocol.events import Event
from tavus_cli.protocol.folding import Fold
from tavus_cli.protocol.turns import ToolCall, Turn

if TYPE_CHECKING:  # reading a recording sends nothing
    from tavus_cli.protocol.interactions import Interaction


class EventEntry(Struct, eq=False, gc=False):  # as Event
    """An event in its place in the conversation.

    ``at`` is in Unix seconds. ``opens`` is whether it is the first of a new turn, ``fold`` the reason why
    views may hide it. ``late`` and ``differs`` come from ``ordering``. ``intended``, on the last snapshot of
    an interrupted utterance, is the full text the PAL meant to say. ``reply`` is the turn's latency in
    seconds, on the event that completes it. ``sender`` is set for interactions of other participants: a name,
    or the beginning of an id. ``asked`` is when this side sent the respond that opened the turn, on the event
    that shows it: its echo, however late, or the answer where no echo came.
    """

    event: Event
    at: float
    turn: Turn | None = None
    opens: bool = False
    fold: Fold | None = None
    back: bool = False  # belongs to a turn before the current one
    late: bool = False
    differs: bool = False
    intended: str | None = None
    reply: float | None = None
    sender: str | None = None
    asked: float | None = None


class SentEntry(Struct, eq=False, gc=False):
    """An interaction that was sent; ``echo`` is the seconds until it came back as an utterance.

    ``call`` is the tool call that a tool_result answers. ``interaction`` is the object given to ``sent``, so
    that its sender can recognise it by identity; None if another client or a recording sent it.
    """

    event: Event
    at: float
    turn: Turn | None = None
    opens: bool = False
    echo: float | None = None
    call: ToolCall | None = None
    interaction: Interaction | None = None
    fold: Fold | None = None


class GapEntry(Struct, eq=False, gc=False):
    """Sequence numbers that did not arrive, both ends included; called "gap", never "lost" (section 4)."""

    first: int
    last: int
    at: float
    fold: ClassVar[None] = None


class NoteEntry(Struct, eq=False, gc=False):
    """A note about the room or the sequence numbers, not a message. A ``warning`` is about the source."""

    text: str
    at: float
    warning: bool = False
    fold: ClassVar[None] = None


Entry = EventEntry | SentEntry | GapEntry | NoteEntry
