"""The loop of a command, and the signals that end it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.kits.program import SECONDS, environ

PROGRAM = """
import asyncio, sys
from tavus_cli.session.loop import run

async def main():
    try:
        print("ready", flush=True)
        await asyncio.sleep(60)
    finally:
        print("left", flush=True)
        if "hang" in sys.argv:
            await asyncio.sleep(60)
    return 0

sys.exit(run(main))
"""
posix = pytest.mark.skipif(os.name != "posix", reason="POSIX signals")


@posix
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("hangs", [False, True], ids=["once", "twice"])
def test_a_signal_ends_it_after_leaving_a_second_one_at_once(name: str, hangs: bool) -> None:
    number = getattr(signal, name)
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *["hang"] * hangs],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ(),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.stdout.readline() == "left\n"
        if hangs:
            process.send_signal(number)
        assert process.wait(SECONDS) == 128 + number
        assert process.stderr.read() == ""


@posix
def test_a_command_gives_its_own_status() -> None:
    code = PROGRAM.replace("await asyncio.sleep(60)", "return 3", 1)
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, timeout=SECONDS, env=environ()
    )
    assert (done.returncode, done.stderr) == (3, b"")
