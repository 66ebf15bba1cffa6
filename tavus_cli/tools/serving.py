"""The same tools for calls by Tavus itself (``delivery.api``): a request in, an answer out.

The caller provides the HTTP server. A bearer token decides who may call.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tavus_cli.tools.performing import Performer
from tavus_cli.tools.policy import Call
from tavus_cli.tools.table import Table

WAITING = 100  # requests under way; more are refused
API = "delivery.api"  # in place of an event type


class Answer(NamedTuple):
    """``body``: text is sent unchanged, an object as JSON."""

    status: int
    body: str | dict[str, Any]


class Served:
    """``report`` is called with a line for each call, not yet safe to print."""

    def __init__(self, table: Table, performer: Performer, token: str, report: Callable[[str], None]) -> None:
        self._table = table
        self._performer = performer
        self._token = f"Bearer {token}".encode()
        self._report = report
        self._under_way = 0

    async def answer(self, method: str, path: str, headers: Mapping[str, str], body: Any) -> Answer:
        """POST /NAME with the arguments, or POST / with {name, arguments, …} as sent to tools that are URLs.

        ``headers`` have lower-case names; ``body`` is None if there is none, and text if it is not JSON.
        """
        given = headers.get("authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, self._token):
            return Answer(401, {"error": "give the token: Authorization: Bearer TOKEN"})
        if method != "POST":
            return Answer(405, {"error": "a tool is called by POST"})
        if body is not None and not isinstance(body, dict):
            return Answer(400, {"error": "the body is not a JSON object"})
        call = _call(path.removeprefix("/"), body or {})
        tool = self._table.find(call.name)
        if tool is None:
            return Answer(404, {"error": "no tool of this name"})
        if self._under_way >= WAITING:
            return Answer(503, {"error": f"{WAITING} calls are under way"})
        self._under_way += 1
        try:
            conversation_id = _text((body or {}).get("conversation_id"))
            conversation_id = conversation_id if conversation_id.isprintable() else ""
            async with self._performer.performed(tool, call, conversation_id, lambda: None) as result:
                state = "answered" if result.error is None else f"failed: {result.error}"
                self._report(f"{call.known_as} {state}")
                if result.error is not None:
                    return Answer(500, {"error": result.error})
                return Answer(200, result.output)
        finally:
            self._under_way -= 1


def _call(name: str, body: dict[str, Any]) -> Call:
    if name:
        return Call("", name, body, API, None, 0.0)
    return Call(
        _text(body.get("tool_call_id")), _text(body.get("name")), body.get("arguments"), API, None, 0.0
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
