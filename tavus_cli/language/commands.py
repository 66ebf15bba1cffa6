"""The one table of commands: what is typed at the prompt, given to ``send`` and (later) held by scripts.

It feeds parsing, help, completion and the README. A row's ``build`` turns words into an action: an
Interaction to send, an AudioEcho to send in pieces, or a Say for the console itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any, NamedTuple

from tavus_cli.errors import UsageError, did_you_mean
from tavus_cli.language.grammar import Words, split_line
from tavus_cli.protocol import interactions
from tavus_cli.protocol.events import CATALOGUE, short_name
from tavus_cli.protocol.interactions import SENSITIVITIES, Interaction
from tavus_cli.protocol.wire import MAX_DEPTH, from_json, too_deep

LANGUAGES = ("js", "python", "shell", "json")  # of /copy


class AudioEcho(NamedTuple):
    """``/echo --audio FILE``: the file is read, cut and paced by whoever sends it."""

    path: str


class Say(NamedTuple):
    """Something the console itself answers: ``command`` is the name of a row that sends nothing."""

    command: str
    argument: str = ""


Action = Interaction | AudioEcho | Say


class Command(NamedTuple):
    """A row. ``sends`` is whether ``send`` takes it as a KIND.

    For completion: ``words`` are those that can come first, ``options`` what may stand anywhere and its help.
    """

    name: str
    usage: str
    help: str
    build: Callable[[Words], Action]
    sends: bool = True
    words: tuple[str, ...] = ()
    options: Mapping[str, str] = MappingProxyType({})


def _respond(words: Words) -> Action:
    return interactions.respond(words.rest("TEXT"))


def _echo(words: Words) -> Action:
    if words.flag("--audio"):
        return AudioEcho(words.rest("FILE.wav"))
    return interactions.echo(words.rest("TEXT"))


def _interrupt(words: Words) -> Action:
    words.done()
    return interactions.interrupt()


def _context(words: Words) -> Action:
    mode = words.word("append or overwrite")
    if mode == "append":
        completed = words.flag("--completed")
        return interactions.append_context(words.rest("TEXT"), completed=completed)
    if mode == "overwrite":
        return interactions.overwrite_context(words.rest("TEXT"))
    raise words.wrong(f'"{mode}" is neither append nor overwrite')


def _sensitivity(words: Words) -> Action:
    pair = words.word("pause=VALUE or interrupt=VALUE")
    which, equals, value = pair.partition("=")
    if which not in ("pause", "interrupt") or not equals:
        raise words.wrong(f'"{pair}" is neither pause=VALUE nor interrupt=VALUE')
    if value not in SENSITIVITIES:
        raise words.wrong(f'"{value}" is none of {", ".join(SENSITIVITIES)}')
    words.done()
    return interactions.sensitivity(which, value)


def _tool_result(words: Words) -> Action:
    error = words.flag("--error")
    call = words.word("CALL_ID")
    output: Any = words.rest("OUTPUT")
    if output.startswith("{"):
        with suppress(ValueError):  # text that begins with a brace is still text
            output = from_json(output)
    return interactions.tool_result(call, output, error=error)


def _confirm(words: Words) -> Action:
    return interactions.confirm(words.rest("OBJECTIVE"))


def _raw(words: Words) -> Action:
    text = words.rest("JSON")
    try:
        value = from_json(text)
    except ValueError as error:
        raise words.wrong(f"not JSON ({error})") from None
    if not isinstance(value, dict):
        raise words.wrong("a message is a JSON object")
    name = value.get("event_type")
    return Interaction(name if isinstance(name, str) else "", raw=value)


def _when(words: Words) -> Action:
    return Say("when", words.rest("EVENT"))  # taken apart by language/script


def _help(words: Words) -> Action:
    return Say("help", "" if words.empty else words.rest("").lstrip("/"))


def _ask(name: str) -> Callable[[Words], Action]:
    """A row with an argument that may be left out."""
    return lambda words: Say(name, "" if words.empty else words.rest(""))


def _ask_for(name: str, what: str) -> Callable[[Words], Action]:
    return lambda words: Say(name, words.rest(what))


def _just(name: str) -> Callable[[Words], Action]:
    def build(words: Words) -> Action:
        words.done()
        return Say(name)

    return build


def _number(name: str, what: str) -> Callable[[Words], Action]:
    def build(words: Words) -> Action:
        number = words.word(what)
        if not number.isdecimal() or len(number) > 16:
            raise words.wrong(f'"{number}" is no {what}')
        words.done()
        return Say(name, number)

    return build


def _copy(words: Words) -> Action:
    language = words.word(" or ".join(LANGUAGES))
    if language == "as":
        language = words.word(" or ".join(LANGUAGES))
    if language not in LANGUAGES:
        raise words.wrong(f'"{language}" is none of {", ".join(LANGUAGES)}')
    number = "" if words.empty else words.word("SEQ")
    if number and not number.isdecimal():
        raise words.wrong(f'"{number}" is no SEQ')
    words.done()
    return Say("copy", f"{language} {number}".strip())


_TYPES = tuple(sorted({short_name(name) for name in CATALOGUE}))
_PAIRS = tuple(f"{which}={value}" for which in ("pause", "interrupt") for value in SENSITIVITIES)
_ROWS = (
    Command(
        "respond", "/respond TEXT", "a user turn as text; a line without a slash does the same", _respond
    ),
    Command(
        "echo",
        "/echo TEXT | /echo --audio FILE.wav",
        "speak exactly this",
        _echo,
        options={"--audio": "a WAV file"},
    ),
    Command("interrupt", "/interrupt", "stop the PAL's speech", _interrupt),
    Command(
        "context",
        "/context append TEXT [--completed] | /context overwrite TEXT",
        "add to the context, or replace it; nothing is spoken",
        _context,
        words=("append", "overwrite"),
        options={"--completed": "the job that the text tells of is done"},
    ),
    Command(
        "sensitivity",
        "/sensitivity pause=VALUE | interrupt=VALUE",
        f"turn taking; VALUE is {', '.join(SENSITIVITIES)}",
        _sensitivity,
        words=_PAIRS,
    ),
    Command(
        "tool-result",
        "/tool-result CALL_ID OUTPUT [--error]",
        "answer a tool call; OUTPUT is text or a JSON object",
        _tool_result,
        options={"--error": "the tool failed"},
    ),
    Command("confirm", "/confirm OBJECTIVE", "confirm a pending objective", _confirm),
    Command("raw", "/raw JSON", "send a message as it is, known or not", _raw),
    Command(
        "when",
        "/when EVENT [MATCH…] [as NAME] [after DURATION] COMMAND",
        "send COMMAND once, so long after EVENT came (docs/scripts.md)",
        _when,
        sends=False,
    ),
    Command("help", "/help [COMMAND]", "this list, or one command", _help, sends=False),
    Command("quit", "/quit", "leave the room; Ctrl-D does the same", _just("quit"), sends=False),
    Command("end", "/end", "end the conversation for everybody, and leave", _just("end"), sends=False),
    Command("turns", "/turns", "a table of the turns and their latencies", _just("turns"), sends=False),
    Command("turn", "/turn N", "all that belongs to a turn, unfolded", _number("turn", "N"), sends=False),
    Command("tools", "/tools", "a table of the tool calls, open and answered", _just("tools"), sends=False),
    Command(
        "retry",
        "/retry CALL_ID",
        "run a tool again that failed or was not answered (see --tool)",
        _ask_for("retry", "CALL_ID"),
        sends=False,
    ),
    Command("stats", "/stats", "latencies: median, 95th percentile", _just("stats"), sends=False),
    Command("event", "/event SEQ", "one event in full", _number("event", "SEQ"), sends=False),
    Command("last", "/last", "the last event in full", _just("last"), sends=False),
    Command("find", "/find REGEX", "search all that has passed", _ask_for("find", "REGEX"), sends=False),
    Command(
        "only", "/only [TYPE…]", "show only these types; without any, all again", _ask("only"), False, _TYPES
    ),
    Command(
        "ignore",
        "/ignore [TYPE…]",
        "show all types but these; without any, all",
        _ask("ignore"),
        False,
        _TYPES,
    ),
    Command("where", "/where [JMESPATH]", "show only messages for which this is true", _ask("where"), False),
    Command("all", "/all", "fold twins and heartbeats, or no longer (F3)", _just("all"), False),
    Command(
        "copy",
        "/copy as js|python|shell|json [SEQ]",
        "an event, or what was sent last, as code",
        _copy,
        False,
        ("as",),
    ),
)
_FAMILY_OF = {short_name(name): kind.family for name, kind in CATALOGUE.items()}
_MEANINGS = {  # of families of event types, and of other words
    "utterance": "what was said, in full",
    "partial": "speech as it grows",
    "started": "somebody begins to speak",
    "stopped": "somebody stops speaking",
    "interrupted": "the PAL was interrupted",
    "tool_call": "a call that wants an answer",
    "analysis": "what the PAL sees and hears",
    "objective": "a goal of the conversation",
    "guardrail": "a rule was broken",
    "rag": "documents that were looked up",
    "ready": "the PAL has come",
    "present": "a heartbeat",
    "shutdown": "the conversation ends",
    "participant": "somebody came or went",
    "pause": "how long a pause before the answer",
    "interrupt": "how readily the user interrupts",
    "append": "add to the context",
    "overwrite": "replace the context",
}
_WHEN = {
    "role=pal": "a condition: of the PAL's side",
    "role=user": "a condition: of the user's side",
    "after": "how long after it, as 300ms",
    "as": "a name for the event, for COMMAND",
}
_USAGE_WIDTH = 32  # of the left column in the list of commands
COMMANDS = {row.name: row for row in _ROWS}
KINDS = tuple(row.name for row in _ROWS if row.sends)


SCRIPT_WORDS = ("wait", "expect", "set", "print", "repeat")  # language/script has what they mean


def parse(line: str) -> Action:
    """A typed line as an action. Raises UsageError with the nearest command."""
    name, rest = split_line(line)
    return build(name, rest)


def build(name: str, arguments: str | list[str]) -> Action:
    """A command and its arguments as an action. Raises UsageError."""
    row = COMMANDS.get(name)
    if name in SCRIPT_WORDS:
        raise UsageError(f"/{name} is for scripts: tavus-console run")
    if row is None:
        raise UsageError(
            f"unknown command /{name}" + did_you_mean(name, COMMANDS, "/") + "; /help lists them"
        )
    words = Words(arguments, row.usage)
    action = row.build(words)
    if isinstance(action, Interaction) and too_deep(action.encode("")):
        raise words.wrong(f"nested more than {MAX_DEPTH} deep, which Daily does not send")
    return action


def sendable(
    words: list[str], default_target: str | None, read: Callable[[], str]
) -> tuple[str | None, Interaction | AudioEcho]:
    """``[TARGET] KIND [TEXT]`` of ``send`` as target and action; a TEXT of "-" is what ``read`` gives.

    Raises UsageError.
    """
    target = default_target
    if words[0] not in KINDS:
        target, *words = words
    if not words or words[0] not in KINDS:
        near = [word for word in (target or "", *words[:1]) if did_you_mean(word, KINDS)]
        wrong = f'"{words[0]}" is no KIND' if words else "KIND is missing"
        if near:  # a misspelt KIND looks like a TARGET
            wrong = f'"{near[0]}" is no KIND{did_you_mean(near[0], KINDS)}'
        raise UsageError(f"{wrong}; it is one of {', '.join(KINDS)}")
    kind, *rest = words
    if rest[-1:] == ["-"]:
        rest[-1] = read().strip("\n")
    action = build(kind, rest)
    assert not isinstance(action, Say)
    return target, action


def help_lines(name: str = "", columns: int = 100) -> list[str]:
    """The list of commands, or one of them; as one column where there is no room for two.

    Raises UsageError for an unknown name.
    """
    if name:
        row = COMMANDS.get(name)
        if row is None:
            raise UsageError(f"unknown command /{name}" + did_you_mean(name, COMMANDS, "/"))
        return [row.usage, f"    {row.help}"]
    lines = []
    for row in _ROWS:
        if columns < 80:
            lines += [row.usage, f"    {row.help}"]
        elif len(row.usage) < _USAGE_WIDTH:
            lines.append(f"{row.usage:<{_USAGE_WIDTH}}{row.help}")
        else:
            lines += [row.usage, " " * _USAGE_WIDTH + row.help]
    return lines


def complete(text: str) -> list[tuple[str, str]]:
    """Completions of the word before the cursor, with descriptions: ("/echo", "speak exactly this")."""
    if not text.startswith("/") or text.startswith("//"):
        return []
    name, space, rest = text.partition(" ")
    if not space:
        return [(f"/{row.name}", row.help) for row in _ROWS if f"/{row.name}".startswith(name)]
    row = COMMANDS.get(name[1:])
    if row is None:
        return []
    if row.name == "when":
        return _complete_when(rest)
    *before, word = rest.split(" ")
    words: tuple[str, ...] = ()
    if row.name == "copy" and before == ["as"]:
        words = LANGUAGES
    elif not before or row.words is _TYPES:
        words = tuple(COMMANDS) if row.name == "help" else row.words
    if word.startswith("-"):
        words += tuple(row.options)
    return [(one, row.options.get(one) or _meaning(one)) for one in words if one.startswith(word)]


def _complete_when(rest: str) -> list[tuple[str, str]]:
    """Its event, then conditions and the command, then what that command takes."""
    _, slash, command = rest.partition(" /")
    if slash:
        sent = {f"/{kind}" for kind in KINDS}
        return [one for one in complete(f"/{command}") if " " in command or one[0] in sent]
    *before, word = rest.split(" ")
    commands = {f"/{kind}": COMMANDS[kind].help for kind in KINDS}
    known = _WHEN | commands if before else {one: _meaning(one) for one in _TYPES}
    return [one for one in known.items() if one[0].startswith(word)]


def _meaning(word: str) -> str:
    """What is said beside a word in the menu of completions; "" where it says all itself."""
    if word in COMMANDS:
        return COMMANDS[word].help
    which = word.partition("=")[0]
    return _MEANINGS.get(which) or _MEANINGS.get(_FAMILY_OF.get(word, ""), "")
