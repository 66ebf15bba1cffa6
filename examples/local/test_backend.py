"""The backend and the bot against Tavus on this machine: no account, no bill, no network.

pip install 'tavus-console[local]' pytest
pytest examples/local
"""

import os
import re
import shlex
import signal
import subprocess
import threading

import backend
import daily
import pytest
from bot import Bot


@pytest.fixture(scope="session", autouse=True)
def tavus():
    """A ``tavus-console local`` on a free port, and the environment that points to it."""
    command = ["tavus-console", "local", "--port", "0", "--speed", "20", "--quiet"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        port = re.search(r"127\.0\.0\.1:(\d+)", running.stderr.readline())[1]
        told = subprocess.check_output(["tavus-console", "local", "--env", "--port", port], text=True)
        os.environ.update(word.split("=", 1) for word in shlex.split(told) if word != "export")
        daily.Daily.init()
        yield
        running.send_signal(signal.SIGINT)


@pytest.fixture
def callback_url():
    server = backend.serve()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_conversation_from_its_start_to_its_end(callback_url):
    body = {"pal_id": "p1", "callback_url": callback_url, "custom_greeting": "Welcome."}
    created = backend.call("POST", "/conversations", body)
    name = created["conversation_id"]

    bot = Bot(created["conversation_url"], name, {"get_hours": lambda: "nine to five"})
    assert bot.said.get(timeout=10) == "Welcome."
    bot.send("respond", text="When are you open?")
    assert bot.said.get(timeout=10) == "Here is what I found: nine to five."

    backend.call("POST", f"/conversations/{name}/end")
    about, transcript = backend.transcripts.get(timeout=10)
    assert about == name
    spoken = [(one["role"], one["content"]) for one in transcript if one["role"] in ("user", "assistant")]
    assert spoken == [
        ("assistant", "Welcome."),
        ("user", "When are you open?"),
        ("assistant", "Here is what I found: nine to five."),
    ]
    bot.leave()
