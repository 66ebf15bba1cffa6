"""A live Daily room, through daily-python.

The client's core is proprietary and has sharp edges: it aborts, freezes or hangs where a library should
raise. Each rule below answers one of them; docs/daily.md says which, and how it was measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from tavus_cli.errors import CannotJoin, ConversationOver, SendFailed
from tavus_cli.protocol.catalogue import short_name
from tavus_cli.rooms.daily.calls import Completions, GoneError, Start, keep, unkeep
from tavus_cli.rooms.daily.client import handler, load
from tavus_cli.rooms.daily.environment import check_authorities
from tavus_cli.rooms.daily.errors import (
    check_message,
    is_doubled,
    join_error,
    join_timed_out,
    not_sent_after,
    send_error,
    tidy,
)
from tavus_cli.rooms.daily.line import HEARTBEATS, RELATED, Line
from tavus_cli.rooms.daily.roster import Change, Roster, is_pal_sign, may_have_left, read_participant
from tavus_cli.rooms.daily.url import check_proxy, parse_url, room_name
from tavus_cli.rooms.room import (
    Arrival,
    Clock,
    Inbox,
    LineChanged,
    Participant,
    ParticipantChanged,
    Received,
    RoomNote,
    RoomOver,
    steady_time,
)

PREPARE_SECONDS = 5.0  # seconds for settings made before joining; they are answered at once
SEND_SECONDS = 10.0
LEAVE_SECONDS = 3.0
RELEASE_SECONDS = 3.0
GRACE_SECONDS = 2.0  # seconds from state "joined" to the join's completion, which may never come

_MEDIA = ("camera", "microphone", "screenVideo", "screenAudio")
_NOTHING_IN = {"base": dict.fromkeys(_MEDIA, "unsubscribed")}
# Without this the join announces camera and microphone as on.
_NOTHING_OUT = {
    "inputs": {"camera": False, "microphone": False},
    "publishing": {"camera": False, "microphone": False},
}

unfinished: set[object] = set()  # rooms with a native join or release under way: a plain exit waits for it


class DailyRoom:
    """``https://NAME.daily.co/ROOM[?t=TOKEN]`` as a room: data only, no sound and no video.

    ``join_timeout`` in seconds; ``proxy`` is the address of a reverse proxy that leads to Daily;
    ``conversation_id`` is the room's name unless given; ``clock`` gives Unix seconds, on any thread.
    Raises UsageError for a URL that is not one of Daily's.
    """

    live = True
    timed = True
    leaving_may_end = True  # when the last guest leaves, Tavus ends the conversation by default
    via = ""

    def __init__(
        self,
        url: str,
        *,
        name: str = "tavus-console",
        join_timeout: float = 45.0,
        proxy: str | None = None,
        conversation_id: str | None = None,
        clock: Clock = steady_time,
    ) -> None:
        self.target, self._token = parse_url(url)
        self.conversation_id = conversation_id or room_name(self.target)
        self._name = name
        self._join_timeout = join_timeout
        self._proxy = check_proxy(proxy)
        self._clock = clock
        self._inbox = Inbox()
        self._roster = Roster()
        self._line = Line()
        self._completions: Completions | None = None  # from join on
        self._client: Any = None
        self._kept = False  # by ``keep``
        self._handover = threading.Lock()  # which of two releases the client: leave, or a late join
        self._leaving = asyncio.Lock()
        self._left = False  # by our own leave
        self._over: RoomOver | None = None  # ended without our leaving
        self._closed = False  # no more arrivals are accepted
        # Written on Daily's thread, read on the loop:
        self._joined = False
        self._found = False
        self._pal_heard = 0.0
        self._pal: Participant | None = None  # the participants awaited after a break of the line
        self._missed: Participant | None = None  # the participants not heard after it
        self._last_error, self._last_error_at = "", 0.0
        self._completed: Callable[..., None] | None = None

    def __repr__(self) -> str:
        return f"DailyRoom({self.target!r})"

    def now(self) -> float:
        return self._clock()

    @property
    def participants(self) -> Mapping[str, Participant]:
        return self._roster.participants

    def arrivals(self) -> AsyncIterator[list[Arrival]]:
        return self._inbox.batches()

    # -- joining -------------------------------------------------------------------------------------

    async def join(self) -> None:
        if self._completions is not None or self._left:
            raise CannotJoin("a room is joined once")
        self._completions = Completions()
        check_authorities()
        daily = load()
        try:
            self._client = daily.CallClient(event_handler=handler(daily, self))
        except Exception as error:
            raise CannotJoin(f"Daily's client did not start: {self._tidy(error)}") from None
        try:
            await self._prepare(self._client, self._completions)
            await self._enter(self._completions)
        except GoneError as gone:
            if self._over and not self._over.cut_off:
                raise ConversationOver(f"the conversation is over: {gone}") from None
            raise CannotJoin(f"not joined: {gone}") from None

    async def _prepare(self, client: Any, completions: Completions) -> None:
        calls: list[Start] = [
            lambda done: client.update_subscription_profiles(_NOTHING_IN, completion=done),
        ]
        if self._proxy:
            calls.append(lambda done: client.set_proxy_url(self._proxy, completion=done))
        try:
            client.set_user_name(self._name)
            for call in calls:
                with contextlib.suppress(TimeoutError):  # a lost completion; the join shows if it matters
                    error, *_ = await completions.ask(call, PREPARE_SECONDS)
                    if error is not None:
                        raise ValueError(error)
        except GoneError:
            raise
        except Exception as error:
            raise CannotJoin(f"Daily's client refused its settings: {self._tidy(error)}") from None

    async def _enter(self, completions: Completions) -> None:
        """Raises CannotJoin, NotAuthorised, ConversationOver.

        After a timeout the native join stays pending.
        """
        begun = self._clock()
        try:
            _, error, *_ = await completions.ask(self._begin_join, self._join_timeout)
        except TimeoutError:
            raise join_timed_out(
                self._join_timeout, target=self.target, found=self._found, last_error=self._last_error
            ) from None
        if error is not None:
            raise join_error(
                self._tidy(error),
                target=self.target,
                proxied=self._proxy is not None,
                seconds=self._clock() - begun,
            )

    def _begin_join(self, done: Callable[..., None]) -> None:
        def completed(data: Any = None, error: Any = None) -> None:  # on Daily's thread
            if error is None:
                self._joined = True
                self._take_join_data(data)
            with self._handover:
                if not self._left:
                    unfinished.discard(self)
            if self._left:  # given up before: leave, or we would stay in the room as a ghost
                self._let_go_on_thread(leave=error is None)
            done(data, error)

        self._completed = done
        unfinished.add(self)
        try:
            self._client.join(
                self.target, meeting_token=self._token, client_settings=_NOTHING_OUT, completion=completed
            )
        except Exception as error:
            unfinished.discard(self)
            done(None, error)
        keep(self._client)
        self._kept = True

    # -- sending and leaving -------------------------------------------------------------------------

    async def send(self, message: dict[str, Any]) -> None:
        check_message(message)
        if self._over is not None:
            raise not_sent_after(self._over)
        if self._left:
            raise SendFailed("not sent: the room was left")
        client, completions = self._client, self._completions
        if completions is None or not self._joined:
            raise SendFailed("not sent: the room is not joined yet")
        if self._line.down is not None:
            raise send_error("ChannelNotOpen")
        self._line.sent(short_name(str(message.get("event_type", "message"))), self._clock())
        try:
            error, *_ = await completions.ask(
                lambda done: client.send_app_message(message, completion=done), SEND_SECONDS
            )
        except TimeoutError:
            raise SendFailed(f"not confirmed within {SEND_SECONDS:g} s: it may have been sent") from None
        except Exception as refused:  # GoneError, or an error that check_message does not anticipate
            if self._over is not None:
                raise not_sent_after(self._over) from None
            raise send_error(self._tidy(refused)) from None
        if error is not None:
            raise send_error(self._tidy(error))

    async def leave(self) -> None:
        """At most LEAVE_SECONDS + RELEASE_SECONDS; at once while a join is pending."""
        async with self._leaving:
            if self._left:
                return
            with self._handover:
                self._left = True
                pending = self in unfinished and not self._joined
            try:
                if self._completions is not None:
                    self._completions.fail("the room was left")
                    if self._client is not None and not pending:  # pending: every call would block
                        await self._leave_client(self._client)
            finally:
                self._close()

    async def _leave_client(self, client: Any) -> None:
        try:
            if self._joined and not self._over:
                if self._line.down is not None:
                    text = (
                        "leaving while the connection is down, so Daily may list us in the room for a while"
                    )
                    self._put(RoomNote(text, self._clock()))
                await self._ask(lambda done: client.leave(completion=done), LEAVE_SECONDS, "confirm leaving")
        finally:  # cancelled too
            await self._ask(lambda done: self._let_go_on_thread(done=done), RELEASE_SECONDS, "let go of it")

    async def _ask(self, call: Start, seconds: float, what: str) -> None:
        """Make a last call to the client; a failure only becomes a note."""
        assert self._completions is not None
        try:
            await self._completions.ask(call, seconds)
        except Exception as error:
            why = f"within {seconds:g} s" if isinstance(error, TimeoutError) else f"({self._tidy(error)})"
            self._put(RoomNote(f"leaving: Daily's client did not {what} {why}", self._clock()))

    def _let_go_on_thread(self, *, leave: bool = False, done: Callable[[], None] | None = None) -> None:
        """Release the client on a thread of its own, not an executor's: asyncio.run would wait for that."""

        def let_go() -> None:
            with self._handover:
                client, self._client = self._client, None
            if client is not None:
                with contextlib.suppress(Exception):  # nothing more can be done
                    if leave:
                        client.leave()
                    client.release()  # blocks until the client's work has ended
                if self._kept:
                    unkeep(client)
            unfinished.discard(self)
            if done is not None:
                done()

        unfinished.add(self)
        threading.Thread(target=let_go, name="daily-release", daemon=True).start()

    # -- events: on Daily's one thread, so they only note and append -----------------------------------

    def on_message(self, message: Any, sender: Any) -> None:
        at = self._clock()
        sender = sender if isinstance(sender, str) else None
        self._line.heard(at)
        if sender and is_pal_sign(message):
            self._emit(self._roster.signed(sender), at)
        if sender and (pal := self._roster.pal) is not None and pal.id == sender:
            self._pal_heard, self._pal = at, None
        elif self._missed is not None and self._missed.id == sender:
            missed, self._missed = self._missed, None
            self._emit(self._roster.seen(missed), at)
        self._put(Received(message, at, sender))

    def on_participant(self, raw: Any) -> None:
        participant = read_participant(raw)
        self._line.heard(self._clock())
        if participant is not None:
            self._emit(self._roster.seen(participant), self._clock())

    def on_participant_left(self, raw: Any) -> None:
        participant = read_participant(raw)
        if participant is not None:
            self._emit(self._roster.gone(participant.id), self._clock())

    def _take_join_data(self, data: Any) -> None:
        participants = data.get("participants") if isinstance(data, dict) else None
        for one in participants.values() if isinstance(participants, dict) else ():
            self.on_participant(one)

    def _emit(self, changes: list[Change], at: float) -> None:
        for participant, change in changes:
            self._put(ParticipantChanged(participant, change, at))

    def on_state(self, state: Any) -> None:
        if state == "joining":
            self._found = True  # this event comes when the lookup has been answered
        elif state == "joined":
            self._joined = True
            if self._completions is not None and self._completed is not None:
                # The completion may be lost; the state is as good.
                self._completions.later(GRACE_SECONDS, self._completed, None, None)
        elif state == "left" and self._joined and not self._left and not self._over:
            self._end()

    def on_error(self, text: Any) -> None:
        if not isinstance(text, str) or is_doubled(text):
            return
        self._last_error, self._last_error_at = self._tidy(text), self._clock()
        if self._joined:  # before joining, the join itself fails with it
            self._put(RoomNote(f"Daily: {self._last_error}", self._clock()))

    def on_network(self, status: Any) -> None:
        now = self._clock()
        change = self._line.changed(status, now)
        if change is None:
            return
        if not isinstance(change, LineChanged) or self._completions is None:
            self._put(change)
        elif change.up:
            # No event reports who left during the break. A PAL that left is silent; guests may be silent
            # anyway.
            self._put(
                change._replace(text=change.text + may_have_left(self.participants.values(), self._pal))
            )
            if self._pal is not None:
                self._completions.later(HEARTBEATS, self._miss, self._pal)
        else:
            self._put(change)
            heard = now - self._pal_heard <= HEARTBEATS
            self._pal = self._roster.pal if heard else None

    def _miss(self, pal: Participant) -> None:
        """Report the PAL as gone if it was heard until the connection broke and not since it is back."""
        if self._pal is pal and self._line.down is None:
            self._pal, self._missed = None, pal
            self._emit(self._roster.gone(pal.id), self._clock())

    def _end(self) -> None:
        now = self._clock()
        error = self._last_error if now - self._last_error_at <= RELATED else ""
        self._over = over = self._line.ended(error, now)
        self._put(over)
        self._close()
        if self._completions is not None:
            self._completions.soon(self._completions.fail, over.reason)

    def _put(self, arrival: Arrival) -> None:
        if not self._closed:  # an abandoned join may continue for long, and nobody reads its arrivals
            self._inbox.put(arrival)

    def _close(self) -> None:
        self._closed = True
        self._inbox.close()

    def _tidy(self, text: object) -> str:
        return tidy(text, self._token)
