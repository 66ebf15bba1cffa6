"""``join``, ``tail``, ``send`` and ``doctor`` as separate processes in parallel, each with a time limit."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from tests.kits.fake_daily import Scenario, environment
from tests.kits.program import CONSOLE, Result, environ

URL = "https://x.daily.co/c0ffee"
LIMIT = 60.0  # seconds; two cores, four processes side by side
COMMANDS = {
    "join": ["join", "URL", "--reply-timeout", "30s"],
    "tail": ["tail", "URL"],
    "send": ["send", "URL", "respond", "hi"],
    "doctor": ["doctor", "--room", "URL", "--send", "hi"],
}
LAST_GUEST = (
    "tavus-console: warning: leaving as the last guest may end the conversation (see session start)\n"
)


@dataclass
class Run:
    """One process: ``typed`` goes to its standard input, which then ends, unless ``open``.

    ``report``: its standard error may have more than one line, as after a failed script.
    """

    arguments: list[str]
    variables: dict[str, str]
    typed: str = "hi\n"
    open: bool = False
    report: bool = False
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> asyncio.subprocess.Process:
        self.process = await asyncio.create_subprocess_exec(
            CONSOLE, *self.arguments, env=environ(**self.variables), stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert self.process.stdin is not None
        self.process.stdin.write(self.typed.encode())
        if not self.open:
            self.process.stdin.close()
        return self.process

    async def end(self) -> Result:
        process = self.process or await self.start()
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            async with asyncio.timeout(LIMIT):
                out, err = await asyncio.gather(process.stdout.read(), process.stderr.read())
                status = await process.wait()
        except TimeoutError:
            process.kill()
            raise AssertionError(f"{self.arguments} hangs") from None
        finally:
            assert process.stdin is not None
            process.stdin.close()
        result = Result(status, out.decode(), err.decode())
        clean(result, report=self.report)
        return result


def clean(result: Result, *, report: bool = False) -> None:
    """No foreign output is shown, and at most one line is on standard error."""
    for text in (result.out, result.err):
        for stray in ("Traceback", "never awaited", '"level"', "daily_core", "Exception ignored"):
            assert stray not in text, result
    if report:
        return
    lines = [line for line in result.err.splitlines() if not line.startswith("tavus-console: warning: ")]
    assert len(lines) <= 1, result
    assert all(line.startswith("tavus-console: ") for line in lines), result


def arguments(command: str, url: str, *options: str) -> list[str]:
    return [url if one == "URL" else one for one in COMMANDS[command]] + list(options)


def faked(scenario: Scenario) -> dict[str, str]:
    """Environment variables that give a child the fake in place of Daily's client."""
    variables = environment(scenario)
    return {name: variables[name] for name in ("PYTHONPATH", "FAKE_DAILY")}
