"""Every command with odd bytes, files, values and environments: a documented status, and no traceback.

Commands and options are taken from the command tree, so new ones are included automatically.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import re
import shutil
import socket
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tavus_cli.errors import EXIT_STATUS_HELP
from tests.kits.program import SAMPLES, commands, console

COMMANDS = commands()
SIM = "sim:?speed=max"  # over in no time


def _sound(*, extensible: bool = False) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
        sound.writeframes(bytes(320))
    data = file.getvalue()
    return data[:20] + b"\xfe\xff" + data[22:] if extensible else data


NUMBERS = (
    b'{"event_type": "conversation.utterance", "seq": 1e999, "turn_idx": %d, "timestamp": -1e308, '
    b'"properties": {"speech": 1e5000, "role": NaN}}\n' % 10**400
)
BYTES = [
    b"",
    b"hello\n",
    b"/echo hello\r\n/interrupt\r\n# nothing\r\n",
    b"\xef\xbb\xbfhello\n",
    b"\xef\xbb\xbf",
    "grüß dich\n".encode("utf-16"),
    "hello\n".encode("utf-16-be"),
    b"hello\0\n",
    b"\0" * 2_000,
    b"gr\xfc\xdf dich\n",
    b"\xed\xa0\x80\n",
    gzip.compress(b"hello\n"),
    gzip.compress(b"hello\n")[:-4],
    b"\x28\xb5\x2f\xfd\0\0",
    b'[{"event_type": "conversation.utterance"}]',
    NUMBERS,
    b"[" * 3_000,
    b'{"at": ' + b"9" * 5_000 + b"}",
    b'{"recording": 1, "conversation_id": "c", "target": "sim", "started": 1.0}\n{"at": "x"}\n[1,2]\n',
    b'{"recording": 1e400, "conversation_id": null, "target": [], "started": "x"}\n',
    b'{"conversation_id": "c0ffee11", "conversation_url": "https://[::1"}',
    b'"\\ud800"\n',
    b"a = 1\n[tools.x]\nrun = 3\n",
    b"/repeat 9\n  /wait utterance within 1ms\n/end\n",
    _sound(),
    _sound(extensible=True),
    _sound()[:30],
    SAMPLES.with_name("seen.jsonl").read_bytes(),
    SAMPLES.read_bytes(),
]
VALUES = [
    *("", " ", "-", "--", "0", "-1", "7", "1ms", "nan", "1e999", "٣s", "9" * 400, "10%", "a=b", "*", "😀"),
    *("\udcff", "\ufeffhello", '"hello"', "a\nb", "\x1b[31m", "{time}", "{", "[?a", "(a+)+$", "x" * 3_000),
    *("utterance", "utterence", "pal", "seq:9", "+1s", "event_type == 'conversation.utterence'"),
    *("http://127.0.0.1:9/x", "http://[::1", "https://127.0.0.1:9/?token=secretsecret", "file:///etc/passwd"),
]
RECORDINGS = ["FILE", "FILE", "-", "/nowhere/x", "/", "new"]
FITTING = {  # by what --help shows in place of the value
    "[TARGET]": [SIM, SIM, f"{SIM}&reorder=1", "sim:FILE?speed=max", "-"],
    "TARGET": [SIM],
    "KIND": [
        "respond",
        "echo",
        "interrupt",
        "context",
        "sensitivity",
        "tool-result",
        "set-emotion",
        "raw",
        "-",
    ],
    "TEXT": ["-", "hello", "append", "pause=low", "{}", "--audio"],
    "DURATION": ["1ms", "0"],
    "N": ["1", "3"],
    "ID": ["c0ffee11"],
    "[ID]": ["c0ffee11", "sim"],
    "URL": ["http://127.0.0.1:9/x"],
    "TYPE": ["utterance", "system.shutdown"],
    "reply|TYPE": ["reply", "shutdown"],
    "FORMAT": ["jsonl", "pretty", "{text}"],
    "JMESPATH": ["event_type", "properties.speech"],
    "GATE": ["gaps<=0"],
    "NAME=COMMAND": ["x=true"],
    "PERCENT": ["10%"],
    "SHARE": ["0.9"],
    "PLACE": ["+0s", "seq:1"],
    "TOPIC": ["scripts", "send"],
    "1|4|max": ["max"],
    "N|max": ["max"],
    "ID=FILE.toml": ["x=FILE"],
    **dict.fromkeys(("FILE", "FILE…", "RECORDING", "SCRIPT", "OLD"), RECORDINGS),
    **{one: ["new", "-", "FILE"] for one in ("OUT", "OUT.html", "URL|FILE", "FOLDER")},
}
VARIABLES = {
    "NO_PROXY": ["", "[::1]", "10.0.0.0/8, ,*", "[", "\udcff"],
    "ALL_PROXY": ["socks5://127.0.0.1:9", "http://user:secretsecret@127.0.0.1:9", "nonsense", "http://[::1"],
    "HTTP_PROXY": ["http://127.0.0.1:9", "://", "\ufeff"],
    "TAVUS_API_KEY": [
        "",
        "\ufeffsecretsecret",
        '"secretsecret"',
        "x-api-key: secretsecret",
        "sécret",
        "a\nb",
    ],
    "TAVUS_CONVERSATION": ["", SIM, "nonsense", "\udcff"],
    "TAVUS_API_BASE_URL": ["", "http://127.0.0.1:9", "nonsense", "http://127.0.0.1:9/v2?x", "\ufeff"],
    "TAVUS_DAILY_PROXY": ["nonsense", "http://[::1"],
    "TAVUS_CONSOLE_HOLD": ["", "nonsense", "1e999s"],
    "TAVUS_CONSOLE_THEME": ["dark", "nonsense"],
    "COLUMNS": ["0", "-1", "1", "nonsense", "9" * 30],
    "TERM": ["", "dumb", "xterm", "\x1b[31m"],
    "LANG": ["", "C", "xx_YY.nonsense"],
    "NO_COLOR": ["", "1"],
    "FORCE_COLOR": ["", "1"],
    "COLORFGBG": ["", "15;0", ";;", "nonsense"],
    "XDG_CONFIG_HOME": ["", "relative", "/dev/null/x", "FILE", "\udcff"],
    "XDG_STATE_HOME": ["", "relative", "/dev/null/x", "FILE", "\udcff"],
    "TAVUS_CONSOLE_RUNTIME": ["/dev/null/x", "FILE", "x" * 150],
    "EDITOR": ["", "true", "/nowhere/editor", "'"],
}
# Options given in every example, without which a command would not end, would leave a process running, or
# would retry for seconds. Options with None are never given.
ALWAYS: dict[str, dict[str, str | None]] = {
    "local": {"--port": "TAKEN", "--host": None},
    "webhooks listen": {"--port": "TAKEN", "--host": None},
    "tools": {"--tool": "x=true", "--listen": None},
    "conversation create": {"--pal": "p1"},
    "auth login": {"--base-url": "nonsense"},
}
DOUBT = re.compile("warning: |no known|created here at")  # allowed before an error
SHORT = {"--timeout": "10ms", "--for": "10ms", "--reply-timeout": "10ms", "--ready-timeout": "10ms"}
ODD = ("standard input", "files", "values", "environment")  # of an example; all else in it is as it should be


@dataclass
class Example:
    arguments: list[str]
    stdin: bytes
    file: bytes
    variables: dict[str, str]


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


ODD_BYTES = st.sampled_from(BYTES) | st.binary(max_size=100) | st.text(max_size=50).map(_encoded)
GOOD_BYTES = st.sampled_from([SAMPLES.read_bytes(), b"hello\n"])


def _examples(name: str, command: Any) -> st.SearchStrategy[Example]:
    always = ALWAYS.get(name, {})
    options = [one for one in command.params if one.param_type_name == "option"]
    optional = [one for one in options if one.name != "help" and not {*one.opts} & {*always}]
    names = {opt for option in options for opt in option.opts}

    @st.composite
    def examples(draw: st.DrawFn) -> Example:
        odd = {draw(st.sampled_from(ODD)), draw(st.sampled_from(ODD))}
        places = [
            place for one in command.params if one.param_type_name == "argument" for place in _places(one)
        ]
        arguments = [draw(_value(place, odd)) for place in places]
        if "values" in odd:
            arguments = draw(st.sampled_from([arguments, arguments, arguments[1:], [*arguments, "x"]]))
        more = draw(st.lists(st.sampled_from(optional), max_size=2)) if optional else []
        for option in [*(one for one in optional if one.required), *more]:
            arguments.append(draw(st.sampled_from([*option.opts, *option.secondary_opts])))
            if not option.is_flag:
                arguments.append(draw(_value(str(option.metavar), odd)))
        fixed = {one: value for one, value in SHORT.items() if one in names - {*arguments}} | always
        given = [text for one, value in fixed.items() if value for text in (one, value)]
        variables = draw(st.lists(st.sampled_from(sorted(VARIABLES)), max_size=3, unique=True))
        return Example(
            [*name.split(), *given, *arguments],
            draw(ODD_BYTES if "standard input" in odd else GOOD_BYTES),
            draw(ODD_BYTES if "files" in odd else GOOD_BYTES),
            {one: draw(st.sampled_from(VARIABLES[one])) for one in variables if "environment" in odd},
        )

    return examples()


def _places(argument: Any) -> list[str]:
    """ "[TARGET] KIND [TEXT]" is three."""
    words = str(argument.metavar).split()
    return words if len(words) == 1 else [one.strip("[]") if one == "[TEXT]" else one for one in words]


def _value(metavar: str, odd: set[str]) -> st.SearchStrategy[str]:
    fitting = FITTING.get(metavar) or [one for one in metavar.split("|") if "|" in metavar] or ["x"]
    return st.sampled_from([*fitting, *VALUES] if "values" in odd else fitting)


@pytest.fixture(scope="module")
def taken() -> Iterator[str]:
    """A port that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


@contextlib.contextmanager
def surroundings(folder: Path, variables: dict[str, str]) -> Iterator[None]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("HOME", str(folder))
        own = {"XDG_CONFIG_HOME": str(folder / "config"), "XDG_STATE_HOME": str(folder / "state")}
        for name, value in (own | variables).items():
            patch.setenv(name, value)
        yield


@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_ends_in_a_traceback(name: str, tmp_path: Path, taken: str) -> None:
    folder = tmp_path / "here"
    file = folder / "file"

    @settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
    @given(_examples(name, COMMANDS[name]))
    def holds(example: Example) -> None:
        variables = {one: text.replace("FILE", str(file)) for one, text in example.variables.items()}
        if name == "session start":
            variables["TAVUS_CONSOLE_RUNTIME"] = "x" * 150  # too long for a socket: no process is started
        with surroundings(folder, variables):
            file.write_bytes(example.file)
            words = [one.replace("FILE", str(file)).replace("TAKEN", taken) for one in example.arguments]
            result = console(*words, stdin=example.stdin, **dict(os.environ))
        assert result.status in EXIT_STATUS_HELP
        assert "Traceback" not in result.out + result.err
        assert "secretsecret" not in result.out + result.err
        told = result.err.splitlines()
        if result.status in (1, 2, 4, 5, 6):
            errors = [line for line in told if not line.startswith("    ") and not DOUBT.search(line)]
            assert all(line.startswith(("tavus-console: ", '{"error"', str(file))) for line in errors)
            assert len(errors) == 1 or (not errors and result.out)

    holds()
