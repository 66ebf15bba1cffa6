"""``send``: every interaction, and the answer to this one."""

from __future__ import annotations

import asyncio
import io
import json
import wave
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from tavus_cli.commands.send import SendOptions
from tavus_cli.commands.send import send as send_to
from tavus_cli.protocol.interactions import respond
from tavus_cli.rooms.room import Arrival, Received, Room
from tavus_cli.rooms.sim.room import open_simulated
from tavus_cli.session.environment import Environment
from tests.kits.program import Result, console, process

FAST = "sim:?speed=max"


def send(*arguments: str, target: str = FAST, stdin: str = "") -> Result:
    return console("send", target, *arguments, stdin=stdin)


def script(folder: Path, text: str) -> str:
    path = folder / "script.toml"
    path.write_text(text)
    return f"sim:{path}?speed=max"


KINDS = {
    "respond": (["respond", "Hello there"], {"text": "Hello there"}),
    "respond, several words": (["respond", "Hello", "there"], {"text": "Hello there"}),
    "echo": (["echo", "Say it"], {"modality": "text", "text": "Say it", "done": True}),
    "interrupt": (["interrupt"], None),
    "context append": (["context", "append", "Be brief."], {"context": "Be brief."}),
    "context overwrite": (["context", "overwrite", "Be brief."], {"context": "Be brief."}),
    "sensitivity": (["sensitivity", "pause=high"], {"participant_pause_sensitivity": "high"}),
    "tool-result": (
        ["tool-result", "call_1", '{"a": 1}'],
        {"tool_call_id": "call_1", "output": {"a": 1}, "status": "success"},
    ),
    "tool-result --error": (
        ["tool-result", "call_1", "no", "--error"],
        {"tool_call_id": "call_1", "output": "no", "status": "error"},
    ),
    "confirm": (["confirm", "address"], {"objective_name": "address"}),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_interaction_is_sent_as_the_protocol_has_it(name: str) -> None:
    arguments, properties = KINDS[name]
    result = send(*arguments, "--json")
    assert (result.status, result.err) == (0, "")
    told = json.loads(result.out)
    assert told["sent"].get("properties") == properties
    assert told["sent"]["message_type"] == "conversation"
    assert told["answer"] is None


def test_without_json_and_wait_nothing_is_printed() -> None:
    assert send("interrupt") == Result(0, "", "")


def test_raw_goes_out_as_it_is_with_warnings() -> None:
    message = {"message_type": "conversation", "event_type": "conversation.append_context"}
    result = send("raw", json.dumps(message), "--json")
    assert json.loads(result.out)["sent"] == message
    assert "did you mean conversation.append_llm_context?" in result.err


def test_over_four_kilobytes_is_warned_about_and_sent() -> None:
    result = send("respond", "x" * 5_000, "--wait", "reply")
    assert result.status == 0
    assert "over 4,096" in result.err
    assert result.out


def test_the_text_may_come_from_standard_input() -> None:
    told = json.loads(send("respond", "-", "--json", stdin="two\nlines\n").out)
    assert told["sent"]["properties"]["text"] == "two\nlines"


# -- the answer -------------------------------------------------------------------------------------------


def test_the_reply_is_its_words(tmp_path: Path) -> None:
    target = script(tmp_path, '[[reply]]\nmatch = "hours"\nsay = "Nine to five."\n')
    assert send("respond", "your hours?", "--wait", "reply", target=target).out == "Nine to five.\n"


def test_a_tool_call_that_comes_instead_is_the_result() -> None:
    result = send("respond", "What are your hours?", "--wait", "reply")
    assert result.status == 0
    assert result.out.startswith('tool_call get_hours {"day":"today"} call_')


OVERLAP = """respond_waits = true
[[reply]]
match = "first"
say = "The answer to the first, which goes on and on for quite some time while we already ask again."
[[reply]]
match = "second"
say = "The answer to the second."
"""


class Asked:
    """A simulated room in which an older question was asked ``before`` seconds before joining was done.

    ``old`` is what its turn still says after we send.
    """

    def __init__(self, target: str, before: float) -> None:
        self.room = open_simulated(target)
        self._before = before
        self.old: list[str] = []
        self._sent = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.room, name)

    async def join(self) -> None:
        await self.room.join()
        await self.room.alarm(self.room.now() + 1)
        await self.room.send(respond("the first question").encode("sim"))
        await self.room.alarm(self.room.now() + self._before)

    async def send(self, message: dict[str, Any]) -> None:
        self._sent = True
        await self.room.send(message)

    async def arrivals(self) -> AsyncIterator[list[Arrival]]:
        async for batch in self.room.arrivals():
            for one in batch:
                if self._sent and isinstance(one, Received) and one.message.get("turn_idx") == 1:
                    self.old.append(one.message["event_type"])
            yield batch


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 1_000, 250))
def test_an_older_turn_still_being_spoken_is_not_the_answer(tmp_path: Path, first: int) -> None:
    """1,000 conversations with events out of order, twice and late."""
    target = f"{script(tmp_path, OVERLAP)}&reorder=0.3&duplicate=0.2&late=0.1"
    what = SendOptions(respond("the second question"), 60.0, wait="reply")
    wrong, ended = {}, 0
    for seed in range(first, first + 250):
        room, out = Asked(f"{target}&seed={seed}", before=(1 + seed % 25) / 10), io.StringIO()
        status = asyncio.run(send_to(cast(Room, room), what, Environment(stdout=out, environ={})))
        if (status, out.getvalue()) != (0, "The answer to the second.\n"):
            wrong[seed] = out.getvalue()
        ended += "conversation.stopped_speaking" in room.old
    assert wrong == {}
    assert ended > 200  # the others are late, later than our answer


@pytest.mark.parametrize("text", ["[/oops] [bold]x[/bold]", "\x1b]52;c;aGk=\x07", "\u202eevil", "tab\there"])
def test_the_reply_is_shown_as_it_is_and_harmless(tmp_path: Path, text: str) -> None:
    target = script(tmp_path, f"[[reply]]\nmatch = 'x'\nsay = {json.dumps(text)}\n")
    result = send("respond", "x", "--wait", "reply", target=target)
    assert result.status == 0
    assert "\x1b" not in result.out
    assert "\u202e" not in result.out
    if text.isprintable():
        assert result.out == text + "\n"
    told = json.loads(send("respond", "x", "--wait", "reply", "--json", target=target).out)
    assert told["answer"]["properties"]["speech"] == text


def test_a_long_reply_is_one_line_in_a_pipe(tmp_path: Path) -> None:
    target = script(tmp_path, f"[[reply]]\nmatch = 'x'\nsay = '{'long ' * 100}'\n")
    assert process("send", target, "respond", "x", "--wait", "reply", COLUMNS="40").out.count("\n") == 1


def test_an_event_may_be_waited_for() -> None:
    assert send("echo", "Hi", "--wait", "stopped_speaking").out.startswith("stopped_speaking ■")
    told = json.loads(send("respond", "Hi", "--wait", "replica.*", "--json").out)
    assert told["answer"]["event_type"].startswith("conversation.replica.")


def test_an_echo_is_answered_by_its_own_words() -> None:
    assert send("echo", "Exactly this.", "--wait", "reply").out == "Exactly this.\n"


def test_where_time_is_simulated_a_wait_that_cannot_be_met_ends_at_once() -> None:
    result = send("interrupt", "--wait", "reply", "--timeout", "1h")
    assert (result.status, result.out) == (3, "")
    assert result.err == "tavus-console: the reply did not arrive within 3600 s\n"


def test_a_wait_that_is_over_ends_with_3() -> None:
    result = console("send", "sim", "echo", "x", "--wait", "guardrail.triggered", "--timeout", "10ms")
    assert (result.status, result.out) == (3, "")
    assert result.err == "tavus-console: the guardrail.triggered did not arrive within 0.01 s\n"


def test_a_conversation_that_ends_first_ends_with_6() -> None:
    result = send("respond", "x", "--wait", "guardrail.triggered", target=f"{FAST}&leave=3")
    assert result.status == 6
    assert "the conversation is over" in result.err


# -- sound ------------------------------------------------------------------------------------------------


def sound(path: Path, *, seconds: float = 0.5, rate: int = 24_000, width: int = 2, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(b"\x01\x02" * int(seconds * rate * width * channels / 2))
    return path


def test_sound_is_spoken(tmp_path: Path) -> None:
    path = sound(tmp_path / "hello.wav")
    result = send("echo", "--audio", str(path), "--wait", "stopped_speaking", "--json")
    assert (result.status, result.err) == (0, "")
    told = json.loads(result.out)
    assert told["sent"]["properties"]["done"] is True
    assert told["sent"]["properties"]["sample_rate"] == 24_000
    assert told["answer"]["properties"]["duration"] == pytest.approx(0.5, abs=0.05)


def test_other_sound_is_a_clear_error(tmp_path: Path) -> None:
    path = sound(tmp_path / "eight.wav", width=1)
    result = send("echo", "--audio", str(path))
    assert result.status == 2
    assert "16-bit" in result.err


def test_a_reply_to_sound_cannot_be_recognised(tmp_path: Path) -> None:
    result = send("echo", "--audio", str(sound(tmp_path / "a.wav")), "--wait", "reply")
    assert result.status == 2
    assert "stopped_speaking" in result.err
