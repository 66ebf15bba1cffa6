"""Programs: their input and output; every failure is one line, and afterwards they are gone."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
import time
from pathlib import Path

import pytest

from tavus_cli.tools import process
from tavus_cli.tools.process import MAX_OUTPUT, running
from tavus_cli.tools.replies import Result
from tests.kits.room_kit import until


def run(*command: str, given: bytes = b"{}\n", timeout: float = 10.0, folder: str | None = None) -> Result:
    async def main() -> Result:
        async with running(command, given, timeout, lambda: None, os.environ, folder) as result:
            pass
        assert process._groups == set()
        return result

    return asyncio.run(main())


def python(program: str) -> tuple[str, ...]:
    return (sys.executable, "-S", "-c", program)


def alive(pid: int) -> bool:
    """Whether it is running; a zombie does not count."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_it_reads_standard_input_and_its_output_is_the_result() -> None:
    assert run("cat", given=b'{"day":"mon"}\n') == Result({"day": "mon"})
    assert run("echo", "nine to five") == Result("nine to five")


def test_a_command_runs_without_a_shell(tmp_path: Path) -> None:
    words = "$HOME; touch x `id` | cat > y"
    assert run("echo", words, folder=str(tmp_path)) == Result(words)
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_where_it_runs(tmp_path: Path) -> None:
    (tmp_path / "here.sh").write_text("#!/bin/sh\npwd -P\n")
    (tmp_path / "here.sh").chmod(0o755)
    assert run("./here.sh", folder=str(tmp_path)) == Result(os.path.realpath(tmp_path))


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("false",), "exit status 1"),
        (("sh", "-c", "echo 1; echo oh no >&2; exit 3"), "exit status 3: oh no"),
        (("sh", "-c", "kill -9 $$"), "ended by SIGKILL"),
        (("no-such-program",), "not started: no-such-program was not found"),
        (
            ("./no-such", "x"),
            "not started: ./no-such, or the program that its first line names, was not found",
        ),
        ((__file__,), f"not started: {__file__} is not executable (chmod +x)"),
        (("printf", r"\377"), "standard output is not UTF-8 text"),
        (("true", "x" * 3_000_000), "not started: true: Argument list too long"),
    ],
)
def test_what_goes_wrong_is_one_line(command: tuple[str, ...], told: str) -> None:
    assert run(*command) == Result(error=told)


def test_a_file_that_is_not_a_program_and_a_folder_that_is_not_there(tmp_path: Path) -> None:
    file = tmp_path / "text"
    file.write_text("words\n")
    file.chmod(0o755)
    assert run(str(file)) == Result(error=f"not started: {file}: Exec format error")
    gone = str(tmp_path / "gone")
    assert run("true", folder=gone) == Result(error=f"not started: there is no folder {gone}")


def test_only_the_end_of_a_long_error_is_kept() -> None:
    told = run(*python("import sys; sys.stderr.write('x' * 100_000 + 'the end'); sys.exit(1)")).error
    assert told is not None
    assert told.endswith("the end")
    assert len(told) < 2_100


def test_a_flood_ends_it(capfd: pytest.CaptureFixture[str]) -> None:
    told = f"more than {MAX_OUTPUT:,} bytes of output"
    assert run("sh", "-c", "cat /dev/zero") == Result(error=told)
    assert capfd.readouterr() == ("", "")


def test_of_a_flood_of_errors_only_the_end_is_kept() -> None:
    program = "import os\nfor _ in range(1600): os.write(2, b'x' * 65536)\nprint('done')"
    assert run(*python(program), timeout=60) == Result("done")


def test_the_event_loop_runs_while_a_hundred_megabytes_arrive() -> None:
    """Other tasks run many times; ``bench tools`` measures how fast."""

    async def main() -> int:
        turns = 0
        program = python("import os\nfor _ in range(1600): os.write(2, b'x' * 65536)")
        started = asyncio.Event()
        async with asyncio.TaskGroup() as group:

            async def flood() -> None:
                async with running(program, b"", 60, started.set, os.environ):
                    pass

            task = group.create_task(flood())
            await started.wait()
            while not task.done():
                turns += 1
                await asyncio.sleep(0)
        return turns

    assert asyncio.run(main()) > 100


def test_what_does_not_read_its_input_is_fine() -> None:
    assert run("echo", "ok", given=b"x" * 1_000_000) == Result("ok")


def test_a_hanging_one_is_answered_in_time_and_stopped(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    program = f"sh -c {shlex.quote(f'sleep 600 & echo $! $$ > {pids}; echo so far >&2; wait')}"

    async def main() -> None:
        async with running(shlex.split(program), b"", 1.0, lambda: None, os.environ) as result:
            assert result == Result(error="no result within 1 s: so far")
            assert all(map(alive, map(int, pids.read_text().split())))  # the answer does not wait for it
        await until(lambda: not any(map(alive, map(int, pids.read_text().split()))))

    asyncio.run(main())


def test_one_that_ignores_term_is_killed(tmp_path: Path) -> None:
    ready, pid = tmp_path / "ready", tmp_path / "pid"
    os.mkfifo(ready)
    program = f"trap '' TERM; echo $$ > {pid}; echo > {ready}; while :; do sleep 600; done"

    async def main() -> None:
        started = asyncio.Event()

        async def tool() -> None:
            async with running(("sh", "-c", program), b"", 600, started.set, os.environ):
                pass

        task = asyncio.create_task(tool())
        await started.wait()
        await asyncio.to_thread(ready.read_bytes)
        begun = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.monotonic() - begun >= process.KILL_SECONDS  # it had that long
        assert not alive(int(pid.read_text()))
        assert process._groups == set()

    asyncio.run(main())


def test_processes_that_it_started_end_with_it(tmp_path: Path) -> None:
    """Even if such a process holds its standard output open."""
    pid = tmp_path / "pid"
    assert run("sh", "-c", f"sleep 600 & echo $! > {pid}; echo done") == Result("done")
    assert not alive(int(pid.read_text()))


def test_no_descriptor_is_left_open() -> None:
    def count() -> int:
        return len(os.listdir("/dev/fd"))

    async def main() -> tuple[int, int]:
        counts = []
        for _ in range(2):
            for command in (("true",), ("no-such-program",), ("sh", "-c", "sleep 600 & true")):
                async with running(command, b"", 10, lambda: None, os.environ):
                    pass
            counts.append(count())
        return counts[0], counts[1]

    before, after = asyncio.run(main())
    assert before == after
