"""``replay -i``: a recording in the console, on a screen emulator."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output

from tavus_cli.commands.join.commander import JoinOptions
from tavus_cli.commands.join.player import Player
from tavus_cli.language.selection import Selection
from tavus_cli.rooms.recorded import RecordedRoom
from tavus_cli.rooms.span import Bound
from tavus_cli.rooms.stepped import SteppedRoom
from tavus_cli.session.environment import Environment
from tavus_cli.terminal.prompt import LivePrompt
from tests.kits.emulator import SECONDS, Terminal
from tests.kits.program import process

START = 1_790_000_000.0
Act = Callable[[Terminal, Callable[[str], None]], Awaitable[None]]


def record(seq: int, turn: int, seconds: float, speech: str, role: str = "pal") -> dict[str, object]:
    message = {
        "message_type": "conversation",
        "event_type": "conversation.utterance",
        "seq": seq,
        "turn_idx": turn,
        "properties": {"role": role, "speech": speech},
    }
    return {"at": START + seconds, "t": seconds, "dir": "in", "from": None, "message": message}


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """Forty turns, ten seconds each: "question 7" and "answer 7" have the numbers 15 and 16."""
    lines = [json.dumps({"recording": 1, "conversation_id": "c1", "target": "sim", "started": START})]
    for turn in range(40):
        lines.append(json.dumps(record(turn * 2 + 1, turn, turn * 10, f"question {turn}.", "user")))
        lines.append(json.dumps(record(turn * 2 + 2, turn, turn * 10 + 1, f"answer {turn}.")))
    path = tmp_path / "talk.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def run(path: Path, act: Act, speed: float | None = 1.0, begin: Bound | None = None) -> Terminal:
    async def main() -> Terminal:
        terminal = Terminal(100, 30)
        output = Vt100_Output(terminal, terminal.size, term="xterm-256color")
        with create_pipe_input() as keys:
            prompt = partial(LivePrompt, input=keys, output=output, frame_seconds=0.001)
            environment = Environment(stdout=io.StringIO(), stderr=io.StringIO(), environ={})

            def opened() -> SteppedRoom:
                return SteppedRoom(RecordedRoom(str(path)))

            player = Player(opened, JoinOptions(Selection()), environment, prompt, speed=speed, begin=begin)
            task = asyncio.create_task(player.run())
            await terminal.shows("F1 keys")
            await act(terminal, keys.send_text)
            keys.send_text("\x15\x04")
            async with asyncio.timeout(SECONDS):
                assert await task == 0
        return terminal

    return asyncio.run(main())


def said(terminal: Terminal) -> list[str]:
    rows = (re.search(r"(?:user|pal) +(\w+ \d+\.)", row) for row in terminal.rows())
    return [row[1] for row in rows if row is not None]


def test_steps_seeks_and_looks(talk: Path) -> None:
    async def act(terminal: Terminal, keys: Callable[[str], None]) -> None:
        await terminal.shows("PAUSED, Enter steps")
        assert said(terminal) == []
        keys("\r")
        await terminal.shows("question 0.")
        keys("/step\r")
        await terminal.shows("answer 0.")
        keys("/seek turn 7\r")
        await terminal.shows("question 7.")
        await terminal.shows("rows skipped")
        keys("/turns\r")
        await terminal.shows("7     +1:10")  # and no later ones: they have not been yet
        assert not any(row.startswith("8 ") for row in terminal.rows())
        keys("/find answer 6\r")
        await terminal.shows("answer 6.")
        keys("/event 14\r")
        await terminal.shows('"speech": "answer 6."')
        keys("/seek seq 4\r")  # back
        await terminal.shows("answer 1.")
        keys("/event 14\r")
        await terminal.shows("✗ no event 14")
        keys("/seek +35s\r")
        await terminal.shows("question 4.")
        keys("/seek end\r")
        await terminal.shows("answer 39.")
        await terminal.shows("END")
        keys("\r/seek start\r")
        await terminal.until(lambda: said(terminal).count("question 0.") == 2)
        await terminal.shows("PAUSED")

    terminal = run(talk, act)
    assert said(terminal).count("question 7.") == 1


def test_a_step_shows_one_row_even_if_a_message_causes_two(talk: Path) -> None:
    """The first number is not 1, so its event is held until the next message arrives."""
    first, *others = talk.read_text().splitlines()
    talk.write_text("\n".join([first, *others[2:5]]) + "\n")

    async def act(terminal: Terminal, keys: Callable[[str], None]) -> None:
        expected = ["question 1.", "answer 1.", "question 2."]
        for count in (1, 2):
            keys("\r")
            await terminal.shows(expected[count - 1])
            assert said(terminal) == expected[:count]
        keys("/seek start\r")
        await terminal.until(lambda: said(terminal).count("question 1.") == 2)
        keys("/play max\r")
        await terminal.shows("the recording has ended")
        assert said(terminal) == [*expected[:2], *expected]

    run(talk, act)


def test_what_cannot_be_done_is_reported_in_one_line(talk: Path) -> None:
    async def act(terminal: Terminal, keys: Callable[[str], None]) -> None:
        for typed, answer in (
            ("hello", "✗ not sent: a recording cannot receive messages"),
            ("/interrupt", "✗ not sent: a recording cannot receive messages"),
            ("/when utterance /interrupt", "✗ /when works only in a conversation"),
            ("exit", "✗ type /quit"),
            ("/seek nowhere", '✗ "nowhere" is not a valid place'),
            ("/seek turn 99", "the recording ends before that; /seek goes back"),
            ("/play fast", "✗ /play SPEED: a number such as 1 or 4, or max"),
            ("/play", "✗ the recording has ended; /seek goes back"),
            ("/help", "/seek PLACE"),
        ):
            keys(f"{typed}\r")
            await terminal.shows(answer)
        assert not any("/respond" in row for row in terminal.rows())
        talk.unlink()
        keys("/seek start\r")
        await terminal.shows("✗ ")
        keys("/last\r")  # all is as it was
        await terminal.shows("answer 39.")

    run(talk, act)


def test_it_plays_and_pauses(talk: Path) -> None:
    async def act(terminal: Terminal, keys: Callable[[str], None]) -> None:
        await terminal.shows("question 3.")  # where it was told to begin
        keys("/play\r")
        await terminal.shows("plays ·")
        await terminal.shows("answer 3.")
        keys("\x1bOS")  # F4
        await terminal.shows("PAUSED")
        keys("/play max\r")
        await terminal.shows("answer 39.")
        await terminal.shows("END")

    terminal = run(talk, act, begin=Bound("turn", 3))
    every = [f"{who} {turn}." for turn in range(3, 40) for who in ("question", "answer")]
    assert said(terminal) == every


@pytest.mark.parametrize(
    ("lines", "last"),
    [
        (1, "END"),  # nothing but the head
        (3, "the last line is incomplete"),
    ],
)
def test_short_and_cut_recordings(talk: Path, lines: int, last: str) -> None:
    whole = talk.read_text().splitlines(keepends=True)[:lines]
    talk.write_text("".join(whole) + (whole[-1][:40] if lines > 1 else ""))

    async def act(terminal: Terminal, keys: Callable[[str], None]) -> None:
        keys("\r\r\r\r")
        await terminal.shows(last)
        await terminal.shows("END")

    run(talk, act)


def test_replay_i_refuses_in_one_line(talk: Path) -> None:
    """Without a terminal, and with options that only apply to printing."""
    for arguments, message in (
        ([str(talk)], "replay -i needs a terminal; without -i, replay prints the recording"),
        (["-"], "give a file, not a pipe"),
        ([str(talk), "--json"], "-i goes without --format, --json"),
    ):
        done = process("replay", "-i", *arguments)
        assert done.status == 2
        assert message in done.err
        assert done.err.count("\n") == 1
