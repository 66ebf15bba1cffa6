"""``script from``: makes a script from a recording."""

from __future__ import annotations

import os
from dataclasses import dataclass

from tavus_cli import files
from tavus_cli.errors import ConsoleError, ExitStatus
from tavus_cli.rooms.recorded import RecordedRoom
from tavus_cli.script.outcomes import Run, failure_lines
from tavus_cli.script.recorded import RecordedStage
from tavus_cli.script.runner import Limits, Runner
from tavus_cli.script.statements import parse_script
from tavus_cli.script.writing import Writer
from tavus_cli.session.environment import Environment
from tavus_cli.settings.table import default
from tavus_cli.views.safe import safe


@dataclass(frozen=True, slots=True)
class FromRecording:
    """``output`` is a file, None or "-" for standard output. ``hold`` in seconds."""

    file: str
    output: str | None = None
    words: bool = False
    hold: float = default("hold")


async def script_from(what: FromRecording, environment: Environment) -> int:
    """Print the script. If it does not pass on the recording, warns and returns NOT_MET.

    Raises UsageError if the file cannot be read, does not contain what was sent, or is too long.
    """
    stage = RecordedStage(RecordedRoom(what.file, stdin=environment.stdin), what.hold)
    await stage.load()
    lines = [
        f"# What {safe(os.path.basename(what.file))} holds, as a script. Run it again:",
        "#   tavus-console run TARGET SCRIPT",
        "",
    ]
    lines += await Writer(stage, words=what.words).lines()
    text = "".join(f"{line}\n" for line in lines)
    if what.output in (None, "-"):
        environment.stdout.write(text)
        environment.stdout.flush()
    else:
        files.write(what.output, [text])
    return await _checked(text, stage, environment)


async def _checked(text: str, stage: RecordedStage, environment: Environment) -> int:
    run = Run("the script", "")
    script = parse_script(text)
    if script.mistakes:
        one = script.mistakes[0]
        raise ConsoleError(f"the script cannot be read: line {one.line}: {one.message}; please report this")
    await Runner(stage, Limits(0.0), run, lambda text: None).run(script)
    for outcome in run.failed:
        environment.warn("warning: the script does not pass on the recording:")
        for line in failure_lines("line", outcome):
            environment.complain(line)
    return ExitStatus.NOT_MET if run.failed else ExitStatus.DONE
