"""The policy of which calls run. Pure: entries in, decisions out (docs/protocol.md, sections 3.4 and 7).

Anybody in the room can forge a call, so its sender decides; and each call is run once.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from tavus_cli.protocol.catalogue import TOOL_RESULT, call_id
from tavus_cli.protocol.entries import Entry, EventEntry, SentEntry
from tavus_cli.protocol.events import Event
from tavus_cli.protocol.tool_calls import calls_in, makes_calls
from tavus_cli.protocol.wire import to_json
from tavus_cli.tools.table import Table, Tool

MAX_CALLS = 5  # a turn
_REMEMBERED = 10_000  # calls, and answered ids, remembered; the oldest is dropped first
_NOT_FROM_PAL = "not from the PAL"


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A tool call as received. ``arguments`` is as sent: JSON text, or an object; ``at`` in Unix seconds.

    ``perception``: Raven reports what it saw or heard; nothing waits for an answer (section 3.5).
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
        """Its name and id, not yet safe to print."""
        return f"{self.name[:80]} {self.id[:80]}".strip()


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """A decision about one call: ``tool`` is to be run, unless ``refused`` says why not.

    ``forged``: its sender is not allowed to call tools.
    """

    call: Call
    tool: Tool
    refused: str | None = None
    forged: bool = False


class Unreadable(Exception):
    """A mistake in the arguments of a call; the message goes to the caller."""


class Policy:
    """Call ``decide`` with each entry, in order.

    ``anyone``: calls from anybody in the room run. ``again``: calls already answered run too. ``max_calls``
    is for each turn. A turn opened by one of our own responds (``responded``) continues the count, so that a
    loop of call, respond, call … ends.
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
        """Decisions about the new calls of an entry. ``is_pal`` says whether a sender is the PAL."""
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
        """Whether a result for the call was seen, from us or from others."""
        return call.id in self._answered if call.id else False

    def responded(self) -> None:
        """Note that we answered a call by a respond."""
        self._carried += 1

    def _decide(self, event: Event, call: Call, allowed: bool) -> Decision | None:
        tool = self._table.find(call.name)
        if tool is None:
            return None
        if not allowed:
            return Decision(call, tool, _NOT_FROM_PAL, forged=True)
        # Only calls that may run count, and not by ``entry.fold``: a forged call must not hide the real one.
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
    """A key that a call shares with its repeats.

    Calls without an id are identified by inference and content.
    """
    if call.id:
        return call.id if len(call.id) <= 256 else hash(call.id)
    if not event.inference_id:
        return object()  # nothing identifies it: it counts as a new call
    return (event.inference_id[:256], call.event_type, call.name, hash(to_json(call.arguments)))


def calls_of(entry: EventEntry) -> list[Call]:
    """The calls of an entry, also in the shapes of other builds (section 11)."""
    event, turn = entry.event, None if entry.turn is None else entry.turn.idx
    perception = "perception" in event.type
    return [
        Call(id, name, arguments, event.type, turn, entry.at, perception)
        for id, name, arguments in calls_in(event)
    ]


def arguments_of(call: Call) -> dict[str, Any]:
    """The arguments as an object; {} if there are none. Raises Unreadable."""
    value = call.arguments
    if isinstance(value, str) and value.strip():
        value = strict_json(value)
    elif value is None or isinstance(value, str):
        return {}
    elif isinstance(value, dict):
        value = strict_json(to_json(value))  # it may hold NaN, which only Python accepts, or be too deep
    if not isinstance(value, dict):
        raise Unreadable("the arguments are JSON, but not an object")
    return value


def strict_json(text: str) -> Any:
    """The value of a JSON text by the standard, without NaN. Raises Unreadable."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise Unreadable("the arguments are nested too deep") from None
    except ValueError as error:
        raise Unreadable(f"the arguments are not JSON: {error}") from None


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
