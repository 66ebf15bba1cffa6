"""``conversation`` and ``auth`` as commands, against the local API."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keyring
import pytest

from tavus_cli.api.conversations import url_to_share
from tavus_cli.api.creation import FIELDS, creation_body, old_names
from tavus_cli.api.credentials import Tokens
from tavus_cli.errors import UsageError
from tests.kits import keyring_file
from tests.kits.program import CONSOLE, Result, console
from tests.kits.tavus_api import FACE, KEY, PAL, TOKEN, LocalApi, Odd, local_api
from tests.kits.tmux import needs_tmux, pane


@pytest.fixture
def api() -> Iterator[LocalApi]:
    with local_api() as one:
        yield one


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A keyring and a folder for tokens, only for this test."""
    before = keyring.get_keyring()
    monkeypatch.setenv("TEST_KEYRING", str(tmp_path / "ring.json"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    keyring_file.use("FileKeyring")
    yield tmp_path
    keyring.set_keyring(before)


def asked(api: LocalApi, *arguments: str, stdin: str = "", key: str = KEY) -> Result:
    """The command as in a pipe, with a key in the environment."""
    result = console(*arguments, stdin=stdin, TAVUS_API_KEY=key, TAVUS_API_BASE_URL=api.base_url)
    assert KEY not in result.out + result.err
    return result


def sent(api: LocalApi) -> Any:
    return api.requests[-1].body


# -- create --------------------------------------------------------------------------------------------


def test_create_prints_what_it_made_and_what_it_costs(api: LocalApi) -> None:
    result = asked(api, "conversation", "create", "--pal", PAL)
    created = json.loads(result.out)
    name = created["conversation_id"]
    assert (result.status, created["conversation_url"], api.active) == (0, "sim", [name])
    assert result.err == (
        f"tavus-console: {name} is billed until it ends: tavus-console conversation end {name}\n"
    )
    assert sent(api) == {"persona_id": PAL}


VALUES = {"text": "x", "whole": "3", "seconds": "2m", "texts": "x", "object": '{"provider": "s3"}'}
SENT = {"text": "x", "flag": True, "whole": 3, "seconds": 120, "texts": ["x"], "object": {"provider": "s3"}}


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_every_field_is_an_option_that_the_api_takes(api: LocalApi, field: Any) -> None:
    for option in field.options:
        value = field.metavar.split("|")[0] if "|" in field.metavar else VALUES.get(field.kind)
        given = [option] if field.kind == "flag" else [option, str(value)]
        assert asked(api, "conversation", "create", "--face", FACE, *given).status == 0, option
        body = sent(api)["properties"] if field.inside else sent(api)
        assert body[field.name] == (value if "|" in field.metavar else SENT[field.kind])


def test_every_documented_field_has_an_option() -> None:
    from tavus_cli.local.fields import FIELDS as DOCUMENTED
    from tavus_cli.local.fields import PROPERTIES

    ours = {(field.name, field.inside) for field in FIELDS}
    documented = {(name, False) for name in DOCUMENTED} | {(name, True) for name in PROPERTIES}
    assert documented - ours == {("properties", False), ("livekit_room_token", True)}  # the latter: a secret
    assert ours <= documented


def test_a_body_from_a_file_with_options_over_it(api: LocalApi, tmp_path: Path) -> None:
    body = {"pal_id": "p1", "face_id": FACE, "chat": False, "properties": {"language": "german"}}
    file = tmp_path / "body.json"
    file.write_text(json.dumps(body))
    options = ["--pal", PAL, "--chat", "--max-call-duration", "90s"]
    assert asked(api, "conversation", "create", "--body", str(file), *options).status == 0
    assert sent(api) == {
        "persona_id": PAL,
        "replica_id": FACE,
        "chat": True,
        "properties": {"language": "german", "max_call_duration": 90},
    }
    assert asked(api, "conversation", "create", "--body", "-", stdin='{"replica_id": "r1"}').status == 0
    assert sent(api) == {"replica_id": "r1"}


def test_old_and_new_names_are_the_same_field() -> None:
    assert old_names({"pal_id": "p", "persona_id": "p", "x": 1}) == {"persona_id": "p", "x": 1}
    with pytest.raises(UsageError, match="pal_id and persona_id are the same field"):
        old_names({"pal_id": "p", "persona_id": "q"})
    assert creation_body({}, {"face_id": "r", "unheard_of": [1]}) == {"replica_id": "r", "unheard_of": [1]}


@pytest.mark.parametrize(
    "value", [r'"\ud800"', "NaN", "-Infinity", "1e999", "[" * 101 + "]" * 101, "[" * 9_000 + "]" * 9_000]
)
def test_a_body_that_cannot_be_sent_is_one_line(api: LocalApi, tmp_path: Path, value: str) -> None:
    file = tmp_path / "body.json"
    file.write_text(f'{{"persona_id": "{PAL}", "memory_stores": [{value}]}}')
    result = asked(api, "conversation", "create", "--body", str(file))
    assert (result.status, result.err.count("\n"), api.requests) == (2, 1, [])


def test_a_limit_is_never_shorter_than_was_asked_for(api: LocalApi) -> None:
    for text, seconds in (("0.2s", 1), ("1.4s", 2), ("0", 0)):
        assert asked(api, "conversation", "create", "--pal", PAL, "--max-call-duration", text).status == 0
        assert sent(api)["properties"]["max_call_duration"] == seconds


def test_test_mode_costs_nothing_and_says_so(api: LocalApi) -> None:
    result = asked(api, "conversation", "create", "--pal", PAL, "--test-mode")
    assert "nothing is billed" in result.err
    assert api.active == []


@pytest.mark.parametrize("backend", ["FileKeyring", "fail"])
def test_a_private_rooms_token_is_kept_and_not_shown(api: LocalApi, folders: Path, backend: str) -> None:
    keyring_file.use(backend)
    result = asked(api, "conversation", "create", "--pal", PAL, "--private")
    name = json.loads(result.out)["conversation_id"]
    assert TOKEN not in result.out + result.err
    assert Tokens().get(name) == TOKEN
    assert asked(api, "conversation", "end", name).status == 0
    assert Tokens().get(name) is None
    shown = asked(api, "conversation", "create", "--pal", PAL, "--private", "--show-token")
    assert json.loads(shown.out)["meeting_token"] == TOKEN


def test_a_url_to_share_has_the_token_if_that_is_wanted() -> None:
    created = {"conversation_url": "https://tavus.daily.co/c1", "meeting_token": TOKEN}
    assert url_to_share(created, with_token=False) == "https://tavus.daily.co/c1"
    assert url_to_share(created, with_token=True) == f"https://tavus.daily.co/c1?t={TOKEN}"
    assert url_to_share({}, with_token=True) == ""


def test_a_token_that_cannot_be_kept_is_reported(api: LocalApi, folders: Path) -> None:
    (folders / "state").touch()
    result = asked(api, "conversation", "create", "--pal", PAL, "--private")
    assert result.status == 0
    assert "cannot store the meeting token" in result.err
    assert TOKEN not in result.err


WRONG = {
    "nobody": ([], "missing --pal or --face"),
    "no such file": (["--body", "/nowhere/x.json"], "/nowhere/x.json"),
    "no JSON": (["--body", __file__], "is not valid JSON at line 1"),
    "no object": (["--face", "r", "--recording-storage", "[1]"], "--recording-storage takes a JSON object"),
    "a bad duration": (["--face", "r", "--max-call-duration", "long"], "is not a duration"),
    "no UTF-8": (["--face", "r", "--conversation-name", "\udcff"], "cannot be sent as JSON in UTF-8"),
    "no UTF-8 in JSON": (["--face", "r", "--languages", "\ud800"], "cannot be sent as JSON in UTF-8"),
    "a bad query": (["--face", "r", "--query", "["], "--query is not a valid JMESPath"),
}


@pytest.mark.parametrize("name", WRONG)
def test_mistakes_are_found_before_anything_is_billed(api: LocalApi, name: str) -> None:
    options, says = WRONG[name]
    result = asked(api, "conversation", "create", *options)
    assert (result.status, result.out, api.requests) == (2, "", [])
    assert says in result.err
    assert result.err.count("\n") == 1


def test_what_the_api_refuses_is_one_line(api: LocalApi) -> None:
    refused = asked(api, "conversation", "create", "--pal", PAL, "--document-retrieval-strategy", "slow")
    assert (refused.status, refused.out) == (1, "")
    assert refused.err == "tavus-console: Tavus refused it (400): Invalid document_retrieval_strategy\n"
    wrong_key = asked(api, "conversation", "list", key="tvs-wrong-key-0000", stdin="")
    assert wrong_key.status == 4
    as_json = asked(api, "conversation", "get", "c9", "--json")
    assert json.loads(as_json.err)["error"]["reason"] == "not_found"


def test_without_a_key_it_says_what_to_set(api: LocalApi) -> None:
    keyring_file.use("fail")
    result = console("conversation", "list", TAVUS_API_BASE_URL=api.base_url)
    assert (result.status, api.requests) == (4, [])
    assert "set TAVUS_API_KEY, or store one with tavus-console auth login" in result.err


# -- list, get, end ------------------------------------------------------------------------------------


def test_lists_to_the_end_or_to_the_limit(api: LocalApi) -> None:
    names = [api.add(status="active" if number % 2 else "ended") for number in range(120)]
    assert [one["conversation_id"] for one in json.loads(asked(api, "conversation", "list").out)] == names
    three = json.loads(asked(api, "conversation", "list", "--limit", "3", "--status", "active").out)
    assert [one["status"] for one in three] == ["active"] * 3


def test_a_query_picks(api: LocalApi) -> None:
    name = api.add()
    bare = asked(api, "conversation", "get", name, "--query", "conversation_url")
    assert bare.out == "sim\n"
    assert asked(api, "conversation", "get", name, "--query", "status", "--json").out == '"active"\n'
    assert asked(api, "conversation", "list", "--query", "[].status").out == '["active"]\n'
    assert asked(api, "conversation", "get", name, "--query", "abs(status)").status == 2


def test_get_with_what_happened(api: LocalApi) -> None:
    name = api.add(status="ended")
    found = json.loads(asked(api, "conversation", "get", f"https://tavus.daily.co/{name}", "--verbose").out)
    assert [one["event_type"] for one in found["events"]] == ["system.replica_joined", "system.shutdown"]


def test_remote_text_is_harmless(api: LocalApi) -> None:
    name = api.add(conversation_name="\x1b[31mred\u202e\n")
    for arguments in (["list"], ["get", name], ["get", name, "--query", "conversation_name"]):
        out = asked(api, "conversation", *arguments).out
        assert "\x1b" not in out
        assert "\u202e" not in out
        assert out.count("\n") == 1


def test_ending_several_continues_after_a_failure(api: LocalApi) -> None:
    names = [api.add(), "c9", api.add(), api.add(status="ended")]
    result = asked(api, "conversation", "end", *names)
    assert result.status == 1
    assert json.loads(result.out) == {
        "ended": [names[0], names[2]],
        "over_before": [names[3]],
        "failed": ["c9"],
    }
    assert "c9 has not ended: " in result.err
    assert api.active == []


def test_all_active_conversations_are_ended_on_request(api: LocalApi) -> None:
    names = [api.add(), api.add(status="ended"), api.add()]
    unsure = asked(api, "conversation", "end", "--all-active")
    assert (unsure.status, len(api.active)) == (2, 2)
    assert "--yes" in unsure.err
    sure = asked(api, "conversation", "end", "--all-active", "--yes", "--query", "ended")
    assert json.loads(sure.out) == [names[0], names[2]]
    assert json.loads(asked(api, "conversation", "end", "--all-active").out)["ended"] == []


@pytest.mark.parametrize("arguments", [[], ["c1", "--all-active"], ["a b"]])
def test_end_says_what_it_needs(api: LocalApi, arguments: list[str]) -> None:
    assert asked(api, "conversation", "end", *arguments).status == 2
    assert api.requests == []


def test_an_invalid_status(api: LocalApi) -> None:
    result = asked(api, "conversation", "list", "--status", "running")
    assert (result.status, api.requests) == (2, [])
    assert "--status must be active or ended, not running" in result.err


def test_an_answer_with_anything_in_it_is_listed(api: LocalApi) -> None:
    rows = [{"conversation_id": None, "status": 7, "pal_id": ["x"]}, "text", 3, {}]
    api.odd.append(Odd(200, json.dumps({"data": rows})))
    api.odd.append(Odd(200, json.dumps({"data": []})))
    assert asked(api, "conversation", "list").status == 0


# -- on a terminal -------------------------------------------------------------------------------------


@needs_tmux
def test_on_a_terminal_there_are_tables_and_a_question(api: LocalApi, tmp_path: Path) -> None:
    name = api.add(conversation_name="[bold]A talk[/oops] \x1b[31m", persona_id=None, pal_id="p-new-name")
    script = (
        f"{CONSOLE} conversation create --face {FACE} --private; {CONSOLE} conversation list; "
        f"{CONSOLE} conversation get {name} --verbose; {CONSOLE} conversation end {name}; echo status=$?; "
        f"{CONSOLE} conversation end --all-active; echo status=$?"
    )
    url = api.base_url
    with pane(tmp_path, "sh", "-c", script, columns=120, TAVUS_API_KEY=KEY, TAVUS_API_BASE_URL=url) as shown:
        shown.shows("end c000000000000001 for everybody in it? [y/N]")
        assert re.search(r"^sim$", shown.all, re.MULTILINE)
        assert f"{name}  active" in shown.all
        assert "p-new-name" in shown.all
        assert "[bold]A talk[/oops] ␛[31m" in shown.all
        assert "2026-11-24 09:20" in shown.all
        assert "system.replica_joined" in shown.all
        shown.keys("Enter")
        shown.shows("nothing was ended")
        shown.shows("status=1")
        shown.shows("end 2 conversations (c000000000000001, c000000000000002) for everybody")
        shown.type("y")
        shown.keys("Enter")
        shown.shows("c000000000000001 has ended")
        shown.shows("status=0")
        assert TOKEN not in shown.all
        assert KEY not in shown.all
    assert api.active == []


@needs_tmux
def test_the_key_is_typed_without_echo(api: LocalApi, tmp_path: Path) -> None:
    with pane(
        tmp_path,
        CONSOLE,
        "auth",
        "login",
        columns=150,
        TAVUS_API_BASE_URL=api.base_url,
        PYTHON_KEYRING_BACKEND="tests.kits.keyring_file.FileKeyring",
        PYTHONPATH=str(Path(__file__).parents[2]),
    ) as shown:
        shown.shows("Tavus API key (prod):")
        shown.type(KEY)
        shown.keys("Enter")
        shown.shows("a key ending in …cdef")
        assert shown.ends() == 0
        assert KEY not in shown.all
    assert console("auth", "status").status == 0


# -- auth ----------------------------------------------------------------------------------------------


def test_login_status_logout(api: LocalApi) -> None:
    where = "the keyring (service tavus-console, user prod)"
    result = console("auth", "login", stdin=f" {KEY}\n", TAVUS_API_BASE_URL=api.base_url)
    assert (result.status, result.err) == (0, "")
    assert result.out == f"stored in {where}: a key ending in …cdef\n"
    assert len(api.requests) == 1
    assert console("auth", "status").out == f"from {where}: a key ending in …cdef\n"
    shown = console("auth", "status", "--json", TAVUS_API_KEY="x").out
    assert json.loads(shown) == {"source": "TAVUS_API_KEY", "last_four": ""}
    assert console("conversation", "list", TAVUS_API_BASE_URL=api.base_url).out == "[]\n"
    assert console("auth", "logout").out == "key removed\n"
    assert console("auth", "logout").out == "no key was stored\n"
    assert console("auth", "status").status == 4


def test_a_key_that_is_not_accepted_is_not_stored(api: LocalApi) -> None:
    result = console("auth", "login", stdin="tvs-nonsense-0000000\n", TAVUS_API_BASE_URL=api.base_url)
    assert (result.status, result.out) == (4, "")
    assert "tvs-nonsense" not in result.err
    assert console("auth", "status").status == 4


def test_the_key_in_use_is_reported(api: LocalApi) -> None:
    result = asked(api, "auth", "login", stdin=f"{KEY}\n")
    assert "TAVUS_API_KEY is set and is used first" in result.err
    assert "still in use: it comes from TAVUS_API_KEY" in asked(api, "auth", "logout").err


def test_a_key_on_the_command_line_is_not_repeated(api: LocalApi) -> None:
    result = asked(api, "auth", "login", KEY)
    assert (result.status, result.out, api.requests) == (2, "", [])
    assert "do not put the key on the command line" in result.err


def test_login_without_a_keyring_or_a_key(api: LocalApi) -> None:
    assert console("auth", "login", stdin="\n").status == 2
    keyring_file.use("fail")
    result = console("auth", "login", stdin=f"{KEY}\n", TAVUS_API_BASE_URL=api.base_url)
    assert (result.status, result.out) == (1, "")
    assert "set TAVUS_API_KEY instead" in result.err
    assert KEY not in result.err
