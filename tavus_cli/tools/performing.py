"""Performing calls by program, URL or mock, as many at once as the tool allows."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Self

from tavus_cli.errors import keep_secret, keep_token, without_keys
from tavus_cli.protocol.wire import to_json
from tavus_cli.session.signals import at_hard_exit
from tavus_cli.tools.mock import Mocked
from tavus_cli.tools.policy import Call, Unreadable, arguments_of
from tavus_cli.tools.process import kill_all, running
from tavus_cli.tools.replies import Result
from tavus_cli.tools.table import Table, Tool

if TYPE_CHECKING:
    from tavus_cli.tools.http import Poster

LONGEST_ID = 1_024  # characters of a call's id in a variable


class Performer:
    """Use it with ``async with``: afterwards nothing is left open.

    ``pause`` waits for some seconds, for mocks.
    """

    def __init__(
        self,
        table: Table,
        environ: Mapping[str, str],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._inherited = without_keys(environ)  # the environment of programs
        self._environ = dict(environ)  # copying os.environ takes longer than everything else before a start
        self._pause = pause
        self._slots = {tool.name: asyncio.Semaphore(tool.concurrency) for tool in table.tools}
        self._mocks = {tool.name: Mocked(tool.mock) for tool in table.tools if tool.mock is not None}
        self._asks_urls = any(tool.url for tool in table.tools)
        for tool in table.tools:  # an answer may repeat them
            keep_token(tool.url)
            keep_secret(*(environ.get(name) for name in tool.headers.values()))
        self._poster: Poster | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        at_hard_exit.append(kill_all)
        self._stack.callback(at_hard_exit.remove, kill_all)
        if self._asks_urls:
            from tavus_cli.tools.http import poster

            self._poster = await self._stack.enter_async_context(poster())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @contextlib.asynccontextmanager
    async def performed(
        self, tool: Tool, call: Call, conversation_id: str, started: Callable[[], None]
    ) -> AsyncIterator[Result]:
        """``async with`` the result.

        The call keeps its slot until its program is gone, which may be after the block.
        """
        async with self._slots[tool.name]:
            try:
                arguments = arguments_of(call)
            except Unreadable as error:
                yield Result(error=str(error))
                return
            if tool.command:
                variables = self._variables(call, conversation_id)
                async with running(
                    tool.command, _bytes(arguments), tool.timeout, started, variables, tool.folder
                ) as result:
                    yield result
            elif tool.url:
                started()
                yield await self._post(tool, call, arguments, conversation_id)
            else:
                started()
                yield await self._made_up(tool)

    async def _post(self, tool: Tool, call: Call, arguments: dict[str, Any], conversation_id: str) -> Result:
        assert self._poster is not None
        message = {
            "name": call.name,
            "arguments": arguments,
            "tool_call_id": call.id or None,
            "conversation_id": conversation_id,
        }
        headers = {header: self._environ[name] for header, name in tool.headers.items()}
        return await self._poster.post(tool.url, _bytes(message), headers, tool.timeout)

    async def _made_up(self, tool: Tool) -> Result:
        assert tool.mock is not None
        await self._pause(min(tool.mock.delay, tool.timeout))
        if tool.mock.delay > tool.timeout:
            return Result(error=f"no result within {tool.timeout:g} s")
        return self._mocks[tool.name].result()

    def _variables(self, call: Call, conversation_id: str) -> dict[str, str]:
        """The variables for a program.

        Remote text is only ever a value; an id that no variable can hold is left out.
        """
        usable = call.id if call.id.isprintable() and len(call.id) <= LONGEST_ID else ""
        return {
            **self._inherited,
            "TAVUS_TOOL_NAME": call.name,
            "TAVUS_TOOL_CALL_ID": usable,
            "TAVUS_CONVERSATION_ID": conversation_id,
        }


def _bytes(value: Any) -> bytes:
    """JSON in UTF-8; lone surrogates are written as escapes."""
    return (to_json(value) + "\n").encode("utf-8", "backslashreplace")
