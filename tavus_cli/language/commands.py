"""The table of commands, for the prompt, for ``send`` and for scripts.

It feeds parsing, help, completion and the documentation. A row's ``build`` turns words into an action: an
Interaction to send, an AudioEcho to send in pieces, or a Say for the console itself to run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from tavus_cli.errors import UsageError, did_you_mean
from tavus_cli.language.grammar import Words, split_line
from tavus_cli.protocol import interactions
from tavus_cli.protocol.catalogue import CATALOGUE, short_name
from tavus_cli.protocol.interactions import EMOTIONS, SENSITIVITIES, Interaction
from tavus_cli.protocol.wire import MAX_DEPTH, TOO_DEEP, from_json, too_deep

LANGUAGES = ("js", "python", "shell", "json")  # of /copy


class AudioEcho(NamedTuple):
    """``/echo --audio FILE``. The sender reads the file, cuts it into pieces and paces them."""

    path: str


class Say(NamedTuple):
    """A command that the console itself runs; ``command`` is the name of its row, which sends nothing."""

    command: str
    argument: str = ""


Action = Interaction | AudioEcho | Say


class Command(NamedTuple):
    """A row of the table. ``sends`` is whether ``send`` accepts it as a KIND.

    For completion, ``words`` are valid as the first argument, ``options`` (with their help) anywhere.
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
    words.none()
    return interactions.interrupt()


def _context(words: Words) -> Action:
    mode = words.word("append or overwrite")
    if mode == "append":
        completed = words.flag("--completed")
        return interactions.append_context(words.rest("TEXT"), completed=completed)
    if mode == "overwrite":
        return interactions.overwrite_context(words.rest("TEXT"))
    near = did_you_mean(mode, ("append", "overwrite"))
    raise words.wrong(f'"{mode}" is neither append nor overwrite{near}')


def _sensitivity(words: Words) -> Action:
    pair = words.word("pause=VALUE or interrupt=VALUE")
    which, equals, value = pair.partition("=")
    if which not in ("pause", "interrupt") or not equals:
        near = did_you_mean(pair, _PAIRS) if equals else ""
        raise words.wrong(f'"{pair}" is neither pause=VALUE nor interrupt=VALUE{near}')
    if value not in SENSITIVITIES:
        near = did_you_mean(value, SENSITIVITIES)
        raise words.wrong(f'"{value}" is not one of {", ".join(SENSITIVITIES)}{near}')
    words.done()
    return interactions.sensitivity(which, value)


def _tool_result(words: Words) -> Action:
    error = words.flag("--error")
    call = words.word("CALL_ID")
    output: Any = words.rest("OUTPUT")
    if output.startswith("{"):
        try:
            output = from_json(output)
        except ValueError as unread:  # text that begins with a brace is still text
            if str(unread) == TOO_DEEP:
                raise words.wrong(f"OUTPUT is {TOO_DEEP}") from None
    return interactions.tool_result(call, output, error=error)


def _confirm(words: Words) -> Action:
    return interactions.confirm(words.rest("OBJECTIVE"))


def _set_emotion(words: Words) -> Action:
    emotion = words.word("EMOTION").lower()
    if emotion not in EMOTIONS:
        near = did_you_mean(emotion, EMOTIONS)
        raise words.wrong(f'"{emotion}" is not one of {", ".join(EMOTIONS)}{near}')
    words.done()
    return interactions.set_emotion(emotion)


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


def _turn(words: Words) -> Action:
    return Say("turn") if words.empty else _number("turn", "N")(words)


def _help(words: Words) -> Action:
    return Say("help", "" if words.empty else words.rest("").lstrip("/"))


def _ask(name: str) -> Callable[[Words], Action]:
    """For a row with an optional argument."""
    return lambda words: Say(name, "" if words.empty else words.rest(""))


def _ask_for(name: str, what: str) -> Callable[[Words], Action]:
    return lambda words: Say(name, words.rest(what))


def _just(name: str) -> Callable[[Words], Action]:
    def build(words: Words) -> Action:
        words.none()
        return Say(name)

    return build


def _number(name: str, what: str) -> Callable[[Words], Action]:
    def build(words: Words) -> Action:
        number = words.word(what)
        if not number.isdecimal() or len(number) > 16:
            raise words.wrong(f'{what} must be a whole number, not "{number}"')
        words.done()
        return Say(name, number)

    return build


def _copy(words: Words) -> Action:
    language = words.word(" or ".join(LANGUAGES))
    if language == "as":
        language = words.word(" or ".join(LANGUAGES))
    if language not in LANGUAGES:
        near = did_you_mean(language, LANGUAGES)
        raise words.wrong(f'"{language}" is not one of {", ".join(LANGUAGES)}{near}')
    number = "" if words.empty else words.word("SEQ")
    if number and not number.isdecimal():
        raise words.wrong(f'SEQ must be a whole number, not "{number}"')
    words.done()
    return Say("copy", f"{language} {number}".strip())


TYPES = tuple(sorted({short_name(name) for name in CATALOGUE}))
_PAIRS = tuple(f"{which}={value}" for which in ("pause", "interrupt") for value in SENSITIVITIES)
_ROWS = (
    Command(
        "respond", "/respond TEXT", "say TEXT as the user; a line without a slash does the same", _respond
    ),
    Command(
        "echo",
        "/echo TEXT | /echo --audio FILE.wav",
        "make the PAL say exactly this",
        _echo,
        options={"--audio": "a WAV file"},
    ),
    Command("interrupt", "/interrupt", "stop the PAL's speech", _interrupt),
    Command(
        "context",
        "/context append TEXT [--completed] | /context overwrite TEXT",
        "add to the PAL's context, or replace it, without speech",
        _context,
        words=("append", "overwrite"),
        options={"--completed": "mark the job in TEXT as completed"},
    ),
    Command(
        "sensitivity",
        "/sensitivity pause=VALUE | interrupt=VALUE",
        f"set turn taking; VALUE is {', '.join(SENSITIVITIES)}",
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
    Command(
        "set-emotion",
        "/set-emotion EMOTION",
        "set the PAL's emotion, e.g. happiness (unverified over Daily)",
        _set_emotion,
        words=EMOTIONS,
    ),
    Command("raw", "/raw JSON", "send any JSON object as a message, unchanged", _raw),
    Command(
        "when",
        "/when EVENT [MATCH…] [as NAME] [after DURATION] COMMAND | /when | /when cancel N",
        "send COMMAND once, when EVENT arrives; list or cancel what waits",
        _ask("when"),  # parsed by script/statements
        sends=False,
    ),
    Command("help", "/help [COMMAND]", "list the commands, or explain one", _help, sends=False),
    Command("quit", "/quit", "leave the room; Ctrl-D does the same", _just("quit"), sends=False),
    Command("end", "/end", "end the conversation for everyone, and leave", _just("end"), sends=False),
    Command("turns", "/turns", "list the turns and their latencies", _just("turns"), sends=False),
    Command("turn", "/turn [N]", "show all events of a turn; without N, of this one", _turn, False),
    Command("tools", "/tools", "list the tool calls, open and answered", _just("tools"), sends=False),
    Command(
        "retry",
        "/retry CALL_ID",
        "run a failed or unanswered tool call again (see --tool)",
        _ask_for("retry", "CALL_ID"),
        sends=False,
    ),
    Command("stats", "/stats", "show latencies: median, 95th percentile, max", _just("stats"), sends=False),
    Command("event", "/event SEQ", "show one event in full", _number("event", "SEQ"), sends=False),
    Command("last", "/last", "show the last event in full", _just("last"), sends=False),
    Command("legend", "/legend", "explain the words and signs of the view", _just("legend"), sends=False),
    Command("find", "/find REGEX", "search everything so far", _ask_for("find", "REGEX"), sends=False),
    Command(
        "only", "/only [TYPE…]", "show only these types; without TYPE, show all", _ask("only"), False, TYPES
    ),
    Command(
        "ignore",
        "/ignore [TYPE…]",
        "hide these types; without TYPE, hide none",
        _ask("ignore"),
        False,
        TYPES,
    ),
    Command(
        "where",
        "/where [JMESPATH]",
        "show only matching messages; without JMESPATH, all",
        _ask("where"),
        False,
    ),
    Command("all", "/all", "show twins and heartbeats, or fold them again (F3)", _just("all"), False),
    Command(
        "copy",
        "/copy as js|python|shell|json [SEQ]",
        "copy an event, or the last message sent, as code",
        _copy,
        False,
        ("as",),
    ),
    Command(
        "seek",
        "/seek PLACE",
        "go to a place: 12:03:11, +90s, turn 3, seq 120, start, end",
        _ask_for("seek", "PLACE"),
        False,
        ("turn", "seq", "start", "end"),
    ),
    Command("step", "/step", "show the next row; Enter on an empty line does the same", _just("step"), False),
    Command("play", "/play [SPEED]", "play it at 1, 4 or max times its pace (F4)", _ask("play"), False),
    Command("pause", "/pause", "pause; /step, /play and /seek continue (F4)", _just("pause"), False),
)
GROUPS: Mapping[str, tuple[str, ...]] = {  # sections of /help; unlisted commands are in the first
    "talk": (),
    "replay": ("seek", "step", "play", "pause"),
    "look": ("turns", "turn", "tools", "stats", "event", "last", "find", "legend", "copy"),
    "filter": ("only", "ignore", "where", "all"),
    "session": ("when", "retry", "help", "quit", "end"),
}


_LIVE_ONLY = ("when", "retry", "end")


def _in_groups() -> Iterator[tuple[str, Command]]:
    named = {name: group for group, names in GROUPS.items() for name in names}
    for group in GROUPS:
        yield from ((group, row) for row in _ROWS if named.get(row.name, "talk") == group)


def applying(recorded: bool) -> Iterator[tuple[str, Command]]:
    """Those for a recording (replay -i), or those for a conversation."""
    for group, row in _in_groups():
        if group != ("talk" if recorded else "replay") and not (recorded and row.name in _LIVE_ONLY):
            yield group, row


_USAGE_WIDTH = 32  # columns of the left column in the list of commands
COMMANDS = {row.name: row for _, row in _in_groups()}
KINDS = tuple(row.name for row in _ROWS if row.sends)
ALIASES = {"emotion": "set-emotion", "set_emotion": "set-emotion"}


SCRIPT_WORDS = ("wait", "expect", "set", "print", "repeat")  # script/statements parses them


def parse(line: str) -> Action:
    """A typed line as an action. Raises UsageError with the nearest command."""
    name, rest = split_line(line)
    return build(name, rest)


def build(name: str, arguments: str | list[str]) -> Action:
    """A command and its arguments as an action. Raises UsageError."""
    row = COMMANDS.get(ALIASES.get(name, name))
    if name in SCRIPT_WORDS:
        raise UsageError(f"/{name} works only in scripts: tavus-console run")
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
    """``[TARGET] KIND [TEXT]`` of ``send`` as target and action; ``read`` gives the text for "-".

    Raises UsageError.
    """
    target, kinds = default_target, (*KINDS, *ALIASES)
    if words[0] not in kinds:
        target, *words = words
    if not words or words[0] not in kinds:
        near = [word for word in (target or "", *words[:1]) if did_you_mean(word, KINDS)]
        wrong = f'unknown KIND "{words[0]}"' if words else "KIND is missing"
        if near:  # a misspelt KIND was taken for a TARGET
            wrong = f'unknown KIND "{near[0]}"{did_you_mean(near[0], KINDS)}'
        raise UsageError(f"{wrong}; the kinds are {', '.join(KINDS)}")
    kind, *rest = words
    if rest[-1:] == ["-"] and rest[-2:-1] != ["--audio"]:  # its file is standard input, read as bytes
        rest[-1] = read().strip("\n")
    action = build(kind, rest)
    assert not isinstance(action, Say)
    return target, action


def help_lines(name: str = "", columns: int = 100, recorded: bool = False) -> list[str]:
    """Help for all commands or for one; in one column if two do not fit.

    ``recorded``: of those for a recording. Raises UsageError for an unknown name.
    """
    if name:
        row = COMMANDS.get(name)
        if row is None:
            raise UsageError(f"unknown command /{name}" + did_you_mean(name, COMMANDS, "/"))
        return [row.usage, f"    {row.help}"]
    lines = []
    before = ""
    for group, row in applying(recorded):
        if group != before:
            lines.append(f"{group}:")
            before = group
        if columns < 80:
            lines += [row.usage, f"    {row.help}"]
        elif len(row.usage) < _USAGE_WIDTH:
            lines.append(f"{row.usage:<{_USAGE_WIDTH}}{row.help}")
        else:
            lines += [row.usage, " " * _USAGE_WIDTH + row.help]
    return lines
