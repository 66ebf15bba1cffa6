"""How long each command takes to end after a signal, and after a second one, in each of its states."""

from __future__ import annotations

import signal
import tempfile
from pathlib import Path

from tests.kits.signals import CASES, NEW, ROOMS, stopped, world


def main() -> None:
    print("signals: seconds from INT to the end, and from a second INT")
    print("limits: leaving 3, releasing the client 3, ending a conversation 10, a second signal at once")
    for case in CASES:
        if case.doing == "starting" and case.arguments not in (ROOMS[1], NEW):
            continue
        seconds = []
        for second in (None, signal.SIGINT):
            with tempfile.TemporaryDirectory() as folder, world(Path(folder), case.socket) as around:
                if case.doing in ("ending", "looking up"):
                    around.api.add()
                seconds.append(stopped(case, around, signal.SIGINT, second).seconds)
        words = " ".join(word for word in case.arguments if "/" not in word)
        print(f"  {case.doing:<12} {words:<44} {seconds[0]:6.2f} {seconds[1]:6.2f}", flush=True)
