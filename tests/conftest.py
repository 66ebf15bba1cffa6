"""What holds for every test: the settings of whoever runs them change nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def no_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty folder for settings, and no variable that is one."""
    folder = tmp_path_factory.mktemp("settings")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("TAVUS_CONSOLE_")]:
            patch.delenv(name)
        for name in ("TAVUS_DAILY_PROXY", "COLORFGBG"):
            patch.delenv(name, raising=False)
        patch.setenv("XDG_CONFIG_HOME", str(folder))
        yield folder
