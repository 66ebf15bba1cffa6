"""The README and the manual: every example is run, every table is checked, every link works."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tavus_cli.cli import HOME, app, load
from tavus_cli.commands.help import TOPICS
from tavus_cli.errors import EXIT_STATUS_HELP
from tavus_cli.language.commands import help_lines, parse
from tavus_cli.session.environment import Environment
from tavus_cli.settings.table import KEYS
from tests.kits.pages import MANUAL, PAGES, ROOT, Block, Example, bench, blocks, examples, run, steady
from tests.kits.program import console

BLOCKS = [block for page in PAGES for block in blocks(page)]
CONSOLE_BLOCKS = [block for block in BLOCKS if block.language == "console"]
TEXT = {page.stem: page.read_text("utf-8") for page in PAGES}


def parameters(found: list[Block]) -> list[object]:
    slow = pytest.mark.slow
    return [
        pytest.param(block, id=str(block), marks=[slow] if block.treated == "slow" else []) for block in found
    ]


@pytest.mark.parametrize("block", parameters([one for one in CONSOLE_BLOCKS if one.treated != "live"]))
def test_every_example_does_what_it_says(block: Block) -> None:
    """To put in what commands print now: python -m tests.kits.pages FILE."""
    with bench() as (folder, variables):
        for example in examples(block):
            if "| jq" in example.command and shutil.which("jq") is None:
                pytest.skip("jq is not installed")
            done = run(example, folder, variables)
            assert (done.returncode, done.stderr) == (0, ""), example.command
            if example.output:
                assert steady(done.stdout, example.command) == steady(example.output, example.command)


@pytest.mark.parametrize("block", parameters([one for one in CONSOLE_BLOCKS if one.treated == "live"]))
def test_every_example_for_the_live_service_can_be_parsed(block: Block) -> None:
    for example in examples(block):
        assert subprocess.run(["bash", "-n", "-c", example.command], check=False).returncode == 0
        for words in calls(example):
            parse_command_line(words)


def calls(example: Example) -> list[list[str]]:
    """The arguments of each tavus-console in a command."""
    lexer = shlex.shlex(example.command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    found: list[list[str]] = []
    current: list[str] | None = None
    for word in lexer:
        if word == "tavus-console" and current is None:
            current = []
            found.append(current)
        elif word and set(word) <= set("|;&<>()"):
            current = None
        elif current is not None:
            current.append(word)
    return found


def parse_command_line(words: list[str]) -> None:
    """Raises the error that the program would, without running the command."""
    from typer.main import get_command

    load()
    command = get_command(app)
    context = command.make_context("tavus-console", list(words), obj=Environment(environ={}))
    while rest := [*context._protected_args, *context.args] if hasattr(command, "commands") else []:
        _, found, rest = command.resolve_command(context, rest)  # type: ignore[attr-defined]
        assert found is not None
        command = found
        context = command.make_context(command.name, rest, parent=context)


def test_a_wrong_option_in_a_live_example_is_found() -> None:
    (good,) = calls(Example("echo x | tavus-console tail --count 1 --only '*present' > out; echo $?", ""))
    assert good == ["tail", "--count", "1", "--only", "*present"]
    parse_command_line(good)
    with pytest.raises(Exception, match="--cuont"):
        parse_command_line(["tail", "--cuont", "1"])
    with pytest.raises(Exception, match="creat"):
        parse_command_line(["conversation", "creat"])


@pytest.mark.parametrize("block", parameters([one for one in BLOCKS if one.language == "tavus"]))
def test_every_line_to_type_is_valid(block: Block, tmp_path: Path) -> None:
    if block.page.stem == "scripts":
        assert console("run", "--check", "-", stdin=block.text).err == ""
        return
    for line in block.text.splitlines():
        parse(line)


@pytest.mark.parametrize("block", parameters([one for one in BLOCKS if one.language == "json"]))
def test_every_line_of_json_is_valid(block: Block) -> None:
    for line in block.text.splitlines():
        assert isinstance(json.loads(line), dict)


def test_every_block_is_of_a_kind_that_is_checked() -> None:
    checked = ("console", "tavus", "json", "toml", "sql")  # sql: tests/report/test_fleet.py
    plain = [block for block in BLOCKS if block.language not in checked]
    assert [(block.page.stem, block.language) for block in plain] == [
        ("README", "sh"),  # make, tests/test_readme.py
        ("README", "sh"),  # installers
        ("architecture", ""),  # a drawing
        ("commands", ""),  # below
        ("local", ""),  # a server that keeps running, and what is typed in another terminal: not run
        ("local", ""),
        ("local", "python"),
        ("local", ""),
        ("local", ""),
        ("testing", "sh"),  # Locust, which is not ours: tests/test_examples_load.py
    ]
    for page in PAGES:
        assert TEXT[page.stem].count("\n```") == 2 * len(blocks(page)), page


def test_the_list_of_commands_is_what_help_prints() -> None:
    assert "```\n" + "\n".join(help_lines()) + "\n```" in TEXT["commands"]


def test_every_command_has_its_place_in_the_manual() -> None:
    listed = re.findall(r"^\| \[`(\w+)`\]", TEXT["commands"], re.M)
    assert sorted(listed) == sorted(HOME)
    shown = "".join(block.text for block in CONSOLE_BLOCKS)
    for command in HOME:
        assert f"tavus-console {command}" in shown, command


def test_every_option_of_tail_and_run_is_in_the_manual() -> None:
    for command, page, elsewhere in (
        ("tail", "commands", {"--name", "--join-timeout", "--daily-proxy", "--base-url", "--json"}),
        (
            "run",
            "scripts",
            {
                "--name",
                "--join-timeout",
                "--daily-proxy",
                "--base-url",
                "--json",
                "--ready-timeout",
                "--hold",
                "--conversation-id",
            },
        ),
    ):
        shown = console(command, "--help").out
        options = set(re.findall(r"(--[a-z-]+)", shown)) - {"--help"}
        assert options - set(re.findall(r"(--[a-z-]+)", TEXT[page])) <= elsewhere


def test_every_exit_status_is_in_the_table() -> None:
    rows = [f"| {int(status)} | {text} |" for status, text in EXIT_STATUS_HELP.items()]
    assert "\n".join(rows) in TEXT["configuration"]


def test_every_setting_is_in_the_table() -> None:
    for key in KEYS:
        assert f"`{key}`" in TEXT["configuration"], key


def anchors(text: str) -> set[str]:
    """The ids that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.*)", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_every_link_into_the_repo_leads_somewhere(page: Path) -> None:
    for link, anchor in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", TEXT[page.stem]):
        if "://" in link:
            continue
        target = (page.parent / link).resolve() if link else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text("utf-8")), f"{link}#{anchor}"


@pytest.mark.parametrize("page", MANUAL, ids=[page.stem for page in MANUAL])
def test_every_file_that_the_manual_names_exists(page: Path) -> None:
    for name in re.findall(
        r"`((?:tests|tavus_cli|examples|completions|docs|bench)/[\w/.]*)`", TEXT[page.stem]
    ):
        assert (ROOT / name).exists(), name


def test_help_has_every_page() -> None:
    assert sorted(TOPICS) == [page.stem for page in MANUAL]


def test_the_english_is_plain() -> None:
    """Phrases of ours that a native speaker would not write, in pages and in the package."""
    accent = re.compile(r"(?<![Tt]here )\bis no (?!longer)[A-Za-z\"]|\bgoes on\b")
    prose = {name: re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S) for name, text in TEXT.items()}
    sources = {str(path): path.read_text("utf-8") for path in (ROOT / "tavus_cli").rglob("*.py")}
    for name, text in (prose | sources).items():
        assert accent.findall(text) == [], name
