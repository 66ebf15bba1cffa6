"""An event as code that recreates it."""

from __future__ import annotations

import ast
import base64
import json
import math
import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.errors import UsageError
from tavus_cli.language.commands import LANGUAGES, sendable
from tavus_cli.protocol import interactions
from tavus_cli.protocol.events import decode
from tavus_cli.protocol.interactions import SENSITIVITIES, Interaction
from tavus_cli.protocol.wire import MAX_DEPTH
from tavus_cli.views.copy import CLIPBOARD_BYTES, copied, osc52
from tests.kits.conversations import (
    HOSTILE_TEXTS,
    HOSTILE_VALUES,
    INTERACTIONS,
    SAMPLES,
    assert_harmless,
    deep,
    hostile_messages,
    json_values,
    many,
    message,
    same_value,
    some,
    texts,
)

SENT = {
    "respond": interactions.respond('It\'s $(late) "here"'),
    "echo": interactions.echo("Say it"),
    "interrupt": interactions.interrupt(),
    "context": interactions.append_context("two\nlines"),
    "option-like": interactions.respond("--help"),
    "standard input": interactions.respond("-"),
    "tool result": interactions.tool_result("c1", {"a": [1, None, True]}),
}


def line(sent: Any, language: str) -> str:
    (one,) = copied(decode(sent), language)
    assert_harmless([one])
    return one


def one(interaction: Interaction, language: str) -> str:
    return line(interaction.encode("c1"), language)


def inside(text: str, before: str, after: str) -> str:
    assert text.startswith(before)
    assert text.endswith(after)
    return text[len(before) : len(text) - len(after)]


def from_js(text: str) -> Any:
    return json.loads(inside(text, "call.sendAppMessage(", ", '*')"))


def from_python(text: str) -> Any:
    return ast.literal_eval(inside(text, "client.send_app_message(", ")"))


def through_the_shell(text: str, conversation_id: str = "c1") -> dict[str, Any]:
    program, command, *words = shlex.split(text)
    assert (program, command) == ("tavus-console", "send")
    assert not any(word.startswith("-") and word not in ("--completed", "--error") for word in words)
    target, action = sendable(words, None, lambda: pytest.fail("it reads standard input"))
    assert target is None
    assert isinstance(action, Interaction)
    return action.encode(conversation_id)


def check_all(sent: Any) -> None:
    """The code in every language recreates the message."""
    sent = decode(sent).message  # of a text that holds an object, the object
    assert same_value(json.loads(line(sent, "json")), sent)
    js = line(sent, "js")
    if "JSON.parse" not in js:
        assert same_value(from_js(js), sent)
    python = line(sent, "python")
    if 'float("nan")' not in python and "json.loads" not in python:
        assert same_value(from_python(python), sent)
    if isinstance(sent, dict):
        conversation = sent.get("conversation_id")
        text = line(sent, "shell")
        made = through_the_shell(text, conversation if isinstance(conversation, str) else "")
        if " send raw " in text:
            assert same_value(made, sent)
        else:  # the order of keys may be another
            assert json.dumps(made, sort_keys=True) == json.dumps(sent, sort_keys=True)
    else:
        with pytest.raises(UsageError, match="JSON objects"):
            copied(decode(sent), "shell")


@pytest.mark.parametrize("name", SENT)
def test_each_language_makes_the_message_again(name: str) -> None:
    interaction = SENT[name]
    message = interaction.encode("c1")
    assert json.loads(one(interaction, "json")) == message
    assert from_js(one(interaction, "js")) == message
    assert from_python(one(interaction, "python")) == message
    assert through_the_shell(one(interaction, "shell")) == message


@pytest.mark.parametrize("sent", [*INTERACTIONS, *SAMPLES[:40]])
def test_every_sample(sent: Any) -> None:
    check_all(sent)


# -- the shell -----------------------------------------------------------------------------------------

KINDS = {
    "respond": (interactions.respond("It's late"), """respond 'It'"'"'s late'"""),
    "echo": (interactions.echo("Hi"), "echo Hi"),
    "interrupt": (interactions.interrupt(), "interrupt"),
    "append": (interactions.append_context("a b"), "context append 'a b'"),
    "completed": (
        interactions.append_context("a b", completed=True),
        "context append 'a b' --completed",
    ),
    "overwrite": (interactions.overwrite_context("a"), "context overwrite a"),
    "pause": (interactions.sensitivity("pause", "low"), "sensitivity pause=low"),
    "tool result": (interactions.tool_result("c1", {"a": 1}), """tool-result c1 '{"a":1}'"""),
    "tool error": (interactions.tool_result("c1", "no", error=True), "tool-result c1 no --error"),
    "confirm": (interactions.confirm("address"), "confirm address"),
    "emotion": (interactions.set_emotion("anger"), "set-emotion anger"),
    "option": (
        interactions.respond("--help"),
        "raw '{",
    ),
    "flag": (interactions.tool_result("c1", "--error"), "raw '{"),
    "from standard input": (interactions.respond("-"), "raw '{"),
    "lines": (interactions.respond("a\nb"), "raw '{"),
    "blank": (interactions.respond(" "), "raw '{"),
    "text that would be an object": (interactions.tool_result("c1", '{"a": 1}'), "raw '{"),
    "a list": (interactions.tool_result("c1", [1]), "raw '{"),
}


@pytest.mark.parametrize("name", KINDS)
def test_the_kind_is_used_where_it_makes_the_same_message(name: str) -> None:
    interaction, words = KINDS[name]
    text = one(interaction, "shell")
    assert text.startswith(f"tavus-console send {words}")
    assert words.startswith("raw") or text == f"tavus-console send {words}"
    assert same_value(through_the_shell(text), interaction.encode("c1"))


@pytest.mark.parametrize(
    "more",
    [{"seq": 1}, {"inference_id": "i"}, {"properties": {"text": "Hi", "done": 1}}, {"message_type": "x"}],
    ids=str,
)
def test_a_message_with_other_fields_is_sent_raw(more: dict[str, Any]) -> None:
    sent = interactions.respond("Hi").encode("c1") | more
    assert line(sent, "shell").startswith("tavus-console send raw ")
    assert through_the_shell(line(sent, "shell")) == sent


def test_true_and_one_are_distinguished() -> None:
    sent = interactions.echo("Hi").encode("c1")
    sent["properties"] = sent["properties"] | {"done": 1}
    assert line(sent, "shell").startswith("tavus-console send raw ")


def test_what_send_does_not_take_is_refused() -> None:
    for sent in ("text", [1], 3, None):
        with pytest.raises(UsageError, match="JSON objects"):
            copied(decode(sent), "shell")


# -- hostile -------------------------------------------------------------------------------------------


@some
@given(texts(), texts(12))
def test_any_text_is_harmless_and_comes_back(text: str, other: str) -> None:
    for interaction in (
        interactions.respond(text),
        interactions.echo(text),
        interactions.append_context(text),
        interactions.overwrite_context(text),
        interactions.tool_result(other, text),
        interactions.tool_result(other, text, error=True),
        interactions.confirm(text),
        interactions.sensitivity("pause", text),
    ):
        sent = interaction.encode("c1")
        assert same_value(json.loads(one(interaction, "json")), sent)
        assert same_value(from_js(one(interaction, "js")), sent)
        assert same_value(from_python(one(interaction, "python")), sent)
        assert same_value(through_the_shell(one(interaction, "shell")), sent)


@some
@given(st.sampled_from(SENSITIVITIES), st.dictionaries(texts(8), texts(8), max_size=3))
def test_any_object_as_the_output_of_a_tool(value: str, output: dict[str, str]) -> None:
    for interaction in (interactions.tool_result("c1", output), interactions.sensitivity("interrupt", value)):
        assert same_value(through_the_shell(one(interaction, "shell")), interaction.encode("c1"))


@many
@given(st.dictionaries(texts(8), json_values(), max_size=4) | json_values())
def test_any_message_comes_back(sent: Any) -> None:
    check_all(sent)


@pytest.mark.parametrize("value", HOSTILE_VALUES.values(), ids=HOSTILE_VALUES)
def test_hostile_values_in_what_can_be_sent(value: Any) -> None:
    for name in ("respond", "echo", "tool_result", "sensitivity", "interrupt", "append_llm_context", "odd"):
        for sent in hostile_messages(f"conversation.{name}", value):
            for language in LANGUAGES:
                line(sent, language)
            assert same_value(json.loads(line(sent, "json")), sent)


@pytest.mark.parametrize("text", HOSTILE_TEXTS.values(), ids=HOSTILE_TEXTS)
def test_shell_code_is_quoted(text: str) -> None:
    hostile = f"`id` $(id) ${{HOME}} !! ;|&\\ {text}"
    interaction = interactions.respond(hostile)
    assert through_the_shell(one(interaction, "shell")) == interaction.encode("c1")


def test_numbers_without_a_literal() -> None:
    python = line({"a": math.inf, "b": [-math.inf]}, "python")
    assert from_python(python) == {"a": math.inf, "b": [-math.inf]}
    assert line({"a": math.nan}, "python") == "client.send_app_message({'a': float(\"nan\")})"


@pytest.mark.parametrize("language", ["js", "python", "shell", "json"])
def test_what_is_nested_too_deep_is_not_copied(language: str) -> None:
    line({"a": deep(MAX_DEPTH - 1, "\x1b'")}, language)
    with pytest.raises(UsageError, match="nested more than 100 deep"):
        line({"a": deep(MAX_DEPTH, "\x1b'")}, language)


def test_the_key_proto_in_javascript() -> None:
    sent = {"a": {"__proto__": {"b": "\x1b\u2028'"}}}
    text = inside(line(sent, "js"), "call.sendAppMessage(JSON.parse(", "), '*')")
    assert json.loads(json.loads(text)) == sent


def test_a_message_that_came_as_text_is_the_object_in_it() -> None:
    assert from_js(line(json.dumps(message("conversation.interrupt")), "js")) == message(
        "conversation.interrupt"
    )


# -- the clipboard -------------------------------------------------------------------------------------


def decoded(escape: str) -> str:
    return base64.b64decode(inside(escape, "\x1b]52;c;", "\x07"), validate=True).decode("utf-8")


@given(texts())
def test_the_clipboard_gets_the_text(text: str) -> None:
    escape = osc52(text)
    assert escape.isascii()
    assert decoded(escape) == text.encode("utf-8", "backslashreplace").decode("utf-8")


def test_the_clipboard_takes_what_terminals_take() -> None:
    escape = osc52("é" * (CLIPBOARD_BYTES // 2))
    assert len(escape) == 100_000
    assert decoded(escape) == "é" * (CLIPBOARD_BYTES // 2)
    assert osc52("é" * (CLIPBOARD_BYTES // 2) + "x") == ""
