"""Conversations by their ids: from the API's answer to a TARGET, and the tokens of private rooms."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TextIO

from tavus_cli.api import notes
from tavus_cli.api.checks import check_base_url
from tavus_cli.api.client import ATTEMPTS, TIMEOUT, NotFound, TavusApi
from tavus_cli.api.creation import creation_body, parse_body
from tavus_cli.api.credentials import TOKEN_SECONDS, Key, KeyringSilent, Tokens, find_key, require_key
from tavus_cli.errors import CannotJoin, ConsoleError, ConversationOver, UsageError, redacted
from tavus_cli.files import read_text
from tavus_cli.protocol.wire import from_json, is_conversation_id
from tavus_cli.rooms.sim import is_simulated
from tavus_cli.session.environment import PROGRAM

Json = dict[str, Any]
Warn = Callable[[str], None]
FIND_TIMEOUT = 10.0  # seconds: without an answer the id is enough to try
TAVUS_ROOMS = "https://tavus.daily.co/"  # where a room is named after its conversation
_URL = re.compile(r"https://[!-~]+\.daily\.co/[!-~]+", re.ASCII)


def connect(environ: Mapping[str, str], base_url: str | None, *, timeout: float = TIMEOUT) -> TavusApi:
    """Connect to the API.

    Raises NotAuthorised or KeyringSilent without a key, UsageError for an invalid address.
    """
    check_base_url(base_url or environ.get("TAVUS_API_BASE_URL"))
    return _connected(require_key(environ), environ, base_url, timeout)


def _connected(
    key: Key, environ: Mapping[str, str], base_url: str | None, timeout: float, attempts: int = ATTEMPTS
) -> TavusApi:
    url = check_base_url(base_url or environ.get("TAVUS_API_BASE_URL"))
    return TavusApi(key.value, url, timeout=timeout, attempts=attempts)


def connection(environ: Mapping[str, str], base_url: str | None) -> Callable[[float], TavusApi]:
    """A function that connects, given the seconds that an answer may take."""
    return lambda timeout: connect(environ, base_url, timeout=timeout)


def creation_from(fields: Json, body: str | None, stdin: TextIO) -> Json:
    """The body of a creation: the JSON of the file ``body`` ("-": ``stdin``), overridden by ``fields``.

    Raises UsageError.
    """
    if body is None:
        return creation_body(fields)
    try:
        text = read_text(body, stdin)
    except UsageError as error:
        raise UsageError(f"--body {error}") from None
    return creation_body(fields, parse_body(text, body))


def create(
    api: TavusApi, body: Json, warn: Warn, note: Callable[[str], object] = lambda conversation_id: None
) -> Json:
    """Create a conversation, which is billed from now on.

    Its id goes to ``note`` at once, and the command that ends it to ``warn``. If it has a token, that is kept
    for ``join ID``.
    """
    created = api.create(body)
    note(created["conversation_id"])
    warn(about_billing(created, body))
    token = created.get("meeting_token")
    if isinstance(token, str) and token:
        try:
            Tokens().keep(created["conversation_id"], token, lifetime(body))
        except ConsoleError as error:
            warn(f"{error}; joining by id will need it: create with --show-token")
    return created


def end(api: TavusApi, conversation_id: str) -> bool:
    """End a conversation; returns whether this call did, False if it was over before."""
    ended = api.end(conversation_id)
    Tokens().forget(conversation_id)
    notes.forget(conversation_id)
    return ended


def about_billing(created: Json, body: Json) -> str:
    """The warning about costs, for a conversation that was just created."""
    name = created["conversation_id"]
    if created.get("status") == "ended":
        return f"{name} was created as ended (test mode): nobody can join it, nothing is billed"
    most = longest(body)
    most_words = f"{most} s" if most and most % 60 else f"{(most or 0) // 60} min"
    until = f", for at most {most_words}" if most else ""
    return f"{name} is billed until it ends{until}: {PROGRAM} conversation end {name}"


def without_token(conversation: Json) -> Json:
    """A conversation to print, without tokens, which are kept and not shown."""
    return {name: _hidden(value) for name, value in conversation.items() if name != "meeting_token"}


def _hidden(value: Any) -> Any:
    match value:
        case str():
            return redacted(value)
        case dict():
            return {name: _hidden(one) for name, one in value.items() if name != "meeting_token"}
        case list():
            return [_hidden(one) for one in value]
    return value


# -- TARGET --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """A TARGET that can be opened; ``conversation_id`` is set if it may differ from the room's name."""

    target: str
    conversation_id: str | None = None


def from_pipe(text: str) -> Found:
    """What ``tavus conversation create``, ``tavus chat start`` or our ``conversation create`` printed,
    or just a URL or an id, as a TARGET. Raises UsageError, ConversationOver.
    """
    text = text.strip()
    if not text:
        raise UsageError("TARGET is - but standard input is empty; did the command before it fail?")
    start = text.find("{")
    if start >= 0:
        try:
            value = from_json(text[start : text.rfind("}") + 1])
        except ValueError:
            value = None
        if isinstance(value, dict):
            return _of_answer(value)
    if len(text.split()) == 1:
        return Found(text)
    if match := _URL.search(text):
        return Found(match.group())
    raise UsageError("TARGET is - but standard input has neither a conversation as JSON nor a room's URL")


def _of_answer(answer: Json) -> Found:
    url, name, token = (answer.get(one) for one in ("conversation_url", "conversation_id", "meeting_token"))
    if answer.get("status") == "ended":
        raise ConversationOver("the conversation on standard input has ended, or was created in test mode")
    known = name if isinstance(name, str) and is_conversation_id(name) else None
    if not isinstance(url, str) or not url:
        if known:
            return Found(known)
        raise UsageError("TARGET is - but the JSON on standard input has no conversation_url")
    if not isinstance(token, str) and known:
        token = Tokens().get(known)
    return _found(url, known, token)


def find(conversation_id: str, environ: Mapping[str, str], base_url: str | None, warn: Warn) -> Found:
    """The room of a conversation, from the API if there is a key. Without a key, or if the API does not
    answer, it is the URL that Tavus gives to rooms. Blocks. Raises NotFound, ConversationOver, CannotJoin.
    """
    url = f"{TAVUS_ROOMS}{conversation_id}"
    token: object = None
    try:
        key = find_key(environ)
    except KeyringSilent as error:
        key = None
        warn(f"{error}; joining {url}")
    if key is not None:
        with _connected(key, environ, base_url, FIND_TIMEOUT, attempts=1) as api:
            try:
                answer = api.get(conversation_id)
            except NotFound:
                raise NotFound(
                    f"no conversation {conversation_id} in the account of the API key: list them with "
                    "tavus-console conversation list, or join by the room's URL"
                ) from None
            except ConsoleError as error:
                warn(f"{error}; joining {url}")
            else:
                if answer.get("status") == "ended":
                    Tokens().forget(conversation_id)
                    raise ConversationOver(f"the conversation {conversation_id} has ended")
                url, token = room_url(answer, api), answer.get("meeting_token")
    return _found(url, conversation_id, token or Tokens().get(conversation_id))


def has_ended(conversation_id: str, environ: Mapping[str, str], base_url: str | None) -> bool:
    """Whether the API says that it has ended; False if it cannot be asked, or does not answer. Blocks."""
    try:
        key = find_key(environ)
        if key is None:
            return False
        with _connected(key, environ, base_url, FIND_TIMEOUT, attempts=1) as api:
            return api.get(conversation_id).get("status") == "ended"
    except ConsoleError:
        return False


def _found(url: str, conversation_id: str | None, token: object) -> Found:
    if not url.startswith("https://"):
        return Found(url)  # the simulation has an id of its own
    if isinstance(token, str) and token and "?" not in url:
        url = f"{url}?t={token}"
    return Found(url, conversation_id)


def opened(created: Json, api: TavusApi) -> Found:
    """The room of a conversation made by ``create``. Raises CannotJoin."""
    return _found(room_url(created, api), created["conversation_id"], created.get("meeting_token"))


def url_to_share(created: Json, *, with_token: bool) -> str:
    """The URL for a browser; "" if there is none."""
    url, token = created.get("conversation_url"), created.get("meeting_token")
    if not isinstance(url, str):
        return ""
    return _found(url, None, token if with_token else None).target


def room_url(conversation: Json, api: TavusApi) -> str:
    """The room's URL in an answer, not checked further. An API on loopback may give a simulation instead.

    Raises CannotJoin.
    """
    url = conversation.get("conversation_url")
    if isinstance(url, str) and (url.startswith("https://") or (api.local and is_simulated(url))):
        return url
    raise CannotJoin(f"the conversation {conversation.get('conversation_id')} has no Daily room to join")


def longest(body: Json) -> int | None:
    """The maximum length in seconds that a body asks for; None for Tavus' default."""
    properties = body.get("properties")
    seconds = properties.get("max_call_duration") if isinstance(properties, dict) else None
    return seconds if isinstance(seconds, int) and seconds > 0 else None


def lifetime(body: Json) -> float:
    """How long a conversation created with this body can last, and its token be used, in seconds."""
    properties = body.get("properties")
    names = ("max_call_duration", "participant_absent_timeout")
    times = [properties.get(name) for name in names] if isinstance(properties, dict) else []
    return max(TOKEN_SECONDS, sum(one for one in times if isinstance(one, int)))
