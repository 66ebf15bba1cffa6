"""Commands that the console itself answers: tables, events, searches, and what the live view shows.

Nothing here sends. Entries are kept in a ``Log`` of bounded size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import wrap
from typing import Any

from tavus_cli.errors import UsageError
from tavus_cli.language.commands import Say, help_lines
from tavus_cli.language.patterns import Pattern, TooSlow
from tavus_cli.language.selection import Selection, TypePattern, compile_where, where_doubts
from tavus_cli.protocol.conversation import Conversation
from tavus_cli.protocol.entries import Entry, EventEntry, SentEntry
from tavus_cli.protocol.events import Event
from tavus_cli.protocol.log import Log
from tavus_cli.session.environment import local_time
from tavus_cli.session.turns import Turns
from tavus_cli.views.copy import copied
from tavus_cli.views.full import full
from tavus_cli.views.legend import legend
from tavus_cli.views.line import LineView
from tavus_cli.views.table import RunRow, runs_table, stats, tools_table, turns_table, waited_for_a_person
from tavus_cli.views.theme import Theme

FOUND = 200  # lines of /find and /turn at most; more would only scroll away
MATCH_SECONDS = 0.05  # in one text; a pattern that needs more would never end


def _where(expression: str) -> Callable[[Any], Any] | None:
    try:
        return compile_where(expression or None)
    except UsageError as error:
        raise UsageError(str(error).replace("--where", "/where", 1)) from None


class Inspector:
    """``answer`` and ``find`` give the lines for commands of the table; ``selection`` is what is shown live,
    ``runs`` the tool calls that are answered here.

    ``make_view`` makes a separate view for /turn and /find, so that the live view keeps its state.
    ``recorded``: for a recording, to which nothing can be sent.
    """

    def __init__(
        self,
        conversation: Conversation,
        selection: Selection,
        theme: Theme,
        make_view: Callable[[], LineView],
        kept: int,
        target: str = "",
        recorded: bool = False,
    ) -> None:
        self.selection = selection
        self.log = Log(kept)
        self._kept = kept
        self._recorded = recorded
        self.runs: Sequence[RunRow] = ()
        self._conversation = conversation
        self._theme = theme
        self._make_view = make_view
        self._target = target  # for the shell line of /copy

    def begin(self, conversation: Conversation) -> None:
        """Forget everything so far: the recording is read again from its start."""
        self.log = Log(self._kept)
        self._conversation = conversation

    def answer(self, say: Say, now: float, width: int) -> list[str]:
        """Raises UsageError. ``now`` in Unix seconds, ``width`` in columns."""
        match say.command:
            case "help":
                lines = help_lines(say.argument, width, self._recorded)
                return [part for line in lines for part in wrap(line, width, subsequent_indent=" " * 4)]
            case "turns":
                return turns_table(self.log.turns(), self._theme, width, self.log.first_words())
            case "tools":
                return self._tools(now, width)
            case "stats":
                return self._stats(width)
            case "legend":
                return legend(self._theme, width)
            case "event":
                return full(self._event(int(say.argument)), self._theme, width, local_time)
            case "last":
                return full(self._last(self.log.last()), self._theme, width, local_time)
            case "turn":
                return self._turn(say.argument)
            case "copy":
                return copied(*self._to_copy(say.argument), self._target)
            case _:
                return [self._steer(say)]

    def show(self, what: str) -> str:
        """Toggle "partials" or "all"; returns a line about the new state."""
        now = not getattr(self.selection, what)
        setattr(self.selection, what, now)
        if what == "partials":
            return "partials are shown" if now else "partials are folded"
        return "everything is shown, nothing folded" if now else "twins, heartbeats and partials are folded"

    # -- past events ----------------------------------------------------------------------------------

    def _tools(self, now: float, width: int) -> list[str]:
        """The calls answered by --tool, and below them the others."""
        runs = self.runs
        known = {run.id for run in runs}
        others = [call for call in self._conversation.turns.calls if call.id not in known]
        lines = runs_table(runs, self._theme, width) if runs else []
        return (
            lines
            if runs and not others
            else lines + tools_table(others, now, self._theme, width, self._conversation.turns.passed)
        )

    def _event(self, seq: int) -> EventEntry:
        entry = self.log.event(seq)
        if entry is None:
            raise UsageError(f"no event {seq}{self._left()}")
        return entry

    def _last(self, entry: EventEntry | SentEntry | None) -> EventEntry | SentEntry:
        if entry is None:
            raise UsageError("no messages yet")
        return entry

    def replies(self) -> list[float]:
        """How long the PAL took, in seconds; without replies that waited for a person to answer a call."""
        waited = waited_for_a_person(self._conversation.turns.calls, self._by_hand())
        return [turn.reply for turn in self.log.turns() if turn.reply is not None and turn not in waited]

    def _by_hand(self) -> set[str]:
        """The ids of tool calls that were answered by what was typed."""
        return {entry.call.id for entry in self.log.sent() if entry.call is not None} - {
            run.id for run in self.runs
        }

    def _stats(self, width: int) -> list[str]:
        turns, calls = self.log.turns(), self._conversation.turns.calls
        return stats(turns, calls, self._theme, width, self._by_hand())

    def _turn(self, number: str) -> list[str]:
        current = self._conversation.turns.current
        if not number and current is None:
            raise UsageError("no turns yet")
        idx = int(number) if number or current is None else current.idx
        entries = self.log.turn(idx)
        if not entries:
            raise UsageError(f"no turn {idx}{self._left()}")
        return self._lines(entries)

    async def find(self, text: str) -> list[str]:
        """Search without blocking the event loop. Raises UsageError, also if the pattern takes too long."""
        try:
            pattern = Pattern(text, ignore_case=True)
            found = await self._found(lambda one: pattern.search(one, MATCH_SECONDS))
        except (UsageError, TooSlow) as error:
            raise UsageError(f"/find: {error}") from None
        if not found:
            return [f"nothing among {len(self.log):,} entries matches{self._left()}"]
        return self._lines(found[::-1])

    async def _found(self, matches: Callable[[str], object]) -> list[Entry]:
        """The latest matches, newest first."""
        found: list[Entry] = []
        turns = Turns()
        for entry in self.log.search(matches):
            if entry is not None:
                found.append(entry)
                if len(found) == FOUND:
                    break
            await turns.give()
        return found

    def _lines(self, entries: Sequence[Entry]) -> list[str]:
        lines = self._make_view().lines(entries[-FOUND:])
        if len(entries) > FOUND:
            lines.insert(0, f"the last {FOUND} of {len(entries)}")
        return lines

    def _left(self) -> str:
        gone = self.log.dropped
        return f" (the oldest {gone:,} are no longer kept)" if gone else ""

    def _to_copy(self, argument: str) -> tuple[Event, str]:
        language, _, number = argument.partition(" ")
        entry = self._event(int(number)) if number else self._last(self.log.last_sent() or self.log.last())
        return entry.event, language

    # -- the live view --------------------------------------------------------------------------------

    def _steer(self, say: Say) -> str:
        words = say.argument.split()
        match say.command:
            case "all":
                return self.show("all")
            case "only":
                self.selection.only = TypePattern(words)
                said = f"only {', '.join(words)}" if words else "all types"
            case "ignore":
                self.selection.ignore = TypePattern(words)
                said = f"all types except {', '.join(words)}" if words else "all types"
            case "where":
                self.selection.where = _where(say.argument)
                said = f"only where {say.argument}" if say.argument else "all messages"
            case _:
                raise UsageError(f"/{say.command} works only in a recording: tavus-console replay -i FILE")
        if say.command == "where":
            doubts = [
                one.removeprefix("--where: ") for one in where_doubts(self.selection.where, self.log.types())
            ]
        else:
            doubts = TypePattern(words).doubts(self.log.types())
        return "; ".join([f"shown: {said}", *doubts])
