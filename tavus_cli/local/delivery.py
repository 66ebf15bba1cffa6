"""Posting webhooks in order, with retries after growing pauses, and only to this machine unless allowed."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout

from tavus_cli.errors import UsageError, redacted
from tavus_cli.local.http import LOOPBACK

PAUSES = (1.0, 2.0, 4.0, 8.0)  # seconds before each further attempt
TIMEOUT = 10.0  # seconds for an answer
MAX_WAITING = 1000  # queued webhooks of one conversation
SHOWN = 200  # characters of an answer's body
READ = 4_096  # bytes of it: what is shown is cut once secrets are out of it

Json = dict[str, Any]


class Delivered(NamedTuple):
    """The result of one attempt. ``status`` is None if there was no answer; then ``text`` says why."""

    status: int | None
    seconds: float
    text: str

    @property
    def taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def again(self) -> bool:
        """Whether another attempt may help: no answer, 429, or 5xx."""
        return self.status is None or self.status == 429 or self.status >= 500

    def __str__(self) -> str:
        if self.status is None:
            return f"no answer: {self.text}"
        return f"{self.status} in {self.seconds * 1000:.0f} ms" + (f": {self.text}" if self.text else "")


def check_url(url: str, what: str, *, remote: bool) -> str:
    """Raises UsageError for a URL that is not http(s), or not on this machine unless ``remote``."""
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise UsageError(f"{what} is not a valid URL") from None
    if parts.scheme not in ("http", "https") or not host:
        raise UsageError(f"{what} must begin with http:// or https://")
    if not remote and host not in LOOPBACK:
        raise UsageError(f"{what} leads to {host}, which is not this machine: allow it with --allow-remote")
    return url


async def post(session: ClientSession, url: str, body: Any, timeout: float = TIMEOUT) -> Delivered:
    """Make one attempt. Redirects are not followed."""
    begun = time.monotonic()
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": "application/json", "user-agent": "tavus-console"}
    try:
        async with session.post(
            url, data=data, headers=headers, allow_redirects=False, timeout=ClientTimeout(timeout)
        ) as answer:
            start = await answer.content.read(READ)
            text = redacted(" ".join(start.decode("utf-8", "replace").split()))[:SHOWN]
            return Delivered(answer.status, time.monotonic() - begun, text)
    except TimeoutError:
        return Delivered(None, time.monotonic() - begun, f"none within {timeout:g} s")
    except ClientConnectorError as error:
        number = error.os_error.errno
        reason = f": {os.strerror(number)}" if number and number > 0 else ""
        text = f"cannot connect to {error.host}:{error.port}{reason}"
        return Delivered(None, time.monotonic() - begun, text)
    except (ClientError, OSError, ValueError) as error:
        return Delivered(None, time.monotonic() - begun, " ".join(str(error).split()) or type(error).__name__)


class Delivery:
    """The webhooks of one conversation: each waits until the one before was accepted or given up.

    ``report`` is called after every attempt.
    """

    def __init__(
        self,
        session: ClientSession,
        url: str,
        report: Callable[[Json, Delivered, bool], object],
        *,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self._session = session
        self._url = url
        self._report = report
        self._pauses = pauses
        self._waiting: asyncio.Queue[Json | None] = asyncio.Queue(MAX_WAITING)
        self._task = asyncio.create_task(self._work())

    def put(self, body: Json) -> bool:
        """Queue a webhook; False if the queue is full and it was dropped."""
        try:
            self._waiting.put_nowait(body)
        except asyncio.QueueFull:
            return False
        return True

    async def finish(self) -> None:
        """Wait until every queued webhook was posted or given up."""
        await self._waiting.put(None)
        await asyncio.wait({self._task})

    def stop(self) -> None:
        self._task.cancel()

    async def _work(self) -> None:
        while (body := await self._waiting.get()) is not None:
            for pause in (*self._pauses, None):
                outcome = await post(self._session, self._url, body)
                self._report(body, outcome, outcome.again and pause is not None)
                if not outcome.again or pause is None:
                    break
                await asyncio.sleep(pause)
