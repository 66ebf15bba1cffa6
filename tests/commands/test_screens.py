"""Each element of the view at 40, 80, 200 and 300 columns, with a room that the test controls."""

from __future__ import annotations

import asyncio
import io
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output
from rich.cells import cell_len

from tavus_cli.commands.join.commander import JoinOptions
from tavus_cli.commands.join.console import LONG_LINE, Console
from tavus_cli.language.selection import Selection
from tavus_cli.protocol.snapshot import Snapshot
from tavus_cli.rooms.room import Arrival, Inbox, Participant, Received
from tavus_cli.session.environment import Environment
from tavus_cli.session.session import Session
from tavus_cli.terminal.prompt import LivePrompt
from tests.kits.conversations import START, message
from tests.kits.emulator import SECONDS, Terminal

UTTERANCE, STREAMING = "conversation.utterance", "conversation.utterance.streaming"
NARROW = 40
COLUMNS = (NARROW, 80, 200, 300)


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


class PlayedRoom:
    """A room whose messages and clock the test controls."""

    target = conversation_id = "c7f3a91d20be4b58"
    live = timed = True
    leaving_may_end = False
    via = ""

    def __init__(self) -> None:
        self.time = START
        self.inbox = Inbox()
        self.participants: Mapping[str, Participant] = {}

    def now(self) -> float:
        return self.time

    async def join(self) -> None: ...

    async def send(self, message: dict[str, Any]) -> None: ...

    async def leave(self) -> None:
        self.inbox.close()

    def arrivals(self) -> AsyncIterator[list[Arrival]]:
        return self.inbox.batches()


class Screen:
    """Lets a test receive events, type, and look at the screen."""

    def __init__(self, room: PlayedRoom, terminal: Terminal, keys: Callable[[str], None]) -> None:
        self._room, self.terminal, self.keys = room, terminal, keys
        self._seq = 0
        self._begun = False

    def comes(self, kind: str, at: float = 0.0, /, *, seq: Any = None, **fields: Any) -> None:
        """An event, ``at`` seconds after the start, with the next number."""
        self._seq = self._seq + 1 if seq is None else seq
        self._room.time = max(self._room.time, START + at)
        if not self._begun:  # nothing is held for the start: its number comes next
            self._begun = True
            self._room.inbox.put(Snapshot(seq=self._seq - 1))
        self._room.inbox.put(Received(message(kind, seq=self._seq, **fields), START + at))

    def passes(self, seconds: float) -> None:
        self._room.time = START + seconds

    def typed(self, line: str) -> None:
        self.keys(line + "\r")

    @property
    def columns(self) -> int:
        return int(self.terminal.screen.columns)

    @property
    def log(self) -> str:
        """Everything above the prompt, unwrapped; runs of blanks and line ends become one blank."""
        rows = self.terminal.rows()
        while rows and not rows.pop().startswith("›"):
            pass
        wrapped = (row + " " * (self.columns - cell_len(row)) for row in rows)
        return re.sub(r"\s+", " ", "".join(wrapped))

    @property
    def status(self) -> str:
        rows = self.terminal.rows()
        return rows[-2] if len(rows) > 1 else ""

    async def shows(self, *texts: str) -> None:
        await self.terminal.until(lambda: all(text in self.log for text in texts))

    async def row_is(self, row: str) -> None:
        await self.terminal.until(lambda: row in self.terminal.rows())

    def at(self, seconds: float, of_turn: float | None = None) -> str:
        """The beginning of a row, given the seconds since the start and since the beginning of its turn."""
        clock = time.strftime("%H:%M:%S", time.gmtime(START + seconds))
        if self.columns == NARROW:
            return clock
        if self.columns == 80:
            return clock if of_turn is None else f"{clock} {of_turn:+.1f}"
        after = "" if of_turn is None else f" {of_turn:+.3f}"
        return f"{clock}.{round(seconds % 1 * 1000):03d}{after}"


Play = Callable[[Screen], Awaitable[None]]
ELEMENTS: dict[str, Play] = {}


def element(play: Play) -> Play:
    ELEMENTS[play.__name__] = play
    return play


# -- what is said ------------------------------------------------------------------------------------------


@element
async def speech_grows_in_one_row_until_it_is_final(screen: Screen) -> None:
    for at, words in ((0.1, "Where"), (0.2, "Where do I"), (0.3, "Where do I find")):
        screen.comes(STREAMING, at, turn=1, inference="u", role="user", speech=words, final=False)
        await screen.row_is(f"user     {words}")
        assert screen.terminal.rows()[-3:] == [f"user     {words}", screen.status, "›"]
    screen.comes(UTTERANCE, 0.4, turn=1, inference="u", role="user", speech="Where do I find it?")
    await screen.shows(f"{screen.at(0.4, 0.0)} user Where do I find it?")
    assert screen.log.count("Where") == 1
    assert len([row for row in screen.terminal.rows() if row.startswith("user ")]) == 0


@element
async def of_long_speech_the_last_words_are_seen(screen: Screen) -> None:
    words = " ".join(f"word{number}" for number in range(100))
    screen.comes(STREAMING, turn=1, inference="p", role="pal", speech=words, final=False)
    await screen.terminal.until(lambda: screen.terminal.rows()[-3].endswith("word98 word99"))
    assert screen.terminal.rows()[-3].startswith("pal      …")


@element
async def what_was_cut_is_told_from_what_was_said_without_colour(screen: Screen) -> None:
    said, meant = "You can return it", "You can return it within thirty days."
    screen.comes("conversation.started_speaking", turn=1, inference="p", role="pal")
    screen.comes(UTTERANCE, 0.1, turn=1, inference="p", role="pal", speech=meant)
    fields = {"role": "pal", "speech": said, "content_index": 0, "final": True, "is_interrupted": True}
    screen.comes(STREAMING, 2.0, turn=1, inference="p", **fields)
    screen.comes(
        "conversation.stopped_speaking",
        2.1,
        turn=1,
        inference="p",
        role="pal",
        duration=2.1,
        interrupted=True,
    )
    await screen.shows('pal ✂ after "…return it"' if screen.columns == NARROW else f'pal ✂ after "{said}"')
    screen.typed("/turn 1")
    await screen.shows(f"pal {said} ✂ interrupted (cut: within thirty days.)", "pal ■ 2.10 s ✂ interrupted")
    assert screen.log.count("✂ after") == 1


@element
async def a_typed_line_is_quiet_until_it_comes_back(screen: Screen) -> None:
    screen.typed("What are your hours?")
    await screen.row_is("you      What are your hours?")
    assert "you respond" not in screen.log
    screen.comes(UTTERANCE, 0.2, turn=1, inference="u", role="user", speech="What are your hours?")
    await screen.shows("you respond What are your hours? heard in 200 ms")
    await screen.terminal.until(lambda: not screen.terminal.rows()[-3].startswith("you"))
    assert screen.log.count("What are your hours?") == 1


@element
async def foreign_scripts_leave_the_prompt_where_it_is(screen: Screen) -> None:
    for number, words in enumerate(("時間" * 40, "🎉 done 👍", "שלום עולם", "é" * 90), start=1):
        screen.comes(STREAMING, turn=number, inference=f"p{number}", role="pal", speech=words, final=False)
        await screen.terminal.until(lambda: screen.terminal.rows()[-3].startswith("pal "))
        screen.comes(UTTERANCE, turn=number, inference=f"p{number}", role="pal", speech=words)
        screen.comes(STREAMING, turn=number, inference=f"p{number}", role="pal", speech=words, final=True)
        await screen.terminal.until(lambda: not screen.terminal.rows()[-3].startswith("pal "))
        assert screen.terminal.rows()[-1] == "›"
        assert "PAL present" in screen.status
    await screen.shows("שלום עולם", "pal 🎉 done 👍")
    assert "".join(row.strip() for row in screen.terminal.rows()).count("時間") == 40


@element
async def a_long_text_is_broken_between_words(screen: Screen) -> None:
    words = [f"word{number:03}" for number in range(60)]
    screen.comes(UTTERANCE, turn=1, inference="p", role="pal", speech=" ".join(words))
    await screen.terminal.shows("word059")
    rows = [row for row in screen.terminal.rows() if "word" in row]
    assert [word for row in rows for word in row.split() if word.startswith("word")] == words
    hang = {NARROW: 4, 80: 22}.get(screen.columns, 33)
    assert {len(row) - len(row.lstrip()) for row in rows[1:]} <= {hang}


@element
async def speech_as_it_grew_takes_a_row_each_in_a_turn(screen: Screen) -> None:
    words = [f"word{number:03}" for number in range(60)]
    for count in (20, 40, 60):
        speech = " ".join(words[:count])
        screen.comes(STREAMING, turn=1, inference="p", role="pal", speech=speech, final=False)
    screen.comes(UTTERANCE, turn=1, inference="p", role="pal", speech=" ".join(words))
    await screen.terminal.shows("word059")
    screen.keys("/turn 1\r")
    await screen.terminal.until(lambda: sum("partial" in row for row in screen.terminal.rows()) >= 3)
    rows = screen.terminal.rows()
    marked = [number for number, row in enumerate(rows) if "partial" in row]
    each = 1 if screen.terminal.screen.columns > NARROW else 2  # there is no room for a word beside the marks
    assert [after - before for before, after in pairwise(marked)] == [each, each]
    assert "019" in "".join(rows[marked[0] : marked[0] + each])


@element
async def a_filter_is_told_while_it_holds(screen: Screen) -> None:
    screen.comes(UTTERANCE, turn=1, inference="p", role="pal", speech="Hi")
    await screen.terminal.shows("Hi")
    assert "filtered" not in screen.status
    screen.keys("/only utterance\r")
    await screen.terminal.until(lambda: "filtered" in screen.status)
    screen.keys("/only\r")
    await screen.terminal.until(lambda: "filtered" not in screen.status)


@element
async def what_answers_nothing_is_doubted_and_sent(screen: Screen) -> None:
    screen.keys("/tool-result call_x done\r")
    await screen.terminal.shows("warning: tool call call_x is not open")
    await screen.terminal.shows("tool_result call_x")
    screen.keys("/confirm nothing\r")
    await screen.terminal.shows("warning: objective nothing has not been")


@element
async def an_error_is_broken_between_words(screen: Screen) -> None:
    screen.keys("/sensitivity pause=loud\r")
    await screen.terminal.shows("pause=VALUE")
    said = " ".join(" ".join(screen.terminal.rows()).split())
    assert '"loud" is not one of superlow, verylow, low, medium, high, auto; usage: /sensitivity' in said


# -- turns and marks ---------------------------------------------------------------------------------------


@element
async def a_turn_begins_with_a_rule_as_wide_as_the_terminal(screen: Screen) -> None:
    screen.comes(UTTERANCE, 0.0, turn=1, inference="u", role="user", speech="Hi")
    screen.comes("conversation.started_speaking", 1.14, turn=1, inference="p", role="pal")
    screen.comes(UTTERANCE, 3.0, turn=2, inference="v", role="user", speech="And then?")
    await screen.shows("pal ▶ speaking reply 1.14 s", "And then?")
    screen.comes("conversation.stopped_speaking", 3.0, turn=1, inference="p", role="pal", duration=1.9)
    screen.comes(UTTERANCE, 4.0, turn=3, inference="w", role="user", speech="And now?")
    await screen.shows("And now?")
    first, second, third = (row for row in screen.terminal.rows() if row.startswith("──"))
    assert len(first) == len(second) == len(third) == screen.columns
    assert re.fullmatch("── turn 1 ─+", first)
    assert re.fullmatch("── turn 2 ─+ turn 1: reply 1.14 s ──", second)
    assert re.fullmatch("── turn 3 ─+", third)


@element
async def marks_of_numbers(screen: Screen) -> None:
    screen.comes(UTTERANCE, 0.0, turn=1, inference="a", role="user", speech="one")
    screen.comes(UTTERANCE, 0.1, seq=5, turn=2, inference="b", role="user", speech="five")
    screen.passes(1.0)  # the hold is over
    await screen.shows("gap seq 2–4", "five")
    screen.comes(UTTERANCE, 1.2, seq=3, turn=1, inference="c", role="user", speech="three")
    await screen.shows("user ↩ turn 1, late three")
    screen.comes(UTTERANCE, 1.3, seq=5, turn=2, inference="d", role="user", speech="another five")
    await screen.shows("↩ seq 5 again, with different content another five")
    screen.comes(UTTERANCE, 1.4, seq=5, turn=2, inference="b", role="user", speech="five")
    screen.comes(UTTERANCE, 1.4, seq=3_000, turn=2, inference="e", role="user", speech="far")
    screen.passes(2.0)
    await screen.shows("gap seq 6–2999", "far")
    for number in (1, 2):
        screen.comes(
            UTTERANCE, 3.0, seq=number, turn=1, inference=f"n{number}", role="user", speech=f"anew {number}"
        )
    await screen.shows("note the counter restarted: seq 3001 was next, 1 came", "anew 1", "anew 2")
    assert screen.log.count("user five ") == 1
    assert "2 gaps" in screen.status


# -- tools and perception ----------------------------------------------------------------------------------


@element
async def a_tool_call_ages_gets_loud_and_is_answered(screen: Screen) -> None:
    call = {"name": "get_hours", "arguments": '{"day":"mon"}', "tool_call_id": "call_1"}
    screen.comes("conversation.tool_call", turn=1, inference="u", **call)
    await screen.shows('tool get_hours {"day":"mon"} call_1')
    await screen.terminal.until(lambda: "1 tool call open" in screen.status)
    screen.passes(4.0)
    screen.typed("/tools")
    await screen.shows("turn state tool call id a", "1 waits 0:04 get_hours call_1")
    screen.passes(5.0)
    await screen.terminal.until(lambda: "!! get_hours waits 0:05" in screen.status)
    screen.typed("/tools")
    await screen.shows("1 !! waits 0:05 get_hours")
    screen.passes(6.5)
    screen.typed("/tool-result call_1 nine to five")
    await screen.shows("you tool_result call_1 success nine to five answers get_hours after 6.50 s")
    await screen.terminal.until(lambda: "get_hours" not in screen.status)
    screen.typed("/tools")
    await screen.shows("1 answered in 6.50 s get_hours")


@element
async def frames_are_cut_to_type_and_size(screen: Screen) -> None:
    frames = [{"mime_type": "image/jpeg", "data": "A" * 4_000}]
    screen.comes(
        "conversation.perception_tool_call",
        turn=1,
        name="wave",
        arguments="{}",
        tool_call_id="c1",
        modality="vision",
        frames=frames,
    )
    await screen.shows("sees wave {} c1 (vision) [image/jpeg 3,000 B]")
    screen.typed("/last")
    await screen.shows('"data": "(3,000 B)"')
    assert "AAAA" not in screen.log


# -- all of it ---------------------------------------------------------------------------------------------


@element
async def a_long_value_is_shortened_and_can_be_seen(screen: Screen) -> None:
    words = "a" * LONG_LINE + "the rest of it"
    screen.comes(UTTERANCE, seq=7, turn=1, inference="u", role="user", speech=words)
    await screen.shows("… (14 more characters; /event 7 shows all)")
    assert "the rest of it" not in screen.log
    for number, line in enumerate(("/event 7", "/last", "/turn 1"), start=1):
        screen.typed(line)
        await screen.terminal.until(lambda: screen.log.count("the rest of it") == number)  # noqa: B023


@element
async def the_status_line_is_one_row_that_says_what_matters(screen: Screen) -> None:
    screen.comes(UTTERANCE, 0.0, turn=12, inference="u", role="user", speech="Hi")
    screen.comes("conversation.started_speaking", 1.14, turn=12, inference="p", role="pal")
    screen.comes("system.pal_present", 1.2, seq=9)
    screen.passes(125.0)
    await screen.terminal.until(lambda: "1 gap" in screen.status and screen.status.startswith(" "))
    wanted = ["PAL speaks", "1 gap"]
    if screen.columns >= 80:
        wanted += ["turn 12", "reply 1.14 s", "● recording"]
    if screen.columns >= 200:
        wanted += ["c7f3a91d20be4b58", "2:05", "F1 keys"]
    await screen.terminal.until(lambda: all(part in screen.status for part in wanted))
    assert "…" not in screen.status
    screen.terminal.always = None
    screen.keys("\x1bOS")  # F4
    await screen.terminal.until(lambda: "PAUSED, 0 waiting, F4 resumes" in screen.status)


@element
async def the_keys_are_told_in_whole_words(screen: Screen) -> None:
    screen.typed("/last")  # so that the line is empty, and the answer above it
    await screen.shows("✗ no messages yet")
    screen.keys("?")
    await screen.shows(
        "F4 pause the view, and resume it; the events between are kept", "edit the line in $EDITOR"
    )
    for word in ("suspend;", "meanwhile", "suggestion", "$EDITOR"):
        assert any(word in row for row in screen.terminal.rows())


@element
async def tables(screen: Screen) -> None:
    for turn in range(3):
        at = turn * 60.0
        screen.comes(UTTERANCE, at, turn=turn, inference=f"u{turn}", role="user", speech="Hi")
        screen.comes(
            "conversation.started_speaking", at + 0.5 + turn, turn=turn, inference=f"p{turn}", role="pal"
        )
    screen.passes(at + 4)
    await screen.shows("reply 2.50 s")
    screen.typed("/turns")
    await screen.shows(
        "turn began reply spoke first words 0 +0:00 0.50 s – Hi 1 +1:00 1.50 s – Hi 2 +2:00 2.50 s – Hi"
    )
    screen.typed("/stats")
    await screen.shows("count p50 p95 max reply 3 1.50 s 2.50 s 2.50 s")


# -- and the screens ---------------------------------------------------------------------------------------


def on_a_screen(play: Play, columns: int, what: JoinOptions) -> Terminal:
    room, terminal = PlayedRoom(), Terminal(columns, 40)

    async def main() -> None:
        output = Vt100_Output(terminal, terminal.size, term="xterm-256color")
        with create_pipe_input() as keys:
            prompt = partial(LivePrompt, input=keys, output=output, frame_seconds=0.001)
            environment = Environment(stdout=io.StringIO(), stderr=io.StringIO(), environ={})
            console = Console(Session(room), what, environment, prompt)
            task = asyncio.create_task(console.run())
            await terminal.shows("no PAL yet")
            await play(Screen(room, terminal, keys.send_text))
            keys.send_text("\x15\x04")  # whatever was typed is cleared; Ctrl-D
            async with asyncio.timeout(SECONDS):
                assert await task == 0

    asyncio.run(main())
    return terminal


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("name", ELEMENTS)
def test_the_view_on_a_screen(name: str, columns: int) -> None:
    on_a_screen(ELEMENTS[name], columns, JoinOptions(Selection(), record="r.jsonl"))


def test_the_view_warns_when_old_events_are_dropped() -> None:
    async def play(screen: Screen) -> None:
        for number in range(6):
            screen.comes(UTTERANCE, role="user", speech=f"number {number}")
        await screen.shows("number 5")
        screen.typed("/find number 0")
        await screen.shows("nothing among 3 entries matches (the oldest 3 are no longer kept)")
        told = "from now on /find, /event and /turn know only the last 3 events"
        assert screen.log.count(told) == 1

    on_a_screen(play, 200, JoinOptions(Selection(), events_kept=3))


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("/confirm num", "/confirm number_of_visitors"),
        ("/confirm two", "/confirm two"),
        ("/tool-result call_", "/tool-result call_1"),
        ("/sensitivity pause=ver", "/sensitivity pause=verylow"),
        ("/only utterance.", "/only utterance.streaming"),
    ],
)
def test_tab_completes_plain_words_from_events(typed: str, completed: str) -> None:
    async def play(screen: Screen) -> None:
        for name in ("number_of_visitors", "two words", "twö\x1b[2J"):
            screen.comes("conversation.objective.pending", objective_name=name)
        screen.comes("conversation.tool_call", name="look", tool_call_id="call_1", arguments="{}")
        screen.comes("conversation.tool_call", name="look", tool_call_id="call_ 2", arguments="{}")
        await screen.terminal.until(lambda: "2 tool calls open" in screen.status)
        screen.keys(f"{typed}\t")
        await screen.terminal.input_is(completed)

    on_a_screen(play, 80, JoinOptions(Selection()))


@pytest.mark.parametrize("clipboard", [True, False])
def test_what_does_not_fit_onto_the_clipboard_is_reported(clipboard: bool) -> None:
    async def play(screen: Screen) -> None:
        screen.comes(UTTERANCE, seq=1, role="user", speech="short")
        screen.comes(UTTERANCE, seq=2, role="user", speech="long" * 20_000)
        await screen.shows("short", "/event 2 shows all")
        screen.typed("/copy as json 1")
        await screen.shows('"speech":"short"')
        screen.typed("/copy as json 2")
        await screen.shows('longlong"')
        screen.typed("/turns")
        await screen.shows("no turns yet")
        told = "✗ not on the clipboard: terminals take 74,994 bytes at most"
        assert (told in screen.log) == clipboard

    terminal = on_a_screen(play, 200, JoinOptions(Selection(), clipboard=clipboard))
    assert "".join(terminal.writes).count("\x1b]52;c;") == clipboard
