"""The two rows beside the prompt: the state of the conversation, and the current speech."""

from __future__ import annotations

from dataclasses import dataclass

from tavus_cli.protocol.conversation import Conversation
from tavus_cli.protocol.turns import ToolCall
from tavus_cli.views.numbers import clock
from tavus_cli.views.safe import flat
from tavus_cli.views.theme import Theme
from tavus_cli.views.width import fit, fit_end, padded, width

_DISPENSABLE = ("name", "keys", "minutes", "reply", "turn", "recording", "gaps", "behind")  # in order
_SPEAKERS = (("pal", "PAL"), ("user", "user"))
LOUD_SECONDS = 5.0  # a tool call unanswered for this long is shown by name


@dataclass(slots=True)
class StatusLine:
    """``line`` and ``live`` fit into the columns given; ``joined`` is Unix seconds, None until then.

    ``billed``: since when minutes are billed, in Unix seconds; ``most``: the longest time that may be billed,
    in seconds; None if unknown.
    """

    name: str
    theme: Theme
    joined: float | None = None
    billed: float | None = None
    most: float | None = None
    over: str | None = None
    recording: bool = False
    paused: int | None = None  # entries that wait while the view is paused, else None
    mode: str = ""  # of a recording: paused or playing
    filtered: bool = False  # a filter of the user's hides some events

    def line(self, conversation: Conversation, now: float, behind: int, columns: int) -> str:
        """``behind``: lines not on the screen yet.

        If not everything fits, the least important parts are left out.
        """
        parts = self._parts(conversation, now, behind)
        for dispensable in _DISPENSABLE:
            if width(" · ".join(parts.values())) + 2 < columns:
                break
            parts.pop(dispensable, None)
        return self.theme.paint("status", fit(" " + " · ".join(parts.values()) + " ", columns - 1))

    def _parts(self, conversation: Conversation, now: float, behind: int) -> dict[str, str]:
        status, turn = conversation.status, conversation.turns.current
        parts = {"name": flat(self.name)}
        if self.mode:
            parts["mode"] = self.mode
        if self.paused is not None:
            parts["paused"] = f"PAUSED, {self.paused:,} waiting, F4 resumes"
        parts["presence"] = self._presence(conversation)
        if self.filtered:
            parts["filtered"] = "filtered"
        if turn is not None:
            parts["turn"] = f"turn {turn.idx}"
        if status.reply is not None:
            parts["reply"] = f"reply {status.reply:.2f} s"
        if self.over is None and (waiting := conversation.turns.waiting()):
            parts["calls"] = self._waiting(waiting, now)
        if status.gaps:
            parts["gaps"] = f"{status.gaps} gap" + "s" * (status.gaps > 1)
        if self.recording:
            parts["recording"] = "● recording"
        if behind > 1_000:  # in thousands, so that the line is not redrawn in every frame
            parts["behind"] = f"{behind // 1_000},000 lines behind"
        if self.billed is not None:
            of = f" of {self.most / 60:g}" if self.most else ""
            parts["minutes"] = f"{(now - self.billed) / 60:.0f}{of} min billed"
        elif self.joined is not None:
            parts["minutes"] = clock(max(0.0, now - self.joined))
        parts["keys"] = "F1 keys"
        return parts

    def live(self, conversation: Conversation, columns: int) -> str:
        """The growing speech, or typed text that was not heard yet, or ""."""
        partial = conversation.status.partial
        if partial is not None:
            who, text = partial.role or "?", partial.text
        elif conversation.pending_text:
            who, text = "you", conversation.pending_text
        else:
            return ""
        who = fit(flat(who), 8)
        head = fit(padded(who, 9), columns - 1)
        return self.theme.paint("partial", head + fit_end(flat(text), columns - 1 - width(head)))

    def _waiting(self, calls: list[ToolCall], now: float) -> str:
        """The number of open calls; and the name of the oldest once it has waited too long."""
        oldest = calls[0]
        age = now - oldest.at
        if age < LOUD_SECONDS:
            return f"{len(calls)} tool call{'s' * (len(calls) > 1)} open"
        more = f", {len(calls) - 1} more" if len(calls) > 1 else ""
        return f"!! {fit(flat(oldest.name), 24)} waits {clock(age)}{more}"

    def _presence(self, conversation: Conversation) -> str:
        if self.over is not None:
            return "over"
        if self.joined is None:
            return "joining …"
        if not conversation.status.pal_present:
            return "no PAL yet"
        speaking = [who for role, who in _SPEAKERS if role in conversation.status.speaking]
        if not speaking:
            return "PAL present"
        return " and ".join(speaking) + (" speaks" if len(speaking) == 1 else " speak")
