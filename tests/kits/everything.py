"""``show me everything`` in the simulation with seed 11, and its screens in tests/samples/screens.

``python -m tests.kits.everything`` writes the screens again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tavus_cli.language.selection import Selection
from tavus_cli.protocol.conversation import Conversation
from tavus_cli.protocol.entries import Entry
from tavus_cli.protocol.interactions import respond
from tavus_cli.rooms.sim.replica import Replica
from tavus_cli.rooms.sim.room import START
from tavus_cli.rooms.sim.script import parse_spec
from tavus_cli.views.line import LineView
from tavus_cli.views.rows import Rows
from tests.kits.conversations import utc

FOLDER = Path(__file__).parents[1] / "samples" / "screens"
COLUMNS = (40, 56, 80, 120, 200)
ASKED, LONG = 8.0, 30.0  # seconds after the start


def entries() -> list[Entry]:
    """The whole conversation, until the answer about the café."""
    script, options = parse_spec("sim:?seed=11")
    replica = Replica(script, options, "sim-11", START)
    conversation = Conversation()
    out: list[Entry] = []
    said = respond("show me everything").encode("sim-11")

    def come(until: float) -> None:
        for at, message in replica.due(START + until):
            out.extend(conversation.receive(message, at))

    come(ASKED)
    replica.receive(said, START + ASKED)
    out.extend(conversation.sent(said, START + ASKED))
    come(LONG)
    return out + conversation.close()


def screen(columns: int, **how: Any) -> list[str]:
    """Its rows on a terminal of this width."""
    selection = Selection(all=how.get("all", False))
    rows, view = Rows(selection), LineView(utc, width=columns, times="auto", wrap=True, **how)
    lines: list[str] = []
    for entry in entries():
        if (due := rows.wake_at()) is not None and due <= entry.at:
            lines += view.lines(rows.tick(due))
        lines += view.lines(rows.take([entry], selection.among([entry])))
    return lines + view.lines(rows.close())


def file(columns: int) -> Path:
    return FOLDER / f"everything-{columns}.txt"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for number in COLUMNS:
        file(number).write_text("\n".join(screen(number)) + "\n", "utf-8")
