"""Which calls run. Pure: entries in, what to do about each out (docs/protocol.md, sections 3.4 and 7).

A call is a message that anybody in the room can forge, so who sent it decides, and each is run once.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from tavus_cli.protocol.catalogue import TOOL_RESULT, call_id
from tavus_cli.protocol.conversation import Entry, EventEntry, SentEntry
from tavus_cli.protocol.events import Event
from tavus_cli.protocol.tool_calls import calls_in, makes_calls
from tavus_cli.protocol.wire import to_json
from tavus_cli.tools.table import Table, Tool

MAX_CALLS = 5  # a turn
_REMEMBERED = 10_000  # calls, and ids that were answered; the oldest leaves first
_NOT_FROM_PAL = "not from the PAL"


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A tool call as it came. ``arguments`` is as sent: JSON text, or an object; ``at`` in Unix seconds.

    ``perception``: Raven saw or heard something; nobody waits for an answer (section 3.5).
    """

    id: str
    name: str
    arguments: Any
    event_type: str
    turn: int | None
    at: float
    perception: bool = False

    @property
    def known_as(self) -> str:
        """Its name and id for a person; not made safe."""
        return f"{self.name[:80]} {self.id[:80]}".strip()


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """About one call: ``tool`` is to be run, unless ``refused`` says why not; ``forged``: who sent it may
    not call."""

    call: Call
    tool: Tool
    refused: str | None = None
    forged: bool = False


class Unreadable(Exception):
    """What is wrong with a call's arguments, for the one who made it."""


class Policy:
    """``decide`` over each entry, in order.

    ``anyone``: calls from anybody in the room run. ``again``: what was answered then runs too.
    ``max_calls`` is for each turn; a turn that one of our own responds opens counts on from the one before,
    so that call, respond, call … ends (``responded``).
    """

    def __init__(
        self, table: Table, *, anyone: bool = False, max_calls: int = MAX_CALLS, again: bool = False
    ) -> None:
        self._table = table
        self._anyone = anyone
        self._again = again
        self._max_calls = max_calls
        self._turn = -1
        self._calls_in_turn = 0
        self._carried = 0  # turns that our own responds are about to open
        self._taken = _Remembered()
        self._answered = _Remembered()

    def decide(self, entry: Entry, is_pal: Callable[[str | None], bool]) -> list[Decision]:
        """What to do about the new calls of an entry. ``is_pal`` is asked about senders."""
        if type(entry) is SentEntry or type(entry) is EventEntry:
            if entry.event.kind is TOOL_RESULT:
                if not self._again:
                    self._answered.add(call_id(entry.event))
                return []
            if type(entry) is EventEntry:
                if self._anyone or is_pal(entry.event.sender):
                    self._follow_turns(entry)
                if makes_calls(entry.event):
                    allowed = self._anyone or is_pal(entry.event.sender)
                    decisions = [self._decide(entry.event, call, allowed) for call in calls_of(entry)]
                    return [decision for decision in decisions if decision is not None]
        return []

    def answered(self, call: Call) -> bool:
        """Whether a result for it was seen, ours or somebody else's."""
        return call.id in self._answered if call.id else False

    def responded(self) -> None:
        """A call was answered by a respond of ours."""
        self._carried += 1

    def _decide(self, event: Event, call: Call, allowed: bool) -> Decision | None:
        tool = self._table.find(call.name)
        if tool is None:
            return None
        if not allowed:
            return Decision(call, tool, _NOT_FROM_PAL, forged=True)
        # Only of calls that may run, and not by ``entry.fold``: a forged one must not hide the real one.
        key = _key(event, call)
        if key in self._taken:
            return None
        self._taken.add(key)
        if self.answered(call):
            return Decision(call, tool, "answered already")
        self._calls_in_turn += 1
        if self._calls_in_turn > self._max_calls:
            return Decision(call, tool, f"over {self._max_calls} calls in this turn (--max-calls)")
        return Decision(call, tool)

    def _follow_turns(self, entry: EventEntry) -> None:
        event, turn = entry.event, entry.turn
        if turn is not None:
            if turn.idx <= self._turn:
                return
            self._turn = turn.idx
        elif event.kind.family != "utterance" or event.role != "user":
            return
        if self._carried:
            self._carried -= 1
        else:
            self._calls_in_turn = 0


class _Remembered:
    def __init__(self) -> None:
        self._keys: OrderedDict[Hashable, None] = OrderedDict()

    def __contains__(self, key: Hashable) -> bool:
        return key in self._keys

    def add(self, key: Hashable) -> None:
        self._keys[key] = None
        if len(self._keys) > _REMEMBERED:
            self._keys.popitem(last=False)


def _key(event: Event, call: Call) -> Hashable:
    """The same for a call and its repeats. Without an id they are recognised by what led to them."""
    if call.id:
        return call.id if len(call.id) <= 256 else hash(call.id)
    if not event.inference_id:
        return object()  # nothing identifies it: it happened again
    return (event.inference_id[:256], call.event_type, call.name, hash(to_json(call.arguments)))


def calls_of(entry: EventEntry) -> list[Call]:
    """Also in the shapes of older and other builds (section 11)."""
    event, turn = entry.event, None if entry.turn is None else entry.turn.idx
    perception = "perception" in event.type
    return [
        Call(id, name, arguments, event.type, turn, entry.at, perception)
        for id, name, arguments in calls_in(event)
    ]


def arguments_of(call: Call) -> dict[str, Any]:
    """The arguments as an object; none at all are an empty one. Raises Unreadable."""
    value = call.arguments
    if isinstance(value, str) and value.strip():
        value = strict_json(value)
    elif value is None or isinstance(value, str):
        return {}
    elif isinstance(value, dict):
        value = strict_json(to_json(value))  # it may hold what only Python takes for JSON, or be too deep
    if not isinstance(value, dict):
        raise Unreadable("the arguments are JSON, but not an object")
    return value


def strict_json(text: str) -> Any:
    """The value of a JSON text as other programs read it: without NaN. Raises Unreadable."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise Unreadable("the arguments are nested too deep") from None
    except ValueError as error:
        raise Unreadable(f"the arguments are not JSON: {error}") from None


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
