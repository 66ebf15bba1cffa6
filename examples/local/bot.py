"""A bot in the room, with daily-python: it asks the PAL, and answers its tool calls."""

import os
import threading
from queue import Queue

import daily


class Bot(daily.EventHandler):
    def __init__(self, url: str, conversation_id: str, tools: dict) -> None:
        super().__init__()
        self.said: Queue = Queue()  # what the PAL has said to its end
        self._saying = ""
        self._id, self._tools = conversation_id, tools
        self._client = client = daily.CallClient(event_handler=self)
        if proxy := os.environ.get("TAVUS_DAILY_PROXY"):
            client.set_proxy_url(proxy)
        joined = threading.Event()
        off = {"inputs": {"camera": False, "microphone": False}}
        client.join(url, client_settings=off, completion=lambda data, error: joined.set())
        assert joined.wait(20), "not joined"

    def send(self, kind: str, **properties: object) -> None:
        head = {"message_type": "conversation", "event_type": f"conversation.{kind}"}
        self._client.send_app_message({**head, "conversation_id": self._id, "properties": properties})

    def on_app_message(self, message: dict, sender: str) -> None:
        told = message.get("properties", {})
        if message["event_type"] == "conversation.tool_call":
            output = self._tools[told["name"]]()
            self.send("tool_result", tool_call_id=told["tool_call_id"], output=output, status="success")
        elif message["event_type"] == "conversation.utterance" and told["role"] == "pal":
            self._saying = told["speech"]
        elif message["event_type"] == "conversation.stopped_speaking" and told["role"] == "pal":
            self.said.put(self._saying)

    def leave(self) -> None:
        self._client.leave()
        self._client.release()
