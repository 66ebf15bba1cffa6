"""The live prompt: frames, keys, leaving, resizing. ``emulator`` looks at the screen after every write."""

from __future__ import annotations

import asyncio

import pytest
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import ColorDepth

from tavus_cli.terminal.frame import Folding
from tavus_cli.terminal.prompt import HINT, LINES
from tavus_cli.terminal.suspend import NO_SHELL
from tests.kits.emulator import SECONDS, Console, numbered, running


def test_the_last_rows_are_live_line_status_and_input() -> None:
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
                (frame,) = console.terminal.writes[before:]
                assert frame.startswith("\x1b[?2026h")  # shown at once by terminals that know how to
                assert frame.endswith("\x1b[?2026l")
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


def test_keys_typed_during_a_flood_all_arrive_in_the_input() -> None:
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
            # A blank at the end of a wrapped piece looks like an empty cell.
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
def test_text_higher_than_the_screen_leaves_the_status_intact(text: str) -> None:
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


def test_ctrl_z_without_a_shell_is_reported_and_types_nothing() -> None:
    async def check() -> None:
        with create_pipe_input() as keys:
            console = Console(keys)
            console.prompt._lending.jobs.has_shell = False  # whatever runs the tests
            task = asyncio.ensure_future(console.prompt.run())
            keys.send_text("a\x1ab\r\x04")
            async with asyncio.timeout(SECONDS):
                await task
            assert console.lines == ["ab"]
            assert console.terminal.rows() == [NO_SHELL]

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


def test_a_resize_is_noticed_before_its_signal() -> None:
    """Also a resize while the prompt is being drawn, when its status is computed."""

    async def check() -> None:
        async with running(columns=80, rows=24) as console:
            console.prompt.print(["first"])
            await console.terminal.shows("first")
            console.terminal.screen.resize(24, 60)
            console.prompt.print(["second"])
            await console.terminal.shows("second")
            assert console.terminal.rows() == ["first", "second", "STATUS", "›"]

            sizes = iter([(24, 40), (24, 50)])

            def status(columns: int) -> str:
                if size := next(sizes, None):
                    console.terminal.screen.resize(*size)
                return "STATUS"

            console.prompt._status = status
            console.live = "speech"
            console.prompt.print(["third"])
            await console.terminal.shows("third")
            assert console.terminal.rows() == ["first", "second", "third", "speech", "STATUS", "›"]

    asyncio.run(check())


@pytest.mark.parametrize(("folding", "up"), [(Folding.NONE, 2), (Folding.TEXT, 3), (Folding.ONCE_USED, 4)])
def test_erasing_includes_rows_that_the_terminal_folded(folding: Folding, up: int) -> None:
    """The live row was long and is short; the status is too long for the new width."""

    async def check() -> None:
        async with running(columns=80, rows=24) as console:
            console.prompt._frame._folding = folding
            console.status = "STATUS " + "s" * 50
            console.live = "l" * 70
            console.prompt.refresh()
            await console.terminal.shows("llll")
            console.live = "short"
            console.prompt.refresh()
            await console.terminal.shows("short")
            console.resize(40, 24)
            assert f"\x1b[{up}A" in console.terminal.writes[-1].split("STATUS")[0]

    asyncio.run(check())


def test_an_idle_prompt_has_no_timer() -> None:
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


def test_lines_above_an_unchanged_prompt_need_no_drawing() -> None:
    async def main() -> list[str]:
        async with running() as console:
            console.keys.send_text("one\x1b[D\x1b[D")
            await console.terminal.input_is("one")
            console.prompt.print(["first"])
            await console.terminal.shows("first")
            drawn = console.prompt._app.render_counter
            for number in range(50):
                console.prompt.print([f"line {number}"])
                await console.terminal.shows(f"line {number}")
            assert console.prompt._app.render_counter == drawn
            console.keys.send_text("X")  # where the cursor stands
            await console.terminal.input_is("oXne")
            console.status = "STATUS 2"
            console.prompt.print(["last"])
            await console.terminal.shows("STATUS 2")
            return console.terminal.rows()

    rows = asyncio.run(main())
    assert [row for row in rows if row.startswith("line")] == [f"line {number}" for number in range(50)]
    assert rows[-1] != "STATUS"
