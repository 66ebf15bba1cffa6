"""The command ``run``: a script of console commands, with expectations."""

from typing import Annotated

import typer

from tavus_cli.cli.app import app, examples
from tavus_cli.cli.options import (
    SETTING,
    BaseUrl,
    Hold,
    JoinTimeout,
    Name,
    Otlp,
    OtlpContent,
    Proxy,
    ReadyTimeout,
    Record,
    Redact,
    check_redact,
    duration_option,
    environment_of,
    lasting,
)
from tavus_cli.cli.tooling import Tools, with_tools
from tavus_cli.errors import UsageError


@app.command(
    **examples(
        "run sim hours.txt",
        "run --target sim --target sim:?reorder=0.2 hours.txt --junit report.xml",
        "run talk.jsonl hours.txt",
        "run --check hours.txt",
    )
)
@with_tools
def run(
    ctx: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[TARGET] SCRIPT",
            help="A script, or - for standard input. TARGET: as for join, or a recording.",
        ),
    ],
    target: Annotated[
        list[str] | None,
        typer.Option("--target", metavar="TARGET", help="Run it there too. Can be repeated."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Check the script for mistakes; join nothing.")
    ] = False,
    keep_going: Annotated[bool, typer.Option("--keep-going", help="Continue after a failure.")] = False,
    timeout: Annotated[float, duration_option("How long an expectation without within waits.")] = lasting(
        "30s"
    ),
    max_reply: Annotated[
        float | None, duration_option("Fail if a reply takes longer: 1500ms.", "--max-reply")
    ] = None,
    report: Annotated[
        str | None, typer.Option(metavar="OUT.html", help="Write an HTML report of what happened.")
    ] = None,
    redact: Redact = False,
    otlp: Otlp = None,
    otlp_content: OtlpContent = False,
    junit: Annotated[str | None, typer.Option(metavar="FILE", help="Write a report as JUnit XML.")] = None,
    record: Record = None,
    ready_timeout: ReadyTimeout = SETTING,
    hold: Hold = SETTING,
    name: Name = SETTING,
    join_timeout: JoinTimeout = SETTING,
    daily_proxy: Proxy = SETTING,
    base_url: BaseUrl = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object for each target, and errors as such.")
    ] = False,
    *,
    tools: Tools,
) -> int:
    """Run a script of console commands, and check its expectations.

    The language: tavus-console help scripts.
    """
    from tavus_cli.commands.run import RunScript, run_script
    from tavus_cli.script.runner import Limits
    from tavus_cli.target import RoomOptions

    environment = environment_of(ctx)
    *first, script = words
    if len(first) > 1 and not check:
        raise UsageError("give [TARGET] SCRIPT; more targets with --target")
    limits = Limits(timeout, keep_going, max_reply)
    how = RoomOptions(name, join_timeout, daily_proxy, None, base_url)
    check_redact(redact, record)
    options = RunScript(
        script,
        limits,
        hold,
        ready_timeout,
        record,
        junit,
        json,
        check,
        tools,
        report,
        redact,
        otlp,
        otlp_content,
    )
    return run_script([*first, *(target or [])], how, options, environment)
