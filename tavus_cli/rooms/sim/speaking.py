"""Speech in a simulated conversation: what the PAL and the user say, and who interrupts whom.

Pure, as is ``replica``, which uses it. Section numbers are those of docs/protocol.md.
"""

from __future__ import annotations

import re
import uuid
from collections import deque
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

from tavus_cli.rooms.sim.agenda import Agenda, Task
from tavus_cli.rooms.sim.model import Timing

Timed = tuple[float, Any]  # when it was sent, in Unix seconds, and the message

SNAPSHOTS = 400  # snapshots of one utterance; a longer one gets one every few words
PAUSE = 0.25  # seconds between two utterances of the PAL


class Source:
    """The basis of the simulation: time, randomness and the envelope of events.

    ``now`` is in Unix seconds; ``pace`` is a factor on the speed of the script; ``out`` are the messages
    sent.
    """

    def __init__(self, timing: Timing, seed: int, conversation_id: str, now: float, pace: float) -> None:
        self.timing = timing
        self.now = now
        self.pace = pace
        self.out: list[Timed] = []
        self.agenda = Agenda()
        self._conversation_id = conversation_id
        self._random = Random(f"replica {seed}")
        self._seq = 0

    def later(self, seconds: float, call: Callable[..., None], *args: Any) -> Task:
        return self.agenda.add(self.now + seconds / self.pace, partial(call, *args))

    def wait(self, seconds: float) -> float:
        """About this many seconds."""
        jitter = self.timing.jitter
        return seconds * self._random.uniform(1 - jitter, 1 + jitter)

    def word(self) -> float:
        return self.wait(60 / self.timing.words_per_minute)

    def uuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def emit(
        self,
        event_type: str,
        properties: dict[str, Any] | None = None,
        *,
        turn: int | None = None,
        inference_id: str | None = None,
        named: bool = True,
    ) -> None:
        """Emit an event (section 1.2).

        ``named``: with the conversation id, which generic speaking events lack.
        """
        self._seq += 1
        system = event_type.startswith("system.")
        message = {"message_type": "system" if system else "conversation", "event_type": event_type}
        optional = {
            "conversation_id": self._conversation_id if named else None,
            "seq": self._seq,
            "turn_idx": turn,
            "timestamp": round(self.now, 3),
            "inference_id": inference_id,
            "properties": properties or None,
        }
        self.out.append(
            (self.now, message | {key: value for key, value in optional.items() if value is not None})
        )


class Voice:
    """One utterance. ``ends`` is where its words end in ``text``, ``said`` how many were spoken.

    ``seconds`` is for echoed audio, which has no words.
    """

    def __init__(
        self,
        text: str,
        id: str,
        turn: int,
        *,
        greeting: bool = False,
        seconds: float | None = None,
        started: float = 0.0,
    ) -> None:
        self.text = text
        self.id = id
        self.turn = turn
        self.greeting = greeting
        self.seconds = seconds
        self.started = started
        self.said = 0
        self.next: Task | None = None
        ends = [match.end() for match in re.finditer(r"\S+", text)]
        self.ends = ends[:: -max(1, -(-len(ends) // SNAPSHOTS))][::-1]  # the last one always

    @property
    def spoken(self) -> str:
        return self.text[: self.ends[self.said - 1]] if self.said else ""


class Speaking:
    """``turn`` is the current turn's number; ``heard`` gets what the user said, its turn and inference id."""

    def __init__(self, source: Source, heard: Callable[[str, int, str], None]) -> None:
        self.turn = 0  # the greeting's
        self._source = source
        self._heard = heard
        self._pal: Voice | None = None
        self._user: Voice | None = None
        self._waiting: deque[Voice] = deque()
        self._planned: list[Task] = []

    @property
    def quiet(self) -> bool:
        """Whether nobody speaks and nothing is queued."""
        planned = any(not task.cancelled for task in self._planned)
        return not (self._pal or self._user or self._waiting or planned)

    def next_turn(self) -> int:
        self.turn += 1
        return self.turn

    def plan(self, seconds: float, call: Callable[..., None], *args: Any) -> None:
        """Do something later, unless somebody starts to speak before."""
        self._planned = [task for task in self._planned if not task.cancelled]
        self._planned.append(self._source.later(seconds, call, *args))

    # -- the PAL -----------------------------------------------------------------------------------------

    def say(self, voice: Voice) -> None:
        """Say a text after those being said; "" says nothing."""
        if voice.ends or voice.seconds:
            self._waiting.append(voice)
            self._begin()

    def hush(self) -> None:
        """Stop the PAL and drop what it was going to say."""
        for task in self._planned:
            task.cancelled = True
        self._planned.clear()
        self._waiting.clear()
        self._stop(True)

    def _begin(self) -> None:
        if self._pal or self._user or not self._waiting:
            return
        source = self._source
        voice = self._pal = self._waiting.popleft()
        voice.started = source.now
        source.emit("conversation.replica.started_speaking", turn=voice.turn, inference_id=voice.id)
        self._emit_pal("conversation.started_speaking", voice, {}, named=False)
        if voice.seconds is None:
            self._emit_pal("conversation.utterance", voice, {"speech": voice.text})
            voice.next = source.later(source.word(), self._word, voice)
        else:
            voice.next = source.later(voice.seconds, self._stop, False)

    def _word(self, voice: Voice) -> None:
        voice.said += 1
        if voice.said == len(voice.ends):
            self._stop(False)
            return
        if not voice.greeting:
            self._snapshot(voice, voice.spoken, voice.said - 1)
        voice.next = self._source.later(self._source.word(), self._word, voice)

    def _stop(self, interrupted: bool) -> None:
        voice, self._pal = self._pal, None
        if voice is None:
            return
        _cancel(voice)
        if not voice.greeting and voice.seconds is None:  # a greeting is never streamed (section 3.1)
            said, index = (voice.spoken, voice.said) if interrupted else (voice.text, voice.said - 1)
            self._snapshot(voice, said, index, final=True, interrupted=interrupted)
        source = self._source
        fields = {"interrupted": interrupted, "duration": round(source.now - voice.started, 3)}
        source.emit(
            "conversation.replica.stopped_speaking", dict(fields), turn=voice.turn, inference_id=voice.id
        )
        self._emit_pal("conversation.stopped_speaking", voice, fields, named=False)
        source.later(PAUSE, self._begin)

    def _snapshot(
        self, voice: Voice, said: str, index: int, *, final: bool = False, interrupted: bool = False
    ) -> None:
        fields = {"speech": said, "content_index": index, "final": final, "is_interrupted": interrupted}
        self._emit_pal("conversation.utterance.streaming", voice, fields)

    def _emit_pal(
        self, event_type: str, voice: Voice, properties: dict[str, Any], *, named: bool = True
    ) -> None:
        """Emit twins, as role pal and as role replica, each with its own number (section 4)."""
        for role in ("pal", "replica"):
            fields = {"role": role, **properties}
            self._source.emit(event_type, fields, turn=voice.turn, inference_id=voice.id, named=named)

    # -- the user, who speaks as scripted ----------------------------------------------------------------

    def speak_as_user(self, text: str) -> None:
        """Start to speak, which interrupts the PAL, except in its greeting (section 2.3)."""
        self.end_user()
        source = self._source
        voice = Voice(text, source.uuid(), self.turn, started=source.now)
        if not voice.ends:
            return
        self._user = voice
        barges_in = self._pal is not None and not self._pal.greeting
        if not barges_in:  # a barge-in begins in the turn that it interrupts
            voice.turn = self.next_turn()
        source.emit("conversation.user.started_speaking", turn=voice.turn, inference_id=voice.id)
        self._emit_user("conversation.started_speaking", voice, {}, named=False)
        if barges_in:
            self.hush()
            voice.turn = self.next_turn()
        elif self._pal is None:
            self.hush()  # drop an answer that was not spoken yet
        voice.next = source.later(source.word(), self._user_word, voice)

    def end_user(self) -> None:
        """End the user's speech, complete or interrupted; the utterance has the words said so far."""
        voice, self._user = self._user, None
        if voice is None:
            return
        _cancel(voice)
        source, first_id = self._source, voice.id
        voice.id = source.uuid()  # the recognised sentence is another inference (section 3.2)
        if voice.said:
            self._emit_partial(voice, 0, final=True)
        source.emit("conversation.user.stopped_speaking", turn=voice.turn, inference_id=first_id)
        duration = round(source.now - voice.started, 3)
        fields = {"interrupted": False, "duration": duration}
        self._emit_user("conversation.stopped_speaking", voice, fields, named=False, inference_id=first_id)
        if voice.said:
            self._emit_user("conversation.utterance", voice, {"speech": voice.spoken})
        source.later(PAUSE, self._begin)

    def _user_word(self, voice: Voice) -> None:
        voice.said += 1
        if voice.said == len(voice.ends):
            self.end_user()
            self._heard(voice.text, voice.turn, voice.id)
            return
        self._emit_partial(voice, voice.said - 1)
        voice.next = self._source.later(self._source.word(), self._user_word, voice)

    def _emit_partial(self, voice: Voice, index: int, *, final: bool = False) -> None:
        fields = {"speech": voice.spoken, "content_index": index, "final": final}
        self._emit_user("conversation.utterance.streaming", voice, fields)

    def _emit_user(
        self,
        event_type: str,
        voice: Voice,
        properties: dict[str, Any],
        *,
        named: bool = True,
        inference_id: str | None = None,
    ) -> None:
        fields = {"role": "user", **properties}
        inference_id = inference_id or voice.id
        self._source.emit(event_type, fields, turn=voice.turn, inference_id=inference_id, named=named)


def _cancel(voice: Voice) -> None:
    if voice.next is not None:
        voice.next.cancelled = True
