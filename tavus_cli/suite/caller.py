"""A simulated caller as a program of a suite: its call in a room, then the judge's verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tavus_cli.callers.call import Call
from tavus_cli.callers.caller import Caller, key_of, parse
from tavus_cli.callers.judge import Judged
from tavus_cli.callers.model import ModelFailed, Talker, TooDear, talker
from tavus_cli.errors import ConsoleError, UsageError
from tavus_cli.rooms.recorded import RecordedRoom
from tavus_cli.rooms.room import Room
from tavus_cli.script.runner import Limits
from tavus_cli.suite.case import Case, Played, Verdict, failure_of
from tavus_cli.suite.script import Mistakes
from tavus_cli.suite.surroundings import Surroundings

_HEARD = 6  # lines of the call shown under a failure
_WIDTH = 200  # characters of such a line


@dataclass(frozen=True, slots=True)
class CallerProgram:
    """``limits`` are for the PAL's replies; ``keep_going`` has no effect."""

    caller: Caller
    limits: Limits
    chat: bool = True

    @property
    def warning(self) -> str | None:
        return None

    def check(self, environ: Mapping[str, str]) -> None:
        key_of(self.caller.model, environ)

    async def play(self, case: Case, room: Room, around: Surroundings) -> Played:
        """Play the call. Errors after joining are part of the result; those of joining are raised."""
        if isinstance(room, RecordedRoom):
            await room.leave()
            async for _ in room.arrivals():  # which closes its file
                pass
            raise UsageError(f"{room.target} is a recording: a simulated caller needs a PAL that answers")
        key = key_of(self.caller.model, around.environment.environ)
        warn = around.environment.warn
        begun = seconds = 0.0
        failed: ConsoleError | None = None
        async with talker(self.caller.model, key) as model:
            async with around.joined(
                room, lambda session: Call(self.caller, session, self.limits.timeout, warn)
            ) as call:
                begun = call.stage.now()
                around.so_far = lambda: self._played(case, call, model, call.stage.now() - begun, failed, [])
                try:
                    await call.converse(model)
                except ConsoleError as error:
                    failed = error
                seconds = call.stage.now() - begun
            if failed is None:
                await call.judge(model)  # after leaving; a conversation created for this run is ended later
        return self._played(case, call, model, seconds, failed, around.tool_facts)

    def _played(
        self,
        case: Case,
        call: Call,
        model: Talker,
        seconds: float,
        error: ConsoleError | None,
        tools: list[dict[str, Any]],
    ) -> Played:
        replies = tuple(latency for _, latency in call.stage.replies)
        verdict, detail = self._verdict(call.called.judged, replies, error)
        facts: dict[str, Any] = {
            "script": case.script,
            "target": case.shown,
            "ok": verdict is Verdict.OK,
            "verdict": str(verdict),
            "seconds": round(seconds, 3),
            "replies": [{"turn": turn, "seconds": round(value, 3)} for turn, value in call.stage.replies],
            "turns": call.called.turns,
            "ended": call.called.ended,
            "criteria": [_fact(one) for one in call.called.judged],
            "transcript": [line._asdict() for line in call.transcript.lines],
            "model": {
                "name": self.caller.model.name,
                "requests": model.requests,
                "tokens": model.tokens,
            },
        }
        if tools:
            facts["tools"] = tools
        lines = () if verdict is Verdict.OK else _lines(case.script, detail, call)
        return Played(verdict, detail, lines, seconds, replies, facts=facts)

    def _verdict(
        self, judged: list[Judged], replies: tuple[float, ...], error: ConsoleError | None
    ) -> tuple[Verdict, str]:
        """The first failure: the call, a criterion, or the budget of replies."""
        if isinstance(error, TooDear):
            return Verdict.BUDGET, str(error)
        if error is not None:
            return Verdict.ERROR if isinstance(error, ModelFailed) else failure_of(error), str(error)
        for one in judged:
            if one.met is False:
                return Verdict.EXPECTATION, f"not met: {one.criterion} ({one.reason})"
        if not judged:
            return Verdict.CANNOT_TELL, ""
        for one in judged:
            if one.met is None:
                return Verdict.CANNOT_TELL, f"{one.criterion} ({one.reason})"
        if (budget := self.limits.max_reply) is not None and not replies:
            return Verdict.BUDGET, "no turn had a reply to measure"
        if budget is not None and max(replies) > budget:
            return Verdict.BUDGET, f"a reply took {max(replies):.3f} s, over the budget of {budget:g} s"
        return Verdict.OK, ""


def _fact(one: Judged) -> dict[str, Any]:
    return {
        "criterion": one.criterion,
        "met": one.met,
        "reason": one.reason,
        "quotes": [quote._asdict() for quote in one.quotes],
    }


def _lines(script: str, detail: str, call: Call) -> tuple[str, ...]:
    marks = {True: "met", False: "NOT MET", None: "cannot tell"}
    lines = [f"{script}: {detail}"] if detail else []  # stopped: whoever stopped it reports why
    for one in call.called.judged:
        lines.append(f"    {marks[one.met]}: {one.criterion}")
        lines += [f'        {quote.who}: "{quote.text}"' for quote in one.quotes]
    for number, line in enumerate(call.transcript.lines[-_HEARD:]):
        lines.append(("    said " if number == 0 else "         ") + f"{line.who}: {line.text}")
    return tuple(line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…" for line in lines)


def load(text: str, path: str, limits: Limits) -> CallerProgram:
    """Raises Mistakes, with the first of them."""
    try:
        return CallerProgram(parse(text, path), limits)
    except UsageError as error:
        raise Mistakes([str(error)]) from None
