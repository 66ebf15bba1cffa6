"""Which tools a message calls, as documented and in the shapes of other builds and vendors (section 11)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from tavus_cli.protocol.events import Event

_NAMES = ("name", "tool_name", "function_name", "toolName", "functionName", "tool", "function")
_ARGUMENTS = ("arguments", "tool_call_arguments", "args", "parameters", "params", "input")
_IDS = ("tool_call_id", "call_id", "toolCallId", "callId", "id")
_INSIDE = ("function", "function_call", "tool_call", "toolCall", "functionCall", "tool", "call")
_LISTS = ("tool_calls", "toolCalls", "function_calls", "functionCalls", "calls")
_LISTED = frozenset(_LISTS)
_MOST = 100  # calls read from one message
FIELDS = frozenset((*_NAMES, *_ARGUMENTS, *_IDS, *_INSIDE, *_LISTS))  # fields that may hold a call


class Called(NamedTuple):
    """``arguments`` as sent: JSON text, an object, or None; ``id`` is "" if the call has none."""

    id: str
    name: str
    arguments: Any


def makes_calls(event: Event) -> bool:
    """Whether the calls of ``calls_in`` ask for an answer, rather than report one that was made."""
    family = event.kind.family
    if family != "utterance":
        return family == "tool_call"
    return not (_LISTED.isdisjoint(event.properties) and _LISTED.isdisjoint(event.hoisted))


def calls_in(event: Event) -> list[Called]:
    """The calls of a tool_call event, or of any other event that lists calls; [] if there are none.

    They are read once, and kept in the event.
    """
    if event.calls is None:
        event.calls = _calls_in(event)
    return event.calls


def _calls_in(event: Event) -> list[Called]:
    is_call = event.kind.family == "tool_call"
    name = event.properties.get("name")
    if is_call and name and type(name) is str:  # as documented
        return [Called(event.word("tool_call_id") or _id(event.properties), name, _arguments(event))]
    fields = {**event.hoisted, **event.properties} if event.hoisted else event.properties
    listed = [call for one in _listed(fields) if (call := _call(one))][:_MOST]
    if listed or not is_call:
        return listed
    call = _call(fields)
    return [call] if call else []


def _listed(fields: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for name in _LISTS:
        found = fields.get(name)
        if isinstance(found, dict):
            found = [found]
        if isinstance(found, list):
            yield from (one for one in found if isinstance(one, dict))


def _call(fields: Mapping[str, Any], depth: int = 3) -> Called | None:
    """A call from its own fields, or from those of the object nested in it."""
    name, inside = "", None
    for one in _NAMES:
        if not name and isinstance(value := fields.get(one), str):
            name = value
    for one in _INSIDE:
        if inside is None and isinstance(value := fields.get(one), dict):
            inside = value
    arguments = next((value for one in _ARGUMENTS if (value := fields.get(one)) is not None), None)
    if inside is not None and depth and (call := _call(inside, depth - 1)):
        given = call.arguments if call.arguments is not None else arguments
        return Called(_id(fields) or call.id, call.name or name, given)
    if not name and arguments is None:
        return None
    return Called(_id(fields), name, arguments)


def _id(fields: Mapping[str, Any]) -> str:
    for name in _IDS:
        value = fields.get(name)
        if isinstance(value, str) and value:
            return value
        if type(value) is int:
            return str(value)
    return ""


def _arguments(event: Event) -> Any:
    value = event.properties.get("arguments")
    if value is not None:
        return value
    return next((value for one in _ARGUMENTS if (value := event.get(one)) is not None), None)
