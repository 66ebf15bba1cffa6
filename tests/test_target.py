"""From what a person types to a room (README: TARGET)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tavus_cli.errors import UsageError
from tavus_cli.rooms.daily import DailyRoom
from tavus_cli.rooms.room import Room
from tavus_cli.rooms.simulated import SimulatedRoom
from tavus_cli.rooms.target import RoomOptions, open_room

SECRET = "eyJhbGciOi.secret-token"
GIVE = "give a room's URL (https://NAME.daily.co/ROOM), a conversation id, or sim"


def opened(target: str | None) -> Room:
    return open_room(target, RoomOptions())


def refused(target: str | None) -> str:
    with pytest.raises(UsageError) as caught:
        opened(target)
    return str(caught.value)


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("https://tavus.daily.co/c7f3a91d20be4b58", "https://tavus.daily.co/c7f3a91d20be4b58"),
        ("https://my-own.daily.co/Room_1", "https://my-own.daily.co/Room_1"),
        (f"https://tavus.daily.co/c0ffee?t={SECRET}", "https://tavus.daily.co/c0ffee"),
        ("HTTPS://TAVUS.DAILY.CO/c0ffee/", "https://tavus.daily.co/c0ffee"),
        ("c7f3a91d20be4b58", "https://tavus.daily.co/c7f3a91d20be4b58"),
        ("c12345", "https://tavus.daily.co/c12345"),
        ("c" + "a" * 63, "https://tavus.daily.co/c" + "a" * 63),
    ],
)
def test_a_daily_room(target: str, url: str) -> None:
    room = opened(target)
    assert isinstance(room, DailyRoom)
    assert room.target == url
    assert room.conversation_id == url.rsplit("/", 1)[1]
    assert (room.live, room.timed, room.leaving_may_end) == (True, True, True)


@pytest.mark.parametrize("target", ["sim", "sim:", "sim:?seed=7", "sim:?speed=max&reorder=0.2"])
def test_a_simulated_room(target: str) -> None:
    room = opened(target)
    assert isinstance(room, SimulatedRoom)
    assert room.target == target
    assert room.leaving_may_end is False


def test_a_simulated_room_with_a_script(tmp_path: Path) -> None:
    script = tmp_path / "desk.toml"
    script.write_text('greeting = "Hello"\n')
    assert isinstance(opened(f"sim:{script}?speed=max"), SimulatedRoom)


@pytest.mark.parametrize("target", [None, ""])
def test_no_target_says_what_to_give(target: str | None) -> None:
    assert refused(target) == f"no TARGET: {GIVE}, or set TAVUS_CONVERSATION"


@pytest.mark.parametrize(
    "target",
    [
        "simulated",
        "Sim",
        "c123",
        "C7F3A91D20BE4B58",
        "x7f3a91d20be4b58",
        "c7f3a91d20be4b5é",
        "c" + "a" * 64,
        "c7f3a91d\n",
        "tavus.daily.co/c0ffee",
        "missing.jsonl",
        "\x00",
        " ",
    ],
)
def test_what_is_no_target_says_what_to_give(target: str) -> None:
    assert refused(target) == f'"{target}" is no TARGET: {GIVE}'


def test_a_file_hints_at_replay(tmp_path: Path) -> None:
    file = tmp_path / "talk.jsonl"
    file.write_text("{}\n")
    assert refused(str(file)) == f"{file} is a file: tavus-console replay {file} shows a recording"


@pytest.mark.parametrize("target", ["sim:?sede=7", "sim:?reorder=2", "sim:/no/such/file.toml"])
def test_a_wrong_simulation_is_a_usage_error(target: str) -> None:
    assert "sim" in refused(target) or "/no/such/file.toml" in refused(target)


@pytest.mark.parametrize(
    "target",
    [
        "http://tavus.daily.co/c0ffee?t={}",
        "https://tavus.example.com/c0ffee?t={}",
        "https://tavus.daily.co/?t={}",
        "https://tavus.daily.co/a/b?t={}",
        "https://tavus.daily.co:99/c0ffee?t={}",
        "https://tavus.daily.co:port/c0ffee?t={}",
        "https://user@tavus.daily.co/c0ffee?t={}",
        "https://tavus.daily.co/c0ffee?t={}&t={}",
        "https://tavus.daily.co/c0ffee?t={}#x",
        "https://tavus.daily.co/c0ffee?t={} ",
        "https://tavus.daily.co/c0ffee?t={}é",
        "https://[tavus.daily.co/c0ffee?t={}",
        "tavus.daily.co/c0ffee?t={}",
        "https:/tavus.daily.co/c0ffee?t={}",
        "//tavus.daily.co/c0ffee?t={}",
        "c7f3a91d20be4b58?t={}",
        "?t={}",
    ],
)
def test_a_token_is_in_no_error(target: str) -> None:
    text = refused(target.replace("{}", SECRET))
    assert SECRET not in text
    assert "secret" not in text


def test_a_token_is_in_no_attribute_that_is_shown() -> None:
    room = opened(f"https://tavus.daily.co/c0ffee?t={SECRET}")
    assert SECRET not in room.target + room.conversation_id + repr(room)


@pytest.mark.parametrize("proxy", ["http://localhost:1/", "localhost", "https://x/?a=b"])
def test_a_wrong_proxy_is_a_usage_error(proxy: str) -> None:
    with pytest.raises(UsageError, match="proxy must look like"):
        open_room("c7f3a91d20be4b58", RoomOptions(daily_proxy=proxy))
