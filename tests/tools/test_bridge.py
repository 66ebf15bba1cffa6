"""Tool calls answered by real programs in simulated conversations: once each, and no forged ones."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from tavus_cli.errors import UsageError
from tavus_cli.protocol.interactions import tool_result
from tavus_cli.rooms.room import Participant
from tavus_cli.rooms.sim.room import open_simulated
from tavus_cli.tools.bridge import REMEMBERED, WAITING
from tests.kits.room_kit import until
from tests.kits.tools_kit import Talk, answering, pal, talked
from tests.tools.test_process import alive

HOURS = [("get_hours", {"day": "mon"})]


def talk(room: Any, *tools: str, **options: Any) -> Talk:
    return asyncio.run(talked(room, *tools, **options))


def write(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(0o755)
    return shlex.quote(str(path))


def tools_file(path: Path, text: str) -> str:
    file = path / "tools.toml"
    file.write_text(text)
    return str(file)


# -- what a tool is given and gives ------------------------------------------------------------------------


def test_a_program_answers_and_the_pal_uses_the_answer(tmp_path: Path) -> None:
    done = talk(pal(tmp_path, *HOURS), "get_hours=cat")
    assert done.result == ("success", {"day": "mon"})
    (run,) = done.runs
    assert (run.state, run.sent) == ("answered", "conversation.tool_result")
    assert run.started is not None
    assert run.answered is not None
    assert run.spoken is not None
    assert 0 <= run.started <= run.answered <= run.spoken
    assert [note.split(":")[0] for note in done.notes] == [
        f"tool get_hours {run.call.id} running",
        f"tool get_hours {run.call.id} answered",
    ]
    assert "spoken after " in done.notes[-1]


def test_ids_are_in_the_environment(tmp_path: Path) -> None:
    names = ("TAVUS_TOOL_NAME", "TAVUS_TOOL_CALL_ID", "TAVUS_CONVERSATION_ID")
    program = f"import json, os; print(json.dumps([os.environ[one] for one in {names}]))"
    done = talk(pal(tmp_path, *HOURS), f"*={shlex.join([sys.executable, '-c', program])}")
    ((call_id, (_, output)),) = done.results.items()
    assert json.loads(output) == ["get_hours", call_id, done.session.room.conversation_id]


def test_a_failing_program_is_an_error_result(tmp_path: Path) -> None:
    done = talk(pal(tmp_path, *HOURS), "*=sh -c 'echo closed >&2; exit 2'")
    assert done.result == ("error", "exit status 2: closed")
    assert done.runs[0].state == "failed"


@pytest.mark.parametrize("arguments", ['{"day": ', "[1]", "NaN"])
def test_broken_arguments_are_answered_and_nothing_runs(tmp_path: Path, arguments: str) -> None:
    done = talk(pal(tmp_path, ("get_hours", arguments)), f"*=touch {tmp_path}/ran")
    status, output = done.result
    assert (status, output.startswith("the arguments are")) == ("error", True)
    assert not (tmp_path / "ran").exists()


def test_an_inline_tool_is_answered_as_asked(tmp_path: Path) -> None:
    target = pal(tmp_path, *HOURS, id=False)
    said = {kind: talk(target, "*=echo nine", reply=kind).sent for kind in (None, "echo", "respond", "none")}
    types = {kind: [one["event_type"].partition(".")[2] for one in sent] for kind, sent in said.items()}
    assert types == {None: ["append_llm_context"], "echo": ["echo"], "respond": ["respond"], "none": []}
    assert said["echo"][0]["properties"]["text"] == "nine"


def test_what_is_too_long_is_warned_of_and_cut_only_if_asked(tmp_path: Path) -> None:
    tool = "*=" + shlex.join([sys.executable, "-c", "print('x' * 5000)"])
    whole = talk(pal(tmp_path, *HOURS), tool)
    assert whole.result == ("success", "x" * 5000)
    assert any("over 4,096 it may get lost" in note for note in whole.notes)
    short = talk(pal(tmp_path, *HOURS), tool, cut=True)
    assert short.result[1].endswith("… (cut)")
    assert len(json.dumps(short.sent[0], ensure_ascii=False, separators=(",", ":")).encode()) <= 4096


# -- mocks -------------------------------------------------------------------------------------------------


def test_a_mock_gives_its_outputs_in_turn_and_waits_in_the_rooms_time(tmp_path: Path) -> None:
    file = tools_file(tmp_path, '[[tool]]\nname="*"\noutput=[{n=1}, "two"]\ndelay="3s"\n')
    target = pal(tmp_path, *[("next", {"i": i}) for i in range(3)], every=10.0)
    done = talk(target, file=file)
    assert list(done.results.values()) == [("success", {"n": 1}), ("success", "two"), ("success", "two")]
    at = {run.call.id: run.answered_at - run.call.at for run in done.runs}
    assert all(3.0 <= waited < 3.5 for waited in at.values())


def test_a_mocks_failures_are_by_its_seed(tmp_path: Path) -> None:
    target = pal(tmp_path, *[("next", {"i": i}) for i in range(40)], every=1.0)

    def statuses(seed: int) -> str:
        text = f'[[tool]]\nname="*"\noutput="ok"\nfail=0.5\nseed={seed}\n'
        done = talk(target, file=tools_file(tmp_path, text), max_calls=100)
        return "".join(status[0] for status, _ in done.results.values())

    assert statuses(1) == statuses(1) != statuses(2)
    assert set(statuses(1)) == {"s", "e"}


def test_a_mock_that_is_slower_than_its_timeout(tmp_path: Path) -> None:
    text = '[[tool]]\nname="*"\noutput="ok"\ndelay="5s"\ntimeout="2s"\n'
    assert talk(pal(tmp_path, *HOURS), file=tools_file(tmp_path, text)).result == (
        "error",
        "no result within 2 s",
    )


# -- once, and by the PAL only -----------------------------------------------------------------------------

GUEST = "guest-7"


async def say(talk: Talk, message: Any, sender: str) -> None:
    """Deliver a message as if a participant had sent it."""
    session = talk.session
    session._emit(session.conversation.receive(message, session.room.now(), sender))


def called(call_id: str, **more: Any) -> dict[str, Any]:
    properties = {"name": "get_hours", "arguments": "{}", "tool_call_id": call_id, **more}
    return {"event_type": "conversation.tool_call", "properties": properties}


def test_a_guests_call_is_shown_and_not_run(tmp_path: Path) -> None:
    async def main() -> None:
        async with answering("sim", f"*=touch {tmp_path}/ran") as talk:
            await talk.session.pal_ready(10)
            await say(talk, called("call_1"), GUEST)
            await until(lambda: talk.notes)
            assert talk.notes == ["tool get_hours call_1 unanswered: not from the PAL"]
            await say(talk, called("call_1"), "pal")  # the real one is not hidden by it
            await until(lambda: "call_1" in talk.results)

    asyncio.run(main())
    assert (tmp_path / "ran").exists()


def test_anybody_may_call_where_that_was_asked_for() -> None:
    async def main() -> None:
        async with answering("sim", "*=echo ok", anyone=True) as talk:
            await say(talk, called("call_1"), GUEST)
            await until(lambda: talk.results == {"call_1": ("success", "ok")})

    asyncio.run(main())


def test_no_error_if_somebody_else_answers_first(tmp_path: Path) -> None:
    """Another guest, or this side by hand."""
    go = tmp_path / "go"

    async def main() -> None:
        async with answering("sim", f"*=sh -c 'while [ ! -e {go} ]; do sleep 0.02; done; echo late'") as talk:
            await talk.session.pal_ready(10)
            for call_id in ("call_1", "call_2"):
                await say(talk, called(call_id), "pal")
            other = tool_result("call_1", "theirs").encode("")
            await say(talk, other, GUEST)
            await talk.session.send(tool_result("call_2", "by hand"))
            go.touch()
            await until(lambda: [run.state for run in talk.runs] == ["unanswered"] * 2)
            assert {run.reason for run in talk.runs} == {"somebody else has answered"}
            assert talk.results == {"call_2": ("success", "by hand")}

    asyncio.run(main())


HOSTILE = [
    "../../etc/passwd",
    "..",
    "a\0b",
    "a\nb",
    "x" * 10_000,
    "$(touch ran)",
    "`touch ran`",
    "; touch ran",
    "\ud800",
    "TAVUS=1",
]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_runs_nothing_by_a_wildcard(tmp_path: Path, name: str) -> None:
    async def main() -> None:
        async with answering("sim", f"*=touch {tmp_path}/ran") as talk:
            await talk.session.pal_ready(10)
            await say(talk, called("call_1", name=name), "pal")
            await asyncio.sleep(0)
            assert talk.runs == []

    asyncio.run(main())
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("call_id", [*HOSTILE, "é", "x" * 100_000], ids=range(len(HOSTILE) + 2))
def test_a_hostile_id_is_only_a_value(tmp_path: Path, call_id: str) -> None:
    """It is returned unchanged, and put into the variable if a variable can hold it."""

    async def main() -> str:
        async with answering("sim", "*=sh -c 'echo \"<$TAVUS_TOOL_CALL_ID>\"'") as talk:
            await talk.session.pal_ready(10)
            await say(talk, called(call_id), "pal")
            await until(lambda: talk.results)
            ((answered, (status, output)),) = talk.results.items()
            assert (answered, status) == (call_id, "success")
            return str(output)

    fits = call_id.isprintable() and len(call_id) <= 1_024
    assert asyncio.run(main()) == f"<{call_id if fits else ''}>"


def test_calls_over_the_limit_of_a_turn_are_shown_and_not_run(tmp_path: Path) -> None:
    done = talk(pal(tmp_path, *[("x", {"i": i}) for i in range(7)]), "*=echo ok")
    assert len(done.results) == 5
    assert [run.reason for run in done.runs[5:]] == ["over 5 calls in this turn (--max-calls)"] * 2


LOOP = """
greeting = ""
[tools.again]
id = false
[[at]]
after = 1
user = "begin"
[[reply]]
match = "."
tool = "again"
"""


def test_respond_replies_do_not_loop(tmp_path: Path) -> None:
    """The PAL calls again after everything it hears."""
    file = tmp_path / "loop.toml"
    file.write_text(LOOP)
    done = talk(f"sim:{file}?speed=max", "*=echo ok", reply="respond")
    assert len(done.sent) == 5
    assert done.runs[-1].reason.startswith("over 5 calls")


def test_a_dry_run_says_what_would_run_and_does_nothing(tmp_path: Path) -> None:
    done = talk(pal(tmp_path, *HOURS), f"get_hours=touch {tmp_path}/ran", dry_run=True)
    assert done.sent == []
    assert f'dry run: touch {tmp_path}/ran would run with {{"day":"mon"}}' in done.notes[0]
    assert not (tmp_path / "ran").exists()


# -- many, and leaving -------------------------------------------------------------------------------------


def test_two_hundred_calls_in_a_second_at_most_four_at_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    program = write(
        tmp_path / "tool.sh", f"#!/bin/sh\necho + >> {log}\nread line\necho - >> {log}\necho $line\n"
    )
    target = pal(tmp_path, *[("x", {"i": i}) for i in range(200)], every=0.005, speed="")

    async def main() -> Talk:
        async with answering(target, f"*={program}", max_calls=1_000) as talk:
            await until(lambda: len(talk.results) == 200)
        return talk

    done = asyncio.run(main())
    assert sorted(output["i"] for _, output in done.results.values()) == list(range(200))
    running, most = 0, 0
    for mark in log.read_text().split():
        running += 1 if mark == "+" else -1
        most = max(most, running)
    assert running == 0
    assert 1 <= most <= 4


def test_calls_that_wait_are_bounded() -> None:
    async def main() -> None:
        async with answering("sim", "*=sleep 600", max_calls=10_000) as talk:
            await talk.session.pal_ready(10)
            for number in range(WAITING + 100):
                await say(talk, called(f"call_{number}"), "pal")
            over = [run for run in talk.runs if run.reason == f"over {WAITING:,} calls wait"]
            assert len(over) == 100
            assert len(talk.runs) == REMEMBERED

    asyncio.run(main())


@pytest.mark.parametrize("count", [1, 3])
def test_leaving_stops_what_runs(tmp_path: Path, count: int) -> None:
    pids = tmp_path / "pids"

    async def main() -> None:
        async with answering("sim", f"*=sh -c 'echo $$ >> {pids}; sleep 600'") as talk:
            await talk.session.pal_ready(10)
            for number in range(count):
                await say(talk, called(f"call_{number}"), "pal")
            await until(lambda: pids.exists() and len(pids.read_text().split()) == count)

    asyncio.run(main())
    assert not any(map(alive, map(int, pids.read_text().split())))


# -- again -------------------------------------------------------------------------------------------------


def test_retry_runs_again_what_failed_and_nothing_else(tmp_path: Path) -> None:
    flag = tmp_path / "flag"

    async def main() -> None:
        async with answering("sim", f"*=sh -c 'test -e {flag} && echo ok'") as talk:
            await talk.session.pal_ready(10)
            await say(talk, called("call_1"), "pal")
            await until(lambda: talk.runs and talk.runs[0].state == "failed")
            flag.touch()
            await talk.bridge.retry("call_1")
            await until(lambda: talk.runs[0].state == "answered")
            assert [one["properties"]["status"] for one in talk.sent] == ["error", "success"]
            with pytest.raises(UsageError, match="call_1 was answered already"):
                await talk.bridge.retry("call_1")
            with pytest.raises(UsageError, match="no tool call call_9 is known here"):
                await talk.bridge.retry("call_9")

    asyncio.run(main())


# -- the log -----------------------------------------------------------------------------------------------


def test_the_log_has_what_tavus_advises(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    done = talk(pal(tmp_path, *HOURS), "*=echo nine", log=str(log))
    assert log.stat().st_mode & 0o777 == 0o600
    (line,) = map(json.loads, log.read_text().splitlines())
    (call_id,) = done.results
    expected = {
        "conversation_id": done.session.room.conversation_id,
        "tool": "get_hours",
        "tool_call_id": call_id,
        "arguments": '{"day":"mon"}',
        "event_type": "conversation.tool_call",
        "result": "nine",
        "sent": "conversation.tool_result",
        "state": "answered",
    }
    assert {name: line[name] for name in expected} == expected
    assert line["started_ms"] <= line["answered_ms"]


def test_a_log_that_cannot_be_opened_is_reported_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file or directory"):
        talk("sim", "*=true", log=str(tmp_path / "no" / "log"))


def test_a_participant_that_is_not_the_pal_may_not_call() -> None:
    """Only the participant recognised as the PAL counts."""

    async def main() -> None:
        room = open_simulated("sim")
        async with answering(room, "*=echo ok") as talk:
            await talk.session.pal_ready(10)
            room._participants["g"] = Participant("g", "PAL", "somebody")
            await say(talk, called("call_1"), "g")
            await until(lambda: talk.notes)
            assert talk.results == {}

    asyncio.run(main())
