"""Times in words, for every view; ``report.words`` adds what only reports need. Arguments are in seconds."""

from __future__ import annotations

UNKNOWN = "–"


def latency(seconds: float | None) -> str:
    """ "0.06 s", "2.50 s", from a minute on "2:02": one unit down a column."""
    if seconds is None:
        return UNKNOWN
    return f"{seconds:.2f} s" if seconds < 59.995 else clock(seconds)


def clock(seconds: float) -> str:
    """ "0:42", "2:02", "1:02:03"."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def lasted(seconds: float) -> str:
    """ "3.4 s", "2:02"."""
    return f"{seconds:.1f} s" if seconds < 59.95 else clock(seconds)


def offset(seconds: float) -> str:
    """The time since a turn began, in five columns: " +0.0", "+1:40", " +16m"."""
    if seconds < 99.95:
        return f"{seconds:>+5.1f}"
    if seconds < 600:
        return f"+{clock(seconds)}"
    return f"{f'+{seconds / 60:.0f}m':>5}" if seconds < 59_970 else f"{f'+{seconds / 3600:.0f}h':>5}"
