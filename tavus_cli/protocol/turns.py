"""Turns, their latencies, and tool calls that wait for an answer (docs/protocol.md, sections 4 and 7)."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from msgspec import Struct  # noqa: TID253 - as events

from tavus_cli.protocol.events import Event, kept
from tavus_cli.protocol.tool_calls import calls_in, makes_calls
from tavus_cli.protocol.wire import TOO_DEEP, to_json, too_deep

_ARGUMENTS = 200  # characters remembered of a call's arguments
_REMEMBERED = 1_000  # turns, and open tool calls; the oldest is dropped first


class Turn(Struct, eq=False, gc=False):
    """Everything caused by one user input. Times are Unix seconds.

    ``asked`` is when the user finished (our ``respond`` was sent, else the user's stop or utterance);
    ``replied`` is when the PAL began; ``reported`` is whether an entry has carried the latency; ``spoke`` is
    how many seconds the PAL spoke.
    """

    idx: int
    started: float
    asked: float | None = None
    replied: float | None = None
    reported: bool = False
    spoke: float | None = None

    @property
    def reply(self) -> float | None:
        """Seconds from the end of the question to the beginning of the answer."""
        return None if self.asked is None or self.replied is None else max(0.0, self.replied - self.asked)


class ToolCall(Struct, eq=False, gc=False):
    """A tool call that can be answered: it has an id.

    ``message`` is the message of the call (``events.kept``) while the call is open; ``arguments`` is their
    beginning. ``awaited`` is whether the LLM waits for the result; calls of perception need none. Times are
    Unix seconds.
    """

    id: str
    name: str
    at: float
    turn: Turn | None
    answered: float | None = None
    message: Any = None
    arguments: str = ""
    awaited: bool = True


def _beginning(arguments: Any) -> str:
    if arguments is None or type(arguments) is str:
        return (arguments or "")[:_ARGUMENTS]
    return TOO_DEEP if too_deep(arguments) else to_json(arguments)[:_ARGUMENTS]


class Turns:
    """Call ``place`` once for each event, in order.

    Old items are removed by ``popitem`` of an OrderedDict: finding the first key of a plain dict walks over
    every key removed before it.
    """

    def __init__(self) -> None:
        self.current: Turn | None = None
        self._answered_turn = -1  # the highest in which the PAL spoke
        self._turns: OrderedDict[int, Turn] = OrderedDict()
        self.open_calls: OrderedDict[str, ToolCall] = OrderedDict()
        self._answered: OrderedDict[str, ToolCall] = OrderedDict()  # a call may come twice

    def restart(self) -> None:
        """Start again after a restarted counter: turn numbers now mean other turns."""
        self.current = None
        self._answered_turn = -1
        self._turns.clear()

    def place(self, event: Event, at: float, asked: float | None = None) -> Turn | None:
        """The turn an event belongs to; None if it belongs to none.

        ``asked`` is when this side sent the ``respond`` that the event repeats or answers. A turn with a
        higher number becomes the current one; an event of a lower number leaves it as it is.
        """
        idx = event.turn_idx
        if idx is None:
            if makes_calls(event):
                self._call(event, at, None)
            return None
        turn = self.current
        if turn is None or turn.idx != idx:
            turn = self._turn(idx, at if asked is None else asked)
        family, role = event.kind.family, event.role
        if (family == "tool_call" or family == "utterance") and makes_calls(event):
            self._call(event, at, turn)
        if asked is not None and (turn.replied is None or turn.asked is None):
            turn.asked = asked
        if role == "user":
            ends = family == "stopped" or (family == "utterance" and turn.asked is None)
            if ends and turn.replied is None and asked is None:
                turn.asked = at
        elif role == "pal" and turn.replied is None and (family == "started" or family == "utterance"):
            turn.replied = at
            self._answered_turn = max(self._answered_turn, turn.idx)
        return turn

    def has_question(self, idx: int) -> bool:
        """Whether it is known when the question of a turn was over, or an answer has come without one."""
        turn = self._turns.get(idx)
        return turn is not None and (turn.asked is not None or turn.replied is not None)

    def resume(self, idx: int, started: float) -> None:
        """Take over a turn that began before this client joined."""
        self.current = self._turn(idx, started)

    def answer(self, tool_call_id: str, at: float) -> ToolCall | None:
        """Close the open call that a tool result answers, whoever sent it; None if no such call is open."""
        call = self.open_calls.pop(tool_call_id, None)
        if call is not None:
            call.answered, call.message = at, None
            self._answered[tool_call_id] = call
            if len(self._answered) > _REMEMBERED:
                self._answered.popitem(last=False)
        return call

    @property
    def calls(self) -> list[ToolCall]:
        """The latest calls, open and answered, in the order in which they were made."""
        return sorted([*self._answered.values(), *self.open_calls.values()], key=lambda call: call.at)

    def waiting(self) -> list[ToolCall]:
        """Open calls that the LLM still waits for, oldest first; not those the PAL has continued without."""
        return [call for call in self.open_calls.values() if call.awaited and not self.passed(call)]

    def passed(self, call: ToolCall) -> bool:
        """Whether the PAL has answered a later turn without the result."""
        return call.turn is not None and call.turn.idx < self._answered_turn

    def _turn(self, idx: int, at: float) -> Turn:
        turn = self._turns.get(idx)
        if turn is None:
            turn = self._turns[idx] = Turn(idx, at)
            if len(self._turns) > _REMEMBERED:
                self._turns.popitem(last=False)
        if self.current is None or idx > self.current.idx:
            self.current = turn
        return turn

    def _call(self, event: Event, at: float, turn: Turn | None) -> None:
        for call_id, name, arguments in calls_in(event):
            if call_id and call_id not in self.open_calls and call_id not in self._answered:
                self.open_calls[call_id] = ToolCall(
                    call_id,
                    name,
                    at,
                    turn,
                    message=kept(event),
                    arguments=_beginning(arguments),
                    awaited="perception" not in event.kind.type,
                )
                if len(self.open_calls) > _REMEMBERED:
                    self.open_calls.popitem(last=False)
