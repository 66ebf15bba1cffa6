"""From what a person types to a room (README: TARGET)."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.api.client import NotFound
from tavus_cli.api.credentials import Tokens
from tavus_cli.errors import CannotJoin, ConversationOver, UsageError
from tavus_cli.rooms.daily.room import DailyRoom
from tavus_cli.rooms.reconnecting import ReconnectingRoom
from tavus_cli.rooms.room import Room
from tavus_cli.rooms.sim.room import SimulatedRoom
from tavus_cli.session.environment import Environment
from tavus_cli.target import (
    ConversationId,
    Default,
    Piped,
    Recording,
    RoomOptions,
    RoomUrl,
    SessionName,
    Sim,
    Target,
    open_target,
    parse,
)
from tests.kits import keyring_file
from tests.kits.program import CONSOLE, console
from tests.kits.tavus_api import KEY, PAL, LocalApi, Odd, local_api
from tests.kits.tmux import needs_tmux, pane

ID = "c000000000000001"
SECRET = "eyJhbGciOi.secret-token"
GIVE = "give a room's URL (https://NAME.daily.co/ROOM), a conversation id, or sim"


def opened(target: str | None, options: RoomOptions = RoomOptions(reconnect=300.0)) -> Room:  # noqa: B008
    return asyncio.run(open_target(parse(target), options, Environment(environ={}))).room


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
    assert isinstance(room, ReconnectingRoom)
    assert isinstance(room.joined, DailyRoom)
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
        "c123",
        "C7F3A91D20BE4B58",
        "x7f3a91d20be4b58",
        "c7f3a91d20be4b5é",
        "c" + "a" * 64,
        "c7f3a91d\n",
        "missing.jsonl",
        "\x00",
        " ",
    ],
)
def test_what_is_not_a_target_says_what_to_give(target: str) -> None:
    assert refused(target) == f'"{target}" is not a valid TARGET: {GIVE}'


@pytest.mark.parametrize(
    ("target", "instead"),
    [
        ("sim?speed=max", "sim:?speed=max"),
        ("Sim", "sim"),
        ("SIM?seed=7&gap=0.1", "sim:?seed=7&gap=0.1"),
        ("tavus.daily.co/c0ffee", "https://tavus.daily.co/c0ffee"),
    ],
)
def test_the_intended_text(target: str, instead: str) -> None:
    assert refused(target) == f'"{target}" is not a valid TARGET; did you mean {instead}?'


@pytest.mark.parametrize(
    ("word", "value"),
    [
        (None, Default()),
        ("", Default()),
        ("-", Piped()),
        ("sim", Sim("sim")),
        ("sim:a.toml?seed=7", Sim("sim:a.toml?seed=7")),
        ("https://x.daily.co/y", RoomUrl("https://x.daily.co/y")),
        (ID, ConversationId(ID)),
        ("there.jsonl", Recording("there.jsonl")),
        ("./there", Recording("./there")),
        ("sim-1a2b3c4d", SessionName("sim-1a2b3c4d")),
        ("missing.jsonl", SessionName("missing.jsonl")),
    ],
)
def test_a_word_as_a_value(word: str | None, value: Target) -> None:
    parsed = parse(word, is_file=lambda path: "there" in path)
    assert (type(parsed), parsed) == (type(value), value)


@given(st.text())
def test_every_word_is_a_value_or_a_usage_error(word: str) -> None:
    with contextlib.suppress(UsageError):
        assert isinstance(parse(word, is_file=lambda path: False), Target)


def test_a_file_hints_at_replay(tmp_path: Path) -> None:
    file = tmp_path / "talk.jsonl"
    file.write_text("{}\n")
    assert refused(str(file)) == f"{file} is a file: to show a recording, use tavus-console replay {file}"


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


@pytest.mark.parametrize("json", [[], ["--json"]])
@pytest.mark.parametrize(
    "arguments",
    [
        ["tail", "sim", "URL"],
        ["tail", "sim", "--count", "URL"],
        ["join", "sim", "--record", "URL"],
        ["run", "URL"],
        ["replay", "URL"],
        ["URL"],
        ["conversation", "end", "URL"],
        ["conversation", "list", "--status", "URL"],
        ["session", "stop", "URL"],
        ["doctor", "--room", "sim", "--send", "/URL"],
        ["doctor", "--room", "URL"],
    ],
    ids=" ".join,
)
def test_a_url_in_a_wrong_place_shows_no_token(arguments: list[str], json: list[str]) -> None:
    url = f"https://tavus.daily.co/c0ffee/x?t={SECRET}"
    result = console(*(one.replace("URL", url) for one in arguments), *json)
    assert result.status != 0
    assert SECRET not in result.out + result.err
    assert "secret" not in result.out + result.err


def test_a_wrong_token_parameter_is_reported() -> None:
    assert "[?t=TOKEN]" in console("tail", "https://tavus.daily.co/a/b").err


def test_a_token_is_in_no_attribute_that_is_shown() -> None:
    room = opened(f"https://tavus.daily.co/c0ffee?t={SECRET}")
    assert SECRET not in room.target + room.conversation_id + repr(room)


@pytest.mark.parametrize("proxy", ["http://localhost:1/", "localhost", "https://x/?a=b"])
def test_a_wrong_proxy_is_a_usage_error(proxy: str) -> None:
    with pytest.raises(UsageError, match="proxy must look like"):
        opened("c7f3a91d20be4b58", RoomOptions(daily_proxy=proxy))


# -- ids and pipes: what the API and standard input know -----------------------------------------------

URL = f"https://tavus.daily.co/{ID}"


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalApi]:
    """An API that returns Daily URLs; tokens are kept in files of this test."""
    before = keyring.get_keyring()
    keyring_file.use("fail")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    with local_api(behind="") as one:
        yield one
    keyring.set_keyring(before)


def found(
    target: str, *, stdin: str = "", api: LocalApi | None = None, key: str = KEY, base_url: str | None = None
) -> tuple[Room, str]:
    """The room, and what was printed on standard error."""
    err = io.StringIO()
    environ = {"TAVUS_API_KEY": key, "TAVUS_API_BASE_URL": api.base_url} if api else {}
    environment = Environment(io.StringIO(stdin), io.StringIO(), err, environ)
    opening = open_target(parse(target), RoomOptions(base_url=base_url, reconnect=300.0), environment)
    return asyncio.run(opening).room, err.getvalue()


def secret_of(room: Room) -> str | None:
    assert isinstance(room, ReconnectingRoom)
    assert isinstance(room.joined, DailyRoom)
    return room.joined._token


def test_without_joining_again() -> None:
    assert isinstance(opened(URL, RoomOptions(reconnect=None)), DailyRoom)


def test_an_id_without_a_key_is_the_rooms_name(api: LocalApi) -> None:
    room, said = found(ID)
    assert (room.target, room.conversation_id, said, api.requests) == (URL, ID, "", [])


def test_an_id_with_a_key_is_asked_about(api: LocalApi) -> None:
    api.add(conversation_url="https://elsewhere.daily.co/other-room")
    room, said = found(ID, api=api)
    assert (room.target, room.conversation_id) == ("https://elsewhere.daily.co/other-room", ID)
    assert said == ""
    assert found(ID, api=api, base_url=f"{api.base_url}/")[0].target == room.target


def test_a_kept_token_opens_the_private_room(api: LocalApi) -> None:
    api.add()
    Tokens().keep(ID, SECRET)
    for room in (found(ID, api=api)[0], found(ID)[0]):
        assert secret_of(room) == SECRET
        assert SECRET not in room.target + repr(room)


def test_only_a_loopback_api_may_lead_to_the_simulation(api: LocalApi) -> None:
    api.add(conversation_url="sim:?speed=max")
    room, _ = found(ID, api=api)
    assert isinstance(room, SimulatedRoom)


@pytest.mark.parametrize("url", ["http://tavus.daily.co/x", "file:///etc/passwd", "", None, 7, "simulated"])
def test_a_room_url_from_the_api_is_checked(api: LocalApi, url: object) -> None:
    api.add(conversation_url=url)
    with pytest.raises(CannotJoin, match="no Daily room"):
        found(ID, api=api)
    api.conversations[ID]["conversation_url"] = "https://evil.example.com/room"
    with pytest.raises(UsageError, match=r"its host must be NAME\.daily\.co"):
        found(ID, api=api)


def test_an_api_that_fails_is_ignored(api: LocalApi) -> None:
    key = "tvs-another-account"
    room, said = found(ID, api=api, key=key)
    assert room.target == URL
    assert said.startswith("tavus-console: Tavus does not accept the API key")
    assert said.endswith(f"; joining {URL}\n")
    assert key not in said


def test_an_id_that_the_api_does_not_know_is_not_joined(api: LocalApi) -> None:
    with pytest.raises(NotFound, match=f"no conversation {ID} .*join by the room's URL"):
        found(ID, api=api)


def test_a_busy_api_is_not_awaited(api: LocalApi) -> None:
    api.add()
    api.odd.append(Odd(503))
    room, said = found(ID, api=api)
    assert (room.target, len(api.requests)) == (URL, 1)
    assert "Tavus failed (503)" in said


def test_a_conversation_that_has_ended_is_not_joined(api: LocalApi) -> None:
    api.add(status="ended")
    Tokens().keep(ID, SECRET)
    with pytest.raises(ConversationOver, match=ID):
        found(ID, api=api)
    assert Tokens().get(ID) is None


@pytest.mark.parametrize(
    "text",
    [
        URL,
        f"{URL}\n",
        ID,
        json.dumps({"conversation_id": ID}),
        json.dumps({"conversation_id": ID, "conversation_url": URL, "status": "active"}, indent=2),
        json.dumps({"conversation_url": URL}),
        f"Created.\n{json.dumps({'conversation_url': URL}, indent=4)}\nbye\n",
        f"Your conversation: {URL}\n",
    ],
)
def test_what_other_commands_print_is_a_target(api: LocalApi, text: str) -> None:
    assert found("-", stdin=text)[0].target == URL


def test_a_token_in_a_pipe_is_used(api: LocalApi) -> None:
    answer = {"conversation_id": ID, "conversation_url": URL, "meeting_token": SECRET}
    assert secret_of(found("-", stdin=json.dumps(answer))[0]) == SECRET
    assert secret_of(found("-", stdin=f"{URL}?t={SECRET}")[0]) == SECRET
    del answer["meeting_token"]
    assert secret_of(found("-", stdin=json.dumps(answer))[0]) is None
    Tokens().keep(ID, SECRET)
    assert secret_of(found("-", stdin=json.dumps(answer))[0]) == SECRET


@pytest.mark.parametrize(
    "text", ["", "\n", "{}", '{"conversation_url": 3}', "what now", "{broken", "[" * 99_999]
)
def test_a_pipe_without_a_conversation(api: LocalApi, text: str) -> None:
    with pytest.raises(UsageError, match="TARGET"):
        found("-", stdin=text)


def test_a_conversation_of_test_mode_is_over(api: LocalApi) -> None:
    with pytest.raises(ConversationOver, match="test mode"):
        found("-", stdin=json.dumps({"conversation_id": ID, "conversation_url": URL, "status": "ended"}))


def test_what_create_prints_is_sent_to(api: LocalApi) -> None:
    api.behind = "sim:?speed=max"
    variables = {"TAVUS_API_KEY": KEY, "TAVUS_API_BASE_URL": api.base_url}
    created = console("conversation", "create", "--pal", PAL, **variables).out
    answer = console("send", "-", "respond", "How much is it?", "--wait", "reply", stdin=created)
    assert (answer.status, "twelve euros" in answer.out) == (0, True)
    by_id = console("send", ID, "respond", "How much is it?", "--wait", "reply", **variables)
    assert by_id.out == answer.out
    assert console("tail", "-", "--count", "1", "--format", "{type}", stdin=ID, **variables).status == 0


@needs_tmux
def test_after_a_pipe_input_comes_from_the_terminal(tmp_path: Path) -> None:
    command = f"echo sim | {CONSOLE} join -"
    with pane(tmp_path, "sh", "-c", command, TAVUS_CONSOLE_HISTORY=str(tmp_path / "history")) as shown:
        shown.shows("PAL present")
        shown.type("How much is it?")
        shown.keys("Enter")
        shown.shows("respond How much is it?")
        shown.keys("C-d")
        assert shown.ends() == 0
