"""``doctor``: each check is a line, and the exit status says whether all passed."""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tavus_cli import __version__
from tavus_cli.settings.table import KEYS
from tests.kits.command_kit import LAST_GUEST
from tests.kits.fake_daily import FakeDaily, someone
from tests.kits.program import CONSOLE, NOWHERE, Result, console
from tests.kits.room_kit import URL, fake_daily
from tests.kits.tavus_api import KEY, local_api
from tests.kits.tmux import needs_tmux, pane

FAST = "sim:?speed=max"
Install = Callable[..., FakeDaily]
HELLO = {"event_type": "conversation.utterance", "seq": 1, "properties": {"role": "pal", "speech": "Hello"}}


HERE = ["program", "client", "terminal", "config", "sessions", "key", "api"]  # before a room is tried


@pytest.fixture(autouse=True)
def no_sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests do not see sessions of this machine."""
    monkeypatch.setenv("TAVUS_CONSOLE_RUNTIME", str(tmp_path / "run"))


@pytest.fixture
def daily(monkeypatch: pytest.MonkeyPatch) -> Install:
    return fake_daily(monkeypatch)


def doctor(*arguments: str, room: str = URL) -> Result:
    return console("doctor", "--room", room, "--for", "100ms", *arguments)


def checks(result: Result) -> dict[str, bool | None]:
    """The checks made, the last of each name."""
    return {one["check"]: one["ok"] for one in told(result)["checks"]}


def told(result: Result) -> Any:
    assert result.err in ("", LAST_GUEST)
    assert len(result.lines) == 1
    return json.loads(result.out)


def test_without_a_room_it_says_what_is_here() -> None:
    result = console("doctor")
    assert (result.status, result.err) == (0, "")
    starts = [f"✓ tavus-console {__version__} (Python 3.", "✓ daily-python 0.3", "– no terminal"]
    starts += ["– no settings file: tavus-console config edit creates /", "– no session is running"]
    starts += ["– no API key", f"– cannot reach {NOWHERE.removeprefix('http://')}"]
    starts += ["– no room was tried: --room TARGET joins one"]
    for line, start in zip(result.lines, starts, strict=True):
        assert line.startswith(start)


def test_its_object_says_the_same() -> None:
    found = told(console("doctor", "--json"))
    assert [one["check"] for one in found["checks"]] == [*HERE, "room"]
    assert [one["text"] for one in found["checks"]] == [line[2:] for line in console("doctor").lines]
    assert (found["target"], found["conversation_id"], found["exit_status"]) == (None, None, 0)
    assert {"tavus-console", "python", "system", "daily-python", "httpx", "keyring"} <= set(found["versions"])
    assert re.fullmatch(r"0\.3[56]\.\d+", found["versions"]["daily-python"])


def test_valid_settings(tmp_path: Path) -> None:
    path = tmp_path / "console.toml"
    path.write_text('theme = "light"\nhold = "1s"\n')
    result = console("doctor", TAVUS_CONSOLE_CONFIG=str(path))
    assert f"✓ {path} is valid and sets 2 of {len(KEYS)} keys" in result.lines


BROKEN = {
    "a key": ('thme = "light"', {}, ':1: unknown key "thme"; did you mean "theme"?; fix it: '),
    "no TOML": ("theme", {}, ":1: "),
    "a variable": ("", {"TAVUS_CONSOLE_HOLD": "long"}, "TAVUS_CONSOLE_HOLD must be"),
    "no file": (None, {}, "create it with: tavus-console config edit"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_invalid_settings_are_one_finding(tmp_path: Path, name: str) -> None:
    text, variables, says = BROKEN[name]
    path = tmp_path / "console.toml"
    if text is not None:
        path.write_text(text)
    options = ["--room", FAST, "--for", "100ms"]
    result = console("doctor", *options, TAVUS_CONSOLE_CONFIG=str(path), **variables)
    assert (result.status, result.err) == (2, "")
    assert [line for line in result.lines if line.startswith("✗")] == [
        line for line in result.lines if says in line
    ]
    assert result.lines[-1].startswith("✓ left in")
    assert console("tail", FAST, TAVUS_CONSOLE_CONFIG=str(path), **variables).status == 2


def test_sessions_are_named() -> None:
    sim = "sim:?speed=1"
    name = console("session", "start", sim).out.strip()
    try:
        found = told(console("doctor", "--json"))["checks"][HERE.index("sessions")]
        assert (found["ok"], found["text"]) == (True, f"1 session in the background: {name}")
        assert [one["target"] for one in found["sessions"]] == [sim]
    finally:
        assert console("session", "stop", "--all").status == 0


def test_sessions_that_do_not_answer_do_not_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tavus_cli.commands.doctor.doctor.SESSIONS_SECONDS", 0.05)
    folder = Path(os.environ["TAVUS_CONSOLE_RUNTIME"])
    folder.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(folder / "c0ffee.sock"))
        deaf.listen()
        result = console("doctor")
    assert result.status == 0
    assert "– the sessions did not answer within 0.05 s" in result.out


@needs_tmux
@pytest.mark.parametrize(
    ("variables", "says"),
    [
        (
            {"TERM": "xterm-256color"},
            "✓ a terminal (xterm-256color), 120 columns, in colour (theme dark), utf-8",
        ),
        ({"COLORFGBG": "0;15"}, "(theme light)"),
        ({"NO_COLOR": "1"}, "without colour"),
        ({"TERM": "dumb"}, "no prompt, as it cannot move its cursor (TERM=dumb): set TERM"),
        ({"PYTHONIOENCODING": "latin-1"}, "set LC_ALL=C.UTF-8"),
    ],
)
def test_the_terminal_is_described(tmp_path: Path, variables: dict[str, str], says: str) -> None:
    given = [f"{name}={value}" for name, value in variables.items()]
    with pane(tmp_path, "env", *given, CONSOLE, "doctor", columns=120) as shown:
        assert shown.ends() == 0
        assert says in shown.all


def test_a_room_that_works(daily: Install) -> None:
    fake = daily(early=[HELLO])
    result = doctor("--send", "/echo Read this.")
    assert (result.status, result.err) == (0, LAST_GUEST)
    starts = [f"joined {URL} in", "the PAL (Charlie) is there", "echo sent, confirmed in"]
    starts += ["1 events, the first", "left in"]
    for line, start in zip(result.lines[len(HERE) :], starts, strict=True):
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
    visit = found["checks"][len(HERE) :]
    assert [one["check"] for one in visit] == ["join", "pal", "send", "events", "echo", "reply", "leave"]
    assert all(one["ok"] and "seconds" in one for one in visit)
    events = visit[3]
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
    "no PAL": (
        {"people": [someone("x", local=True)]},
        5,
        {"pal": False, "send": True},
        "did not join within",
    ),
    "ended": ({"steps": [{"end": "Ejected"}]}, 6, {"room": False, "leave": None}, "removed"),
}


@pytest.mark.parametrize("name", FAILING)
def test_what_does_not_work_is_reported_and_in_the_status(daily: Install, name: str) -> None:
    scenario, status, found, words = FAILING[name]
    early: list[Any] = [HELLO if name != "no PAL" else {"event_type": "of nobody's"}]
    daily(**{"early": early} | scenario)
    options = ["--join-timeout", "300ms", "--ready-timeout", "100ms", "--send", "hi"]
    result = doctor(*options, "--for", "30s" if name == "ended" else "100ms", "--json")
    assert result.status == status == told(result)["exit_status"]
    assert not told(result)["ok"]
    assert checks(result).items() >= found.items()
    assert words in result.out


def test_silence_is_reported(daily: Install) -> None:
    daily()
    result = doctor()
    assert result.status == 3
    assert "✗ no event arrived within 0.1 s" in result.lines


def test_notes_are_reported_as_remarks(daily: Install) -> None:
    steps = [{"network": "interrupted"}, {"network": "connected"}]
    daily(early=[HELLO], steps=steps)
    result = doctor("--for", "500ms")
    assert result.status == 0
    notes = [line for line in result.lines[len(HERE) :] if line.startswith("–")]
    assert [line.partition(" after ")[0] for line in notes] == [
        "– the connection to the room is interrupted",
        "– the connection to the room is back",
    ]


def test_a_client_that_does_not_load_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "daily", None)
    result = console("doctor")
    assert (result.status, result.err) == (5, "")
    assert result.lines[1].startswith("✗ Daily's client could not be loaded")
    assert "pip install daily-python" in result.lines[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--room", FAST, "--send", "/help"], "--send takes what can be sent"),
        (["--room", FAST, "--send", "/ehco x"], "did you mean /echo?"),
        (["--room", FAST, "--send", "/echo --audio /nowhere/x.wav"], "/nowhere/x.wav"),
        (["--send", "hi"], "--room TARGET"),
        (["--room", "nonsense"], "not a valid TARGET"),
        (["--room", "http://x.daily.co/r"], "https"),
        (["--base-url", "nonsense"], "--base-url"),
        (["--base-url"], "--base-url"),
        (["--room", FAST, "--conversation-id", "c1"], "--conversation-id"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_usage_error_joins_nothing(arguments: list[str], words: str) -> None:
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


def test_a_room_by_its_id() -> None:
    with local_api(FAST) as api:
        variables = {"TAVUS_API_BASE_URL": api.base_url, "TAVUS_API_KEY": KEY}
        result = console("doctor", "--room", api.add(), "--for", "100ms", **variables)
    assert result.status == 0
    assert f"✓ joined {FAST} in" in result.out


def test_a_room_that_is_over_is_a_finding() -> None:
    with local_api() as api:
        variables = {"TAVUS_API_BASE_URL": api.base_url, "TAVUS_API_KEY": KEY}
        result = console("doctor", "--room", api.add(status="ended"), **variables)
    assert result.status == 6
    assert "✓ the API accepts the key" in result.lines
    assert result.lines[-1] == "✗ the conversation c000000000000001 has ended"
