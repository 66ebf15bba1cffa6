"""Where the key and the tokens come from and are kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest

from tavus_cli.api.credentials import (
    Key,
    NoKeyring,
    Tokens,
    env_name,
    find_key,
    forget_key,
    require_key,
    store_key,
)
from tavus_cli.errors import ConsoleError, NotAuthorised, UsageError
from tests.kits import keyring_file

SECRET = "tvs-0123456789abcdef-secret"


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A keyring and a folder, only for this test."""
    before = keyring.get_keyring()
    monkeypatch.setenv("TEST_KEYRING", str(tmp_path / "ring.json"))
    keyring_file.use("FileKeyring")
    yield tmp_path / "ring.json"
    keyring.set_keyring(before)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "tokens"


# -- the key -------------------------------------------------------------------------------------------


def test_the_order() -> None:
    environ = {"TAVUS_API_KEY": "first", "TAVUS_PROD_API_KEY": "second"}
    store_key("third", {})
    keyring.set_password("tavus_mcp", "prod", "fourth")
    found = []
    for drop in ("TAVUS_API_KEY", "TAVUS_PROD_API_KEY", "ours", ""):
        key = require_key(environ)
        found.append((key.value, key.source))
        environ.pop(drop, None)
        if drop == "ours":
            assert forget_key(environ)
    assert found == [
        ("first", "TAVUS_API_KEY"),
        ("second", "TAVUS_PROD_API_KEY"),
        ("third", "the keyring (service tavus-console, user prod)"),
        ("fourth", "the keyring of Tavus' own CLI (service tavus_mcp, user prod)"),
    ]


@pytest.mark.parametrize(
    ("environ", "name"), [({}, "PROD"), ({"TAVUS_ENV": ""}, "PROD"), ({"TAVUS_ENV": " stg "}, "STG")]
)
def test_the_name_of_the_environment(environ: dict[str, str], name: str) -> None:
    assert env_name(environ) == name


@pytest.mark.parametrize("name", ["a b", "x-y", "é", "X" * 33])
def test_an_invalid_name(name: str) -> None:
    with pytest.raises(UsageError, match="TAVUS_ENV"):
        find_key({"TAVUS_ENV": name})


def test_each_environment_has_its_own_keys() -> None:
    stage = {"TAVUS_ENV": "stg"}
    store_key("prod key", {})
    keyring.set_password("tavus_mcp", "prod", "their prod key")
    assert find_key(stage) is None
    store_key("stage key", stage)
    assert (require_key(stage).value, require_key({}).value) == ("stage key", "prod key")
    assert require_key(stage | {"TAVUS_STG_API_KEY": "x", "TAVUS_PROD_API_KEY": "y"}).value == "x"


def test_the_entry_of_tavus_cli_is_only_read() -> None:
    keyring.set_password("tavus_mcp", "prod", "theirs")
    store_key("ours", {})
    assert forget_key({})
    assert not forget_key({})
    assert keyring.get_password("tavus_mcp", "prod") == "theirs"


def test_an_empty_variable_is_ignored_and_blanks_are_stripped() -> None:
    assert find_key({"TAVUS_API_KEY": " \n"}) is None
    assert require_key({"TAVUS_API_KEY": " key\n"}).value == "key"


@pytest.mark.parametrize("backend", ["fail", "null", "LockedKeyring", "BrokenKeyring"])
def test_the_environment_works_without_a_keyring(backend: str) -> None:
    keyring_file.use(backend)
    assert require_key({"TAVUS_API_KEY": SECRET}).value == SECRET
    with pytest.raises(NotAuthorised, match="TAVUS_API_KEY"):
        require_key({})
    with pytest.raises(NoKeyring, match="set TAVUS_API_KEY instead") as caught:
        store_key(SECRET, {})
    assert SECRET not in str(caught.value)


def test_a_key_is_not_in_its_repr() -> None:
    key = Key(SECRET, "a test")
    assert SECRET not in repr(key) + str(key)
    assert key.last_four == "cret"
    assert Key("short", "a test").last_four == ""


@pytest.mark.parametrize(
    ("key", "imports"), [("TAVUS_API_KEY", False), ("TAVUS_PROD_API_KEY", False), ("OTHER", True)]
)
def test_keyring_is_imported_only_when_asked(key: str, imports: bool) -> None:
    code = (
        "import sys; from tavus_cli.api.credentials import find_key\n"
        f"find_key({{'{key}': 'x'}}); print('keyring' in sys.modules, 'httpx' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(imports), "False"]


def test_keyring_need_not_be_installed() -> None:
    code = (
        "import sys; sys.modules['keyring'] = None\n"
        "from tavus_cli.api.credentials import find_key, store_key\n"
        "from tavus_cli.errors import ConsoleError\n"
        "assert find_key({}) is None\n"
        "try: store_key('x', {})\n"
        "except ConsoleError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'tavus-console[keyring]'" in done.stdout


# -- tokens --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["FileKeyring", "fail", "null", "LockedKeyring"])
def test_a_token_is_kept_and_forgotten(ring: Path, folder: Path, backend: str) -> None:
    keyring_file.use(backend)
    Tokens(folder).keep("c1", SECRET)
    file = folder / "c1"
    assert file.stat().st_mode & 0o777 == 0o600
    assert (SECRET in file.read_text()) == (backend != "FileKeyring")
    assert Tokens(folder).get("c1") == SECRET
    assert Tokens(folder).get("c2") is None
    Tokens(folder).forget("c1")
    Tokens(folder).forget("c1")
    assert Tokens(folder).get("c1") is None
    assert list(folder.iterdir()) == []
    assert not ring.exists() or json.loads(ring.read_text()) == {}


def test_a_token_is_kept_until_it_expires(ring: Path, folder: Path) -> None:
    clock = Clock()
    tokens = Tokens(folder, clock)
    tokens.keep("c1", SECRET, 60)
    clock.now += 59
    assert tokens.get("c1") == SECRET
    clock.now += 2
    assert tokens.get("c1") is None
    tokens.keep("c2", "other", 60)
    assert [path.name for path in folder.iterdir()] == ["c2"]
    assert list(json.loads(ring.read_text())) == ["tavus-console/token of c2"]


def test_a_new_token_replaces_the_old_one(folder: Path) -> None:
    keyring_file.use("fail")
    folder.mkdir(parents=True)
    (folder / "c1").write_text("{}")
    (folder / "c1").chmod(0o644)
    Tokens(folder).keep("c1", SECRET)
    assert (folder / "c1").stat().st_mode & 0o777 == 0o600
    assert Tokens(folder).get("c1") == SECRET


@pytest.mark.parametrize("text", ["", "{", "[]", '{"until": "x"}', '{"until": 9e9}', "[" * 100_000])
def test_a_broken_file_is_not_a_token(folder: Path, text: str) -> None:
    folder.mkdir(parents=True)
    (folder / "c1").write_text(text)
    assert Tokens(folder).get("c1") is None
    Tokens(folder).keep("c1", SECRET)
    assert Tokens(folder).get("c1") == SECRET


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConsoleError, match="cannot store the meeting token") as caught:
        Tokens(tmp_path / "file").keep("c1", SECRET)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("name", ["../c1", "", "a/b"])
def test_an_id_is_not_a_path(folder: Path, name: str) -> None:
    for call in (Tokens(folder).get, Tokens(folder).forget, lambda one: Tokens(folder).keep(one, "t")):
        with pytest.raises(UsageError):
            call(name)


def test_the_folder_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform != "linux":
        pytest.skip("XDG folders")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    Tokens().keep("c1", SECRET)
    assert os.listdir(tmp_path / "tavus-console" / "tokens") == ["c1"]
