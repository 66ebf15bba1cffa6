"""Where things are kept."""

from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

from tavus_cli.settings import history_file


def test_the_history_is_where_the_environment_says() -> None:
    assert history_file({"TAVUS_CONSOLE_HISTORY": "/tmp/typed"}) == Path("/tmp/typed")


@pytest.mark.parametrize("environ", [{}, {"TAVUS_CONSOLE_HISTORY": ""}, {"HOME": "/nowhere"}])
def test_else_with_the_state_of_this_platform(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platformdirs, "user_state_path", lambda name: tmp_path / name)
    assert history_file(environ) == tmp_path / "tavus-console" / "history"


def test_asking_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert history_file({}).name == "history"
    assert list(tmp_path.iterdir()) == []
