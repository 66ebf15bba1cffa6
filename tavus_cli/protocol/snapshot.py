"""What a conversation has come to, for one who joins it later than another: a small value of its own.

Apart from ``conversation``, so that rooms can hand one over before the core is imported.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Snapshot(NamedTuple):
    """Enough to tell old events from new ones, and to answer the tool calls that are open.

    ``turn`` is the number of the current turn and when it began, ``seq`` the highest sequence number (-1:
    none), ``said`` the inference id of the PAL's latest speech, ``calls`` the messages of open tool calls
    and when they arrived. Times are Unix seconds.
    """

    turn: tuple[int, float] | None = None
    seq: int = -1
    said: str | None = None
    pal_present: bool = False
    speaking: tuple[str, ...] = ()
    calls: tuple[tuple[Any, float], ...] = ()
