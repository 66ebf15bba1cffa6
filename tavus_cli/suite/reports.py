"""The results of a suite as text, JUnit XML, JSON and Markdown. Pure; remote text passes ``safe``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from tavus_cli.errors import redacted, redacted_json
from tavus_cli.protocol.wire import to_json
from tavus_cli.report.markdown import escaped, table_rows
from tavus_cli.script.outcomes import attribute, legal
from tavus_cli.suite.case import Verdict
from tavus_cli.suite.result import Change, Rate, Result
from tavus_cli.views.numbers import lasted, latency
from tavus_cli.views.safe import safe, safe_json
from tavus_cli.views.table import UNCUT, WIDEST, Row, table
from tavus_cli.views.theme import Theme
from tavus_cli.views.width import padded, width

Names = Mapping[str, str]  # the name of each script, by its path
STYLES = {"ok": "latency", "FAILED": "warning"}  # of the theme


class Lines:
    """A line for each run, with aligned columns; their widths are known before the first run."""

    def __init__(self, rates: Iterable[Rate], names: Names, repeat: int, theme: Theme) -> None:
        groups = [(names[one.script], one.target) for one in rates]
        self._names = names
        self._repeat = repeat
        self._theme = theme
        self._script = max((width(safe(script)) for script, _ in groups), default=0)
        self._target = max((width(safe(target)) for _, target in groups), default=0)
        self._number = len(str(repeat))

    def line(self, result: Result) -> str:
        """ "ok      barge_in  sim  2/5   12.3 s  reply 0.93 s"."""
        case, played = result.case, result.played
        mark = "ok" if result.ok else "FAILED" if result.run else "not run"
        parts = [
            self._theme.paint(STYLES.get(mark, "quiet"), f"{mark:<7}"),
            padded(safe(self._names[case.script]), self._script),
            padded(safe(case.shown), self._target),
        ]
        if self._repeat > 1:
            parts.append(f"{case.repeat:>{self._number}}/{self._repeat}")
        parts.append(f"{lasted(played.seconds):>7}")
        if not result.ok:
            verdict = f"{played.verdict}: " if result.run else ""
            parts.append(safe(redacted(f"{verdict}{' '.join(played.detail.split())}")))
        elif played.replies:
            parts.append(f"reply {latency(Rate('', '', replies=list(played.replies)).p50)}")
        return "  ".join(parts).rstrip()


def rate_rows(rates: Iterable[Rate], names: Names) -> list[Row]:
    """For ``table``: the style of a row, and its cells."""
    rows: list[Row] = []
    for one in rates:
        why = f"({one.why})" if one.kinds else ""
        mark = "" if one.mark == "not run" else one.mark  # which is said behind
        cells = [names[one.script], one.target, f"{one.passed}/{one.planned}", mark]
        style = STYLES["FAILED"] if mark == "FAILED" else ""
        rows.append((style, [*cells, latency(one.p50), latency(one.p95), why]))
    return rows


HEADS = ("script", "target", "passed", "", "reply p50", "p95", "")


def summary(
    rates: Sequence[Rate], names: Names, changes: Iterable[Change], seconds: float, theme: Theme, columns: int
) -> list[str]:
    """The table of rates, the changes against the baseline, and one line about the whole suite.

    Without a limit of ``columns`` (``UNCUT``) no name is cut.
    """
    widest = UNCUT if columns >= UNCUT else WIDEST
    lines = table(HEADS, rate_rows(rates, names), theme, columns, widest=widest)
    for change in changes:
        style = "" if change.what == "fixed" else "warning"
        text = f"{change.what}: {names.get(change.script, change.script)}  {change.target}  {change.text}"
        lines.append(theme.paint(style, safe(text)))
    return [*lines, whole(rates, seconds)]


def whole(rates: Iterable[Rate], seconds: float) -> str:
    """ "14 of 15 runs passed in 12.3 s"."""
    rates = list(rates)
    planned, passed = sum(one.planned for one in rates), sum(one.passed for one in rates)
    not_run = sum(one.kinds[Verdict.NOT_RUN] for one in rates)
    tail = f"; {not_run} not run" if not_run else ""
    return f"{passed} of {planned} runs passed in {lasted(seconds)}{tail}"


def row(result: Result) -> str:
    """A line of ``--results``."""
    return safe_json(to_json(redacted_json(result.as_json())))


def result_json(result: Result) -> str:
    """A line of ``--json``: what ``--results`` has, and every line that was run."""
    return safe_json(to_json(redacted_json({**result.played.facts, **result.as_json()})))


def suite_json(rates: Iterable[Rate], changes: Iterable[Change], seconds: float, status: int) -> str:
    """The last line of ``--json``."""
    about: dict[str, Any] = {
        "suite": [one.as_json() for one in rates],
        "changes": [one.as_json() for one in changes],
        "seconds": round(seconds, 3),
        "exit_status": status,
    }
    return safe_json(to_json(about))


def markdown(rates: Sequence[Rate], names: Names, changes: Iterable[Change], seconds: float) -> Iterator[str]:
    """For the page of a run in GitHub Actions."""
    rows = []
    for one in rates:
        icon = {"ok": "✅", "FAILED": "❌"}.get(one.mark, "❔")
        cells = [f"{icon} {escaped(names[one.script])}", escaped(one.target), escaped(one.words())]
        rows.append([*cells, latency(one.p50), latency(one.p95)])
    yield from table_rows(["script", "target", "passed", "reply p50", "p95"], rows)
    yield from table_rows(
        ["against the baseline", "script", "target", ""],
        [
            [one.what, escaped(names.get(one.script, one.script)), escaped(one.target), escaped(one.text)]
            for one in changes
        ],
    )
    yield escaped(whole(rates, seconds))
    yield ""


def junit(results: Iterable[Result], rates: Mapping[tuple[str, str], Rate], names: Names) -> Iterator[str]:
    """JUnit XML in pieces: a suite for each script on a target, a case for each run."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n'
    by_group: dict[tuple[str, str], list[Result]] = {group: [] for group in rates}
    for result in results:
        by_group[result.case.group].append(result)
    for group, runs in by_group.items():
        rate = rates[group]
        skipped = sum(not one.run for one in runs)
        seconds = sum(one.played.seconds for one in runs)
        counts = f'tests="{len(runs)}" failures="{rate.failed}" errors="0" skipped="{skipped}"'
        name = attribute(f"{names[rate.script]} {rate.target}")
        yield f'  <testsuite name={name} {counts} time="{seconds:.3f}">\n'
        for one in runs:
            yield from _case(one, rate)
        yield "  </testsuite>\n"
    yield "</testsuites>\n"


def _case(result: Result, rate: Rate) -> Iterator[str]:
    case, played = result.case, result.played
    name = attribute(f"run {case.repeat}" if rate.planned > 1 else "run")
    about = f'    <testcase name={name} classname={attribute(case.script)} time="{played.seconds:.3f}"'
    if result.ok:
        yield about + "/>\n"
        return
    yield about + ">\n"
    message = attribute(f"{played.verdict}: {played.detail}")
    if result.run:
        more = [f"{what}: {value}" for what, value in _found_by(result)]
        body = escape(legal("\n".join(map(safe, [*played.lines, *more]))))
        yield f"      <failure type={attribute(str(played.verdict))} message={message}>{body}</failure>\n"
    else:
        yield f"      <skipped message={message}/>\n"
    yield "    </testcase>\n"


def _found_by(result: Result) -> Iterator[tuple[str, str]]:
    if result.conversation_id:
        yield "conversation", result.conversation_id
    if result.recording:
        yield "recording", result.recording
