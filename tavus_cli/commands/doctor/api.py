"""``doctor``'s checks of the API: the key, the connection, whether it accepts the key, what is running.

Without a key none of this is required: the simulation, recordings and the URL of a room need no key.
"""

from __future__ import annotations

import socket
import time
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from tavus_cli.api.checks import check_base_url, check_id, check_key
from tavus_cli.api.client import CannotReach, NotFound, TavusApi
from tavus_cli.api.credentials import Key, find_key, keyring_trouble
from tavus_cli.errors import ConsoleError, NotAuthorised
from tavus_cli.session.environment import Environment
from tavus_cli.session.waiting import within

from .findings import Findings

DNS_SECONDS = 4.0
API_SECONDS = 6.0
NO_KEY = "no-key"  # sent without a key: if the API refuses it, the API can be reached
MOST = 100  # conversations looked at
NAMED = 4

Json = dict[str, Any]


async def check_api(base_url: str | None, findings: Findings, environment: Environment) -> None:
    key = await _key(findings, environment)
    try:
        api = TavusApi(
            key.value if key else NO_KEY,
            check_base_url(base_url or environment.environ.get("TAVUS_API_BASE_URL")),
            timeout=API_SECONDS,
            attempts=1,
        )
    except ConsoleError as error:
        findings.failed("api", error, needed=key is not None)
        return
    begun = time.perf_counter()
    try:
        rows: list[Json] | ConsoleError = await _asked(api)
    except CannotReach as error:
        findings.failed("api", error, needed=key is not None)
        return
    except ConsoleError as error:
        rows = error
    took = time.perf_counter() - begun
    by = f" through the proxy {api.proxy}" if api.proxy else ""
    findings.add("api", True, f"{api.base_url} answered{by} in {took:.3f} s", seconds=took)
    if key is None:
        return
    if isinstance(rows, ConsoleError):
        findings.failed("account", rows)
        return
    findings.add("account", True, "the API accepts the key")
    _running(rows, findings)


async def _key(findings: Findings, environment: Environment) -> Key | None:
    """The key; None if there is none to send."""
    try:
        key = await within(None, lambda: find_key(environment.environ))
        if key is None:
            trouble = await within(None, keyring_trouble)
            way = f"and {trouble}" if trouble else "set TAVUS_API_KEY, or: tavus-console auth login"
            findings.add("key", None, f"no API key{', ' if trouble else ': '}{way}")
            return None
        try:
            check_key(key.value)
        except NotAuthorised as error:
            raise NotAuthorised(f"{error} (from {key.source})") from None
    except ConsoleError as error:
        findings.failed("key", error)
        return None
    ending = f"ending in …{key.last_four}" if key.last_four else "too short to show its end"
    text = f"an API key from {key.source}, {ending}"
    findings.add("key", True, text, source=key.source, last_four=key.last_four)
    return key


async def _asked(api: TavusApi) -> list[Json]:
    """The running conversations. Raises CannotReach, or what the API answered."""
    await _look_up(api)
    try:
        return await within(API_SECONDS, lambda: _active(api))
    except TimeoutError:
        raise CannotReach(f"{api.host} did not answer within {API_SECONDS:g} s; try again") from None
    except NotFound:
        raise CannotReach(f"{api.host} has no conversations (404); is --base-url right?") from None


async def _look_up(api: TavusApi) -> None:
    """Raises CannotReach if DNS does not answer, which the API call cannot distinguish from a silent API."""
    host = urlsplit(api.proxy or api.base_url).hostname
    try:
        await within(DNS_SECONDS, lambda: socket.getaddrinfo(host, None))
    except TimeoutError:
        error = CannotReach(f"DNS did not answer about {host} within {DNS_SECONDS:g} s; is the network up?")
        error.stage = "dns"
        raise error from None
    except OSError:
        pass


def _active(api: TavusApi) -> list[Json]:
    with api:
        return list(islice(api.conversations("active"), MOST))


def _running(rows: list[Json], findings: Findings) -> None:
    if not rows:
        findings.add("running", True, "no conversation is running", conversations=[])
        return
    names = [str(row.get("conversation_id")) for row in rows]
    count = f"{len(rows)} conversations are running and" if len(rows) > 1 else "1 conversation is running and"
    if len(rows) == MOST:
        count = f"at least {count}"
    which = "--all-active"
    if len(names) <= NAMED and all(map(_is_id, names)):
        which = " ".join(names)
    some = [{name: row.get(name) for name in ("conversation_id", "created_at")} for row in rows]
    text = f"{count} billed; to end: tavus-console conversation end {which}"
    findings.add("running", None, text, conversations=some)


def _is_id(name: str) -> bool:
    try:
        return check_id(name) == name
    except ConsoleError:
        return False
