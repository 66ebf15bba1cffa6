"""The command ``report``: what happened, how fast, and whether that is good enough."""

from typing import Annotated, Any, Literal

import typer

from tavus_cli.cli.app import GATES, app, examples
from tavus_cli.cli.options import (
    SETTING,
    Color,
    Hold,
    Otlp,
    OtlpContent,
    Theme,
    duration_option,
    environment_of,
)
from tavus_cli.errors import UsageError

# Options that are gates: what they limit. All others: --gate.
_MOST = {
    "max_reply": "reply_max",
    "max_reply_p50": "reply_p50",
    "max_reply_p95": "reply_p95",
    "max_first_event": "reply_first_event_max",
    "max_tool": "tool_max",
    "max_tool_to_speech": "tool_to_speech_max",
    "max_barge_in_stop": "barge_in_stop_max",
    "max_talk_over": "talk_over_max",
    "max_dead_air": "dead_air_max",
    "max_outage": "outage_max",
}
_NONE = {
    "no_gaps": "gaps",
    "no_late": "late",
    "no_duplicates": "duplicates",
    "no_outages": "outages",
    "no_unreplied": "unreplied",
    "no_unanswered_calls": "unanswered_calls",
    "no_failed_barge_ins": "barge_ins_failed",
    "no_unknown_types": "unknown_types",
    "no_unknown_fields": "unknown_fields",
}


def _most(name: str) -> Any:
    option = "--" + name.replace("_", "-")
    return Annotated[
        float | None, duration_option(f"Fail unless {_MOST[name]} is at most this.", option, panel=GATES)
    ]


def _none(name: str) -> Any:
    option = "--" + name.replace("_", "-")
    return Annotated[
        bool, typer.Option(option, help=f"Fail unless {_NONE[name]} is 0.", rich_help_panel=GATES)
    ]


Gates = Annotated[
    list[str] | None,
    typer.Option(
        "--gate",
        metavar="GATE",
        help="A limit for a measure: reply_p95<=1.2s, gaps<=0. Can be repeated.",
        rich_help_panel=GATES,
    ),
]


@app.command(
    **examples(
        "report talk.jsonl",
        "report talk.jsonl --html talk.html",
        "report talk.jsonl --transcript srt > talk.srt",
        "report runs/*.jsonl --max-reply-p95 1.5s --no-gaps",
        "report new.jsonl --baseline old.jsonl --max-worse 10%",
    )
)
def report(
    ctx: typer.Context,
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE…", help="Recordings, also .gz and .zst; - reads standard input."),
    ],
    html: Annotated[
        str | None, typer.Option(metavar="OUT", help="Write one self-contained HTML file.")
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    transcript: Annotated[
        Literal["srt", "vtt", "md", "txt"] | None,
        typer.Option(metavar="srt|vtt|md|txt", help="Print only what was said."),
    ] = None,
    baseline: Annotated[
        list[str] | None,
        typer.Option(metavar="OLD", help="Compare with this recording. Can be repeated."),
    ] = None,
    max_worse: Annotated[
        str | None,
        typer.Option(
            metavar="PERCENT",
            help="Fail if a measure is worse than the baseline by more than this: 10%.",
            rich_help_panel=GATES,
        ),
    ] = None,
    gate: Gates = None,
    max_reply: _most("max_reply") = None,  # type: ignore[valid-type]
    max_reply_p50: _most("max_reply_p50") = None,  # type: ignore[valid-type]
    max_reply_p95: _most("max_reply_p95") = None,  # type: ignore[valid-type]
    max_first_event: _most("max_first_event") = None,  # type: ignore[valid-type]
    max_tool: _most("max_tool") = None,  # type: ignore[valid-type]
    max_tool_to_speech: _most("max_tool_to_speech") = None,  # type: ignore[valid-type]
    max_barge_in_stop: _most("max_barge_in_stop") = None,  # type: ignore[valid-type]
    max_talk_over: _most("max_talk_over") = None,  # type: ignore[valid-type]
    max_dead_air: _most("max_dead_air") = None,  # type: ignore[valid-type]
    max_outage: _most("max_outage") = None,  # type: ignore[valid-type]
    min_barge_in_success: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE",
            help="Fail unless barge_in_success is at least this: 0.9 or 90%.",
            rich_help_panel=GATES,
        ),
    ] = None,
    no_gaps: _none("no_gaps") = False,  # type: ignore[valid-type]
    no_late: _none("no_late") = False,  # type: ignore[valid-type]
    no_duplicates: _none("no_duplicates") = False,  # type: ignore[valid-type]
    no_outages: _none("no_outages") = False,  # type: ignore[valid-type]
    no_unreplied: _none("no_unreplied") = False,  # type: ignore[valid-type]
    no_unanswered_calls: _none("no_unanswered_calls") = False,  # type: ignore[valid-type]
    no_failed_barge_ins: _none("no_failed_barge_ins") = False,  # type: ignore[valid-type]
    no_unknown_types: _none("no_unknown_types") = False,  # type: ignore[valid-type]
    no_unknown_fields: _none("no_unknown_fields") = False,  # type: ignore[valid-type]
    otlp: Otlp = None,
    otlp_content: OtlpContent = False,
    hold: Hold = SETTING,
    color: Color = "auto",
    theme: Theme = "auto",
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object, and errors as JSON too.")
    ] = False,
) -> int:
    """Show what happened in a recording, and how fast it was.

    Gates set limits: the exit status is 3 if one does not pass. For the measures, see:
    tavus-console help report.
    """
    from tavus_cli.commands.report import Report
    from tavus_cli.commands.report import report as run_report
    from tavus_cli.report.gates import parse_gate
    from tavus_cli.session.loop import run

    environment = environment_of(ctx, color, theme)
    if json + markdown + (transcript is not None) > 1:
        raise UsageError("give one of --json, --markdown and --transcript")
    given = ctx.params
    wanted = [*(gate or [])]
    wanted += [f"{what}<={given[name]}s" for name, what in _MOST.items() if given[name] is not None]
    wanted += [f"{what}<=0" for name, what in _NONE.items() if given[name]]
    if min_barge_in_success is not None:
        wanted.append(f"barge_in_success>={min_barge_in_success}")
    what = Report(
        files,
        hold,
        json,
        markdown,
        transcript,
        html,
        [parse_gate(one) for one in wanted],
        baseline or [],
        _percent(max_worse, baseline),
        otlp,
        otlp_content,
    )
    return run(lambda: run_report(what, environment))


def _percent(text: str | None, baseline: list[str] | None) -> float | None:
    if text is None:
        return None
    if not baseline:
        raise UsageError("--max-worse needs --baseline")
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        number = -1.0
    if not 0 <= number < 1e6:
        raise UsageError(f'--max-worse must be a percentage such as 10%, not "{text}"')
    return number / 100
