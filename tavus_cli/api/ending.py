"""Ending a conversation with the console that joined it: ``join --new``, ``--end-on-exit``, ``/end``.

A conversation is billed until it ends. So it is ended however the console ends, and if that fails, a warning
names the command that ends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from typing import Any

from tavus_cli.api import conversations, notes
from tavus_cli.api.client import PERHAPS_CREATED, TIMEOUT, CannotReach, PerhapsCreated, TavusApi
from tavus_cli.api.conversations import Found
from tavus_cli.errors import ConsoleError, ConversationOver, ExitStatus
from tavus_cli.session.environment import PROGRAM, Environment
from tavus_cli.session.signals import named_at_hard_exit
from tavus_cli.session.waiting import within

Json = dict[str, Any]
Connect = Callable[[float], TavusApi]  # given the seconds that an answer may take
ENDING_TIMEOUT = 10.0  # seconds for all attempts: the user is waiting to leave
CREATING_TIMEOUT = 10.0  # seconds that a signal waits for the answer to a creation


class Ending:
    """How to end a conversation, and whether to. ``new`` is its note, if it was created for this console.
    ``billed`` is since when, in Unix seconds; ``most`` is the seconds it may last; None if not known.
    """

    def __init__(
        self,
        conversation_id: str,
        connect: Connect,
        *,
        new: notes.Note | None = None,
        billed: float | None = None,
        most: float | None = None,
    ) -> None:
        self.conversation_id = conversation_id
        self.new = new
        self.billed = billed
        self.most = most
        self.wanted = False
        self.done = False  # Tavus has confirmed it
        self._connect = connect

    async def want(self) -> None:
        """End it when leaving. Raises NotAuthorised if there is no key."""
        await within(None, self._check)
        self.wanted = True

    def _check(self) -> None:
        with self._connect(ENDING_TIMEOUT):
            pass

    def due(self, status: int | None) -> bool:
        """Whether to end it, still, when leaving with this status (None for an error or a signal). A
        conversation created for this console continues only if the user left on purpose.
        """
        return not self.done and (self.wanted or (self.new is not None and status != ExitStatus.DONE))

    async def end_in_time(self) -> None:
        """Raises a ConsoleError, CannotReach after ENDING_TIMEOUT."""
        try:
            await within(ENDING_TIMEOUT, self.end)
        except TimeoutError:
            raise CannotReach(f"no answer within {ENDING_TIMEOUT:g} s") from None

    def end(self) -> None:
        """Blocks; raises a ConsoleError."""
        with self._connect(ENDING_TIMEOUT) as api:
            conversations.end(api, self.conversation_id)
        self.done = True
        if self.new is not None:
            self.new.remove()


async def ended_after(joining: Coroutine[Any, Any, int], ending: Ending, environment: Environment) -> int:
    """The status of ``joining``, but FAILED if the conversation should have ended and did not."""
    with named_at_hard_exit(lambda: _warn_stopped(ending, environment)):
        return await _ended_after(joining, ending, environment)


async def _ended_after(joining: Coroutine[Any, Any, int], ending: Ending, environment: Environment) -> int:
    task = asyncio.ensure_future(joining)
    try:
        status = await asyncio.shield(task)
    except BaseException:  # a signal too: there may be little time, so leave and end at the same time
        failure = _start(ending) if ending.due(None) else None
        task.cancel()
        await asyncio.wait({task})
        _ = task.cancelled() or task.exception()  # the exception is already being raised
        if failure is not None:
            await _warn_failure(failure, ending, environment)
        raise
    if ending.due(status):
        if await _warn_failure(_start(ending), ending, environment) and status == ExitStatus.DONE:
            return ExitStatus.FAILED
    elif ending.new is not None and not ending.done:
        name = ending.conversation_id
        environment.warn(f"{name} may continue and be billed; to end it: {PROGRAM} conversation end {name}")
    return status


def _warn_stopped(ending: Ending, environment: Environment) -> None:
    """A second signal: while leaving, the conversation may have ended already."""
    if ending.done:
        environment.say(f"{ending.conversation_id} has ended")
    elif ending.due(None):
        warn_not_ended(ending.conversation_id, "stopped by a second signal", environment)


async def join_new(
    connect: Connect,
    body: Json,
    join: Callable[[Found, Ending], Coroutine[Any, Any, int]],
    environment: Environment,
    *,
    end_on_exit: bool = False,
    quiet: bool = False,
) -> int:
    """Create a conversation, ``join`` it and end it. Raises the errors of creating and joining.

    ``quiet``: report the billing only as progress.
    """
    with await within(None, lambda: connect(TIMEOUT)) as api:
        note = notes.Note(conversations.lifetime(body))
        with contextlib.closing(note):
            if note.trouble:
                what = "if this console is killed, nothing will name its conversation"
                environment.warn(f"{what}: {note.trouble}")
            environment.say("creating a conversation …")
            created = await _create(api, body, note, connect, environment, quiet=quiet)
            ending = _ending(created, body, note, connect)
            ending.wanted = end_on_exit

            async def joining() -> int:
                return await join(conversations.opened(created, api), ending)

            return await ended_after(joining(), ending, environment)


async def _create(
    api: TavusApi,
    body: Json,
    note: notes.Note,
    connect: Connect,
    environment: Environment,
    *,
    quiet: bool,
) -> Json:
    """Create. A signal waits for the answer, which may report a conversation that is already billed."""
    tell = environment.say if quiet else environment.warn
    task = asyncio.ensure_future(within(None, lambda: conversations.create(api, body, tell, note.created)))
    stopped = f"stopped before the answer came; {PERHAPS_CREATED}"
    try:
        with named_at_hard_exit(lambda: environment.warn(stopped)):
            try:
                created = await asyncio.shield(task)
            except asyncio.CancelledError:
                environment.say(f"waiting at most {CREATING_TIMEOUT:g} s for Tavus' answer …")
                done, _ = await asyncio.wait({task}, timeout=CREATING_TIMEOUT)
                if not done:
                    environment.warn(stopped)
                    raise
                created = task.result()
                if created.get("status") != "ended":
                    await _end(_ending(created, body, note, connect), environment)
                raise
    except asyncio.CancelledError:
        raise
    except ConsoleError as error:
        if not isinstance(error, PerhapsCreated):
            note.remove()
        raise
    if created.get("status") == "ended":
        note.remove()
        name = created["conversation_id"]
        raise ConversationOver(f"{name} was created as ended (test mode): nobody to join")
    return created


async def _end(ending: Ending, environment: Environment) -> None:
    with named_at_hard_exit(lambda: _warn_stopped(ending, environment)):
        await _warn_failure(_start(ending), ending, environment)


def _ending(created: Json, body: Json, note: notes.Note, connect: Connect) -> Ending:
    name, most = created["conversation_id"], conversations.longest(body)
    return Ending(name, connect, new=note, billed=time.time(), most=most)


def warn_not_ended(name: str, why: str, environment: Environment) -> None:
    environment.warn(f"NOT ENDED: {name} may continue and be billed ({why})")
    environment.warn(f"NOT ENDED: to end it: {PROGRAM} conversation end {name}")


def _start(ending: Ending) -> asyncio.Future[None]:
    return asyncio.ensure_future(ending.end_in_time())


async def _warn_failure(outcome: asyncio.Future[None], ending: Ending, environment: Environment) -> bool:
    """End it; returns whether that failed. A first signal does not interrupt this, a second one does."""
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
        warn_not_ended(name, why, environment)
    else:
        environment.say(f"{name} has ended")
    if cancelled is not None:
        raise cancelled
    return error is not None
