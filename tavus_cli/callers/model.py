"""A language model behind ``/chat/completions``, as OpenAI, Ollama, vLLM and others serve it.

Its answers are untrusted: size, time and the use of tokens are limited. The key goes only into one header,
only to the URL of the file (redirects are not followed), and into no error.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from tavus_cli.callers.caller import OLLAMA, Model
from tavus_cli.callers.prompts import Messages
from tavus_cli.errors import ConsoleError, keep_secret, redacted
from tavus_cli.protocol.wire import to_json
from tavus_cli.tools.http import NoAnswer, Poster, poster

MOST_BYTES = 1 << 18  # of an answer
MOST_TOKENS = 2_000  # tokens of one answer: enough for a judge with 20 criteria
PAUSES = (1.0, 3.0)  # seconds before an endpoint that is busy is asked again
_BUSY = (429, 502, 503, 529)
_MOST_TEXT = 200  # characters of an answer quoted in an error


class ModelFailed(ConsoleError):
    """The model gave no usable answer."""

    reason = "model_failed"


class TooDear(ModelFailed):
    """The run has used all its tokens."""

    reason = "model_budget"


class Talker:
    """Made by ``talker``.

    ``tokens`` is the number used so far, as the endpoint counts; ``requests`` that of requests.
    """

    def __init__(self, model: Model, key: str, asking: Poster) -> None:
        self.tokens = 0
        self.requests = 0
        self._model = model
        self._key = key
        self._poster = asking
        self._plain = False  # the endpoint refused fields that not all endpoints know
        keep_secret(key)

    async def answer(self, messages: Messages, *, as_json: bool = False) -> str:
        """The model's answer.

        With ``as_json`` the endpoint is asked for one JSON object, with the least random choice. Raises
        ModelFailed.
        """
        if self.tokens >= self._model.max_tokens:
            raise TooDear(f"the model has used {self.tokens:,} tokens, the limit of max_tokens")
        body: dict[str, Any] = {"model": self._model.name, "messages": messages, "stream": False}
        extras: dict[str, Any] = {"max_tokens": MOST_TOKENS}
        if as_json:
            extras |= {"response_format": {"type": "json_object"}, "temperature": 0}
        status, data = await self._asked(body if self._plain else body | extras)
        if status in (400, 422) and not self._plain:
            status, data = await self._asked(body)  # newer or smaller ones refuse some of the extras
            self._plain = status == 200
        if status != 200:
            raise ModelFailed(self._refused(status, data))
        return self._said(data)

    async def _asked(self, body: Mapping[str, Any]) -> tuple[int, bytes]:
        """Send, and retry while the endpoint is busy: parallel calls soon reach an account's limit."""
        for pause in PAUSES:
            status, data = await self._post(body)
            if status not in _BUSY:
                return status, data
            await asyncio.sleep(pause)
        return await self._post(body)

    async def _post(self, body: Mapping[str, Any]) -> tuple[int, bytes]:
        model = self._model
        headers = {"Accept-Encoding": "identity"} | (
            {"Authorization": f"Bearer {self._key}"} if self._key else {}
        )
        self.requests += 1
        try:
            return await self._poster.exchange(
                f"{model.url}/chat/completions",
                to_json(body).encode("utf-8", "replace"),
                headers,
                model.timeout,
                MOST_BYTES,
            )
        except NoAnswer as error:
            if error.connected:
                raise ModelFailed(self._without_key(f"the model at {model.url}: {error}")) from None
            raise ModelFailed(self._not_there()) from None

    def _not_there(self) -> str:
        url = self._model.url
        if url == OLLAMA:
            return f"nothing answers at {url}; start it with `ollama serve`, or name another in [model] url"
        return f"nothing answers at {url}; is [model] url right, and the model's server running?"

    def _refused(self, status: int, data: bytes) -> str:
        text = self._without_key(_complaint(data))
        where = f"the model at {self._model.url} answers with HTTP {status}" + (f": {text}" if text else "")
        match status:
            case 401 | 403:
                of = (
                    f"the key in {self._model.key_env}"
                    if self._model.key_env
                    else "[model] key_env, which is missing"
                )
                return f"{where}; check {of}"
            case 404:
                return f'{where}; check [model] url and name ("{self._model.name}")'
            case 429:
                return f"{where}; wait, or run fewer at once"
        return where

    def _said(self, data: bytes) -> str:
        """The text of the first choice. Raises ModelFailed."""
        try:
            value = json.loads(data)
            content = value["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError, RecursionError):
            content = value = None
        self._count(value)
        if not isinstance(content, str) or not content.strip():
            raise ModelFailed(f"the model at {self._model.url} answers without a text")
        return content

    def _count(self, value: Any) -> None:
        usage = value.get("usage") if isinstance(value, dict) else None
        used = usage.get("total_tokens") if isinstance(usage, dict) else None
        if isinstance(used, int) and not isinstance(used, bool) and used > 0:
            self.tokens += used

    def _without_key(self, text: str) -> str:
        return redacted(text.replace(self._key, "…") if self._key else text)


def _complaint(data: bytes) -> str:
    """The message in an error's body, on one line."""
    text = data[:20_000].decode("utf-8", "replace")
    with contextlib.suppress(ValueError, RecursionError):
        value = json.loads(text)
        error = value.get("error") if isinstance(value, dict) else None
        message = error.get("message") if isinstance(error, dict) else error
        text = message if isinstance(message, str) else text
    return " ".join(redacted(text).split())[:_MOST_TEXT]  # before it is cut, as it may be cut in a secret


@contextlib.asynccontextmanager
async def talker(model: Model, key: str) -> AsyncIterator[Talker]:
    """A Talker, inside ``async with``. A model on this machine is reached without a proxy."""
    async with poster(proxies=not model.local) as asking:
        yield Talker(model, key, asking)
