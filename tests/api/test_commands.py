"""Every command that asks the API: which address, which answers it copes with; and those that ask nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from tests.api.test_client import ODD
from tests.kits import keyring_file
from tests.kits.conversations import examples
from tests.kits.program import SAMPLES, console, environ
from tests.kits.tavus_api import KEY, PAL, LocalApi, Odd, local_api

SCRIPT = SAMPLES.parents[2] / "examples" / "smoke.tavus"
COMMANDS = [
    ["conversation", "create", "--pal", PAL],
    ["conversation", "list"],
    ["conversation", "get", "c1", "--verbose"],
    ["conversation", "end", "c1"],
    ["conversation", "end", "--all-active", "--yes"],
    ["join", "--new", "--pal", PAL],
    ["doctor"],
]


@pytest.fixture
def api() -> Iterator[LocalApi]:
    with local_api() as one:
        yield one


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A keyring, sessions and a folder for tokens, only for this test."""
    before = keyring.get_keyring()
    monkeypatch.setenv("TEST_KEYRING", str(tmp_path / "ring.json"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("TAVUS_CONSOLE_RUNTIME", str(tmp_path / "run"))
    keyring_file.use("FileKeyring")
    yield
    keyring.set_keyring(before)


# -- what it answers -----------------------------------------------------------------------------------

# One attempt each: a longer Retry-After is reported, and not waited for.
AGAIN = {"Retry-After": "99"}


@examples(120, suppress=[HealthCheck.function_scoped_fixture])
@given(odd=ODD, arguments=st.sampled_from(COMMANDS))
def test_whatever_the_api_answers_a_command_ends_as_documented(
    api: LocalApi, odd: Odd, arguments: list[str]
) -> None:
    api.odd.clear()
    api.odd.extend([Odd(odd.status, odd.body, odd.headers | AGAIN)] * 9)
    result = console(*arguments, TAVUS_API_KEY=KEY, TAVUS_API_BASE_URL=api.base_url)
    assert KEY not in result.out + result.err
    assert result.status in (0, 1, 3, 4, 5, 6)
    assert all(line.startswith("tavus-console: ") for line in result.err.splitlines())
    assert bool(result.err) or result.status == 0 or "doctor" in arguments


# -- where it is ---------------------------------------------------------------------------------------

ASKING = {
    "join": ["join", "ID"],
    "join --new": ["join", "--new", "--pal", PAL, "--end-on-exit"],
    "tail": ["tail", "ID", "--count", "1"],
    "send": ["send", "ID", "interrupt"],
    "run": ["run", "ID", str(SCRIPT)],
    "doctor": ["doctor"],
    "session start": ["session", "start", "ID"],
    "create": ["conversation", "create", "--pal", PAL],
    "list": ["conversation", "list"],
    "get": ["conversation", "get", "ID"],
    "end": ["conversation", "end", "ID"],
    "login": ["auth", "login"],
}


@pytest.mark.parametrize("name", ASKING)
def test_base_url_is_the_root_everywhere_and_never_plain_http(api: LocalApi, name: str) -> None:
    api.behind = "sim" if name == "session start" else "sim:?speed=max"
    arguments = [api.add() if one == "ID" else one for one in ASKING[name]]
    typed = f"{KEY}\n" if name == "login" else ""
    refused = console(*arguments, "--base-url", "http://10.0.0.1", stdin=typed, TAVUS_API_KEY=KEY)
    assert (refused.status, api.requests) == (2, [])
    assert "must be https: plain http would show the key" in refused.out + refused.err
    done = console(*arguments, "--base-url", api.base_url, stdin=typed, TAVUS_API_KEY=KEY)
    assert (done.status, {one.headers["x-api-key"] for one in api.requests}) == (0, {KEY})
    assert all(one.path.startswith("/v2/") for one in api.requests)
    console("session", "stop", "--all")


# -- what is imported ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["conversation", "--help"],
        ["conversation", "create", "--help"],
        ["auth", "--help"],
        ["send", "sim:?speed=max", "respond", "hello", "--wait", "reply"],
        ["tail", "sim:?speed=max", "--count", "1"],
        ["join", "sim:?speed=max"],
        ["run", "sim:?speed=max", str(SCRIPT)],
        ["replay", str(SAMPLES)],
        ["session", "list"],
        ["config", "show"],
        ["completion", "bash"],
    ],
    ids=" ".join,
)
def test_httpx_and_keyring_are_imported_only_when_needed(arguments: list[str]) -> None:
    code = (
        "import sys; from tavus_cli.cli import run_command\n"
        "from tavus_cli.session.environment import Environment\n"
        f"assert run_command({arguments}, Environment()) == 0\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input="", capture_output=True, text=True, check=True, env=environ()
    )
    assert {"httpx", "keyring"} & set(done.stderr.split()) == set()
