"""The command ``run``: a script of console commands, with expectations."""

from typing import Annotated, Any

import typer

from tavus_cli.cli.app import CREATING, SUITES, app, examples
from tavus_cli.cli.fields import Body, Fields, new_fields, with_fields
from tavus_cli.cli.options import (
    SETTING,
    BaseUrl,
    Color,
    Hold,
    JoinTimeout,
    Name,
    Otlp,
    OtlpContent,
    Proxy,
    ReadyTimeout,
    Record,
    Redact,
    Theme,
    check_redact,
    duration_option,
    environment_of,
    lasting,
)
from tavus_cli.cli.tooling import Tools, with_tools
from tavus_cli.errors import UsageError


def _share(value: Any) -> float:
    """ "0.8", "80%"."""
    from tavus_cli.suite.plan import parse_share

    return value if isinstance(value, float) else parse_share(value)


def _check_many(record: str | None, otlp: str | None) -> None:
    """Raises UsageError for what only one run may be given."""
    if record is not None:
        raise UsageError("--record goes with one run: use --keep all, or --keep failed")
    if otlp is not None and "://" not in otlp:
        raise UsageError("--otlp FILE goes with one run: give the URL of a collector")


def _suite(*names: str, **more: Any) -> Any:
    return typer.Option(*names, rich_help_panel=SUITES, **more)


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
    repeat: Annotated[int | None, _suite(min=1, metavar="N", help="Run each script N times.")] = None,
    jobs: Annotated[
        int | None, _suite("--jobs", "-j", min=1, metavar="N", help="Run at most N at once.")
    ] = None,
    run_timeout: Annotated[
        float | None, duration_option("How long a run may take.  [default: 5m]", panel=SUITES)
    ] = None,
    min_pass: Annotated[
        float | None,
        _suite(
            parser=_share,
            metavar="SHARE",
            help="The share of its runs that a script must pass on a target: 0.8, 80%.  [default: all]",
        ),
    ] = None,
    filter: Annotated[
        str | None, _suite(metavar="GLOB", help="Only the scripts whose name or path matches.")
    ] = None,
    shard: Annotated[
        str | None,
        _suite(metavar="I/N", help="Run the I-th of N parts of the suite, for example one on each machine."),
    ] = None,
    fail_fast: Annotated[bool, _suite("--fail-fast", help="End after the first run that fails.")] = False,
    results: Annotated[str | None, _suite(metavar="FILE", help="Write a line of JSON for each run.")] = None,
    baseline: Annotated[
        str | None,
        _suite(metavar="FILE", help="Compare with an earlier --results: newly failing, fixed, slower."),
    ] = None,
    keep: Annotated[
        str | None, _suite(metavar="failed|all", help="Keep the recordings of these runs in --keep-in.")
    ] = None,
    keep_in: Annotated[str, _suite(metavar="FOLDER", help="The folder for --keep.")] = "recordings",
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
    name: Name = SETTING,
    join_timeout: JoinTimeout = SETTING,
    daily_proxy: Proxy = SETTING,
    base_url: BaseUrl = None,
    color: Color = SETTING,
    theme: Theme = SETTING,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object for each run, and errors as JSON too.")
    ] = False,
    *,
    fields: Fields,
    tools: Tools,
) -> int:
    """Run scripts of console commands, and check their expectations.

    The language: tavus-console help scripts.
    """
    from tavus_cli.script.runner import Limits
    from tavus_cli.target import RoomOptions

    environment = environment_of(ctx, color, theme)
    limits = Limits(timeout, keep_going, max_reply)
    how = RoomOptions(name, join_timeout, daily_proxy, None, base_url)
    fields = new_fields(new, fields, body, None)
    many = (repeat, jobs, run_timeout, min_pass, filter, shard, results, baseline, keep, max_cost_minutes)
    if not check:
        from tavus_cli.suite.plan import is_many

        if any(one is not None for one in many) or fail_fast or new or is_many(words):
            from tavus_cli.commands.run_many import Creating, RunMany, run_many
            from tavus_cli.suite.plan import parse_shard, recordings
            from tavus_cli.suite.surroundings import How

            if max_cost_minutes is not None and not new:
                raise UsageError("--max-cost-minutes goes with --new")
            _check_many(record, otlp)
            cost = 30.0 if max_cost_minutes is None else max_cost_minutes
            kept = recordings(keep, keep_in)
            if redact and kept is None:
                raise UsageError("--redact goes with --keep")
            return run_many(
                RunMany(
                    words,
                    target or [],
                    limits,
                    How(hold, ready_timeout, redact, report is not None, otlp, otlp_content, tools, verbose),
                    repeat or 1,
                    jobs or 1,
                    1.0 if min_pass is None else min_pass,
                    300.0 if run_timeout is None else run_timeout,
                    None if shard is None else parse_shard(shard),
                    filter,
                    fail_fast,
                    Creating(fields, body, cost) if new else None,
                    kept,
                    results,
                    baseline,
                    junit,
                    report,
                    json,
                ),
                how,
                environment,
            )
    from tavus_cli.commands.run import RunScript, run_script

    check_redact(redact, record)
    *first, script = words
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
        verbose,
    )
    return run_script([*first, *(target or [])], how, options, environment)
