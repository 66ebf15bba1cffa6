"""The command line: usage errors, imports, signals, a closed pipe."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tavus_cli.errors import EXIT_STATUS_HELP
from tests.kits.program import CONSOLE, SAMPLES, SECONDS, console, environ, process

SAMPLE = str(SAMPLES)


def test_the_version_is_one_line() -> None:
    result = console("--version")
    assert result.status == 0
    assert process("--version").out.startswith("tavus-console ")


def test_help_shows_every_exit_status() -> None:
    help = process("--help").out
    for status, text in EXIT_STATUS_HELP.items():
        assert f"{int(status)}  {text}" in " ".join(help.split()).replace(
            f"{int(status)} ", f"{int(status)}  "
        )


WRONG = {
    "unknown command": (["tial"], 2, "Did you mean 'tail'"),
    "unknown option": (["tail", "sim", "--cuont", "3"], 2, "--count"),
    "no target": (["tail"], 2, "give a room's URL"),
    "no such target": (["tail", "nonsense"], 2, "not a valid TARGET"),
    "a recording as target": (["tail", SAMPLE], 2, "tavus-console replay"),
    "plain http": (["tail", "http://x.daily.co/r"], 2, "https"),
    "another host": (["join", "https://example.com/r"], 2, "daily.co"),
    "a bad simulation": (["tail", "sim:?sped=max"], 2, "speed"),
    "no such script": (["tail", "sim:/nowhere/x.toml"], 2, "/nowhere/x.toml"),
    "a bad duration": (["tail", "sim", "--for", "5 parsecs"], 2, "parsecs"),
    "a bad colour": (["replay", SAMPLE, "--color", "sometimes"], 2, "sometimes"),
    "a bad speed": (["replay", SAMPLE, "--speed", "0"], 2, "--speed"),
    "a bad template": (["replay", SAMPLE, "--format", "{sqe}"], 2, "seq"),
    "a bad format": (["replay", SAMPLE, "--format", "xml"], 2, "jsonl"),
    "envelope without jsonl": (["replay", SAMPLE, "--envelope"], 2, "--format jsonl"),
    "a bad expression": (["replay", SAMPLE, "--where", "a ||"], 2, "--where"),
    "no such recording": (["replay", "/nowhere/x.jsonl"], 2, "/nowhere/x.jsonl"),
    "a folder": (["replay", "/"], 2, "/"),
    "not a recording": (["replay", __file__], 2, "not JSON"),
    "unknown kind": (["send", "sim", "repsond", "hi"], 2, "did you mean respond"),
    "no kind": (["send", "sim"], 2, "KIND"),
    "no text": (["send", "sim", "respond"], 2, "TEXT"),
    "nothing answers": (
        ["send", "sim", "context", "append", "x", "--wait", "reply"],
        2,
        "context has no reply",
    ),
    "no sound file": (["send", "sim", "echo", "--audio", "/nowhere/x.wav"], 2, "/nowhere/x.wav"),
    "a used recording": (["tail", "sim", "--record", SAMPLE], 2, "exists"),
    "an unwritable recording": (["tail", "sim", "--record", "/nowhere/x.jsonl"], 2, "/nowhere/x.jsonl"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_one_line_on_standard_error(name: str) -> None:
    arguments, status, says = WRONG[name]
    result = console(*arguments)
    assert (result.status, result.out) == (status, "")
    assert says in result.err
    assert result.err.startswith("tavus-console: ")
    assert result.err.count("\n") == 1


MISSPELT = {
    "tail sim --color alwys": "always",
    "tail sim --theme drak": "dark",
    "replay FILE --times ful": "full",
    "report FILE --transcript vvt": "vtt",
    "tail sim --tool x=y --tool-reply ech": "echo",
    "run sim FILE --tool x=y --tool-from an": "any",
    "conversation list --status activ": "active",
    "tail sim --format jsnl": "jsonl",
    "replay FILE --format prety": "pretty",
    "completion zhs": "zsh",
    "webhooks trigger system.shutdwn --to http://127.0.0.1:9": "system.shutdown",
    "webhooks resend FILE --to http://127.0.0.1:9 --only shutdwn": "shutdown",
    "report FILE --gate replyy<=1s": "reply",
    "report FILE --gate gapps<=0": "gaps",
}


@pytest.mark.parametrize("line", MISSPELT)
def test_a_misspelt_value_is_a_usage_error_with_the_nearest_one(line: str) -> None:
    result = console(*line.replace("FILE", SAMPLE).split())
    assert (result.status, result.out, len(result.err.splitlines())) == (2, "", 1)
    assert f"; did you mean {MISSPELT[line]}?" in result.err


QUESTIONED = {  # what a filter or a wait for it may never meet
    "replay FILE --where event_type=='conversation.utterence'": "conversation.utterance",
    "replay FILE --where contains(event_type,'speking')": None,
    "replay FILE --role pall": "pal",
    "replay FILE --until some_futre_event": "some_future_event",  # of the file, not of the protocol
    "replay FILE --ignore some_futre_event": "some_future_event",
    "replay FILE --where event_type=='conversation.some_futre_event'": "conversation.some_future_event",
    "tail sim:?speed=max --until shutdwn": "shutdown",
    "send sim:?speed=max respond hi --timeout 1ms --wait repyl": "reply",
    "send sim:?speed=max respond hi --timeout 1ms --wait stoped_speaking": "stopped_speaking",
}


@pytest.mark.parametrize("line", QUESTIONED)
def test_filters_that_can_match_nothing_are_questioned(line: str) -> None:
    doubt = console(*line.replace("FILE", SAMPLE).split()).err.splitlines()[0]
    assert "no known" in doubt
    near = QUESTIONED[line]
    assert doubt.endswith(f"; did you mean {near}?" if near else '"speking"')


@pytest.mark.parametrize("option", ["--only", "--ignore", "--until"])
def test_types_in_the_recording_are_known(option: str) -> None:
    assert console("replay", SAMPLE, option, "some_future_event").err == ""


@pytest.mark.parametrize("name", ["unknown option", "no target", "a bad expression"])
def test_with_json_an_error_is_one_object(name: str) -> None:
    arguments, status, says = WRONG[name]
    result = console(*arguments, "--json")
    assert (result.status, result.out) == (status, "")
    error = json.loads(result.err)["error"]
    assert error.keys() == {"reason", "message", "exit_status"}
    assert (error["reason"], error["exit_status"]) == ("usage", status)
    assert says in error["message"]


def test_a_wrong_script_is_reported_with_its_line(tmp_path: Path) -> None:
    script = tmp_path / "bad.toml"
    script.write_text('greeting = "Hi"\n\n[timing]\nword_per_minute = 3\n')
    result = console("tail", f"sim:{script}")
    assert result.status == 2
    assert f"{script}:4" in result.err
    assert "words_per_minute" in result.err
    script.write_text('greeting = "Hi\n')
    assert f"{script}:1" in console("tail", f"sim:{script}").err


def test_the_target_may_come_from_the_environment() -> None:
    there = {"TAVUS_CONVERSATION": "sim:?speed=max"}
    assert len(console("tail", "--count", "2", "--format", "jsonl", **there).lines) == 2
    result = console("send", "respond", "hello there", "--wait", "reply", **there)
    assert result.status == 0
    assert result.out.strip()


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
@pytest.mark.parametrize(
    "arguments", [["tail", "sim"], ["send", "sim", "respond", "x", "--wait", "shutdown"]], ids=" ".join
)
def test_signals_leave_the_room_and_say_so_in_the_status(
    arguments: list[str], number: int, status: int, tmp_path: Path
) -> None:
    record = tmp_path / "r.jsonl"
    more = ["--record", str(record)] if arguments[0] == "tail" else ["--json"]
    with subprocess.Popen(
        [CONSOLE, *arguments, *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env=environ(),
    ) as child:
        if arguments[0] == "tail":
            assert child.stdout is not None
            child.stdout.readline()  # the first event is there
        else:
            _until_it_handles_signals(child.pid)
        child.send_signal(number)
        _, err = child.communicate(timeout=SECONDS)
        assert (child.returncode, err) == (status, "")


def _until_it_handles_signals(pid: int) -> None:
    """Until the process has set handlers for INT, TERM and HUP (Linux tells in /proc)."""
    wanted = sum(1 << (number - 1) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    for _ in range(10_000_000):
        text = Path(f"/proc/{pid}/status").read_text()
        caught = next(line for line in text.splitlines() if line.startswith("SigCgt"))
        if int(caught.split()[1], 16) & wanted == wanted:
            return
    raise AssertionError("no handlers")


@pytest.mark.parametrize("format", ["jsonl", "pretty", "{type}"])
def test_a_closed_pipe_ends_it_silently(format: str) -> None:
    with subprocess.Popen(
        [CONSOLE, "tail", "sim", "--format", format],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ(),
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.readline()
        child.stdout.close()
        assert child.wait(timeout=SECONDS) == 141
        assert child.stderr.read() == b""


def test_head_gets_its_line_without_an_error() -> None:
    line = f"{CONSOLE} tail sim --format jsonl | head -n 1"
    done = subprocess.run(
        ["sh", "-c", line], capture_output=True, text=True, timeout=SECONDS, env=environ(), check=True
    )
    assert json.loads(done.stdout)["event_type"]
    assert done.stderr == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["replay", SAMPLE],
        ["config", "show"],
        ["completion", "bash"],
        ["doctor"],
        ["send", "sim:?speed=max", "respond", "hi", "--wait", "reply"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_full_disk_is_an_error_and_no_traceback(arguments: list[str]) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [CONSOLE, *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=environ(),
        )
    assert done.returncode == 1
    assert "No space left" in done.stderr
    assert done.stderr.count("\n") == 1
