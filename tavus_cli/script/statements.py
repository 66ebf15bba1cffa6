"""Parsing scripts: the console's commands, and /wait, /expect, /when, names and /repeat.

``parse_script`` finds every mistake before anything is sent. ``statement`` is then called again for each line
that is reached, with the current values of its names. docs/scripts.md describes the language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise

from tavus_cli.errors import UsageError, did_you_mean
from tavus_cli.language.commands import COMMANDS, AudioEcho, build
from tavus_cli.language.grammar import duration, split_line
from tavus_cli.language.patterns import literal_glob
from tavus_cli.protocol.interactions import MOST_BYTES, Interaction
from tavus_cli.script.conditions import (
    LineError,
    Match,
    Token,
    before_command,
    check_event,
    match_of,
    tokens,
    unquoted,
)
from tavus_cli.script.model import (
    Assign,
    Line,
    Mistake,
    Pause,
    Print,
    Quit,
    Repeat,
    Script,
    Send,
    Statement,
    When,
)
from tavus_cli.script.names import Names, fill, hidden, put_in, replaced
from tavus_cli.script.window import Expectation

MOST_REPEATS = 100_000
MOST_LINES = 1_000_000  # in one run: /repeat inside /repeat multiplies
MOST_NESTED = 20  # levels of /repeat
TOO_MANY = f"over {MOST_LINES:,} lines would be run: repeat less"
WORDS = {
    "wait": "/wait DURATION | EVENT [MATCH…] [within DURATION] [as NAME]",
    "expect": "/expect [no] EVENT [MATCH…] [within DURATION] [from start] [as NAME]",
    "when": "/when EVENT [MATCH…] [as NAME] [after DURATION] COMMAND",
    "set": "/set NAME VALUE",
    "print": "/print TEXT",
    "repeat": "/repeat N [as NAME], with the lines it repeats indented below it",
}
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_NEARLY_NO = ("no", "on", "not", "none", "never")
_CLAUSES = {"wait": ("within", "as"), "expect": ("within", "from", "as"), "when": ("after", "as")}


def parse_script(text: str) -> Script:
    """The lines of a script, and every mistake in them."""
    mistakes: list[Mistake] = []
    if text.count("\n") > MOST_LINES:
        return Script((), (Mistake(MOST_LINES + 1, 1, f"a script may have {MOST_LINES:,} lines"),))
    flat = list(_flat(text))
    for line in flat:
        if len(line.text) > MOST_BYTES:  # it would also stand in each report
            mistakes.append(Mistake(line.number, 1, f"a line of over {MOST_BYTES:,} characters"))
            return Script((), tuple(mistakes))
    lines = _nested(flat, mistakes)
    _check(lines, Names(), mistakes)
    return Script(lines, tuple(sorted(mistakes, key=lambda one: (one.line, one.column))))


def statement(line: Line, names: Names) -> Statement:
    """The statement of a line, with the values of ``names``. Raises LineError."""
    text = line.text
    try:
        return _statement(text, names)
    except LineError as error:
        raise LineError(str(error), line.column + error.column - 1) from None
    except UsageError as error:
        arguments = len(text) - len(text.split(maxsplit=1)[-1]) if " " in text else 0
        raise LineError(str(error), line.column + arguments) from None


def command(text: str, names: Names) -> Send | Quit:
    """A command to send, with its names replaced. Raises UsageError."""
    shown, values = hidden(text, names)
    name, arguments = split_line(shown)
    if name not in COMMANDS:
        hint = did_you_mean(name, [*COMMANDS, *WORDS], "/")
        raise LineError(f"unknown command /{name}{hint}")
    action = build(name, arguments)
    if isinstance(action, Interaction):
        return Send(fill(action, values))
    if isinstance(action, AudioEcho):
        if values:
            raise UsageError("a file name cannot come from an event")
        return Send(action)
    if name == "quit":
        return Quit()
    raise LineError(f"/{name} works only in the console, not in a script")


# -- lines and blocks --------------------------------------------------------------------------------------


def _flat(text: str) -> Iterator[Line]:
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip().lstrip("\ufeff")
        if stripped and not stripped.startswith("#"):
            indent = len(line) - len(line.lstrip())
            yield Line(number, indent + 1, stripped)


def _nested(flat: list[Line], mistakes: list[Mistake], level: int = 0) -> tuple[Line, ...]:
    """Move indented lines into the blocks of the /repeat above them."""
    if level > MOST_NESTED:
        mistakes.append(Mistake(flat[0].number, 1, f"nested too deep: at most {MOST_NESTED} /repeat"))
        return ()
    out: list[Line] = []
    at = 0
    while at < len(flat):
        line, at = flat[at], at + 1
        begun = at
        while at < len(flat) and flat[at].column > line.column:
            at += 1
        if begun < at and not _is_repeat(line):
            mistakes.append(Mistake(flat[begun].number, 1, "indented, but there is no /repeat above it"))
        inner = flat[begun:at]
        if inner and any(one.column < inner[0].column for one in inner):
            wrong = next(one for one in inner if one.column < inner[0].column)
            mistakes.append(
                Mistake(wrong.number, 1, "indented less than the line above but more than /repeat")
            )
        out.append(
            Line(line.number, line.column, line.text, _nested(inner, mistakes, level + 1) if inner else ())
        )
    return tuple(out)


def _is_repeat(line: Line) -> bool:
    return split_line(line.text)[0] == "repeat"


def _check(lines: tuple[Line, ...], names: Names, mistakes: list[Mistake]) -> int:
    """Check every line once, in order, as if every event had arrived.

    Returns how many lines will be run, at least, as a count may be a name.
    """
    runs = 0
    for line in lines:
        times = 1
        try:
            said = statement(line, names)
        except LineError as error:
            mistakes.append(Mistake(line.number, error.column, str(error)))
            with suppress(LineError):
                _keep_name(line, names)  # so that one mistake is not reported again at every use of the name
            said = None
        if isinstance(said, Assign):
            names.assign(said.name, said.value, remote=said.remote)
        elif isinstance(said, Expectation) and said.name:
            names.expect(said.name)
        elif isinstance(said, Repeat):
            names.assign(said.name, "1")
            times = said.count
            if not line.block:
                mistakes.append(Mistake(line.number, line.column, "no indented lines below it to repeat"))
        runs += 1 + times * _check(line.block, names, mistakes)
        if runs > MOST_LINES:
            mistakes.append(Mistake(line.number, line.column, TOO_MANY))
            runs = 0
    return runs


def _keep_name(line: Line, names: Names) -> None:
    words = tokens(line.text)
    for before, word in pairwise(words):
        if before.text in ("as", "/set") and _NAME.fullmatch(word.text):
            names.expect(word.text)


# -- one line ----------------------------------------------------------------------------------------------


def _statement(text: str, names: Names) -> Statement:
    name = split_line(text)[0] if text.startswith("/") and not text.startswith("//") else ""
    if name not in WORDS:
        return command(text, names)
    if name == "when":
        return _when(text, names)
    rest = tokens(text)[1:] if name != "print" else []
    if name == "print":
        return Print(_rest(text, len("/print"), names))
    if not rest:
        raise LineError(f"arguments are missing; usage: {WORDS[name]}")
    if name == "set":
        word = _name(rest[0])
        end = rest[0].start + len(rest[0].text)
        if not text[end:]:
            raise LineError(f"VALUE is missing; usage: {WORDS[name]}", end + 1)
        return Assign(word, unquoted(_rest(text, end, names)), names.is_remote(text[end:]))
    if name == "repeat":
        return _repeat(rest, names)
    if name == "wait" and _plain(rest[0], names)[:1].isdigit():
        return Pause(_duration(Token(text[rest[0].start :].rstrip(), rest[0].start), names))
    return _expectation(name, rest, names)


def _repeat(rest: list[Token], names: Names) -> Repeat:
    word = _plain(rest[0], names)
    if not (word.isascii() and word.isdigit() and 0 < len(word) < 7 and 0 < int(word) <= MOST_REPEATS):
        raise LineError(f'"{word}" is not a number from 1 to {MOST_REPEATS:,}', rest[0].column)
    if len(rest) == 1:
        return Repeat(int(word), "n")
    if rest[1].text != "as" or len(rest) != 3:
        raise LineError(f'unexpected "{rest[1].text}"; usage: {WORDS["repeat"]}', rest[1].column)
    return Repeat(int(word), _name(rest[2]))


def _when(text: str, names: Names) -> When:
    words, start = before_command(text)
    if start is None:
        raise LineError(f"COMMAND is missing (it begins with a slash); usage: {WORDS['when']}", len(text))
    rest, column = text[start:], start + 1
    after, kept = 0.0, []
    _once(words, ("after",))
    skip = iter(words[1:])
    for word in skip:
        if word.text == "after":
            after = _duration(_next(skip, word, "DURATION"), names)
        else:
            kept.append(word)
    if not kept:
        raise LineError(f"EVENT is missing; usage: {WORDS['when']}", words[0].column)
    event = _expectation("when", kept, names)
    if event.event == "reply":
        raise LineError("reply is for /expect and /wait: it is the answer to what was sent", kept[0].column)
    known = names.copy()
    known.checking = True
    if event.name:
        known.expect(event.name)
    try:
        if (placed := split_line(rest)[0]) in (*WORDS, "quit"):
            raise LineError(f"/{placed} cannot follow /when: it sends nothing")
        command(rest, known)
    except LineError as error:
        raise LineError(str(error), column + error.column - 1) from None
    except UsageError as error:
        raise LineError(str(error), column) from None
    return When(event, after, rest, column)


def _expectation(name: str, words: list[Token], names: Names) -> Expectation:
    none = name == "expect" and words[0].text == "no"
    if name == "expect" and len(words) > 1 and words[0].text.lower() in _NEARLY_NO and not none:
        raise LineError(f'unknown event type "{words[0].text}"; did you mean no?', words[0].column)
    if none and len(words) == 1:
        raise LineError(f"EVENT is missing; usage: {WORDS[name]}", words[0].column)
    event, *rest = words[1:] if none else words
    kind = _with_quoted(event, names, literal_glob)
    check_event(kind, event.column)
    matches, within, start, kept = [], None, False, ""
    clauses = _CLAUSES[name]
    _once(rest, clauses)
    skip = iter(rest)
    for word in skip:
        if word.text == "within" and "within" in clauses:
            within = _duration(_next(skip, word, "DURATION"), names)
        elif word.text == "from" and "from" in clauses:
            if (then := _next(skip, word, "start")).text != "start":
                raise LineError(f'"from {then.text}" is not a clause; did you mean from start?', then.column)
            start = True
        elif word.text == "as" and "as" in clauses and not none:
            kept = _name(_next(skip, word, "NAME"))
        elif (match := _match(word, names)) is not None:
            matches.append(match)
        else:
            hint = did_you_mean(word.text, clauses) or f"; it is field=value, {' or '.join(clauses)}"
            raise LineError(f'"{word.text}" is not a MATCH{hint}', word.column)
    return Expectation(kind, tuple(matches), within, none, start, name == "wait", kept)


def _once(words: list[Token], clauses: tuple[str, ...]) -> None:
    """Raises LineError for a clause given twice, rather than ignoring one of them."""
    seen: set[str] = set()
    for before, word in pairwise([Token("", 0), *words]):
        if word.text in seen and before.text != "as":
            raise LineError(f'"{word.text}" is given twice', word.column)
        if word.text in clauses and before.text != "as":
            seen.add(word.text)


def _plain(word: Token, names: Names) -> str:
    """A word with its names replaced, also inside quotes; values are never split into words."""
    return _with_quoted(word, names, str)


def _with_quoted(word: Token, names: Names, quote: Callable[[str], str]) -> str:
    """As ``_plain``, with values from events quoted by ``quote``."""
    return put_in(*_hidden(word, names), quote)


def _match(word: Token, names: Names) -> Match | None:
    text, values = _hidden(word, names)
    return match_of(text, word.column, lambda value, quote: put_in(value, values, quote))


def _hidden(word: Token, names: Names) -> tuple[str, list[str]]:
    try:
        return hidden(word.plain, names)
    except LineError as error:
        raise LineError(str(error), word.start + error.column) from None


def _rest(text: str, start: int, names: Names) -> str:
    """The text after a word, verbatim, with its names replaced."""
    rest = text[start:].lstrip()
    try:
        return replaced(rest, names)
    except LineError as error:
        raise LineError(str(error), len(text) - len(rest) + error.column) from None


def _next(words: Iterator[Token], before: Token, what: str) -> Token:
    word = next(words, None)
    if word is None:
        raise LineError(f'{what} is missing after "{before.text}"', before.column)
    return word


def _name(word: Token) -> str:
    if not _NAME.fullmatch(word.text):
        raise LineError(f'"{word.text}" is not a valid NAME: use letters, digits and _', word.column)
    return word.text


def _duration(word: Token, names: Names) -> float:
    try:
        return duration(_plain(word, names))
    except LineError:
        raise
    except UsageError as error:
        raise LineError(str(error), word.column) from None
