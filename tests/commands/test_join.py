"""``join`` without a terminal: commands from a pipe, until the replies are in."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.kits.program import CONSOLE, SECONDS, console, environ

FAST = "sim:?speed=max"


def said(text: str) -> list[str]:
    """What the PAL said, in the pretty view."""
    return [line.split("pal      ", 1)[1] for line in text.splitlines() if "  pal      " in line]


def script(folder: Path) -> str:
    path = folder / "script.toml"
    path.write_text(
        """[[reply]]
match = "^one$"
say = "First answer."
[[reply]]
match = "^two$"
say = "Second answer."
"""
    )
    return str(path)


@pytest.mark.parametrize("speed", ["speed=max", "speed=40"])
def test_every_line_is_answered_before_it_ends(tmp_path: Path, speed: str) -> None:
    result = console("join", f"sim:{script(tmp_path)}?{speed}", stdin="one\n\n# a comment\ntwo\n")
    assert (result.status, result.err) == (0, "")
    text = "\n".join(said(result.out))
    assert text.index("First answer.") < text.index("Second answer.")
    assert result.out.count("respond") == 2


def test_the_last_line_needs_no_newline(tmp_path: Path) -> None:
    result = console("join", f"sim:{script(tmp_path)}?speed=max", stdin="one")
    assert "First answer." in result.out


def test_an_empty_input_joins_and_leaves() -> None:
    assert console("join", FAST).status == 0


def test_a_wrong_line_is_reported_and_the_others_are_sent() -> None:
    result = console("join", FAST, stdin="/ehco hi\nhello\n/quit\nnever\n")
    assert result.status == 1
    assert result.err == "tavus-console: unknown command /ehco; did you mean /echo?; /help lists them\n"
    assert "respond hello" in result.out
    assert "never" not in result.out


def test_help_is_not_printed_on_standard_output() -> None:
    result = console("join", FAST, stdin="/help\n")
    assert result.status == 0
    assert "/interrupt" in result.err
    assert "/interrupt" not in result.out


def test_what_is_sent_is_recorded_with_what_came(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    assert console("join", FAST, "--record", str(path), stdin="hello\n//slash\n").status == 0
    records = [json.loads(line) for line in path.read_text().splitlines()[1:]]
    sent = [one["message"]["properties"]["text"] for one in records if one["dir"] == "out"]
    assert sent == ["hello", "/slash"]
    assert {"in", "out"} <= {one["dir"] for one in records}
    replayed = console("replay", str(path))
    assert "respond hello" in replayed.out


def test_a_conversation_that_ends_meanwhile_ends_with_6() -> None:
    result = console("join", f"{FAST}&leave=2", stdin="hello\nhello\nhello\n")
    assert result.status == 6
    assert "over" in result.err


def test_a_closed_pipe_ends_join() -> None:
    with subprocess.Popen(
        [CONSOLE, "join", "sim"],
        stdin=subprocess.PIPE,
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


def test_a_full_disk_is_reported() -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [CONSOLE, "join", FAST], input=b"hello\n", stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 1
    assert b"No space left" in done.stderr


def test_an_interrupt_while_a_reply_is_awaited_is_silent(tmp_path: Path) -> None:
    script = tmp_path / "slow.toml"
    script.write_text('[[reply]]\nmatch = "x"\nsay = "Late."\ndelay = 60\n')
    with subprocess.Popen(
        [CONSOLE, "join", f"sim:{script}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ(),
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(b"x\n")
        child.stdin.close()
        while b"respond x" not in child.stdout.readline():
            pass
        child.terminate()
        assert child.wait(timeout=SECONDS) == 143
        assert child.stderr is not None
        assert child.stderr.read() == b""
