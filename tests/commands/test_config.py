"""``config``, and the settings as commands take them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tavus_cli.cli.completion_scripts import shapes
from tavus_cli.settings.table import KEYS, commented
from tavus_cli.terminal.editor import open_editor
from tests.kits.program import SAMPLES, Result, console, process, unmeasured

SAMPLE = str(SAMPLES)
RUN = ["replay", SAMPLE]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "config.toml"


def write(file: Path, text: str) -> dict[str, str]:
    """The file's text; the environment that names it."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return {"TAVUS_CONSOLE_CONFIG": str(file)}


def editor(folder: Path, code: str) -> str:
    """An editor made of a line of Python, in which ``path`` is the file."""
    script = folder / "the editor.py"
    script.write_text(f"import pathlib, sys\npath = pathlib.Path(sys.argv[-1])\n{code}\n")
    return f'"{sys.executable}" "{script}" --wait'


def edit(file: Path, code: str, **more: str) -> Result:
    variables = {"TAVUS_CONSOLE_CONFIG": str(file), "EDITOR": editor(file.parent.parent, code)}
    return console("config", "edit", **variables | more)


# -- path -----------------------------------------------------------------------------------------


def test_path(file: Path, no_settings: Path) -> None:
    assert console("config", "path", TAVUS_CONSOLE_CONFIG=str(file)) == Result(0, f"{file}\n", "")
    assert console("config", "path", **write(file, "broken")).out == f"{file}\n"
    if sys.platform == "linux":
        assert console("config", "path").out == f"{no_settings / 'tavus-console' / 'config.toml'}\n"


# -- edit -------------------------------------------------------------------------------------------


def test_edit_makes_the_commented_file_first(file: Path) -> None:
    assert edit(file, "assert path.read_text(encoding='utf-8').startswith('# Settings')") == Result(0, "", "")
    assert file.read_text(encoding="utf-8") == commented()


def test_edit_keeps_a_file_that_is_there(file: Path) -> None:
    write(file, 'name = "Dana"\n')
    assert edit(file, "path.write_text(path.read_text() + 'all = true\\n')").status == 0
    assert file.read_text() == 'name = "Dana"\nall = true\n'


def test_edit_opens_a_broken_file_and_says_what_is_wrong_afterwards(file: Path) -> None:
    write(file, "nonsense")
    assert edit(file, "path.write_text('name = \"Dana\"')") == Result(0, "", "")
    result = edit(file, "path.write_text('thme = 1\\nhold = 1\\nall = 7\\n')")
    assert (result.status, result.out) == (2, "")
    assert result.err == (
        f'tavus-console: {file}:1: unknown key "thme"; did you mean "theme"?\n'
        f'tavus-console: {file}:3: "all" must be true or false\n'
    )


def test_visual_overrides_editor(file: Path) -> None:
    assert edit(file, "", EDITOR="/nowhere/x", VISUAL=editor(file.parent.parent, "")).status == 0


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("/nowhere/code -w", "/nowhere/code: No such file"),
        ("'unclosed", "EDITOR: No closing quotation"),
        ("false", "false ended with status 1"),
    ],
)
def test_an_editor_that_fails(command: str, says: str, file: Path) -> None:
    result = edit(file, "", EDITOR=command)
    assert (result.status, result.out) == (1, "")
    assert says in result.err
    assert result.err.count("\n") == 1


def test_edit_where_no_file_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    for path in (tmp_path / "taken" / "config.toml", tmp_path):
        result = console("config", "edit", TAVUS_CONSOLE_CONFIG=str(path), EDITOR="true")
        assert result.status == 2
        assert str(path) in result.err
        assert result.err.count("\n") == 1


@pytest.mark.skipif(os.name != "posix", reason="which editors there are elsewhere")
def test_without_a_variable_an_editor_that_is_installed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = file.parent.parent / "bin"
    tools.mkdir()
    monkeypatch.setenv("PATH", str(tools))
    result = console("config", "edit", TAVUS_CONSOLE_CONFIG=str(file))
    assert (result.status, result.err) == (1, "tavus-console: no editor is installed; set EDITOR\n")
    (tools / "vi").write_text('#!/bin/sh\necho "all = true" > "$1"\n')
    (tools / "vi").chmod(0o755)
    result = console("config", "edit", TAVUS_CONSOLE_CONFIG=str(file))
    advice = f"edit {file} yourself, or name an editor in VISUAL"
    assert result == Result(1, "", f"tavus-console: vi needs a terminal: {advice}\n")
    open_editor(file, {})
    assert file.read_text() == "all = true\n"


# -- show ----------------------------------------------------------------------------------------------


def test_show_prints_values_and_sources_as_toml(file: Path) -> None:
    variables = write(file, '# mine\ntheme = "light"\nhold = "1500ms"\nname = "D\\"\\\\"\n')
    result = console("config", "show", TAVUS_CONSOLE_THEME="mono", NO_COLOR="1", **variables)
    assert (result.status, result.err) == (0, "")
    values = tomllib.loads(result.out)
    assert list(values) == list(KEYS)
    assert (values["theme"], values["hold"], values["name"]) == ("mono", "1.5s", 'D"\\')
    lines = {line.split()[0]: line for line in result.lines}
    assert lines["theme"].endswith("  # TAVUS_CONSOLE_THEME")
    assert lines["color"].endswith("  # NO_COLOR")
    assert lines["hold"].endswith(f"  # {file}:3")
    assert lines["all"].endswith("  # default")
    assert console("config", "show", **write(file, result.out)).status == 0


@pytest.mark.parametrize(
    ("text", "shown"), [("250ms", "250ms"), ("0.1ms", "0.1ms"), ("90s", "90s"), ("0", "0ms")]
)
def test_times_are_shown_as_they_are_written(text: str, shown: str, file: Path) -> None:
    assert f'hold = "{shown}" ' in console("config", "show", **write(file, f'hold = "{text}"')).out


def test_show_as_json(file: Path) -> None:
    variables = write(file, 'hold = "1s"\nhistory = "/tmp/typed"\n')
    shown = json.loads(console("config", "show", "--json", **variables).out)
    assert list(shown) == list(KEYS)
    assert shown["hold"] == {"value": 1.0, "from": f"{file}:1"}
    assert shown["history"] == {"value": "/tmp/typed", "from": f"{file}:2"}
    assert shown["daily_proxy"] == {"value": None, "from": "default"}


def test_show_of_a_broken_file(file: Path) -> None:
    result = console("config", "show", "--json", **write(file, "all = 1"))
    assert (result.status, result.out) == (2, "")
    assert json.loads(result.err)["error"]["message"] == f'{file}:1: "all" must be true or false'


# -- commands --------------------------------------------------------------------------------------------


def test_the_command_line_overrides_the_file(file: Path) -> None:
    variables = write(file, "all = true")
    plain, all = console(*RUN), console(*RUN, "--all")
    assert console(*RUN, **variables) == all != plain
    assert console(*RUN, "--no-all", **variables) == plain
    assert console(*RUN, TAVUS_CONSOLE_ALL="0", **variables) == plain
    assert console(*RUN, "--all", TAVUS_CONSOLE_ALL="0", **variables) == all


def test_themes_and_colours(file: Path) -> None:
    variables = write(file, 'theme = "light"\ncolor = "always"')
    light = console(*RUN, "--theme", "light", "--color", "always").out
    dark = console(*RUN, "--theme", "dark", "--color", "always").out
    assert len({light, dark, console(*RUN).out}) == 3
    assert console(*RUN, **variables).out == light
    assert console(*RUN, "--theme", "dark", **variables).out == dark
    assert console(*RUN, "--theme", "auto", COLORFGBG="0;15", **variables).out == light
    assert console(*RUN, "--theme", "auto", COLORFGBG="15;0", **variables).out == dark
    assert console(*RUN, TAVUS_CONSOLE_THEME="dark", **variables).out == dark
    assert console(*RUN, "--color", "never", **variables).out == console(*RUN).out
    assert console(*RUN, NO_COLOR="1", **variables).out == console(*RUN).out


def test_a_broken_file_is_one_line_and_a_usage_error(file: Path) -> None:
    variables = write(file, '\nthme = "dark"')
    for command in (RUN, ["tail", "sim"], ["join", "sim"], ["send", "sim", "interrupt"]):
        result = console(*command, **variables)
        assert (result.status, result.out) == (2, "")
        assert result.err == f'tavus-console: {file}:2: unknown key "thme"; did you mean "theme"?\n'


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["join", "--help"], ["completion", "bash"]])
def test_what_needs_no_settings_reads_none(arguments: list[str], file: Path) -> None:
    variables = write(file, "broken")
    assert process(*arguments, **variables).status == 0


def test_a_proxy_of_the_environment_is_a_setting(file: Path) -> None:
    result = console("tail", "https://x.daily.co/r", TAVUS_DAILY_PROXY="nonsense")
    assert result.status == 2
    assert "proxy" in result.err


def test_help_shows_the_true_defaults() -> None:
    text = " ".join(process("join", "--help").out.split()).replace("tavus- console", "tavus-console")
    for shown in (
        "Your name in the room. [default: tavus-console]",
        "before showing what follows. [default: 250ms]",
        "joining may take. [default: 45s]",
        "the PAL to join. [default: 300s]",
        "Colours on standard output. [default: auto]",
        "The colour theme. [default: auto]",
    ):
        assert shown in text


def test_every_theme_can_be_completed() -> None:
    options = {
        names: one
        for shape in shapes()
        if shape.path == ("join",)
        for one in shape.options
        for names in one.names
    }
    assert options["--theme"].offer == ("auto", "dark", "light", "mono", "high-contrast")


def test_without_a_file_no_toml_is_read() -> None:
    code = (
        "import sys\nfrom tavus_cli.cli import run_command\n"
        "from tavus_cli.session.environment import Environment\n"
        f"assert run_command(['replay', {SAMPLE!r}, '--count', '1'], Environment()) == 0\n"
        "assert 'tomllib' not in sys.modules\nassert 'prompt_toolkit' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL, env=unmeasured())
