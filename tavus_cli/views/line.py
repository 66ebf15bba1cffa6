"""The pretty view: rows as lines, grouped by turn.

Pure: the width, the local time and the theme are arguments. Remote text passes ``safe`` here, and is never
markup. Lines are wrapped only with ``wrap``, for a terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from tavus_cli.protocol.catalogue import EventKind
from tavus_cli.protocol.entries import EventEntry, GapEntry, NoteEntry, SentEntry
from tavus_cli.protocol.events import Event
from tavus_cli.protocol.folding import Fold
from tavus_cli.protocol.tool_calls import calls_in
from tavus_cli.protocol.turns import Turn
from tavus_cli.views.numbers import lasted, latency, offset
from tavus_cli.views.rows import Gaps, Row, Said
from tavus_cli.views.safe import flat, safe
from tavus_cli.views.theme import PLAIN, RESET, Theme, TimesChoice
from tavus_cli.views.width import fit, fit_end, last_words, padded
from tavus_cli.views.wrap import wrapped

RULE_WIDTH = 80  # columns of a turn's rule without a terminal
NARROW = 60  # columns below which rows do not show the time since the turn began
WIDE = 100  # columns from which on times have milliseconds
WHO_WIDTH = 8
SHORT_WHO = 6  # where times are short
CUT_OFF = 80  # characters shown of text that was cut off; all of it is a few lines above
CUT_WORDS = 40  # columns for the last words before speech was interrupted
_GLUE = "\x1f"  # a blank at which lines are not broken; safe text never contains it
BEHIND = 0.1  # seconds: a row shown more than this after its speech began says how long ago that was
_NO_TIME = " " * 12
_NO_RELATIVE = " " * 9
_NO_OFFSET = " " * 5

LocalTime = Callable[[int], str]  # Unix seconds → "12:03:11"


class LineView:
    """``lines(rows)`` returns strings; the view remembers the current turn and the last time shown.

    ``width`` is the columns of the terminal, for rules, and for rows where they are few; times have
    milliseconds in a wide one, and where ``times`` is "full". Times never run backwards: a row has the time
    at which it is shown, and says how long ago its speech began. ``all`` and ``seq`` show numbers, ``all``
    also why an event would be folded. ``limit`` cuts longer texts (None: never), and says how much is not
    shown and how to see it; ``console``: whether there is a prompt for that. With ``wrap`` a row wider than
    ``width`` takes several lines, indented to its text. With ``brief`` a folded event takes one line: of
    growing speech its end.
    """

    def __init__(
        self,
        local_time: LocalTime,
        *,
        theme: Theme = PLAIN,
        width: int = RULE_WIDTH,
        times: TimesChoice = "full",
        all: bool = False,
        seq: bool = False,
        limit: int | None = None,
        console: bool = False,
        wrap: bool = False,
        brief: bool = False,
    ) -> None:
        self._times = times
        self._full: bool | None = None  # whether times have milliseconds
        self._who: dict[tuple[str | None, EventKind], str] = {}
        self.width = width
        self.all = all
        self.seq = seq
        self._brief = brief
        self._wrap = wrap
        self._console = console
        self._local_time = local_time
        self._theme = theme
        self._limit = limit
        self._second = -1
        self._second_text = ""
        self._last_at = 0.0  # time of the row above
        self._shown_turn: Turn | None = None
        self._began = 0.0  # when the first row of that turn was shown
        self._styles = theme.styles
        self._fold_marks: dict[tuple[Fold, str], str] = {}
        self._formats_for: tuple[int, bool] | None = None
        self._formats = ("", "", "")

    @property
    def width(self) -> int:
        return self._width

    @width.setter
    def width(self, columns: int) -> None:
        self._width = columns
        full = columns >= WIDE or (self._times == "full" and columns >= NARROW)
        if full is not self._full:
            self._full = full
            self._who.clear()

    def past(self, rows: Sequence[Row], most: int) -> list[str]:
        """The last rows from before this side joined, marked as such. Call it first, if at all."""
        if not rows:
            return []
        latest = rows[-most:]
        count = f"{len(latest):,} row" + "s" * (len(latest) != 1)
        return [self._words(f"before you joined: {count}"), *self.lines(latest), self._words("you joined")]

    def lines(self, rows: Iterable[Row]) -> list[str]:
        out: list[str] = []
        numbers = self.all or self.seq
        if self._formats_for != (self._width, numbers):
            self._formats_for = (self._width, numbers)
            self._formats = _formats(self._theme, numbers, self._width, bool(self._full))
        for row in rows:
            kind = type(row)
            if kind is EventEntry:
                self._event(row, out)  # type: ignore[arg-type]
            elif kind is Said:
                self._said(row, out)  # type: ignore[arg-type]
            elif kind is SentEntry:
                self._sent(row, out)  # type: ignore[arg-type]
            elif kind is NoteEntry:
                self._note(row, out)  # type: ignore[arg-type]
            else:
                self._gaps(row, out)  # type: ignore[arg-type]
        if self._wrap:
            text_at = self._text_at()
            wraps = (line for one in out for line in wrapped(one, self.width, text_at))
            return [line.replace(_GLUE, " ").rstrip() for line in wraps]
        return out

    # -- rows -----------------------------------------------------------------------------------------

    def _event(self, entry: EventEntry, out: list[str], notes: str = "", held: bool = False) -> None:
        """``notes`` are facts from other events, painted; ``held``: later turns may have begun since."""
        event, turn, at = entry.event, entry.turn, entry.at
        if at < self._last_at:  # ``_moment``, without a call
            at = self._last_at
        else:
            self._last_at = at
        if turn is not None and turn is not self._shown_turn and not entry.back:
            if not held or self._shown_turn is None or turn.idx > self._shown_turn.idx:
                self._rule(turn, at, out)
            else:
                notes = f"{notes}   {self._theme.paint('mark', f'↩ turn {turn.idx}')}"
        kind = event.kind
        text = kind.summary(event)
        if not text.isprintable():
            text = safe(text)
        if self._limit is not None and len(text) > self._limit:
            text = self._cut(text, event, turn)
        if self._brief and entry.fold is not None:
            marks_wide = len(f"↩ late, {entry.fold}  ")
            text = fit_end(text, max(WHO_WIDTH, self._width - self._text_at() - marks_wide))
        if entry.intended is not None:
            text = self._with_cut(event, text, entry.intended)
        if self._styles and kind.family == "tool_call":
            text = self._call(event, text)
        if notes:
            text += notes
        else:
            if entry.reply is not None:
                text += self._reply(entry.reply)
            if at - entry.at > BEHIND:
                text += self._ago(at - entry.at)
        if entry.late or entry.back or entry.differs:
            text = self._marked(self._marks(entry), kind) + text
        elif self.all and (fold := entry.fold) is not None:
            text = (self._fold_marks.get((fold, kind.style)) or self._fold_mark(fold, kind)) + text
        if entry.sender is not None:
            column = self._column(entry.sender, "you", kind.style)
        elif kind.style == "perception" and event.word("modality") == "audio":
            column = self._column("hears", kind.style, kind.style)
        else:
            role = event.role
            column = self._who.get((role, kind)) or self._who_column(role, kind)
        out.append(self._row(at, turn, self._number(event) if self.all or self.seq else "", column, text))

    def _said(self, row: Said, out: list[str]) -> None:
        entry = row.entry
        at = self._moment(entry.at if row.at is None else row.at)
        if row.cut:
            self._cut_short(entry, out)
            return
        notes = ""
        if row.reply is not None:
            notes += self._reply(row.reply)
        if row.spoke is not None:
            notes += self._quiet(f"spoke {lasted(row.spoke)}")
        elif row.began is not None and (ago := at - row.began) > BEHIND:
            notes += self._quiet(f"{lasted(ago)} ago")
        if row.late_echo:
            kind = entry.event.kind
            text = self._theme.paint("mark", "↩ late echo") + "  " + safe(entry.event.text)
            column = self._who_column(entry.event.role, kind)
            out.append(self._row(at, None, self._number(entry.event), column, text + notes))
            return
        self._event(entry, out, notes, row.at is not None)

    def _cut_short(self, entry: EventEntry, out: list[str]) -> None:
        """One line for a barge-in."""
        event, at = entry.event, self._moment(entry.at)
        said = flat(event.text).strip()
        room = self._width - self._text_at() - len('✂ after ""') if self._wrap else CUT_WORDS
        last = last_words(said, max(WHO_WIDTH, min(CUT_WORDS, room)))
        text = f'✂ after "{last}"' if said else "✂ before the first word"
        column = self._who_column(event.role, event.kind)
        if entry.back and entry.turn is not self._shown_turn:
            assert entry.turn is not None
            text = f"{self._theme.paint('mark', f'↩ turn {entry.turn.idx}')}  {text}"
        text = f"{self._styles.get('speaking', '')}{text}"
        out.append(self._row(at, entry.turn, self._number(event), column, text))

    def _sent(self, entry: SentEntry, out: list[str]) -> None:
        event, turn = entry.event, entry.turn
        at = self._moment(entry.at + (entry.echo or 0.0))
        if turn is not None and turn is not self._shown_turn:
            self._rule(turn, at, out)
        text = safe(event.kind.summary(event))
        if self._limit is not None and len(text) > self._limit:
            text = self._cut(text, event, turn)
        if entry.echo is not None:
            text += self._quiet(f"heard in {entry.echo * 1000:.0f} ms")
        elif at - entry.at > BEHIND:
            text += self._ago(at - entry.at)
        if entry.call is not None and entry.call.answered is not None:
            took = latency(entry.call.answered - entry.call.at)
            text += self._quiet(f"answers {safe(entry.call.name)} after {took}")
        out.append(self._row(at, turn, "", self._column("you", "you", "text"), text))

    def _note(self, entry: NoteEntry, out: list[str]) -> None:
        at = self._moment(entry.at)
        out.append(self._row(at, None, "", self._column("note", "mark", "mark"), safe(entry.text)))

    def _gaps(self, row: GapEntry | Gaps, out: list[str]) -> None:
        spans = [(row.first, row.last)] if isinstance(row, GapEntry) else row.spans
        text = ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in spans)
        out.append(self._row(None, None, "", self._column("gap", "mark", "mark"), f"seq {text}"))

    def _rule(self, turn: Turn, at: float, out: list[str]) -> None:
        """The rule at the beginning of a turn, with figures of the turn before."""
        before, self._shown_turn, self._began = self._shown_turn, turn, at
        title, end = f" turn {turn.idx} ", ""
        if before is not None:
            known = [f"reply {before.reply:.2f} s"] if before.reply is not None else []
            known += [f"spoke {lasted(before.spoke)}"] if before.spoke is not None else []
            end = f" turn {before.idx}: {', '.join(known)} " if known else ""
            if len(title) + len(end) + 6 > self.width:
                end = ""
        line = "─" * (self.width - len(title) - len(end) - 2 - 2 * bool(end))
        paint = self._theme.paint
        parts = [paint("rule", "──"), paint("title", title), paint("rule", line)]
        if end:
            parts += [paint("quiet", end), paint("rule", "──")]
        out.append("".join(parts))

    def _words(self, words: str) -> str:
        """A separate rule about the rows above and below it."""
        title = fit(f" {words} ", max(1, self.width - 4))
        paint = self._theme.paint
        line = "─" * max(0, self.width - len(title) - 2)
        return f"{paint('rule', '──')}{paint('quiet', title)}{paint('rule', line)}"

    # -- parts ----------------------------------------------------------------------------------------

    def _moment(self, at: float) -> float:
        """The time shown for a row, never before that of the row above."""
        if at < self._last_at:
            return self._last_at
        self._last_at = at
        return at

    def _row(self, at: float | None, turn: Turn | None, seq: str, column: str, text: str) -> str:
        if at is None:
            row = self._formats[0] % (seq, column, text)
        else:
            second = int(at)
            if second != self._second:
                self._second, self._second_text = second, self._local_time(second)
            thousandths = int((at - second) * 1000 + 0.5)
            if thousandths == 1000:
                thousandths = 999
            if turn is None or self._shown_turn is None:
                row = self._formats[1] % (self._second_text, thousandths, seq, column, text)
            else:
                since: float | str = at - self._began
                if not self._full:
                    since = offset(at - self._began)
                row = self._formats[2] % (self._second_text, thousandths, since, seq, column, text)
        return row if self._styles else row.rstrip()

    def _text_at(self) -> int:
        """The column in which the text of ``_row`` begins."""
        seq = len("  #1234") if self.all or self.seq else 0
        if self._full:
            return len(_NO_TIME) + 1 + len(_NO_RELATIVE) + seq + 2 + WHO_WIDTH + 1
        head = len("12:03:11") + (len(" +99.9") if self.width >= NARROW else 0)
        return head + seq + bool(seq) + 1 + SHORT_WHO + 1

    def _number(self, event: Event) -> str:
        if not (self.all or self.seq):
            return ""
        return "#–" if event.seq is None else f"#{event.seq}"

    def _who_column(self, role: str | None, kind: EventKind) -> str:
        who = kind.label if role is None or kind.label != "?" else role
        column = self._column(who, role if role == "user" or role == "pal" else kind.style, kind.style)
        if len(self._who) < 256:  # roles are remote text
            self._who[role, kind] = column
        return column

    def _column(self, who: str, style: str, text_style: str) -> str:
        """The column between the times and the text: the speaker, with colours."""
        wide = WHO_WIDTH if self._full else SHORT_WHO
        name = self._theme.paint(style, padded(fit(flat(who), wide), wide))
        return f"{self._theme.reset} {name} {self._theme.sgr(text_style)}"

    def _quiet(self, text: str) -> str:
        return "   " + self._theme.paint("quiet", self._glued(text))

    def _ago(self, seconds: float) -> str:
        return self._quiet(f"{lasted(seconds)} ago")

    def _reply(self, seconds: float) -> str:
        return "   " + self._theme.paint("latency", self._glued(f"reply {seconds:.2f} s"))

    def _glued(self, text: str) -> str:
        return text.replace(" ", _GLUE) if self._wrap else text

    def _call(self, event: Event, text: str) -> str:
        """A tool call, with its name highlighted and its id dimmed."""
        plain = self._styles.get("text", "")
        done = ""
        for call in calls_in(event):
            name, call_id = safe(call.name), safe(call.id)
            before, found, after = text.partition(name) if name else ("", "", text)
            if found:
                done, text = f"{done}{before}{self._theme.paint('name', name)}{plain}", after
            before, found, after = text.partition(f" {call_id}")
            if call_id and found:
                done, text = f"{done}{before} {self._theme.paint('quiet', call_id)}{plain}", after
        return done + text

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
        mark = self._fold_marks[fold, kind.style] = self._marked(f"↩ {fold}", kind)
        return mark

    def _marked(self, marks: str, kind: EventKind) -> str:
        return f"{self._theme.paint('mark', marks)}  {self._styles.get(kind.style, '')}"

    def _with_cut(self, event: Event, text: str, intended: str) -> str:
        """The text that was said, and the intended text that was cut off."""
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


def _formats(theme: Theme, numbers: bool, width: int, full: bool) -> tuple[str, str, str]:
    """Time columns of a row without a time, without a turn, and with both; "%" is the fastest format."""
    seq = " %6s " if numbers else "%.0s"
    if full:
        heads = (f"{_NO_TIME} {_NO_RELATIVE}", f"%s.%03d {_NO_RELATIVE}", "%s.%03d %+9.3f")
        seq = seq if numbers else "%.0s "
    elif width < NARROW:
        heads = (_NO_TIME[:8], "%s%.0s", "%s%.0s%.0s")
    else:
        heads = (f"{_NO_TIME[:8]} {_NO_OFFSET}", f"%s%.0s {_NO_OFFSET}", "%s%.0s %s")
    none, untied, tied = (
        f"{theme.sgr('time')}{head}{seq}%s%s{RESET if theme.styles else ''}" for head in heads
    )
    return none, untied, tied
