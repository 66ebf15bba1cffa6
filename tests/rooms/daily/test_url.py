"""URLs of Daily rooms: what is accepted, what is refused, and that a token is never shown."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.errors import UsageError
from tavus_cli.rooms.daily.url import check_proxy, parse_url, room_name

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJyIjoiciJ9.s-e_cret"


@pytest.mark.parametrize(
    ("url", "clean", "token"),
    [
        ("https://tavus.daily.co/c7f3a91d", "https://tavus.daily.co/c7f3a91d", None),
        ("https://tavus.daily.co/c7f3a91d/", "https://tavus.daily.co/c7f3a91d", None),
        ("https://Tavus.Daily.CO/Ab-1_2", "https://tavus.daily.co/Ab-1_2", None),
        ("HTTPS://tavus.daily.co/r", "https://tavus.daily.co/r", None),
        (f"https://tavus.daily.co/r?t={TOKEN}", "https://tavus.daily.co/r", TOKEN),
        (f"https://tavus.daily.co/r/?t={TOKEN}", "https://tavus.daily.co/r", TOKEN),
        (f"https://tavus.daily.co/r?lang=en&t={TOKEN}&x=1", "https://tavus.daily.co/r", TOKEN),
        ("https://tavus.daily.co/r?lang=en", "https://tavus.daily.co/r", None),
        ("https://a-b2.daily.co/r", "https://a-b2.daily.co/r", None),
    ],
)
def test_taken(url: str, clean: str, token: str | None) -> None:
    assert parse_url(url) == (clean, token)


REFUSED = [
    "",
    "nonsense",
    "tavus.daily.co/r",
    "http://tavus.daily.co/r",
    "wss://tavus.daily.co/r",
    "ftp://tavus.daily.co/r",
    "https:tavus.daily.co/r",
    "https:///r",
    "https://daily.co/r",
    "https://a.b.daily.co/r",
    "https://.daily.co/r",
    "https://-a.daily.co/r",
    "https://a_b.daily.co/r",
    "https://tavus.daily.co.evil.example/r",
    "https://tavusdaily.co/r",
    "https://evil.example/tavus.daily.co/r",
    "https://evil.example#.daily.co/r",
    "https://evil.example\\.daily.co/r",
    "https://tavus.daily.co@evil.example/r",
    "https://user@tavus.daily.co/r",
    "https://user:word@tavus.daily.co/r",
    "https://@tavus.daily.co/r",
    "https://tavus.daily.co:443/r",
    "https://tavus.daily.co:8443/r",
    "https://tavus.daily.co:/r",
    "https://tavus.daily.co:x/r",
    "https://[::1/r",
    "https://tavus.daily.co./r",
    "https://tavus.daily.co",
    "https://tavus.daily.co/",
    "https://tavus.daily.co//",
    "https://tavus.daily.co//r",
    "https://tavus.daily.co/a/b",
    "https://tavus.daily.co/a%2Fb",
    "https://tavus.daily.co/..",
    "https://tavus.daily.co/r#part",
    "https://tavus.daily.co/" + "r" * 129,
    "https://tävus.daily.co/r",
    "https://tavus.daily.co/r\n",
    "https://tav\tus.daily.co/r",
    " https://tavus.daily.co/r",
    "https://tavus.daily.co/r?t=",
    f"https://tavus.daily.co/r?t={TOKEN}&t={TOKEN}",
    "https://tavus.daily.co/r?t=a%0d%0aX-Header:1",
    "https://tavus.daily.co/r?t=a%20b",
]


@pytest.mark.parametrize("url", REFUSED)
def test_replay_i_refuses_in_one_line(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_url(url)
    assert "\n" not in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("url", [one for one in REFUSED if "?" not in one])
def test_a_refusal_never_shows_the_token(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_url(f"{url}?t={TOKEN}")
    assert TOKEN not in str(caught.value)
    assert caught.value.__cause__ is None


@given(
    st.text(max_size=80), st.sampled_from(["", "https://", "https://x.daily.co/", "https://x.daily.co/r?"])
)
def test_any_text_is_taken_or_refused(text: str, before: str) -> None:
    try:
        clean, _ = parse_url(before + text)
    except UsageError:
        return
    assert parse_url(clean) == (clean, None)
    assert clean.startswith("https://")
    assert "?" not in clean


@given(st.text(st.sampled_from("abcXYZ019._~+/=-"), min_size=1, max_size=60))
def test_every_token_comes_through(token: str) -> None:
    assert parse_url(f"https://x.daily.co/r?t={quote(token, safe='')}") == ("https://x.daily.co/r", token)


def test_room_name() -> None:
    assert room_name("https://tavus.daily.co/c7f3a91d") == "c7f3a91d"


@pytest.mark.parametrize(
    ("proxy", "wanted"),
    [
        (None, None),
        ("", None),
        ("https://127.0.0.1:8443/", "https://127.0.0.1:8443/"),
        ("https://127.0.0.1:8443", "https://127.0.0.1:8443/"),
        ("https://proxy.example/daily", "https://proxy.example/daily/"),
    ],
)
def test_proxy_taken(proxy: str | None, wanted: str | None) -> None:
    assert check_proxy(proxy) == wanted


@pytest.mark.parametrize(
    "proxy",
    ["nonsense", "ftp://x/", "https://", "https://x/?a=1", "https://x/ y", "https://x:y/", "http://x/"],
)
def test_proxy_refused(proxy: str) -> None:
    with pytest.raises(UsageError, match="Daily proxy"):
        check_proxy(proxy)
