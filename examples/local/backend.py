"""A backend in 30 lines: it starts conversations, and keeps the transcripts that Tavus posts to it."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from urllib.request import Request, urlopen

transcripts: Queue = Queue()


def call(method: str, path: str, body: dict | None = None) -> dict:
    base = os.environ.get("TAVUS_API_BASE_URL", "https://tavusapi.com")
    data = None if body is None else json.dumps(body).encode()
    headers = {"x-api-key": os.environ["TAVUS_API_KEY"], "content-type": "application/json"}
    with urlopen(Request(f"{base}/v2{path}", data, headers, method=method), timeout=10) as answer:
        return json.loads(answer.read() or "{}")


class Webhooks(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        event = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if event.get("event_type") == "application.transcription_ready":
            transcripts.put((event["conversation_id"], event["properties"]["transcript"]))
        self.send_response(200)
        self.end_headers()


def serve(port: int = 0) -> ThreadingHTTPServer:
    return ThreadingHTTPServer(("127.0.0.1", port), Webhooks)
