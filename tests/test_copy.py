"""An event as code that makes it again."""

from __future__ import annotations

import ast
import base64
import json
import shlex
from typing import Any

import pytest
from hypothesis import given

from tavus_cli.language.commands import sendable
from tavus_cli.protocol import interactions
from tavus_cli.protocol.events import decode
from tavus_cli.protocol.interactions import Interaction
from tavus_cli.views.copy import CLIPBOARD_BYTES, copied, osc52
from tests.conversations import assert_harmless, texts

SENT = {
    "respond": interactions.respond('It\'s $(late) "here"'),
    "echo": interactions.echo("Say it"),
    "interrupt": interactions.interrupt(),
    "context": interactions.append_context("two\nlines"),
    "option-like": interactions.respond("--help"),
    "standard input": interactions.respond("-"),
    "tool result": interactions.tool_result("c1", {"a": [1, None, True]}),
}


def one(interaction: Interaction, language: str) -> str:
    (line,) = copied(decode(interaction.encode("c1")), language)
    return line


@pytest.mark.parametrize("name", SENT)
def test_each_language_makes_the_message_again(name: str) -> None:
    interaction = SENT[name]
    message = interaction.encode("c1")
    assert json.loads(one(interaction, "json")) == message
    js = one(interaction, "js")
    assert json.loads(js.removeprefix("call.sendAppMessage(").removesuffix(', "*");')) == message
    python = one(interaction, "python")
    assert ast.literal_eval(python.removeprefix("client.send_app_message(").removesuffix(")")) == message
    assert through_the_shell(one(interaction, "shell")) == message


def through_the_shell(line: str) -> dict[str, Any]:
    program, command, *words = shlex.split(line)
    assert (program, command) == ("tavus-console", "send")
    _, action = sendable(words, None, lambda: "")
    assert isinstance(action, Interaction)
    return action.encode("c1")


def test_what_is_short_is_sent_by_its_kind() -> None:
    assert one(SENT["respond"], "shell").startswith("tavus-console send respond ")
    assert one(SENT["interrupt"], "shell") == "tavus-console send interrupt"
    assert one(SENT["option-like"], "shell").startswith("tavus-console send raw ")


@given(texts())
def test_any_text_is_harmless_and_comes_back(text: str) -> None:
    interaction = interactions.respond(text)
    message = interaction.encode("c1")
    for language in ("js", "python", "shell", "json"):
        assert_harmless([one(interaction, language)])
    assert json.loads(one(interaction, "json")) == message
    python = one(interaction, "python")
    assert ast.literal_eval(python.removeprefix("client.send_app_message(").removesuffix(")")) == message
    assert through_the_shell(one(interaction, "shell"))["properties"] == message["properties"]


def test_the_clipboard_takes_what_terminals_take() -> None:
    escape = osc52("a line")
    assert base64.b64decode(escape.removeprefix("\x1b]52;c;").removesuffix("\x07")) == b"a line"
    assert osc52("x" * CLIPBOARD_BYTES) == ""
