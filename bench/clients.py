"""A resident session over 70,000 clients, one after another: its memory must stay flat."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile

from bench.measure import CONSOLE, aim
from bench.suites import resident

CLIENTS = 70_000
EARLY = 2_000  # clients after which the server has created all it needs
TARGET = "sim"


def main(clients: int = CLIENTS) -> None:
    from tavus_cli.resident import sockets

    with tempfile.TemporaryDirectory() as folder:
        os.environ["TAVUS_CONSOLE_RUNTIME"] = folder
        start = [CONSOLE, "session", "start", TARGET, "--json"]
        started = subprocess.run(start, check=True, stdout=subprocess.PIPE)
        try:
            about = json.loads(started.stdout)
            path = os.fspath(sockets.path_of(about["id"]))
            _come_and_go(path, EARLY)
            early = resident(about["pid"])
            _come_and_go(path, clients - EARLY)
            late = resident(about["pid"])
        finally:
            subprocess.run([CONSOLE, "session", "stop", TARGET], check=True)
            del os.environ["TAVUS_CONSOLE_RUNTIME"]
    print(f"a resident session and {clients:,} clients, one after another")
    more = (late - early) / early if early else 0.0
    text = f"{early / 1e6:.0f} MB after {EARLY:,}, {late / 1e6:.0f} MB after all ({more:+.0%})"
    aim("memory", text, "at most +20 %", more <= 0.2)


def _come_and_go(path: str, clients: int) -> None:
    """Each reads what the session says first; two of three ask to join, one of them by mistake."""
    import socket

    for number in range(clients):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(path)
            with connection.makefile("rb") as file:
                file.readline()
                file.readline()
                if line := (b"", b'{"do":"join"}\n', b"no JSON\n")[number % 3]:
                    connection.sendall(line)
                    file.readline()
