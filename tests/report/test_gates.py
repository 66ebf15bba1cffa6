"""Gates and comparisons: what passes, what fails, and what cannot be known and so does not pass."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tavus_cli.errors import UsageError
from tavus_cli.report.compare import compare
from tavus_cli.report.gates import Gate, judge, parse_gate
from tavus_cli.report.measures import COUNTS, TIMES, Measures
from tests.kits.conversations import some
from tests.kits.program import SAMPLES, console, process


def measures(reply: list[float] | None = None, **counts: int) -> Measures:
    one = Measures({name: [] for name in TIMES}, dict.fromkeys(COUNTS, 0))
    one.times["reply"] = reply or []
    one.counts.update(turns=10, **counts)
    return one


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("reply_p95<=1.2s", "PASS reply_p95 0.95 s <= 1.2 s"),
        ("reply.p95 <= 900ms", "FAIL reply_p95 0.95 s <= 0.9 s"),
        ("reply<=0.95", "PASS reply_max 0.95 s <= 0.95 s"),
        ("reply_p50>=0.1s", "PASS reply_p50 0.40 s >= 0.1 s"),
        ("reply_count >= 3", "FAIL reply_count 2 >= 3"),
        ("gaps<=0", "PASS gaps 0 <= 0"),
        ("late<=1", "FAIL late 2 <= 1"),
        ("barge_in_success>=90%", "PASS barge_in_success 1 >= 0.9"),
        ("tool<=2s", "CANNOT TELL tool_max <= 2 s: there was none"),
        ("dead_air<=3s", "PASS dead_air_max 0.00 s <= 3 s"),
        ("reply<=0.9499", "FAIL reply_max 0.95 s <= 0.9499 s"),
        ("reply<=0.9501", "PASS reply_max 0.95 s <= 0.9501 s"),
    ],
)
def test_a_verdict_is_one_line(text: str, line: str) -> None:
    one = measures([0.4, 0.95], late=2, barge_ins_stopped=3)
    one.reasons["tool"] = "there was none"
    assert judge([parse_gate(text)], one)[0].line() == line


@given(st.floats(0, 20), st.floats(0, 20), st.booleans())
@example(7.6e-06, 0.0, True)
@example(7.6e-06, 0.0, False)
@example(0.0, 7.6e-06, True)
@example(12.345681, 12.3456789, True)  # a limit of more digits than %g shows
@example(1.2, 1.2000004, False)
@some
def test_a_verdict_shows_on_which_side_of_the_limit_the_value_is(
    value: float, limit: float, at_most: bool
) -> None:
    verdict = judge([Gate("reply", "max", at_most, limit)], measures([value]))[0]
    _, _, shown, _, sign, than, _ = verdict.line().split()
    assert verdict.passed == (float(shown) <= float(than) if at_most else float(shown) >= float(than))
    assert sign == ("<=" if at_most else ">=")
    assert "e" not in shown + than
    assert abs(float(shown) - value) <= 0.005 + 1e-9
    assert abs(float(than) - limit) <= 1e-6
    if abs(value - limit) > 1e-6:
        assert verdict.passed == (value <= limit if at_most else value >= limit)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("reply", "is not a valid gate"),
        ("reply<1s", "is not a valid gate"),
        ("speed<=1s", "unknown measure"),
        ("gaps_p95<=1", "gaps has no p95"),
        ("gaps<=few", "must be a number"),
        ("gaps<=nan", "must be a number"),
        ("barge_in_success>=2", "must be a share"),
        ("reply<=fast", "duration"),
    ],
)
def test_a_wrong_gate_says_what_is_right(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        parse_gate(text)
    assert console("report", str(SAMPLES), "--gate", text).status == 2


def test_the_status_is_that_of_the_gates() -> None:
    passed = console("report", str(SAMPLES), "--no-gaps", "--max-reply", "20s")
    assert passed.status == 0
    assert passed.lines[-2:] == ["PASS reply_max 16.20 s <= 20 s", "PASS gaps 0 <= 0"]
    assert console("report", str(SAMPLES), "--max-reply-p95", "1.2s").status == 3
    cannot = console("report", str(SAMPLES), "--max-tool", "2s", "--json")
    assert cannot.status == 3
    assert json.loads(cannot.out)["gates"] == [
        {
            "gate": "tool_max",
            "value": None,
            "at_most": 2.0,
            "passed": None,
            "reason": "what was sent is not in the recording",
        }
    ]


def test_every_gate_option_sets_a_gate() -> None:
    gates = process("report", "--help").out.partition("\nGates:\n")[2].partition("\n\n")[0]
    options = re.findall(r"^  (--\S+)", gates, re.M)
    assert len(options) >= 20
    for option in options:
        value = {
            "--max-worse": "10%",
            "--min-barge-in-success": "0.9",
            "--gate": "gaps<=0",
        }.get(option, "1s")
        words = [option] if option.startswith("--no-") else [option, value]
        old = ["--baseline", str(SAMPLES)] if option == "--max-worse" else []
        result = console("report", str(SAMPLES), *words, *old, "--html", "/dev/null")
        assert result.status in (0, 3), option
        assert result.lines, option


def test_what_got_worse_and_by_how_much() -> None:
    before, now = measures([1.0] * 20), measures([1.0] * 15 + [1.5] * 5, unreplied=1)
    changes = {one.name: one for one in compare(before, now)}
    assert changes["reply"].line() == (
        "WORSE reply p50 1.00 s → 1.00 s (+0.00 s, +0%), p95 1.00 s → 1.50 s (+0.50 s, +50%), 20 → 20 values"
    )
    assert changes["unreplied"].line() == "WORSE unreplied 0 in 10 turns → 1 in 10"
    back = {one.name: one for one in compare(now, before)}
    assert back["reply"].outcome == "better"
    assert {one.outcome for one in compare(before, before)} == {"same"}


def test_few_values_cannot_be_compared() -> None:
    (one,) = compare(measures([1.0] * 4), measures([9.0] * 20))
    assert one.line() == "CANNOT TELL reply too few values (4 → 20 values)"


def test_max_worse_makes_the_baseline_a_gate(tmp_path: Path) -> None:
    shown = console("report", str(SAMPLES), "--baseline", str(SAMPLES))
    assert shown.status == 0
    assert "CANNOT TELL reply too few values (3 → 3 values)" in shown.out
    assert console("report", str(SAMPLES), "--baseline", str(SAMPLES), "--max-worse", "5%").status == 3
    assert console("report", str(SAMPLES), "--max-worse", "5%").status == 2
    files = []
    for name, reply in (("old", 1.0), ("new", 1.4)):
        lines = []
        for turn in range(20):
            for number, (kind, role) in enumerate((("utterance", "user"), ("started_speaking", "pal"))):
                one = {"event_type": f"conversation.{kind}", "seq": 2 * turn + number, "turn_idx": turn}
                one["timestamp"] = 1_790_000_000 + turn * 10 + number * reply
                lines.append(json.dumps({**one, "properties": {"role": role, "speech": "x"}}))
        files.append(str(tmp_path / name))
        Path(files[-1]).write_text("\n".join(lines) + "\n")
    worse = console("report", files[1], "--baseline", files[0], "--max-worse", "30%", "--html", "/dev/null")
    assert worse.status == 3
    assert worse.lines[0].startswith("WORSE reply p50 1.00 s → 1.40 s (+0.40 s, +40%)")
    assert console("report", files[1], "--baseline", files[0], "--max-worse", "50%").status == 0
    assert console("report", files[0], "--baseline", files[1], "--max-worse", "5%").status == 0


def test_in_github_actions_the_summary_gets_a_table(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    console("report", str(SAMPLES), "--no-gaps", GITHUB_STEP_SUMMARY=str(summary))
    text = summary.read_text("utf-8")
    assert text.startswith("before\n# Report\n")
    assert "| ✅ PASS |  gaps 0 <\\= 0 |".replace("\\=", "=") in text.replace("&lt;", "<")
    broken = console("report", str(SAMPLES), GITHUB_STEP_SUMMARY=str(tmp_path / "no" / "x"))
    assert broken.status == 0
    assert broken.err.startswith("tavus-console: $GITHUB_STEP_SUMMARY: ")
