"""``doctor``: each thing tried is a line, and the exit status says whether all of it worked."""

from __future__ import annotations

import json
import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tavus_cli import __version__
from tests.fake_daily import FakeDaily, someone
from tests.program import Result, console
from tests.room_kit import URL, fake_daily

FAST = "sim:?speed=max"
Install = Callable[..., FakeDaily]
HELLO = {"event_type": "conversation.utterance", "seq": 1, "properties": {"role": "pal", "speech": "Hello"}}


@pytest.fixture
def daily(monkeypatch: pytest.MonkeyPatch) -> Install:
    return fake_daily(monkeypatch)


def doctor(*arguments: str, room: str = URL) -> Result:
    return console("doctor", "--room", room, "--for", "100ms", *arguments)


def checks(result: Result) -> dict[str, bool | None]:
    """What was tried, the last of each name."""
    return {one["check"]: one["ok"] for one in told(result)["checks"]}


def told(result: Result) -> Any:
    assert result.err == ""
    assert len(result.lines) == 1
    return json.loads(result.out)


def test_without_a_room_it_says_what_is_here() -> None:
    result = console("doctor")
    assert (result.status, result.err) == (0, "")
    client, room = result.lines
    assert client.startswith("✓ daily-python 0.3")
    assert "loads" in client
    assert room == "– no room tried: --room URL joins one"


def test_a_room_that_works(daily: Install) -> None:
    fake = daily(early=[HELLO])
    result = doctor("--send", "/echo Read this.")
    assert (result.status, result.err) == (0, "")
    starts = ["daily-python", f"joined {URL} in", "the PAL (Charlie) is there", "echo sent, confirmed in"]
    starts += ["1 events, the first", "left in"]
    assert len(result.lines) == len(starts)
    for line, start in zip(result.lines, starts, strict=True):
        assert line.startswith(f"✓ {start}")
    assert [one["event_type"] for one in fake.sent] == ["conversation.echo"]
    assert fake.names()[-2:] == ["leave", "release"]


def test_without_send_nothing_is_sent(daily: Install) -> None:
    fake = daily(early=[HELLO])
    assert doctor().status == 0
    assert fake.sent == []


def test_the_simulated_room_is_a_rehearsal() -> None:
    result = doctor("--send", "/respond How much is it?", "--send", "/interrupt", room=FAST)
    assert result.status == 0
    text = result.out
    for words in (
        "joined sim",
        "PAL (Nora)",
        "respond sent",
        "interrupt sent",
        "came back",
        "events",
        "left",
    ):
        assert words in text
    assert "✗" not in text


def test_json_is_one_object() -> None:
    result = doctor("--send", "How much is it?", "--json", room=FAST)
    found = told(result)
    assert (found["ok"], found["exit_status"], result.status) == (True, 0, 0)
    assert (found["target"], found["conversation_id"]) == (FAST, "sim-0")
    assert found["versions"]["tavus-console"] == __version__
    names = ["client", "join", "pal", "send", "events", "echo", "reply", "leave"]
    assert [one["check"] for one in found["checks"]] == names
    assert all(one["ok"] for one in found["checks"])
    assert all("seconds" in one for one in found["checks"] if one["check"] != "client")
    events = found["checks"][4]
    assert sum(events["types"].values()) == events["count"] > 5


FAILING: dict[str, tuple[dict[str, Any], int, dict[str, bool | None], str]] = {
    "no longer there": (
        {"join": "Connection(Api(RoomLookup(RoomInfoError(NoLongerAvailable))))"},
        6,
        {"client": True, "join": False},
        "over",
    ),
    "not allowed": ({"join": 'RoomInfoError(Unhandled("exp-token"))'}, 4, {"join": False}, "token"),
    "never let in": ({"join": "never"}, 5, {"join": False}, "within 0.3 s"),
    "send refused": (
        {"send": "Custom(No)"},
        1,
        {"send": False, "leave": True},
        "respond not sent: Custom(No)",
    ),
    "send not confirmed": ({"send": "never"}, 1, {"send": False, "leave": True}, "may have been sent"),
    "leave not confirmed": ({"leave": "never"}, 1, {"send": True, "leave": False}, "confirm leaving"),
    "release stuck": ({"release": "never"}, 1, {"send": True, "leave": False}, "let go"),
    "no PAL": ({"people": [someone("x", local=True)]}, 5, {"pal": False, "send": True}, "no PAL came"),
    "ended": ({"steps": [{"end": "Ejected"}]}, 6, {"room": False, "leave": None}, "removed"),
}


@pytest.mark.parametrize("name", FAILING)
def test_what_does_not_work_is_said_and_in_the_status(daily: Install, name: str) -> None:
    scenario, status, found, words = FAILING[name]
    early: list[Any] = [HELLO if name != "no PAL" else {"event_type": "of nobody's"}]
    daily(**{"early": early} | scenario)
    options = ["--join-timeout", "300ms", "--ready-timeout", "100ms", "--send", "hi"]
    result = doctor(*options, "--for", "30s" if name == "ended" else "100ms", "--json")
    assert result.status == status == told(result)["exit_status"]
    assert not told(result)["ok"]
    assert checks(result).items() >= found.items()
    assert words in result.out


def test_silence_is_told(daily: Install) -> None:
    daily()
    result = doctor()
    assert result.status == 3
    assert "✗ no event came within 0.1 s" in result.lines


def test_notes_are_told_and_prove_nothing(daily: Install) -> None:
    steps = [{"network": "interrupted"}, {"network": "connected"}]
    daily(early=[HELLO], steps=steps)
    result = doctor("--for", "500ms")
    assert result.status == 0
    assert [line for line in result.lines if line.startswith("–")] == [
        "– the signalling connection is interrupted: events may be missing until it is back",
        "– the signalling connection is back",
    ]


def test_a_client_that_does_not_load_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "daily", None)
    result = console("doctor")
    assert (result.status, result.err) == (5, "")
    assert result.out.startswith("✗ Daily's client could not be loaded")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--room", FAST, "--send", "/help"], "--send takes what can be sent"),
        (["--room", FAST, "--send", "/ehco x"], "did you mean /echo?"),
        (["--room", FAST, "--send", "/echo --audio /nowhere/x.wav"], "/nowhere/x.wav"),
        (["--send", "hi"], "--room URL"),
        (["--room", "nonsense"], "no TARGET"),
        (["--room", "http://x.daily.co/r"], "https"),
        (["--room", FAST, "--conversation-id", "c1"], "--conversation-id"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_wrong_command_line_joins_nothing(arguments: list[str], words: str) -> None:
    result = console("doctor", *arguments)
    assert (result.status, result.out) == (2, "")
    assert words in result.err


def test_what_a_remote_party_says_is_harmless_and_bounded(daily: Install) -> None:
    early = [{"event_type": f"\x1b]52;c;{number}\x07" + "x" * 1000} for number in range(300)]
    daily(early=early, people=[someone("11111111-1111-4111-8111-111111111111", "\x1b[31mEve" * 50)])
    result = doctor("--json")
    assert result.status == 0
    assert "\x1b" not in result.out
    assert len(result.out) < 20_000
    plain = doctor()
    assert "\x1b" not in plain.out
    assert "PAL" in plain.out


def test_sound_is_sent_too(daily: Install, tmp_path: Path) -> None:
    path = tmp_path / "hello.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
        sound.writeframes(b"\0\1" * 1600)
    fake = daily(early=[HELLO])
    result = doctor("--send", f"/echo --audio {path}")
    assert result.status == 0
    assert "✓ echo --audio sent" in result.out
    assert fake.sent[-1]["properties"]["done"] is True
