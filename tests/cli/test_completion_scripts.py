"""The completion scripts: as the command tree says, and what real shells make of them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tavus_cli.cli.completion_scripts import script, shapes
from tavus_cli.errors import UsageError
from tests.kits.tmux import needs_tmux, pane

FOLDER = Path(__file__).parent.parent.parent / "completions"
FILES = {"bash": "tavus-console.bash", "zsh": "_tavus-console", "fish": "tavus-console.fish"}


def needs(shell: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed")


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


CASES = [
    ("tavus-console t", {"tail"}),
    ("tavus-console tail --fo", {"--for", "--format"}),
    ("tavus-console tail --only utt", {"utterance", "utterance.streaming"}),
    ("tavus-console join --color a", {"auto", "always"}),
    ("tavus-console send --wait rep", {"reply", "replica.started_speaking", "replica.stopped_speaking"}),
    ("tavus-console send sim ec", {"echo"}),
    ("tavus-console replay --speed m", {"max"}),
]


@needs("bash")
@pytest.mark.parametrize(("line", "expected"), CASES, ids=[line for line, _ in CASES])
def test_bash_completes(line: str, expected: set[str]) -> None:
    words = line.split(" ")
    done = subprocess.run(
        [
            "bash",
            "--norc",
            "-c",
            'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tavus_console; '
            'printf "%s\\n" "${COMPREPLY[@]}"',
            str(FOLDER / FILES["bash"]),
            *words,
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert expected <= set(done.stdout.split())
    assert all(word.startswith(words[-1]) for word in done.stdout.split())
    assert done.stderr == ""


@needs("bash")
def test_bash_completes_files(tmp_path: Path) -> None:
    (tmp_path / "some recording.jsonl").touch()
    code = (
        'source "$0"; COMP_WORDS=(tavus-console replay so); COMP_CWORD=2; _tavus_console; echo "$COMPREPLY"'
    )
    script_file = str(FOLDER / FILES["bash"])
    done = subprocess.run(
        ["bash", "--norc", "-c", code, script_file], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "some recording.jsonl\n"


@needs("fish")
@pytest.mark.parametrize(("line", "expected"), CASES, ids=[line for line, _ in CASES])
def test_fish_completes(line: str, expected: set[str], tmp_path: Path) -> None:
    code = f"source {FOLDER / FILES['fish']}; complete -C '{line}'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )
    assert expected <= {row.split("\t")[0] for row in done.stdout.splitlines()}
    assert done.stderr == ""


@needs("zsh")
@needs_tmux
@pytest.mark.parametrize(("line", "expected"), CASES, ids=[line for line, _ in CASES])
def test_zsh_completes(line: str, expected: set[str], tmp_path: Path) -> None:
    with pane(tmp_path, "zsh", "-f", columns=200, HOME=str(tmp_path)) as shell:
        shell.type(f"fpath=({FOLDER} $fpath); autoload -Uz compinit; compinit -u -D; PS1='ready'; clear")
        shell.keys("Enter")
        shell.until(lambda: shell.screen.startswith("ready"), "the prompt")
        shell.type(line)
        shell.keys("Tab", "Tab")
        shell.until(lambda: all(word in shell.screen for word in expected), f"{line}: {expected}")
