"""A tool behind a URL: a POST of JSON, with a bounded answer. httpx is imported late."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from tavus_cli.errors import without_known
from tavus_cli.tools.process import MAX_OUTPUT, TAIL
from tavus_cli.tools.replies import Result, read_output

if TYPE_CHECKING:
    import httpx


class Poster(NamedTuple):
    """The HTTP client made by ``poster()``."""

    client: httpx.AsyncClient

    async def post(self, url: str, given: bytes, headers: Mapping[str, str], timeout: float) -> Result:
        """Call the URL and return its answer; failures become error results of one line."""
        try:
            status, data = await self.exchange(url, given, headers, timeout)
        except NoAnswer as why:
            return Result(error=str(why))
        if not 200 <= status < 300:
            text = data[-TAIL:].decode("utf-8", "replace").strip()
            return Result(error=f"HTTP {status}" + (f": {text}" if text else ""))
        return read_output(data, "the answer")

    async def exchange(
        self, url: str, given: bytes, headers: Mapping[str, str], timeout: float, most: int = MAX_OUTPUT
    ) -> tuple[int, bytes]:
        """The status and the body, of at most ``most`` bytes, without the secrets that we sent.

        Raises NoAnswer.
        """
        status, data = await _exchange(self.client, url, given, headers, timeout, most)
        return status, without_known(data.decode("utf-8", "surrogateescape")).encode(
            "utf-8", "surrogateescape"
        )


@contextlib.asynccontextmanager
async def poster(*, proxies: bool = True) -> AsyncIterator[Poster]:
    """Created on another thread, because reading the certificates takes noticeably long.

    Redirects are not followed, as they would forward headers that hold a key. ``proxies``: whether the
    environment's are used.
    """
    import httpx

    def make() -> httpx.AsyncClient:
        return httpx.AsyncClient(follow_redirects=False, timeout=None, trust_env=proxies)

    async with await asyncio.to_thread(make) as made:
        yield Poster(made)


class NoAnswer(Exception):
    """Why, in one line. ``connected``: somebody was reached."""

    def __init__(self, why: str, *, connected: bool = True) -> None:
        super().__init__(why)
        self.connected = connected


async def _exchange(
    client: httpx.AsyncClient,
    url: str,
    given: bytes,
    headers: Mapping[str, str],
    timeout: float,
    most: int,
) -> tuple[int, bytes]:
    import httpx

    try:
        async with (
            asyncio.timeout(timeout),
            client.stream(
                "POST", url, content=given, headers={"Content-Type": "application/json", **headers}
            ) as answer,
        ):
            data = bytearray()
            async for part in answer.aiter_bytes():
                data += part
                if len(data) > most:
                    raise NoAnswer(f"more than {most:,} bytes of output")
    except TimeoutError:
        raise NoAnswer(f"no result within {timeout:g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError) as error:
        connected = not isinstance(error, httpx.ConnectError)
        why = f"no answer from {_host(url)}: {error or type(error).__name__}"
        raise NoAnswer(why, connected=connected) from None
    return answer.status_code, bytes(data)


def _host(url: str) -> str:
    """The URL without parts that may be secret."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or url
