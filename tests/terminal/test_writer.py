"""A terminal that stops reading: only lines wait, nothing is lost, and the time is reported."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import termios
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest
from prompt_toolkit.input import PipeInput, create_pipe_input

from tavus_cli.terminal import prompt as module
from tavus_cli.terminal import writer
from tavus_cli.terminal.prompt import LINES, LivePrompt
from tavus_cli.terminal.writer import Writer, open_writer
from tests.kits.emulator import SECONDS, numbered
from tests.kits.program import CONSOLE, environ
from tests.kits.room_kit import until

FULL = 1 << 20  # far more than a terminal takes without a reader


class Terminal:
    """A terminal whose reader is the test."""

    def __init__(self) -> None:
        self.reading, self.slave = os.openpty()
        settings = termios.tcgetattr(self.slave)
        settings[1] &= ~termios.OPOST  # what is written is what is read
        termios.tcsetattr(self.slave, termios.TCSANOW, settings)
        os.set_blocking(self.reading, False)
        self.stream = os.fdopen(self.slave, "w", encoding="utf-8")
        self.text = ""

    def read(self) -> None:
        with suppress(BlockingIOError, OSError):
            while data := os.read(self.reading, 65_536):
                self.text += data.decode("utf-8", "replace")

    async def until(self, text: str) -> None:
        """Read on until the text has come."""
        async with asyncio.timeout(SECONDS):
            while text not in self.text:
                await until_ready(self.reading)
                self.read()

    def lines(self) -> list[str]:
        return re.findall(r"line \d{5}", self.text)


async def until_ready(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    yield made
    made.stream.close()
    with suppress(OSError):
        os.close(made.reading)


@asynccontextmanager
async def prompting(terminal: Terminal) -> AsyncIterator[tuple[LivePrompt, PipeInput, list[str]]]:
    lines: list[str] = []
    with create_pipe_input() as keys:
        prompt = LivePrompt(
            status=lambda columns: "STATUS",
            live=lambda columns: "",
            on_line=lines.append,
            input=keys,
            writer=Writer(terminal.stream),
            frame_seconds=0.001,
        )
        task = asyncio.ensure_future(prompt.run())
        await terminal.until("STATUS")
        try:
            yield prompt, keys, lines
        finally:
            prompt.close(hurry=True)
            async with asyncio.timeout(SECONDS):
                await task


async def stuck(prompt: LivePrompt) -> None:
    async with asyncio.timeout(SECONDS):
        await until(lambda: prompt._frame.busy)


def test_a_write_never_waits_and_all_of_it_arrives(terminal: Terminal) -> None:
    async def check() -> None:
        made = Writer(terminal.stream)
        free, stalls = asyncio.Event(), list[float]()
        made.attach(free.set, stalls.append)
        for _ in range(3):
            made.write("x" * FULL)
        made.write("end")
        assert not free.is_set()
        await terminal.until("end")
        await asyncio.wait_for(free.wait(), SECONDS)
        await made.drained()
        assert terminal.text == "x" * 3 * FULL + "end"
        assert stalls
        made.detach()

    asyncio.run(check())


@pytest.mark.parametrize("how", ["no reader", "flow control"])
def test_lines_wait_and_everything_else_continues(
    terminal: Terminal, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STALL_SECONDS", 0.0)

    async def check() -> None:
        async with prompting(terminal) as (prompt, keys, lines):
            if how == "flow control":
                termios.tcflow(terminal.slave, termios.TCOOFF)
            prompt.print(numbered(20_000))
            await stuck(prompt)
            for number in range(100):  # nothing is drawn for these
                prompt.refresh()
                prompt.print([f"more {number}"])
                await asyncio.sleep(0)
            assert prompt.held > 20_100 - 20 * LINES
            keys.send_text("typed meanwhile\r")
            async with asyncio.timeout(SECONDS):
                await until(lambda: lines)
            assert lines == ["typed meanwhile"]
            if how == "flow control":
                termios.tcflow(terminal.slave, termios.TCOON)
            await terminal.until("more 99")
            assert terminal.lines() == numbered(20_000)
            assert re.search(
                r"… the terminal stopped reading for \d\.\d s, [\d,]+ lines waited", terminal.text
            )
            assert prompt.held == 0

    asyncio.run(check())


def test_a_short_wait_is_not_reported(terminal: Terminal) -> None:
    async def check() -> None:
        async with prompting(terminal) as (prompt, _, _):
            prompt.print(numbered(5_000))
            await stuck(prompt)
            await terminal.until("line 04999")
            assert "took nothing" not in terminal.text

    asyncio.run(check())


def test_at_the_end_everything_is_written_however_slow_the_reader(terminal: Terminal) -> None:
    async def check() -> None:
        with create_pipe_input() as keys:
            prompt = LivePrompt(
                status=lambda columns: "STATUS",
                live=lambda columns: "",
                on_line=print,
                input=keys,
                writer=Writer(terminal.stream),
            )
            task = asyncio.ensure_future(prompt.run())
            await terminal.until("STATUS")
            prompt.print(numbered(20_000))
            await stuck(prompt)
            prompt.close()
            for _ in range(100):
                await asyncio.sleep(0)
            assert not task.done()
            await terminal.until("line 19999")
            async with asyncio.timeout(SECONDS):
                await task
            assert terminal.lines() == numbered(20_000)

    asyncio.run(check())


def test_in_a_hurry_the_terminal_is_not_awaited(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(writer, "PATIENCE_SECONDS", 10 * SECONDS)

    async def check() -> None:
        async with prompting(terminal) as (prompt, _, _):
            prompt.print(numbered(20_000))
            await stuck(prompt)
        prompt.print(numbered(20_000))  # nor once more

    asyncio.run(check())


def test_outside_the_prompt_the_terminal_is_awaited_once(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "PATIENCE_SECONDS", 0.05)
    made = Writer(terminal.stream)
    made.write("begin" + "x" * FULL)
    assert not made.busy
    terminal.read()
    assert terminal.text.startswith("begin")
    made.write("end")
    terminal.read()
    assert terminal.text.endswith("end")


def test_a_terminal_that_goes_away_while_it_is_waited_for(terminal: Terminal) -> None:
    async def check() -> None:
        async with prompting(terminal) as (prompt, _, _):
            prompt.print(numbered(20_000))
            await stuck(prompt)
            os.close(terminal.reading)
            async with asyncio.timeout(SECONDS):
                await until(lambda: prompt.left_by is not None)
            assert prompt.left_by == "eof"

    asyncio.run(check())


def test_standard_output_itself_keeps_waiting(terminal: Terminal) -> None:
    """The flag belongs to the open file, which shells and other programs share."""
    Writer(terminal.stream)
    assert os.get_blocking(terminal.slave)
    with open(os.devnull, "w") as nowhere:
        assert open_writer(nowhere) is None


# -- the whole program ------------------------------------------------------------------------------------


@contextmanager
def program(terminal: Terminal, folder: Path, target: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [CONSOLE, "join", target, "--record", str(folder / "r.jsonl")]
    streams = {"stdin": terminal.slave, "stdout": terminal.slave, "stderr": terminal.slave}
    variables = environ(TERM="xterm-256color", TAVUS_CONSOLE_HISTORY=str(folder / "history"))
    with subprocess.Popen(command, env=variables, start_new_session=True, **streams) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.kill()


async def recorded(folder: Path, events: int) -> None:
    """Wait until the recording has this many events: the room and its recording continue."""
    file = folder / "r.jsonl"
    async with asyncio.timeout(SECONDS):
        while not file.exists() or file.read_text().count("sim.load") < events:
            await asyncio.sleep(0.05)  # there is no event when a file grows


def test_a_terminal_that_reads_on_shows_all_and_says_how_long_it_stood(
    terminal: Terminal, tmp_path: Path
) -> None:
    async def check() -> None:
        with program(terminal, tmp_path, "sim:?rate=600&events=3000") as process:
            await recorded(tmp_path, 3_000)
            await terminal.until('"number":2999,')
            assert re.findall(r'"number":(\d+),', terminal.text) == [str(one) for one in range(3_000)]
            assert re.search(
                r"the terminal stopped reading for \d+\.\d s, [\d,]+ lines waited", terminal.text
            )
            os.write(terminal.reading, b"\x04")
            assert await asyncio.to_thread(process.wait, SECONDS) == 0

    asyncio.run(check())


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_leaves_the_room_though_nobody_reads(
    terminal: Terminal, tmp_path: Path, number: int, status: int
) -> None:
    async def check() -> None:
        with program(terminal, tmp_path, "sim:?burst=30000") as process:
            await recorded(tmp_path, 20_000)  # then the room waits for the terminal
            process.send_signal(number)
            assert await asyncio.to_thread(process.wait, SECONDS) == status

    asyncio.run(check())
