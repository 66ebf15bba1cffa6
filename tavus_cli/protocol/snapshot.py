"""The state of a conversation that a client needs when it joins a resident session later.

In a module of its own so that rooms can pass one on before the core is imported.
"""

from typing import Any, NamedTuple


class Snapshot(NamedTuple):
    """Enough to distinguish old events from new ones, and to answer open tool calls.

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
