"""The command ``run``: a script of console commands, with expectations."""

import math
from typing import TYPE_CHECKING, Annotated

import typer

from tavus_cli.cli.app import CREATING, app, examples
from tavus_cli.cli.fields import Body, Fields, new_fields, with_fields
from tavus_cli.cli.joining import How, with_room
from tavus_cli.cli.options import (
    SETTING,
    Color,
    Hold,
    Otlp,
    OtlpContent,
    ReadyTimeout,
    Record,
    Redact,
    Theme,
    check_redact,
    duration_option,
    environment_of,
    lasting,
)
from tavus_cli.cli.suite import Suite, with_suite
from tavus_cli.cli.tooling import Tools, with_tools
from tavus_cli.errors import UsageError

if TYPE_CHECKING:
    from tavus_cli.suite.plan import SuiteOptions


def _check_many(
    suite: "SuiteOptions",
    new: bool,
    max_cost_minutes: float | None,
    record: str | None,
    redact: bool,
    otlp: str | None,
) -> None:
    """Raises UsageError for options that do not go together, or with several runs."""
    if max_cost_minutes is not None and not math.isfinite(max_cost_minutes):
        raise UsageError("--max-cost-minutes must be a number of minutes")
    if max_cost_minutes is not None and not new:
        raise UsageError("--max-cost-minutes goes with --new")
    if record is not None:
        raise UsageError("--record goes with one run: use --keep all, or --keep failed")
    if otlp is not None and "://" not in otlp:
        raise UsageError("--otlp FILE goes with one run: give the URL of a collector")
    if redact and suite.recordings is None:
        raise UsageError("--redact goes with --keep")


@app.command(
    **examples(
        "run sim hours.txt",
        "run --target sim --target sim:?reorder=0.2 hours.txt --junit report.xml",
        "run talk.jsonl hours.txt",
        "run sim tests/ --repeat 5 --jobs 4 --min-pass 0.8 --results now.jsonl --baseline before.jsonl",
        "run tests/ --new --pal p5d11710002a --jobs 4 --keep failed",
        "run --check hours.txt",
    )
)
@with_fields("persona_id", "replica_id", "chat", "require_auth")
@with_tools
@with_suite
@with_room(without=("no_reconnect", "reconnect_timeout", "conversation_id"))
def run(
    ctx: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[TARGET] SCRIPT…",
            help="Scripts, folders of them, or - for standard input. TARGET: as for join, or a recording.",
        ),
    ],
    target: Annotated[
        list[str] | None,
        typer.Option("--target", metavar="TARGET", help="Run on this target too. Can be repeated."),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only check the scripts for mistakes.")] = False,
    keep_going: Annotated[bool, typer.Option("--keep-going", help="Continue after a failure.")] = False,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="Show the conversation on standard error as it happens."),
    ] = False,
    timeout: Annotated[
        float, duration_option("How long an expectation waits if it has no within.")
    ] = lasting("30s"),
    max_reply: Annotated[
        float | None, duration_option("Fail if a reply takes longer: 1500ms.", "--max-reply")
    ] = None,
    new: Annotated[
        bool,
        typer.Option(
            "--new",
            help="Create a conversation for each run (see --pal, --face, --body), and end it after the run.",
            rich_help_panel=CREATING,
        ),
    ] = False,
    max_cost_minutes: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="N",
            help="With --new: create no more once N minutes are billed, or may be.  [default: 30]",
            rich_help_panel=CREATING,
        ),
    ] = None,
    body: Body = None,
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
    color: Color = SETTING,
    theme: Theme = SETTING,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object for each run, and errors as JSON too.")
    ] = False,
    *,
    how: How,
    fields: Fields,
    tools: Tools,
    suite: Suite,
) -> int:
    """Run scripts and check their expectations.

    For the language, see: tavus-console help scripts.
    """
    from tavus_cli.script.runner import Limits
    from tavus_cli.suite.plan import is_many
    from tavus_cli.suite.surroundings import RunOptions

    environment = environment_of(ctx, color, theme)
    limits = Limits(timeout, keep_going, max_reply)
    fields = new_fields(new, fields, body, None)
    each = RunOptions(hold, ready_timeout, redact, report is not None, otlp, otlp_content, tools, verbose)
    if not check and (suite is not None or new or max_cost_minutes is not None or is_many(words)):
        from tavus_cli.commands.run_many import Creating, RunMany, run_many
        from tavus_cli.suite.plan import SuiteOptions

        suite = suite or SuiteOptions()
        _check_many(suite, new, max_cost_minutes, record, redact, otlp)
        cost = {} if max_cost_minutes is None else {"max_cost_minutes": max_cost_minutes}
        creating = Creating(fields, body, **cost) if new else None
        many = RunMany(words, target or [], limits, each, suite, creating, junit, report, json)
        return run_many(many, how, environment)
    from tavus_cli.commands.run import RunScript, run_script

    check_redact(redact, record)
    *first, script = words
    one = RunScript(script, limits, each, record, junit, report, json, check)
    return run_script([*first, *(target or [])], how, one, environment)
