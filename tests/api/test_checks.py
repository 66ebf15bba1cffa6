"""The API's address, keys and ids are checked before any request."""

from __future__ import annotations

import pytest

from tavus_cli.api.checks import check_base_url, check_id, check_key
from tavus_cli.errors import NotAuthorised, UsageError
from tests.kits.program import console
from tests.kits.tavus_api import TOKEN


@pytest.mark.parametrize(
    "url",
    [
        "http://tavusapi.com",
        "http://127.0.0.1.example.com",
        "http://10.0.0.1",
        "ftp://tavusapi.com",
        "tavusapi.com",
        "https://",
        "https://user:pass@tavusapi.com",
        "https://tavusapi.com?x=1",
        "https://tavusapi.com#x",
        "https://tavusapi.com/v2",
        "https://tavusapi.com/v2/",
        "https://tavus api.com",
        "https://tavusapi.com:port",
        "https://[::1",
        f"https://{'a' * 70}.example.com",
        "https://a..b",
    ],
)
def test_wrong_addresses(url: str) -> None:
    with pytest.raises(UsageError, match="--base-url") as caught:
        check_base_url(url)
    assert "pass" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "root"),
    [
        (None, "https://tavusapi.com"),
        ("", "https://tavusapi.com"),
        ("https://gateway.example.com/tavus/", "https://gateway.example.com/tavus"),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://127.1.2.3", "http://127.1.2.3"),
    ],
)
def test_right_addresses(url: str | None, root: str) -> None:
    assert check_base_url(url) == root


@pytest.mark.parametrize("text", ["", "a/b", "..", "c1?x", "c 1", "é", "a" * 129, "https://x/a/b"])
def test_an_invalid_id_is_not_requested(text: str) -> None:
    with pytest.raises(UsageError):
        check_id(text)


def test_an_id_may_come_as_a_url() -> None:
    assert check_id(f"https://tavus.daily.co/c0ffee?t={TOKEN}") == "c0ffee"


@pytest.mark.parametrize(
    ("key", "what"),
    [
        ('"abc"', "quotation marks"),
        ("'abc'", "quotation marks"),
        ("“abc”", "quotation marks"),
        ("`abc", "quotation marks"),
        ("\ufeffabc", "byte order mark"),
        ("Bearer abc", "a header's name"),
        ("x-api-key: abc", "a header's name"),
        ("TAVUS_API_KEY=abc", "the name of a variable"),
        ("https://platform.tavus.io/keys", "is a URL"),
        ("abc def", "a space"),
        ("abc\u00a0d", "a space or another character"),
    ],
)
def test_text_pasted_with_a_key_is_named(key: str, what: str) -> None:
    with pytest.raises(NotAuthorised, match=what) as caught:
        check_key(key)
    assert "abc" not in str(caught.value)
    for arguments in (["conversation", "list"], ["auth", "status"]):
        result = console(*arguments, TAVUS_API_KEY=key)
        assert (result.status, result.out) == (4, "")
        assert what in result.err
    if not key.startswith("\ufeff"):  # a file may begin so
        assert what in console("auth", "login", stdin=key + "\n").err
