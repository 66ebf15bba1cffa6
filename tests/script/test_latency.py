"""``run`` and ``report`` measure latency from sending, however slow the network is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.kits.program import console

# What is asked, and how each turn is asked; the sim answers each after a time that depends on the words.
SCRIPTS = {
    "one": "/respond How much is it?\n/expect utterance role=pal as a\n/wait 99s\n",
    "a barge-in": (
        "/respond Tell me a long story.\n/wait 1500ms\n"
        "/respond How much is it?\n/wait stopped_speaking role=pal interrupted=true\n/wait 99s\n"
    ),
    "two in flight": "/respond How much is it?\n/wait 100ms\n/respond And for children?\n/wait 99s\n",
    "the same words twice": "/respond How much is it?\n/wait 2s\n/respond How much is it?\n/wait 99s\n",
}


def replies(script: Path, slow: float, *more: str) -> tuple[int, dict[int, float]]:
    """The exit status, and the latencies by turn, on which all that measure agree."""
    record = str(script.with_suffix(f".{slow}.jsonl"))
    result = console("run", f"sim:?speed=max&slow={slow}", str(script), "--json", "--record", record, *more)
    found = {one["turn"]: one["seconds"] for one in json.loads(result.out)["replies"]}
    again = json.loads(console("run", record, str(script), "--json").out)
    assert {one["turn"]: one["seconds"] for one in again["replies"]} == found
    turns = json.loads(console("report", record, "--json").out)["recordings"][0]["turns"]
    told = {one["turn"]: (round(one["reply"], 3), one["by"]) for one in turns if one["reply"] is not None}
    assert told == {turn: (seconds, "text") for turn, seconds in found.items()}
    return result.status, found


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS)
def test_a_reply_takes_longer_by_what_the_network_takes(text: str, tmp_path: Path) -> None:
    script = tmp_path / "script.tavus"
    script.write_text(text)
    _, fast = replies(script, 0.0)
    assert fast
    for slow in (0.4, 0.99, 1.0, 2.0, 10.0):
        _, found = replies(script, slow)
        assert found == {turn: pytest.approx(seconds + slow, abs=0.002) for turn, seconds in fast.items()}


@pytest.mark.parametrize("slow", [0.9, 1.0, 2.0, 20.0])
def test_a_slow_network_does_not_hide_a_slow_reply(slow: float, tmp_path: Path) -> None:
    script = tmp_path / "script.tavus"
    script.write_text(SCRIPTS["one"])
    assert replies(script, slow, "--max-reply", "1s")[0] == 3
