"""The live prompt against a terminal emulator: what is on the screen after every single write."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pyte
import pytest
from prompt_toolkit.data_structures import Size
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output.vt100 import Vt100_Output

from tavus_cli.terminal.completer import CommandCompleter
from tavus_cli.terminal.history import ENTRIES, ENTRY_CHARACTERS, open_history
from tavus_cli.terminal.prompt import HINT, LINES, LivePrompt

SECONDS = 20  # no test waits this long unless it fails


class Terminal(io.StringIO):
    """A stream that a prompt writes to, and the screen that shows it after each write."""

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        super().__init__()
        self.screen = pyte.HistoryScreen(columns, rows, history=100_000)
        self._stream = pyte.Stream(self.screen)
        self._unflushed = 0
        self._changed = asyncio.Event()
        self.writes: list[str] = []
        self.always: str | None = None  # must be on the screen after every write from now on
        self.missing: list[str] = []
        self.broken = False

    def write(self, text: str) -> int:
        if self.broken:
            raise OSError(5, "the terminal is gone")
        self.writes.append(text)
        self._unflushed += 1
        self._stream.feed(text)
        return len(text)

    def flush(self) -> None:
        if not self._unflushed:
            return
        assert self._unflushed == 1, "several writes before one flush"
        self._unflushed = 0
        if self.always is not None and not any(self.always in row for row in self.screen.display):
            self.missing.append(self.writes[-1])
        self._changed.set()

    def isatty(self) -> bool:
        return True

    def rows(self) -> list[str]:
        """Everything, from the first line of the scrollback to the last row in use."""
        columns = self.screen.columns
        past = ["".join(line[x].data for x in range(columns)) for line in self.screen.history.top]
        rows = [row.rstrip() for row in [*past, *self.screen.display]]
        while rows and not rows[-1]:
            rows.pop()
        return rows

    def size(self) -> Size:
        return Size(rows=self.screen.lines, columns=self.screen.columns)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for a write after which the condition holds."""
        async with asyncio.timeout(SECONDS):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def another_write(self) -> None:
        before = len(self.writes)
        await self.until(lambda: len(self.writes) > before)

    async def shows(self, text: str) -> None:
        await self.until(lambda: any(text in row for row in self.screen.display))

    async def input_is(self, text: str) -> None:
        await self.until(lambda: any(row.rstrip() == f"› {text}".rstrip() for row in self.screen.display))


class Console:
    """A prompt on a terminal, with what it was asked to show and what it delivered."""

    def __init__(self, keys: PipeInput, columns: int = 80, rows: int = 24, **options: object) -> None:
        self.terminal = Terminal(columns, rows)
        self.keys = keys
        self.status = "STATUS"
        self.live = ""
        self.lines: list[str] = []
        output = Vt100_Output(self.terminal, self.terminal.size, term="xterm-256color")
        self.prompt = LivePrompt(
            status=lambda columns: self.status[:columns],
            live=lambda columns: self.live[:columns],
            on_line=self.lines.append,
            input=keys,
            output=output,
            frame_seconds=0.001,
            **options,  # type: ignore[arg-type]
        )

    def resize(self, columns: int, rows: int) -> None:
        self.terminal.screen.resize(rows, columns)
        self.prompt._app._on_resize()

    async def delivered(self, *lines: str) -> None:
        await self.terminal.until(lambda: len(self.lines) >= len(lines))
        assert self.lines == list(lines)


@contextlib.asynccontextmanager
async def running(columns: int = 80, rows: int = 24, **options: object) -> AsyncIterator[Console]:
    """A prompt that runs for the length of the block and is closed after it."""
    with create_pipe_input() as keys:
        console = Console(keys, columns, rows, **options)
        task = asyncio.ensure_future(console.prompt.run())
        await console.terminal.shows("STATUS")
        console.terminal.always = "STATUS"
        try:
            yield console
        finally:
            console.terminal.always = None
            console.prompt.close()
            async with asyncio.timeout(SECONDS):
                await task
        assert console.terminal.missing == []


def numbered(count: int) -> list[str]:
    return [f"line {number:05d}" for number in range(count)]


def test_area_is_live_line_status_and_input_in_this_order() -> None:
    async def check() -> None:
        async with running() as console:
            console.prompt.print(["above"])
            console.live = "streaming"
            console.prompt.refresh()
            console.keys.send_text("typed")
            await console.terminal.input_is("typed")
            await console.terminal.shows("streaming")
            assert console.terminal.rows() == ["above", "streaming", "STATUS", "› typed"]

            console.live = ""
            console.prompt.print(["final"])
            await console.terminal.shows("final")
            assert console.terminal.rows() == ["above", "final", "STATUS", "› typed"]

    asyncio.run(check())


def test_a_frame_is_one_write() -> None:
    async def check() -> None:
        async with running() as console:
            for number in range(50):
                before = len(console.terminal.writes)
                console.prompt.print([f"one {number}", f"two {number}"])
                console.prompt.print([f"three {number}"])
                console.prompt.refresh()
                await console.terminal.shows(f"three {number}")
                assert len(console.terminal.writes) == before + 1
            assert console.prompt.held == 0

    asyncio.run(check())


def test_flood_comes_out_in_order_in_frames_of_bounded_size() -> None:
    async def check() -> None:
        async with running() as console:
            before = len(console.terminal.writes)
            console.prompt.print(numbered(20_000))
            assert console.prompt.held == 20_000
            await console.terminal.until(lambda: console.prompt.held == 0)
            await console.terminal.shows("line 19999")
            assert console.terminal.rows() == [*numbered(20_000), "STATUS", "›"]
            frames = console.terminal.writes[before:]
            assert len(frames) == 20_000 // LINES
            assert max(frame.count("line") for frame in frames) == LINES

    asyncio.run(check())


def test_keys_typed_during_a_flood_all_arrive_and_none_strays() -> None:
    text = "The quick brown fox jumps over the lazy dog. " * 4

    async def check() -> None:
        async with running(columns=60) as console:
            lines = numbered(len(text) * 5)
            waiting = iter(lines)
            for key in text:
                console.prompt.print([next(waiting) for _ in range(5)])
                console.keys.send_text(key)
                await console.terminal.another_write()
            console.keys.send_text("\r")
            await console.delivered(text)
            await console.terminal.shows(lines[-1])
            await console.terminal.input_is("")
            assert console.terminal.rows() == [*lines, "STATUS", "›"]

    asyncio.run(check())


def test_lines_longer_than_the_terminal_are_wrapped_by_it() -> None:
    lines = [f"{number:03d} " + "x" * (number % 130) for number in range(300)]
    lines[40] = "exactly as wide as the terminal.........".ljust(40, ".")[:40]

    async def check() -> None:
        async with running(columns=40, rows=10) as console:
            for start in range(0, len(lines), 7):
                console.prompt.print(lines[start : start + 7])
                await console.terminal.until(lambda: console.prompt.held == 0)
            wrapped = [line[at : at + 40].rstrip() for line in lines for at in range(0, len(line), 40)]
            # A blank at the end of a wrapped piece is not to be told from an empty cell.
            assert console.terminal.rows() == [*wrapped, "STATUS", "›"]

    asyncio.run(check())


def test_colours_are_passed_on_and_do_not_leak_into_the_prompt() -> None:
    async def check() -> None:
        async with running(color_depth=ColorDepth.DEPTH_4_BIT) as console:
            console.status = "\x1b[31mSTATUS\x1b[0m"
            console.prompt.print(["\x1b[32mgreen"])
            await console.terminal.shows("green")
            screen = console.terminal.screen
            assert screen.buffer[0][0].fg == "green"
            assert screen.buffer[1][0].fg == "red"
            assert screen.buffer[2][0].fg == "default"

    asyncio.run(check())


def test_a_status_that_is_too_wide_takes_one_row() -> None:
    async def check() -> None:
        async with running(columns=40) as console:
            console.prompt._status = lambda _: "STATUS " + "w" * 100 + "\nsecond"
            console.prompt.refresh()
            await console.terminal.shows("STATUS w")
            assert len(console.terminal.rows()) == 2

    asyncio.run(check())


def test_a_failing_status_is_reported_and_the_old_one_stays() -> None:
    async def check() -> None:
        reported: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
        async with running() as console:
            console.prompt._status = lambda _: str(1 // 0)
            console.prompt.print(["goes on"])
            await console.terminal.shows("goes on")
            assert console.terminal.rows() == ["goes on", "STATUS", "›"]
            assert isinstance(reported[0]["exception"], ZeroDivisionError)

    asyncio.run(check())


def test_enter_delivers_and_leaves_nothing_behind() -> None:
    async def check() -> None:
        async with running() as console:
            console.keys.send_text("first\rsecond\r\r   \r")
            await console.delivered("first", "second")
            await console.terminal.input_is("")
            assert console.terminal.rows() == ["STATUS", "›"]

    asyncio.run(check())


def test_paste_keeps_its_newlines_and_alt_enter_makes_one() -> None:
    async def check() -> None:
        async with running() as console:
            console.keys.send_text("\x1b[200~one\r\ntwo\rthree\x1b[201~")
            await console.terminal.shows("three")
            assert console.lines == []
            console.keys.send_text("\x1b\rfour\r")
            await console.delivered("one\ntwo\nthree\nfour")

    asyncio.run(check())


def test_bracketed_paste_is_never_off_while_the_prompt_runs() -> None:
    async def check() -> None:
        async with running() as console:
            for number in range(5):
                console.prompt.print([f"line {number}"])
                await console.terminal.shows(f"line {number}")
            assert not any("\x1b[?2004l" in write for write in console.terminal.writes)
        assert any("\x1b[?2004l" in write for write in console.terminal.writes)

    asyncio.run(check())


@pytest.mark.parametrize("text", ["long " * 100, "\x1b[200~" + "row\n" * 60 + "\x1b[201~"])
def test_text_that_outgrows_the_screen_leaves_the_status_alone(text: str) -> None:
    async def check() -> None:
        async with running(columns=40, rows=12) as console:
            console.keys.send_text(text)
            console.prompt.print(numbered(100))
            await console.terminal.until(lambda: console.prompt.held == 0)
            console.keys.send_text("end")
            await console.terminal.shows("end")
            console.prompt.print(["one more"])
            await console.terminal.until(lambda: console.prompt.held == 0)
            console.keys.send_text("\x03")
            await console.terminal.input_is("")
            console.prompt.print(["last"])
            await console.terminal.shows("last")
            rows = console.terminal.rows()
            assert rows == [*numbered(100), "one more", "last", "STATUS", "›"]

    asyncio.run(check())


def test_ctrl_c_clears_the_line_and_on_an_empty_one_says_how_to_leave() -> None:
    async def check() -> None:
        async with running() as console:
            console.keys.send_text("never mind")
            await console.terminal.input_is("never mind")
            console.keys.send_text("\x03")
            await console.terminal.input_is("")
            assert console.terminal.rows() == ["STATUS", "›"]
            console.keys.send_text("\x03")
            await console.terminal.shows(HINT)
            console.keys.send_text("alive\r")
            await console.delivered("alive")

    asyncio.run(check())


def test_ctrl_z_types_nothing() -> None:
    async def check() -> None:
        async with running() as console:
            console.keys.send_text("a\x1ab\r")
            await console.delivered("ab")

    asyncio.run(check())


def test_ctrl_d_leaves_only_from_an_empty_line_and_all_held_lines_come_out() -> None:
    async def check() -> None:
        with create_pipe_input() as keys:
            console = Console(keys)
            task = asyncio.ensure_future(console.prompt.run())
            keys.send_text("x\x04")
            await console.terminal.input_is("x")
            console.prompt.print(numbered(3000))
            keys.send_text("\x7f\x04")
            async with asyncio.timeout(SECONDS):
                await task
            assert console.prompt.left_by == "eof"
            assert console.prompt.held == 0
            assert console.terminal.rows() == numbered(3000)

    asyncio.run(check())


def test_end_of_input_leaves() -> None:
    async def check() -> None:
        with create_pipe_input() as keys:
            console = Console(keys)
            task = asyncio.ensure_future(console.prompt.run())
            await console.terminal.shows("STATUS")
            keys.close()
            async with asyncio.timeout(SECONDS):
                await task
            assert console.prompt.left_by == "eof"

    asyncio.run(check())


def test_a_terminal_that_is_gone_leaves_without_an_error() -> None:
    async def check() -> None:
        with create_pipe_input() as keys:
            console = Console(keys)
            task = asyncio.ensure_future(console.prompt.run())
            await console.terminal.shows("STATUS")
            console.terminal.broken = True
            console.prompt.print(["into the void"])
            async with asyncio.timeout(SECONDS):
                await task
            assert console.prompt.left_by == "eof"

    asyncio.run(check())


def test_close_prints_what_is_held_and_takes_the_prompt_away() -> None:
    async def check() -> None:
        async with running() as console:
            console.prompt.print(numbered(10))
            console.terminal.always = None
            console.prompt.close()
            console.prompt.close()
        assert console.prompt.left_by == "closed"
        assert console.terminal.rows() == numbered(10)

    asyncio.run(check())


def test_close_from_the_line_that_was_typed_and_before_running() -> None:
    async def check() -> None:
        with create_pipe_input() as keys:
            console = Console(keys)
            console.prompt._on_line = lambda _: console.prompt.close()
            keys.send_text("/quit\r")
            async with asyncio.timeout(SECONDS):
                await console.prompt.run()
            assert console.prompt.left_by == "closed"
            assert console.terminal.rows() == []

        with create_pipe_input() as keys:
            console = Console(keys)
            console.prompt.close()
            await console.prompt.run()
            assert console.prompt.left_by == "closed"

    asyncio.run(check())


def test_cancelled_run_restores_the_terminal_and_prints_what_is_held() -> None:
    async def check() -> None:
        with create_pipe_input() as keys:
            console = Console(keys)
            task = asyncio.ensure_future(console.prompt.run())
            await console.terminal.shows("STATUS")
            console.prompt.print(["held"])
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert console.terminal.rows() == ["held"]

    asyncio.run(check())


def test_print_before_and_after_running_goes_straight_out() -> None:
    async def check() -> None:
        with create_pipe_input() as keys:
            console = Console(keys)
            console.prompt.print(["before"])
            console.prompt.refresh()
            assert console.terminal.rows() == ["before"]
            assert console.prompt.held == 0
            task = asyncio.ensure_future(console.prompt.run())
            await console.terminal.shows("STATUS")
            console.prompt.print(["during"])
            console.prompt.close()
            await task
            console.prompt.print(iter(["after", "the end"]))
            assert console.terminal.rows() == ["before", "during", "after", "the end"]

    asyncio.run(check())


def test_resize_while_printing() -> None:
    async def check() -> None:
        async with running(columns=80, rows=24) as console:
            console.keys.send_text("half a line")
            await console.terminal.input_is("half a line")
            lines = numbered(2000)
            sizes = [(60, 24), (100, 24), (40, 30), (120, 30), (80, 30)]
            for number, (columns, rows) in enumerate(sizes):
                console.prompt.print(lines[number * 400 : number * 400 + 200])
                console.resize(columns, rows)
                console.prompt.print(lines[number * 400 + 200 : number * 400 + 400])
                before = len(console.terminal.writes)
                console.resize(columns, rows)
                assert len(console.terminal.writes) == before + 1
                await console.terminal.until(lambda: console.prompt.held == 0)
            console.keys.send_text(" and the rest")
            await console.terminal.input_is("half a line and the rest")
            assert console.terminal.rows() == [*lines, "STATUS", "› half a line and the rest"]

    asyncio.run(check())


def test_nothing_is_armed_when_nothing_happens() -> None:
    async def check() -> None:
        async with running() as console:
            console.prompt.print(["one"])
            await console.terminal.shows("one")
            await console.terminal.until(lambda: console.prompt.held == 0)
            assert console.prompt._timer is None
            assert console.prompt._app.terminal_size_polling_interval is None

    asyncio.run(check())


def test_the_position_of_the_cursor_is_never_asked_for() -> None:
    async def check() -> None:
        async with running() as console:
            assert console.prompt._app.output.responds_to_cpr
            console.resize(70, 24)
            console.prompt.print(["line"])
            await console.terminal.shows("line")
            assert not any("\x1b[6n" in write for write in console.terminal.writes)

    asyncio.run(check())


def words(before: str) -> Iterator[tuple[str, str]]:
    if " " not in before:
        yield from [("/echo", "say it"), ("/expect", "wait for it"), ("/interrupt", "")]
    else:
        yield from [("--audio", "from a file"), ("--error", "")]


def test_tab_completes_the_current_word() -> None:
    async def check() -> None:
        async with running(completer=CommandCompleter(words)) as console:
            console.keys.send_text("/in\t")
            await console.terminal.input_is("/interrupt")
            console.keys.send_text("\x03/e\t")
            await console.terminal.shows("wait for it")
            console.keys.send_text("\t")
            await console.terminal.input_is("/echo")
            console.keys.send_text("\r")  # takes the word and sends nothing
            await console.terminal.until(
                lambda: not any("wait for it" in row for row in console.terminal.screen.display)
            )
            assert console.lines == []
            console.keys.send_text(" --a\t")
            await console.terminal.input_is("/echo --audio")
            console.keys.send_text("\r")
            await console.delivered("/echo --audio")
            console.keys.send_text("/ECHO\t")
            await console.terminal.input_is("/echo")

    asyncio.run(check())


def test_no_rows_stay_reserved_for_the_menu() -> None:
    async def check() -> None:
        async with running(rows=10, completer=CommandCompleter(words)) as console:
            console.prompt.print(numbered(20))
            await console.terminal.shows("line 00019")
            assert console.terminal.screen.display[-1].startswith("›")

    asyncio.run(check())


def test_history_is_walked_with_the_arrows_and_suggested() -> None:
    async def check() -> None:
        history = InMemoryHistory(["/echo old"])
        async with running(history=history, color_depth=ColorDepth.DEPTH_4_BIT) as console:
            console.keys.send_text("new line\r")
            await console.delivered("new line")
            assert history.get_strings()[-1] == "new line"
            console.keys.send_text("\x1b[A")
            await console.terminal.input_is("new line")
            console.keys.send_text("\x1b[A")
            await console.terminal.input_is("/echo old")
            console.keys.send_text("\x03")
            await console.terminal.input_is("")
            console.keys.send_text("new")
            await console.terminal.input_is("new line")  # "new", and the rest in grey
            console.keys.send_text("\x1b[C\r")
            await console.delivered("new line", "new line")

    asyncio.run(check())


def test_history_file_is_private_and_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "state" / "history"
    history, note = open_history(path)
    assert note is None
    history.append_string("one")
    history.append_string("two\nlines \ud800")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700

    again, note = open_history(path)
    assert note is None
    assert list(again.load_history_strings()) == ["two\nlines \ud800", "one"]


def test_history_file_is_bounded_and_made_private(tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.touch(mode=0o644)
    history, _ = open_history(path)
    assert path.stat().st_mode & 0o777 == 0o600
    history.append_string("x" * (ENTRY_CHARACTERS + 1))
    for number in range(2 * ENTRIES + 1):
        history.append_string(str(number))

    again, note = open_history(path)
    assert note is None
    assert len(list(again.load_history_strings())) == ENTRIES
    assert path.read_bytes().count(b"\n") == ENTRIES
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["history"]


def test_history_survives_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_bytes(b'"good"\n\xff\xfe\n{"not": "ours"}\n"cut of')
    history, note = open_history(path)
    assert list(history.load_history_strings()) == ["good"]
    assert note is not None
    assert "3 damaged lines" in note
    history.append_string("next")
    again, note = open_history(path)
    assert note is None
    assert list(again.load_history_strings()) == ["next", "good"]


def test_history_leaves_a_file_alone_that_is_something_else(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("my notes\n")
    history, note = open_history(path)
    assert note is not None
    history.append_string("typed")
    assert path.read_text() == "my notes\n"


@pytest.mark.parametrize("name", ["folder", "file/history"])
def test_history_falls_back_to_memory(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    history, note = open_history(tmp_path / name)
    assert note is not None
    assert "this session only" in note
    history.append_string("kept")
    assert history.get_strings() == ["kept"]


def test_history_goes_on_when_the_file_cannot_be_written_any_more(tmp_path: Path) -> None:
    path = tmp_path / "history"
    history, _ = open_history(path)
    path.unlink()
    path.mkdir()
    history.append_string("kept")
    assert history.get_strings() == ["kept"]
