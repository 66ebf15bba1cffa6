"""``doctor`` and the API: whatever is wrong on the way is named and distinguished, in bounded time."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import keyring
import pytest
import trustme

from tavus_cli.api import credentials
from tavus_cli.commands.doctor import api as doctor_api
from tests.kits import keyring_file
from tests.kits.program import CONSOLE, NOWHERE, SECONDS, Result, console, environ
from tests.kits.proxy import proxy
from tests.kits.tavus_api import KEY, TOKEN, LocalApi, Odd, local_api

HOST = "api.example.com"


@pytest.fixture
def api() -> Iterator[LocalApi]:
    with local_api() as one:
        yield one


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies, authorities and sessions of this machine are ignored."""
    monkeypatch.setenv("TAVUS_CONSOLE_RUNTIME", str(tmp_path / "run"))
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def doctor(base_url: str, *arguments: str, key: str = KEY, **environ: str) -> Result:
    variables = {"TAVUS_API_BASE_URL": base_url} | ({"TAVUS_API_KEY": key} if key else {}) | environ
    result = console("doctor", *arguments, **variables)
    assert result.err == ""
    for secret in (KEY, KEY[:-4], TOKEN, key or KEY):
        assert secret not in result.out
    return result


def told(base_url: str, *, key: str = KEY, status: int, **environ: str) -> dict[str, dict[str, Any]]:
    """The findings by name; checks that the lines and ``--json`` say the same."""
    result = doctor(base_url, "--json", key=key, **environ)
    found = json.loads(result.out)
    assert (result.status, found["exit_status"], found["ok"]) == (status, status, status == 0)
    return {one["check"]: one for one in found["checks"]}


# -- what works ----------------------------------------------------------------------------------------


def test_all_is_well(api: LocalApi) -> None:
    result = doctor(api.base_url)
    assert result.status == 0
    assert "✓ an API key from TAVUS_API_KEY, ending in …cdef" in result.lines
    assert f"✓ {api.base_url} answered in " in result.out
    assert result.lines[-3:-1] == ["✓ the API accepts the key", "✓ no conversation is running"]
    assert [(one.method, one.path) for one in api.requests] == [("GET", "/v2/conversations")]


def test_what_still_runs_is_reported_with_what_ends_it(api: LocalApi) -> None:
    api.add(status="ended")
    names = [api.add()]
    assert f"– 1 conversation is running and billed; to end: tavus-console conversation end {names[0]}" in (
        doctor(api.base_url).lines
    )
    names += [api.add() for _ in range(5)]
    running = told(api.base_url, status=0)["running"]
    assert "6 conversations are running and billed" in running["text"]
    assert running["text"].endswith("conversation end --all-active")
    assert [one["conversation_id"] for one in running["conversations"]] == names
    for _ in range(120):
        api.add()
    assert "at least 100" in told(api.base_url, status=0)["running"]["text"]


def test_a_strange_id_is_not_put_into_a_command(api: LocalApi) -> None:
    api.add(conversation_id="$(rm -rf ~)\x1b[31m")
    result = doctor(api.base_url)
    assert "rm -rf" not in result.out
    assert "conversation end --all-active" in result.out


def test_base_url_is_an_option_too(api: LocalApi) -> None:
    result = doctor(NOWHERE, "--base-url", api.base_url)
    assert (result.status, len(api.requests)) == (0, 1)


# -- the key -------------------------------------------------------------------------------------------


def test_no_key_is_not_a_failure(api: LocalApi) -> None:
    found = told(api.base_url, key="", status=0)
    assert found["key"]["ok"] is None
    assert "no API key, and this machine has no keyring: set TAVUS_API_KEY" in found["key"]["text"]
    assert found["api"]["ok"] is True
    assert KEY not in api.requests[0].headers.values()
    assert not {"account", "running"} & set(found)


@pytest.mark.parametrize("base_url", [NOWHERE, "https://nobody.invalid"])
def test_without_a_key_nothing_needs_to_be_reached(base_url: str) -> None:
    found = told(base_url, key="", status=0)
    assert found["api"]["ok"] is None
    assert "not needed without a key" in found["api"]["text"]


def test_the_keyrings_key_is_named(api: LocalApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEYRING", str(tmp_path / "ring.json"))
    before = keyring.get_keyring()
    try:
        keyring_file.use("FileKeyring")
        lines = doctor(api.base_url, key="").lines
        assert "– no API key: set TAVUS_API_KEY, or: tavus-console auth login" in lines
        keyring.set_password("tavus_mcp", "prod", KEY)
        found = told(api.base_url, key="", status=0)["key"]
        assert (found["last_four"], "Tavus' own CLI" in found["source"]) == ("cdef", True)
    finally:
        keyring.set_keyring(before)


REFUSED = {
    "the key": (401, '{"message": "Invalid access token"}', 4, "auth status"),
    "no money": (402, '{"error": "Out of minutes"}', 4, "Out of minutes"),
    "not allowed": (403, '{"error": "IP not allowed"}', 4, "other addresses"),
    "too often": (429, f'{{"error": "slower, {KEY}"}}', 1, "try again"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_api_that_refuses_was_reached(api: LocalApi, name: str) -> None:
    code, body, status, says = REFUSED[name]
    api.odd.append(Odd(code, body))
    found = told(api.base_url, status=status)
    assert (found["api"]["ok"], found["account"]["ok"]) == (True, False)
    assert says in found["account"]["text"]
    assert "running" not in found


@pytest.mark.parametrize(
    ("variables", "status", "says"),
    [
        ({"key": "two words, 0123456789"}, 4, "store it again (from TAVUS_API_KEY)"),
        ({"key": "", "TAVUS_ENV": "a b"}, 2, "TAVUS_ENV must be one word"),
    ],
)
def test_an_invalid_key_is_not_sent(api: LocalApi, variables: dict[str, str], status: int, says: str) -> None:
    found = told(api.base_url, status=status, **variables)
    assert found["key"]["ok"] is False
    assert says in found["key"]["text"]
    assert found["api"]["ok"] is True


def test_no_keyring_is_installed(api: LocalApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    found = told(api.base_url, key="", status=0)["key"]
    assert (found["ok"], "pip install 'tavus-console[keyring]'" in found["text"]) == (None, True)


def test_a_keyring_that_hangs(api: LocalApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "KEYRING_SECONDS", 0.05)
    monkeypatch.setattr(credentials, "_silent", False)  # and again so after this test
    never = threading.Event()
    monkeypatch.setattr(keyring, "get_password", lambda *_: never.wait())
    found = told(api.base_url, key="", status=1)
    never.set()
    assert "unlock it, or set TAVUS_API_KEY" in found["key"]["text"]


# -- the answer ----------------------------------------------------------------------------------------

NO_API = {
    "5xx": (Odd(503, '{"error": "Down"}'), "Tavus failed (503): Down"),
    "a page": (Odd(200, "<html><title>Hotel Wi-Fi</title>"), "a web page (Hotel Wi-Fi)"),
    "a proxy's page": (Odd(502, "<html><title>Bad gateway</title>"), "Bad gateway"),
    "cut JSON": (Odd(200, '{"data": [{"conv'), "cut off"),
    "no list": (Odd(200, '{"data": 7}'), "without a list"),
    "nothing": (Odd(cut=True), "broke"),
    "sent on": (Odd(302, "", {"Location": "https://login.example.com/"}), "is --base-url right?"),
    "not there": (Odd(404, "{}"), "has no conversations (404); is --base-url right?"),
}


@pytest.mark.parametrize("key", [KEY, ""])
@pytest.mark.parametrize("name", NO_API)
def test_something_else_answers(api: LocalApi, name: str, key: str) -> None:
    odd, says = NO_API[name]
    api.odd.append(odd)
    found = told(api.base_url, key=key, status=5 if key else 0)
    assert (found["api"]["ok"], found["api"]["stage"]) == (False if key else None, "answer")
    assert says in found["api"]["text"]
    assert "account" not in found
    assert len(api.requests) == 1  # nobody waits for several attempts


# -- the way there -------------------------------------------------------------------------------------


def test_a_name_that_dns_does_not_know() -> None:
    found = told("https://nobody.invalid", status=5)["api"]
    assert (found["stage"], found["reason"]) == ("dns", "cannot_reach")
    assert "cannot reach nobody.invalid: DNS has no such name" in found["text"]
    assert "is the network up?" in found["text"]


def test_dns_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_api, "DNS_SECONDS", 0.05)
    never = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: never.wait())
    found = told(f"https://{HOST}", status=5)["api"]
    never.set()
    assert found["stage"] == "dns"
    assert f"DNS did not answer about {HOST}" in found["text"]


def test_a_port_that_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # not listening
        found = told(f"https://127.0.0.1:{taken.getsockname()[1]}", status=5)["api"]
    assert found["stage"] == "connect"
    assert "Connection refused" in found["text"]


@pytest.mark.parametrize("constant", ["API_SECONDS", "DNS_SECONDS"])
def test_an_api_that_is_silent(monkeypatch: pytest.MonkeyPatch, constant: str) -> None:
    """Whichever limit comes first: that of the call, or that of its thread."""
    monkeypatch.setattr(doctor_api, "API_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        found = told(f"http://127.0.0.1:{deaf.getsockname()[1]}", status=5)["api"]
    assert found["stage"] == "answer"
    assert "did not answer" in found["text"]


def test_a_signal_does_not_wait_for_a_silent_api() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as deaf,
        subprocess.Popen(
            [CONSOLE, "doctor", "--base-url", f"http://127.0.0.1:{deaf.getsockname()[1]}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environ(TAVUS_API_KEY=KEY),
        ) as child,
    ):
        connection, _ = deaf.accept()  # it waits for our answer
        with connection:
            child.send_signal(signal.SIGINT)
            _, err = child.communicate(timeout=SECONDS)
    assert (child.returncode, err) == (130, b"")


@pytest.fixture
def authority(tmp_path: Path) -> tuple[ssl.SSLContext, str]:
    """An authority for the local API, and the file to trust."""
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1", HOST).configure_cert(context)
    file = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(str(file))
    return context, str(file)


def test_a_certificate_that_nobody_trusts(authority: tuple[ssl.SSLContext, str]) -> None:
    with local_api(tls=authority[0]) as api:
        found = told(api.base_url, status=5)["api"]
        assert api.requests == []
    assert found["stage"] == "tls"
    assert "certificate is not trusted (unable to get local issuer certificate)" in found["text"]
    assert "SSL_CERT_FILE" in found["text"]


@pytest.mark.parametrize(
    ("name", "until", "says"),
    [
        ("127.0.0.1", datetime(2000, 1, 2), "(certificate has expired); is the clock right?"),
        ("127.0.0.2", None, "is not valid for '127.0.0.1'); is --base-url right?"),
    ],
)
def test_a_certificate_that_does_not_hold_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, until: datetime | None, says: str
) -> None:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(name, not_after=until).configure_cert(context)
    with local_api(tls=context) as api:
        found = told(api.base_url, status=5)["api"]
    assert (found["stage"], found["text"].endswith(says)) == ("tls", True)


def test_an_authority_of_ones_own(
    authority: tuple[ssl.SSLContext, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", authority[1])
    with local_api(tls=authority[0]) as api:
        assert told(api.base_url, status=0)["account"]["ok"] is True


def test_a_port_without_tls(api: LocalApi) -> None:
    found = told(api.base_url.replace("http:", "https:"), status=5)["api"]
    assert found["stage"] == "tls"
    assert "no TLS version in common" in found["text"]


def test_a_proxy_that_leads_there(
    authority: tuple[ssl.SSLContext, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", authority[1])
    with (
        local_api(tls=authority[0], names=(HOST,)) as api,
        proxy(int(api.base_url.rpartition(":")[2])) as (at, asked),
    ):
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:secret@{at}")
        found = told(f"https://{HOST}", status=0)
        assert asked == [f"{HOST}:443"]
        assert api.requests[0].headers["x-api-key"] == KEY
    assert f"answered through the proxy http://{at} in" in found["api"]["text"]
    assert "secret" not in json.dumps(found)


def test_a_proxy_that_intercepts_tls(
    authority: tuple[ssl.SSLContext, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        local_api(tls=authority[0], names=(HOST,)) as api,
        proxy(int(api.base_url.rpartition(":")[2])) as (at, _),
    ):
        monkeypatch.setenv("HTTPS_PROXY", at)
        found = told(f"https://{HOST}", status=5)["api"]
        assert api.requests == []
    assert found["stage"] == "tls"
    assert (
        f"cannot reach {HOST}, through the proxy http://{at}: its certificate is not trusted" in found["text"]
    )


@pytest.mark.parametrize(("status", "says"), [(407, "407"), (403, "403"), (502, "502")])
def test_a_proxy_that_refuses(monkeypatch: pytest.MonkeyPatch, status: int, says: str) -> None:
    with proxy(status=status) as (at, _):
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:secret@{at}")
        found = told(f"https://{HOST}", status=5)["api"]
    assert found["stage"] == "proxy"
    assert f"the proxy http://{at} fails ({says}" in found["text"]
    assert "secret" not in found["text"]


@pytest.mark.parametrize(("at", "says"), [("127.0.0.1:9", "refused"), ("proxy.invalid:3128", "not known")])
def test_a_proxy_that_is_not_there(monkeypatch: pytest.MonkeyPatch, at: str, says: str) -> None:
    monkeypatch.setenv("ALL_PROXY", at if "invalid" in at else f"http://{at}")
    found = told(f"https://{HOST}", status=5)["api"]
    assert found["stage"] == "proxy"
    assert f"the proxy http://{at} fails" in found["text"]
    assert "is HTTPS_PROXY right?" in found["text"]


def test_no_proxy_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "nobody.invalid")
    assert told("https://nobody.invalid", status=5)["api"]["stage"] == "dns"


SETTINGS = {
    "no address": ({}, "http://tavusapi.com", "must be https"),
    "no version": ({}, "https://tavusapi.com/v2", "without /v2"),
    "no authority": ({"SSL_CERT_FILE": "/nowhere/ca.pem"}, f"https://{HOST}", "SSL_CERT_FILE"),
    "no port": ({"HTTPS_PROXY": "http://me:secret@x:port"}, f"https://{HOST}", "proxy"),
    "no end": ({"ALL_PROXY": "http://[::1"}, f"https://{HOST}", "proxy"),
    "no socks": ({"ALL_PROXY": "socks5://me:secret@x:1080"}, f"https://{HOST}", "proxy"),
    "no proxy": ({"HTTPS_PROXY": "odd://me:secret@x"}, f"https://{HOST}", "proxy"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    variables, base_url, says = SETTINGS[name]
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    assert told(base_url, key="", status=0)["api"]["ok"] is None
    found = told(base_url, status=2)
    assert says in found["api"]["text"]
    assert "secret" not in json.dumps(found)
