"""The completion scripts: they match the command tree, and work in real shells."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tavus_cli.cli.completion_scripts import script, shapes
from tavus_cli.errors import UsageError
from tests.kits.tmux import Pane, needs_tmux, pane

FOLDER = Path(__file__).parent.parent.parent / "completions"
FILES = {"bash": "tavus-console.bash", "zsh": "_tavus-console", "fish": "tavus-console.fish"}

# What is typed before Tab, and the words of the line after it. One can follow in each.
CASES = {
    "commands": {
        "tai": "tail",
        "session sta": "session start",
        "join --name tail si": "join --name tail sim",
        "help recor": "help recordings",
        "webhooks trigger system.sh": "webhooks trigger system.shutdown",
    },
    "options": {
        "tail --form": "tail --format",
        "join sim --no-al": "join sim --no-all",
        "send sim echo --aud": "send sim echo --audio",
        "session start --new --max-m": "session start --new --max-minutes",
    },
    "values": {
        "join --color=al": "join --color=always",
        "tail --theme=hi": "tail --theme=high-contrast",
        "replay --speed=m": "replay --speed=max",
        "tail --format js": "tail --format jsonl",
        "tail -f pr": "tail -f pretty",
        "tail --only utterance --ignore shut": "tail --only utterance --ignore shutdown",
        "tail --only utterance,shut": "tail --only utterance,shutdown",
        "tail --until=tool_call,heartb": "tail --until=tool_call,heartbeat",
        "webhooks resend x --only shutdown,rag": "webhooks resend x --only shutdown,rag.observability",
        "send --wait repl": "send --wait repl",  # reply, and the types of replica
        "conversation list --status act": "conversation list --status active",
        "report x.jsonl --transcript vt": "report x.jsonl --transcript vtt",
    },
    "words with a colon": {
        "tail sim:bo": "tail sim:booking.toml",
        "run sim:bo": "run sim:booking.toml",
        "doctor --room sim:bo": "doctor --room sim:booking.toml",
        "run --target=sim:bo": "run --target=sim:booking.toml",
        "join 'sim:bo": "join sim:booking.toml",
        "join ht": "join https://",
        "tail https://x.daily.co/r --form": "tail https://x.daily.co/r --format",
        "run sim:booking.toml smo": "run sim:booking.toml smoke test.txt",
    },
    "files": {
        "run smo": "run smoke test.txt",
        "run sim smo": "run sim smoke test.txt",
        "run --check smo": "run --check smoke test.txt",
        "replay smo": "replay smoke test.txt",
        "tail sim --record=smo": "tail sim --record=smoke test.txt",
        "send sim echo --audio smo": "send sim echo --audio smoke test.txt",
        "tail smo": "tail smo",
    },
    "what follows a KIND": {
        "send sim sensi": "send sim sensitivity",
        "send sim sensitivity pause=l": "send sim sensitivity pause=low",
        "send sensitivity interrupt=h": "send sensitivity interrupt=high",
        "send --wait reply sim context ov": "send --wait reply sim context overwrite",
        "send sim set-emotion neut": "send sim set-emotion neutral",
        "send sim respond ov": "send sim respond ov",
    },
    "sessions and conversations": {
        "tail gree": "tail green-room-1a2b",
        "session stop gree": "session stop green-room-1a2b",
        "conversation end c0ff": "conversation end c0ffee11",
        "send c0ff": "send c0ffee11",
        "webhooks pull cab": "webhooks pull cabba9e5",
        "tail sim gree": "tail sim gree",
        "tail odd": "tail odd",
        "conversation get odd": "conversation get odd",
    },
}
TYPED = {line: words for kind in CASES.values() for line, words in kind.items()}


def needs(shell: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A folder with files to complete, sessions, notes of conversations; some have names that are no ids."""
    for name in ("booking.toml", "smoke test.txt"):
        (tmp_path / name).touch()
    runtime, notes = tmp_path / "runtime", tmp_path / "state" / "tavus-console" / "open"
    runtime.mkdir()
    notes.mkdir(parents=True)
    for name in ("green-room-1a2b", "odd $(touch pwned)", "odd;touch pwned", "odd`touch pwned`"):
        (runtime / f"{name}.sock").touch()
    for number, noted in enumerate(("c0ffee11", "odd", "$(touch pwned)", None)):
        (notes / f"{number}").write_text(json.dumps({"at": 1.0, "until": 2.0, "conversation_id": noted}))
    tokens = notes.with_name("tokens")
    tokens.mkdir()
    for name in ("cabba9e5", "odd $(touch pwned)", "cab;touch pwned"):
        (tokens / name).touch()
    yield tmp_path
    assert not (tmp_path / "pwned").exists()


def surroundings(home: Path) -> dict[str, str]:
    return {
        "HOME": str(home),
        "XDG_STATE_HOME": str(home / "state"),
        "TAVUS_CONSOLE_RUNTIME": str(home / "runtime"),
    }


@pytest.mark.parametrize("shell", FILES)
def test_the_files_are_what_the_command_tree_makes(shell: str) -> None:
    written = (FOLDER / FILES[shell]).read_text()
    assert written == script(shell), f"tavus-console completion {shell} > completions/{FILES[shell]}"


def test_another_shell_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="tcsh"):
        script("tcsh")


def test_every_command_is_in_the_tree() -> None:
    paths = {shape.path for shape in shapes()}
    assert {(), ("join",), ("tail",), ("send",), ("replay",), ("doctor",), ("completion",)} <= paths


def test_an_option_takes_a_value_in_all_commands_or_in_none() -> None:
    """What fish counts on, to tell an argument from the value of an option."""
    taking = {(name, one.takes_value) for shape in shapes() for one in shape.options for name in one.names}
    assert len(taking) == len(dict(taking))


STARTS = {
    "bash": ("bash --norc --noprofile -i", "source {script}"),
    "zsh": ("zsh -f", "fpath=({folder} $fpath); autoload -Uz compinit; compinit -u -D"),
}


@contextmanager
def interactive(shell: str, home: Path) -> Iterator[Pane]:
    """A shell in ``home`` with our completions, where the program writes its arguments to a file, "said"."""
    command, load = STARTS[shell]
    load = load.format(script=FOLDER / FILES[shell], folder=FOLDER)
    with pane(home, *command.split(), columns=200, rows=30, **surroundings(home)) as terminal:
        program = "tavus-console() { (IFS=' '; echo \"$*\" >> said) }"
        terminal.type(f"{load}; cd {home}; {program}; PS1=ready; clear")
        terminal.keys("Enter")
        terminal.until(lambda: terminal.screen.startswith("ready"), "the prompt")
        yield terminal


@pytest.mark.parametrize("shell", [pytest.param(one, marks=needs(one)) for one in STARTS])
@needs_tmux
def test_a_shell_completes(shell: str, home: Path) -> None:
    said = home / "said"
    said.touch()
    got = {}
    with interactive(shell, home) as terminal:
        for number, line in enumerate(TYPED):
            terminal.type(f"tavus-console {line}")
            terminal.keys("Tab", "Enter")
            terminal.until(lambda: said.read_text().count("\n") > number, line)  # noqa: B023
            got[line] = said.read_text().splitlines()[-1].rstrip()
    assert got == TYPED


def fish(home: Path, *lines: str) -> str:
    """What fish offers for each line: candidate, tab, description, and "end" after those of a line."""
    asked = "".join(f"complete -C {json.dumps('tavus-console ' + line)}; echo end\n" for line in lines)
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source {FOLDER / FILES['fish']}\n{asked}"],
        capture_output=True,
        text=True,
        check=True,
        cwd=home,
        env={"PATH": "/usr/bin:/bin", **surroundings(home)},
    )
    assert done.stderr == ""
    return done.stdout


@needs("fish")
def test_fish_completes(home: Path) -> None:
    got = {}
    for line, offer in zip(TYPED, fish(home, *TYPED).split("end\n"), strict=False):
        candidates = {one.partition("\t")[0] for one in offer.splitlines()}
        before = line.rpartition(" ")[0]
        got[line] = f"{before} {candidates.pop()}".strip() if len(candidates) == 1 else line
    assert got == TYPED


DESCRIPTIONS = {  # with characters that a shell could interpret
    "re": [
        "Print a recording as tail would have printed it.",
        "Show what happened in a recording, and how fast it was.",
        "Print a recording without anybody's words, names or ids.",
    ],
    "tail --for": [
        "pretty, jsonl, or a template: '{time} {role} {text}'.",
        "End after this time: 10s, 5m.",
    ],
    "tail --h": [
        "How long to wait for a missing sequence number before showing what follows. [default: 250ms]"
    ],
    "tail --c": [
        "The conversation's id, for a room that is not named after it.",
        "Colours on standard output. [default: auto]",
    ],
}


@needs("fish")
def test_descriptions_keep_their_punctuation_in_fish(home: Path) -> None:
    done = fish(home, *DESCRIPTIONS)
    for line, texts in DESCRIPTIONS.items():
        for text in texts:
            assert text in done, line


@needs("zsh")
@needs_tmux
def test_descriptions_keep_their_punctuation_in_zsh(home: Path) -> None:
    with interactive("zsh", home) as terminal:
        for line, texts in DESCRIPTIONS.items():
            terminal.type(f"tavus-console {line}")
            terminal.keys("Tab")
            terminal.until(lambda: all(text in terminal.screen for text in texts), line)  # noqa: B023
            terminal.keys("C-u")
            terminal.type("clear")
            terminal.keys("Enter")
            terminal.until(lambda: terminal.screen.strip() == "ready", "an empty screen")
