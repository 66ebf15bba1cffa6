"""Messages of limited length; hints about misspelt words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tavus_cli.errors import LONGEST_MESSAGE, UsageError, did_you_mean, install, instead
from tavus_cli.language.commands import COMMANDS


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("ech", "; did you mean echo?"),
        ("echo", "; did you mean echo?"),
        ("ECHO", "; did you mean echo?"),
        ("zzz", ""),
        ("", ""),
        ("x" * 10**6, ""),
    ],
    ids=["near", "same", "other case", "far", "empty", "huge"],
)
def test_did_you_mean(word: str, hint: str) -> None:
    assert did_you_mean(word, COMMANDS) == hint


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("vi-mode", '; did you mean "vi_mode"?'),
        ("Vi_Mode", '; did you mean "vi_mode"?'),
        ("zzz", "; known are vi_mode, Hold"),
        ("hold", '; did you mean "Hold"?'),
    ],
)
def test_instead_of_an_unknown_key(word: str, hint: str) -> None:
    assert instead(word, iter(["vi_mode", "Hold"])) == hint


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('"' + "9" * 3000 + 's" is not a duration', '"' + "9" * 40 + '…s" is not a duration'),
        ("x" + "1" * 41 + "." + "2" * 5000, "x" + "1" * 40 + "…." + "2" * 40 + "…"),
        ("7" * 40, "7" * 40),
        ("no number", "no number"),
    ],
)
def test_a_usage_error_repeats_only_the_beginning_of_a_long_number(text: str, shown: str) -> None:
    assert str(UsageError(text)) == shown


@pytest.mark.parametrize(
    ("left_by_the_installer", "command"),
    [
        ("pipx_metadata.json", "pipx inject tavus-console"),
        ("uv-receipt.toml", "uv tool install"),
        ("pyvenv.cfg", "pip install"),
    ],
)
def test_an_extra_is_added_by_what_installed_the_program(
    left_by_the_installer: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    (tmp_path / left_by_the_installer).touch()
    assert install("local") == f"{command} 'tavus-console[local]'"


def test_a_message_quotes_no_megabytes() -> None:
    assert len(str(UsageError("x" * 10_000_000))) == LONGEST_MESSAGE + 1
    cut = "x" * (LONGEST_MESSAGE - 5) + " https://x/?t=SECRETSECRET"
    assert "SECRET" not in str(UsageError(cut))
