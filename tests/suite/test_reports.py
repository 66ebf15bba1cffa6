"""A suite's outputs: aligned lines, valid XML, JSON and Markdown, whatever a PAL said."""

from __future__ import annotations

import json
from xml.etree import ElementTree

from tavus_cli.suite import reports
from tavus_cli.suite.case import Verdict
from tavus_cli.suite.result import Change, Rate, Result, rates_of
from tavus_cli.views.table import UNCUT
from tavus_cli.views.theme import DARK, PLAIN
from tests.suite.kit import case, result

EVIL = "a\x00\x1b]52;c;aGk=\x07 <b>&\"' ]]> \ud800 | [x](y) \u202e end\nnext"
CASES = [
    case(1, "x/a.tavus"),
    case(2, "x/a.tavus", repeat=2),
    case(3, "long_name.tavus", "sim"),
    case(4, EVIL),
]
NAMES = {"x/a.tavus": "a", "long_name.tavus": "long_name", EVIL: EVIL}


def suite() -> tuple[list[Result], dict[tuple[str, str], Rate]]:
    results = [
        result(CASES[0], Verdict.OK, "", 0.5, 0.7),
        result(CASES[1], Verdict.TIMEOUT, "not done within 5 s"),
        result(CASES[2], Verdict.NOT_RUN, "stopped"),
        result(CASES[3], Verdict.EXPECTATION, EVIL),
    ]
    rates = rates_of(CASES, 1.0)
    for one in results:
        rates[one.case.group].add(one)
    return results, rates


def test_lines_are_aligned_and_coloured() -> None:
    results, rates = suite()
    plain = reports.Lines(rates.values(), NAMES, 2, PLAIN)
    lines = [plain.line(one) for one in results[:3]]
    assert lines[0].split() == ["ok", "a", "sim:?speed=max", "1/2", "1.5", "s", "reply", "0.60", "s"]
    assert lines[1].endswith("2/2    1.5 s  timeout: not done within 5 s")
    assert lines[2].startswith("not run")
    assert len({line.index("1.5 s") for line in lines}) == 1
    coloured = reports.Lines(rates.values(), NAMES, 2, DARK)
    assert "\x1b[1;31mFAILED " in coloured.line(results[1])
    assert "\x1b[1;32mok " in coloured.line(results[0])
    assert "\n" not in plain.line(results[3])
    assert "\x1b" not in plain.line(results[3])


def test_junit_is_xml_whatever_was_said() -> None:
    results, rates = suite()
    root = ElementTree.fromstring("".join(reports.junit(results, rates, NAMES)))
    suites = root.findall("testsuite")
    assert [(one.get("tests"), one.get("failures"), one.get("skipped")) for one in suites] == [
        ("2", "1", "0"),
        ("1", "0", "1"),
        ("1", "1", "0"),
    ]
    assert [one.get("name") for one in suites[0].findall("testcase")] == ["run 1", "run 2"]
    failure = suites[0].findall("testcase")[1].find("failure")
    assert failure is not None
    assert (failure.get("type"), failure.get("message")) == ("timeout", "timeout: not done within 5 s")
    assert suites[1].find("testcase/skipped") is not None


def test_json_has_every_run_and_the_whole() -> None:
    results, rates = suite()
    rows = [json.loads(reports.row(one)) for one in results]
    assert [one["verdict"] for one in rows] == ["ok", "timeout", "not run", "expectation"]
    assert rows[3]["detail"] == EVIL
    assert rows[0]["replies"] == [0.5, 0.7]
    change = Change("slower", "x/a.tavus", "sim", "0.5 → 0.9")
    whole = json.loads(reports.suite_json(rates.values(), [change], 3.0, 3))
    assert (whole["exit_status"], whole["changes"][0]["what"]) == (3, "slower")
    assert whole["suite"][0]["failures"] == {"timeout": 1}


def test_markdown_is_a_table_that_nothing_breaks() -> None:
    _, rates = suite()
    change = Change("newly failing", "x/a.tavus", "sim", "2/2 → 1/2")
    lines = list(reports.markdown(list(rates.values()), NAMES, [change], 3.0))
    table = [line for line in lines if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in table[:5]} == {6}
    assert "<b>" not in "".join(lines)
    assert "1/2 FAILED" in lines[2]


def test_the_end_says_rates_and_changes() -> None:
    _, rates = suite()
    change = Change("newly failing", "x/a.tavus", "sim", "2/2 → 1/2")
    lines = reports.summary(list(rates.values()), NAMES, [change], 3.0, PLAIN, UNCUT)
    assert lines[1].split() == [
        "a",
        "sim:?speed=max",
        "1/2",
        "FAILED",
        "0.60",
        "s",
        "0.70",
        "s",
        "(1",
        "timeout)",
    ]
    assert lines[-2] == "newly failing: a  sim  2/2 → 1/2"
    assert lines[-1] == "1 of 4 runs passed in 3.0 s; 1 not run"
