"""The command ``report``: what happened, how fast, and whether that is good enough."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tavus_cli.cli.app import GATES, app, examples
from tavus_cli.cli.gathered import gathered, option
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

if TYPE_CHECKING:
    from tavus_cli.report.gates import Gate

    Gates = list[Gate]
else:
    Gates = Any  # the type of the parameter ``gates``, named without importing it

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


def _names(name: str) -> str:
    return "--" + name.replace("_", "-")


_OPTIONS = (
    option(
        "gate",
        Annotated[
            list[str] | None,
            typer.Option(
                "--gate",
                metavar="GATE",
                help="A limit for a measure: reply_p95<=1.2s, gaps<=0. Can be repeated.",
                rich_help_panel=GATES,
            ),
        ],
    ),
    *(
        option(
            name,
            Annotated[
                float | None,
                duration_option(f"Fail unless {measure} is at most this.", _names(name), panel=GATES),
            ],
        )
        for name, measure in _MOST.items()
    ),
    option(
        "min_barge_in_success",
        Annotated[
            str | None,
            typer.Option(
                metavar="SHARE",
                help="Fail unless barge_in_success is at least this: 0.9 or 90%.",
                rich_help_panel=GATES,
            ),
        ],
    ),
    *(
        option(
            name,
            Annotated[
                bool,
                typer.Option(_names(name), help=f"Fail unless {measure} is 0.", rich_help_panel=GATES),
            ],
            False,
        )
        for name, measure in _NONE.items()
    ),
)


def _gates(values: dict[str, Any]) -> Gates:
    """Raises UsageError."""
    from tavus_cli.report.gates import parse_gate

    wanted = [*(values["gate"] or [])]
    wanted += [f"{what}<={values[name]}s" for name, what in _MOST.items() if values[name] is not None]
    wanted += [f"{what}<=0" for name, what in _NONE.items() if values[name]]
    if (share := values["min_barge_in_success"]) is not None:
        wanted.append(f"barge_in_success>={share}")
    return [parse_gate(one) for one in wanted]


@app.command(
    **examples(
        "report talk.jsonl",
        "report talk.jsonl --html talk.html",
        "report talk.jsonl --transcript srt > talk.srt",
        "report runs/*.jsonl --max-reply-p95 1.5s --no-gaps",
        "report new.jsonl --baseline old.jsonl --max-worse 10%",
    )
)
@gathered("gates", _OPTIONS, _gates)
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
    otlp: Otlp = None,
    otlp_content: OtlpContent = False,
    hold: Hold = SETTING,
    color: Color = SETTING,
    theme: Theme = SETTING,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object, and errors as JSON too.")
    ] = False,
    *,
    gates: Gates,
) -> int:
    """Show what happened in a recording, and how fast it was.

    Gates set limits: the exit status is 3 if one does not pass. For the measures, see:
    tavus-console help report.
    """
    from tavus_cli.commands.report import Report
    from tavus_cli.commands.report import report as run_report
    from tavus_cli.session.loop import run

    environment = environment_of(ctx, color, theme)
    if json + markdown + (transcript is not None) > 1:
        raise UsageError("give one of --json, --markdown and --transcript")
    options = Report(
        files,
        hold,
        json,
        markdown,
        transcript,
        html,
        gates,
        baseline or [],
        _percent(max_worse, baseline),
        otlp,
        otlp_content,
    )
    return run(lambda: run_report(options, environment))


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
