"""One script on every kind of room: the simulation, a resident session, a recording, Daily."""

from __future__ import annotations

from pathlib import Path

import pytest

from tavus_cli.resident import sockets as runtime
from tests.kits.command_kit import URL, faked
from tests.kits.fake_daily import Scenario
from tests.kits.program import Result, console, process
from tests.kits.resident_kit import start

SCRIPT = """/respond What are your hours?
/expect tool_call name=get_hours within 5s as call
/tool-result $call.tool_call_id {"hours": "9 to 5"}
/expect reply text~"9 to 5" within 10s as answer
/print $call.name: $answer.text
/expect no guardrail.triggered
"""
SAID = Result(0, 'get_hours: Here is what I found: {"hours":"9 to 5"}.\n', "")


def event(name: str, seq: int, /, **properties: object) -> dict[str, object]:
    return {
        "message_type": "conversation",
        "event_type": f"conversation.{name}",
        "seq": seq,
        "turn_idx": 1,
        "properties": properties,
    }


ANSWERS = {
    "conversation.respond": [
        event("utterance", 1, role="user", speech="What are your hours?"),
        event("tool_call", 2, name="get_hours", arguments="{}", tool_call_id="c1"),
    ],
    "conversation.tool_result": [
        event("utterance", 3, role="pal", speech='Here is what I found: {"hours":"9 to 5"}.')
    ],
}


@pytest.fixture
def script(tmp_path: Path) -> str:
    path = tmp_path / "hours.tavus"
    path.write_text(SCRIPT)
    return str(path)


def test_on_the_simulation_and_on_its_recording(script: str, tmp_path: Path) -> None:
    record = str(tmp_path / "run.jsonl")
    assert console("run", "sim:?speed=max", script, "--record", record) == SAID
    assert console("run", record, script) == SAID


@pytest.mark.skipif(not runtime.supported(), reason="no Unix sockets here")
@pytest.mark.usefixtures("sessions")
def test_on_a_resident_session_again_and_again_and_on_its_recording(script: str, tmp_path: Path) -> None:
    record = str(tmp_path / "run.jsonl")
    start("sim:?speed=20", "--record", record)
    for _ in range(3):
        assert console("run", "sim:?speed=20", script) == SAID
    console("session", "stop")
    assert console("run", record, script) == SAID


def test_on_daily(script: str) -> None:
    result = process("run", URL, script, **faked(Scenario(answers=ANSWERS)))
    assert (result.status, result.out) == (SAID.status, SAID.out)
    assert "leaving as the last guest may end the conversation" in result.err
