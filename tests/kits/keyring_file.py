"""A keyring backend that keeps its entries in a file, for machines without a real one.

``PYTHON_KEYRING_BACKEND=tests.kits.keyring_file.FileKeyring`` and ``TEST_KEYRING=FILE`` choose it.
"""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import keyring
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError


class FileKeyring(KeyringBackend):
    priority = 0.1

    @property
    def _file(self) -> Path:
        return Path(os.environ["TEST_KEYRING"])

    def _entries(self) -> dict[str, str]:
        if not self._file.exists():
            return {}
        entries: dict[str, str] = json.loads(self._file.read_text())
        return entries

    def get_password(self, service: str, username: str) -> str | None:
        return self._entries().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._file.write_text(json.dumps(self._entries() | {f"{service}/{username}": password}))

    def delete_password(self, service: str, username: str) -> None:
        entries = self._entries()
        if entries.pop(f"{service}/{username}", None) is None:
            raise PasswordDeleteError("not there")
        self._file.write_text(json.dumps(entries))


class LockedKeyring(FileKeyring):
    """A keyring that stays locked, with an error that reveals too much."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("locked")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked(f"cannot write {password}")


class BrokenKeyring(FileKeyring):
    def get_password(self, service: str, username: str) -> str | None:
        raise OSError("no bus")


class SilentKeyring(FileKeyring):
    """A keyring that waits to be unlocked."""

    def get_password(self, service: str, username: str) -> str | None:
        threading.Event().wait()
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        threading.Event().wait()


def use(name: str) -> None:
    """Use another backend in this process: a class of this module, "fail" or "null"."""
    place = f"keyring.backends.{name}.Keyring" if name in ("fail", "null") else f"{__name__}.{name}"
    keyring.set_keyring(keyring.core.load_keyring(place))
