"""The pretty view: entries as lines, grouped by turn.

Pure: the width, the local time and the theme are given. Remote text passes ``safe`` here and nowhere
is it markup. Lines are wrapped only for a terminal, where ``wrap`` asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tavus_cli.protocol.catalogue import EventKind
from tavus_cli.protocol.conversation import Entry, EventEntry, GapEntry, NoteEntry, SentEntry
from tavus_cli.protocol.events import Event
from tavus_cli.protocol.folding import Fold
from tavus_cli.protocol.turns import Turn
from tavus_cli.views.safe import flat, safe
from tavus_cli.views.theme import PLAIN, RESET, Theme
from tavus_cli.views.width import fit, fit_end, padded
from tavus_cli.views.wrap import wrapped

RULE_WIDTH = 80  # of a turn's rule where there is no terminal
NARROW = 60  # columns below which a row has neither milliseconds nor the time since its turn began
WHO_WIDTH = 8
CUT_OFF = 80  # characters shown on a terminal of what was not said: all of it stands a few lines above
_NO_TIME = " " * 12
_NO_RELATIVE = " " * 9

LocalTime = Callable[[int], str]  # Unix seconds → "12:03:11"


class LineView:
    """``lines(entries)`` in, strings out; remembers the current turn and the second it is.

    ``width`` is the columns of the terminal, for rules, and for rows where they are few. ``all`` shows
    numbers and why an event would be folded. ``limit`` cuts longer texts (None: never), saying how much is
    not shown, and how to see it; ``console`` is whether there is a prompt to ask at. With ``wrap`` an entry
    wider than ``width`` is several lines, hung under its text. With ``brief`` what would be folded takes one
    row: of speech that grows the end of it.
    """

    def __init__(
        self,
        local_time: LocalTime,
        *,
        theme: Theme = PLAIN,
        width: int = RULE_WIDTH,
        all: bool = False,
        limit: int | None = None,
        console: bool = False,
        wrap: bool = False,
        brief: bool = False,
    ) -> None:
        self.width = width
        self._brief = brief
        self._wrap = wrap
        self._console = console
        self._local_time = local_time
        self._theme = theme
        self.all = all
        self._limit = limit
        self._second = -1
        self._second_text = ""
        self._shown_turn: object = None
        self._last_reply: tuple[int, float] | None = None
        self._who: dict[tuple[str | None, EventKind], str] = {}
        self._styles = theme.styles
        self._fold_marks: dict[tuple[Fold, str], str] = {}
        self._formats_for: tuple[int, bool] | None = None
        self._formats = ("", "", "")

    def lines(self, entries: Iterable[Entry]) -> list[str]:
        out: list[str] = []
        for entry in entries:
            if type(entry) is EventEntry:
                self._event(entry, out)
            elif type(entry) is SentEntry:
                self._sent(entry, out)
            elif type(entry) is GapEntry:
                self._gap(entry, out)
            elif type(entry) is NoteEntry:
                column = self._column("note", "mark", "mark")
                out.append(self._row(entry.at, None, "", column, safe(entry.text)))
        if self._wrap:
            text_at = self._text_at()
            return [row for line in out for row in wrapped(line, self.width, text_at)]
        return out

    # -- entries --------------------------------------------------------------------------------------

    def _event(self, entry: EventEntry, out: list[str]) -> None:
        event, turn = entry.event, entry.turn
        kind = event.kind
        if turn is not None and turn is not self._shown_turn and not entry.back:
            self._rule(entry, out)
        text = kind.summary(event)
        if not text.isprintable():
            text = safe(text)
        if self._limit is not None and len(text) > self._limit:
            text = self._cut(text, event, turn)
        if self._brief and entry.fold is not None:
            marks_wide = len(f"↩ late, {entry.fold}  ")
            text = fit_end(text, max(WHO_WIDTH, self.width - self._text_at() - marks_wide))
        if entry.intended is not None:
            text = self._with_cut(event, text, entry.intended)
        if entry.reply is not None:
            text += "   " + self._theme.paint("latency", f"reply {entry.reply:.2f} s")
            self._last_reply = (turn.idx, entry.reply) if turn else None
        if entry.late or entry.back or entry.differs:
            text = self._marked(self._marks(entry), kind) + text
        elif self.all and entry.fold is not None:
            text = self._fold_mark(entry.fold, kind) + text
        role = event.role
        if entry.sender is not None:
            column = self._column(entry.sender, "you", kind.style)
        else:
            column = self._who.get((role, kind)) or self._who_column(role, kind)
        seq = ("#–" if event.seq is None else f"#{event.seq}") if self.all else ""
        out.append(self._row(entry.at, turn, seq, column, text))

    def _sent(self, entry: SentEntry, out: list[str]) -> None:
        event, turn = entry.event, entry.turn
        if turn is not None and turn is not self._shown_turn:
            self._rule(entry, out)
        text = safe(event.kind.summary(event))
        if self._limit is not None and len(text) > self._limit:
            text = self._cut(text, event, turn)
        if entry.echo is not None:
            text += self._theme.paint("quiet", f"   heard in {entry.echo * 1000:.0f} ms")
        if entry.call is not None and entry.call.answered is not None:
            took = (entry.call.answered - entry.call.at) * 1000
            text += self._theme.paint("quiet", f"   answers {safe(entry.call.name)} after {took:.0f} ms")
        out.append(self._row(entry.at, turn, "", self._column("you", "you", "text"), text))

    def _gap(self, entry: GapEntry, out: list[str]) -> None:
        span = str(entry.first) if entry.first == entry.last else f"{entry.first}–{entry.last}"
        out.append(self._row(None, None, "", self._column("gap", "mark", "mark"), f"seq {span}"))

    def _rule(self, entry: EventEntry | SentEntry, out: list[str]) -> None:
        """A turn's beginning; the latency is of the turn that ended, this one's is not known yet."""
        assert entry.turn is not None
        self._shown_turn = entry.turn
        title = f"── turn {entry.turn.idx} "
        end = ""
        if self._last_reply is not None:
            end = f" turn {self._last_reply[0]} replied in {self._last_reply[1]:.2f} s ──"
            self._last_reply = None
        out.append(self._theme.paint("rule", title + "─" * (self.width - len(title) - len(end)) + end))

    # -- parts ----------------------------------------------------------------------------------------

    def _row(self, at: float | None, turn: Turn | None, seq: str, column: str, text: str) -> str:
        if self._formats_for != (self.width, self.all):
            self._formats_for = (self.width, self.all)
            self._formats = _formats(self._theme, self.all, self.width)
        if at is None:
            row = self._formats[0] % (seq, column, text)
        else:
            second = int(at)
            if second != self._second:
                self._second, self._second_text = second, self._local_time(second)
            thousandths = int((at - second) * 1000 + 0.5)
            if thousandths == 1000:
                thousandths = 999
            if turn is None:
                row = self._formats[1] % (self._second_text, thousandths, seq, column, text)
            else:
                since = at - turn.started
                row = self._formats[2] % (self._second_text, thousandths, since, seq, column, text)
        return row if self._styles else row.rstrip()

    def _text_at(self) -> int:
        """The column where the text of ``_row`` begins."""
        head = len(_NO_TIME) + 1 + len(_NO_RELATIVE) if self.width >= NARROW else len("12:03:11")
        seq = len("  #1234") if self.all else 0
        return head + seq + 1 + (self.all or self.width >= NARROW) + WHO_WIDTH + 1

    def _who_column(self, role: str | None, kind: EventKind) -> str:
        who = kind.label if role is None or kind.label != "?" else role
        column = self._column(who, role if role == "user" or role == "pal" else kind.style, kind.style)
        if len(self._who) < 256:  # roles are remote text
            self._who[role, kind] = column
        return column

    def _column(self, who: str, style: str, text_style: str) -> str:
        """What stands between the times and the text: who, and all that changes colours."""
        name = self._theme.paint(style, padded(fit(flat(who), WHO_WIDTH), WHO_WIDTH))
        return f"{self._theme.reset} {name} {self._theme.sgr(text_style)}"

    def _marks(self, entry: EventEntry) -> str:
        marks = []
        if entry.back and entry.turn is not None:
            marks.append(f"turn {entry.turn.idx}")
        if entry.late:
            marks.append("late")
        if entry.differs:
            marks.append(f"seq {entry.event.seq} again, with different content")
        if self.all and entry.fold is not None:
            marks.append(entry.fold)
        return f"↩ {', '.join(marks)}" if marks else ""

    def _fold_mark(self, fold: Fold, kind: EventKind) -> str:
        mark = self._fold_marks.get((fold, kind.style))
        if mark is None:
            mark = self._fold_marks[fold, kind.style] = self._marked(f"↩ {fold}", kind)
        return mark

    def _marked(self, marks: str, kind: EventKind) -> str:
        return f"{self._theme.paint('mark', marks)}  {self._styles.get(kind.style, '')}"

    def _with_cut(self, event: Event, text: str, intended: str) -> str:
        """What was said, and what of the intended text was cut off."""
        said = event.text
        if not event.interrupted or not intended.startswith(said) or intended == said:
            return text
        rest = safe(intended[len(said) :]).strip()
        if self._limit is not None and len(rest) > CUT_OFF:
            rest = rest[:CUT_OFF] + "…"
        return f"{text}  {self._theme.paint('quiet', f'(cut: {rest})')}"

    def _cut(self, text: str, event: Event, turn: Turn | None) -> str:
        assert self._limit is not None
        where = "--format jsonl shows all"
        if self._console:
            found = f"/turn {turn.idx}" if turn is not None else "/last"
            where = f"{found if event.seq is None else f'/event {event.seq}'} shows all"
        hidden = len(text) - self._limit
        return f"{text[: self._limit]}… ({hidden:,} more characters; {where})"


def _formats(theme: Theme, all: bool, width: int) -> tuple[str, str, str]:
    """Of a row without a time, without a turn, and with both: "%" costs two thirds of a format string."""
    if width < NARROW:
        heads = (_NO_TIME[:8], "%s%.0s", "%s%.0s%.0s")
        seq = " %6s " if all else "%.0s"
    else:
        heads = (f"{_NO_TIME} {_NO_RELATIVE}", f"%s.%03d {_NO_RELATIVE}", "%s.%03d %+9.3f")
        seq = " %6s " if all else "%.0s "
    none, untied, tied = (
        f"{theme.sgr('time')}{head}{seq}%s%s{RESET if theme.styles else ''}" for head in heads
    )
    return none, untied, tied
