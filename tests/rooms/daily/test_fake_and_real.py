"""The fake ``daily`` compared with the real one: the same names, signatures and traps."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import daily
import pytest

from tavus_cli.rooms.daily import client as client_module
from tavus_cli.rooms.daily.room import DailyRoom
from tests.kits import fake_daily
from tests.kits.daily_room import LocalRoom, authority_file, room_url
from tests.kits.fake_daily import NOT_OPEN, PAL, FakeDaily, Scenario, Trap, install
from tests.kits.room_kit import notes, taking, until

FAKE = FakeDaily()
SINCE = {"on_network_connection_status_updated": (0, 36)}  # of the pinned range, the oldest lacks it
VERSION = tuple(int(part) for part in version("daily-python").split(".")[:2])
CLASSES = ("Daily", "CallClient", "EventHandler")


def own_methods(cls: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__[:-1]):
        found |= {name: one for name, one in vars(base).items() if not name.startswith("_") and callable(one)}
    return found


def there(name: str) -> bool:
    return SINCE.get(name, VERSION) <= VERSION


METHODS = [
    (owner, name) for owner in CLASSES for name in own_methods(getattr(FAKE.module, owner)) if there(name)
]


def parameters(text_signature: str) -> list[tuple[str, str | None]]:
    """``($self, a, b=None)`` → [("a", None), ("b", "None")]."""
    inner = text_signature.strip()[1:-1]
    names = [part.strip() for part in inner.split(",") if part.strip()]
    pairs = [tuple(re.split(r"\s*=\s*", name, maxsplit=1)) for name in names]
    return [(pair[0], pair[1] if len(pair) > 1 else None) for pair in pairs if pair[0] not in ("$self", "/")]


def fake_parameters(function: Any) -> list[tuple[str, str | None]]:
    return [
        (one.name, None if one.default is inspect.Parameter.empty else repr(one.default))
        for one in inspect.signature(function).parameters.values()
        if one.name != "self"
    ]


@pytest.mark.parametrize(("owner", "name"), METHODS, ids=lambda value: str(value))
def test_signature_is_the_real_one(owner: str, name: str) -> None:
    real = parameters(getattr(getattr(daily, owner), name).__text_signature__)
    fake = fake_parameters(getattr(getattr(FAKE.module, owner), name))
    unspoken = [one for one, default in real if default == "..."]  # a default the real one does not name
    assert [(one, "..." if one in unspoken else default) for one, default in fake] == real


def test_client_is_made_as_the_real_one() -> None:
    real = parameters(str(daily.CallClient.__text_signature__))
    assert fake_parameters(FAKE.module.CallClient) == real


def test_log_level_off_exists() -> None:
    assert daily.LogLevel.Off is not None


def test_every_callback_of_the_adapter_is_a_real_one() -> None:
    handler = client_module.handler(daily, DailyRoom("https://x.daily.co/r"))
    mine = {name: one for name, one in vars(type(handler)).items() if name.startswith("on_") and there(name)}
    assert mine
    for name, function in mine.items():
        real = parameters(getattr(daily.EventHandler, name).__text_signature__)
        assert [one for one, _ in fake_parameters(function)] == [one for one, _ in real], name


def test_every_callback_of_the_adapter_is_in_the_fake() -> None:
    handler = client_module.handler(FAKE.module, DailyRoom("https://x.daily.co/r"))
    mine = {name for name in vars(type(handler)) if name.startswith("on_")}
    assert mine == {name for name in vars(fake_daily.EventHandler) if name.startswith("on_")}


# -- the traps -----------------------------------------------------------------------------------------


def client(scenario: Scenario | None = None) -> Any:
    fake = FakeDaily(scenario)
    fake.module.Daily.init()
    return fake.module.CallClient(event_handler=fake.module.EventHandler())


def test_init_and_deinit_trap() -> None:
    module = FakeDaily().module
    with pytest.raises(Trap):
        module.CallClient()
    module.Daily.init()
    with pytest.raises(Trap):
        module.Daily.init()
    with pytest.raises(Trap):
        module.Daily.deinit()


def test_handler_must_be_a_handler() -> None:
    module = FakeDaily().module
    module.Daily.init()
    with pytest.raises(TypeError):
        module.CallClient(event_handler=object())


def test_participants_before_joined_traps() -> None:
    with pytest.raises(Trap):
        client().participants()


def test_send_before_joined_fails_twice() -> None:
    one = client()
    heard: list[Any] = []
    one.native.handler.on_error = lambda text: heard.append(text)
    one.send_app_message({"a": 1}, completion=lambda error: heard.append(error))
    one.fake.settle()
    assert heard == [NOT_OPEN, f"Error handling sendAppMessage: {NOT_OPEN}"]


def test_a_released_client_refuses() -> None:
    one = client()
    one.release()
    with pytest.raises(RuntimeError, match="already been released"):
        one.set_user_name("x")


def test_what_a_callback_raises_goes_to_the_hook_and_life_continues(monkeypatch: pytest.MonkeyPatch) -> None:
    one = client()
    raised: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: raised.append(what.exc_value))
    heard: list[Any] = []

    def hear(message: Any, sender: Any) -> None:
        if message == "bad":
            raise ValueError(message)
        heard.append(message)

    one.native.handler.on_app_message = hear
    one.fake.say("bad")
    one.fake.say("good")
    one.fake.settle()
    assert heard == ["good"]
    assert [str(error) for error in raised] == ["bad"]


def test_a_child_process_gets_the_fake_and_its_scenario() -> None:
    code = "import daily, json; print(json.dumps(daily.fake.scenario.early))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=fake_daily.environment(Scenario(early=[{"a": 1}])),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert json.loads(done.stdout) == [{"a": 1}]


def test_a_program_in_a_child_process_joins_the_fake() -> None:
    steps: list[dict[str, Any]] = [{"say": "after"}, {"after": 0.05, "end": "Ejected"}]
    done = subprocess.run(
        [sys.executable, "-m", "tests.kits.daily_child", "https://x.daily.co/r"],
        env=fake_daily.environment(Scenario(early=["before"], steps=steps)),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one for one in said if "message" in one] == [{"message": "before"}, {"message": "after"}]
    assert done.stderr == ""


# -- behind "joined": the same callbacks from both -------------------------------------------------------


class Listening(DailyRoom):
    """Notes what the client calls it with."""

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(url, **options)
        self.statuses: list[Any] = []
        self.states: list[Any] = []

    def on_network(self, status: Any) -> None:
        self.statuses.append(status)
        super().on_network(status)

    def on_state(self, state: Any) -> None:
        self.states.append(state)
        super().on_state(state)

    @property
    def line(self) -> list[Any]:
        """The notes about the connection since it broke."""
        of_line = [one for one in self.statuses if one["connection"] == "signalling"]
        broken = {"connection": "signalling", "event": "interrupted"}
        return of_line[of_line.index(broken) :] if broken in of_line else []


async def broken_and_left(
    room: Listening, drop: Callable[[], None]
) -> tuple[list[Any], list[Any], list[str]]:
    async with taking(room) as arrivals:
        await room.join()
        drop()
        await until(lambda: any(one["event"] == "connected" for one in room.line))
        await room.leave()
        return room.line, room.states, notes(arrivals)  # a completion that failed to come is a note


@pytest.mark.skipif(SINCE["on_network_connection_status_updated"] > VERSION, reason="says nothing of it")
def test_a_break_and_a_leave_look_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", authority_file())

    async def main() -> None:
        async with LocalRoom(here={PAL: "Nora"}) as local:
            real = await broken_and_left(Listening(room_url(), proxy=local.proxy), local.drop)
        with pytest.MonkeyPatch.context() as patch:
            other = install(patch)

            def drop() -> None:
                other.network("interrupted")
                other.network("connected")

            assert await broken_and_left(Listening("https://x.daily.co/r"), drop) == real

    asyncio.run(main())
