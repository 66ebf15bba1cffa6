"""The table of commands: every row, typed and as arguments; errors, help and completion."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.errors import UsageError
from tavus_cli.language.commands import (
    COMMANDS,
    GROUPS,
    KINDS,
    Action,
    AudioEcho,
    Say,
    build,
    help_lines,
    parse,
    sendable,
)
from tavus_cli.language.completion import complete
from tavus_cli.protocol import interactions
from tavus_cli.protocol.interactions import SENSITIVITIES, Interaction
from tests.kits.conversations import few, many

_TYPED: dict[str, Action] = {
    "What are your  hours?": interactions.respond("What are your  hours?"),
    "//help is a command": interactions.respond("/help is a command"),
    "/respond Hi  there": interactions.respond("Hi  there"),
    '/respond "quoted"': interactions.respond('"quoted"'),
    "/echo Welcome  back.": interactions.echo("Welcome  back."),
    "/echo two\nlines": interactions.echo("two\nlines"),
    "/echo\ntwo lines": interactions.echo("two lines"),
    "/echo --audio my file.wav": AudioEcho("my file.wav"),
    "/echo file.wav --audio": AudioEcho("file.wav"),
    "/interrupt": interactions.interrupt(),
    "/context append  it is  late": interactions.append_context("it is  late"),
    "/context append done --completed": interactions.append_context("done", completed=True),
    "/context append --completed done": interactions.append_context("done", completed=True),
    "/context overwrite all  new": interactions.overwrite_context("all  new"),
    "/context overwrite x --completed": interactions.overwrite_context("x --completed"),
    "/sensitivity pause=high": interactions.sensitivity("pause", "high"),
    "/sensitivity interrupt=superlow": interactions.sensitivity("interrupt", "superlow"),
    "/tool-result call_1 It is  open.": interactions.tool_result("call_1", "It is  open."),
    "/tool-result call_1 timed out --error": interactions.tool_result("call_1", "timed out", error=True),
    "/tool-result --error call_1 timed out": interactions.tool_result("call_1", "timed out", error=True),
    '/tool-result call_1 {"open": [9, 17]}': interactions.tool_result("call_1", {"open": [9, 17]}),
    "/tool-result call_1 {open} since nine": interactions.tool_result("call_1", "{open} since nine"),
    "/tool-result call_1 [1, 2]": interactions.tool_result("call_1", "[1, 2]"),
    "/tool-result call_1 42": interactions.tool_result("call_1", "42"),
    "/confirm confirm address": interactions.confirm("confirm address"),
    "/set-emotion happiness": interactions.set_emotion("happiness"),
    "/set-emotion  Contempt ": interactions.set_emotion("contempt"),
    '/raw {"event_type": "conversation.new", "a": 1}': Interaction(
        "conversation.new", raw={"event_type": "conversation.new", "a": 1}
    ),
    '/raw {"a": 1}': Interaction("", raw={"a": 1}),
    '/raw {"event_type": 5}': Interaction("", raw={"event_type": 5}),
    "/help": Say("help"),
    "/help echo": Say("help", "echo"),
    "/help /echo": Say("help", "echo"),
    "/quit": Say("quit"),
    "/end": Say("end"),
    "/turns": Say("turns"),
    "/turn 3": Say("turn", "3"),
    "/tools": Say("tools"),
    "/retry call_1": Say("retry", "call_1"),
    "/stats": Say("stats"),
    "/legend": Say("legend"),
    "/turn": Say("turn"),
    "/when": Say("when"),
    "/when cancel 2": Say("when", "cancel 2"),
    "/event 118": Say("event", "118"),
    "/last": Say("last"),
    "/find two  words|more": Say("find", "two  words|more"),
    "/only": Say("only"),
    "/only utterance replica.*": Say("only", "utterance replica.*"),
    "/ignore *speaking": Say("ignore", "*speaking"),
    "/where properties.role == 'pal'": Say("where", "properties.role == 'pal'"),
    "/all": Say("all"),
    "/copy as js": Say("copy", "js"),
    "/copy as shell 118": Say("copy", "shell 118"),
    "/copy js": Say("copy", "js"),
    "/copy as shell 12": Say("copy", "shell 12"),
    "/when utterance after 1s /echo  Hi": Say("when", "utterance after 1s /echo  Hi"),
    "/seek turn 3": Say("seek", "turn 3"),
    "/step": Say("step"),
    "/play 4": Say("play", "4"),
    "/pause": Say("pause"),
}


@pytest.mark.parametrize(("line", "action"), _TYPED.items(), ids=_TYPED)
def test_typed(line: str, action: Action) -> None:
    assert parse(line) == action


def test_every_row_is_typed_in_these_tests() -> None:
    assert {line[1:].split()[0] for line in _TYPED if line.startswith("/") and line[1] != "/"} == set(
        COMMANDS
    )


_ARGUMENTS: dict[str, tuple[str, list[str], Action]] = {
    "words are joined": (
        "respond",
        ["What", "are", "your hours?"],
        interactions.respond("What are your hours?"),
    ),
    "one argument is verbatim": ("echo", ["  two  spaces "], interactions.echo("  two  spaces ")),
    "a slash is text": ("respond", ["/quit"], interactions.respond("/quit")),
    "audio": ("echo", ["--audio", "my file.wav"], AudioEcho("my file.wav")),
    "interrupt": ("interrupt", [], interactions.interrupt()),
    "context": ("context", ["append", "a  b", "c"], interactions.append_context("a  b c")),
    "completed": (
        "context",
        ["append", "a", "--completed"],
        interactions.append_context("a", completed=True),
    ),
    "sensitivity": ("sensitivity", ["pause=low"], interactions.sensitivity("pause", "low")),
    "tool result": ("tool-result", ["c1", '{"a": 1}'], interactions.tool_result("c1", {"a": 1})),
    "empty tool result": ("tool-result", ["c1", ""], interactions.tool_result("c1", "")),
    "failed tool result": (
        "tool-result",
        ["--error", "c1", "no"],
        interactions.tool_result("c1", "no", error=True),
    ),
    "raw": ("raw", ['{"event_type": "x"}'], Interaction("x", raw={"event_type": "x"})),
}


@pytest.mark.parametrize(("name", "arguments", "action"), _ARGUMENTS.values(), ids=_ARGUMENTS)
def test_given_as_arguments(name: str, arguments: list[str], action: Action) -> None:
    assert build(name, arguments) == action


_WRONG = {
    "": "TEXT is missing; usage: /respond TEXT",
    "/respond": "TEXT is missing; usage: /respond TEXT",
    "/echo": "TEXT is missing; usage: /echo TEXT | /echo --audio FILE.wav",
    "/echo --audio": "FILE.wav is missing; usage: /echo TEXT | /echo --audio FILE.wav",
    "/interrupt now": "interrupt takes no text; usage: /interrupt",
    "/context": "append or overwrite is missing; usage: /context append TEXT",
    "/context append": "TEXT is missing; usage: /context append TEXT",
    "/context append --completed": "TEXT is missing; usage: /context append TEXT",
    "/context overwrite": "TEXT is missing; usage: /context append TEXT",
    "/context add x": '"add" is neither append nor overwrite; usage: /context append TEXT',
    "/sensitivity": "pause=VALUE or interrupt=VALUE is missing; usage: /sensitivity",
    "/sensitivity pause": '"pause" is neither pause=VALUE nor interrupt=VALUE; usage: /sensitivity',
    "/sensitivity mood=low": '"mood=low" is neither pause=VALUE nor interrupt=VALUE; usage: /sensitivity',
    "/sensitivity pause=": f'"" is not one of {", ".join(SENSITIVITIES)}; usage: /sensitivity',
    "/sensitivity pause=HIGH": f'"HIGH" is not one of {", ".join(SENSITIVITIES)}; did you mean high?; usage',
    "/sensitivity pause=lwo": f'"lwo" is not one of {", ".join(SENSITIVITIES)}; did you mean low?; usage',
    "/sensitivity puase=low": '"puase=low" is neither pause=VALUE nor interrupt=VALUE; did you mean pause=',
    "/context apend x": '"apend" is neither append nor overwrite; did you mean append?; usage: /context',
    "/copy as shel": '"shel" is not one of js, python, shell, json; did you mean shell?; usage: /copy',
    "/sensitivity pause=low interrupt=low": 'unexpected "interrupt=low"; usage: /sensitivity',
    "/tool-result": "CALL_ID is missing; usage: /tool-result CALL_ID OUTPUT [--error]",
    "/tool-result c1": "OUTPUT is missing; usage: /tool-result CALL_ID OUTPUT [--error]",
    "/tool-result c1 --error": "OUTPUT is missing; usage: /tool-result CALL_ID OUTPUT [--error]",
    "/confirm": "OBJECTIVE is missing; usage: /confirm OBJECTIVE",
    "/raw": "JSON is missing; usage: /raw JSON",
    "/raw {a: 1}": "not JSON (Expecting property name",
    "/raw [1]": "a message is a JSON object; usage: /raw JSON",
    "/quit now": "quit takes no text; usage: /quit",
    "/ehco Hi": "unknown command /ehco; did you mean /echo?; /help lists them",
    "/zzz": "unknown command /zzz; /help lists them",
    "/": "unknown command /; /help lists them",
    "/ECHO Hi": "unknown command /ECHO; did you mean /echo?",
}


@pytest.mark.parametrize(("line", "message"), _WRONG.items(), ids=_WRONG)
def test_what_is_wrong_is_reported_with_the_usage(line: str, message: str) -> None:
    with pytest.raises(UsageError, match="^" + re.escape(message)):
        parse(line)


@pytest.mark.parametrize("levels", [101, 500, 100_000])
@pytest.mark.parametrize("line", ["/raw {}", "/tool-result c1 {}"])
def test_what_is_nested_too_deep_is_refused(line: str, levels: int) -> None:
    with pytest.raises(UsageError, match="nested"):
        parse(line.format('{"a":' * levels + "1" + "}" * levels))


def test_as_deep_as_can_be_sent() -> None:
    action = parse("/raw " + '{"a":' * 100 + "1" + "}" * 100)
    assert isinstance(action, Interaction)


_LINES = st.one_of(
    st.text(),
    st.builds(
        "/{}{}{}".format,
        st.sampled_from(tuple(COMMANDS)),
        st.sampled_from((" ", "\n", "\t", "")),
        st.text() | st.sampled_from(("--audio x", "append x", "pause=low", "{}", '{"a":1}', "[[[")),
    ),
)


@many
@given(_LINES)
def test_any_line_is_an_action_or_a_usage_error(line: str) -> None:
    with suppress(UsageError):
        assert isinstance(parse(line), Interaction | AudioEcho | Say)


@few
@given(st.sampled_from(KINDS), st.lists(st.text(), max_size=4))
def test_any_arguments_are_an_action_or_a_usage_error(name: str, arguments: list[str]) -> None:
    with suppress(UsageError):
        assert isinstance(build(name, arguments), Interaction | AudioEcho)


# -- send ----------------------------------------------------------------------------------------------


def never() -> str:
    raise AssertionError("nothing was to be read")


_SENT: dict[str, tuple[list[str], str | None, Any]] = {
    "without a target": (["echo", "Hi"], "default", interactions.echo("Hi")),
    "with a target": (["sim", "echo", "Hi"], "sim", interactions.echo("Hi")),
    "a target named like nothing": (
        ["https://x.daily.co/y", "interrupt"],
        "https://x.daily.co/y",
        interactions.interrupt(),
    ),
    "a text named like a kind": (["respond", "echo"], "default", interactions.respond("echo")),
}


@pytest.mark.parametrize(("words", "target", "action"), _SENT.values(), ids=_SENT)
def test_sendable(words: list[str], target: str | None, action: Action) -> None:
    assert sendable(words, "default", never) == (target, action)


def test_sendable_text_from_elsewhere() -> None:
    assert sendable(["echo", "-"], None, lambda: "two\nlines\n") == (None, interactions.echo("two\nlines"))
    assert sendable(["tool-result", "c", "-"], None, lambda: "{}") == (
        None,
        interactions.tool_result("c", {}),
    )
    assert sendable(["echo", "-", "x"], None, never) == (None, interactions.echo("- x"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sim"], "KIND is missing; the kinds are respond, echo"),
        (["sim", "ehco", "Hi"], 'unknown KIND "ehco"; did you mean echo?; the kinds are'),
        (["ehco"], 'unknown KIND "ehco"; did you mean echo?; the kinds are'),
        (["ehco", "Hi"], 'unknown KIND "ehco"; did you mean echo?; the kinds are'),
        (["sim", "zzz"], 'unknown KIND "zzz"; the kinds are'),
        (["sim", "quit"], 'unknown KIND "quit"; the kinds are'),
        (["echo"], "TEXT is missing; usage: /echo TEXT"),
    ],
)
def test_what_cannot_be_sent(words: list[str], message: str) -> None:
    with pytest.raises(UsageError, match="^" + re.escape(message)):
        sendable(words, None, never)


# -- help and completion -------------------------------------------------------------------------------


_ONLY_RECORDED = GROUPS["replay"]
_NOT_RECORDED = {name for name in COMMANDS if COMMANDS[name].sends} | {"when", "retry", "end"}


@pytest.mark.parametrize("recorded", [False, True])
def test_help_lists_every_command_that_applies(recorded: bool) -> None:
    lines = help_lines(recorded=recorded)
    other = "talk" if recorded else "replay"
    assert [line for line in lines if line.endswith(":")] == [f"{one}:" for one in GROUPS if one != other]
    text = " ".join(" ".join(line for line in lines if not line.endswith(":")).split())
    names = [name for name in COMMANDS if name not in (_NOT_RECORDED if recorded else _ONLY_RECORDED)]
    assert [word for word, _ in complete("/", recorded)] == [f"/{name}" for name in names]
    position = -1
    for row in map(COMMANDS.__getitem__, names):
        assert (position := text.index(f"{row.usage} {row.help}", position + 1)) >= 0


def test_the_list_of_commands_fits_a_terminal_of_100_columns() -> None:
    assert max(map(len, help_lines())) <= 100


def test_the_list_of_commands_is_one_column_on_a_narrow_terminal() -> None:
    assert help_lines(columns=79)[1:3] == help_lines("respond")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_on_one(name: str) -> None:
    row = COMMANDS[name]
    assert help_lines(name) == [row.usage, f"    {row.help}"]
    assert row.usage.startswith(f"/{name}")
    assert row.help


def test_help_on_an_unknown_command() -> None:
    with pytest.raises(UsageError, match=re.escape("unknown command /ehco; did you mean /echo?")):
        help_lines("ehco")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/seek ", ["turn", "seq", "start", "end"]),
        ("/res", ["/respond"]),
        ("/in", ["/interrupt"]),
        ("/zzz", []),
        ("/context ", ["append", "overwrite"]),
        ("/context o", ["overwrite"]),
        ("/context append x", []),
        ("/context append x -", ["--completed"]),
        ("/tool-result c1 --", ["--error"]),
        ("/sensitivity pause=v", ["pause=verylow"]),
        ("/echo --", ["--audio"]),
        ("/help e", ["echo", "event", "end"]),
        ("/only tool", ["tool_call", "tool_result"]),
        ("/only tool_call utter", ["utterance", "utterance.streaming"]),
        ("/copy ", ["as"]),
        ("/copy as p", ["python"]),
        ("/copy as python ", []),
        ("/interrupt ", []),
        ("/when started", ["started_speaking"]),
        ("/when utterance ro", ["role=pal", "role=user"]),
        ("/when utterance role=pal af", ["after"]),
        ("/when utterance after 1s /ec", ["/echo"]),
        ("/when utterance after 1s /tu", []),
        ("/when utterance after 1s /context ov", ["overwrite"]),
        ("/when utterance after 1s /echo -", ["--audio"]),
        ("/zzz ", []),
        ("//", []),
        ("//echo", []),
        ("echo", []),
        ("", []),
    ],
)
def test_completion(text: str, words: list[str]) -> None:
    assert [word for word, _ in complete(text)] == words


def test_completion_of_names_says_what_they_do() -> None:
    assert dict(complete("/")) == {
        f"/{name}": f"{group:<7}  {COMMANDS[name].help}" for group, name in grouped() if group != "replay"
    }


def grouped() -> list[tuple[str, str]]:
    named = {name: group for group, names in GROUPS.items() for name in names}
    return [(named.get(name, "talk"), name) for name in COMMANDS]


@pytest.mark.parametrize(
    "text",
    ["/only ", "/ignore utterance ", "/sensitivity ", "/context ", "/echo -", "/help ", "/when ", "/when x "],
)
def test_completed_words_say_what_they_mean(text: str) -> None:
    completed = complete(text)
    assert completed
    assert [word for word, meaning in completed if not meaning] == []


@pytest.mark.parametrize("kind", ["set-emotion", "set_emotion", "emotion"])
def test_an_emotion_by_every_name_of_its_command(kind: str) -> None:
    expected = interactions.set_emotion("surprise")
    assert parse(f"/{kind} surprise") == expected
    assert sendable([kind, "surprise"], "sim", str) == ("sim", expected)
    assert sendable(["sim", kind, "surprise"], None, str) == ("sim", expected)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("/set-emotion", "EMOTION is missing"),
        ("/set-emotion joy", '"joy" is not one of neutral, happiness'),
        ("/set-emotion happyness", "did you mean happiness?"),
        ("/set-emotion anger now", "set-emotion"),
    ],
)
def test_what_is_not_an_emotion(line: str, says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)):
        parse(line)
