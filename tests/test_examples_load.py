"""examples/load and examples/ci: their commands work, and Locust's users keep within their allowance.

Locust is not a dependency; this file provides what they need of it.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import shutil
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tavus_cli.callers.caller import load as load_caller
from tests.kits.pages import bench
from tests.kits.program import console
from tests.test_docs import parse_command_line

EXAMPLES = Path(__file__).parent.parent / "examples"
WORKFLOW = (EXAMPLES / "ci" / "tavus.yml").read_text("utf-8")


def commands() -> list[list[str]]:
    """The words of each tavus-console in the workflow."""
    text = re.sub(r"\$\{\{.*?\}\}", "1", WORKFLOW).replace("\\\n", " ")
    found = re.findall(r"^ *(?:- run: )?tavus-console (.*)$", text, re.M)
    return [shlex.split(line) for line in found]


def test_the_workflow_runs_offline_and_its_live_commands_can_be_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offline, live = commands()
    shutil.copytree(EXAMPLES / "ci" / "tests", tmp_path / "tests")
    monkeypatch.chdir(tmp_path)
    done = console(*offline)
    assert (done.status, done.err) == (0, "")
    assert (tmp_path / "offline.xml").read_text().count("<testcase") >= 2
    assert "--max-cost-minutes" in live
    parse_command_line(live)


def test_the_caller_of_the_workflow_is_valid() -> None:
    caller = load_caller(str(EXAMPLES / "ci" / "tests" / "visitor.toml"))
    assert f"{caller.model.key_env}: ${{{{ secrets.{caller.model.key_env} }}}}" in WORKFLOW


class Event:
    def add_listener(self, listener: Any) -> Any:
        return listener

    def get(self, timeout: float) -> Any:
        return self.value

    def set(self, value: Any) -> None:
        self.value = value


class Runner:
    """As Locust's LocalRunner: a message to oneself."""

    def __init__(self, options: SimpleNamespace) -> None:
        self.listeners: dict[str, Any] = {}
        self.environment = SimpleNamespace(runner=self, parsed_options=options)
        self.quits = 0

    def register_message(self, name: str, listener: Any) -> None:
        self.listeners[name] = listener

    def send_message(self, name: str, data: Any, client_id: str | None = None) -> None:
        self.listeners[name](environment=self.environment, msg=SimpleNamespace(data=data, node_id="local"))

    def quit(self) -> None:
        self.quits += 1


class Slept(Exception):
    pass


def sleep(seconds: float) -> None:
    raise Slept


@pytest.fixture
def locustfile(monkeypatch: pytest.MonkeyPatch) -> Any:
    gone = type("Gone", (Exception,), {})
    parts: dict[str, dict[str, Any]] = {
        "gevent": {"sleep": sleep, "spawn_later": lambda after, call: call(), "Timeout": gone},
        "gevent.event": {"AsyncResult": Event},
        "locust": {
            "User": object,
            "constant": lambda seconds: seconds,
            "task": lambda one: one,
            "events": SimpleNamespace(init=Event(), init_command_line_parser=Event()),
        },
        "locust.exception": {"StopUser": gone},
        "locust.runners": {"WorkerRunner": gone},
    }
    for name, holds in parts.items():
        module = ModuleType(name)
        vars(module).update(holds)
        monkeypatch.setitem(sys.modules, name, module)
    spec = importlib.util.spec_from_file_location("locustfile", EXAMPLES / "load" / "locustfile.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_allowance_of_load_is_kept_and_then_the_test_ends(locustfile: Any) -> None:
    runner = Runner(SimpleNamespace(most_conversations=3, most_minutes=5.0))
    allowance = locustfile.allowance
    allowance.begin(runner)
    assert [allowance.take(2.0), allowance.take(2.0)] == [True, True]
    with pytest.raises(Slept):  # two are under way, which may end early
        allowance.take(2.0)
    allowance.give_back(2.0, 0.5)
    assert allowance.take(2.0) is True
    assert (allowance.take(2.0), runner.quits) == (False, 0)  # three were created
    allowance.give_back(2.0, 2.0)
    allowance.give_back(2.0, 2.0)
    assert (runner.quits, allowance.used, allowance.reserved) == (1, 4.5, 0.0)


def test_minutes_that_are_used_up_end_the_test_too(locustfile: Any) -> None:
    runner = Runner(SimpleNamespace(most_conversations=99, most_minutes=3.0))
    allowance = locustfile.allowance
    allowance.begin(runner)
    assert allowance.take(2.0) is True
    allowance.give_back(2.0, 2.0)
    assert (allowance.take(2.0), runner.quits) == (False, 1)


def test_a_user_runs_our_command_and_reads_what_it_says(
    locustfile: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bench() as (folder, variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("TAVUS_API_KEY", json.loads((folder / "ring.json").read_text()).popitem()[1])
        good, bad = folder / "good.tavus", folder / "bad.tavus"
        good.write_text("/respond What are your hours?\n/expect reply within 20s\n")
        bad.write_text("/respond What are your hours?\n/expect reply text=never within 1ms\n")
        options = SimpleNamespace(script=str(good), pal="p1", longest=30)
        result = locustfile.converse(options)
        assert (result["failure"], type(result["replies"])) == (None, list)
        assert 0 <= result["minutes"] < 1
        options.script = str(bad)
        assert locustfile.converse(options)["failure"].startswith("expectation: line 2: expected reply")
        options.script = str(folder / "none.tavus")
        assert "none.tavus" in locustfile.converse(options)["failure"]
