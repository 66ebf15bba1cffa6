"""Standard output: a slow reader loses nothing, one that goes away is noticed, an error ends it in time."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from tavus_cli.errors import ConsoleError, ExitStatus
from tavus_cli.session import output as module
from tavus_cli.session.environment import Environment
from tavus_cli.session.output import Output
from tests.kits.room_kit import until

LINES = [f"line {number:06d} {'x' * 80}\n" for number in range(20_000)]  # far more than a pipe holds
SECONDS = 20


class Pipe:
    """A pipe whose reading end is ours; ``environment`` writes into the other one."""

    def __init__(self) -> None:
        self.reading, writing = os.pipe()
        self._closed = False
        self.stdout = os.fdopen(writing, "w", encoding="utf-8")
        self.environment = Environment(io.StringIO(), self.stdout, io.StringIO(), {})

    def read_all(self) -> str:
        """Read until the writing end is closed, on a separate thread."""
        self._closed = True
        with os.fdopen(self.reading, encoding="utf-8") as source:
            return source.read()

    def close_reader(self) -> None:
        if not self._closed:
            self._closed = True
            os.close(self.reading)

    def close_writer(self) -> None:
        with contextlib.suppress(OSError):
            self.stdout.close()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.close_reader()  # first, as a thread may still be inside a write
    pipe.close_writer()


def run(main: Callable[[], Awaitable[Any]]) -> Any:
    async def bounded() -> Any:
        async with asyncio.timeout(SECONDS):
            return await main()

    return asyncio.run(bounded())


async def stuck(output: Output) -> None:
    """Returns when the writing thread is inside a write that nobody takes."""
    output.write("x" * (1 << 20))
    await until(lambda: not output._texts)


# -- everything arrives -----------------------------------------------------------------------------------


def test_a_reader_that_reads_gets_everything_in_order(pipe: Pipe) -> None:
    async def main() -> str:
        reader = asyncio.create_task(asyncio.to_thread(pipe.read_all))
        async with Output(pipe.environment) as output:
            for line in LINES:
                output.write(line)
        pipe.close_writer()
        return await reader

    assert run(main) == "".join(LINES)


def test_a_slow_reader_loses_nothing_and_blocks_nothing(pipe: Pipe) -> None:
    """Nobody reads until everything was handed over and the end is waiting."""

    async def main() -> str:
        begin = threading.Event()

        def read() -> str:
            begin.wait(SECONDS)
            return pipe.read_all()

        reader = asyncio.create_task(asyncio.to_thread(read))
        output = Output(pipe.environment)

        async def write() -> None:
            async with output:
                for line in LINES:
                    output.write(line)

        writer = asyncio.create_task(write())
        for _ in range(100):
            await asyncio.sleep(0)
        assert not writer.done(), "it is at its end, which waits for the reader"
        begin.set()
        await writer
        pipe.close_writer()
        return await reader

    assert run(main) == "".join(LINES)
    assert not pipe.environment.exit_hard


def test_drain_waits_while_too_much_is_waiting(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WAITING_LIMIT", 1_000)

    async def main() -> str:
        async with Output(pipe.environment) as output:
            await output.drain()  # nothing waits
            await stuck(output)
            drain = asyncio.create_task(output.drain())
            for _ in range(10):
                await asyncio.sleep(0)
            assert not drain.done()
            output.write("the end")
            reader = asyncio.create_task(asyncio.to_thread(pipe.read_all))
            await drain
        pipe.close_writer()
        return await reader

    text: str = run(main)
    assert len(text) == (1 << 20) + len("the end")
    assert text.endswith("the end")


def test_what_is_written_is_there_at_once(pipe: Pipe) -> None:
    async def main() -> None:
        async with Output(pipe.environment) as output:
            for word in ("one", "two"):
                output.write(word)
                assert await asyncio.to_thread(os.read, pipe.reading, 100) == word.encode()
            output.write("")

    run(main)


def test_a_pipe_that_somebody_made_non_blocking_is_written_to_its_end(pipe: Pipe) -> None:
    os.set_blocking(pipe.stdout.fileno(), False)

    async def main() -> str:
        output = Output(pipe.environment)
        await stuck(output)
        reader = asyncio.create_task(asyncio.to_thread(pipe.read_all))
        async with output:
            output.write("the end")
        assert not output.gone.is_set()
        pipe.close_writer()
        return await reader

    text: str = run(main)
    assert len(text) == (1 << 20) + len("the end")


def test_a_stream_without_a_descriptor_is_written_too() -> None:
    stdout = io.StringIO()

    async def main() -> None:
        async with Output(Environment(io.StringIO(), stdout, io.StringIO(), {})) as output:
            output.write("a\n")
            await output.drain()
            output.write("b\n")

    run(main)
    assert stdout.getvalue() == "a\nb\n"


def test_characters_of_every_kind(pipe: Pipe) -> None:
    async def main() -> str:
        async with Output(pipe.environment) as output:
            output.write("é 時 \ud83d\n")
        pipe.close_writer()
        return await asyncio.to_thread(pipe.read_all)

    assert run(main) == "é 時 \\ud83d\n"


# -- the reader goes away ---------------------------------------------------------------------------------


def test_a_closed_pipe_is_noticed_while_nothing_is_written(pipe: Pipe) -> None:
    async def main() -> int:
        async with Output(pipe.environment) as output:
            await asyncio.sleep(0)
            assert not output.gone.is_set()
            pipe.close_reader()
            await output.gone.wait()
            output.write("nobody reads this")
            await output.drain()
        return output.status()

    assert run(main) == ExitStatus.BROKEN_PIPE


def test_a_closed_pipe_is_noticed_inside_a_write(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WAITING_LIMIT", 1_000)

    async def main() -> int:
        async with Output(pipe.environment) as output:
            await stuck(output)
            output.write("more")
            drain = asyncio.create_task(output.drain())
            await asyncio.sleep(0)
            pipe.close_reader()
            await output.gone.wait()
            await drain
        return output.status()

    assert run(main) == ExitStatus.BROKEN_PIPE
    assert not pipe.environment.exit_hard


def test_a_pipe_that_was_closed_before(pipe: Pipe) -> None:
    pipe.close_reader()

    async def main() -> None:
        async with Output(pipe.environment) as output:
            output.write("x")
            await output.gone.wait()

    run(main)


def test_a_stream_that_was_closed() -> None:
    async def main() -> None:
        stdout = io.StringIO()
        stdout.close()
        async with Output(Environment(io.StringIO(), stdout, io.StringIO(), {})) as output:
            output.write("x")
            await output.gone.wait()

    run(main)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_disk_is_an_error_of_its_own() -> None:
    async def main(output: Output) -> None:
        async with output:
            output.write("x")
            await output.gone.wait()

    async def status() -> int:
        with open("/dev/full", "w", encoding="utf-8") as stdout, contextlib.suppress(OSError):
            output = Output(Environment(io.StringIO(), stdout, io.StringIO(), {}))
            await main(output)
            with contextlib.suppress(OSError):
                stdout.close()
        return output.status()

    with pytest.raises(ConsoleError, match="standard output: No space left on device") as caught:
        run(status)
    assert caught.value.status == ExitStatus.FAILED


def test_the_end_does_not_wait_for_a_closed_pipe(pipe: Pipe) -> None:
    async def main() -> None:
        async with Output(pipe.environment) as output:
            await stuck(output)
            pipe.close_reader()

    run(main)


# -- an end by error --------------------------------------------------------------------------------------


class Oops(Exception):
    pass


def test_after_an_error_what_is_written_soon_still_arrives(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CLOSE_SECONDS", SECONDS)

    async def main() -> str:
        reader = asyncio.create_task(asyncio.to_thread(pipe.read_all))
        with contextlib.suppress(Oops):
            async with Output(pipe.environment) as output:
                for line in LINES:
                    output.write(line)
                raise Oops
        pipe.close_writer()
        return await reader

    assert run(main) == "".join(LINES)
    assert not pipe.environment.exit_hard


def test_after_an_error_the_wait_for_a_reader_is_short(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CLOSE_SECONDS", 0.01)

    async def main() -> None:
        with contextlib.suppress(Oops):
            async with Output(pipe.environment) as output:
                await stuck(output)
                raise Oops

    run(main)
    assert pipe.environment.exit_hard, "a thread is left inside the write"


def test_cancelled_while_it_waits_for_a_reader_it_ends(pipe: Pipe) -> None:
    async def main() -> None:
        async def write() -> None:
            async with Output(pipe.environment) as output:
                await stuck(output)

        task = asyncio.create_task(write())
        await until(lambda: _waits(task))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main)
    assert pipe.environment.exit_hard


def _waits(task: asyncio.Task[None]) -> bool:
    """Whether the task is at the end of its block."""
    return any(frame.f_code.co_name == "__aexit__" for frame in _frames(task.get_coro()))


def _frames(coroutine: Any) -> Iterator[Any]:
    while coroutine is not None and getattr(coroutine, "cr_frame", None) is not None:
        yield coroutine.cr_frame
        coroutine = coroutine.cr_await


def test_the_thread_outlives_a_loop_that_is_closed(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a signal: the thread's remaining messages go nowhere."""
    monkeypatch.setattr(module, "_CLOSE_SECONDS", 0.01)
    threads: list[threading.Thread] = []

    async def main() -> None:
        with contextlib.suppress(Oops):
            async with Output(pipe.environment) as output:
                threads.append(output._thread)
                await stuck(output)
                raise Oops

    run(main)
    pipe.close_reader()
    threads[0].join(SECONDS)
    assert not threads[0].is_alive()
