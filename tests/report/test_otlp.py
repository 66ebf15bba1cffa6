"""Traces: one for each conversation, a span for each turn, call and speech, and words only on request."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from tavus_cli.report import live
from tavus_cli.rooms.sim.room import open_simulated
from tavus_cli.session.session import Session
from tests.kits.collector import attributes, collector
from tests.kits.conversations import few
from tests.kits.program import SAMPLES, console, process
from tests.kits.talks import Talk, talks


@given(talks())
@few
def test_one_trace_with_a_span_for_each_thing(tmp_path_factory: Any, talk: Talk) -> None:
    file = talk.write(tmp_path_factory.mktemp("otlp") / "a.jsonl")
    out = json.loads(console("report", file, "--json").out)["recordings"][0]
    with collector() as got:
        result = console("report", file, "--otlp", got.url)
        assert (result.status, result.err) == (0, "")
        spans = got.spans
    assert len({span.trace_id for span in spans}) == 1
    assert len({span.span_id for span in spans}) == len(spans)
    names = [span.name.split()[0] for span in spans]
    assert names.count("conversation") == 1
    assert names.count("turn") == len(out["turns"])
    assert names.count("execute_tool") == sum(len(turn["calls"]) for turn in out["turns"])
    assert names.count("speech") == sum(len(turn["speech"]) for turn in out["turns"])
    assert len(spans) == 1 + sum(1 + len(turn["calls"]) + len(turn["speech"]) for turn in out["turns"])
    (root,) = [span for span in spans if not span.parent_span_id]
    assert root.name == "conversation"
    by_id = {span.span_id: span for span in spans}
    for span in spans:
        about = attributes(span)
        assert about["gen_ai.conversation.id"] == "c0ffee11"
        assert span.start_time_unix_nano <= span.end_time_unix_nano
        if span is not root:
            above = by_id[span.parent_span_id]
            assert above.name == ("conversation" if span.name == "turn" else "turn")
        for words in ("answer ", "typed ", "question "):
            assert words not in str(span)
    for turn, span in zip(out["turns"], [span for span in spans if span.name == "turn"], strict=True):
        about = attributes(span)
        assert about["turn.number"] == turn["turn"]
        assert about.get("turn.user_bot_latency_seconds") == turn["reply"]
        seconds = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9
        assert about["turn.duration_seconds"] == pytest.approx(seconds, abs=1e-5)
        assert [event.name for event in span.events] == ["barge_in"] * len(turn["barge_ins"])
    for span in spans:
        if span.name.startswith("execute_tool"):
            assert attributes(span)["gen_ai.tool.call.id"].startswith("call")
            assert attributes(span)["gen_ai.operation.name"] == "execute_tool"


def test_content_is_exported_only_on_request() -> None:
    with collector() as got:
        console("report", str(SAMPLES), "--otlp", got.url + "/v1/traces", "--otlp-content")
        said = {key: value for span in got.spans for key, value in attributes(span).items() if "text" in key}
    assert said.keys() == {"tavus.user.text", "tavus.pal.text"}


def test_the_same_conversation_gives_the_same_trace_live_and_later(tmp_path: Path) -> None:
    file, live, later = (str(tmp_path / name) for name in ("a.jsonl", "live.json", "later.json"))
    words = ("--until", "utterance", "--record", file, "--otlp", live)
    assert console("tail", "sim:?speed=max&seed=3", *words).status == 0
    assert console("report", file, "--otlp", later).status == 0

    def spans(path: str) -> dict[str, Any]:
        lines = [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]
        parts = [part for line in lines for part in line["resourceSpans"]]
        found = [one for part in parts for one in part["scopeSpans"][0]["spans"]]
        return {one["spanId"]: one["name"] for one in found}

    assert spans(live) == spans(later) != {}
    assert "Nora" not in Path(live).read_text("utf-8")


@pytest.mark.parametrize("where", ["ftp://x", "http://", "http://[", "http://x:y"])
def test_what_is_not_a_collector(where: str) -> None:
    result = console("report", str(SAMPLES), "--otlp", where)
    assert result.status == 2
    assert len(result.err.splitlines()) == 1


def test_a_collector_that_refuses_is_one_line() -> None:
    with collector() as got:
        got.status = 400
        result = console("report", str(SAMPLES), "--otlp", got.url)
    assert result.status == 5
    assert len(result.err.splitlines()) == 1


def test_a_slow_collector_does_not_delay_the_conversation() -> None:
    with collector() as got:
        got.status = 400
        result = console("tail", "sim:?speed=max", "--until", "utterance", "--otlp", got.url)
    assert result.status == 0
    assert result.out
    assert result.err.endswith("no more traces are sent\n")
    assert len(result.err.splitlines()) == 1


def test_run_reports_and_traces(tmp_path: Path) -> None:
    script = tmp_path / "x.tavus"
    script.write_text("/respond What are your hours?\n/expect reply within 10s\n")
    html, traces, file = (str(tmp_path / name) for name in ("r.html", "t.json", "a.jsonl"))
    words = ("--report", html, "--otlp", traces, "--record", file, "--redact")
    result = console("run", "sim:?speed=max", str(script), *words)
    assert result.status == 0, result
    page = Path(html).read_text("utf-8")
    assert "What are your hours?" in page
    assert "sim:?speed=max" in page
    names = [json.loads(line) for line in Path(traces).read_text("utf-8").splitlines()]
    assert names
    assert "hours" not in Path(traces).read_text("utf-8").replace("get_hours", "")
    assert "What are your" not in Path(file).read_text("utf-8")
    assert console("run", file, str(script), "--report", html).status == 2
    assert console("run", "sim:?speed=max", str(script), "--redact").status == 2


@pytest.mark.slow
def test_a_session_in_the_background_traces_what_others_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAVUS_CONSOLE_RUNTIME", str(tmp_path / "run"))
    with collector() as got:
        started = process("session", "start", "sim", "--otlp", got.url)
        assert (started.status, started.err) == (0, "")
        name = started.out.strip()
        try:
            answer = process("send", name, "respond", "How much is it?", "--wait", "reply")
            assert answer.status == 0
        finally:
            process("session", "stop", name)
        assert {"conversation", "turn"} <= {span.name for span in got.spans}
        assert "How much" not in str(got.spans)


def test_a_silent_collector_delays_no_signal_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "STOPPED_SECONDS", 0.05)
    warned: list[str] = []

    async def main(url: str) -> None:
        session = Session(open_simulated("sim:?speed=max"))
        async with live.tracing(url, False, session, warned.append), session:
            await session.over_or_idle()
            raise asyncio.CancelledError  # as a signal does

    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(asyncio.CancelledError):
        asyncio.run(main(f"http://127.0.0.1:{silent.getsockname()[1]}"))
    assert warned == ["the collector does not answer; the last traces were not sent"]
