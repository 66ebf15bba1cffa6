"""A fake language model behind /chat/completions on loopback, with answers set by the test."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]
Judging = Callable[[Json], str]
KEY = "sk-chat-model-0123456789"


def ruling(*met: bool | None, quotes: Sequence[str] = ()) -> Judging:
    """An honest judge's answer: ``met`` for each criterion of the file in turn, and the control not met."""

    def judge(asked: Json) -> str:
        rows: list[Json] = []
        left = list(met)
        for one in asked["criteria"]:
            control = one["criterion"].startswith("The PAL says the words ")
            said = False if control else left.pop(0)
            rows.append({"id": one["id"], "met": said, "quotes": list(quotes), "reason": "so it is"})
        return json.dumps({"criteria": rows})

    return judge


@dataclass
class ChatModel:
    """``says`` are the caller's words, by turn; after them it hangs up. It has no state, so calls may run at
    once. ``raw``, a status and a body, replaces its answers. ``hold``: it does not answer until this is set.
    """

    says: Sequence[str] = ()
    judge: Judging = field(default_factory=lambda: ruling(True))
    raw: Callable[[Json], tuple[int, bytes] | None] = lambda body: None
    tokens: int = 10
    hold: threading.Event | None = None
    asked: list[Json] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    def content(self, body: Json) -> str:
        messages = body["messages"]
        if messages[0]["content"].startswith("You judge"):
            return self.judge(json.loads(messages[1]["content"]))
        turn = sum(one["role"] == "assistant" for one in messages)
        return self.says[turn] if turn < len(self.says) else "Goodbye. [hang up]"

    def answer(self, body: Json) -> tuple[int, bytes]:
        if self.hold is not None:
            self.hold.wait(20)
        if (raw := self.raw(body)) is not None:
            return raw
        message = {"role": "assistant", "content": self.content(body)}
        whole = {"choices": [{"message": message}], "usage": {"total_tokens": self.tokens}}
        return 200, json.dumps(whole).encode()


@contextlib.contextmanager
def serving(model: ChatModel) -> Iterator[ChatModel]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            model.asked.append(body)
            model.headers.append(dict(self.headers.items()))
            status, data = model.answer(body) if self.path == "/v1/chat/completions" else (404, b"{}")
            with contextlib.suppress(OSError):  # the client has gone
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    model.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield model
    finally:
        if model.hold is not None:
            model.hold.set()
        server.shutdown()
        server.server_close()
        thread.join()
