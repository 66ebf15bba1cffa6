"""``run`` as a test runner: repeats, jobs, targets, verdicts, reports; and conversations of its own."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tavus_cli.local.tavus import KEY as LOCAL_KEY
from tests.kits.daily_room import authority_file
from tests.kits.program import CONSOLE, SECONDS, Result, console, environ
from tests.kits.room_kit import until
from tests.kits.tavus_api import KEY, PAL, LocalApi, Odd, Request, local_api
from tests.local.kit import Api, tavus

MAX = "sim:?speed=max"
EXAMPLES = str(Path(__file__).parents[2] / "examples")
GOOD = "/respond How much is it?\n/expect reply text~twelve within 10s\n"
BAD = "hello\n/expect guardrail.triggered within 1s\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder: two scripts in "tests", and a home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "good.tavus").write_text(GOOD)
    (tmp_path / "tests" / "bad.tavus").write_text(BAD)
    return tmp_path


def rows(path: Path | str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


# -- what is run -------------------------------------------------------------------------------------------


def test_a_folder_has_a_line_for_each_run_and_a_rate_for_each_script() -> None:
    result = console("run", MAX, "tests", "--repeat", "2")
    assert result.status == 3
    runs, rates = result.out.split("\n\n")
    assert [line.split()[:4] for line in runs.splitlines()] == [
        ["FAILED", "bad", MAX, "1/2"],
        ["FAILED", "bad", MAX, "2/2"],
        ["ok", "good", MAX, "1/2"],
        ["ok", "good", MAX, "2/2"],
    ]
    assert "expectation: line 2: expected guardrail.triggered" in runs
    lines = [line.split() for line in rates.splitlines()]
    assert lines[1][:4] == ["bad", MAX, "0/2", "FAILED"]
    assert lines[1][-2:] == ["(2", "expectation)"]
    assert lines[2][:4] == ["good", MAX, "2/2", "ok"]
    assert rates.splitlines()[3].startswith("2 of 4 runs passed in ")
    assert "tests/bad.tavus:2: /expect guardrail.triggered within 1s" in result.err
    assert "    came " in result.err


def test_scripts_targets_filters_and_shards() -> None:
    both = ("--target", MAX, "--target", "sim:?speed=max&seed=7")
    result = console("run", "tests/good.tavus", "tests/bad.tavus", *both, "--filter", "goo*", "--json")
    *runs, whole = map(json.loads, result.lines)
    assert (result.status, [one["target"] for one in runs]) == (0, [MAX, "sim:?speed=max&seed=7"])
    assert [line["ok"] for line in runs[0]["lines"]] == [True, True]
    assert [one["rate"] for one in whole["suite"]] == [1.0, 1.0]
    told = [
        json.loads(line)
        for part in ("1/2", "2/2")
        for line in console("run", "tests", *both, "--shard", part, "--json").lines[:-1]
    ]
    assert sorted(one["number"] for one in told) == [1, 2, 3, 4]
    empty = console("run", MAX, "tests/good.tavus", "--shard", "2/2")
    assert (empty.status, "nothing in this shard" in empty.err) == (0, True)


def test_min_pass_decides_how_many_repeats_must_pass() -> None:
    """Half of the repeats fail, depending on the seed, which differs in each repeat."""
    Path("half.toml").write_text('greeting = "Welcome."\n')
    Path("seeds.tavus").write_text("hello\n/expect reply within 5s\n")
    target = "sim:half.toml?speed=max&drop=0.5"
    told = console("run", target, "seeds.tavus", "--repeat", "20", "--json")
    whole = json.loads(told.lines[-1])["suite"][0]
    assert 0 < whole["passed"] < 20
    share = str(whole["passed"] / 20)
    more = str((whole["passed"] + 1) / 20)
    assert console("run", target, "seeds.tavus", "--repeat", "20", "--min-pass", share).status == 0
    assert console("run", target, "seeds.tavus", "--repeat", "20", "--min-pass", more).status == 3


@pytest.mark.parametrize(
    ("script", "target", "options", "verdict"),
    [
        ("/wait 20s\n", MAX, ("--run-timeout", "5s"), "timeout"),
        ("/wait 20s\n", "sim", ("--run-timeout", "300ms"), "timeout"),
        ("hello\n/expect reply\n", MAX, ("--max-reply", "1ms"), "budget"),
        ("hello\n/expect reply\n", "sim:late.toml", ("--ready-timeout", "100ms"), "not joined"),
        ("/wait 2s\nhello\n", "sim:?speed=max&leave=1", (), "over"),
        ("hello\n/expect reply as r\n/respond $r.arguments.day\n", MAX, (), "script error"),
        ("hello\n/expect guardrail.triggered within 1s\n", MAX, (), "expectation"),
    ],
)
def test_verdicts_of_failures(script: str, target: str, options: tuple[str, ...], verdict: str) -> None:
    Path("one.tavus").write_text(script)
    Path("late.toml").write_text("[timing]\njoin = 60\n")
    result = console("run", target, "one.tavus", *options, "--results", "r.jsonl")
    assert (result.status, rows("r.jsonl")[0]["verdict"]) == (3, verdict)
    assert f"(1 {verdict})" in result.out


def test_a_script_that_cannot_fail_is_warned_about() -> None:
    Path("idle.tavus").write_text("hello\n/wait 1s\n")
    result = console("run", MAX, "idle.tavus", "tests/good.tavus")
    assert result.status == 0
    assert "warning: idle.tavus: it expects nothing" in result.err
    assert "good.tavus" not in result.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["tests", "--shard", "3/2"], "such as 2/5"),
        (["tests", "--min-pass", "2"], "such as 0.8"),
        (["tests", "--keep", "some"], "failed or all"),
        (["tests", "--record", "x"], "--keep all"),
        (["tests", "--otlp", "file"], "--otlp FILE"),
        (["tests", "--redact"], "--redact goes with --keep"),
        (["tests", "--max-cost-minutes", "3"], "goes with --new"),
        (["tests", "--pal", "p1"], "need --new"),
        (["sim", "tests", "--new", "--pal", "p1"], "leave TARGET out"),
        (["tests", "--new", "--pal", "p1", "--max-cost-minutes", "0"], "one run may take 6 minutes"),
        (["tests", "--new", "--pal", "p1", "--max-cost-minutes", "nan"], "must be a number of minutes"),
        (["tests", "--new", "--pal", "p1", "--max-cost-minutes", "inf"], "must be a number of minutes"),
        (["tests", "--filter", "x*"], "matches none"),
        (["tests", "--baseline", "tests/bad.tavus"], "was not written by --results"),
        (["nonsense!", "tests"], "not a valid TARGET"),
        (["sim:?speed=never", "tests"], "speed must be"),
        (["tests"], "no TARGET"),
        (["tests", "--target", "-"], "cannot be -"),
        ([MAX, "tests", "--results", "no/x"], "no/x"),
        (["tests/good.tavus", "nothing.tavus"], "nothing.tavus"),
    ],
)
def test_what_is_wrong_is_reported_before_anything_is_run(words: list[str], says: str) -> None:
    result = console("run", *words)
    assert (result.status, result.out) == (2, "")
    assert says in result.err


def test_mistakes_of_all_scripts_are_reported() -> None:
    Path("tests/bad.tavus").write_text("/expect utterence\n")
    Path("tests/good.tavus").write_text("/wiat 3s\n")
    for words in (["run", MAX, "tests"], ["run", "--check", "tests"]):
        result = console(*words)
        assert (result.status, len(result.err.splitlines())) == (2, 2)


# -- reports -----------------------------------------------------------------------------------------------


def test_parallel_runs_have_the_same_results() -> None:
    def run(jobs: str) -> tuple[str, str, list[str]]:
        options = ("--repeat", "5", "--jobs", jobs, "--junit", "j.xml", "--results", "r.jsonl", "--json")
        result = console("run", MAX, EXAMPLES, *options)
        assert result.status == 0
        return Path("j.xml").read_text(), Path("r.jsonl").read_text(), result.lines[:-1]

    assert run("4") == run("1")


def test_recordings_of_failures_are_kept() -> None:
    console("run", MAX, "tests", "--keep", "failed", "--keep-in", "kept", "--repeat", "2", "--jobs", "2")
    assert sorted(path.name for path in Path("kept").iterdir()) == ["0001-bad.jsonl", "0002-bad.jsonl"]
    assert console("run", "kept/0001-bad.jsonl", "tests/bad.tavus").status == 3
    console("run", MAX, "tests", "--keep", "all", "--keep-in", "kept", "--redact", "--results", "r.jsonl")
    assert [one["recording"] for one in rows("r.jsonl")] == ["kept/0001-bad.jsonl", "kept/0002-good.jsonl"]


def test_a_full_disk_is_reported_once_and_fails() -> None:
    result = console("run", MAX, "tests/good.tavus", "--repeat", "2", "--results", "/dev/full")
    assert (result.status, result.err.count("No space left")) == (1, 1)
    assert "2 of 2 runs passed" in result.out


def test_a_baseline_names_what_is_newly_failing() -> None:
    assert console("run", MAX, "tests/good.tavus", "--results", "before.jsonl").status == 0
    Path("tests/good.tavus").write_text(BAD)
    result = console("run", MAX, "tests/good.tavus", "--baseline", "before.jsonl")
    assert result.status == 3
    assert f"newly failing: good  {MAX}  1/1 → 0/1" in result.out


def test_the_page_of_a_run_in_actions_has_the_rates() -> None:
    result = console("run", MAX, "tests", GITHUB_STEP_SUMMARY="summary.md")
    assert result.status == 3
    text = Path("summary.md").read_text()
    assert "❌ bad" in text
    assert "✅ good" in text


def test_junit_and_html_are_of_all_runs() -> None:
    Path("pal.toml").write_text("[[reply]]\nmatch = 'x'\nsay = \"\\u001b]52;\\u0007 <&]]>\\ufffe [/oops]\"\n")
    Path("tests/bad.tavus").write_text("x\n/expect reply text~nothing\n")
    options = ("--junit", "j.xml", "--report", "r.html", "--repeat", "2")
    console("run", "sim:pal.toml?speed=max", "tests", *options)
    suites = ElementTree.parse("j.xml").getroot().findall("testsuite")
    assert [(one.get("name"), one.get("tests")) for one in suites] == [
        ("bad sim:pal.toml?speed=max", "2"),
        ("good sim:pal.toml?speed=max", "2"),
    ]
    assert Path("r.html").read_text().count("<h2") >= 4


# -- conversations of its own ------------------------------------------------------------------------------


@pytest.fixture
def api() -> Iterator[LocalApi]:
    with local_api(MAX) as one:
        yield one


def run_new(api: LocalApi, *words: str) -> Result:
    variables = {"TAVUS_API_KEY": KEY, "TAVUS_API_BASE_URL": api.base_url}
    return console("run", *words, "--new", "--pal", PAL, "--results", "r.jsonl", **variables)


def created(api: LocalApi) -> list[Request]:
    return [one for one in api.requests if (one.method, one.path) == ("POST", "/v2/conversations")]


def test_each_run_has_a_conversation_that_is_ended(api: LocalApi) -> None:
    result = run_new(api, "tests", "--run-timeout", "90s", "--chat")
    assert result.status == 3
    properties = {"max_call_duration": 150}
    assert [one.body for one in created(api)] == [
        {"persona_id": PAL, "chat": True, "properties": properties}
    ] * 2
    assert api.active == []
    assert len({one["conversation_id"] for one in rows("r.jsonl")}) == 1  # the simulation's own
    assert "is billed" not in result.err


def test_an_account_that_is_full_or_asked_too_often_is_waited_for(
    api: LocalApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tavus_cli.suite.rooms.FIRST_WAIT", 0.01)
    full = json.dumps({"message": "User has reached maximum concurrent conversations"})
    api.odd += [Odd(400, full), Odd(429, "{}"), Odd(400, full)]
    assert run_new(api, "tests/good.tavus").status == 0
    assert (len(created(api)), len(api.conversations), api.active) == (4, 1, [])


def test_a_creation_without_an_answer_is_not_repeated(api: LocalApi) -> None:
    api.odd.append(Odd(cut=True))
    result = run_new(api, "tests/good.tavus")
    assert (result.status, len(created(api))) == (3, 1)
    assert rows("r.jsonl")[0]["verdict"] == "not joined"
    assert "may have been created anyway" in result.err


def test_no_conversation_is_created_beyond_the_budget(api: LocalApi) -> None:
    """A run may take two minutes and takes one, so four minutes are enough for three runs."""
    clock = count(step=60.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tavus_cli.suite.rooms.clock", lambda: next(clock))
        options = ("--run-timeout", "1m", "--max-cost-minutes", "4", "--repeat", "5")
        result = run_new(api, "tests/good.tavus", *options)
    assert (result.status, len(created(api)), api.active) == (3, 3, [])
    assert [one["verdict"] for one in rows("r.jsonl")] == ["ok", "ok", "ok", "not run", "not run"]
    assert "3/5" in result.out
    assert "--max-cost-minutes 4 is used up" in rows("r.jsonl")[4]["detail"]


def test_a_rejected_key_ends_the_suite(api: LocalApi) -> None:
    api.odd.append(Odd(401, "{}"))
    assert run_new(api, "tests").status == 4
    assert [one["verdict"] for one in rows("r.jsonl")] == ["not run", "not run"]


def test_a_conversation_for_a_simulated_caller_is_text_only(api: LocalApi) -> None:
    model = '[model]\nname = "small"\nurl = "http://127.0.0.1:9/v1"\n'
    Path("tests/caller.toml").write_text(f'persona = "A visitor."\ngoal = "Ask."\nsuccess = ["x"]\n{model}')
    assert run_new(api, "tests/caller.toml", "tests/good.tavus").status == 3
    assert [one.body.get("chat") for one in created(api)] == [True, None]
    assert rows("r.jsonl")[0]["verdict"] != "ok"
    assert api.active == []


def test_no_key_is_reported_before_anything(api: LocalApi) -> None:
    result = console("run", "tests", "--new", "--pal", PAL, TAVUS_API_BASE_URL=api.base_url)
    assert (result.status, api.requests) == (4, [])


def test_what_could_not_be_ended_is_reported_and_fails(api: LocalApi) -> None:
    api.before = lambda request: Odd(403, "{}") if request.path.endswith("/end") else None
    result = run_new(api, "tests/good.tavus")
    assert result.status == 1
    assert "NOT ENDED" in result.err


@pytest.mark.slow
def test_fifty_conversations_with_failures_leave_none_behind(api: LocalApi) -> None:
    """Ten at once; one in five is cut off, refused, or full for a moment."""
    luck, lock = random.Random(7), threading.Lock()
    full = json.dumps({"message": "User has reached maximum concurrent conversations"})

    def before(request: Request) -> Odd | None:
        if request.path != "/v2/conversations" or request.method != "POST":
            return None
        with lock:
            api.behind = MAX
            match luck.randrange(20):
                case 0:
                    api.behind = f"{MAX}&leave=0.5"
                case 1:
                    return Odd(429, "{}", {"retry-after": "1"})
                case 2:
                    return Odd(400, full)
                case 3:
                    return Odd(500, "{}")
        return None

    api.before = before
    options = ("--repeat", "50", "--jobs", "10", "--max-cost-minutes", "100", "--keep", "failed")
    result = run_new(api, "tests/good.tavus", *options)
    told = rows("r.jsonl")
    verdicts = [one["verdict"] for one in told]
    assert (result.status, len(told), api.active) == (3, 50, [])
    assert set(verdicts) <= {"ok", "not joined", "over", "expectation"}
    assert verdicts.count("ok") >= 30
    assert len(api.conversations) == 50 - verdicts.count("not joined")


# -- the real client, and Tavus on this machine ------------------------------------------------------------


async def in_local(api: Api, *words: str) -> asyncio.subprocess.Process:
    """``run tests/good.tavus --new`` with WORDS in a separate process, which uses ``api``."""
    assert api.tavus.port
    variables = {
        "TAVUS_API_KEY": LOCAL_KEY,
        "TAVUS_API_BASE_URL": f"http://127.0.0.1:{api.tavus.port}",
        "TAVUS_DAILY_PROXY": api.tavus.daily.proxy,
        "SSL_CERT_FILE": authority_file(),
    }
    options = ("--new", "--pal", PAL, "--max-cost-minutes", "500", "--results", "r.jsonl")
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        CONSOLE, "run", *words, *options, env=environ(**variables), stdout=pipe, stderr=pipe
    )


@pytest.mark.slow
def test_fifty_real_rooms_of_which_one_in_five_breaks_leave_none_behind() -> None:
    async def broken(api: Api, every: set[str], luck: random.Random) -> None:
        """One in five is deleted, or loses its PAL, as soon as it exists."""
        while True:
            await asyncio.sleep(0.05)
            for one in [one.id for one in api.tavus.conversations.active if one.id not in every]:
                every.add(one)
                if luck.random() < 0.2:
                    await api.fault(one, luck.choice(("delete", "refuse", "pal_leaves", "silent")))

    async def main() -> tuple[int | None, int, int]:
        every: set[str] = set()
        async with tavus(max_concurrent=8) as api:  # fewer than at once: the others wait
            breaking = asyncio.create_task(broken(api, every, random.Random(7)))
            limits = ("--run-timeout", "60s", "--join-timeout", "10s", "--timeout", "20s")
            child = await in_local(api, "tests/good.tavus", "--repeat", "50", "--jobs", "10", *limits)
            await child.communicate()
            breaking.cancel()
            all = len(list(api.tavus.conversations))
            return child.returncode, all, len(api.tavus.conversations.active)

    status, all, active = asyncio.run(main())
    verdicts = [one["verdict"] for one in rows("r.jsonl")]
    assert (all, active, len(verdicts)) == (50, 0, 50), verdicts
    assert verdicts.count("ok") >= 25, verdicts
    assert status == (0 if verdicts.count("ok") == 50 else 3)


@pytest.mark.slow
def test_ctrl_c_ends_real_conversations_at_once() -> None:
    Path("long.tavus").write_text("/wait 300s\n")

    async def main() -> tuple[int | None, int, float]:
        async with tavus() as api:
            child = await in_local(api, "long.tavus", "--repeat", "50", "--jobs", "10")
            conversations = api.tavus.conversations
            await until(lambda: sum(bool(one.guests) for one in conversations.active) == 10, SECONDS)
            begun = time.monotonic()
            child.send_signal(signal.SIGINT)
            await child.communicate()
            return child.returncode, len(conversations.active), time.monotonic() - begun

    status, active, took = asyncio.run(main())
    assert (status, active) == (130, 0)
    assert took < 5
    assert {one["verdict"] for one in rows("r.jsonl")} == {"not run"}


@pytest.mark.slow
def test_ctrl_c_ends_all_conversations_at_once(api: LocalApi, tmp_path: Path) -> None:
    api.behind = "sim"
    Path("long.tavus").write_text("/wait 60s\n")
    variables = {"TAVUS_API_KEY": KEY, "TAVUS_API_BASE_URL": api.base_url, "HOME": str(tmp_path)}
    options = ["--new", "--pal", PAL, "--repeat", "50", "--jobs", "10", "--max-cost-minutes", "100"]
    command = [CONSOLE, "run", "long.tavus", *options, "--results", "r.jsonl"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ(**variables)
    ) as child:
        until = time.monotonic() + SECONDS
        while len(api.active) < 10 and time.monotonic() < until:
            time.sleep(0.05)
        begun = time.monotonic()
        child.send_signal(signal.SIGINT)
        status = child.wait(timeout=SECONDS)
        took = time.monotonic() - begun
    assert (status, api.active) == (130, [])
    assert took < 5
    assert {one["verdict"] for one in rows("r.jsonl")} == {"not run"}
    assert len(rows("r.jsonl")) == 50
