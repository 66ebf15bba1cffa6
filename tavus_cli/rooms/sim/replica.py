"""The simulated PAL: turns interactions into events, as docs/protocol.md describes them.

Pure: no clock, no file; randomness comes from the seed. The same script, seed and interactions at the same
times give the same events, byte for byte. docs/sim.md says what was chosen where the protocol is open.
"""

from __future__ import annotations

import base64
import uuid
from contextlib import suppress
from functools import partial
from random import Random
from typing import Any, NamedTuple

from tavus_cli.language.patterns import Pattern, TooSlow
from tavus_cli.protocol.interactions import EMOTIONS
from tavus_cli.protocol.wire import from_json, to_json
from tavus_cli.rooms.sim.model import END_CALL, Objective, Options, SimReply, SimScript, Step, Tool
from tavus_cli.rooms.sim.placeholders import Values, fill, groups
from tavus_cli.rooms.sim.speaking import PAUSE, Source, Speaking, Timed, Voice


class _Call(NamedTuple):
    """A tool call that waits for its result."""

    tool: Tool
    turn: int
    values: Values


class _Echo:
    """The parts of an unfinished echo (section 2.1); ``seconds`` of audio."""

    __slots__ = ("seconds", "text")

    def __init__(self) -> None:
        self.text = ""
        self.seconds = 0.0


class Replica:
    """``receive`` interactions; ``due`` returns the messages sent by ``now``, ``wake_at`` when more will be
    due.

    ``start`` is when the guest joined, in Unix seconds. ``present`` is whether the PAL is in the room,
    ``over`` why the conversation has ended, or None.
    """

    def __init__(
        self, script: SimScript, options: Options, conversation_id: str, start: float, *, pace: float = 1.0
    ) -> None:
        self.present = False
        self.over: str | None = None
        self.context = script.context
        self.warnings: list[str] = []  # for the author of the script
        self._script = script
        self._source = Source(script.timing, options.seed, conversation_id, start, pace)
        self._options = options
        self.emotion = "neutral"
        self._speaking = Speaking(self._source, self._answer)
        self._closing = False  # end_call was called: over once everything was said
        self._calls: dict[str, _Call] = {}
        self._echoes: dict[str, _Echo] = {}
        self._given: dict[int, int] = {}  # reply → how often it was given
        self._reached = 0  # objectives that are completed
        self._pending: Values | None = None  # output variables that wait for a confirmation
        self._handlers = {
            "conversation.respond": self._respond,
            "conversation.echo": self._echo,
            "conversation.interrupt": lambda _: self._speaking.hush(),
            "conversation.overwrite_llm_context": self._overwrite_context,
            "conversation.append_llm_context": self._append_context,
            "conversation.tool_result": self._take_result,
            "conversation.objective.confirm": self._confirm,
            "conversation.set_emotion": self._feel,
        }  # sensitivity has no visible effect, like every unknown type
        self._joins = self._source.later(self._source.wait(script.timing.join), self._join).at
        if script.shutdown_after is not None:
            self._source.later(script.shutdown_after, self._shut_down, script.shutdown_reason)

    def receive(self, message: Any, now: float) -> None:
        """Take any JSON value. As with Tavus, only known interactions have an effect.

        The PAL hears earlier interactions when it joins, except emotions, which are dropped.
        """
        early = not self.present and isinstance(message, dict)
        if early and message.get("event_type") == "conversation.set_emotion":
            return
        if self.over is None:
            source = self._source
            at = max(now, source.now, self._joins) + source.timing.lag / source.pace
            source.agenda.add(at, partial(self._hear, message))

    def due(self, now: float, limit: int = 1_000_000) -> list[Timed]:
        """The messages sent by ``now``, with their times; about ``limit`` of them, the rest stays due."""
        source = self._source
        out = source.out = []
        while len(out) < limit and (task := source.agenda.pop(now)):
            source.now = task.at
            task.cancelled = True  # done
            task.call()
            if self._closing and self._speaking.quiet:
                self._closing = False
                source.later(PAUSE, self._shut_down, "end_conversation_endpoint_hit")
        return out

    def end(self, reason: str, now: float) -> None:
        """Shut down at once, from outside; ``reason`` as in section 6.11."""
        if self.over is None:
            source = self._source
            source.agenda.add(max(now, source.now), partial(self._shut_down, reason))

    def wake_at(self, *, idle: bool = True) -> float | None:
        """Without ``idle`` as if there were no heartbeats and no time limits of tool calls."""
        return self._source.agenda.wake_at(idle=idle)

    # -- coming and going ------------------------------------------------------------------------------

    def _join(self) -> None:
        source, script = self._source, self._script
        self.present = True
        self._emit_system("joined")
        self._beat()
        if self._options.rate or self._options.burst:
            from tavus_cli.rooms.sim.load import Load

            Load(source, self._options).begin()
        self._emit_objective("activated")
        if script.greeting:
            source.later(source.wait(0.3), self._greet)
        for step in script.at:
            source.later(step.after, self._do, step, {}, None, None)

    def _greet(self) -> None:
        if self._speaking.turn == 0:  # otherwise somebody spoke first
            text = self._fill(self._script.greeting, {})
            self._speaking.say(Voice(text, self._source.uuid(), 0, greeting=True))

    def _beat(self) -> None:
        source = self._source
        self._emit_system("present")
        source.agenda.add(source.now + source.timing.heartbeat, self._beat, idle=True)

    def _emit_system(self, what: str) -> None:
        """Emit an event under its old and its new name (section 3.10)."""
        who = self._script.replica_id
        self._source.emit(f"system.replica_{what}", {"replica_id": who})
        self._source.emit(f"system.pal_{what}", {"face_id": who})

    def _shut_down(self, reason: str) -> None:
        self._speaking.hush()
        self._speaking.end_user()
        properties = {"replica_id": self._script.replica_id, "shutdown_reason": reason}
        self._source.emit("system.shutdown", properties)
        self.present, self.over = False, reason
        self._source.agenda.clear()

    # -- interactions (section 2) ----------------------------------------------------------------------

    def _hear(self, message: Any) -> None:
        name = message.get("event_type") if isinstance(message, dict) else None
        handle = self._handlers.get(name) if isinstance(name, str) else None
        if handle is not None:
            properties = message.get("properties")
            handle(properties if isinstance(properties, dict) else {})

    def _respond(self, properties: Values) -> None:
        text = properties.get("text")
        if not isinstance(text, str):
            return
        self._speaking.end_user()
        if not self._script.respond_waits:
            self._speaking.hush()
        turn, inference_id = self._speaking.next_turn(), self._source.uuid()
        properties = {"role": "user", "speech": text}
        self._source.emit("conversation.utterance", properties, turn=turn, inference_id=inference_id)
        self._answer(text, turn, inference_id)

    def _echo(self, properties: Values) -> None:
        """Parts with the same id are one utterance, spoken once the last part is here."""
        audio = properties.get("modality") == "audio"
        done = properties.get("done", not audio) in (True, "true")
        given = properties.get("inference_id")
        inference_id = self._source.uuid()
        if isinstance(given, str):
            inference_id = _uuid_of(given)
        elif not done:
            return  # complete: later parts start a new one
        echo = self._echoes.setdefault(inference_id, _Echo())
        if audio:
            echo.seconds += _seconds(properties.get("audio"), properties.get("sample_rate"))
        elif isinstance(text := properties.get("text"), str):
            echo.text += text
        if done:
            del self._echoes[inference_id]
            seconds = None if echo.text.strip() else echo.seconds
            self._speaking.say(Voice(echo.text, inference_id, self._speaking.turn, seconds=seconds))

    def _overwrite_context(self, properties: Values) -> None:
        if isinstance(context := properties.get("context"), str):
            self.context = context

    def _append_context(self, properties: Values) -> None:
        if isinstance(context := properties.get("context"), str):
            self.context = f"{self.context}\n{context}" if self.context else context

    def _take_result(self, properties: Values) -> None:
        """Answer if the tool's ``on_resolve`` is generate_response; ignore late and unknown results."""
        call_id = properties.get("tool_call_id")
        call = self._calls.pop(call_id, None) if isinstance(call_id, str) else None
        if call is None:
            return
        output = properties.get("output", "")
        if isinstance(output, str):
            with suppress(ValueError):
                output = from_json(output) if output.lstrip().startswith("{") else output
        failed = properties.get("status") == "error"
        values = {**call.values, "output": output}
        if call.tool.on_resolve == "add_to_context":
            self._append_context({"context": self._fill("{output}", values)})
        else:
            text = self._fill(call.tool.error if failed else call.tool.say, values)
            think = self._source.wait(self._source.timing.think)
            self._speaking.plan(think, self._say, text, call.turn)

    def _confirm(self, properties: Values) -> None:
        name, corrected = properties.get("objective_name"), properties.get("output_variables")
        objective = self._open_objective()
        if objective is None or self._pending is None or name not in (None, objective.name):
            return
        self._complete(self._pending | (corrected if isinstance(corrected, dict) else {}))

    def _feel(self, properties: Values) -> None:
        """Keep the emotion until the next; an unsupported one means neutral (section 2.10)."""
        emotion = properties.get("emotion")
        self.emotion = emotion if emotion in EMOTIONS else "neutral"

    # -- reactions -------------------------------------------------------------------------------------

    def _answer(self, text: str, turn: int, inference_id: str) -> None:
        """React to ``text`` of the user with the first reply that matches, or the default."""
        self._check_objective(text)
        number, reply, values = -1, SimReply(say=self._script.default), {"user": text}
        for index, one in enumerate(self._script.replies):
            if one.match is not None and (match := self._matched(one.match, text)):
                number, reply = index, one
                values |= groups(match)
                break
        for step in reply.then:
            self._speaking.plan(step.after, self._do, step, values, turn, inference_id)
        think = self._source.wait(self._source.timing.think if reply.delay is None else reply.delay)
        self._speaking.plan(think, self._give, number, reply, values, turn, inference_id)

    def _give(self, number: int, reply: SimReply, values: Values, turn: int, inference_id: str) -> None:
        if reply.tool:
            self._call(reply.tool, reply.arguments, values, turn, inference_id)
        if reply.say:
            times = self._given[number] = self._given.get(number, -1) + 1
            self._say(self._fill(reply.say[times % len(reply.say)], values), turn)

    def _say(self, text: str, turn: int) -> None:
        self._speaking.say(Voice(text, self._source.uuid(), turn))

    def _call(self, name: str, arguments: Any, values: Values, turn: int, inference_id: str | None) -> None:
        tool = self._script.tools.get(name) or Tool(name, id=False)
        arguments = self._fill((tool.arguments or {}) if arguments is None else arguments, values)
        properties = {
            "name": name,
            "arguments": arguments if isinstance(arguments, str) else to_json(arguments),
        }
        call_id = f"call_{self._source.uuid()[:8]}"
        if tool.id:
            properties["tool_call_id"] = call_id
        self._source.emit("conversation.tool_call", properties, turn=turn, inference_id=inference_id)
        if name == END_CALL:
            self._closing = True
        elif tool.id and tool.on_resolve != "fire_and_forget":
            self._calls[call_id] = _Call(tool, turn, values)
            at = self._source.now + tool.timeout
            self._source.agenda.add(at, partial(self._time_out, call_id), idle=True)

    def _time_out(self, call_id: str) -> None:
        call = self._calls.pop(call_id, None)
        if call is not None and call.tool.timed_out:
            self._say(self._fill(call.tool.timed_out, call.values), call.turn)

    def _do(self, step: Step, values: Values, turn: int | None, inference_id: str | None) -> None:
        """A step of the script; without a ``turn`` of its own it belongs to the current one."""
        turn = self._speaking.turn if turn is None else turn
        value, more = self._fill(step.value, values), self._fill(dict(step.more), values)
        emit = partial(self._source.emit, turn=turn)
        match step.kind:
            case "user":
                self._speaking.speak_as_user(value)
            case "say":
                self._say(value, turn)
            case "tool":
                self._call(value, more.get("arguments"), values, turn, inference_id)
            case "perception":
                call_id = f"call_{self._source.uuid()[:8]}"
                properties = {"name": value, "modality": "vision", "arguments": {}, **more}
                emit("conversation.perception_tool_call", {**properties, "tool_call_id": call_id})
            case "analysis":
                self._source.emit("conversation.perception_analysis", {"analysis": value})
            case "guardrail":
                properties = {"guardrail": value, "guardrail_uuid": self._source.uuid(), **more}
                emit("conversation.guardrail.triggered", properties)
            case "rag":
                properties = {"documents": [_document(name) for name in value]}
                emit("conversation.rag.observability", properties, inference_id=inference_id)
            case "objective":
                properties = {"objective_name": value}
                properties |= {"output_variables": more["variables"]} if "variables" in more else {}
                emit(f"conversation.objective.{more.get('state', 'activated')}", properties)
            case "event":
                emit(value, more.get("properties"))
            case "raw":
                self._source.out.append((self._source.now, value))
            case "shutdown":
                self._shut_down(value)

    # -- objectives (section 3.7) ----------------------------------------------------------------------

    def _open_objective(self) -> Objective | None:
        return next(iter(self._script.objectives[self._reached :]), None)

    def _emit_objective(self, state: str, variables: Values | None = None) -> None:
        objective = self._open_objective()
        if objective is not None:
            properties: Values = {"objective_name": objective.name}
            properties |= {} if variables is None else {"output_variables": variables}
            self._source.emit(f"conversation.objective.{state}", properties, turn=self._speaking.turn)

    def _check_objective(self, text: str) -> None:
        objective = self._open_objective()
        match = self._matched(objective.match, text) if objective and self._pending is None else None
        if objective is None or match is None:
            return
        variables = self._fill(dict(objective.variables), {"user": text, **groups(match)})
        if objective.confirm == "manual":
            self._pending = variables
            self._emit_objective("pending", variables)
        else:
            self._complete(variables)

    def _complete(self, variables: Values) -> None:
        self._emit_objective("completed", variables)
        self._pending = None
        self._reached += 1
        self._emit_objective("activated")

    def _matched(self, pattern: Pattern, text: str) -> Any:
        """The match, or None. A pattern that takes too long does not match, which ``warnings`` says."""
        try:
            return pattern.search(text)
        except TooSlow as error:
            self.warnings.append(f"{error}; taken as not matching")
            return None

    def _fill(self, value: Any, values: Values) -> Any:
        """Replace the placeholders of a value."""
        own = {"context": self.context, "name": self._script.name, "emotion": self.emotion}
        return fill(value, own | values)


def _uuid_of(text: str) -> str:
    from hashlib import md5  # it loads OpenSSL

    return str(uuid.UUID(md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()))


def _document(name: str) -> dict[str, str]:
    return {"document_id": f"d-{Random(name).getrandbits(48):012x}", "document_name": name}


def _seconds(audio: Any, sample_rate: Any) -> float:
    """The seconds of 16-bit mono PCM in base64; 0 for anything else."""
    rate = sample_rate if type(sample_rate) is int and sample_rate > 0 else 16_000
    try:
        return len(base64.b64decode(audio)) / 2 / rate
    except (TypeError, ValueError, OverflowError):
        return 0.0
