"""Redacted recordings: nothing that was said remains, and everything that is measured does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.protocol.wire import to_json
from tavus_cli.report.redact import Redactor
from tests.kits.conversations import SAMPLES, few, many, message
from tests.kits.program import SAMPLES as FILE
from tests.kits.program import console, process
from tests.kits.talks import Talk, talks
from tests.kits.tools_kit import pal

KEY = b"k" * 32


def shape(text: str) -> str:
    return "".join(
        "9" if one.isdigit() else ("W" if ord(one) >= 0x2E80 else "A" if one.isupper() else "a")
        if one.isalnum() else one
        for one in text
    )  # fmt: skip


@given(st.text(max_size=60))
@many
def test_a_pseudonym_has_the_shape_and_is_the_same_again(text: str) -> None:
    got = Redactor(KEY).text(text)
    assert len(got) == len(text)
    assert shape(got) == shape(text)
    assert got == Redactor(KEY).text(text)


def test_another_key_gives_other_pseudonyms() -> None:
    text = "Dana Whitfield, order 8841, call_8f2d41"
    assert Redactor(KEY).text(text) != Redactor(b"other").text(text)
    assert Redactor(KEY).text(text) != text


@given(
    st.lists(st.sampled_from(["hours", "Order", "8841", "時間", "a-b"]), min_size=2, max_size=8), st.data()
)
@few
def test_the_beginning_of_a_text_is_the_beginning_of_its_pseudonym(
    words: list[str], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(1, len(words)))
    redactor = Redactor(KEY)
    assert redactor.text(" ".join(words)).startswith(redactor.text(" ".join(words[:cut])))
    assert redactor.text("  ".join(words)).split() == redactor.text(" ".join(words)).split()


def test_the_same_word_elsewhere_gets_another_pseudonym() -> None:
    """Otherwise words could be found by counting."""
    words = Redactor(KEY).text("the cat and the dog and the bird").split()
    assert len({words[0], words[3], words[6]}) > 1


SECRETS = ["Dana", "Whitfield", "dana@example.com", "4111", "1111", "Kreuzberg", "hunter2", "5550100"]


def test_a_redacted_recording_contains_nothing_that_was_said() -> None:
    secret = "Dana Whitfield dana@example.com 4111 1111 Kreuzberg hunter2"
    nested = {"customer": {"Dana": secret, "phone": 5550100, "list": [secret, 41111111.5]}}
    messages = [
        message("conversation.utterance", inference="Dana", role="user", speech=secret),
        message("conversation.tool_call", name="hunter2", arguments=json.dumps(nested)),
        message("conversation.tool_call", name="x", arguments=nested, tool_call_id="y"),
        message("conversation.tool_result", tool_call_id="y", output=json.dumps(nested)),
        message("conversation.brand_new", a=secret, deep={"Kreuzberg": [{"Whitfield": secret}]}),
        {**message("conversation.utterance", role="Dana"), "conversation_id": "Dana-Whitfield"},
        {"event": "chat-msg", "message": secret, "name": "Dana"},
        json.dumps(message("conversation.utterance", role="user", speech=secret)),
        secret,
        [secret, {"a": secret}],
    ]  # fmt: skip
    for one in messages:
        text = to_json(Redactor(KEY).message(one))
        assert not [word for word in SECRETS if word in text], text


def test_media_become_type_size_and_hash() -> None:
    frame = {"mime_type": "image/jpeg", "data": "QUJD" * 500}
    one = message(
        "conversation.perception_tool_call", name="x", frames=[frame, {"uri": "data:image/png;base64,AAAA"}]
    )
    frames = Redactor(KEY).message(one)["properties"]["frames"]
    assert re.fullmatch(r"redacted media of 1500 B, hash [0-9a-f]{16}", frames[0]["data"])
    assert re.fullmatch(r"redacted image/png of \d+ B, hash [0-9a-f]{16}", frames[1]["uri"])
    echo = message("conversation.echo", modality="audio", audio="AAAA" * 900, sample_rate=24000, done=False)
    out = Redactor(KEY).message(echo)["properties"]
    assert out["audio"].startswith("redacted media of 2700 B")
    assert (out["sample_rate"], out["done"], out["modality"]) == (24000, False, "audio")


def test_protocol_values_are_kept() -> None:
    for one in SAMPLES:
        got = Redactor(KEY).message(one)
        for name in ("event_type", "message_type", "seq", "turn_idx", "timestamp"):
            assert got.get(name) == one.get(name)
        assert list(got.get("properties", {})) == list(one.get("properties", {}))


def figures(file: str) -> Any:
    out = json.loads(console("report", file, "--json").out)
    for one in out["recordings"]:
        for turn in one["turns"]:
            for call in turn["calls"]:
                call["name"] = shape(call["name"])
                call["id"] = call["id"] and shape(call["id"])
            for part in turn["parts"]:
                part["tool"] = shape(part.get("tool", ""))
        for line in one["transcript"]:
            line["text"] = shape(line["text"])
            line["intended"] = shape(line.get("intended", ""))
        one["conversation_id"] = shape(one["conversation_id"])
        one["file"] = ""
    return out


@given(talks())
@few
def test_the_report_has_the_same_figures(tmp_path_factory: Any, talk: Talk) -> None:
    folder = tmp_path_factory.mktemp("redact")
    file = talk.write(folder / "a.jsonl")
    out = console("redact", file)
    assert (out.status, out.err) == (0, "")
    redacted = folder / "b.jsonl"
    redacted.write_text(out.out, "utf-8")
    assert "answer" not in out.out
    assert figures(str(redacted)) == figures(file)


def test_a_report_on_bare_messages_has_the_same_figures(tmp_path: Path) -> None:
    redacted = tmp_path / "b.jsonl"
    redacted.write_text(console("redact", str(FILE)).out, "utf-8")
    assert figures(str(redacted)) == figures(str(FILE))
    assert "Nora" not in redacted.read_text("utf-8")


def test_a_key_makes_runs_alike(tmp_path: Path) -> None:
    first = console("redact", str(FILE), "--key", "a")
    assert first.out == console("redact", str(FILE), "--key", "a").out
    assert first.out != console("redact", str(FILE), "--key", "b").out
    assert console("redact", str(FILE)).out != console("redact", str(FILE)).out


def test_a_line_that_cannot_be_read_is_left_out_and_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text('{"event_type":"a"}\nDana said so\n{"event_type":"b"}\n')
    result = console("redact", str(file))
    assert result.status == 1
    assert "Dana" not in result.out + result.err
    assert result.err == f"tavus-console: {file}:2: skipped, it cannot be read\n"
    assert len(result.lines) == 2
    file.write_text('{"event_type":"a"}\n{"event_type":"Dana')
    cut = console("redact", str(file))
    assert cut.err == f"tavus-console: {file}:2: the last line is incomplete and was skipped\n"


@pytest.mark.parametrize("value", [10**30, 1e20, 1e-7, -5, 0, 1.5, float("inf"), float("nan")])
def test_any_number(value: float) -> None:
    got = Redactor(KEY).message(message("x.y", properties=[value], a=value))["properties"]["a"]
    assert type(got) in (int, float)


RECORDING = {
    "tail": (["tail", "sim:?speed=max", "--until", "utterance"], ""),
    "join": (["join", "sim:?speed=max"], "My name is Dana\n"),
    "tools": (["tools", "PAL", "--tool", "*=echo nine"], ""),
    "run": (["run", "sim:?speed=max", "SCRIPT"], ""),
}


@pytest.mark.parametrize("command", RECORDING)
def test_every_command_that_records_can_do_so_from_the_start(command: str, tmp_path: Path) -> None:
    script = tmp_path / "x.tavus"
    script.write_text("My name is Dana\n/expect reply\n", "utf-8")
    words, typed = RECORDING[command]
    there = {"SCRIPT": str(script), "PAL": pal(tmp_path, ("get_hours", {"who": "Nora"}))}
    words = [there.get(word, word) for word in words]
    files = [str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl")]
    assert console(*words, "--record", files[0], stdin=typed).status == 0
    assert console(*words, "--record", files[1], "--redact", stdin=typed).status == 0
    plain, redacted = (Path(file).read_text("utf-8") for file in files)
    for name in ("Nora", *(["Dana"] if typed else [])):
        assert name in plain
        assert name not in redacted
    assert json.loads(redacted.partition("\n")[0])["redacted"] is True
    if command == "tail":  # of a conversation that is the same each time
        assert figures(files[1]) == figures(files[0])
    alone = console(*words, "--redact")
    assert (alone.status, alone.err) == (2, "tavus-console: --redact goes with --record\n")


def test_every_option_to_record_has_its_redact() -> None:
    for command in (*([name] for name in RECORDING), ["session", "start"]):
        assert "--redact" in process(*command, "--help").out, command
