"""A report as one HTML file: no script, no network, only its own style sheet, enforced by its policy.

Every text is made safe and then escaped by jinja2; the only attribute with remote text is ``aria-label``.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from importlib.resources import files
from typing import Any

from tavus_cli.report.compare import Change
from tavus_cli.report.gates import GateResult
from tavus_cli.report.measures import TIMES, Measures, Spread
from tavus_cli.report.recording import Reported
from tavus_cli.report.spans import TurnSpan
from tavus_cli.report.text import slowest
from tavus_cli.report.transcript import Line
from tavus_cli.report.waterfall import waterfall
from tavus_cli.report.words import CANNOT_TELL, clock, length, seconds
from tavus_cli.views.safe import safe

MOST_TURNS = 500  # turns shown of a recording, the slowest of them: a browser must be able to show the page
MOST_BARS = 2_000
_BAR_HEIGHT = 18
_KEY = (
    ("user", "user speaks"),
    ("pal", "PAL speaks"),
    ("inside", "inside Tavus"),
    ("tool", "tool call"),
    ("barge-in", "barge-in until the PAL stops"),
)


def html(
    all: Sequence[Reported], whole: Measures, verdicts: Sequence[GateResult], changes: Sequence[Change]
) -> Iterator[str]:
    """The file, in pieces."""
    from jinja2 import Environment, StrictUndefined

    folder = files("tavus_cli.report")
    css = folder.joinpath("report.css").read_text("utf-8")
    # The policy allows only the style sheet, by its hash: no image, no font, no request, no script.
    style = b64encode(sha256(css.encode()).digest()).decode()
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    template = environment.from_string(folder.joinpath("report.html.jinja").read_text("utf-8"))
    from markupsafe import Markup

    return template.generate(
        policy=f"default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'",
        css=Markup(css),
        key=_KEY,
        verdicts=[_verdict(one) for one in verdicts],
        changes=[
            {
                "style": one.outcome.replace("cannot tell", "unsure"),
                "outcome": one.outcome,
                "name": one.name,
                "text": one.text,
            }
            for one in changes
        ],
        times=[_time(name, whole.spread(name)) for name in TIMES if whole.times[name]],
        counts=[
            {"name": name, "count": CANNOT_TELL if count is None else f"{count:,}"}
            for name, count in whole.counts.items()
        ],
        cannot_tell=_reasons(whole),
        recordings=[_recording(one) for one in all],
    )


def _verdict(one: GateResult) -> dict[str, str]:
    style = "pass" if one.passed else "fail" if one.passed is False else "unsure"
    return {"style": style, "word": one.word, "text": one.line().removeprefix(one.word)}


def _reasons(whole: Measures) -> list[tuple[str, str]]:
    by_reason: dict[str, list[str]] = {}
    for name, reason in whole.reasons.items():
        by_reason.setdefault(reason, []).append(name)
    return [(reason, ", ".join(names)) for reason, names in by_reason.items()]


def _time(name: str, one: Spread) -> dict[str, Any]:
    most = max(one.histogram)
    bars = []
    for place, count in enumerate(one.histogram):
        if count:
            height = max(1, round(_BAR_HEIGHT * count / most))
            bars.append(
                {"x": round(place * 100 / len(one.histogram), 2), "y": _BAR_HEIGHT - height, "height": height}
            )
    stats = {stat: seconds(getattr(one, stat)) for stat in ("p50", "p95", "max")}
    return {"name": name, "what": TIMES[name].strip(), "count": f"{one.count:,}", "bars": bars, **stats}


def _recording(one: Reported) -> dict[str, Any]:
    timeline = one.timeline
    shown = timeline.turns if len(timeline.turns) <= MOST_TURNS else slowest(timeline.turns, MOST_TURNS)
    lines = one.lines_of([*shown, timeline.loose])
    turns = [_turn(span, lines[span], timeline.first_at) for span in shown]
    turns = [turn for turn in turns if turn["lines"] or turn["rows"]]
    if loose := lines[timeline.loose]:
        spoken = [_line(line, timeline.first_at) for line in loose[:MOST_TURNS]]
        turns.insert(0, {"title": "outside any turn", "lines": spoken, "rows": []})
    left_out = ""
    if len(shown) < len(timeline.turns):
        left_out = (
            f"{len(timeline.turns):,} turns; the {len(shown):,} slowest are shown, the figures are of all."
        )
    counts = one.measures.counts
    number = CANNOT_TELL if counts["turns"] is None else f"{counts['turns']:,}"
    facts = f"turns: {number}, {length(one.seconds)}, events: {counts['events'] or 0:,}"
    name = " ".join(filter(None, [safe(one.name), safe(one.conversation_id)]))
    warnings = [safe(text) for text in one.warnings[:20]]
    return {
        "title": name, "facts": facts, "warnings": warnings, "left_out": left_out, "turns": turns,
        "lanes": _lanes(one),
    }  # fmt: skip


def _turn(span: TurnSpan, lines: Sequence[Line], first: float | None) -> dict[str, Any]:
    title = f"turn {span.idx}" + ("" if span.reply is None else f": reply {seconds(span.reply)}")
    rows = waterfall(span)
    start = min((row.start for row in rows), default=0.0)
    whole = max((row.end for row in rows), default=0.0) - start
    drawn = []
    for row in rows:
        x, width = _place(row.start - start, row.end - row.start, whole)
        name, took = safe(row.name), row.took
        drawn.append(
            {"kind": row.kind, "name": name, "seconds": took, "x": x, "width": width, "note": row.note}
        )
    return {"title": title, "lines": [_line(line, first) for line in lines], "rows": drawn}


def _line(line: Line, first: float | None) -> dict[str, Any]:
    rest = ""
    if line.cut and line.intended is not None:
        rest = f"(meant: {safe(line.intended)})"
    elif line.cut and not line.sure:
        rest = "(cut; where is not known)"
    return {
        "when": clock(line.at, first), "role": line.role, "who": "user" if line.role == "user" else "PAL",
        "text": safe(line.text), "cut": line.cut, "rest": rest,
    }  # fmt: skip


def _lanes(one: Reported) -> list[dict[str, Any]]:
    """Who spoke when during the conversation: the user above, the PAL below."""
    first, whole = one.timeline.first_at, one.seconds
    if first is None or not whole:
        return []
    bars = []
    for span in (*one.timeline.turns, one.timeline.loose):
        for speech in span.speeches:
            if speech.end is None:
                continue
            x, width = _place(speech.start - first, speech.end - speech.start, whole)
            title = f"{clock(speech.start, first)} {speech.role} {seconds(speech.end - speech.start)}"
            lane = 2 if speech.role == "user" else 24
            bars.append({"kind": speech.role, "x": x, "width": width, "y": lane, "title": title})
    return bars[:MOST_BARS]


def _place(start: float, long: float, whole: float) -> tuple[float, float]:
    """In percent, and wide enough to be visible."""
    if whole <= 0:
        return 0.0, 100.0
    width = max(0.4, 100 * long / whole)
    return round(min(max(0.0, 100 * start / whole), 99.6), 3), round(min(width, 100.0), 3)
