"""From a tool's result to the interaction that answers the call (docs/protocol.md, 2.7 and 7). Pure."""

from __future__ import annotations

from typing import Any, NamedTuple

from tavus_cli.protocol.interactions import (
    SIZE_LIMIT,
    Interaction,
    append_context,
    echo,
    respond,
    tool_result,
)
from tavus_cli.protocol.wire import to_json
from tavus_cli.tools.policy import Call, Unreadable, strict_json
from tavus_cli.tools.table import ReplyKind, Tool

CUT = "… (cut)"


class Result(NamedTuple):
    """``output`` is text or a JSON object; if the tool failed, ``error`` says why instead."""

    output: str | dict[str, Any] = ""
    error: str | None = None


def read_output(data: bytes, what: str) -> Result:
    """The result in a program's output: a JSON object if it is one, else text."""
    try:
        text = data.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        return Result(error=f"{what} is not UTF-8 text")
    if text.lstrip().startswith("{"):
        try:
            value = strict_json(text)
        except Unreadable:  # text that begins with a brace is still text
            return Result(text)
        if isinstance(value, dict):
            return Result(value)
    return Result(text)


def reply(call: Call, tool: Tool, result: Result, default: ReplyKind | None) -> Interaction | None:
    """The interaction that answers a call, or None for no answer. ``default`` applies if the tool sets no
    reply.

    A call with an id gets a tool_result. A call without one is answered as configured, by default silently
    into the context. A call of a perception tool is answered only if a way is configured.
    """
    kind = tool.reply or default
    if kind == "none" or (call.perception and kind is None):
        return None
    failed = result.error is not None
    if call.id:
        return tool_result(call.id, result.error if failed else result.output, error=failed)
    if kind == "echo" and not failed:  # errors are for the LLM, not to be spoken
        return echo(_text(result.output))
    said = (
        f"{call.name} failed: {result.error}" if failed else f"{call.name} returned: {_text(result.output)}"
    )
    return respond(said) if kind == "respond" else append_context(said)


def size(interaction: Interaction, conversation_id: str) -> int:
    """The size of an interaction in bytes on the wire."""
    return len(to_json(interaction.encode(conversation_id)).encode("utf-8", "surrogatepass"))


def cut(interaction: Interaction, conversation_id: str, limit: int = SIZE_LIMIT) -> Interaction:
    """The interaction with its text cut to fit into ``limit`` bytes; an object is cut as text."""
    properties = dict(interaction.properties or {})
    key = next(one for one in ("output", "text", "context") if one in properties)
    text = _text(properties[key])

    def with_first(count: int) -> Interaction:
        return interaction._replace(properties={**properties, key: text[:count] + CUT})

    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if size(with_first(middle), conversation_id) <= limit:
            low = middle
        else:
            high = middle - 1
    return with_first(low)


def _text(output: str | dict[str, Any]) -> str:
    return output if isinstance(output, str) else to_json(output)
