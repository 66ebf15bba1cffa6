"""Tavus' REST API: create, list, get and end conversations. httpx is imported here, late.

Answers are untrusted: they are read within limits (``answer``), and pass ``safe()`` where they are printed.
The key goes only into one header: it is removed from errors that quote an answer, and redirects are not
followed. Tests inject time (``sleep``, ``clock``, ``jitter``), so that retries do not wait.
"""

from __future__ import annotations

import contextlib
import math
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from tavus_cli.api.answer import ENCODING, Answer, Unreadable, read
from tavus_cli.api.checks import ID, check_base_url, check_id, check_key
from tavus_cli.api.reachability import Stage, not_connected, proxy_of, shown_proxy
from tavus_cli.api.said import no_json, said, shown
from tavus_cli.errors import CannotJoin, ConsoleError, NotAuthorised, UsageError, keep_secret
from tavus_cli.protocol.wire import from_json
from tavus_cli.session.blocking import bounded
from tavus_cli.settings.toml_values import is_loopback

if TYPE_CHECKING:
    import httpx

TIMEOUT = 30.0  # seconds for an answer; creating takes some
CONNECT_TIMEOUT = 10.0
ATTEMPTS = 4  # attempts for a call that may be repeated
LONGEST_WAIT = 30.0  # seconds a Retry-After may ask for; beyond it the error says when to try again
PAGE = 100
LIST_SECONDS = 300.0  # seconds for all pages of a list
MOST_PAGES = 1_000

Json = dict[str, Any]


class CannotReach(CannotJoin):
    """The API does not answer, or something else answers: network, timeouts, 5xx, a proxy's page."""

    reason = "cannot_reach"
    stage: Stage = "answer"  # the part that failed
    wait = 0.0  # seconds to wait before the next attempt, as the API asks


class Refused(ConsoleError):
    """The API refused the request."""

    reason = "refused"


class NotFound(Refused):
    reason = "not_found"


class RateLimited(Refused):
    reason = "rate_limited"
    wait = 0.0


class TooMany(Refused):
    """The account has as many active conversations as it may have."""

    wait = 0.0


class TavusApi:
    """``with TavusApi(key) as api``. Calls block; each raises a ConsoleError that says what to do next.

    Calls that are safe to repeat are repeated if the API is busy or down. Creating is not: the conversation
    may exist and be billed although the answer was lost.
    """

    def __init__(
        self,
        key: str,
        base_url: str | None = None,
        *,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
        timeout: float = TIMEOUT,
        attempts: int = ATTEMPTS,
    ) -> None:
        self.base_url = check_base_url(base_url)
        self.local = is_loopback(self.base_url)
        check_key(key)
        keep_secret(key)
        variable, proxy = ("", "") if self.local else proxy_of(self.base_url)
        self.proxy = shown_proxy(proxy)
        self._key = key
        self._attempts = attempts
        self._timeout = timeout
        self._sleep, self._clock, self._jitter = sleep, clock, jitter
        self._client = _client(key, variable, proxy, timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    # -- calls -----------------------------------------------------------------------------------------

    def create(self, body: Json) -> Json:
        """Create a conversation; it is billed until it ends.

        Raises PerhapsCreated if the outcome is unknown.
        """
        try:
            created = self._call("POST", "/conversations", body, repeat=False)
        except _NotSent:
            raise
        except CannotReach as error:
            raise PerhapsCreated(f"{error}; {PERHAPS_CREATED}") from None
        name = created.get("conversation_id")
        if not isinstance(name, str) or not ID.fullmatch(name):  # it becomes part of commands that we show
            raise PerhapsCreated(f"Tavus answered without a valid conversation_id; {PERHAPS_CREATED}")
        return created

    def get(self, conversation_id: str, *, verbose: bool = False) -> Json:
        path = _path(conversation_id)
        return self._call("GET", path, params={"verbose": "true"} if verbose else None)

    def conversations(self, status: str | None = None) -> Iterator[Json]:
        """All conversations, in the API's order; pages are requested as they are needed.

        Raises CannotReach for a list that does not end.
        """
        seen: set[str] = set()
        begun = time.monotonic()
        for page in range(1, MOST_PAGES + 1):
            params = {"limit": str(PAGE), "page": str(page)} | ({"status": status} if status else {})
            answer = self._call("GET", "/conversations", params=params)
            rows = answer.get("data")
            if not isinstance(rows, list):
                raise CannotReach("Tavus answered without a list of conversations; try again")
            new = [row for row in rows if isinstance(row, dict) and _name(row) not in seen]
            yield from new
            seen.update(map(_name, new))
            total = answer.get("total_count")
            if not new or (isinstance(total, int) and len(seen) >= total):
                return  # a list that moves while it is read may never reach its count
            if time.monotonic() - begun > LIST_SECONDS:
                break
        raise CannotReach(f"the list of conversations does not end, even after {len(seen):,}; use --limit")

    def end(self, conversation_id: str) -> bool:
        """End a conversation; returns whether this call did, False if it was over before. Safe to repeat."""
        path = _path(conversation_id)
        try:
            self._call("POST", f"{path}/end", empty=True)
        except Refused:  # the answer to a second call is not documented
            with contextlib.suppress(ConsoleError):
                if self.get(conversation_id).get("status") == "ended":
                    return False
            raise
        return True

    # -- one call --------------------------------------------------------------------------------------

    def _call(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        params: Mapping[str, str] | None = None,
        repeat: bool = True,
        empty: bool = False,
    ) -> Json:
        """The object in the answer. ``empty``: the body is ignored, if it comes from the API."""
        attempt = 1
        while True:
            try:
                return self._once(method, path, body, params, empty)
            except (CannotReach, RateLimited) as error:
                if not repeat or attempt >= self._attempts or error.wait > LONGEST_WAIT:
                    raise
                backoff = 0.5 * 2 ** (attempt - 1) * (0.5 + self._jitter())
                self._sleep(max(error.wait, backoff))
            attempt += 1

    def _once(
        self, method: str, path: str, body: Json | None, params: Mapping[str, str] | None, empty: bool
    ) -> Json:
        import httpx

        url = f"{self.base_url}/v2{path}"
        seconds = self._timeout + CONNECT_TIMEOUT  # httpx limits neither the name lookup nor the total time
        until = time.monotonic() + seconds

        def asked() -> Answer:
            with self._client.stream(method, url, json=body, params=params) as response:
                encoding = response.headers.get("content-encoding", "")
                text = read(response.iter_raw(), encoding, lambda: time.monotonic() > until)
                return Answer(response.status_code, response.headers, text, response.request.url.path)

        try:
            answer = bounded(seconds, asked)
        except (httpx.ProxyError, httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise _not_sent(*not_connected(error, self.host, self.proxy)) from None
        except (httpx.TimeoutException, TimeoutError):
            raise CannotReach(f"{self.host} did not answer in time; try again") from None
        except Unreadable as error:
            raise _Final(f"{self.host} answered with {error}") from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:  # ValueError: malformed headers
            raise CannotReach(f"the connection to {self.host} broke: {shown(str(error))}") from None
        if not 200 <= answer.status < 300:
            raise self._error(answer)
        if empty and not answer.text.lstrip().startswith("<"):
            return {}
        return self._object(answer)

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).netloc

    def _object(self, answer: Answer) -> Json:
        try:
            value = from_json(answer.text)
        except ValueError:
            raise CannotReach(f"{self.host} answered with {no_json(answer)}") from None
        if not isinstance(value, dict):
            raise CannotReach(f"{self.host} answered with JSON that is not an object; try again")
        return value

    def _error(self, answer: Answer) -> ConsoleError:
        status, words = answer.status, said(answer)
        tail = f": {words}" if words else ""
        match status:
            case 400 | 409 | 422:
                kind = TooMany if "concurrent" in words.lower() else Refused
                return kind(f"Tavus refused it ({status}){tail}{_hint(words)}")
            case 401:
                return NotAuthorised(
                    f"Tavus does not accept the API key{tail}; see tavus-console auth status"
                )
            case 402:
                return NotAuthorised(f"Tavus requires a payment or another plan (402){tail}")
            case 403:
                return NotAuthorised(
                    f"the API key is not allowed to do this (403; it may be limited to other addresses){tail}"
                )
            case 404:
                return NotFound(f"no {_named(answer)} (404){tail}; see tavus-console conversation list")
        if 300 <= status < 400:
            return self._redirected(answer)
        error: CannotReach | RateLimited
        if status == 429 or status >= 500:
            wait = self._retry_after(answer)
            when = f"try again in {math.ceil(wait)} s" if wait else "try again later"
            if status == 429:
                error = RateLimited(f"too many requests{tail}; {when}")
            else:
                error = CannotReach(f"Tavus failed ({status}){tail}; {when}")
            error.wait = wait
            return error
        return Refused(f"Tavus answered {status}{tail}")

    def _redirected(self, answer: Answer) -> ConsoleError:
        with contextlib.suppress(ValueError):
            host = urlsplit(answer.headers.get("location", "")).hostname
            if host and host != urlsplit(self.base_url).hostname:
                where = f"{shown(host)}, where the key was not sent"
                return _Final(f"{self.host} redirects to {where}; is --base-url right?")
        return _Final(f"{self.host} redirects to another address; is --base-url right?")

    def _retry_after(self, answer: Answer) -> float:
        """Seconds to wait, as the API asks; 0 if it does not."""
        value = answer.headers.get("retry-after", "").strip()
        with contextlib.suppress(ValueError, TypeError, OverflowError):
            if re.fullmatch(r"\d{1,9}", value, re.ASCII):
                return float(value)
            return max(0.0, parsedate_to_datetime(value).timestamp() - self._clock())
        return 0.0


PERHAPS_CREATED = (
    "a conversation may have been created anyway, and be billed: "
    "find it with tavus-console conversation list --status active"
)


class PerhapsCreated(CannotReach):
    """A creation without an answer that tells whether it succeeded."""


class _NotSent(CannotReach):
    """The request did not reach the API."""


def _not_sent(stage: Stage, why: str) -> _NotSent:
    error = _NotSent(why)
    error.stage = stage
    return error


class _Final(CannotReach):
    """Repeating the request would give the same result."""

    wait = math.inf


def _path(conversation_id: str) -> str:
    return f"/conversations/{check_id(conversation_id)}"


def _name(row: Json) -> str:
    return str(row.get("conversation_id"))


def _named(answer: Answer) -> str:
    """The subject of a request for "no … (404)": "conversation ID", or "such address"."""
    match = re.search(r"/v2/conversations/([^/]+)", answer.path)
    return f"conversation {match[1]}" if match else "such address"


def _hint(said: str) -> str:
    if "concurrent" in said.lower():
        return "; end one: tavus-console conversation list --status active"
    return ""


def _client(key: str, variable: str, proxy: str, timeout: float) -> httpx.Client:
    """The HTTP client, with certificates as httpx reads them from the environment, and our proxy."""
    import httpx

    from tavus_cli import __version__

    try:
        return httpx.Client(
            headers={
                "x-api-key": key,
                "user-agent": f"tavus-console/{__version__}",
                "accept-encoding": ENCODING,
            },
            timeout=httpx.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT)),
            follow_redirects=False,
            transport=httpx.HTTPTransport(proxy=proxy or None),  # httpx must not choose proxies
        )
    except (ValueError, httpx.InvalidURL):  # these quote part of the URL, perhaps of its password
        raise UsageError(
            f"{variable} is not the address of a proxy: it must look like http://HOST:PORT, "
            "with / and @ of a password as %2F and %40"
        ) from None
    except ImportError:
        raise UsageError(
            f"{variable} names a SOCKS proxy, which needs an extra: pip install 'httpx[socks]', "
            "or give an HTTP proxy"
        ) from None
    except OSError as error:
        what = " ".join(str(error).split())
        raise UsageError(f"the certificates of SSL_CERT_FILE cannot be used: {what}") from None
