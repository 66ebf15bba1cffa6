"""For every test: the settings, API key and keyring of the user have no effect."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.kits.program import NOWHERE

# `make test` tries these of each hundred examples of a property; `make test-all` and pytest try all.
# No test asserts a time: on a machine that others use, an example may take long.
settings.register_profile("quick", max_examples=25, deadline=None)
settings.register_profile("whole", deadline=None)
settings.load_profile("whole")


@pytest.fixture(scope="session", autouse=True)
def signals() -> None:
    """Signals as in a terminal: whatever started the tests (nohup, a shell's &) may ignore some."""
    for name, usual in (("SIGHUP", signal.SIG_DFL), ("SIGINT", signal.default_int_handler)):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)


@pytest.fixture(scope="session", autouse=True)
def no_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty folder for settings, and no variables for them."""
    folder = tmp_path_factory.mktemp("settings")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("TAVUS_CONSOLE_")]:
            patch.delenv(name)
        for name in ("TAVUS_DAILY_PROXY", "COLORFGBG"):
            patch.delenv(name, raising=False)
        patch.setenv("XDG_CONFIG_HOME", str(folder))
        # nothing that the user's consoles left running is named
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        # the user's sessions are not used as TARGET
        patch.setenv("TAVUS_CONSOLE_RUNTIME", str(folder / "run"))
        yield folder


@pytest.fixture(scope="session", autouse=True)
def no_key() -> Iterator[None]:
    """No API key, no other API, and a machine without a keyring: no test asks Tavus by accident."""
    with pytest.MonkeyPatch.context() as patch:
        ours = re.compile(r"TAVUS_((\w+_)?API_KEY|API_BASE_URL|ENV|CONVERSATION)")
        for name in [name for name in os.environ if ours.fullmatch(name)]:
            patch.delenv(name)
        patch.setenv("TAVUS_API_BASE_URL", NOWHERE)
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
        yield


@pytest.fixture
def sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for the sockets of resident sessions; what a test leaves running is stopped."""
    from tests.kits.program import console

    monkeypatch.setenv("TAVUS_CONSOLE_RUNTIME", str(tmp_path / "run"))
    yield tmp_path / "run"
    console("session", "stop", "--all")
