"""``run``: scripts in simulated rooms and on recordings, their reports, and finding the right turn."""

from __future__ import annotations

import asyncio
import io
import json
import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tavus_cli.cli import run_command
from tavus_cli.rooms.sim.room import open_simulated
from tavus_cli.script.live import LiveStage
from tavus_cli.script.outcomes import Run
from tavus_cli.script.runner import Limits, Runner
from tavus_cli.script.statements import parse_script
from tavus_cli.session.environment import Environment
from tavus_cli.session.session import Session
from tests.kits.program import CONSOLE, SECONDS, Result, console, environ

MAX = "sim:?speed=max"


class Folder:
    """Scripts and targets, written from text."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, script: str, *options: str, target: str = MAX) -> Result:
        file = self.path / "test.tavus"
        file.write_text(script, encoding="utf-8")
        return console("run", target, str(file), *options)

    def pal(self, script: str, more: str = "") -> str:
        file = self.path / "pal.toml"
        file.write_text(script, encoding="utf-8")
        return f"sim:{file}?speed=max{more}"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


ROUND_TRIP = """# a round trip
/respond What are your hours?
/expect tool_call name=get_hours within 5s as call
/tool-result $call.tool_call_id {"hours": "9 to 5"}
/expect reply text~"9 to 5" within 10s as answer
/print $call.name: $answer.text
/when stopped_speaking role=pal after 250ms /echo Anything else?
/wait stopped_speaking role=pal within 20s
/wait 5s
/context append The visitor knows the hours.
/expect no tool_call within 3s
"""


# -- what it does ------------------------------------------------------------------------------------------


def test_a_script_passes_silently_but_for_what_it_prints(folder: Folder) -> None:
    result = folder.run(ROUND_TRIP)
    assert result == Result(0, 'get_hours: Here is what I found: {"hours":"9 to 5"}.\n', "")


def test_the_same_script_passes_in_real_time(folder: Folder) -> None:
    script = "/respond How much is it?\n/expect utterance role=user within 3s\n/wait 10ms\n"
    script += (
        "/when utterance.streaming role=pal after 1ms /interrupt\n/expect stopped_speaking interrupted=true\n"
    )
    result = folder.run(script, target="sim:?speed=8")
    assert (result.status, result.err) == (0, "")


def test_the_same_script_passes_on_its_recording(folder: Folder) -> None:
    record = str(folder.path / "talk.jsonl")
    first = folder.run(ROUND_TRIP, "--record", record)
    again = folder.run(ROUND_TRIP, target=record)
    assert (first.status, again) == (0, first)


@pytest.mark.parametrize(
    ("change", "line", "says"),
    [
        (("What are your hours?", "How much is it?"), 2, "not what was sent in the recording"),
        (('9 to 5"}', '10 to 4"}'), 4, "not what was sent in the recording"),
        (("name=get_hours", "name=book_visit"), 3, "the recording has no such event there"),
        (("/echo Anything else?", "/echo Something else?"), 7, "not sent in the recording"),
        (("no tool_call", "no heartbeat"), 0, ""),
    ],
)
def test_another_script_fails_on_the_recording(
    folder: Folder, change: tuple[str, str], line: int, says: str
) -> None:
    record = str(folder.path / "talk.jsonl")
    folder.run(ROUND_TRIP, "--record", record)
    result = folder.run(ROUND_TRIP.replace(*change), target=record)
    assert result.status == (3 if line else 0)
    assert says in result.err
    if line:
        assert f"test.tavus:{line}: " in result.err


def test_bare_messages_cannot_be_run_against(folder: Folder) -> None:
    bare = folder.path / "bare.jsonl"
    bare.write_text('{"message_type":"conversation","event_type":"conversation.utterance","seq":1}\n')
    result = folder.run("hello\n", target=str(bare))
    assert (result.status, result.out) == (2, "")
    assert "recording" in result.err


def test_a_script_waits_as_long_as_it_says(folder: Folder) -> None:
    target = folder.pal('[[at]]\nafter = 5\nguardrail = "rude"\nreason = "because"\n')
    assert folder.run("/expect no guardrail.triggered within 4s\n", target=target).status == 0
    assert folder.run("/expect no guardrail.triggered within 6s\n", target=target).status == 3
    assert folder.run("/wait 6s\n/expect guardrail.triggered\n", target=target).status == 0
    assert folder.run("/wait 6s\n/wait guardrail.triggered within 60s\n", target=target).status == 3
    assert folder.run("/wait guardrail.triggered within 1m\n", target=target).status == 0


def test_from_start_includes_events_before_the_last_send(folder: Folder) -> None:
    target = folder.pal('greeting = "Welcome."')
    script = "/wait utterance text=Welcome.\n/context append x\n/expect utterance text=Welcome. within 1s"
    assert folder.run(script, target=target).status == 3
    assert folder.run(script.replace("within 1s", "from start"), target=target).status == 0


def test_quit_ends_a_script_early(folder: Folder) -> None:
    assert folder.run("/quit\n/expect guardrail.triggered within 1s\n").status == 0


# -- failing -----------------------------------------------------------------------------------------------


def test_a_failure_shows_the_line_what_was_expected_and_what_came_nearest(folder: Folder) -> None:
    result = folder.run("What are your hours?\n/expect tool_call name=book within 5s\n/print never\n")
    assert (result.status, result.out) == (3, "")
    lines = result.err.splitlines()
    assert lines[0].endswith("test.tavus:2: /expect tool_call name=book within 5s")
    assert lines[1] == "    expected tool_call name=book within 5 s, which did not arrive"
    assert lines[2].startswith("    came +0.9")
    assert 'get_hours {"day":"today"}' in lines[2]
    assert lines[2].endswith('(name is "get_hours")')


TICKET = "A ticket is twelve euros, and children under twelve come in for free."
NEAREST = {
    "the reply itself": (
        "How much is it?\n/expect reply text~ninety within 5s\n",
        [f'+0.941 utterance pal {TICKET}  (text does not match "ninety")'],
    ),
    "a tool call instead of the reply's words": (
        "What are your hours?\n/expect reply text~nine within 5s\n",
        ['+0.941 tool_call get_hours {"day":"today"} call_e552e1eb  (no text)'],
    ),
    "all that it lacks": (
        "What are your hours?\n/expect tool_call name=get_hour arguments.day=Friday within 5s\n",
        ['+0.941 tool_call get_hours {"day":"today"} call_e552e1eb'
         '  (name is "get_hours"; arguments.day is "today")'],
    ),
    "one's own words are not counted": (
        "How much is it?\n/expect utterance text~much within 5s\n",
        [
            f'+0.941 utterance pal {TICKET}  (text does not match "much")',
            "+0.060 utterance user How much is it?  (your own words)",
        ],
    ),
    "of another type": (
        "How much is it?\n/expect tool_call within 5s\n",
        [
            f"+0.941 utterance pal {TICKET}",
            "+0.060 utterance user How much is it?",
            "+0.360 rag.observability documents prices-2026.pdf",
        ],
    ),
    "of a /when": (
        "/when tool_call name=close /interrupt\nWhat are your hours?\n/wait 3s\n",
        ['+1.292 tool_call get_hours {"day":"today"} call_e552e1eb  (name is "get_hours")'],
    ),
    "what was not to come": (
        "How much is it?\n/expect no utterance role=pal within 5s\n",
        [f"+0.941 utterance pal {TICKET}"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("script", "came"), NEAREST.values(), ids=NEAREST)
def test_what_came_nearest_is_shown_in_every_report(script: str, came: list[str], folder: Folder) -> None:
    report = folder.path / "report.xml"
    lines = folder.run(script, "--junit", str(report)).err.splitlines()
    assert [line[9:] for line in lines[2:]] == came
    (failure,) = ElementTree.parse(report).getroot().iter("failure")
    assert (failure.text or "").splitlines()[2:] == lines[2:]
    (failed,) = [one for one in json.loads(folder.run(script, "--json").out)["lines"] if not one["ok"]]
    assert failed["came"] == [line for line in came if line != "nothing"]
    for line, near in zip(failed["came"], failed["nearest"], strict=True):
        assert line.startswith(f"{near['after']:+.3f} {near['event']['event_type'].partition('.')[2]}")
        assert line.endswith(f"({'; '.join(near['lacks'])})") == bool(near["lacks"])


def test_the_most_similar_event_comes_first_and_late_answers_are_marked(
    folder: Folder,
) -> None:
    target = folder.pal("[[reply]]\nmatch = '.'\nsay = 'The answer, which takes a while.'\n", "&slow=0.5")
    script = 'x\n/wait 10s\n/expect utterance.streaming from start text~"which is" within 20s\n'
    assert "The answer, which takes …  (" in folder.run(script, target=target).err.splitlines()[2]
    script = "x\n/wait 940ms\ny\n/expect reply text~x within 700ms\n"
    (line,) = folder.run(script, target=target).err.splitlines()[2:]
    assert line.endswith('The answer, which takes a while.  (of an older turn; text does not match "x")')


def test_keep_going_runs_on(folder: Folder) -> None:
    script = "/expect guardrail.triggered within 1s as gone\n/print $gone.text\n/print still here\n"
    result = folder.run(script, "--keep-going")
    assert (result.status, result.out) == (3, "still here\n")
    assert "gone has not arrived" in result.err


def test_a_when_that_never_fires_fails(folder: Folder) -> None:
    result = folder.run("/when guardrail.triggered /interrupt\n/wait 1s\n")
    assert result.status == 3
    assert "guardrail.triggered did not arrive, so nothing was sent" in result.err


def test_a_conversation_that_is_over_fails_what_is_sent_with_6(folder: Folder) -> None:
    target = folder.pal("shutdown_after = 3\n")
    result = folder.run("/expect shutdown within 5s\n/wait 1s\nhello\n", target=target)
    assert result.status == 6
    assert "the conversation is over" in result.err
    result = folder.run("/expect guardrail.triggered within 1h\n", target=target)
    assert result.status == 3
    assert "the conversation is over" in result.err


def test_expecting_a_reply_to_nothing_is_reported(folder: Folder) -> None:
    assert "nothing that has a reply was sent" in folder.run("/expect reply within 1s\n").err


def test_remote_text_is_harmless(folder: Folder) -> None:
    target = folder.pal("[[reply]]\nmatch = 'x'\nsay = \"\\u001b]52;c;aGk=\\u0007 [/oops]\"\n")
    result = folder.run(
        "x\n/expect reply as a\n/print $a.text\n/expect no utterance role=pal\n", target=target
    )
    assert result.status == 3
    assert "\x1b" not in result.out + result.err
    assert "[/oops]" in result.out


# -- while it runs -----------------------------------------------------------------------------------------

SHOWN = """pal      joined r0simulated0
── turn 0
goal     activated choose_a_day
test.tavus:1: /print now
now
test.tavus:2: How much is it?
test.tavus:3: /expect reply
── turn 1
you      respond How much is it?   heard in 60 ms
finds    documents prices
pal      A ticket is twelve euros""".splitlines()


def test_verbose_shows_the_conversation_while_it_runs(folder: Folder) -> None:
    script = "/print now\nHow much is it?\n/expect reply\n"
    (folder.path / "test.tavus").write_text(script)
    both = io.StringIO()
    words = ["run", MAX, str(folder.path / "test.tavus"), "-v"]
    assert run_command(words, Environment(io.StringIO(), both, both, {})) == 0
    shown = both.getvalue().splitlines()
    assert len(shown) == len(SHOWN)
    assert [wanted for wanted, line in zip(SHOWN, shown, strict=True) if wanted not in line] == []


def test_verbose_leaves_standard_output_unchanged(folder: Folder) -> None:
    record = str(folder.path / "talk.jsonl")
    script = "/print now\nHow much is it?\n/expect reply\n"
    alone = folder.run(script, "--record", record)
    shown = folder.run(script, "--verbose")
    assert (shown.out, shown.err == alone.err) == (alone.out, False)
    again = folder.run(script, "--verbose", target=record)
    times = r"^\d\d:.{20}"
    rows = [[line for line in one.err.splitlines() if re.match(times, line)] for one in (shown, again)]
    assert (again.out, rows[1]) == (alone.out, rows[0])
    result = folder.run(script, "--verbose", "--json")
    assert json.loads(result.out)["ok"]
    assert {"now", *rows[0]} < set(result.err.splitlines())
    many = folder.run(script, "--verbose", "--json", "--repeat", "2")
    assert [json.loads(line) for line in many.lines]
    labels = {line[:8] for line in many.err.splitlines() if line != "now"}
    assert labels == {"test 1  ", "test 2  "}


def test_verbose_makes_hostile_text_harmless(folder: Folder) -> None:
    target = folder.pal('greeting = "\\u001b]52;c;aGk=\\u0007"\n')
    result = folder.run("/expect utterance\n/print \x1b[31m\n", "--verbose", target=target)
    assert "\x1b" not in result.out + result.err
    assert "␛]52;c;aGk=␇" in result.err


# -- before anything is sent -------------------------------------------------------------------------------


def test_mistakes_are_reported_with_line_and_column_before_joining(folder: Folder) -> None:
    script = "hello\n/expect utterence\n/wiat 3s\n"
    for options in ((), ("--check",)):
        result = folder.run(script, *options, target="sim:/nowhere.toml")
        assert (result.status, result.out) == (2, "")
        first, second = result.err.splitlines()
        assert first.endswith('test.tavus:2:9: unknown event type "utterence"; did you mean utterance?')
        assert second.endswith("test.tavus:3:1: unknown command /wiat; did you mean /wait?")
    error = json.loads(folder.run(script, "--json").err)["error"]
    assert error["reason"] == "usage"
    assert error["message"].endswith("did you mean utterance? (and 1 more)")


def test_check_joins_nothing(folder: Folder) -> None:
    assert folder.run("hello\n", "--check", target="sim:/nowhere.toml") == Result(0, "", "")
    assert "the script is empty" in folder.run("# only this\n", "--check").err


def test_a_script_may_come_from_standard_input() -> None:
    result = console("run", MAX, "-", stdin="/print hello\n")
    assert result == Result(0, "hello\n", "")
    assert console("run", "/nowhere.tavus", TAVUS_CONVERSATION=MAX).status == 2
    assert console("run", "a", "b", "c").status == 2


# -- reports -----------------------------------------------------------------------------------------------


def test_a_matrix_has_a_line_for_each_target(folder: Folder) -> None:
    script = "/respond How much is it?\n/expect reply within 10s\n"
    result = folder.run(script, "--target", f"{MAX}&seed=2", "--target", f"{MAX}&leave=0.5")
    assert result.status == 3
    assert [line.split()[:2] for line in result.lines] == [
        ["ok", MAX],
        ["ok", f"{MAX}&seed=2"],
        ["FAILED", f"{MAX}&leave=0.5"],
    ]


def test_json_has_every_line_that_was_run(folder: Folder) -> None:
    result = folder.run(ROUND_TRIP, "--json")
    told = json.loads(result.out)
    assert (told["ok"], told["exit_status"], told["target"]) == (True, 0, MAX)
    assert [line["line"] for line in told["lines"]] == [2, 3, 4, 5, 7, 8, 9, 10, 11]
    assert told["lines"][1]["event"]["properties"]["name"] == "get_hours"
    assert result.err.startswith("get_hours: ")


def test_junit_is_xml_with_a_case_for_each_line(folder: Folder) -> None:
    report = folder.path / "report.xml"
    script = 'hello\n/expect utterance text~"<&\\"" within 1s\n'
    folder.run(script, "--junit", str(report), "--target", f"{MAX}&seed=2")
    suites = ElementTree.parse(report).getroot().findall("testsuite")
    assert [suite.get("failures") for suite in suites] == ["1", "1"]
    cases = suites[0].findall("testcase")
    assert [case.get("name") for case in cases] == ["line 1: hello", f"line 2: {script.splitlines()[1]}"]
    failure = cases[1].find("failure")
    assert failure is not None
    assert "which did not arrive" in (failure.get("message") or "")
    assert folder.run(script, "--junit", "/nowhere/report.xml").status == 2


def test_a_target_that_could_not_be_joined_fails_in_every_report(folder: Folder) -> None:
    report = folder.path / "report.xml"

    def suites() -> list[str | None]:
        return [one.get("failures") for one in ElementTree.parse(report).getroot().findall("testsuite")]

    options = ("--target", "nonsense", "--junit", str(report), "--json")
    result = folder.run("hello\n", *options)
    assert result.status == 2
    first, second = map(json.loads, result.lines)
    assert (first["ok"], second["ok"], second["exit_status"]) == (True, False, 2)
    assert "is not a valid TARGET" in second["lines"][0]["failure"]
    assert suites() == ["0", "1"]
    assert folder.run("hello\n", "--junit", str(report), target="nonsense").status == 2
    assert suites() == ["1"]


def test_a_run_that_is_stopped_reports_what_was_run(folder: Folder) -> None:
    script, report = folder.path / "test.tavus", folder.path / "report.xml"
    script.write_text("/print begun\n/wait 10ms\n/wait 60s\n")
    command = [CONSOLE, "run", "sim", str(script), "--junit", str(report)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ()) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"begun\n"
        child.terminate()
        assert child.wait(timeout=SECONDS) == 143
    (suite,) = ElementTree.parse(report).getroot().findall("testsuite")
    assert suite.findall("testcase")[-1].get("name") == "on sim"
    assert suite.get("failures") == "1"


def test_a_budget_that_measured_nothing_fails(folder: Folder) -> None:
    result = folder.run("/wait 1s\n", "--max-reply", "1500ms")
    assert result.status == 3
    assert "no turn had a reply" in result.err


# -- the right turn ----------------------------------------------------------------------------------------

WAITS = """greeting = "This is the greeting."
respond_waits = true
[[reply]]
match = "first"
say = "The answer to the first, which goes on and on for quite some time while we already ask again."
[[reply]]
match = "second"
say = "The answer to the second."
"""
OVERLAP = parse_script("""/respond the first question
/expect started_speaking role=pal
/respond the second question
/expect utterance role=pal as words
/expect reply as answer
/expect stopped_speaking role=pal within 60s
/set same "$words.text $answer.text"
""")
SEEDS = 1_000


@pytest.mark.slow
def test_the_end_of_an_older_turn_is_never_taken_for_the_answer(folder: Folder) -> None:
    """1,000 conversations with events out of order, twice and late."""
    target = folder.pal(WAITS, "&reorder=0.3&duplicate=0.2&late=0.1")
    wanted = "The answer to the second. The answer to the second."

    async def one(seed: int) -> str:
        session = Session(open_simulated(f"{target}&seed={seed}"))
        stage = LiveStage(session, 30.0, lambda text: None)
        runner = Runner(stage, Limits(30.0), Run("test", target), lambda text: None)
        async with session:
            await session.pal_ready(10.0)
            await runner.run(OVERLAP)
        failed = [f"{one.text}: {one.failure} {one.came}" for one in runner.result.failed]
        return " ".join(failed) or runner.names.texts["same"]

    async def all_of_them() -> dict[int, str]:
        return {seed: said for seed in range(SEEDS) if (said := await one(seed)) != wanted}

    assert asyncio.run(all_of_them()) == {}
