"""``auth …``: a key into the keyring and out of it. It is shown nowhere but by its last four characters."""

from __future__ import annotations

from typing import Any

from tavus_cli.api.client import TavusApi, check_base_url
from tavus_cli.api.credentials import Key, env_name, find_key, forget_key, store_key
from tavus_cli.errors import ExitStatus, NotAuthorised, UsageError
from tavus_cli.protocol.wire import to_json
from tavus_cli.session.environment import Environment, is_tty

TIMEOUT = 15.0  # seconds for the call that tries the key


def login(base_url: str | None, environment: Environment, *, as_json: bool) -> int:
    """Raises NotAuthorised for a key that the API refuses, NoKeyring where it cannot be kept."""
    url = check_base_url(base_url or environment.environ.get("TAVUS_API_BASE_URL"))
    value = _asked(environment)
    with TavusApi(value, url, timeout=TIMEOUT) as api:
        next(api.conversations("active"), None)
    where = store_key(value, environment.environ)
    stored = Key(value, where)
    _tell(f"stored in {where}: a key ending in {_ending(stored)}", _about(stored), environment, as_json)
    found = find_key(environment.environ)
    if found is not None and found.source != where:
        environment.warn(f"{found.source} is set and comes first: unset it to use what was stored")
    return ExitStatus.DONE


def status(environment: Environment, *, as_json: bool) -> int:
    """Raises NotAuthorised where there is no key."""
    key = find_key(environment.environ)
    if key is None:
        raise NotAuthorised("no API key: set TAVUS_API_KEY, or store one with tavus-console auth login")
    _tell(f"from {key.source}: a key ending in {_ending(key)}", _about(key), environment, as_json)
    return ExitStatus.DONE


def logout(environment: Environment, *, as_json: bool) -> int:
    """Raises NoKeyring."""
    had = forget_key(environment.environ)
    _tell("forgotten" if had else "there was none of ours", {"forgotten": had}, environment, as_json)
    if (left := find_key(environment.environ)) is not None:
        environment.warn(f"a key is still there: it comes from {left.source}")
    return ExitStatus.DONE


def _asked(environment: Environment) -> str:
    """Unseen at a terminal, the first line of a pipe."""
    if is_tty(environment.stdin):
        from getpass import getpass

        value = getpass(f"Tavus API key ({env_name(environment.environ).lower()}): ", environment.stderr)
    else:
        value = environment.stdin.readline()
    if not value.strip():
        raise UsageError("no key was given: type it, or pipe it in: tavus-console auth login < FILE")
    return value.strip()


def _ending(key: Key) -> str:
    return f"…{key.last_four}" if key.last_four else "(too short to show its end)"


def _about(key: Key) -> dict[str, Any]:
    return {"source": key.source, "last_four": key.last_four}


def _tell(text: str, value: dict[str, Any], environment: Environment, as_json: bool) -> None:
    print(to_json(value) if as_json else text, file=environment.stdout, flush=True)
