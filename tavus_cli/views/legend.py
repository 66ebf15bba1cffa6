"""What the words and signs of the view mean (/legend)."""

from __future__ import annotations

from tavus_cli.views.theme import Theme
from tavus_cli.views.width import fit

_MEANINGS = (
    ("you", "you", "what you typed; heard in: until the conversation heard it"),
    ("user", "user", "what the user said; spoke: for how long"),
    ("pal", "pal", "what the PAL said; reply: from the end of the question to its first word"),
    ("tool", "tool", "the LLM calls a tool, and waits for its answer"),
    ("sees", "perception", "perception: what the PAL sees; no answer is expected"),
    ("hears", "perception", "perception: what the PAL hears"),
    ("finds", "quiet", "the knowledge base: documents that were looked up"),
    ("guard", "warning", "a guardrail was triggered"),
    ("goal", "objective", "an objective: activated, pending or completed"),
    ("room", "system", "somebody joined or left"),
    ("event", "unknown", "an event of a type that this version does not know"),
    ("other", "unknown", "a message that is not from Tavus"),
    ("gap", "mark", "sequence numbers that did not arrive"),
    ("note", "mark", "about the room or the counting, not a message"),
    ("▶ ■", "speaking", "starts or stops speaking, without words"),
    ("✂", "speaking", "interrupted, after these words; /turn shows what was cut"),
    ("↩", "mark", "late, of an earlier turn, or folded (with /all)"),
    ("+1.1", "time", "seconds since the turn began"),
    ("!!", "warning", "a tool call that still waits for its answer"),
)


def legend(theme: Theme, columns: int) -> list[str]:
    """Lines, cut to the columns."""
    return [fit_painted(theme, style, sign, meaning, columns) for sign, style, meaning in _MEANINGS]


def fit_painted(theme: Theme, style: str, sign: str, meaning: str, columns: int) -> str:
    return f"{theme.paint(style, f'{sign:<6}')} {fit(meaning, max(1, columns - 7))}"
