"""No script and no event blocks the event loop: patterns give up, and repetition lets other tasks run."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tavus_cli.errors import ExitStatus, UsageError
from tavus_cli.rooms.recorded import RecordedRoom
from tavus_cli.rooms.sim.room import open_simulated
from tavus_cli.script import runner, scheduled
from tavus_cli.script.live import LiveStage
from tavus_cli.script.model import Mistake
from tavus_cli.script.outcomes import Run
from tavus_cli.script.recorded import RecordedStage
from tavus_cli.script.runner import Limits, Runner, Stage
from tavus_cli.script.statements import TOO_MANY, parse_script
from tavus_cli.session.session import Session
from tests.kits.program import CONSOLE, SECONDS, console, environ

HARD = "a" * 60 + "!"  # text for SLOW, which tries every way to divide it
SLOW = '"(a|aa)+$"'


@dataclass
class Ran:
    result: Run
    ticks: int = 0
    turns: int = 0


def ran(script: str, pal: Path | None = None, recording: Path | None = None, **limits: bool) -> Ran:
    """Run a script in simulated time; ``ticks`` counts the loop iterations of other tasks meanwhile."""
    out = Ran(Run("test", "sim"))
    parsed = parse_script(script)
    assert not parsed.mistakes

    async def tick() -> None:
        while True:
            out.ticks += 1
            await asyncio.sleep(0)

    async def on(stage: Stage) -> None:
        other = asyncio.create_task(tick())
        await Runner(stage, Limits(30.0, **limits), out.result, lambda text: None).run(parsed)
        other.cancel()
        out.turns = stage.turns.given

    async def main() -> None:
        if recording is not None:
            stage = RecordedStage(RecordedRoom(str(recording)))
            await stage.load()
            await on(stage)
            return
        room = open_simulated(f"sim:{pal or ''}?speed=max")
        session = Session(room)
        live = LiveStage(session, 30, lambda text: None)
        async with session:
            await session.pal_ready(30)
            await on(live)

    asyncio.run(main())
    return out


def failures(out: Ran) -> list[str]:
    return [str(one.failure) for one in out.result.failed]


@pytest.fixture
def says(tmp_path: Path) -> Callable[[str], Path]:
    def make(greeting: str, more: str = "") -> Path:
        path = tmp_path / "pal.toml"
        path.write_text(f"greeting = {greeting!r}\n{more}")
        return path

    return make


@pytest.mark.parametrize("what", ["/expect", "/wait", "/expect no"])
def test_a_pattern_that_takes_too_long_fails_its_line(what: str, says: Callable[[str], Path]) -> None:
    out = ran(f"{what} utterance text~{SLOW} within 20s\n/set x 1\n", says(HARD))
    assert len(out.result.outcomes) == 1
    assert "takes too long on a text of 61 characters" in failures(out)[0]
    assert out.result.status == ExitStatus.NOT_MET


def test_of_a_recording_too(says: Callable[[str], Path], tmp_path: Path) -> None:
    record = tmp_path / "run.jsonl"
    script = tmp_path / "s.txt"
    script.write_text("/wait 20s\n")
    console("run", f"sim:{says(HARD)}?speed=max", str(script), "--record", str(record))
    for line in (f"/expect utterance text~{SLOW} from start", f"/when utterance text~{SLOW} /respond hello"):
        assert "takes too long" in failures(ran(line + "\n", recording=record))[0]


def test_a_when_with_a_slow_pattern_fails_and_stops_waiting(says: Callable[[str], Path]) -> None:
    out = ran(f"/when utterance text~{SLOW} /respond x\n/wait 20s\n", says(HARD))
    assert len(failures(out)) == 1
    assert "takes too long" in failures(out)[0]


def test_a_reply_of_the_simulated_pal_whose_pattern_takes_too_long_is_passed_over(
    says: Callable[..., Path],
) -> None:
    pal = says("hi", f'[[reply]]\nmatch = {SLOW}\nsay = "matched"\n')
    out = ran(f'/respond {HARD}\n/expect reply text~"You said" within 20s\n', pal)
    assert failures(out) == []


@pytest.mark.parametrize("greeting", ["(a+)+$", "a.c", "*", "[", "\\", "x" * 900, "a b"])
@pytest.mark.parametrize("assigned", [False, True])
def test_what_came_from_an_event_is_not_a_pattern(
    greeting: str, assigned: bool, says: Callable[[str], Path]
) -> None:
    name = "/set t $a.text\n/expect utterance text~^$t$ from start\n".replace("$ from", "$$ from")
    direct = "/expect utterance text~^${a.text}$$ from start\n"
    out = ran("/expect utterance as a\n" + (name if assigned else direct), says(greeting))
    assert failures(out) == []
    others = ran(
        "/expect utterance as a\n/respond abc\n/expect utterance role=user text~^${a.text}$$ within 5s\n",
        says(greeting),
    )
    assert "did not arrive" in failures(others)[0]


@pytest.mark.parametrize("line", ["/expect $a.text", "/expect ${a.text}1"])
def test_what_came_from_an_event_is_not_a_match_of_its_own(line: str, says: Callable[[str], Path]) -> None:
    script = f"/expect utterance as a\n{line.replace('/expect', '/expect utterance')}\n"
    mistakes = parse_script(script).mistakes
    assert "is not a MATCH" in mistakes[0].message


def test_a_glob_from_an_event_is_a_name(says: Callable[[str], Path]) -> None:
    out = ran("/expect utterance as a\n/expect conversation.${a.text} from start within 1s\n", says("*"))
    assert "did not arrive" in failures(out)[0]


def test_repeating_lets_others_have_their_turn() -> None:
    out = ran("/repeat 300\n  /repeat 100\n    /set x 1\n")
    assert failures(out) == []
    assert out.turns > 10  # 30,300 lines take at least a microsecond each, and 4 ms are a turn
    assert out.ticks >= out.turns


def test_the_lines_of_a_run_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is checked before anything is sent, or during the run if a count is a name."""
    script = "/repeat 100000\n  /repeat 100000\n    /set x 1\n  /set y 1\n"
    assert parse_script(script).mistakes == (Mistake(1, 1, TOO_MANY),)
    assert parse_script("\n" * 2_000_000).mistakes == (
        Mistake(1_000_001, 1, "a script may have 1,000,000 lines"),
    )
    assert parse_script("hi\n" + "a" * 2_000_000).mistakes == (
        Mistake(2, 1, "a line of over 1,000,000 characters"),
    )
    assert not parse_script("/repeat 100000\n  /repeat 9\n").mistakes[1:]
    monkeypatch.setattr(runner, "MOST_LINES", 500)
    for keep_going in (False, True):
        out = ran("/repeat 50\n  /repeat $n\n    /set x 1\n", keep_going=keep_going)
        assert failures(out) == [TOO_MANY]


def test_repeated_lines_can_be_stopped(tmp_path: Path) -> None:
    script = tmp_path / "s.txt"
    script.write_text("/print begun\n/repeat 1000\n  /repeat 990\n    /set x 1\n")
    for number in (signal.SIGINT, signal.SIGTERM):
        with subprocess.Popen(
            [CONSOLE, "run", "sim", str(script)], stdout=subprocess.PIPE, text=True, env=environ()
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
            process.send_signal(number)
            assert process.wait(SECONDS) == 128 + number


def test_what_names_stand_for_is_limited() -> None:
    for line in ("/set y $x$x", "/respond $x$x$x", "/print $x$x", "/expect utterance text=$x$x"):
        out = ran(f"/set x ab\n/repeat 18\n  /set x $x$x\n/set x $x$x\n{line}\n")
        assert failures(out) == ["the values of names have over 1,000,000 characters"]


def test_blocks_are_limited() -> None:
    script = "\n".join(" " * level + "/repeat 1" for level in range(3_000))
    mistakes = parse_script(script).mistakes
    assert "nested too deep: at most 20 /repeat" in [one.message for one in mistakes]


def test_waiting_whens_are_limited() -> None:
    most = scheduled.MOST_WAITING
    assert failures(ran(f"/repeat {most + 1}\n  /when guardrail.triggered /respond x\n"))[0] == (
        f"too many /when wait for their events: at most {most}"
    )


@pytest.mark.parametrize("word", ["*a" * 150, "conversation." + "*" * 300])
def test_types_in_a_script_are_limited(word: str) -> None:
    assert "at most" in parse_script(f"/expect {word}\n").mistakes[0].message


def test_at_the_prompt_too() -> None:
    with pytest.raises(UsageError, match="repeats too much"):
        scheduled.placed("utterance text~((a{100}){100}){100} /respond x")
