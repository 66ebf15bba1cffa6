"""The README: every example in it is run, every table in it is true."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tavus_cli.errors import EXIT_STATUS_HELP
from tavus_cli.language.commands import help_lines
from tests.kits import fake_daily
from tests.kits.program import CONSOLE, SECONDS, environ
from tests.kits.tavus_api import KEY, LocalApi, local_api

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```console\n(.*?)```", README, re.DOTALL)


@dataclass
class Example:
    command: str
    output: str


def examples(block: str) -> list[Example]:
    found: list[Example] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append(Example(line[2:], ""))
        else:
            found[-1].output += line + "\n"
    return found


def steady(text: str, command: str) -> str:
    """Without what differs from run to run where time is real, and from machine to machine."""
    if "doctor" in command:
        text = re.sub(r"\d+\.\d{3} s", "0 s", text)
        text = re.sub(r"daily-python .*", "daily-python", text)
        text = re.sub(r"\(Python .*\)", "(Python)", text)
        text = re.sub(r"https?://\S+ answered|makes /.*config.toml|\(Name.*?\)", "", text)
        text = re.sub(r"\d+ events, .*", "events", text)
    return re.sub(r'("timestamp"|"seconds"):[\d.]+', r"\1:0", text)


@pytest.fixture
def api() -> Iterator[LocalApi]:
    """Tavus cannot be reached either: behind each conversation stands the simulated PAL."""
    with local_api("sim:?speed=max") as one:
        yield one


@pytest.mark.parametrize("block", BLOCKS, ids=[block.splitlines()[0] for block in BLOCKS])
def test_every_example_does_what_it_says(block: str, tmp_path: Path, api: LocalApi) -> None:
    with wave.open(str(tmp_path / "hello.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16_000)
        sound.writeframes(b"\0\1" * 8_000)
    (tmp_path / "key.txt").write_text(KEY + "\n")
    (tmp_path / "ring.json").write_text(json.dumps({"tavus-console/prod": KEY}))
    variables = environ(**{**tavus(), "HOME": str(tmp_path), "TAVUS_API_BASE_URL": api.base_url})
    variables["PYTHON_KEYRING_BACKEND"] = "tests.kits.keyring_file.FileKeyring"
    variables["TAVUS_CONSOLE_RUNTIME"] = str(tmp_path / "run")
    variables["TEST_KEYRING"] = str(tmp_path / "ring.json")
    variables["PATH"] = f"{Path(CONSOLE).parent}{os.pathsep}{variables['PATH']}"
    for example in examples(block):
        if "| jq" in example.command and shutil.which("jq") is None:
            pytest.skip("jq is not installed")
        if exported := re.fullmatch(r"export (\w+)=(\S+)", example.command):
            variables[exported[1]] = exported[2].replace("YOUR_KEY", KEY)
            continue
        done = subprocess.run(
            ["bash", "-c", example.command],
            cwd=tmp_path,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        told = r"tavus-console: (c\w+ is billed from now on, |warning: leaving as the last guest ).*\n"
        said = re.sub(told, "", done.stderr)
        assert (done.returncode, said) == (0, ""), example.command
        if example.output:
            assert steady(done.stdout, example.command) == steady(example.output, example.command)


def tavus() -> dict[str, str]:
    """Daily cannot be reached: behind a room's URL stands our fake, with a PAL that answers."""
    turn = {"message_type": "conversation", "conversation_id": "c7f3a91d20be4b58", "turn_idx": 1}
    answers: list[fake_daily.Json] = [
        turn
        | {"event_type": "conversation.utterance", "seq": seq, "properties": {"role": role, "speech": speech}}
        for seq, role, speech in ((1, "user", "What are your hours?"), (2, "replica", "Nine to five."))
    ]
    scenario = fake_daily.Scenario(answers={"conversation.respond": answers})
    child = fake_daily.environment(scenario)
    return {name: child[name] for name in ("PYTHONPATH", "FAKE_DAILY")}


def test_the_list_of_commands_is_what_help_prints() -> None:
    assert "```\n" + "\n".join(help_lines()) + "\n```" in README


def test_every_exit_status_is_in_the_table() -> None:
    rows = [f"| {int(status)} | {text} |" for status, text in EXIT_STATUS_HELP.items()]
    assert "\n".join(rows) in README


@pytest.mark.parametrize(
    "command",
    ["join", "tail", "send", "run", "session", "replay", "doctor", "conversation", "auth", "completion"],
)
def test_every_command_has_a_section_and_an_example(command: str) -> None:
    assert f"### {command}" in README
    assert f"tavus-console {command}" in "".join(BLOCKS)


def test_every_option_of_tail_is_named() -> None:
    shown = subprocess.run([CONSOLE, "tail", "--help"], capture_output=True, text=True, check=True).stdout
    options = set(re.findall(r"(--[a-z-]+)", shown)) - {"--help"}
    named_elsewhere = {"--name", "--join-timeout"}
    assert options - set(re.findall(r"(--[a-z-]+)", README)) <= named_elsewhere


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_the_two_commands_exist() -> None:
    for target, does in (("sim", "tavus-console join sim"), ("test", "pytest")):
        assert f"make {target}\n" in README
        done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=True)
        assert does in done.stdout


def test_every_link_into_the_repo_leads_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        if "://" not in link:
            assert (ROOT / link).exists(), link
