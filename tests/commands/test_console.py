"""``join`` on a terminal: the prompt over the simulated room, on a screen emulator."""

from __future__ import annotations

import asyncio
import io
import re
import socket
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output

from tavus_cli.commands.join.commander import JoinOptions
from tavus_cli.commands.join.console import Console
from tavus_cli.commands.join.join import answering
from tavus_cli.language.selection import Selection
from tavus_cli.rooms.room import Room
from tavus_cli.rooms.sim.room import open_simulated
from tavus_cli.session.environment import Environment
from tavus_cli.session.session import Session
from tavus_cli.terminal.prompt import LivePrompt
from tavus_cli.tools.options import ToolOptions
from tests.kits.emulator import SECONDS, Terminal
from tests.kits.program import process
from tests.kits.resident_kit import connected

Act = Callable[[Terminal, Callable[[str], None]], Awaitable[None]]


def run(
    target: str | Room,
    act: Act,
    columns: int = 160,
    rows: int = 30,
    tools: ToolOptions | None = None,
    clipboard: bool = False,
) -> tuple[int, Terminal]:
    """Run the console on a terminal while ``act`` types and looks; returns its exit status."""

    async def main() -> tuple[int, Terminal]:
        terminal = Terminal(columns, rows)
        output = Vt100_Output(terminal, terminal.size, term="xterm-256color")
        with create_pipe_input() as keys:
            prompt = partial(LivePrompt, input=keys, output=output, frame_seconds=0.001)
            session = Session(open_simulated(target) if isinstance(target, str) else target)
            environment = Environment(stdout=io.StringIO(), stderr=io.StringIO(), environ={})
            options = JoinOptions(Selection(), tools=tools, clipboard=clipboard)

            async def joined() -> int:
                async with answering(session, options, environment) as calls:
                    return await Console(session, options, environment, prompt, calls).run()

            task = asyncio.create_task(joined())
            await terminal.shows("·")
            terminal.always = " · "
            await act(terminal, keys.send_text)
            terminal.always = None
            keys.send_text("\x15\x04")  # whatever was typed is cleared; Ctrl-D
            async with asyncio.timeout(SECONDS):
                status = await task
        assert terminal.missing == []
        return status, terminal

    return asyncio.run(main())


def test_a_line_is_answered_above_the_prompt() -> None:
    async def act(terminal: Terminal, keys: Callable[[str], None]) -> None:
        await terminal.shows("PAL present")
        keys("What can you do?\r")
        await terminal.shows("respond What can you do?")
        await terminal.shows("turn 1 ")
        await terminal.shows("reply ")

    status, terminal = run("sim:?speed=20", act)
    assert status == 0
    assert any("pal      " in row for row in terminal.rows())
    assert not any("·" in row for row in terminal.screen.display)  # the prompt is gone, the log stays


async def see_and_retry(terminal: Terminal, keys: Callable[[str], None]) -> None:
    keys("What are your hours?\r")
    await terminal.shows("failed: exit status 3")
    await terminal.shows("answers get_hours after")
    keys("/tools\r")
    await terminal.shows("started  answered  spoken  tool")
    (row,) = [row for row in terminal.rows() if row.startswith("1     failed ")]
    assert row.split()[-2] == "get_hours"
    before = sum("failed: exit status 3" in line for line in terminal.rows())
    keys(f"/retry {row.split()[-1]}\r")
    await terminal.until(lambda: sum("failed: exit status 3" in line for line in terminal.rows()) > before)
    keys("/retry call_9\r")
    await terminal.shows("✗ no tool call call_9 is known here")


TOOL = "get_hours=sh -c 'exit 3'"


def test_a_tool_call_that_is_answered_is_seen_and_can_be_retried() -> None:
    run("sim:?speed=20", see_and_retry, rows=60, tools=ToolOptions((TOOL,)))


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets here")
@pytest.mark.usefixtures("sessions")
def test_the_same_where_a_resident_session_answers_it() -> None:
    started = process("session", "start", "sim:?speed=20", "--tool", TOOL)
    assert (started.status, started.err) == (0, "")
    run(connected(started.out.strip()), see_and_retry, rows=60)


def test_a_flood_is_drawn_in_frames_and_loses_nothing() -> None:
    async def act(terminal: Terminal, keys: Callable[[str], None]) -> None:
        keys("typed meanwhile")
        await terminal.shows("› typed meanwhile")
        await terminal.until(lambda: sum("sim.load" in row for row in terminal.rows()) == 3_000)

    _, terminal = run("sim:?speed=max&burst=3000", act, rows=50)
    # Terminal asserts that every flush follows exactly one write; the status was in each of them.
    assert len(terminal.writes) < 200


def test_help_errors_and_quit() -> None:
    async def act(terminal: Terminal, keys: Callable[[str], None]) -> None:
        keys("/help echo\r")
        await terminal.shows("make the PAL say exactly this")
        keys("/ehco x\r")
        await terminal.shows("did you mean /echo?")
        keys("/expect reply\r")
        await terminal.shows("✗ /expect works only in scripts")
        keys("/sensitivity pause=often\r")
        await terminal.shows("✗")
        keys('/raw {"event_type": "conversation.append_context", "message_type": "conversation"}\r')
        await terminal.shows("did you mean conversation.append_llm_context?")
        keys("/tool-\t")
        await terminal.input_is("/tool-result")
        keys("\x03")
        await terminal.input_is("")
        keys("\x03")
        await terminal.shows("Ctrl-D leaves")

    status, _ = run("sim:?speed=max", act)
    assert status == 0


def test_a_when_fires_while_typing_continues() -> None:
    async def act(terminal: Terminal, keys: Callable[[str], None]) -> None:
        await terminal.shows("PAL present")
        keys("/when utterance role=pal text~twelve as said after 50ms /context append $said.turn\r")
        keys("/when utterence /interrupt\r")
        await terminal.shows('✗ unknown event type "utterence"; did you mean utterance?')
        keys("/when stopped_speaking role=pal turn=1 /interrupt now\r")
        await terminal.shows("✗ ")
        keys("How much is it?\r")
        keys("typed meanwhile")
        await terminal.shows("twelve euros")
        await terminal.shows("append_llm_context 1")
        await terminal.shows("› typed meanwhile")

    status, terminal = run("sim:?speed=20", act)
    assert status == 0
    assert sum("append_llm_context" in row for row in terminal.rows()) == 1


def test_quit_leaves() -> None:
    async def act(terminal: Terminal, keys: Callable[[str], None]) -> None:
        keys("/quit\r")
        await asyncio.sleep(0)

    assert run("sim:?speed=max", act)[0] == 0


@pytest.mark.parametrize("leaves", ["\r", "/quit\r", "\x04"])
def test_after_the_end_the_console_stays_open_and_then_exits_with_6(leaves: str) -> None:
    async def act(terminal: Terminal, keys: Callable[[str], None]) -> None:
        await terminal.shows("Enter or Ctrl-D leaves")
        await terminal.shows("· over ·")
        for typed, answer in (
            ("/stats", "latencies"),
            ("/find nora", "Hi, I'm Nora"),
            ("/turn 0", "↩ twin"),
            ("Hello?", "✗ not sent: the conversation is over"),
        ):
            keys(f"{typed}\r")
            await terminal.shows(answer)
        terminal.always = None
        keys(leaves)
        await terminal.shows("left after 0:03, 1 turn")

    assert run("sim:?speed=max&leave=3", act)[0] == 6


def test_a_bare_word_that_means_a_command_is_not_sent() -> None:
    async def act(terminal: Terminal, keys: Callable[[str], None]) -> None:
        for word in ("exit", "QUIT ", "help"):
            keys(f"{word}\r")
            name = "help" if word == "help" else "quit"
            await terminal.shows(f"✗ not sent: type /{name}, or /respond {word.strip().lower()} to say it")
        keys("/respond exit\r")
        await terminal.shows("respond exit")

    run("sim:?speed=max", act)


def test_the_summary_has_figures_and_the_command_to_continue() -> None:
    async def act(terminal: Terminal, keys: Callable[[str], None]) -> None:
        keys("What are your hours?\r")
        await terminal.shows("call open")
        terminal.always = None
        keys("/quit\r")
        await terminal.shows("continue: ")

    room = open_simulated("sim:?speed=20")
    room.target = "c 1"  # as a conversation's
    status, terminal = run(room, act)
    assert status == 0
    figures, command = terminal.rows()[-2:]
    assert re.fullmatch(r"left after 0:\d\d, \d turns, .*1 tool call unanswered", figures)
    assert command == "continue: tavus-console join 'c 1'"


def test_when_is_confirmed_listed_and_cancelled() -> None:
    async def act(terminal: Terminal, keys: Callable[[str], None]) -> None:
        for typed, answer in (
            ("/when", "no /when is waiting"),
            (
                "/when utterance role=user /interrupt",
                "waiting: /when utterance role=user /interrupt  (/when lists",
            ),
            ("/when tool_call /interrupt", "/when cancel 2 cancels it"),
            ("/when", "2  /when tool_call /interrupt"),
            ("/when cancel 3", "✗ /when cancel N: N is a number that /when lists"),
            ("/when cancel 1", "cancelled: /when utterance role=user /interrupt"),
            ("/when", "1  /when tool_call /interrupt"),
        ):
            keys(f"{typed}\r")
            await terminal.shows(answer)

    run("sim:?speed=max", act)


@pytest.mark.parametrize("rows", [12, 24])
def test_the_menu_has_as_many_rows_as_fit_in_groups(rows: int) -> None:
    async def act(terminal: Terminal, keys: Callable[[str], None]) -> None:
        keys("/")
        await terminal.until(lambda: len(menu(terminal)) == rows - 6)
        assert menu(terminal)[:2] == [["/respond", "talk"], ["/echo", "talk"]]
        keys("c")
        fewer = [["/context", "talk"], ["/confirm", "talk"], ["/copy", "look"]]
        await terminal.until(lambda: menu(terminal) == fewer)

    run("sim:?speed=max", act, columns=80, rows=rows)


def menu(terminal: Terminal) -> list[list[str]]:
    """Command and group of each row."""
    shown = re.compile(r" +/\S+ +(talk|look|filter|session)")
    return [row.split()[:2] for row in terminal.screen.display if shown.match(row)]


@pytest.mark.parametrize(
    ("allowed", "says"),
    [
        (True, "✓ copied, where the terminal allows it"),
        (False, "not on the clipboard: the setting clipboard = true lets /copy put it there"),
    ],
)
def test_copy_says_whether_it_copied(allowed: bool, says: str) -> None:
    async def act(terminal: Terminal, keys: Callable[[str], None]) -> None:
        await terminal.shows("Hi, I'm Nora")
        keys("/copy as shell\r")
        await terminal.shows(says)

    _, terminal = run("sim:?speed=max", act, clipboard=allowed)
    assert any(row.startswith("tavus-console send 'sim:?speed=max' raw") for row in terminal.rows())
    assert any("\x1b]52;" in write for write in terminal.writes) is allowed


def test_a_tool_call_is_counted_until_it_is_answered() -> None:
    async def act(terminal: Terminal, keys: Callable[[str], None]) -> None:
        keys("What are your hours?\r")
        await terminal.shows("1 tool call open")
        row = next(row for row in terminal.rows() if "get_hours" in row)
        call = next(word for word in row.split() if word.startswith("call_"))
        keys(f"/tool-result {call} nine to five\r")
        await terminal.shows("answers get_hours after")
        await terminal.until(lambda: not any("call open" in row for row in terminal.screen.display))
        await terminal.shows("nine to five.")
        keys("/stats\r")
        await terminal.shows("reply after your tool answer  1 ")

    _, terminal = run("sim:?speed=10", act)
    (left,) = [row for row in terminal.rows() if row.startswith("left after ")]
    assert "median reply" not in left  # the only one waited for a person
