"""Settings: their values, precedence, and errors."""

from __future__ import annotations

import tomllib
from pathlib import Path

import platformdirs
import pytest

from tavus_cli.errors import UsageError
from tavus_cli.protocol.ordering import HOLD_SECONDS
from tavus_cli.settings.file import load, wrong_in
from tavus_cli.settings.table import KEYS, Settings, commented, config_path, default_history

HISTORY = Path("/history")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def loaded(file: Path, text: str, **environ: str) -> Settings:
    file.write_text(text, encoding="utf-8")
    return load({"TAVUS_CONSOLE_CONFIG": str(file), **environ})


def refused(file: Path, text: str, **environ: str) -> str:
    with pytest.raises(UsageError) as caught:
        loaded(file, text, **environ)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# -- where files are --------------------------------------------------------------------------------


@pytest.mark.parametrize("environ", [{}, {"TAVUS_CONSOLE_CONFIG": ""}, {"HOME": "/nowhere"}])
def test_files_are_where_this_platform_keeps_them(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platformdirs, "user_config_path", lambda name: tmp_path / "config" / name)
    monkeypatch.setattr(platformdirs, "user_state_path", lambda name: tmp_path / "state" / name)
    assert config_path(environ) == tmp_path / "config" / "tavus-console" / "config.toml"
    assert default_history() == tmp_path / "state" / "tavus-console" / "history"
    assert load(environ).history == default_history()
    assert list(tmp_path.iterdir()) == []  # asking makes nothing


def test_paths_from_the_environment() -> None:
    assert config_path({"TAVUS_CONSOLE_CONFIG": "/etc/console.toml"}) == Path("/etc/console.toml")
    assert load({"TAVUS_CONSOLE_HISTORY": "/tmp/typed"}).history == Path("/tmp/typed")


# -- keys -------------------------------------------------------------------------------------------


def test_every_setting_has_a_key_and_every_key_a_setting() -> None:
    assert {*KEYS, "origins"} == set(Settings._fields)


def test_nothing_set_is_the_default(file: Path) -> None:
    for text in ("", commented(), "# a comment alone"):
        settings = loaded(file, text)
        assert settings == Settings(default_history())
        assert settings.origins == {}


def test_the_commented_file_names_every_key_with_its_default(file: Path) -> None:
    lines = [line[1:] if line.startswith("#") and line[1] != " " else "" for line in commented().splitlines()]
    text = "\n".join(lines)
    assert list(tomllib.loads(text)) == list(KEYS)
    settings = loaded(file, text)
    assert settings._replace(origins={}, history=HISTORY) == Settings(history=HISTORY)
    assert settings.origins.keys() == KEYS.keys()


def test_values_of_the_file(file: Path) -> None:
    settings = loaded(
        file,
        """
        theme = "high-contrast"
        color = "never"
        vi_mode = true
        name = "Dana Ø"
        hold = "1s"
        join_timeout = 2.5
        ready_timeout = "5m"
        history = "~/typed"
        daily_proxy = "https://proxy.example/"
        clipboard = true
        events_kept = 1_000
        partials = true
        all = true
        """,
    )
    expected = Settings(
        Path.home() / "typed",
        "high-contrast",
        "never",
        True,
        "Dana Ø",
        1.0,
        2.5,
        300.0,
        "https://proxy.example/",
        True,
        1000,
        True,
        True,
    )
    assert settings._replace(origins={}) == expected
    assert settings.origins["theme"] == f"{file}:2"
    assert settings.origins["all"] == f"{file}:14"


VARIABLES = {
    "theme": ("light", "light"),
    "color": ("always", "always"),
    "vi_mode": ("1", True),
    "name": ("Dana", "Dana"),
    "hold": ("10ms", 0.01),
    "join_timeout": ("1m", 60.0),
    "ready_timeout": ("7", 7.0),
    "history": ("typed", Path("typed")),
    "daily_proxy": ("https://other.example/", "https://other.example/"),
    "clipboard": ("true", True),
    "events_kept": ("5", 5),
    "partials": ("false", False),
    "all": ("0", False),
}


@pytest.mark.parametrize("name", KEYS)
def test_the_environment_overrides_the_file(name: str, file: Path) -> None:
    text, value = VARIABLES[name]
    variable = KEYS[name].variable
    toml = 'theme="dark"\ncolor="never"\nname="x"\nhold="9s"\npartials=true\nall=true\nevents_kept=9\n'
    settings = loaded(file, toml, **{variable: text})
    assert getattr(settings, name) == value
    assert settings.origins[name] == variable
    assert getattr(loaded(file, toml, **{variable: ""}), name) == getattr(loaded(file, toml), name)


@pytest.mark.parametrize(
    ("environ", "color", "origin"),
    [
        ({}, "always", None),
        ({"NO_COLOR": ""}, "always", None),
        ({"FORCE_COLOR": "0"}, "always", None),
        ({"NO_COLOR": "1"}, "auto", "NO_COLOR"),
        ({"FORCE_COLOR": "1"}, "auto", "FORCE_COLOR"),
        ({"CLICOLOR_FORCE": "1"}, "auto", "CLICOLOR_FORCE"),
        ({"NO_COLOR": "1", "TAVUS_CONSOLE_COLOR": "always"}, "always", "TAVUS_CONSOLE_COLOR"),
    ],
)
def test_no_color_counts_as_the_environments_color(
    environ: dict[str, str], color: str, origin: str | None, file: Path
) -> None:
    settings = loaded(file, 'color = "always"', **environ)
    assert settings.color == color
    assert settings.origins["color"] == (origin or f"{file}:1")


# -- what is wrong ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('\nthme = "dark"', ':2: unknown key "thme"; did you mean "theme"?'),
        ("vi-mode = true", ':1: unknown key "vi-mode"; did you mean "vi_mode"?'),
        ("# x\n\n[theme]\nx = 1", ':3: "theme" must be one of auto, dark, light, mono, high-contrast'),
        ("[colours]\nx = 1", ':1: unknown key "colours"; did you mean "color"?'),
        ("zzz = 1", ':1: unknown key "zzz"; known are theme, color, vi_mode,'),
        ('theme = "drak"', ':1: "theme" must be one of auto, dark,'),
        ("theme = 1", ':1: "theme" must be one of auto, dark,'),
        ("theme = []", ':1: "theme" must be one of auto, dark,'),
        ('vi_mode = "perhaps"', ':1: "vi_mode" must be true or false'),
        ("vi_mode = 1", ':1: "vi_mode" must be true or false'),
        ('name = ""', ':1: "name" must be printable text'),
        ('name = "a\\u001b[31m"', ':1: "name" must be printable text'),
        ('hold = "soon"', ':1: "hold" must be a time such as "250ms", "10s" or "5m"'),
        ("hold = true", ':1: "hold" must be a time'),
        ("hold = -1", ':1: "hold" must be a time'),
        ("hold = inf", ':1: "hold" must be a time'),
        ("hold = nan", ':1: "hold" must be a time'),
        ("history = false", ':1: "history" must be the path of a file'),
        ('history = "~nobody-of-this-name/x"', ':1: "history" must be the path of a file'),
        ("daily_proxy = 3", ':1: "daily_proxy" must be an address'),
        ("events_kept = 0", ':1: "events_kept" must be a whole number from 1'),
        ("events_kept = 1.5", ':1: "events_kept" must be a whole number from 1'),
        ("events_kept = true", ':1: "events_kept" must be a whole number from 1'),
        ('\ntheme = "dark', ":2: "),
        ("theme", ":1: "),
        ("x = 1\nx = 2", ":2: "),
        ("x = " + "[" * 100_000, ":1: "),
        ("\n\nname = '''\n", ":3: "),
    ],
)
def test_what_is_wrong_is_reported_with_its_line(text: str, says: str, file: Path) -> None:
    assert f"{file}{says}" in refused(file, text)
    assert wrong_in(file)[0] == refused(file, text)


def test_every_mistake_is_found(file: Path) -> None:
    refused(file, 'thme = 1\nhold = "1s"\nall = 3\n')
    assert [line.partition(":")[2][:2] for line in wrong_in(file)] == ["1:", "3:"]


@pytest.mark.parametrize("name", [name for name in KEYS if name not in ("name", "history", "daily_proxy")])
def test_a_wrong_variable_is_reported_by_its_name(name: str, file: Path) -> None:
    assert refused(file, "", **{KEYS[name].variable: "nonsense"}).startswith(
        f"{KEYS[name].variable} must be "
    )


def test_files_that_cannot_be_read(file: Path, tmp_path: Path) -> None:
    file.write_bytes(b'name = "x"\n\xff')
    (line,) = wrong_in(file)
    assert line.startswith(f"{file}:2: not UTF-8 text: convert it")
    with pytest.raises(UsageError, match=r":2: not UTF-8 text"):
        load({"TAVUS_CONSOLE_CONFIG": str(file)})
    with pytest.raises(UsageError, match="directory"):
        load({"TAVUS_CONSOLE_CONFIG": str(tmp_path)})


def test_a_file_that_is_named_must_be_there(file: Path) -> None:
    with pytest.raises(UsageError, match="create it with: tavus-console config edit"):
        load({"TAVUS_CONSOLE_CONFIG": str(file)})


def test_a_mark_at_the_beginning_is_not_part_of_the_text(file: Path) -> None:
    file.write_bytes(b'\xef\xbb\xbfname = "Dana"\r\n')
    assert load({"TAVUS_CONSOLE_CONFIG": str(file)}).name == "Dana"


def test_the_core_and_the_setting_have_the_same_hold() -> None:
    """It is in two places: the core must not import settings, and settings must not import the core."""
    assert Settings(history=HISTORY).hold == HOLD_SECONDS
