"""The call: the model's words are sent as responds, the PAL answers, and at the end the judge decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from tavus_cli.callers.caller import Caller
from tavus_cli.callers.judge import Judged, ballot, cannot_tell, verdict
from tavus_cli.callers.model import ModelFailed, Talker
from tavus_cli.callers.prompts import Messages, spoken, to_judge, to_play
from tavus_cli.callers.transcript import Transcript
from tavus_cli.errors import ConversationOver, NotMet
from tavus_cli.protocol.interactions import respond
from tavus_cli.rooms.room import VirtualTime
from tavus_cli.script.conditions import REPLY, Match
from tavus_cli.script.live import LiveStage
from tavus_cli.script.window import Expectation
from tavus_cli.session.session import Session

LONGEST_SPEECH = 60.0  # seconds the caller waits for the PAL to finish speaking
PAUSE = 1.0  # seconds without events after which the PAL has finished
TOOL_PAUSES = 10  # seconds to wait for what the PAL says after a tool's answer
MOST_PAUSES = 60
_PAL = (Match("role", "=", "pal"),)


class NoReply(NotMet):
    """The PAL did not answer the caller in time."""

    reason = "no_reply"


@dataclass(slots=True)
class CallResult:
    """The outcome of a call. ``ended`` describes its end; ``turns`` is how often the caller spoke."""

    turns: int = 0
    ended: str = ""
    judged: list[Judged] = field(default_factory=list)


class Call:
    """One call in a room. Make it before ``session`` is entered: it adds its sinks.

    ``timeout``: how many seconds the PAL has for each reply.
    """

    def __init__(
        self,
        caller: Caller,
        session: Session,
        timeout: float,
        warn: Callable[[str], None],
    ) -> None:
        self.called = CallResult()
        self.transcript = Transcript()
        self._caller = caller
        self._session = session
        self._timeout = timeout
        session.sinks.append(self.transcript)
        self.stage = LiveStage(session, timeout, warn)

    async def converse(self, talker: Talker) -> None:
        """Talk until the caller hangs up, has used its turns, or the conversation is over.

        Raises ModelFailed, NoReply, and the errors of sending, except the end of the conversation.
        """
        try:
            await self._greeted()
            await self._talk(talker)
        except ConversationOver:
            self.called.ended = self._session.ending
        finally:
            await self.stage.finish()

    async def judge(self, talker: Talker) -> None:
        """Judge the call, after leaving. Raises nothing: an unusable answer becomes "cannot tell"."""
        self.called.judged = await self._judged(talker)

    async def _judged(self, talker: Talker) -> list[Judged]:
        criteria, lines = self._caller.success, self.transcript.lines
        if not self.transcript.said_by("pal") and not self.transcript.said_by("tool call"):
            return [Judged(text, False, "the PAL said nothing") for text in criteria]
        if self.transcript.full:
            return cannot_tell(criteria, "the call is too long to be judged")
        asked = ballot(criteria)
        try:
            answer = await talker.answer(to_judge(asked.asked, lines, self._caller.goal), as_json=True)
        except ModelFailed as error:
            return cannot_tell(criteria, str(error))
        return verdict(answer, asked, lines)

    # -- the call ----------------------------------------------------------------------------------------

    async def _talk(self, talker: Talker) -> None:
        called = self.called
        while called.turns < self._caller.max_turns:
            messages = to_play(self._caller, self.transcript.lines)
            text, hung_up = spoken(await self._ask(talker, messages))
            if text:
                called.turns += 1
                await self._say(text, last=hung_up)
            elif not hung_up:
                raise ModelFailed("the model gave no words for the caller")
            if hung_up:
                called.ended = "the caller hung up"
                return
        called.ended = f"the caller's {called.turns} turns were used"

    async def _say(self, text: str, *, last: bool) -> None:
        self.transcript.caller_says(text)
        await self.stage.send(respond(text))
        heard = await self.stage.expect(Expectation(REPLY))
        called = heard.entry is not None and heard.entry.event.kind.family == "tool_call"
        if called:
            heard = await self.stage.expect(Expectation("utterance", _PAL))
        if heard.cut_off:
            raise self._session.end_error()
        if self._session.finished.is_set():
            raise ConversationOver(self._session.ending)
        if heard.entry is not None:
            await self._listen()
        elif not last:
            why = (
                "; it called a tool: is there a --tool that answers it?" if called else self._session.trouble
            )
            raise NoReply(f"the PAL did not answer within {self._timeout:g} s{why}")

    async def _greeted(self) -> None:
        patience = self._caller.greeting
        if patience and not self.transcript.said_by("pal"):
            await self.stage.expect(Expectation("utterance", _PAL, within=patience, waits=True))
        await self._listen()

    async def _listen(self) -> None:
        """Wait until the PAL has finished: it does not speak, and nothing more arrives for a moment."""
        heard = self.transcript
        for pause in range(MOST_PAUSES):
            if self._speaking:
                await self.stage.expect(
                    Expectation("stopped_speaking", _PAL, within=LONGEST_SPEECH, waits=True)
                )
            before = heard.active
            if not heard.lines or self._session.finished.is_set():
                return
            await self.stage.pause(PAUSE)
            working = heard.working and pause < TOOL_PAUSES
            if heard.active == before and not self._speaking and not working:
                return

    @property
    def _speaking(self) -> bool:
        return "pal" in self._session.conversation.status.speaking

    async def _ask(self, talker: Talker, messages: Messages) -> str:
        """Stop the time of a room that has its own, as a model takes real time."""
        room = self._session.room
        clock = cast(VirtualTime, room) if not room.live and isinstance(room, VirtualTime) else None
        if clock is not None:
            clock.hold()
        try:
            return await talker.answer(messages)
        finally:
            if clock is not None:
                clock.release()
