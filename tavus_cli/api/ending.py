"""Ending a conversation with the console that joined it: ``join --new``, ``--end-on-exit``, ``/end``.

A conversation is billed until it ends: it is ended on every way out, and if that fails, a warning names
the command that ends it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from tavus_cli.api import conversations
from tavus_cli.api.client import TIMEOUT, TavusApi
from tavus_cli.api.conversations import Found
from tavus_cli.errors import ConsoleError, ConversationOver, ExitStatus
from tavus_cli.session.environment import PROGRAM, Environment
from tavus_cli.session.waiting import within

Json = dict[str, Any]
Connect = Callable[[float], TavusApi]  # by the seconds that an answer may take
ENDING_TIMEOUT = 10.0  # seconds: somebody waits for the way out


class Ending:
    """How a conversation can be ended, and whether it is to be. ``new``: it was made for this console."""

    def __init__(
        self,
        conversation_id: str,
        connect: Connect,
        *,
        new: bool = False,
    ) -> None:
        self.conversation_id = conversation_id
        self.new = new
        self.wanted = False
        self._connect = connect

    async def want(self) -> None:
        """End it on the way out. Raises NotAuthorised where there is no key to end it with."""
        await within(None, self._check)
        self.wanted = True

    def _check(self) -> None:
        with self._connect(ENDING_TIMEOUT):
            pass

    def due(self, status: int | None) -> bool:
        """At the way out with this status, None for an error or a signal. What was made for this console
        outlives it only where somebody left on purpose.
        """
        return self.wanted or (self.new and status != ExitStatus.DONE)

    def end(self) -> None:
        """Blocks; raises a ConsoleError."""
        with self._connect(ENDING_TIMEOUT) as api:
            conversations.end(api, self.conversation_id)


async def ended_after(joining: Coroutine[Any, Any, int], ending: Ending, environment: Environment) -> int:
    """The status of ``joining``; FAILED in place of DONE where the conversation was to end and did not."""
    task = asyncio.ensure_future(joining)
    try:
        status = await asyncio.shield(task)
    except BaseException:
        # After a signal there may not be much time: leaving and ending go on side by side.
        failure = _start(ending) if ending.due(None) else None
        task.cancel()
        await asyncio.wait({task})
        _ = task.cancelled() or task.exception()  # what ended it is on its way already
        if failure is not None:
            await _tell_failure(failure, ending, environment)
        raise
    if ending.due(status):
        if await _tell_failure(_start(ending), ending, environment) and status == ExitStatus.DONE:
            return ExitStatus.FAILED
    elif ending.new:
        name = ending.conversation_id
        environment.warn(f"{name} may continue and be billed; to end it: {PROGRAM} conversation end {name}")
    return status


async def join_new(
    connect: Connect,
    body: Json,
    join: Callable[[Found, Ending], Coroutine[Any, Any, int]],
    environment: Environment,
    *,
    end_on_exit: bool = False,
) -> int:
    """Create a conversation, ``join`` it, end it. Raises what creating and joining raise."""
    with await within(None, lambda: connect(TIMEOUT)) as api:
        created = await _create(api, body, connect, environment)
        environment.warn(conversations.about_billing(created))
        name = created["conversation_id"]
        if created.get("status") == "ended":
            raise ConversationOver(f"{name} was created as ended (test mode): there is nobody to join")
        ending = Ending(name, connect, new=True)
        ending.wanted = end_on_exit

        async def joining() -> int:
            return await join(conversations.opened(created, api), ending)

        return await ended_after(joining(), ending, environment)


async def _create(api: TavusApi, body: Json, connect: Connect, environment: Environment) -> Json:
    """A signal meanwhile waits for the answer: it may tell of a conversation that costs by now."""
    task = asyncio.ensure_future(asyncio.to_thread(conversations.create, api, body, environment.warn))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if (error := task.exception()) is not None:
            environment.warn(str(error))
        elif task.result().get("status") != "ended":
            ending = Ending(task.result()["conversation_id"], connect, new=True)
            await _tell_failure(_start(ending), ending, environment)
        raise


def tell_not_ended(name: str, why: str, environment: Environment) -> None:
    environment.warn(f"NOT ENDED: {name} continues and is billed ({why})")
    environment.warn(f"NOT ENDED: to end it: {PROGRAM} conversation end {name}")


def _start(ending: Ending) -> asyncio.Future[None]:
    return asyncio.ensure_future(asyncio.to_thread(ending.end))


async def _tell_failure(outcome: asyncio.Future[None], ending: Ending, environment: Environment) -> bool:
    """Whether it has not ended. A first signal does not stop the wait for that, a second one ends all."""
    name = ending.conversation_id
    environment.say(f"ending {name} … (if this is interrupted: {PROGRAM} conversation end {name})")
    cancelled: asyncio.CancelledError | None = None
    while not outcome.done():
        try:
            await asyncio.wait({outcome})
        except asyncio.CancelledError as signalled:
            cancelled = signalled
    error = outcome.exception()
    if error is not None:
        why = str(error) if isinstance(error, ConsoleError) else type(error).__name__
        tell_not_ended(name, why, environment)
    else:
        environment.say(f"{name} has ended")
    if cancelled is not None:
        raise cancelled
    return error is not None
