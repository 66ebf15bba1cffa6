"""What is printed before a wait that may be long: for a keyring, the API, the PAL."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest

from tavus_cli.api import credentials
from tavus_cli.cli import run_command
from tavus_cli.session.environment import Environment
from tests.kits import keyring_file
from tests.kits.program import console
from tests.kits.tavus_api import KEY, PAL, LocalApi, local_api

ID = "c000000000000001"
CREATE = ("conversation", "create", "--pal", PAL, "--private")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalApi]:
    before = keyring.get_keyring()
    monkeypatch.setenv("TEST_KEYRING", str(tmp_path / "ring.json"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(credentials, "_silent", False)  # and again so after this test
    keyring_file.use("FileKeyring")
    with local_api(behind="sim:?speed=max") as one:
        yield one
    keyring.set_keyring(before)


def around(api: LocalApi, stdin: str, key: str = KEY) -> Environment:
    variables = {"TAVUS_API_BASE_URL": api.base_url, "TAVUS_API_KEY": key}
    return Environment(io.StringIO(stdin), io.StringIO(), Terminal(), variables)


def said_by(environment: Environment) -> str:
    assert isinstance(environment.stderr, io.StringIO)
    return environment.stderr.getvalue()


@pytest.mark.parametrize("option", ["--private", "--require-auth"])
@pytest.mark.parametrize("command", ["conversation create", "join --new", "join --new --end-on-exit"])
def test_the_id_is_printed_before_its_token_is_kept(
    api: LocalApi, command: str, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = around(api, "/quit\n")
    told = []
    monkeypatch.setattr(keyring, "set_password", lambda *_: told.append(said_by(environment)))
    assert run_command([*command.split(), "--pal", PAL, option], environment) == 0
    assert f"{ID} is billed until it ends" in told[0]


HANGING = {
    "a token to keep": (CREATE, KEY, 0),
    "a token to look up": (("join", ID), KEY, 0),
    "a key to look up": (("conversation", "list"), "", 1),
    "the key's place": (("auth", "status"), "", 1),
    "a key to remove": (("auth", "logout"), "", 1),
    "a key to store": (("auth", "login"), "", 1),
}


@pytest.mark.parametrize("name", HANGING)
def test_a_hanging_keyring_is_asked_once(api: LocalApi, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments, key, status = HANGING[name]
    console(*CREATE, TAVUS_API_KEY=KEY, TAVUS_API_BASE_URL=api.base_url)
    assert credentials.KEYRING_SECONDS == 3.0
    monkeypatch.setattr(credentials, "KEYRING_SECONDS", 0.05)
    asked = []
    never = threading.Event()

    def hang(*question: str) -> None:
        asked.append(question)
        never.wait()

    for one in ("get_password", "set_password", "delete_password"):
        monkeypatch.setattr(keyring, one, hang)
    variables = {"TAVUS_API_KEY": key} if key else {}
    result = console(
        *arguments, stdin=KEY if "login" in arguments else "", TAVUS_API_BASE_URL=api.base_url, **variables
    )
    never.set()
    assert (result.status, len(asked)) == (status, 1)
    assert ("the keyring did not answer within" in result.err) == (status != 0)


@pytest.mark.parametrize("arguments", [("--new", "--pal", PAL), ("sim:?speed=max",), (ID,)])
def test_join_says_what_it_waits_for(api: LocalApi, arguments: tuple[str, ...]) -> None:
    if arguments == (ID,):
        console(*CREATE, TAVUS_API_KEY=KEY, TAVUS_API_BASE_URL=api.base_url)
    environment = around(api, "/quit\n")
    assert run_command(["join", *arguments], environment) == 0
    said = said_by(environment).splitlines()
    if "--new" in arguments:
        assert said.pop(0) == "creating a conversation …"
        assert said.pop(0).startswith(f"tavus-console: {ID} is billed until it ends")
    assert said[0] == "joining sim:?speed=max …"
    assert "waiting for the PAL, at most 300 s …" in said
