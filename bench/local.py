"""``local`` under load, and how soon it serves: each with its aim.

50 conversations with 20 messages a second each, taken by plain WebSocket clients of another process; then
Ctrl-C. And from the start of a process to serving, against importing aiohttp and trustme and making one
certificate.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

from bench.measure import CONSOLE, PYTHON, aim, percentile

ROOMS = 50
RATE = 20  # messages a second in each
SECONDS = 20
ROUNDS = 11
WARM = 3.0  # seconds not counted, in which the clients join
LEAST = "import aiohttp, trustme; trustme.CA().issue_cert('127.0.0.1')"


def main() -> None:
    print("Tavus on this machine  (aim in brackets)")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TAVUS_CONSOLE_RUNTIME"] = folder
        try:
            _load()
            _start()
        finally:
            del os.environ["TAVUS_CONSOLE_RUNTIME"]


def _load() -> None:
    script = Path(os.environ["TAVUS_CONSOLE_RUNTIME"], "quiet.toml")
    script.write_text('name = "Load"\n')
    pal = f"*={script}?rate={RATE}"
    server, port = _serve("--pal", pal, "--max-concurrent", str(ROOMS))
    told = subprocess.check_output([CONSOLE, "local", "--env", "--port", port], text=True)
    leads = dict(word.split("=", 1) for word in shlex.split(told) if word != "export")
    before = _memory(server.pid)
    environ = {**os.environ, **leads, "SERVER": str(server.pid)}
    code = "from bench.local import take; take()"
    figures = json.loads(subprocess.check_output([PYTHON, "-c", code], env=environ, text=True))
    after = _memory(server.pid)
    wanted = ROOMS * RATE
    what = f"{ROOMS} conversations, {RATE} messages/s each"
    aim(what, f"{figures['rate']:,.0f} messages/s", f"≥ {wanted:,}", figures["rate"] >= wanted * 0.99)
    late = f"p50 {figures['p50']:.1f} ms, p99 {figures['p99']:.1f} ms, worst {figures['worst']:.0f} ms"
    aim("  from made to taken", late, "p99 ≤ 100 ms", figures["p99"] <= 100)
    grown = f"{before:.0f} → {figures['middle']:.0f} → {after:.0f} MiB"
    aim("  memory: idle, half way, at the end", grown, "flat", after - figures["middle"] <= 10)
    begun = time.perf_counter()
    server.send_signal(signal.SIGINT)
    status = server.wait(30)
    took = time.perf_counter() - begun
    aim("  Ctrl-C with all of them joined", f"status {status} after {took:.2f} s", "130", status == 130)


def _start() -> None:
    least: list[float] = []
    serving: list[float] = []
    for number in range(ROUNDS + 1):
        begun = time.perf_counter()
        subprocess.run([PYTHON, "-c", LEAST], check=True)
        imported = time.perf_counter()
        server, _ = _serve("--quiet")
        served = time.perf_counter()
        server.send_signal(signal.SIGINT)
        server.wait(30)
        if number:
            least.append(imported - begun)
            serving.append(served - imported)
    base, ours = percentile(least, 0.5), percentile(serving, 0.5)
    aim("imports and one certificate, median", f"{base * 1000:.0f} ms", "", True)
    shown = f"{ours * 1000:.0f} ms, {ours / base:.2f} ×"
    aim("  start to serving, median", shown, "≤ 1.5 ×", ours / base <= 1.5)


def _serve(*options: str) -> tuple[subprocess.Popen[str], str]:
    """A running ``local`` that serves, and the API's port."""
    command = [CONSOLE, "local", "--port", "0", *options]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    assert server.stderr is not None
    match = re.search(r"http://127\.0\.0\.1:(\d+)", server.stderr.readline())
    assert match is not None, "local did not start"
    return server, match[1]


def _memory(pid: int) -> float:
    """Resident memory in MiB; 0 where the system does not say."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


# -- the clients: a process of their own -----------------------------------------------------------------


def take() -> None:
    print(json.dumps(asyncio.run(_take())))
    sys.stdout.flush()


async def _take() -> dict[str, float]:
    from aiohttp import ClientSession, TCPConnector

    ages: list[float] = []
    context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
    async with ClientSession(connector=TCPConnector(limit=0)) as session:
        counting = asyncio.Event()
        guests = [asyncio.create_task(_guest(session, context, ages, counting)) for _ in range(ROOMS)]
        await asyncio.sleep(WARM)
        counting.set()
        begun = time.perf_counter()
        await asyncio.sleep(SECONDS / 2)
        middle = _memory(int(os.environ.get("SERVER", "0")))
        await asyncio.sleep(SECONDS / 2)
        took = time.perf_counter() - begun
        for guest in guests:
            guest.cancel()
        await asyncio.gather(*guests, return_exceptions=True)
    return {
        "rate": len(ages) / took,
        "p50": percentile(ages, 0.5) * 1000,
        "p99": percentile(ages, 0.99) * 1000,
        "worst": max(ages) * 1000,
        "middle": middle,
    }


async def _guest(session: Any, context: ssl.SSLContext, ages: list[float], counting: asyncio.Event) -> None:
    """Create a conversation, join as Daily's client does, and receive messages."""
    base, proxy = os.environ["TAVUS_API_BASE_URL"], os.environ["TAVUS_DAILY_PROXY"]
    headers = {"x-api-key": os.environ["TAVUS_API_KEY"]}
    async with session.post(f"{base}/v2/conversations", json={"pal_id": "p"}, headers=headers) as answer:
        name = (await answer.json())["conversation_id"]
    url = f"{proxy.replace('https:', 'wss:')}sig.standin.wss.daily.co:443/{name}"
    who = str(uuid.uuid4())
    async with session.ws_connect(url, ssl=context) as socket:
        hello = {
            "from": who,
            "mtgStr": f"tavus/{name}",
            "msgData": {"presence": {"id": who, "name": "bench"}},
        }
        await socket.send_json({"msgStr": "join-for-sig", **hello})
        for kind, more in (
            ("join-as-new-peer", {}),
            ("create-transport", {"direction": "send"}),
            ("create-transport", {"direction": "recv"}),
        ):
            frame = {"msgStr": kind, "msgData": {"_sendTs": time.time(), **more}}
            await socket.send_bytes(json.dumps(frame).encode())
        async for message in socket:
            now = time.time()
            frame = json.loads(message.data)
            if frame.get("msgStr") != "sig-msg" or not counting.is_set():
                continue
            event = frame["msgData"]
            if event["event_type"] == "conversation.sim.load":
                ages.append(now - event["timestamp"])
