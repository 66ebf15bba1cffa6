"""The judge's verdict, and the checks that make it reliable. Pure.

No answer is trusted unchecked. It must be one JSON object with each criterion's id exactly once. "Met" counts
only with a quote found in the transcript, at least one of them in what the PAL said or called. One of the
criteria is known to be false and has a random id: a judge that says it is met was manipulated or guesses, and
its whole answer is ignored. Any mistake in an answer makes it "cannot tell".
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tavus_cli.callers.prompts import without_thoughts
from tavus_cli.callers.transcript import Line

MOST_QUOTES = 5  # quotes checked for one criterion
_MOST_REASON = 300
_OF_THE_PAL = ("pal", "tool call")
_SAME = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "\u00a0": " "})


@dataclass(frozen=True, slots=True)
class Judged:
    """``met`` None: cannot tell. ``quotes`` were found in the transcript, each with its speaker."""

    criterion: str
    met: bool | None
    reason: str
    quotes: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Ballot:
    """The criteria as asked: ``asked`` by id, in order; ``control`` is the id of the false one."""

    asked: Mapping[str, str]
    control: str
    criteria: tuple[str, ...]


def ballot(criteria: Sequence[str]) -> Ballot:
    """Random ids, and the control among them in a random place."""
    texts = list(criteria)
    control = f'The PAL says the words "{secrets.token_hex(4)} {secrets.token_hex(4)}".'
    texts.insert(secrets.randbelow(len(texts) + 1), control)
    asked = {secrets.token_hex(4): text for text in texts}
    return Ballot(asked, next(name for name, text in asked.items() if text == control), tuple(criteria))


def verdict(answer: str, ballot: Ballot, lines: Sequence[Line]) -> list[Judged]:
    """A verdict for each criterion, in the order of the file. Raises nothing."""
    try:
        found = _read(answer, ballot)
    except _Unusable as why:
        return cannot_tell(ballot.criteria, str(why))
    if found[ballot.control]["met"] is True:
        talked = "the judge claims that the PAL said a made-up sentence, so its answer does not count"
        return cannot_tell(ballot.criteria, talked)
    of_text = {text: found[name] for name, text in ballot.asked.items()}
    place = Quotes(lines)
    return [_judged(text, of_text[text], place) for text in ballot.criteria]


def cannot_tell(criteria: Sequence[str], why: str) -> list[Judged]:
    return [Judged(text, None, why) for text in criteria]


class _Unusable(Exception):
    pass


def _read(answer: str, ballot: Ballot) -> dict[str, dict[str, Any]]:
    """The row of each id, with types checked. Raises _Unusable."""
    try:
        value = json.loads(_unfenced(without_thoughts(answer)), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise _Unusable("the judge's answer is not the JSON that it was asked for") from None
    rows = value.get("criteria") if isinstance(value, dict) else None
    if not isinstance(rows, list):
        raise _Unusable('the judge\'s answer has no list "criteria"')
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        name = row.get("id") if isinstance(row, dict) else None
        if not isinstance(name, str) or name not in ballot.asked or name in found:
            raise _Unusable("the judge's answer has other criteria than it was asked about")
        if "met" not in row or (row["met"] is not None and not isinstance(row["met"], bool)):
            raise _Unusable('the judge\'s answer has a "met" that is not true, false or null')
        found[name] = row
    if len(found) < len(ballot.asked):
        raise _Unusable("the judge's answer leaves out a criterion")
    return found


def _unfenced(text: str) -> str:
    """The text without the fence of Markdown that some models put around JSON.

    Not by a pattern: on an answer of spaces and newlines that takes a time that grows with the cube.
    """
    text = text.strip()
    start, end = text.find("\n"), text.rfind("\n")
    opened = text[:start].strip() in ("```", "```json")
    return text[start:end] if opened and start < end and text[end:].strip() == "```" else text


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse objects with a repeated key, which are ambiguous."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key twice")
    return found


def _judged(criterion: str, row: Mapping[str, Any], place: Quotes) -> Judged:
    reason = row.get("reason")
    reason = " ".join(reason.split())[:_MOST_REASON] if isinstance(reason, str) else ""
    given = row.get("quotes")
    given = [one for one in given if isinstance(one, str)][:MOST_QUOTES] if isinstance(given, list) else []
    quotes = tuple(line for line in map(place.find, given) if line is not None)
    if row["met"] is None:
        return Judged(criterion, None, reason or "the judge cannot tell", quotes)
    if row["met"] is False:
        return Judged(criterion, False, reason or "the judge gives no reason", quotes)
    if not given:
        return Judged(criterion, False, "the judge says it is met, and quotes nothing")
    if not quotes:
        wrong = json.dumps(given[0][:100], ensure_ascii=False)
        return Judged(criterion, False, f"the judge quotes what nobody said: {wrong}")
    if not any(line.who in _OF_THE_PAL for line in quotes):
        return Judged(criterion, False, "the judge quotes nothing that the PAL said or called", quotes)
    return Judged(criterion, True, reason, quotes)


class Quotes:
    """Finds the speaker of a quote, ignoring case, spaces and the kind of quotation marks."""

    def __init__(self, lines: Sequence[Line]) -> None:
        plain = [(_plain(line.text), line.who) for line in lines]
        self._lines = sorted(plain, key=lambda line: line[1] not in _OF_THE_PAL)

    def find(self, quote: str) -> Line | None:
        """The quote with its speaker; None if no single line contains it.

        It must consist of whole words: two of them, or four letters, or the whole line.
        """
        plain = _plain(quote)
        letters = sum(map(str.isalnum, plain))
        long_enough = letters >= 4 or (" " in plain and letters > 1)
        for text, who in self._lines if letters else ():
            if text == plain or (long_enough and _holds(text, plain)):
                return Line(who, " ".join(quote.split()))
        return None


def _holds(text: str, words: str) -> bool:
    start = text.find(words)
    while start >= 0:
        end = start + len(words)
        if not (text[max(0, start - 1) : start].isalnum() or text[end : end + 1].isalnum()):
            return True
        start = text.find(words, start + 1)
    return False


def _plain(text: str) -> str:
    text = " ".join(text.translate(_SAME).split()).casefold()
    return text.strip(" .,;:!?\"'…")
