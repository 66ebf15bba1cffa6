"""The SQL of docs/fleet.md, run by DuckDB over recordings and reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.kits.pages import ROOT, blocks
from tests.kits.program import console
from tests.kits.talks import Talk, expected, talks

SQL = [block.text for block in blocks(ROOT / "docs" / "fleet.md") if block.language == "sql"]


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(talk=talks())
def test_duckdb_reads_what_the_page_says(
    tmp_path_factory: Any, monkeypatch: pytest.MonkeyPatch, talk: Talk
) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    folder: Path = tmp_path_factory.mktemp("fleet")
    (folder / "fleet").mkdir()
    (folder / "reports").mkdir()
    for name in ("a", "b"):
        file = talk.write(folder / "fleet" / f"{name}.jsonl")
        out = console("report", file, "--json").out
        (folder / "reports" / f"{name}.json").write_text(out, "utf-8")
    monkeypatch.chdir(folder)
    events, tools, replies = (duckdb.sql(query).fetchall() for query in SQL)
    came = sum(direction == "in" for _, direction, _ in talk.records)
    assert [(Path(name).name, count) for name, count, _ in events] == [("a.jsonl", came), ("b.jsonl", came)]
    calls = sum(one["event_type"] == "conversation.tool_call" for _, _, one in talk.records)
    assert tools == ([("look", 2 * calls)] if calls else [])
    wanted = sorted([*expected(talk)["reply"]] * 2, reverse=True)
    assert [reply for _, _, reply in replies] == pytest.approx(wanted[:20], abs=1e-3)


def test_the_files_are_what_the_page_says() -> None:
    assert len(SQL) == 3
    assert json.dumps("fleet/*.jsonl").strip('"') in SQL[0]
