"""``auth …``: store a key in the keyring, show its last four characters, remove it."""

from __future__ import annotations

from typing import Any

from tavus_cli.api.checks import check_base_url, check_key
from tavus_cli.api.client import TavusApi
from tavus_cli.api.credentials import Key, env_name, find_key, forget_key, store_key
from tavus_cli.errors import ExitStatus, NotAuthorised, UsageError
from tavus_cli.files import read_line
from tavus_cli.protocol.wire import to_json
from tavus_cli.session.environment import Environment, is_tty

TIMEOUT = 15.0  # seconds for the call that tries the key


def login(base_url: str | None, environment: Environment, *, as_json: bool) -> int:
    """Raises NotAuthorised for a key that the API refuses, NoKeyring if it cannot be stored."""
    url = check_base_url(base_url or environment.environ.get("TAVUS_API_BASE_URL"))
    value = _asked(environment)
    with TavusApi(value, url, timeout=TIMEOUT) as api:
        next(api.conversations("active"), None)
    where = store_key(value, environment.environ)
    stored = Key(value, where)
    _print(f"stored in {where}: a key ending in {_ending(stored)}", _about(stored), environment, as_json)
    found = find_key(environment.environ)
    if found is not None and found.source != where:
        environment.warn(f"{found.source} is set and is used first: unset it to use the stored key")
    return ExitStatus.DONE


def status(environment: Environment, *, as_json: bool) -> int:
    """Raises NotAuthorised if there is no key."""
    key = find_key(environment.environ)
    if key is None:
        raise NotAuthorised("no API key: set TAVUS_API_KEY, or store one with tavus-console auth login")
    check_key(key.value)
    _print(f"from {key.source}: a key ending in {_ending(key)}", _about(key), environment, as_json)
    return ExitStatus.DONE


def logout(environment: Environment, *, as_json: bool) -> int:
    """Raises NoKeyring."""
    had = forget_key(environment.environ)
    _print("key removed" if had else "no key was stored", {"forgotten": had}, environment, as_json)
    if (left := find_key(environment.environ)) is not None:
        environment.warn(f"another key is still in use: it comes from {left.source}")
    return ExitStatus.DONE


def _asked(environment: Environment) -> str:
    """Read a key: by a prompt without echo on a terminal, else from the first line of standard input."""
    if is_tty(environment.stdin):
        from getpass import getpass

        value = getpass(f"Tavus API key ({env_name(environment.environ).lower()}): ", environment.stderr)
    else:
        value = read_line(environment.stdin)
    if not value.strip():
        raise UsageError("no key was given: type it, or read it from a file: tavus-console auth login < FILE")
    return value.strip()


def _ending(key: Key) -> str:
    return f"…{key.last_four}" if key.last_four else "(too short to show its end)"


def _about(key: Key) -> dict[str, Any]:
    return {"source": key.source, "last_four": key.last_four}


def _print(text: str, value: dict[str, Any], environment: Environment, as_json: bool) -> None:
    print(to_json(value) if as_json else text, file=environment.stdout, flush=True)
