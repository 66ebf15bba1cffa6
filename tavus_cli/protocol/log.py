"""What has passed, in a memory of bounded size: the oldest leaves first, and how many is known."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from math import factorial, log2
from typing import TypeVar

from tavus_cli.errors import UsageError
from tavus_cli.protocol.conversation import Entry, EventEntry, SentEntry
from tavus_cli.protocol.turns import ToolCall, Turn, tool_name
from tavus_cli.protocol.wire import to_json

EVENTS_KEPT = 100_000  # at some 1.5 kB each
TABLE_KEPT = 1_000  # turns, tool calls and objectives
SEARCHED = 20_000  # characters of one entry that a search looks at: images are longer, and mean nothing
# Of matching in one text at worst: a pattern's repetitions cost powers of the length, so less is searched for
# them. 0.1 to 1 s, by what a step is (random patterns over the same letter 30,000 times).
STEPS = 25_000_000

K = TypeVar("K")
V = TypeVar("V")


class Log:
    """``add`` entries in order, at a flat cost; the rest answers about them. ``limit`` is in entries.

    ``dropped`` is how many have left.
    """

    def __init__(self, limit: int = EVENTS_KEPT) -> None:
        self.dropped = 0
        self._entries: deque[Entry] = deque(maxlen=limit)
        self._turns: dict[Turn, None] = {}
        self._calls: dict[str, ToolCall] = {}
        self._objectives: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entries: Iterable[Entry]) -> None:
        kept = self._entries
        for entry in entries:
            if len(kept) == kept.maxlen:
                self.dropped += 1
            kept.append(entry)
            if type(entry) is EventEntry:
                if entry.fold is None:
                    self._note(entry)
            elif type(entry) is SentEntry:
                if entry.call is not None:
                    _remember(self._calls, entry.call.id, entry.call)
            else:
                continue
            if entry.turn is not None and entry.turn not in self._turns:
                _remember(self._turns, entry.turn, None)

    def event(self, seq: int) -> EventEntry | None:
        """The latest event of that number."""
        for entry in reversed(self._entries):
            if type(entry) is EventEntry and entry.event.seq == seq:
                return entry
        return None

    def last(self) -> EventEntry | SentEntry | None:
        """The latest message, either way, that is not folded."""
        for entry in reversed(self._entries):
            if type(entry) is SentEntry or (type(entry) is EventEntry and entry.fold is None):
                return entry
        return None

    def last_sent(self) -> SentEntry | None:
        return next((entry for entry in reversed(self._entries) if type(entry) is SentEntry), None)

    def turn(self, idx: int) -> list[Entry]:
        """All that belongs to a turn, folded or not; to the latest of that number where they began anew."""
        turn = next((turn for turn in reversed(self._turns) if turn.idx == idx), None)
        if turn is None:
            return []
        return [
            entry
            for entry in self._entries
            if (type(entry) is EventEntry or type(entry) is SentEntry) and entry.turn is turn
        ]

    def find(self, pattern: re.Pattern[str], limit: int) -> list[Entry]:
        """The latest ``limit`` entries that match, newest last. Raises UsageError, as ``search`` does."""
        return list(islice((entry for entry in self.search(pattern) if entry is not None), limit))[::-1]

    def search(self, pattern: re.Pattern[str]) -> Iterator[Entry | None]:
        """One message a step, newest first: the entry if its type, words or JSON match, else None.

        So a caller may stop when it has enough, or no time left. A step takes some 10 µs, and for the worst
        patterns over the worst texts one or two seconds. What is folded repeats another and is passed over.
        Of each text the first ``reach(pattern)`` characters are looked at. Raises UsageError for a pattern
        that may take for ever.
        """
        if start := _IDLE_START.match(pattern.pattern):
            pattern = re.compile(pattern.pattern[start.end() :], pattern.flags)
        return self._search(pattern, reach(pattern))

    def _search(self, pattern: re.Pattern[str], characters: int) -> Iterator[Entry | None]:
        for entry in list(reversed(self._entries)):
            if type(entry) is not SentEntry and (type(entry) is not EventEntry or entry.fold is not None):
                continue
            yield entry if _matches(entry, pattern, characters) else None

    def turns(self) -> list[Turn]:
        """The latest of them, in the order of their coming."""
        return list(self._turns)

    def calls(self) -> list[ToolCall]:
        """The latest of them, open and answered, in the order of their coming."""
        return list(self._calls.values())

    def objectives(self) -> list[str]:
        """Names of objectives that were told of."""
        return list(self._objectives)

    def _note(self, entry: EventEntry) -> None:
        event = entry.event
        family = event.kind.family
        if family == "tool_call":
            call_id = event.word("tool_call_id")
            if call_id and call_id not in self._calls:  # a call comes twice at times, and is answered once
                _remember(self._calls, call_id, ToolCall(call_id, tool_name(event), entry.at, entry.turn))
        elif family == "objective" and (name := event.word("objective_name")):
            _remember(self._objectives, name, None)


def _remember(kept: dict[K, V], key: K, value: V) -> None:
    kept[key] = value
    if len(kept) > TABLE_KEPT:
        del kept[next(iter(kept))]


def _matches(entry: EventEntry | SentEntry, pattern: re.Pattern[str], characters: int) -> bool:
    event = entry.event
    for text in (event.type, event.text):
        if text and pattern.search(text, 0, characters):
            return True
    return pattern.search(to_json(event.message), 0, characters) is not None


# -- how long a pattern may take -----------------------------------------------------------------------

_FEW = 10  # up to so many repetitions cost a factor, more of them a power of the length
_MAX_DOUBLINGS = 16
_IDLE_START = re.compile(r"(?:\.\*\??)+(?![*+?{])")  # ".*x" is found where "x" is, and slower by far
_TOKEN = re.compile(
    r"""\\.
    | \[\^?\]?(?:\\.|[^]\\])*\]
    | \((?:\?(?:[>=!]|<[=!])?)?
    | (?:[*+?]|\{\d+(?:,\d*)?\}|\{,\d*\})[?+]?
    | .""",
    re.DOTALL | re.VERBOSE,
)


@dataclass(slots=True)
class _Cost:
    """Of trying a pattern at one place: ``length ** power * 2 ** doublings`` steps at worst.

    ``varies``: whether it can match the same text in more than one way, which a repetition multiplies.
    """

    power: int = 0
    doublings: float = 0.0
    varies: bool = False
    choices: int = 1  # between "|"

    def add(self, other: _Cost) -> None:
        self.power += other.power
        self.doublings += other.doublings
        self.varies |= other.varies


def reach(pattern: re.Pattern[str]) -> int:
    """How many characters of an entry are searched, so that it ends soon whatever they are.

    Raises UsageError where no number is small enough: a repetition of what itself varies, "(a+)+", doubles
    its time with each character.
    """
    cost = _cost_of(pattern.pattern)
    if cost.doublings > _MAX_DOUBLINGS:
        raise UsageError("this pattern may take for ever: fewer ?, {m,n} and | inside of repetitions")
    power = cost.power + 1  # it is tried at each place
    steps = STEPS / 2**cost.doublings * factorial(power)
    return max(1, min(SEARCHED, int(steps ** (1 / power))))


def _cost_of(text: str) -> _Cost:
    around: list[tuple[_Cost, bool]] = []
    here, last = _Cost(), _Cost()
    for token in _TOKEN.findall(text):
        if token[0] == "(":
            around.append((here, token[-1] in ">=!"))  # those that are left are not entered again
            here, last = _Cost(), _Cost()
        elif token == ")" and around:
            (outer, once), last = around.pop(), here
            last.doublings += log2(last.choices)
            last.varies = not once and (last.varies or last.choices > 1)
            outer.add(last)
            here = outer
        elif token == "|":
            here.choices, last = here.choices + 1, _Cost()
        elif (times := _times(token)) is not None:
            here.add(_repeated(last, *times, possessive=len(token) > 1 and token[-1] == "+"))
        else:
            last = _Cost()
    for outer, _ in around:  # a comment inside the pattern can hold a parenthesis
        here.add(outer)
    return here


def _times(token: str) -> tuple[int, int | None] | None:
    """How often a quantifier repeats, at least and at most; None for any other token."""
    if token[0] in "*+?":
        return (int(token[0] == "+"), 1 if token[0] == "?" else None)
    if token[0] != "{" or len(token) == 1:
        return None
    low, comma, high = token.rstrip("?+")[1:-1].partition(",")
    if not comma:
        high = low
    return int(low or 0), int(high) if high else None


def _repeated(what: _Cost, low: int, high: int | None, *, possessive: bool) -> _Cost:
    """What a repetition adds to the cost of the thing itself."""
    more = _Cost()
    if high is None or high > _FEW:
        if what.varies:
            raise UsageError(
                "this pattern may take for ever: it repeats what can match in several ways;"
                " (?>…) settles on one of them"
            )
        more.power = int(low != high)
    else:
        more.power = what.power * max(0, high - 1)
        more.doublings = what.doublings * max(0, high - 1) + log2(max(1, high - low + 1))
    more.varies = low != high and not possessive
    return more
