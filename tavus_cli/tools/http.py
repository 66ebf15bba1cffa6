"""A tool that is a URL: a POST of JSON, its answer bounded. httpx is imported late."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from tavus_cli.tools.process import MAX_OUTPUT, TAIL
from tavus_cli.tools.replies import Result, read_output

if TYPE_CHECKING:
    import httpx


class Poster(NamedTuple):
    """What asks URLs; from ``poster()``."""

    client: httpx.AsyncClient

    async def post(self, url: str, given: bytes, headers: Mapping[str, str], timeout: float) -> Result:
        """What the URL answers; what goes wrong is an error result of one line."""
        return await _post(self.client, url, given, headers, timeout)


@contextlib.asynccontextmanager
async def poster() -> AsyncIterator[Poster]:
    """Made on another thread: reading the certificates takes long enough to be felt. No redirect is
    followed: headers that hold a key would go along."""
    import httpx

    def make() -> httpx.AsyncClient:
        return httpx.AsyncClient(follow_redirects=False, timeout=None)

    async with await asyncio.to_thread(make) as made:
        yield Poster(made)


async def _post(
    client: httpx.AsyncClient, url: str, given: bytes, headers: Mapping[str, str], timeout: float
) -> Result:
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
                if len(data) > MAX_OUTPUT:
                    return Result(error=f"more than {MAX_OUTPUT:,} bytes of output")
    except TimeoutError:
        return Result(error=f"no result within {timeout:g} s")
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError) as error:
        return Result(error=f"no answer from {_host(url)}: {error or type(error).__name__}")
    if not answer.is_success:
        text = bytes(data[-TAIL:]).decode("utf-8", "replace").strip()
        return Result(error=f"HTTP {answer.status_code}" + (f": {text}" if text else ""))
    return read_output(bytes(data), "the answer")


def _host(url: str) -> str:
    """Without what may be secret in it."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or url
