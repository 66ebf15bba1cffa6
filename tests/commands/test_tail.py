"""``tail`` and ``replay``: what is shown, in which form, and when it ends."""

from __future__ import annotations

import json
import random
import re
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kits.conversations import few
from tests.kits.program import CONSOLE, SAMPLES, console, environ, process

SAMPLE = str(SAMPLES)
MESSAGES = [json.loads(line) for line in SAMPLES.read_text().splitlines()]
NUMBERED = [message for message in MESSAGES if "seq" in message]


def replay(*options: str) -> list[str]:
    result = console("replay", SAMPLE, *options)
    assert (result.status, result.err) == (0, "")
    return result.lines


# -- the samples: one of every kind -----------------------------------------------------------------------


def test_all_shows_every_message() -> None:
    rows = [line for line in replay("--all") if not line.startswith("──")]
    assert len(rows) == len(MESSAGES) == 66


def test_twins_and_heartbeats_are_folded() -> None:
    text = "\n".join(replay())
    assert text.count("Hi Dana, I'm Nora.") == 1
    assert "present" not in text


def test_the_swapped_numbers_come_out_in_order() -> None:
    numbers = [int(line) for line in replay("--all", "--format", "{seq}") if line]
    assert numbers == sorted(numbers)
    assert {17, 18} <= set(numbers)


def test_an_unknown_type_is_shown_in_full() -> None:
    line = next(line for line in replay() if "some_future_event" in line)
    assert line.endswith('some_future_event {"alpha":1,"nested":{"beta":["x",null,true]}}')


def test_jsonl_is_the_wire_message_untouched() -> None:
    lines = replay("--format", "jsonl", "--all")
    assert sorted(lines) == sorted(SAMPLES.read_text().splitlines())


@few
@given(st.randoms(use_true_random=False))
def test_shuffled_within_twenty_places_it_looks_the_same(
    tmp_path_factory: pytest.TempPathFactory, chance: random.Random
) -> None:
    expected = _pretty(tmp_path_factory, NUMBERED)
    keys = [place + chance.uniform(0, 20) for place in range(len(NUMBERED))]
    shuffled = [message for _, message in sorted(zip(keys, NUMBERED, strict=True), key=lambda pair: pair[0])]
    assert _pretty(tmp_path_factory, shuffled) == expected


def _pretty(folders: pytest.TempPathFactory, messages: list[dict[str, object]]) -> list[str]:
    path = folders.mktemp("shuffled") / "events.jsonl"
    path.write_text("".join(json.dumps(message) + "\n" for message in messages))
    return console("replay", str(path)).lines


# -- selecting --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "types"),
    [
        ("--only utterance", "utterance"),
        ("--only replica.* --all", "replica.started_speaking replica.stopped_speaking"),
        ("--only tool_call --only shutdown", "shutdown tool_call"),
        ("--only tool_call,shutdown", "shutdown tool_call"),
        ("--where properties.name=='lookup_order'", "tool_call"),
        ("--only utterance.streaming", "utterance.streaming"),
    ],
)
def test_filters(options: str, types: str) -> None:
    shorts = replay("--format", "{short}", *options.split(" "))
    assert " ".join(sorted(set(shorts))) == types


def test_ignore_turn_and_role() -> None:
    everything = replay("--format", "{type} {turn} {role}")
    assert replay("--format", "{type} {turn} {role}", "--ignore", "*speaking") == [
        line for line in everything if "speaking" not in line
    ]
    assert replay("--format", "{type} {turn} {role}", "--turn", "2") == [
        line for line in everything if line.split(" ")[1] == "2"
    ]
    assert replay("--format", "{type} {turn} {role}", "--role", "user") == [
        line for line in everything if line.endswith(" user")
    ]


def test_partials_are_shown_on_request() -> None:
    count = sum(message["event_type"] == "conversation.utterance.streaming" for message in MESSAGES)
    shown = replay("--partials", "--only", "utterance.streaming", "--format", "{text}")
    assert 2 < len(shown) < count  # without the twins
    assert len(replay("--only", "utterance.streaming", "--format", "{text}")) < len(shown)


def test_an_unknown_type_causes_a_warning_and_is_still_matched() -> None:
    result = console("replay", SAMPLE, "--only", "uterance")
    assert (result.status, result.out) == (0, "")
    assert "did you mean utterance?" in result.err
    assert len(console("replay", SAMPLE, "--only", "some_future_event").lines) == 2  # a rule and the event


def test_every_message_seen_by_public_clients_has_a_row() -> None:
    seen = SAMPLES.with_name("seen.jsonl")
    messages = seen.read_text("utf-8").splitlines()
    for options in ((), ("--all",), ("--all", "--seq"), ("--partials",)):
        rows = [row for row in console("replay", str(seen), *options).lines if not row.startswith("──")]
        assert len(rows) == len(messages) if "--all" in options else 0 < len(rows) < len(messages)
        assert all(len(row) <= 2_000 for row in rows)
        assert all(re.match(r"[\d:.]+ +(\+\S+ +)?(#\S+ +)?[a-z]+ +\S", row) for row in rows)
    shown = console("replay", str(seen), "--all", "--format", "jsonl").lines
    assert sorted(map(json.loads, shown), key=str) == sorted(map(json.loads, messages), key=str)


# -- forms ------------------------------------------------------------------------------------------------


def test_the_envelope_says_what_the_console_knows() -> None:
    objects = [json.loads(line) for line in replay("--format", "jsonl", "--envelope", "--all")]
    assert [one["message"] for one in objects if "message" in one] != []
    assert {"twin", "heartbeat", "partial"} <= {one.get("fold") for one in objects}
    assert all(isinstance(one["at"], float) for one in objects)


def test_a_template_prints_fields_and_paths() -> None:
    lines = replay("--only", "tool_call", "--format", "{seq:>4}|{properties.name}|{nothing.at.all}|")
    assert lines[0] == "  23|lookup_order||"


@pytest.mark.parametrize(
    ("options", "variables", "coloured"),
    [
        ([], {}, False),
        (["--color", "always"], {}, True),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "0"}, False),
        ([], {"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colours(options: list[str], variables: dict[str, str], coloured: bool) -> None:
    result = console("replay", SAMPLE, *options, **variables)
    assert ("\x1b[" in result.out) is coloured


def test_a_pipe_is_never_wrapped() -> None:
    text = max((line for line in process("replay", SAMPLE, COLUMNS="20").lines), key=len)
    assert len(text) > 150


# -- ending -----------------------------------------------------------------------------------------------


def test_count_ends_after_so_many_events() -> None:
    assert replay("--count", "7", "--format", "jsonl") == replay("--format", "jsonl")[:7]


def test_until_ends_with_that_event() -> None:
    lines = replay("--until", "tool_call", "--format", "{type}")
    assert lines[-1] == "conversation.tool_call"
    assert lines.count("conversation.tool_call") == 1


def test_a_live_room_ends_when_its_time_is_over() -> None:
    result = console("tail", "sim", "--for", "100ms")
    assert (result.status, result.err) == (0, "")


def test_what_did_not_come_in_time_is_reported() -> None:
    result = console("tail", "sim", "--for", "100ms", "--until", "tool_call")
    assert result.status == 3
    assert result.err == "tavus-console: tool_call did not arrive within 0.1 s\n"


def test_a_conversation_that_ends_before_is_reported() -> None:
    result = console("replay", SAMPLE, "--count", "1000")
    assert result.status == 6
    assert "ended before event 1000" in result.err


def test_until_the_end_of_the_conversation() -> None:
    result = console("tail", "sim:?speed=max&leave=5")
    assert result.status == 0
    assert "the conversation is over" in result.lines[-1]


# -- what is damaged, and gaps ------------------------------------------------------------------------------


def test_a_cut_recording_shows_its_complete_lines(tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl"
    path.write_text(SAMPLES.read_text()[:-20])
    result = console("replay", str(path), "--format", "jsonl", "--all")
    assert result.status == 0
    assert len(result.lines) == 65
    assert result.err == f"tavus-console: {path}:66: the last line is incomplete and was skipped\n"
    pretty = console("replay", str(path))
    assert "cut" not in pretty.out.replace("(cut:", "")
    assert pretty.err == result.err


def test_only_the_damaged_line_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "damaged.jsonl"
    lines = SAMPLES.read_text().splitlines()
    lines[9] = '{"event_type": \x1b[31m'
    path.write_text("\n".join(lines) + "\n")
    result = console("replay", str(path), "--format", "jsonl", "--all")
    assert (result.status, len(result.lines)) == (0, 65)
    assert f"{path}:10: skipped" in result.err
    assert "\x1b" not in result.err


def test_gaps_do_not_appear_in_machine_readable_output(tmp_path: Path) -> None:
    path = tmp_path / "gap.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in NUMBERED if one["seq"] not in (20, 21, 24)))
    result = console("replay", str(path), "--format", "jsonl", "--all")
    assert result.err == "tavus-console: gap seq 20–21\ntavus-console: gap seq 24\n"
    assert len(result.lines) == len(NUMBERED) - 3
    assert "seq 20–21" in console("replay", str(path)).out
    enveloped = console("replay", str(path), "--format", "jsonl", "--envelope")
    assert [20, 21] in [json.loads(line).get("gap") for line in enveloped.lines]
    assert enveloped.err == ""


# -- recording --------------------------------------------------------------------------------------------


def test_what_is_recorded_can_be_replayed(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    options = ("--format", "jsonl", "--all")
    live = console("tail", "sim:?speed=max&seed=3", "--count", "12", "--record", str(path), *options)
    assert live.status == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = console("replay", str(path), *options, "--count", "12")
    assert again.out == live.out
    assert json.loads(path.read_text().splitlines()[0])["recording"] == 1


def test_the_same_seed_is_the_same_conversation() -> None:
    once, twice, other = (
        console("tail", f"sim:?speed=max&seed={seed}&leave=20", "--format", "jsonl").out for seed in (7, 7, 8)
    )
    assert once == twice != other


def test_the_first_line_comes_at_once_in_a_pipe() -> None:
    with subprocess.Popen(
        [CONSOLE, "tail", "sim", "--format", "{type}"], stdout=subprocess.PIPE, text=True, env=environ()
    ) as child:
        assert child.stdout is not None
        assert "joined" in child.stdout.readline()  # while the conversation goes on
        assert child.poll() is None
        child.terminate()
