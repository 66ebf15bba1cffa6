"""``script from``: the script passes on its recording, and on the simulation that was recorded."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.rooms.recorded import RecordedRoom
from tavus_cli.script.recorded import RecordedStage
from tavus_cli.script.writing import MOST_EXPECTED, Writer
from tavus_cli.views.safe import safe
from tests.kits.conversations import few
from tests.kits.program import Result, console

EXAMPLES = sorted((Path(__file__).parent.parent.parent / "examples").glob("*.tavus"))
SIMS = (
    "",
    "&seed=1&reorder=0.3&duplicate=0.2&late=0.1",
    "&seed=2&drop=0.1&gap=0.1&slow=0.7",
    "&seed=3&slow=2",
)
NOTHING = Result(0, "", "")


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_it_passes_on_the_recording_and_on_the_sim_that_made_it(path: Path, tmp_path: Path) -> None:
    script = str(tmp_path / "made.tavus")
    for number, more in enumerate(SIMS):
        target, record = f"sim:?speed=max{more}", str(tmp_path / f"{number}.jsonl")
        console("run", target, str(path), "--record", record, "--keep-going")
        for words in ([], ["--words"]):
            assert console("script", "from", record, "-o", script, *words) == NOTHING
            assert console("run", "--check", script) == NOTHING
            assert console("run", record, script) == NOTHING
            assert console("run", target, script) == NOTHING, (target, Path(script).read_text("utf-8"))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 20))
def test_it_does_with_other_seeds(seed: int, tmp_path: Path) -> None:
    for path in EXAMPLES:
        for more in ("", "&reorder=0.3&duplicate=0.2", "&late=0.2", "&drop=0.1", "&gap=0.2"):
            target, name = f"sim:?speed=max&seed={seed}{more}", f"{path.stem}{more}"
            record, script = str(tmp_path / f"{name}.jsonl"), str(tmp_path / f"{name}.tavus")
            console("run", target, str(path), "--record", record, "--keep-going")
            assert console("script", "from", record, "-o", script) == NOTHING
            assert (console("run", record, script), console("run", target, script)) == (NOTHING, NOTHING)


# -- what stands in it -------------------------------------------------------------------------------------

TYPED = """/wait 2s
What are your hours on Monday?
/expect tool_call as call
/wait 1500ms
/tool-result $call.tool_call_id {"hours": "nine", "day": "$call.arguments.day"}
/expect reply
/wait 200ms
/interrupt
/expect stopped_speaking
"""
LOOSE = """/expect objective.activated
/expect utterance role=pal
/wait 1.737s
/respond What are your hours on Monday?
/expect objective.completed
/expect objective.activated
/expect tool_call name=get_hours arguments.day~ as call1
/wait 1.5s
/tool-result $call1.tool_call_id {"hours":"nine","day":"$call1.arguments.day"}
/expect utterance role=pal
/wait 200ms
/interrupt
/expect stopped_speaking role=pal interrupted=true
"""


def made(record: str, *options: str) -> str:
    """The lines of the script below its head."""
    result = console("script", "from", record, *options)
    assert (result.status, result.err) == (0, "")
    assert result.out.startswith("# ")
    return result.out.partition("\n\n")[2]


def test_it_has_sendings_waits_loose_expectations_and_names(tmp_path: Path) -> None:
    script, record = tmp_path / "typed.tavus", str(tmp_path / "talk.jsonl")
    script.write_text(TYPED)
    console("run", "sim:?speed=max", str(script), "--record", record)
    assert made(record) == LOOSE
    words = made(record, "--words")
    assert "/expect utterance role=pal text=\"Hi, I'm Nora from the Lantern Museum." in words
    assert '/expect tool_call name=get_hours arguments.day="today" as call1\n' in words
    assert made(record, "-o", "-") == LOOSE


def recording(path: Path, *records: tuple[str, float, Any]) -> str:
    """A recording of what came ("in") and was sent ("out"), at so many seconds."""
    head = {"recording": 1, "conversation_id": "c1", "target": "sim", "started": 1000.0}
    lines = [
        {"at": 1000.0 + at, "t": at, "dir": way, "from": None, "message": one} for way, at, one in records
    ]
    path.write_text("".join(json.dumps(one) + "\n" for one in [head, *lines]), encoding="utf-8")
    return str(path)


def came(seq: int, name: str, turn: int = 1, /, **properties: Any) -> dict[str, Any]:
    name = name if "." in name else f"conversation.{name}"
    return {"event_type": name, "seq": seq, "turn_idx": turn, "properties": properties}


def sent(name: str, /, **properties: Any) -> dict[str, Any]:
    event = f"conversation.{name}"
    body: dict[str, Any] = {"message_type": "conversation", "event_type": event, "conversation_id": "c1"}
    return body | ({"properties": properties} if properties else {})


def call(seq: int, name: str, arguments: Any, id: str) -> dict[str, Any]:
    return came(seq, "tool_call", name=name, arguments=json.dumps(arguments), tool_call_id=id)


def test_two_events_that_are_alike_are_distinguished(tmp_path: Path) -> None:
    record = recording(
        tmp_path / "alike.jsonl",
        ("out", 0.0, sent("respond", text="Hours?")),
        ("in", 0.1, came(1, "utterance", role="user", speech="Hours?")),
        ("in", 0.5, call(2, "hours", {"day": "Monday"}, "c-1")),
        ("in", 0.6, call(3, "hours", {"day": "Friday"}, "c-2")),
        ("in", 0.7, call(4, "hours", {"day": "Friday"}, "c-3")),
        ("out", 1.0, sent("tool_result", tool_call_id="c-3", output="x", status="success")),
        ("out", 1.0, sent("tool_result", tool_call_id="c-2", output="x", status="error")),
        ("out", 2.25, sent("tool_result", tool_call_id="c-1", output={"a": ["$5", 1]}, status="success")),
        ("in", 30.0, came(5, "utterance", role="pal", speech="Nine.")),
        ("in", 31.0, came(6, "utterance", role="pal", speech="Ten.")),
        ("in", 32.0, came(7, "system.shutdown", shutdown_reason="x")),
    )
    assert made(record) == (
        "/respond Hours?\n"
        "/expect tool_call name=hours arguments.day~ as call1\n"
        "/expect tool_call name=hours arguments.day~ seq>$call1.seq as call2\n"
        "/expect tool_call name=hours arguments.day~ seq>$call2.seq as call3\n"
        "/wait 300ms\n"
        "/tool-result $call3.tool_call_id x\n"
        "/tool-result $call2.tool_call_id x --error\n"
        "/wait 1.25s\n"
        '/tool-result $call1.tool_call_id {"a":["$$5",1]}\n'
        "/expect utterance role=pal within 52s as answer1\n"
        "/expect utterance role=pal seq>$answer1.seq\n"
        "/expect shutdown\n"
    )


TEXTS = [
    "$call and $$ and ${x} cost $5",
    "/slash",
    "//two",
    "  around  ",
    "two\nlines\r\nand \u2028 more",
    "a\ttab",
    'she said "no" \\ and \\" left',
    "\x1b[31mred\x1b]52;c;aGk=\x07",
    "--audio x.wav",
    "--completed",
    "\ufeffmark \u202eturned 😀 \ue0000\ue001",
    "",
    "# no comment",
    "x" * 5_000,
]
_WIDE = st.text(st.characters(codec="utf-8"), max_size=20)


def of_text(text: str) -> list[dict[str, Any]]:
    """Each interaction that says it."""
    return [
        sent("respond", text=text),
        sent("echo", modality="text", text=text, done=True),
        sent("append_llm_context", context=text),
        sent("append_llm_context", context=text, job_status="completed"),
        sent("overwrite_llm_context", context=text),
        sent("tool_result", tool_call_id="?", output=text, status="error"),
        sent("tool_result", tool_call_id=text, output={"a": {text: [text, 1, None, 1e9]}}, status="success"),
        sent("objective.confirm", objective_name=text),
        sent("new_thing", text=text),
        sent("echo", modality="audio", audio="AAAA", sample_rate=16000, inference_id=text, done=True),
        {"event_type": "conversation.respond", "text": text},
        sent("interrupt"),
        sent("sensitivity", participant_pause_sensitivity=text),
        sent("set_emotion", emotion="fear"),
    ]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_every_sending_is_the_same_again_whatever_it_says(text: str, tmp_path: Path) -> None:
    same_again(tmp_path, text)


@few
@given(_WIDE)
def test_every_sending_is_the_same_again(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    same_again(tmp_path_factory.mktemp("text"), text)


def same_again(folder: Path, text: str) -> None:
    """Sent, and what the PAL said, with its words expected."""
    said = came(1, "utterance", 0, role="pal", speech=text)
    called = call(2, text, {text: text, "k": text}, f"id {text}")
    records = [("in", 0.0, said), ("in", 0.1, called)]
    record = recording(
        folder / "talk.jsonl", *records, *(("out", 1.0 + at, one) for at, one in enumerate(of_text(text)))
    )
    for options in ([], ["--words"]):
        script = made(record, *options)
        assert all(safe(line) == line for line in script.split("\n"))
        (folder / "made.tavus").write_text(script, encoding="utf-8")
        assert console("run", record, str(folder / "made.tavus")) == NOTHING
        assert "cannot be written" not in script


def test_what_is_not_a_recording_of_sendings_is_refused(tmp_path: Path) -> None:
    bare = tmp_path / "bare.jsonl"
    bare.write_text(json.dumps(came(1, "utterance", role="pal", speech="x")) + "\n")
    for file in (str(bare), str(tmp_path / "nowhere.jsonl")):
        result = console("script", "from", file)
        assert (result.status, result.out) == (2, "")
        assert len(result.err.splitlines()) == 1


def said_many_times(folder: Path, count: int) -> str:
    """A recording in which the PAL speaks so often."""
    rows: list[dict[str, Any]] = [{"recording": 1, "conversation_id": "c0ffee", "started": 1790000000.0}]
    for number in range(count):
        spoken = {"role": "pal", "speech": f"number {number}"}
        message = {"event_type": "conversation.utterance", "turn_idx": number, "seq": number}
        rows.append({"at": 1790000000 + number, "dir": "in", "message": message | {"properties": spoken}})
    path = folder / "long.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_a_recording_that_is_too_long(tmp_path: Path) -> None:
    """The work grows with the square of the number of events."""
    result = console("script", "from", said_many_times(tmp_path, MOST_EXPECTED + 1))
    assert (result.status, result.out) == (2, "")
    assert "over 5,000 events to expect" in result.err


def test_signals_come_through_while_it_is_made(tmp_path: Path) -> None:
    async def main() -> int:
        stage = RecordedStage(RecordedRoom(said_many_times(tmp_path, 300)))
        await stage.load()
        before = stage.turns.given
        await Writer(stage, words=False).lines()
        return stage.turns.given - before

    assert asyncio.run(main()) > 0
