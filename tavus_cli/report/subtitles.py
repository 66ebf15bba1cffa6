"""Only the transcript, as text, Markdown or subtitles (SRT, WebVTT).

Pure. Times of subtitles begin with the first event of the recording.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from tavus_cli.errors import UsageError
from tavus_cli.report.markdown import escaped
from tavus_cli.report.recording import Reported
from tavus_cli.report.transcript import Line
from tavus_cli.report.words import clock
from tavus_cli.views.safe import safe

TranscriptFormat = Literal["srt", "vtt", "md", "txt"]
_SHORTEST = 1.0  # seconds a subtitle stays
_LETTERS = 15.0  # characters read in a second, if the duration of the speech is unknown
_WHO = {"user": "User", "pal": "PAL"}


def transcript(one: Reported, format: TranscriptFormat) -> Iterator[str]:
    """The lines. Raises UsageError for subtitles of a recording without times."""
    lines = one.timeline.transcript.lines
    if format == "txt" or format == "md":
        for line in lines:
            when = clock(line.at, one.timeline.first_at) or "+?"
            if format == "txt":
                yield f"{when}  {_WHO[line.role]}: {spoken(line)}"
            else:
                yield f"**{_WHO[line.role]}** ({when}): {escaped(spoken(line))}\n"
        return
    timed = _timed(lines, one.timeline.first_at)
    if lines and not timed:
        raise UsageError(f"{one.name} has no times for subtitles; --transcript txt needs none")
    if format == "vtt":
        yield "WEBVTT\n"
    for number, (start, end, line) in enumerate(timed, 1):
        who, said = _WHO[line.role], spoken(line)
        if format == "srt":
            yield f"{number}\n{_stamp(start, ',')} --> {_stamp(end, ',')}\n{who}: {_srt(said)}\n"
        else:
            yield f"{_stamp(start, '.')} --> {_stamp(end, '.')}\n<v {who}>{_vtt(said)}\n"


def spoken(line: Line) -> str:
    """On one line, safe; "✂" is where it was cut off."""
    text = safe(line.text)
    return f"{text} ✂" if line.cut else text


def _timed(lines: Sequence[Line], first: float | None) -> list[tuple[float, float, Line]]:
    """Subtitles in the order of their starts, each ending before the next of the same speaker."""
    if first is None:
        return []
    starts: list[tuple[float, Line]] = []
    latest: dict[str, float] = {}
    for line in sorted((line for line in lines if line.at is not None), key=lambda line: line.at or 0.0):
        # Text typed before the first event starts with it; so the next subtitle may start at the same time.
        start = max(0.0, round((line.at or 0.0) - first, 3), latest.get(line.role, -0.001) + 0.001)
        latest[line.role] = start
        starts.append((start, line))
    starts.sort(key=lambda pair: pair[0])
    following: dict[str, float] = {}
    out = []
    for start, line in reversed(starts):
        end = start + max(_SHORTEST, len(line.text) / _LETTERS)
        if line.end is not None and line.end > (line.at or 0.0):
            end = line.end - first
        end = min(end, following.get(line.role, end))
        following[line.role] = start
        out.append((start, max(end, start + 0.001), line))
    return out[::-1]


def _stamp(value: float, point: str) -> str:
    milliseconds = round(value * 1000)
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{rest:03}"


def _srt(text: str) -> str:
    """SRT has no escapes: players take <b> and {\\an8} for commands."""
    return text.replace("<", "‹").replace(">", "›").replace("{", "(").replace("}", ")")


def _vtt(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
