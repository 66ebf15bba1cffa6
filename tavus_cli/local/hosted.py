"""One active conversation: its room, its simulated PAL, its webhooks and its recording."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from aiohttp import ClientSession

from tavus_cli.errors import UsageError
from tavus_cli.local import webhooks
from tavus_cli.local.conversations import Conversation, Conversations
from tavus_cli.local.delivery import Delivered, Delivery, check_url
from tavus_cli.local.pal import Pal
from tavus_cli.local.room import Room
from tavus_cli.local.signalling import Json
from tavus_cli.local.transcript import Transcript
from tavus_cli.rooms.sim.model import Options, SimScript
from tavus_cli.session.recorder import Recorder

CLOSE_SECONDS = 2.0  # seconds for clients to hear that their room is deleted
_LINE = ("drop", "drop_for_good", "outage", "mute", "unmute")
FAULTS = (*_LINE, "pal_leaves", "delete", "refuse", "silent", "slow")


class Tavus(Protocol):
    """What a conversation needs from its server.

    ``soon`` runs a coroutine in the background; ``changed`` reports a new time limit; ``ended`` reports that
    the room is closed.
    """

    conversations: Conversations
    session: ClientSession
    record: str | None
    remote: bool
    pauses: Sequence[float]
    clock: Callable[[], float]
    log: Callable[[str], object]

    def soon(self, doing: Any) -> None: ...

    def changed(self) -> None: ...

    def ended(self, conversation_id: str) -> None: ...


class Hosted:
    """An active conversation.

    It stands behind its room, which reports guests and their messages to it.
    """

    def __init__(self, tavus: Tavus, conversation: Conversation, script: SimScript, options: Options) -> None:
        self.conversation = conversation
        body, name = conversation.body, conversation.id
        context = body.get("conversational_context", "")
        script = script._replace(
            greeting=body.get("custom_greeting") or script.greeting,
            context="\n".join(part for part in (script.context, context) if part),
            replica_id=conversation.shown["replica_id"],
        )
        self.room = Room(name, behind=self, allow=self._allow)
        self.pal = Pal(self.room, script, options, over=self._over, seen=self._seen)
        self._tavus = tavus
        self._transcript = Transcript(conversation.created, context)
        self._analyses: list[Json] = []
        self._delivery: Delivery | None = None
        self._recorder: Recorder | None = None

    async def begin(self) -> None:
        """Let the PAL join as at Tavus: by itself, whether or not anybody is there."""
        name, url = self.conversation.id, self.conversation.shown["callback_url"]
        log = self._tavus.log
        if self._tavus.record is not None:
            path = str(Path(self._tavus.record) / f"{name}.jsonl")
            try:
                target = self.conversation.shown["conversation_url"]
                started = self._tavus.clock()
                self._recorder = Recorder(path, conversation_id=name, target=target, started=started)
            except UsageError as error:
                log(f"{name}  not recorded: {error}")
        if url:
            try:
                check_url(url, "callback_url", remote=self._tavus.remote)
                self._delivery = Delivery(self._tavus.session, url, self._posted, pauses=self._tavus.pauses)
            except UsageError as error:
                log(f"{name}  no webhooks: {error}")
        await asyncio.sleep(self.pal.script.timing.join / self.pal.speed)
        if not self.conversation.active:
            return
        await self.pal.enter()
        face = self.pal.script.replica_id
        now = self._tavus.clock()
        self._note("system.replica_joined", {"replica_id": face})
        for body in webhooks.joined(name, url, face, now):
            self._post(body)

    async def stop(self) -> None:
        if self._delivery is not None:
            self._delivery.stop()
        await self.pal.stop()
        await self.room.close()
        if self._recorder is not None:
            self._recorder.close()

    # -- Behind -----------------------------------------------------------------------------------------

    async def joined(self, who: str, name: str) -> None:
        self._tavus.conversations.joined(self.conversation, who)
        self._tavus.changed()
        self._tavus.log(f'{self.conversation.id}  guest "{name}" joined')
        await self.pal.joined(who, name)

    async def left(self, who: str) -> None:
        self._tavus.conversations.left(self.conversation, who, self._tavus.clock())
        self._tavus.changed()
        self._tavus.log(f"{self.conversation.id}  a guest left")

    async def said(self, sender: str, to: str, message: Any) -> None:
        await self.pal.said(sender, to, message)

    def _allow(self, token: str | None) -> Json | None:
        if self.conversation.token is not None and not secrets.compare_digest(
            token or "", self.conversation.token
        ):
            return {"error": "not-allowed"}
        most = self.conversation.body.get("max_participants")
        if most is not None and len(self.room.state.lines) + 1 >= most:  # the PAL counts
            return {"error": "room-full"}
        return None

    def _seen(self, message: Any, at: float, sender: str) -> None:
        self._transcript.add(message, at)
        if self._recorder is not None:
            if sender == self.pal.id:
                self._recorder.received(message, at, sender, None)
            else:
                self._recorder.sent(message, at)
        if sender != self.pal.id or not isinstance(message, dict):
            return
        if message.get("event_type") == "conversation.perception_analysis":
            self._analyses.append(message.get("properties") or {})
        elif (body := webhooks.of_message(message, self.conversation.id)) is not None:
            self._post(body)

    # -- the end ----------------------------------------------------------------------------------------

    async def _over(self, reason: str) -> None:
        tavus, one = self._tavus, self.conversation
        now = tavus.clock()
        if one.active:  # the PAL ended it
            tavus.conversations.end(one, reason, now)
        reason = one.reason or reason
        tavus.log(f"{one.id}  ended: {reason}")
        face = self.pal.script.replica_id
        self._note("system.shutdown", {"replica_id": face, "reason": reason})
        self._webhook("system.shutdown", {"replica_id": face, "shutdown_reason": reason})
        properties = {"replica_id": face, "transcript": self._transcript.entries}
        self._event("application.transcription_ready", properties)
        properties = one.body.get("properties", {})
        if properties.get("enable_recording"):
            about = webhooks.recording(one.id, properties, now - one.created)
            self._event("application.recording_ready", about)
        for analysis in self._analyses:
            self._event("application.perception_analysis", analysis)
        await self.room.delete()
        tavus.soon(self._close())

    async def _close(self) -> None:
        await asyncio.sleep(CLOSE_SECONDS)
        await self.room.close()
        if self._recorder is not None:
            self._recorder.close()
        self._tavus.ended(self.conversation.id)
        if self._delivery is not None:
            try:
                await self._delivery.finish()
            finally:
                self._delivery.stop()

    # -- faults on demand (docs/local.md) ---------------------------------------------------------------

    async def fail(self, fault: object, seconds: object = 2) -> str | None:
        """Make one of FAULTS happen. Returns the mistake in the request, or None."""
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= 3600:
            return "seconds must be a number from 0 to 3600"
        room = self.room
        match fault:
            case "drop" | "drop_for_good":
                room.drop(for_good=fault == "drop_for_good")
            case "outage":
                self._tavus.soon(room.outage(seconds))
            case "pal_leaves":
                await room.go(self.pal.id)
            case "mute" | "unmute":
                room.mute(fault == "mute")
            case "delete":
                await room.delete()
            case "refuse":
                room.faults.lookup = 403
            case "silent":
                room.faults.reach = "silent"
            case "slow":
                room.faults.lookup_delay = seconds
            case _:
                return f"fault must be one of answer, {', '.join(FAULTS)}"
        return None

    # -- webhooks ---------------------------------------------------------------------------------------

    def _event(self, event_type: str, properties: Json) -> None:
        """Record an event for ``get --verbose`` and post it as a callback."""
        self._note(event_type, properties)
        self._webhook(event_type, properties)

    def _note(self, event_type: str, properties: Json) -> None:
        tavus = self._tavus
        tavus.conversations.note(self.conversation, event_type, properties, tavus.clock())

    def _webhook(self, event_type: str, properties: Json) -> None:
        url = self.conversation.shown["callback_url"]
        self._post(webhooks.webhook(event_type, self.conversation.id, url, properties, self._tavus.clock()))

    def _post(self, body: Json) -> None:
        if self._delivery is not None and not self._delivery.put(body):
            self._tavus.log(f"{self.conversation.id}  webhook {_kind(body)} dropped: too many wait")

    def _posted(self, body: Json, outcome: Delivered, again: bool) -> None:
        then = "; it is posted again" if again else ("" if outcome.taken else "; given up")
        self._tavus.log(f"{self.conversation.id}  webhook {_kind(body)}  {outcome}{then}")


def _kind(body: Json) -> str:
    if (kind := body.get("event_type")) is not None:
        return str(kind)
    return webhooks.OBJECTIVE if "objective_name" in body else webhooks.GUARDRAIL
