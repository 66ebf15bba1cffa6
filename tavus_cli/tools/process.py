"""A tool that is a program: started without a shell, JSON in, bounded output, gone afterwards.

Each leads a process group of its own, so that programs it starts end with it. The group gets TERM, and KILL
after ``KILL_SECONDS``.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, cast

from tavus_cli.tools.replies import Result, read_output

MAX_OUTPUT = 1 << 16  # bytes of standard output; Tavus takes 4,096, and reading JSON of 1 MiB stops the loop
TAIL = 2_000  # bytes of standard error that an error result ends with
KILL_SECONDS = 2.0
PORTION_SECONDS = 0.002  # between two reads of a flood of standard error
LEFTOVER_SECONDS = 0.2  # seconds after its end to read its pipes: other processes may keep them open
_LOOK_SECONDS = 0.02
_groups: set[int] = set()  # of programs that run


def kill_all() -> None:
    """Kill all programs, for an end that waits for nothing: a second Ctrl-C."""
    for group in list(_groups):
        _signal(group, signal.SIGKILL)


@contextlib.asynccontextmanager
async def running(
    command: Sequence[str],
    given: bytes,
    timeout: float,
    started: Callable[[], None],
    environ: Mapping[str, str],
    folder: str | None = None,
) -> AsyncIterator[Result]:
    """``async with`` the result of a program that gets ``given`` on its input; its group is gone afterwards.

    Failures become error results of one line. ``timeout`` in seconds from its start.
    """
    try:
        transport, protocol = await _start(command, environ, folder)
    except (OSError, ValueError) as error:
        yield Result(error=_not_started(command[0], error, folder))
        return
    group = transport.get_pid()
    try:
        started()
        yield await _result(transport, protocol, given, timeout)
    finally:
        await _finish(transport, protocol, group)


async def _start(
    command: Sequence[str], environ: Mapping[str, str], folder: str | None
) -> tuple[asyncio.SubprocessTransport, _Program]:
    """Start it without being cancelled halfway: a started group must be ended."""
    starting = asyncio.ensure_future(
        asyncio.get_running_loop().subprocess_exec(
            # Not a session of its own: on a busy Linux machine that starts late.
            _Program,
            *command,
            cwd=folder,
            env=environ,
            process_group=0,
        )
    )
    try:
        await asyncio.wait({starting})
    except asyncio.CancelledError:
        await asyncio.wait({starting})
        if starting.exception() is None:
            transport, program = starting.result()
            await _finish(transport, program, transport.get_pid())
        raise
    _groups.add(starting.result()[0].get_pid())
    return starting.result()


class _Program(asyncio.SubprocessProtocol):
    """Reads everything that it writes, so that it never blocks, and keeps what is needed."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.out = bytearray()
        self.tail = bytearray()
        self.exited: asyncio.Future[None] = loop.create_future()
        self.flooded: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()  # both of its pipes
        self._complained = 0  # bytes of standard error
        self._open = {1, 2}
        self._transport: asyncio.SubprocessTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.SubprocessTransport, transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == 2:
            self.tail += data[-TAIL:]
            del self.tail[:-TAIL]
            self._complained += len(data)
            if self._complained > MAX_OUTPUT and not self.exited.done():
                self._slow_down()
        elif len(self.out) + len(data) <= MAX_OUTPUT:
            self.out += data
        else:
            self._pipe(1).pause_reading()
            _done(self.flooded)

    def _slow_down(self) -> None:
        """Read a flood in portions, so that the program waits for us instead of using a whole core."""
        pipe = self._pipe(2)
        pipe.pause_reading()
        asyncio.get_running_loop().call_later(PORTION_SECONDS, pipe.resume_reading)

    def _pipe(self, fd: int) -> asyncio.ReadTransport:
        assert self._transport is not None
        return cast(asyncio.ReadTransport, self._transport.get_pipe_transport(fd))

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self._open.discard(fd)
        if not self._open:
            _done(self.closed)

    def process_exited(self) -> None:
        _done(self.exited)


async def _result(
    transport: asyncio.SubprocessTransport, program: _Program, given: bytes, timeout: float
) -> Result:
    stdin = cast(asyncio.WriteTransport, transport.get_pipe_transport(0))
    stdin.write(given)
    stdin.close()  # close once it is written; a program need not read it
    await _first(program.exited, program.flooded, timeout=timeout)
    if program.exited.done():
        await _first(program.closed, program.flooded, timeout=LEFTOVER_SECONDS)
    if program.flooded.done():
        return Result(error=f"more than {MAX_OUTPUT:,} bytes of output")
    if not program.exited.done():
        return Result(error=_with_tail(f"no result within {timeout:g} s", program.tail))
    status = transport.get_returncode() or 0
    if status:
        what = f"exit status {status}" if status > 0 else f"ended by {_signal_name(-status)}"
        return Result(error=_with_tail(what, program.tail))
    return read_output(bytes(program.out), "standard output")


async def _finish(transport: asyncio.SubprocessTransport, program: _Program, group: int) -> None:
    """End the group, in bounded time. A cancellation is raised only afterwards."""
    ending = asyncio.ensure_future(_end(program, group))
    try:
        while not ending.done():
            try:
                await asyncio.shield(ending)
            except asyncio.CancelledError:
                if ending.done():
                    raise
                _signal(group, signal.SIGKILL)
                await asyncio.wait({ending})
                raise
    finally:
        transport.close()
        _groups.discard(group)


async def _end(program: _Program, group: int) -> None:
    if _signal(group, signal.SIGTERM):
        _signal(group, signal.SIGCONT)  # a stopped process could not end
        deadline = asyncio.get_running_loop().time() + KILL_SECONDS
        while _signal(group, 0) and asyncio.get_running_loop().time() < deadline:
            await asyncio.wait({program.exited}, timeout=_LOOK_SECONDS)
            if program.exited.done():  # other processes of its group may not
                await asyncio.sleep(_LOOK_SECONDS)
        _signal(group, signal.SIGKILL)
    await asyncio.wait({program.exited}, timeout=KILL_SECONDS)


def _signal(group: int, number: int) -> bool:
    """Whether any process is left in the group."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


async def _first(*futures: asyncio.Future[None], timeout: float) -> None:
    await asyncio.wait(futures, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)


def _done(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _not_started(program: str, error: Exception, folder: str | None) -> str:
    if isinstance(error, FileNotFoundError):
        if folder is not None and not os.path.isdir(folder):
            return f"not started: there is no folder {folder}"
        named = ", or the program that its first line names," if "/" in program else ""
        return f"not started: {program}{named} was not found"
    if isinstance(error, PermissionError):
        return f"not started: {program} is not executable (chmod +x)"
    reason: Any = getattr(error, "strerror", None) or error
    return f"not started: {program}: {reason}"


def _with_tail(what: str, tail: bytearray) -> str:
    text = bytes(tail).decode("utf-8", "replace").strip()
    return f"{what}: {text}" if text else what


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
