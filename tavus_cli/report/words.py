"""How figures and times are written, in every output of a report."""

from __future__ import annotations

from tavus_cli.report.measures import PartKind, Spread
from tavus_cli.views.numbers import UNKNOWN, lasted

PART_NAMES: dict[PartKind, str] = {
    "first_event": "first event",
    "tool": "tool",
    "words": "words",
    "speaking": "speaking",
}
BARS = " ▁▂▃▄▅▆▇█"
CANNOT_TELL = "cannot tell"


def seconds(value: float | None) -> str:
    """ "840 ms", "1.14 s"; "–" for None."""
    if value is None:
        return UNKNOWN
    return f"{value * 1000:.0f} ms" if value < 0.9995 else f"{value:.2f} s"


def length(value: float | None) -> str:
    """How long a conversation is: "48.0 s", "12:04", "1:02:03"."""
    return CANNOT_TELL if value is None else lasted(value)


def clock(value: float | None, first: float | None) -> str:
    """A moment by its distance from the first event, "+0:07.3", which is the same on every machine."""
    if value is None or first is None:
        return ""
    minutes, second = divmod(max(0.0, value - first), 60)
    return f"+{int(minutes)}:{int(second * 10) / 10:04.1f}"


def sparkline(one: Spread) -> str:
    """The histogram as eleven characters, and one for larger values."""
    most = max(one.histogram)
    if not most:
        return ""
    return "".join(BARS[-(-count * 8 // most)] for count in one.histogram)
