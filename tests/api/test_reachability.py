"""The proxies named in the environment, and the errors if they fail."""

from __future__ import annotations

import pytest

from tavus_cli.api.client import TavusApi
from tavus_cli.api.reachability import proxy_of, shown_proxy
from tavus_cli.errors import UsageError
from tests.kits.program import console
from tests.kits.tavus_api import KEY

API = "https://tavusapi.com"
PROXY = "http://user:hidden99@127.0.0.1:9"


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    "entries",
    [
        "[::1]",
        "::1",
        "[::1]:80,*.x",
        "10.0.0.0/8",
        "fe80::/10",
        " a b , c ",
        "http://[",
        ",,",
        "[",
        "%zz",
        "ä",
    ],
)
def test_no_entry_of_no_proxy_makes_a_command_fail(entries: str, around: pytest.MonkeyPatch) -> None:
    around.setenv("HTTPS_PROXY", PROXY)
    around.setenv("NO_PROXY", entries)
    assert proxy_of(API) == ("HTTPS_PROXY", PROXY)
    TavusApi(KEY, API).__exit__()
    around.setenv("NO_PROXY", f"{entries}, tavusapi.com")
    assert proxy_of(API) == ("", "")


@pytest.mark.parametrize(
    ("variable", "proxy", "what"),
    [
        ("ALL_PROXY", "socks5://user:hidden99@127.0.0.1:9", "names a SOCKS proxy, which needs an extra: pip"),
        ("https_proxy", "socks5h://127.0.0.1:9", "names a SOCKS proxy, which needs an extra"),
        ("HTTPS_PROXY", "socks4://user:hidden99@h", "is not the address of a proxy"),
        ("HTTPS_PROXY", "ftp://user:hidden99@h", "is not the address of a proxy"),
        ("HTTPS_PROXY", "http://user:hidden99/@h:1", "is not the address of a proxy"),
        ("all_proxy", "http://user:hidden99@[::1", "is not the address of a proxy"),
        ("HTTPS_PROXY", "http://user:hidden99@h:port", "is not the address of a proxy"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named(
    variable: str, proxy: str, what: str, around: pytest.MonkeyPatch
) -> None:
    around.setenv(variable, proxy)
    with pytest.raises(UsageError, match=f"^{variable} {what}") as caught:
        TavusApi(KEY, API)
    assert "hidden99" not in str(caught.value)


@pytest.mark.parametrize("proxy", [PROXY, PROXY.removeprefix("http://"), PROXY.replace("99", "@99")])
def test_a_proxy_that_fails_is_shown_without_its_password(proxy: str, around: pytest.MonkeyPatch) -> None:
    around.setenv("HTTPS_PROXY", proxy)
    result = console("conversation", "list", TAVUS_API_KEY=KEY, TAVUS_API_BASE_URL=API)
    assert (result.status, "the proxy http://127.0.0.1:9 fails" in result.err) == (5, True)
    assert "hidden" not in result.err
    assert "user" not in result.err


def test_a_proxy_without_a_user_is_shown_as_it_is() -> None:
    assert shown_proxy("http://h:1") == "http://h:1"
