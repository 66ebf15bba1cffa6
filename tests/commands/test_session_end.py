"""A resident session of a Daily room with the API behind it: found by its id, and ended for everybody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tavus_cli.resident import sockets as runtime
from tests.kits.command_kit import faked
from tests.kits.fake_daily import Scenario
from tests.kits.program import Result, console, process
from tests.kits.resident_kit import listed
from tests.kits.tavus_api import KEY, LocalApi, Odd, local_api

pytestmark = [
    pytest.mark.skipif(not runtime.supported(), reason="no Unix sockets here"),
    pytest.mark.usefixtures("sessions"),
]
HELLO = {"message_type": "system", "event_type": "system.pal_joined", "seq": 1, "properties": {}}


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalApi]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with local_api(behind="") as one:
        yield one


def started(api: LocalApi) -> str:
    """The id of a conversation that a session has joined."""
    name = api.add()
    result = process("session", "start", name, **keys(api), **faked(Scenario(early=[HELLO])))
    assert result == Result(0, f"{name}\n", "")
    return name


def keys(api: LocalApi) -> dict[str, str]:
    return {"TAVUS_API_KEY": KEY, "TAVUS_API_BASE_URL": api.base_url}


def test_a_conversation_is_found_by_its_id_and_ended(api: LocalApi) -> None:
    name = started(api)
    (about,) = listed()
    assert (about["id"], about["conversation_id"], about["pal_present"]) == (name, name, True)
    asked = len(api.requests)
    for target in (name, f"https://tavus.daily.co/{name}"):
        assert console("send", target, "interrupt", **keys(api)) == Result(0, "", "")
    assert len(api.requests) == asked  # the session is asked, not the API
    assert console("session", "stop", name, "--end", **keys(api)) == Result(0, "", "")
    assert (listed(), api.active) == ([], [])


def test_a_refused_join_starts_no_session(api: LocalApi) -> None:
    refused = Scenario(join='RoomInfoError(Unhandled("exp-token"))')
    result = process("session", "start", api.add(), **keys(api), **faked(refused))
    assert (result.status, result.out) == (4, "")
    assert "token" in result.err
    assert listed() == []


def test_stopping_does_not_end_the_conversation(api: LocalApi) -> None:
    name = started(api)
    assert console("session", "stop", **keys(api)) == Result(0, "", "")
    assert (listed(), api.active) == ([], [name])


def test_without_a_key_nothing_is_stopped(api: LocalApi) -> None:
    name = started(api)
    result = console("session", "stop", "--end", TAVUS_API_BASE_URL=api.base_url)
    assert (result.status, result.out) == (4, "")
    assert "TAVUS_API_KEY" in result.err
    assert [one["id"] for one in listed()] == [name]


def test_what_could_not_be_ended_is_reported_with_the_command_that_ends_it(api: LocalApi) -> None:
    name = started(api)
    api.odd.append(Odd(403, "{}"))
    result = console("session", "stop", "--end", **keys(api))
    assert result.status == 4
    assert f"tavus-console conversation end {name}" in result.err
    assert (listed(), api.active) == ([], [name])
