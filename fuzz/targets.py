"""The fuzz targets: each takes bytes, and must not raise. The search begins with ``SEEDS``."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tavus_cli.api.answer import Answer
from tavus_cli.api.said import said
from tavus_cli.callers.caller import is_caller
from tavus_cli.callers.caller import parse as caller
from tavus_cli.callers.judge import ballot, verdict
from tavus_cli.callers.prompts import spoken
from tavus_cli.callers.transcript import Line
from tavus_cli.cli import run_command
from tavus_cli.errors import ConsoleError, UsageError
from tavus_cli.language.commands import parse
from tavus_cli.protocol.conversation import Conversation
from tavus_cli.protocol.wire import from_json
from tavus_cli.resident.room import Ended, Greeted, Refused
from tavus_cli.resident.wire import FROM_CLIENT, PROTOCOL, Lines, encode
from tavus_cli.rooms.sim.script import parse_script as simulated
from tavus_cli.script.statements import parse_script
from tavus_cli.session.environment import Environment
from tavus_cli.settings.file import checked
from tavus_cli.tools.table import parse as tools

READING = ("replay FILE --all --speed max", "report FILE --json", "redact FILE", "script from FILE")
SAMPLES = Path(__file__).parent.parent / "tests" / "samples"


def decode(data: bytes) -> None:
    """Messages, one a line, through the core."""
    core = Conversation()
    for number, line in enumerate(data.split(b"\n")):
        with contextlib.suppress(ValueError):
            core.receive(from_json(line.decode("utf-8", "surrogatepass")), float(number), "sender", None)
    core.close()


def grammar(data: bytes) -> None:
    """A typed line, and a script."""
    text = data.decode("utf-8", "replace")
    with contextlib.suppress(UsageError):
        parse(text.partition("\n")[0])
    parse_script(text)


def recordings(data: bytes) -> None:
    """A file for ``replay --all``, ``report``, ``redact`` and ``script from``."""
    handle, path = tempfile.mkstemp(suffix=".jsonl")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        with open(os.devnull, encoding="utf-8") as nothing:
            for command in READING:
                streams = Environment(nothing, io.StringIO(), io.StringIO(), {})
                run_command([path if word == "FILE" else word for word in command.split()], streams)
    finally:
        os.unlink(path)


def toml(data: bytes) -> None:
    """Settings, the script of a simulated PAL, a table of tools, a simulated caller."""
    text = data.decode("utf-8", "replace")
    checked(text, Path("settings.toml"))
    with contextlib.suppress(UsageError):
        simulated(text, "sim.toml")
    with contextlib.suppress(UsageError):
        tools(text, "tools.toml")
    with contextlib.suppress(UsageError):
        if is_caller(text):
            caller(text, "caller.toml")


def resident(data: bytes) -> None:
    """What a client sends, and what a session says, first and later."""
    with contextlib.suppress(ValueError):
        Lines(FROM_CLIENT).feed(data)
    hello = {"hello": {"id": "sim", "target": "sim", "conversation_id": "c"}}
    for before in (b"", encode({"protocol": PROTOCOL}), encode({"protocol": PROTOCOL}) + encode(hello)):
        server, client = socket.socketpair()
        with server, client:
            server.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                server.sendall((before + data)[:100_000])
            server.close()
            with contextlib.suppress(Ended, ConsoleError, TimeoutError):
                greeted = Greeted(client, "sim")
                greeted.greet(time.monotonic() + 1)
                room = greeted.room(time.monotonic() + 1)
                with contextlib.suppress(ValueError, Refused):
                    room.understood(room.early)


def answers(data: bytes) -> None:
    """What a language model answers, as a caller and as the judge; what the API says about a failure."""
    text = data.decode("utf-8", "replace")
    spoken(text)
    asked = ballot(["The PAL says hello."])
    for name in asked.asked:  # random ids, which no search would find
        text = text.replace("ID", name, 1)
    verdict(text, asked, [Line("pal", "Hello, I am Nora.")])
    said(Answer(400, {}, text, "/v2/conversations"))


TARGETS: dict[str, Callable[[bytes], None]] = {
    one.__name__: one for one in (decode, grammar, recordings, toml, resident, answers)
}
_EVENTS = [line for line in (SAMPLES / "events.jsonl").read_bytes().splitlines() if line]
SEEDS: dict[str, list[bytes]] = {
    "decode": _EVENTS,
    "recordings": [
        b"\n".join(_EVENTS),
        b'{"recording": 1, "started": 1.0}\n{"at": 1, "dir": "in", "message": {}}',
    ],
    "grammar": [
        b"hello there\n/expect reply text~a within 2s\n/print $a.turn\n",
        b"/when user.started after 200ms /interrupt\n/repeat 3\n/wait 1s\n",
        b'/raw {"event_type": "x"}\n/sensitivity pause=low\n/tool-result c1 {"a": 1}\n',
    ],
    "toml": [
        b'greeting = "hi"\n[timing]\nheartbeat = 3\n[[reply]]\nmatch = "a+"\nsay = ["b"]\n'
        b'[[at]]\nafter = 1\nsay = "c"\n',
        b'[[tool]]\nname = "a*"\ncommand = "x y"\ntimeout = "1s"\n[[tool]]\nname = "b"\noutput = {a = 1}\n',
        b'theme = "dark"\nhold = "250ms"\njoin_timeout = 20\n',
        b'persona = "a"\ngoal = "b"\nsuccess = ["c"]\n[model]\nname = "m"\nkey_env = "K"\n',
    ],
    "answers": [
        b'<think>x</think>\n```json\n{"criteria": [{"id": "ID", "met": true, "quotes": ["hello"]}, '
        b'{"id": "ID", "met": false, "quotes": [], "reason": ""}]}\n```\n',
        b'"Hello there." [hang up]',
        b'{"error": {"message": "x", "errors": [{"loc": ["a"], "msg": "b"}]}, "details": ["c"]}',
    ],
    "resident": [
        b'{"do":"join"}\n{"do":"send","number":1,"message":{}}\n',
        b'{"snapshot":{"turn":[1,2],"seq":1,"said":null,"pal_present":true,"speaking":[],'
        b'"calls":[]},"participants":[]}\n',
        b'{"in":{},"at":1,"from":"a"}\n{"missed":3,"at":1}\n{"note":"x","at":1,"warning":false}\n'
        b'{"over":"x","at":1}\n',
        b'{"participant":{"id":"a"},"change":"left","at":1}\n{"number":1,"error":{"reason":"failed"}}\n',
    ],
}
