"""The command ``run``: a script of console commands, with expectations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tavus_cli.cli.app import app
from tavus_cli.cli.options import (
    BaseUrl,
    Hold,
    JoinTimeout,
    Name,
    Proxy,
    ReadyTimeout,
    Record,
    duration_option,
    environment_of,
    room_of,
)
from tavus_cli.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from tavus_cli.rooms.room import Room


@app.command()
def run(
    ctx: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[TARGET] SCRIPT", help="A recording may be the TARGET; SCRIPT - is standard input."
        ),
    ],
    target: Annotated[
        list[str] | None, typer.Option("--target", metavar="TARGET", help="Run it there; may be repeated.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only look for mistakes; nothing is joined.")
    ] = False,
    keep_going: Annotated[bool, typer.Option("--keep-going", help="Run on after a failure.")] = False,
    timeout: Annotated[float, duration_option("How long an expectation without within waits.", "30s")] = 30.0,
    max_reply: Annotated[
        float | None, duration_option("Fail where a reply takes longer: 1500ms.", False, "--max-reply")
    ] = None,
    junit: Annotated[str | None, typer.Option(metavar="FILE", help="Write a report as JUnit's XML.")] = None,
    record: Record = None,
    ready_timeout: ReadyTimeout = 300.0,
    hold: Hold = 0.25,
    name: Name = "tavus-console",
    join_timeout: JoinTimeout = 45.0,
    daily_proxy: Proxy = None,
    base_url: BaseUrl = None,
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object for each target, and errors as such.")
    ] = False,
) -> int:
    """A script of console commands, with expectations.

    The language: docs/scripts.md.
    """
    from tavus_cli.commands.run import RunScript, checked, run_script
    from tavus_cli.script.runner import Limits
    from tavus_cli.session.session import run as run_session

    environment = environment_of(ctx)
    *first, path = words
    targets: list[str | None] = [*first, *(target or [])]
    if len(first) > 1:
        raise UsageError("give [TARGET] SCRIPT; more targets with --target")
    if record is not None and len(targets) > 1:
        raise UsageError("--record goes with one target")
    text = environment.stdin.read() if path == "-" else _read(path)
    limits = Limits(timeout, keep_going, max_reply)
    what = RunScript(path, text, limits, hold, ready_timeout, record, junit, json)
    script = checked(what, environment)
    if script is None:
        return ExitStatus.USAGE
    if check:
        return ExitStatus.DONE
    given = targets or [environment.environ.get("TAVUS_CONVERSATION")]

    def opened(one: str | None) -> Room:
        return room_of(one, name, join_timeout, daily_proxy, environment=environment, base_url=base_url)

    return run_session(lambda: run_script(given, opened, what, script, environment))


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8-sig") as file:
            return file.read()
    except UnicodeDecodeError:
        raise UsageError(f"{path}: no script, it is not text in UTF-8") from None
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None
