"""The files of a running ``local`` for ``--env``, and the authorities that this machine trusts."""

from __future__ import annotations

import json
import ssl
from pathlib import Path

import pytest

from tavus_cli.errors import ConsoleError
from tavus_cli.local import running

OURS = b"-----BEGIN CERTIFICATE-----\nours\n-----END CERTIFICATE-----\n"
THEIRS = b"-----BEGIN CERTIFICATE-----\ntheirs\n-----END CERTIFICATE-----"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TAVUS_CONSOLE_RUNTIME", str(tmp_path / "run"))
    return tmp_path / "run"


def test_the_files_are_ours_and_gone_afterwards(folder: Path) -> None:
    with running.announced(1, "https://127.0.0.1:2/", OURS, "local"):
        told = json.loads((folder / "local-1.json").read_text())
        bundle = Path(told["SSL_CERT_FILE"])
        assert bundle.read_bytes().endswith(OURS)
        assert told["TAVUS_API_BASE_URL"] == "http://127.0.0.1:1"
        assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert list(folder.iterdir()) == []


def test_a_folder_of_another_user_is_refused(folder: Path) -> None:
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("a file")
    with pytest.raises(ConsoleError), running.announced(1, "p", OURS, "local"):
        raise AssertionError("not reached")


def test_authorities_of_the_variable_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "theirs.pem").write_bytes(THEIRS)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "theirs.pem"))
    assert running.system_authorities() == THEIRS + b"\n"


def test_authorities_where_openssl_knows_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty.pem").write_bytes(b"")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "empty.pem"))
    (tmp_path / "known.pem").write_bytes(THEIRS)
    monkeypatch.setattr(running, "_KNOWN_BUNDLES", (str(tmp_path / "none.pem"), str(tmp_path / "known.pem")))
    assert running.system_authorities() == THEIRS + b"\n"
    monkeypatch.setattr(running, "_KNOWN_BUNDLES", ())
    assert running.system_authorities().count(b"BEGIN CERTIFICATE") > 50  # httpx brings certifi's
    monkeypatch.setitem(__import__("sys").modules, "certifi", None)
    assert running.system_authorities() == b""
    assert ssl.get_default_verify_paths().cafile == str(tmp_path / "empty.pem")
