"""A local Tavus API on loopback, which checks requests against the documented fields (docs/protocol.md).

Behind the URL it hands out stands the simulated PAL, which the console takes from a loopback address
alone. ``python -m tests.kits.tavus_api`` starts one for trying out.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import ssl
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "tvs-test-0123456789abcdef"
TOKEN = "eyJhbGciOi.meeting-token-of-a-test"
PAL, FACE = "p0lantern0000", "r0simulated0"
CREATED = "2026-11-24T09:20:00.000000Z"

Json = dict[str, Any]
_TEXT, _FLAG, _WHOLE, _TEXTS, _OBJECT = "text", "boolean", "integer", "array of text", "object"
FIELDS = {
    **dict.fromkeys(("persona_id", "replica_id", "conversation_name", "conversational_context"), _TEXT),
    **dict.fromkeys(("custom_greeting", "callback_url", "meeting_url", "policy"), _TEXT),
    "document_retrieval_strategy": _TEXT,
    **dict.fromkeys(("enable_dynamic_greeting", "audio_only", "chat", "require_auth", "test_mode"), _FLAG),
    "max_participants": _WHOLE,
    **dict.fromkeys(("memory_stores", "document_ids", "document_tags"), _TEXTS),
    "properties": _OBJECT,
}
PROPERTIES = {
    **dict.fromkeys(("max_call_duration", "participant_left_timeout", "participant_absent_timeout"), _WHOLE),
    **dict.fromkeys(("enable_recording", "enable_closed_captions", "apply_greenscreen"), _FLAG),
    "recording_storage": _OBJECT,
    **dict.fromkeys(("recording_s3_bucket_name", "recording_s3_bucket_region"), _TEXT),
    **dict.fromkeys(("aws_assume_role_arn", "language", "livekit_ws_url", "livekit_room_token"), _TEXT),
    "languages": _TEXTS,
}
LEAST = {"max_participants": 2}
MOST = {"max_call_duration": 3600}
STRATEGIES = ("speed", "balanced", "quality")


def wrong(body: Any, fields: dict[str, str] = FIELDS) -> str | None:
    """What is wrong with a body, or None."""
    if not isinstance(body, dict):
        return "the body must be an object"
    for name, value in body.items():
        kind = fields.get(name)
        if kind is None:
            return f"{name}: unknown field"
        if not _is(value, kind):
            return f"{name}: must be {kind}"
        if kind == _WHOLE and not LEAST.get(name, 0) <= value <= MOST.get(name, 86_400):
            return f"{name}: out of range"
    return wrong(body.get("properties", {}), PROPERTIES) if fields is FIELDS else None


def _is(value: Any, kind: str) -> bool:
    match kind:
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "array of text":
            return isinstance(value, list) and all(isinstance(one, str) for one in value)
        case "object":
            return isinstance(value, dict)
    return isinstance(value, str)


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class Odd:
    """An answer of a test's own, given instead of the true one. ``cut``: the connection breaks before it."""

    status: int = 200
    body: bytes | str = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


class LocalApi:
    """What it knows and was asked; ``odd`` answers come first, one a request.

    ``before`` is called with each request, on the server's thread: to hold one up.
    """

    def __init__(self, behind: str = "sim") -> None:
        self.behind = behind
        self.before: Callable[[Request], object] = lambda request: None
        self.conversations: dict[str, Json] = {}
        self.requests: list[Request] = []
        self.odd: deque[Odd] = deque()
        self.base_url = ""

    @property
    def active(self) -> list[str]:
        return [name for name, one in self.conversations.items() if one["status"] == "active"]

    def add(self, **fields: Any) -> str:
        """A conversation that is there already; its id."""
        number = len(self.conversations) + 1
        name = f"c{number:015x}"
        self.conversations[name] = {
            "conversation_id": name,
            "conversation_name": "",
            "conversation_url": self.behind or f"https://tavus.daily.co/{name}",
            "status": "active",
            "callback_url": "",
            "replica_id": FACE,
            "persona_id": PAL,
            "created_at": CREATED,
            "updated_at": CREATED,
            **fields,
        }
        return name

    def answer(self, request: Request) -> tuple[int, Json | None]:
        if request.headers.get("x-api-key") != KEY:
            return 401, {"message": "Invalid access token"}
        match (request.method, request.path.split("/")[1:]):
            case ("POST", ["v2", "conversations"]):
                return self._create(request.body)
            case ("GET", ["v2", "conversations"]):
                return self._list(request.query)
            case ("GET", ["v2", "conversations", name]) if name in self.conversations:
                return 200, self._shown(name, request.query.get("verbose") == "true")
            case ("POST", ["v2", "conversations", name, "end"]) if name in self.conversations:
                return self._end(name)
            case (_, ["v2", "conversations", _, *_]):
                return 404, {"message": "Conversation not found"}
        return 404, {"message": "Not found"}

    def _create(self, body: Any) -> tuple[int, Json]:
        if (problem := wrong(body)) is not None:
            return 400, {"error": f"There was an error creating the conversation, {problem}"}
        if "persona_id" not in body and "replica_id" not in body:
            return 400, {"error": "There was an error creating the conversation, persona_id is missing"}
        if body.get("document_retrieval_strategy", "speed") not in STRATEGIES:
            return 400, {"error": "Invalid document_retrieval_strategy"}
        status = "ended" if body.get("test_mode") else "active"
        kept = {
            name: body[name] for name in ("conversation_name", "callback_url", "persona_id") if name in body
        }
        name = self.add(status=status, **kept)
        fields = ("conversation_id", "conversation_name", "conversation_url", "status", "created_at")
        created = {one: self.conversations[name][one] for one in fields}
        return 200, created | ({"meeting_token": TOKEN} if body.get("require_auth") else {})

    def _list(self, query: dict[str, str]) -> tuple[int, Json]:
        limit, page = query.get("limit", "10"), query.get("page", "1")
        if not (re.fullmatch("[0-9]{1,3}", limit) and re.fullmatch("[0-9]{1,6}", page)):
            return 400, {"error": "Invalid limit or page"}
        wanted = query.get("status")
        rows = [one for one in self.conversations.values() if wanted in (None, one["status"])]
        start = (int(page) - 1) * int(limit)
        return 200, {"data": rows[start : start + int(limit)], "total_count": len(rows)}

    def _shown(self, name: str, verbose: bool) -> Json:
        shown = dict(self.conversations[name])
        if verbose:
            joined = {"event_type": "system.replica_joined", "timestamp": CREATED, "properties": {}}
            over = {"event_type": "system.shutdown", "timestamp": CREATED, "properties": {"reason": "ended"}}
            shown["events"] = [joined, over] if shown["status"] == "ended" else [joined]
        return shown

    def _end(self, name: str) -> tuple[int, Json | None]:
        if self.conversations[name]["status"] == "ended":
            return 400, {"error": "Invalid conversation_id"}
        self.conversations[name]["status"] = "ended"
        return 200, None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits for the other side, 40 ms
    server: _Server

    def _serve(self) -> None:
        api, parts = self.server.api, urlsplit(self.path)
        length = int(self.headers.get("content-length") or 0)
        text = self.rfile.read(length).decode()
        body: Any = text
        with contextlib.suppress(ValueError):
            body = json.loads(text)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, parts.path, query, headers, body)
        api.requests.append(request)
        api.before(request)
        if api.odd:
            odd = api.odd.popleft()
            if odd.cut:
                self.close_connection = True
                return
            data = odd.body.encode() if isinstance(odd.body, str) else odd.body
            self._send(odd.status, data, odd.headers)
            return
        status, answer = api.answer(request)
        data = b"" if answer is None else json.dumps(answer).encode()
        self._send(status, data, {"content-type": "application/json"})

    do_GET = do_POST = do_DELETE = _serve

    def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "content-length" not in {name.lower() for name in headers}:
            self.send_header("content-length", str(len(data)))
        self.end_headers()
        if status not in (204, 304):
            self.wfile.write(data)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    api: LocalApi

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away, or trusts nobody, is no trouble of ours."""


@contextlib.contextmanager
def local_api(behind: str = "sim", port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[LocalApi]:
    """A running API until the end of the block. ``behind`` is every conversation's URL; "" a Daily one."""
    api = LocalApi(behind)
    server = _Server(("127.0.0.1", port), _Handler)
    server.api = api
    if tls is not None:  # the handshake is for the thread of a connection, on its first read
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    api.base_url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description="A local Tavus API with the simulated PAL behind it.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--behind", default="sim", help="every conversation's URL: sim, sim:FILE.toml, …")
    chosen = parser.parse_args()
    with local_api(chosen.behind, chosen.port) as api, contextlib.suppress(KeyboardInterrupt):
        sys.stdout.write(f"export TAVUS_API_BASE_URL={api.base_url} TAVUS_API_KEY={KEY}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
