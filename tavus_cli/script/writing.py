"""A script made from a recording: the messages sent, the pauses between, and loose expectations.

Pure. Every line is parsed again as in a script: it must send the same message, or find the same event. A line
that does not is left out, or written as /raw.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Any

from tavus_cli.errors import UsageError
from tavus_cli.language.patterns import LONGEST_PLAIN, TooSlow
from tavus_cli.protocol.entries import EventEntry
from tavus_cli.protocol.events import Event, decode
from tavus_cli.protocol.interactions import Interaction
from tavus_cli.protocol.tool_calls import calls_in
from tavus_cli.protocol.wire import from_json, to_json
from tavus_cli.script.conditions import as_text, look_up
from tavus_cli.script.model import Line, Send
from tavus_cli.script.names import Kept, Names
from tavus_cli.script.recorded import RecordedStage, Sent, alike
from tavus_cli.script.statements import command, statement
from tavus_cli.script.window import Expectation, Window
from tavus_cli.views.copy import candidates
from tavus_cli.views.safe import safe, safe_json

MOST_EXPECTED = 5_000
PATIENCE = 20.0  # seconds: what took longer gets a ``within``, as /expect waits for only 30 s without
AT_ONCE = 0.002  # seconds within which a program answers an event
TWIN_SECONDS = 0.5  # of two events that say the same
_SHORTEST = 3  # characters of an argument that a result may repeat by its name
_KEY = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_PLAIN = re.compile(r"[^\w ,!'-]", re.ASCII)
_NAMED = {"utterance": "answer", "tool_call": "call", "stopped": "stop", "objective": "goal"}
_IDS = {"tool_call": ("tool_call_id", "call_id", "id"), "objective": ("objective_name",)}


@dataclass(slots=True, eq=False)
class _Expected:
    """An expectation that was written; ``name`` once something refers to it, ``line`` is its place."""

    entry: EventEntry
    line: int
    name: str = ""


class Writer:
    """``lines()``: the script, of a stage that is loaded.

    ``words``: expect the PAL's words and the values of arguments too.
    """

    def __init__(self, stage: RecordedStage, *, words: bool) -> None:
        self._turns = stage.turns
        self._sendings = stage.sendings
        self._everything = stage.everything
        self._delivered = dict(zip(map(id, stage.everything.entries), stage.delivered, strict=True))
        self._words = words
        self._lines: list[str] = []
        self._names = Names(checking=False)
        self._counts: dict[str, int] = {}
        self._values: dict[str, tuple[_Expected, str]] = {}  # an id → the event that contained it, and where
        self._last: _Expected | None = None  # of this part

    async def lines(self) -> list[str]:
        """In small steps. Raises UsageError for a recording that is too long for a script: each line that
        expects something is compared with all events.
        """
        if sum(not _is_noise(entry) for entry in self._everything.entries) > MOST_EXPECTED:
            raise UsageError(f"over {MOST_EXPECTED:,} events to expect: too many for a script")
        for number, entries in enumerate(self._parts()):
            window, now = self._everything, self._begun()
            if number:
                sent = self._sendings[number - 1]
                window, now = sent.window, sent.at
                self._send(sent)
            until = self._sendings[number].at if number < len(self._sendings) else float("inf")
            self._last = None
            sure = (sent.sure_at or 0.0) if number else 0.0
            for entry in entries:
                await self._turns.give()
                if found := self._expect(entry, window, now, until):
                    now = max(now, found, sure)
            if number < len(self._sendings) and (seconds := _up(until - now)) > AT_ONCE:
                self._lines.append(f"/wait {_lasting(seconds)}")
        return self._lines

    def _begun(self) -> float:
        """When a script would begin: once the PAL is there."""
        first = next(iter(self._everything.entries), None)
        return self._everything.at if first is None else first.at

    def _parts(self) -> Iterator[list[EventEntry]]:
        """The events before the first message sent, and after each: by the order in the file, and by time."""
        parts: list[list[EventEntry]] = [[] for _ in range(len(self._sendings) + 1)]
        by_order = by_time = 0
        for place, entry in enumerate(self._everything.entries):
            while by_order < len(self._sendings) and self._sendings[by_order].after <= place:
                by_order += 1
            by_time = by_order
            while by_time and self._sendings[by_time - 1].at > entry.at:  # it was held back
                by_time -= 1
            parts[by_time].append(entry)
        yield from parts

    # -- what came -----------------------------------------------------------------------------------

    def _expect(self, entry: EventEntry, window: Window, now: float, until: float) -> float:
        """When the event arrives that the line waits for; 0 if there is none."""
        if _is_noise(entry):
            return 0.0
        for words in _expectations(entry, self._words):
            if entry.at - now > PATIENCE:
                words = [*words, f"within {ceil((entry.at - window.at) * 1.5 + 10)}s"]
            if (found := self._written(words, entry, window, until)) is not None:
                return self._delivered[id(found)]
        return 0.0

    def _written(
        self, words: list[str], entry: EventEntry, window: Window, until: float
    ) -> EventEntry | None:
        """The event that a new line finds, or its twin; None if it would find another one."""
        if (what := self._read(words)) is None:
            return None
        found = _found(what, window, until)
        last = self._last
        if (
            not _same(found, entry)
            and last is not None
            and entry.event.seq is not None
            and last.entry.event.seq is not None
            and last.entry.event.seq < entry.event.seq
        ):  # an earlier one is alike
            words = [words[0], *words[1:], f"seq>${self._name(last)}.seq"]
            found = _found(what := self._read(words), window, until)
        if found is None or what is None or not _same(found, entry):
            return None
        self._lines.append("/expect " + " ".join(words))
        self._last = expected = _Expected(found, len(self._lines) - 1)
        self._remember(expected)
        return found

    def _read(self, words: list[str]) -> Expectation | None:
        text = "/expect " + " ".join(words)
        if safe(text) != text:
            return None
        try:
            said = statement(Line(1, 1, text), self._names)
        except UsageError:
            return None
        return said if isinstance(said, Expectation) else None

    def _name(self, expected: _Expected) -> str:
        if not expected.name:
            kind = _NAMED.get(expected.entry.event.kind.family, "event")
            self._counts[kind] = self._counts.get(kind, 0) + 1
            expected.name = f"{kind}{self._counts[kind]}"
            self._lines[expected.line] += f" as {expected.name}"
            self._names.keep(expected.name, Kept(expected.entry, 0.0))
        return expected.name

    # -- what was sent -------------------------------------------------------------------------------

    def _remember(self, expected: _Expected) -> None:
        """The ids that a later message may repeat."""
        for path in _IDS.get(expected.entry.event.kind.family, ()):
            if isinstance(value := look_up(expected.entry, path), str) and value:
                self._values[value] = expected, path

    def _send(self, sent: Sent) -> None:
        for line in self._ways(sent.message):
            if safe(line) == line == line.strip() and self._sends(line, sent.message):
                self._lines.append(line)
                return
        self._lines.append("# what was sent here cannot be written in a script")

    def _ways(self, message: Any) -> Iterator[str]:
        event = decode(message)
        if not isinstance(event.message, dict):
            return
        values = self._repeated(event)
        if isinstance(output := event.get("output"), dict):
            call = self._word(event.word("tool_call_id"), values)
            for flag in ("", " --error"):
                yield f"/tool-result {call} {self._json(output, values)}{flag}"
        for kind, *words in candidates(event):
            yield " ".join([f"/{kind}", *(self._word(word, values) for word in words)])
        whole = {key: value for key, value in event.message.items() if key != "conversation_id"}
        yield f"/raw {self._json(whole, values)}"
        yield f"/raw {self._json(whole, {})}"

    def _repeated(self, event: Event) -> dict[str, tuple[_Expected, str]]:
        """The values that a result or confirmation takes from an event: the id, and arguments of the call."""
        if event.type == "conversation.objective.confirm":
            return self._values
        known = self._values.get(event.word("tool_call_id"))
        if event.type != "conversation.tool_result" or known is None:
            return {}
        values = {event.word("tool_call_id"): known}
        expected, _ = known
        for call in calls_in(expected.entry.event):
            for key, value in _object(call.arguments).items():
                path, long = f"arguments.{key}", isinstance(value, str) and len(value) >= _SHORTEST
                if long and _KEY.fullmatch(key) and look_up(expected.entry, path) == value:
                    values.setdefault(value, (expected, path))
        return values

    def _sends(self, line: str, message: Any) -> bool:
        try:
            said = command(line, self._names)
        except UsageError:
            return False
        if not isinstance(said, Send) or not isinstance(said.action, Interaction):
            return False
        return alike(message, said.action)

    def _word(self, word: str, values: dict[str, tuple[_Expected, str]]) -> str:
        """A text, or its name if it is one of ``values``."""
        known = values.get(word)
        return _dollars(word) if known is None else f"${self._name(known[0])}.{known[1]}"

    def _json(self, value: Any, values: dict[str, tuple[_Expected, str]]) -> str:
        def named(value: Any) -> Any:
            if isinstance(value, dict):
                return {_dollars(key): named(inner) for key, inner in value.items()}
            if isinstance(value, list):
                return [named(inner) for inner in value]
            return self._word(value, values) if isinstance(value, str) else value

        return safe_json(to_json(named(value)))


def _is_noise(entry: EventEntry) -> bool:
    """Whether an event says nothing by itself, or cannot be caused by a script."""
    event = entry.event
    family = event.kind.family
    if entry.fold is not None or entry.differs:
        return True
    if family in ("utterance", "stopped"):
        return event.role != "pal"
    return family not in ("tool_call", "objective", "guardrail", "shutdown")


def _expectations(entry: EventEntry, words: bool) -> Iterator[list[str]]:
    """The words after /expect, the fullest first."""
    event = entry.event
    match event.kind.family:
        case "utterance":
            plain = ["utterance", "role=pal"]
            if words and event.text:
                yield [*plain, f'text="{_quoted(event.text)}"']
                yield [*plain, f'text~"{_PLAIN.sub(".", event.text[:LONGEST_PLAIN])}"']
            yield plain
        case "stopped":
            cut = ["interrupted=true"] if event.interrupted else []
            yield ["stopped_speaking", "role=pal", *cut]
            yield [event.short, *cut]
        case "tool_call":
            yield from _calls(entry, words)
        case _:
            yield [event.short]
            yield [event.type]


def _calls(entry: EventEntry, words: bool) -> Iterator[list[str]]:
    event = entry.event
    for call in calls_in(event)[:1]:
        name = [f'name="{_quoted(call.name)}"' if not _KEY.fullmatch(call.name) else f"name={call.name}"]
        given = {key: value for key, value in _object(call.arguments).items() if _KEY.fullmatch(key)}
        exact = [f'arguments.{key}="{_quoted(as_text(value))}"' for key, value in given.items()]
        present = [f"arguments.{key}~" for key in given]
        if words:
            yield [event.short, *name, *exact]
        yield [event.short, *name, *present]
        yield [event.short, *name, *exact]  # distinguishes two calls that differ only in their values
        yield [event.short, *name]
    yield [event.short]
    yield [event.type]


def _object(arguments: Any) -> dict[str, Any]:
    if isinstance(arguments, str):
        try:
            arguments = from_json(arguments)
        except (ValueError, RecursionError):
            return {}
    return arguments if isinstance(arguments, dict) else {}


def _found(what: Expectation | None, window: Window, until: float) -> EventEntry | None:
    """The event that the expectation finds, as ``recorded.RecordedStage`` would."""
    if what is None:
        return None
    if what.within is not None:
        until = min(until, window.at + what.within)
    try:
        for entry in window.counted(what):
            if window.at <= entry.at <= until and what.fits(entry):
                return entry
    except TooSlow:
        pass
    return None


def _same(found: EventEntry | None, entry: EventEntry) -> bool:
    if found is None or found is entry:
        return found is entry
    one, other = found.event, entry.event
    alike = one.kind.family == other.kind.family and one.role == other.role
    return alike and "twin" in (found.fold, entry.fold) and abs(found.at - entry.at) <= TWIN_SECONDS


def _dollars(text: str) -> str:
    return text.replace("$", "$$")


def _quoted(text: str) -> str:
    return _dollars(text).replace('"', '\\"')


def _up(seconds: float) -> float:
    """Rounded up to a millisecond, so that nothing is sent before the events that preceded it."""
    return max(0, ceil(seconds * 1000 - 0.01)) / 1000


def _lasting(seconds: float) -> str:
    return f"{seconds * 1000:.0f}ms" if seconds < 1 else f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"
