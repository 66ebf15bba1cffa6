"""The console blocks of the README and the manual, run exactly as written.

``python -m tests.kits.pages [FILE …]`` replaces the output shown on pages by what the commands print now.

A comment before a block says how it is treated: ``<!-- live -->`` needs the real service, so its commands
are only parsed; ``<!-- slow -->`` takes more than a few seconds.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.kits import fake_daily
from tests.kits.program import CONSOLE, SECONDS, environ
from tests.kits.tavus_api import KEY, LocalApi, local_api

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
MANUAL = sorted((ROOT / "docs").glob("*.md"))
PAGES = [README, *MANUAL]

_BLOCK = re.compile(r"(?:^<!-- (live|slow) -->\n)?^```(\w*)\n(.*?)^```$", re.M | re.S)
_BILLED = re.compile(r"tavus-console: (c\w+ is billed until |warning: leaving as the last guest ).*\n")


@dataclass(frozen=True)
class Block:
    page: Path
    treated: str  # "live", "slow" or ""
    language: str
    text: str
    start: int  # of the text, in the page

    def __str__(self) -> str:
        return f"{self.page.stem}: {self.text.splitlines()[0][:60]}"


@dataclass
class Example:
    command: str
    output: str


def blocks(page: Path) -> list[Block]:
    return [
        Block(page, found[1] or "", found[2], found[3], found.start(3))
        for found in _BLOCK.finditer(page.read_text("utf-8"))
    ]


def examples(block: Block) -> list[Example]:
    found: list[Example] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append(Example(line[2:], ""))
        else:
            found[-1].output += line + "\n"
    return found


@contextmanager
def bench() -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder and an environment in which every command of the pages works.

    Tavus and Daily cannot be reached: the API leads to the simulated PAL, and the URL of a room to our fake.
    """
    with tempfile.TemporaryDirectory() as name, local_api("sim:?speed=max") as api:
        folder = Path(name)
        _furnish(folder)
        yield folder, _variables(folder, api)


def run(example: Example, folder: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run it in bash; ``export NAME=VALUE`` changes ``variables``."""
    if exported := re.fullmatch(r"export (\w+)=(\S+)", example.command):
        variables[exported[1]] = exported[2].replace("YOUR_KEY", KEY)
        return subprocess.CompletedProcess(example.command, 0, "", "")
    done = subprocess.run(
        ["bash", "-c", example.command],
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    done.stderr = _BILLED.sub("", done.stderr)
    return done


def steady(text: str, command: str) -> str:
    """The output without what differs between runs in real time and between machines."""
    if "doctor" in command:
        text = re.sub(r"\d+\.\d{3} s", "0 s", text)
        text = re.sub(r"daily-python .*", "daily-python", text)
        text = re.sub(r"\(Python .*\)", "(Python)", text)
        text = re.sub(r"https?://\S+ answered|creates /.*config.toml|\(Name.*?\)", "", text)
        text = re.sub(r"\d+ events, .*", "events", text)
    return re.sub(r'("timestamp"|"seconds"):[\d.]+', r"\1:0", text)


def _furnish(folder: Path) -> None:
    with wave.open(str(folder / "hello.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16_000)
        sound.writeframes(b"\0\1" * 8_000)
    (folder / "key.txt").write_text(KEY + "\n")
    (folder / "ring.json").write_text(json.dumps({"tavus-console/prod": KEY}))
    (folder / "examples").symlink_to(ROOT / "examples")
    (folder / "docs").symlink_to(ROOT / "docs")


def _variables(folder: Path, api: LocalApi) -> dict[str, str]:
    variables = environ(**_fake_daily(), HOME=str(folder), TAVUS_API_BASE_URL=api.base_url)
    variables["PYTHON_KEYRING_BACKEND"] = "tests.kits.keyring_file.FileKeyring"
    variables["TAVUS_CONSOLE_RUNTIME"] = str(folder / "run")
    variables["TEST_KEYRING"] = str(folder / "ring.json")
    variables["PATH"] = f"{Path(CONSOLE).parent}{os.pathsep}{variables['PATH']}"
    return variables


def _fake_daily() -> dict[str, str]:
    """A room with a PAL that answers."""
    turn = {"message_type": "conversation", "conversation_id": "c7f3a91d20be4b58", "turn_idx": 1}
    answers: list[fake_daily.Json] = [
        turn
        | {"event_type": "conversation.utterance", "seq": seq, "properties": {"role": role, "speech": speech}}
        for seq, role, speech in ((1, "user", "What are your hours?"), (2, "replica", "Nine to five."))
    ]
    scenario = fake_daily.Scenario(answers={"conversation.respond": answers})
    child = fake_daily.environment(scenario)
    return {name: child[name] for name in ("PYTHONPATH", "FAKE_DAILY")}


def _refresh(page: Path) -> None:
    """Replace outputs on a page that differ from what the commands print."""
    text = page.read_text("utf-8")
    for block in reversed(blocks(page)):
        if block.language != "console" or block.treated == "live":
            continue
        shown = ""
        with bench() as (folder, variables):
            for example in examples(block):
                done = run(example, folder, variables)
                if done.returncode or done.stderr:
                    sys.stderr.write(f"{block}: {example.command}\n  {done.returncode} {done.stderr}\n")
                same = steady(done.stdout, example.command) == steady(example.output, example.command)
                output = done.stdout if example.output and not same else example.output
                shown += f"$ {example.command}\n{output}"
        text = text[: block.start] + shown + text[block.start + len(block.text) :]
    page.write_text(text, "utf-8")


if __name__ == "__main__":
    for _name in sys.argv[1:] or map(str, PAGES):
        _refresh(Path(_name))
