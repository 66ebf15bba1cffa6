"""The API key and meeting tokens: where they come from and are kept. ``keyring`` is imported late.

The key is looked for in this order:

1. ``TAVUS_API_KEY``
2. ``TAVUS_<ENV>_API_KEY``, where ``<ENV>`` is ``TAVUS_ENV`` in capitals, PROD if that is not set
3. our entry in the keyring: service ``tavus-console``, user ``<env>`` (``auth login`` writes it)
4. the entry of Tavus' own CLI: service ``tavus_mcp``, user ``prod``; only read, and only for PROD

No ``repr`` and no error contains a secret.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tavus_cli.api.checks import check_id
from tavus_cli.errors import ConsoleError, NotAuthorised, UsageError, install, keep_secret
from tavus_cli.files import read
from tavus_cli.settings.folders import state_folder

SERVICE = "tavus-console"
THEIR_SERVICE, THEIR_USER = "tavus_mcp", "prod"
TOKEN_SECONDS = 3600.0 + 300.0  # the longest call, and the longest wait for somebody to join it

_NOTE_BYTES = 1 << 20
KEYRING_SECONDS = 3.0

_ENV_NAME = re.compile(r"[A-Z0-9_]{1,32}", re.ASCII)


class NoKeyring(ConsoleError):
    """There is no keyring, or it cannot store anything."""

    reason = "no_keyring"


class KeyringSilent(NoKeyring):
    """The keyring does not answer, perhaps because it is locked."""


@dataclass(frozen=True, slots=True)
class Key:
    """An API key; ``source`` describes where it comes from."""

    value: str = field(repr=False)
    source: str

    def __post_init__(self) -> None:
        keep_secret(self.value)

    @property
    def last_four(self) -> str:
        """The last four characters; "" for a key too short to show them."""
        return self.value[-4:] if len(self.value) >= 16 else ""


def find_key(environ: Mapping[str, str]) -> Key | None:
    """The key to use, or None. Imports keyring only if the environment has no key.

    Raises UsageError, and KeyringSilent after KEYRING_SECONDS.
    """
    named = f"TAVUS_{env_name(environ)}_API_KEY"
    for name in ("TAVUS_API_KEY", named):
        if value := environ.get(name, "").strip():
            return Key(value, name)
    user = env_name(environ).lower()
    if ours := _read(SERVICE, user):
        return Key(ours, f"the keyring (service {SERVICE}, user {user})")
    if user == THEIR_USER and (theirs := _read(THEIR_SERVICE, THEIR_USER)):
        return Key(theirs, f"the keyring of Tavus' own CLI (service {THEIR_SERVICE}, user {THEIR_USER})")
    return None


def require_key(environ: Mapping[str, str]) -> Key:
    """Raises NotAuthorised or KeyringSilent, which say what to set."""
    key = find_key(environ)
    if key is None:
        raise NotAuthorised("no API key: set TAVUS_API_KEY, or store one with tavus-console auth login")
    return key


def keyring_trouble() -> str:
    """Why the keyring cannot be used; "" if it can."""
    try:
        _ask(lambda keyring: keyring.get_password(SERVICE, "prod"))
    except NoKeyring as error:
        return str(error)
    return ""


def store_key(value: str, environ: Mapping[str, str]) -> str:
    """Store a key; returns where, in words. Raises NoKeyring."""
    user = env_name(environ).lower()
    _write(SERVICE, user, value)
    return f"the keyring (service {SERVICE}, user {user})"


def forget_key(environ: Mapping[str, str]) -> bool:
    """Remove our key; returns whether there was one. Raises NoKeyring."""
    user = env_name(environ).lower()
    there = _ask(lambda keyring: keyring.get_password(SERVICE, user)) is not None
    if there:
        _ask(lambda keyring: keyring.delete_password(SERVICE, user))
    return there


def env_name(environ: Mapping[str, str]) -> str:
    """``<ENV>``. Raises UsageError."""
    name = environ.get("TAVUS_ENV", "").strip().upper() or "PROD"
    if not _ENV_NAME.fullmatch(name):
        raise UsageError("TAVUS_ENV must be one word of letters, digits and _, such as prod")
    return name


class Tokens:
    """Meeting tokens of private conversations, for as long as they can be used.

    A small file for each conversation, mode 0600, says until when. The token itself is in the keyring or,
    without one, in that file.
    """

    def __init__(self, folder: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder or _tokens_folder()
        self._clock = clock

    def keep(self, conversation_id: str, token: str, seconds: float = TOKEN_SECONDS) -> None:
        """Keep a token, and drop expired ones. Raises ConsoleError if nothing can be written."""
        keep_secret(token)
        name = check_id(conversation_id)
        self._drop_old()
        note: dict[str, Any] = {"until": self._clock() + seconds}
        try:
            _write(SERVICE, _token_user(name), token)
        except NoKeyring:
            note["token"] = token
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                (self._folder / name).unlink()
            handle = os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(note, file)
        except OSError as error:
            raise ConsoleError(f"cannot store the meeting token: {error}") from None

    def get(self, conversation_id: str) -> str | None:
        name = check_id(conversation_id)
        note = self._note(name)
        if note is None:
            return None
        try:
            token = note.get("token") or _read(SERVICE, _token_user(name))
        except KeyringSilent:
            return None
        if not isinstance(token, str):
            return None
        keep_secret(token)
        return token

    def forget(self, conversation_id: str) -> None:
        name = check_id(conversation_id)
        path = self._folder / name
        if not path.exists():
            return
        if "token" not in (_load(path) or {}):
            with contextlib.suppress(NoKeyring):
                _ask(lambda keyring: keyring.delete_password(SERVICE, _token_user(name)))
        with contextlib.suppress(OSError):
            path.unlink()

    def _note(self, name: str) -> dict[str, Any] | None:
        """The token of a conversation, unless it has expired."""
        note = _load(self._folder / name)
        if note is None or self._clock() > note["until"]:
            return None
        return note

    def _drop_old(self) -> None:
        with contextlib.suppress(OSError, ConsoleError):
            for path in self._folder.iterdir():
                note = _load(path)  # None: not our file, so it is left alone
                if note is not None and self._clock() > note["until"]:
                    with contextlib.suppress(ConsoleError):  # a name that cannot be a conversation id
                        self.forget(path.name)


def _load(path: Path) -> dict[str, Any] | None:
    """The content of such a file; None if it cannot be read."""
    try:
        note = json.loads(read(path, _NOTE_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    if isinstance(note, dict) and isinstance(note.get("until"), int | float):
        return note
    return None


def _token_user(name: str) -> str:
    return f"token of {name}"


def _tokens_folder() -> Path:
    return state_folder() / "tokens"


# -- the keyring ---------------------------------------------------------------------------------------


def _read(service: str, user: str) -> str | None:
    """Read an entry; None if there is no keyring, too: users without one need no error about it.

    Raises KeyringSilent.
    """
    try:
        value = _ask(lambda keyring: keyring.get_password(service, user))
    except KeyringSilent:
        raise
    except NoKeyring:
        return None
    return value.strip() or None if isinstance(value, str) else None


def _write(service: str, user: str, value: str) -> None:
    _ask(lambda keyring: keyring.set_password(service, user, value))
    if _ask(lambda keyring: keyring.get_password(service, user)) != value:
        raise NoKeyring("the keyring of this machine stores nothing: set TAVUS_API_KEY instead")


_silent = False  # after a timeout it is not asked again: the wait happens once


def _ask(question: Callable[[Any], Any]) -> Any:
    """Ask the keyring, within KEYRING_SECONDS: a locked one may wait for ever to be unlocked.

    Raises NoKeyring, without the backend's message, which may hold the secret.
    """
    global _silent
    from tavus_cli.session.blocking import bounded

    if not _silent:
        try:
            return bounded(KEYRING_SECONDS, lambda: _answer(question))
        except TimeoutError:
            _silent = True
    raise KeyringSilent(
        f"the keyring did not answer within {KEYRING_SECONDS:g} s: unlock it, or set TAVUS_API_KEY"
    )


def _answer(question: Callable[[Any], Any]) -> Any:
    try:
        import keyring
    except ImportError:
        raise NoKeyring(
            f"keyring is not installed: {install('keyring')}, or set TAVUS_API_KEY instead"
        ) from None
    try:
        return question(keyring)
    except keyring.errors.NoKeyringError:
        raise NoKeyring("this machine has no keyring: set TAVUS_API_KEY instead") from None
    except Exception as error:  # backends raise exceptions of any kind
        raise NoKeyring(
            f"the keyring does not work ({type(error).__name__}): unlock it, or set TAVUS_API_KEY instead"
        ) from None
