"""Tavus' conversations as its API keeps them: create, list, get, end, delete, time out. Pure.

Errors are worded as Tavus words them (docs/protocol.md, section 6.1). Times are Unix seconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tavus_cli.local.fields import STRATEGIES, Json, with_old_names, wrong

KEPT = 1000  # conversations kept; beyond that the oldest ended ones are dropped
MAX_EVENTS = 1000  # of one conversation
MAX_CONCURRENT = 50
ABSENT_SECONDS = 300
LONGEST_SECONDS = 3600
ENDPOINT = "end_conversation_endpoint_hit"

_INVALID: Json = {"error": "Invalid conversation_id"}
_FULL: Json = {"message": "User has reached maximum concurrent conversations"}
_KEPT_FIELDS = ("conversation_name", "callback_url", "persona_id", "replica_id")


class Request(NamedTuple):
    """One request: path without its query; ``body`` is None if there is none, text if it is not JSON."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


class Created(NamedTuple):
    conversation: Conversation


class Ended(NamedTuple):
    conversation: Conversation
    reason: str


class Deleted(NamedTuple):
    conversation: Conversation


Change = Created | Ended | Deleted


@dataclass
class Answer:
    """``changes`` is what the request did. ``body`` None is an empty body."""

    status: int
    body: Json | None = None
    changes: list[Change] = field(default_factory=list)


@dataclass(eq=False)
class Conversation:
    """``shown`` is what the API returns, ``body`` the request's; ``token`` is that of a private room."""

    shown: Json
    body: Json
    created: float
    token: str | None = None
    guests: set[str] = field(default_factory=set)
    ever_joined: bool = False
    alone_since: float | None = None
    reason: str | None = None  # why it has ended
    events: list[Json] = field(default_factory=list)

    @property
    def id(self) -> str:
        return str(self.shown["conversation_id"])

    @property
    def active(self) -> bool:
        return bool(self.shown["status"] == "active")

    def deadline(self) -> tuple[float, str]:
        """When it ends by itself, and why."""
        properties = self.body.get("properties", {})
        longest = properties.get("max_call_duration", LONGEST_SECONDS)
        due = [(self.created + longest, "max_call_duration reached")]
        if not self.ever_joined:
            absent = properties.get("participant_absent_timeout", ABSENT_SECONDS)
            due.append((self.created + absent, "participant_absent_timeout reached"))
        elif self.alone_since is not None:
            left = properties.get("participant_left_timeout", 0)
            due.append((self.alone_since + left, "participant_left_timeout reached"))
        return min(due)


class Conversations:
    """``key`` is the valid x-api-key.

    ``url`` makes a room's URL from its id; ``new_id`` and ``new_token`` return values that cannot be guessed.
    """

    def __init__(
        self,
        *,
        key: str,
        url: Callable[[str], str],
        new_id: Callable[[], str],
        new_token: Callable[[], str],
        face: str = "r0simulated0",
        pal: str = "p0simulated0",
        max_concurrent: int = MAX_CONCURRENT,
        kept: int = KEPT,
    ) -> None:
        self._key = key
        self._url = url
        self._new_id, self._new_token = new_id, new_token
        self._face, self._pal = face, pal
        self._max = max_concurrent
        self._kept = kept
        self._all: dict[str, Conversation] = {}

    def __iter__(self) -> Any:
        return iter(self._all.values())

    def get(self, conversation_id: str) -> Conversation | None:
        return self._all.get(conversation_id)

    @property
    def active(self) -> list[Conversation]:
        return [one for one in self._all.values() if one.active]

    def answer(self, request: Request, now: float) -> Answer:
        if request.headers.get("x-api-key") != self._key:
            return Answer(401, {"message": "Invalid access token"})
        match (request.method, request.path.split("/")[1:]):
            case ("POST", ["v2", "conversations"]):
                return self._create(request.body, now)
            case ("GET", ["v2", "conversations"]):
                return self._list(request.query)
            case ("GET", ["v2", "conversations", name]) if name in self._all:
                return Answer(200, self._shown(self._all[name], request.query.get("verbose") == "true"))
            case ("POST", ["v2", "conversations", name, "end"]) if name in self._all:
                return self._end(self._all[name], now)
            case ("DELETE", ["v2", "conversations", name]) if name in self._all:
                return self._delete(self._all[name], now)
            case (_, ["v2", "conversations", _, *_]):
                return Answer(404, {"message": "Conversation not found"})
        return Answer(404, {"message": "Not found"})

    # -- events -----------------------------------------------------------------------------------------

    def joined(self, conversation: Conversation, who: str) -> None:
        conversation.guests.add(who)
        conversation.ever_joined, conversation.alone_since = True, None

    def left(self, conversation: Conversation, who: str, now: float) -> None:
        conversation.guests.discard(who)
        if not conversation.guests:
            conversation.alone_since = now

    def note(self, conversation: Conversation, event_type: str, properties: Json, now: float) -> None:
        """For ``get --verbose``."""
        if len(conversation.events) < MAX_EVENTS:
            event = {"event_type": event_type, "timestamp": iso(now), "properties": properties}
            conversation.events.append(event)

    def wake_at(self) -> float | None:
        return min((one.deadline()[0] for one in self.active), default=None)

    def tick(self, now: float) -> list[Ended]:
        """End conversations whose time is up."""
        due = [(one, *one.deadline()) for one in self.active]
        return [self.end(one, reason, now) for one, at, reason in due if at <= now]

    def end(self, conversation: Conversation, reason: str, now: float) -> Ended:
        conversation.shown["status"] = "ended"
        conversation.shown["updated_at"] = iso(now)
        conversation.reason = reason
        return Ended(conversation, reason)

    # -- calls -------------------------------------------------------------------------------------------

    def add(self, now: float, body: Json | None = None, **shown: Any) -> Conversation:
        """Add a conversation that no request created; ``shown`` overrides fields that the API returns."""
        body = body or {}
        name = self._new_id()
        fields: Json = {
            "conversation_id": name,
            "conversation_name": "",
            "conversation_url": self._url(name),
            "status": "ended" if body.get("test_mode") else "active",
            "callback_url": "",
            "replica_id": self._face,
            "persona_id": self._pal,
            "created_at": iso(now),
            "updated_at": iso(now),
        }
        fields |= {one: body[one] for one in _KEPT_FIELDS if body.get(one)} | shown
        token = self._new_token() if body.get("require_auth") else None
        conversation = self._all[name] = Conversation(fields, body, now, token)
        over = [one.id for one in self._all.values() if not one.active][: max(0, len(self._all) - self._kept)]
        for one in over:
            del self._all[one]
        return conversation

    def _create(self, body: Any, now: float) -> Answer:
        body = with_old_names(body)
        if (problem := wrong(body)) is not None:
            return Answer(400, {"error": f"There was an error creating the conversation, {problem}"})
        if body.get("document_retrieval_strategy", "speed") not in STRATEGIES:
            return Answer(400, {"error": "Invalid document_retrieval_strategy"})
        if not body.get("test_mode") and len(self.active) >= self._max:
            return Answer(400, dict(_FULL))
        conversation = self.add(now, body)
        named = ("id", "name", "url")
        names = (*(f"conversation_{one}" for one in named), "status", "callback_url", "created_at")
        answer = {one: conversation.shown[one] for one in names}
        if conversation.token is not None:
            answer["meeting_token"] = conversation.token
        return Answer(200, answer, [Created(conversation)])

    def _list(self, query: dict[str, str]) -> Answer:
        limit, page = query.get("limit", "10"), query.get("page", "1")
        if not (re.fullmatch("[0-9]{1,3}", limit) and re.fullmatch("[0-9]{1,6}", page)):
            return Answer(400, {"error": "Invalid limit or page"})
        if int(limit) < 1 or int(page) < 1:
            return Answer(400, {"error": "Invalid limit or page"})
        wanted = query.get("status")
        if wanted not in (None, "active", "ended"):
            return Answer(400, {"error": "Invalid status"})
        rows = [one.shown for one in self._all.values() if wanted in (None, one.shown["status"])]
        start = (int(page) - 1) * int(limit)
        return Answer(200, {"data": rows[start : start + int(limit)], "total_count": len(rows)})

    def _shown(self, conversation: Conversation, verbose: bool) -> Json:
        if not verbose:
            return conversation.shown
        return {
            **conversation.shown,
            "events": list(conversation.events),
            "shutdown_reason": conversation.reason,
        }

    def _end(self, conversation: Conversation, now: float) -> Answer:
        if not conversation.active:
            return Answer(400, dict(_INVALID))
        return Answer(200, None, [self.end(conversation, ENDPOINT, now)])

    def _delete(self, conversation: Conversation, now: float) -> Answer:
        changes: list[Change] = []
        if conversation.active:
            changes.append(self.end(conversation, ENDPOINT, now))
        del self._all[conversation.id]
        return Answer(204, None, [*changes, Deleted(conversation)])


def iso(now: float) -> str:
    """ISO 8601 as the API writes it: 2026-07-11T06:48:37.564961Z."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
