"""Markdown, transcripts and HTML: correct, self-contained, and harmless whatever the words are."""

from __future__ import annotations

import html.parser
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kits.conversations import few, message
from tests.kits.program import SAMPLES, Result, console, process
from tests.kits.talks import Talk, talks

HOSTILE = [
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "javascript:alert(3) [x](javascript:alert(4)) ![y](http://127.0.0.1:9/z)",
    '"><svg onload=alert(5)><a href="javascript:alert(6)">x</a>',
    "{{ 7*7 }} {% raw %} </style><style>*{display:none}</style>",
    "\u202egnp.exe \x1b[31m \x00 \ud800 \u2028 --> \n\n99\n00:00:00,000 --> 00:00:09,000\n{\\an8}",
    "| a | b |\n|---|\n`code` <!-- x --> &lt;",
    "قال نعم עברית",
]


def hostile_file(folder: Path, texts: list[str]) -> str:
    """A recording with these texts in every place for remote text."""
    lines = []
    for turn, text in enumerate(texts):
        at = 1_790_000_000.0 + turn * 10
        for number, one in enumerate((
            message("conversation.utterance", turn=turn, inference=text, role="user", speech=text),
            message("conversation.tool_call", turn=turn, name=text, arguments=text, tool_call_id=text),
            message("conversation.started_speaking", turn=turn, role="pal"),
            message("conversation.utterance", turn=turn, inference=f"p{turn}", role="pal", speech=text * 2),
            message("conversation.utterance.streaming", turn=turn, inference=f"p{turn}", role="pal",
                    speech=text, content_index=0, final=True, is_interrupted=True),
            message("conversation.stopped_speaking", turn=turn, role="pal", interrupted=True),
            {**message(f"conversation.{text}", turn=turn), text: 1},
        )):  # fmt: skip
            lines.append(json.dumps({**one, "seq": 10 * turn + number, "timestamp": at + number}))
    lines.append("not json " + "".join(texts).encode("utf-8", "replace").decode().replace("\n", " "))
    file = folder / "x.jsonl"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return str(file)


class Page(html.parser.HTMLParser):
    """Tags with their attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def page(folder: Path, *files: str, run: Callable[..., Result] = console) -> str:
    """``run`` is ``process`` if a browser's loop runs in this process."""
    out = folder / "out.html"
    result = run("report", *files, "--html", str(out))
    assert result.status == 0, result
    return out.read_text("utf-8")


HARMLESS = {
    *("html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "span", "bdi", "b", "div"),
    *("table", "tr", "th", "td", "section", "svg", "rect"),
}


@given(st.lists(st.text(max_size=40) | st.sampled_from(HOSTILE), min_size=1, max_size=4))
@few
def test_html_has_our_tags_only(tmp_path_factory: Any, texts: list[str]) -> None:
    folder = tmp_path_factory.mktemp("html")
    found = Page(page(folder, hostile_file(folder, texts)))
    assert {tag for tag, _ in found.tags} <= HARMLESS
    for tag, attributes in found.tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("href", "src", "style")]
        if tag != "meta":
            assert attributes.keys() <= {
                *("lang", "class", "height", "width", "x", "y", "role", "aria-label")
            }


def test_html_is_self_contained_and_says_so(tmp_path: Path) -> None:
    text = page(tmp_path, str(SAMPLES))
    assert text == page(tmp_path, str(SAMPLES))
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    assert "default-src &#39;none&#39;" in policy[1]
    assert "unsafe" not in policy[1]
    assert "<script" not in text
    assert "http" not in text.replace("http-equiv", "")
    assert (tmp_path / "out.html").stat().st_mode & 0o777 == 0o600


def test_a_file_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    result = console("report", str(SAMPLES), "--html", str(tmp_path / "no" / "x.html"))
    assert result.status == 2
    assert len(result.err.splitlines()) == 1


def test_hostile_words_stay_text_in_markdown_and_transcripts(tmp_path: Path) -> None:
    file = hostile_file(tmp_path, HOSTILE)
    written = console("report", file, "--markdown").out
    assert not re.search(r"(?<!\\)<(?!br)", written.replace("&lt;", ""))
    assert "](javascript" not in written
    said = console("report", file, "--transcript", "md").out
    assert "<script" not in said
    assert "](" not in said
    for format, arrow in (("srt", ","), ("vtt", ".")):
        text = console("report", file, "--transcript", format).out
        stamps = re.findall(rf"^\d\d:\d\d:\d\d\{arrow}\d{{3}} --> \d\d:\d\d:\d\d\{arrow}\d{{3}}$", text, re.M)
        assert len(stamps) == 2 * len(HOSTILE)
        assert "<script" not in text
        assert "{\\an8}" not in text or format == "vtt"
        assert "\x1b" not in text


@given(talks())
@few
def test_subtitles_are_in_order_and_as_long_as_speech(tmp_path_factory: Any, talk: Talk) -> None:
    file = talk.write(tmp_path_factory.mktemp("talk") / "a.jsonl")
    text = console("report", file, "--transcript", "srt").out
    cues = re.findall(r"^(\d+)\n(\S+) --> (\S+)\n(User|PAL): (.*)\n$", text, re.M)
    assert [int(number) for number, *_ in cues] == list(range(1, len(cues) + 1))
    starts = [start for _, start, *_ in cues]
    assert starts == sorted(starts)
    last: dict[str, str] = {}
    for _, start, end, who, _ in cues:
        assert start < end
        assert last.get(who, "") <= start  # a speaker's cues do not overlap
        last[who] = end
    said = json.loads(console("report", file, "--json").out)["recordings"][0]["transcript"]
    assert len(cues) == len(said)
    for line in said:
        if line["interrupted"] and "intended" in line:
            assert line["intended"].startswith(line["text"])


def test_subtitles_need_times(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text(json.dumps(message("conversation.utterance", role="user", speech="x")) + "\n")
    result = console("report", str(file), "--transcript", "srt")
    assert result.status == 2
    assert "--transcript txt" in result.err
    assert console("report", str(file), "--transcript", "txt").out == "+?  User: x\n"


# -- a real browser --------------------------------------------------------------------------------------

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.mark.slow
@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_it_quietly(browser: Any, tmp_path: Path, width: int, scheme: str) -> None:
    """No request, no script, nothing on the console, nothing to scroll sideways; all texts are there."""
    page(tmp_path, hostile_file(tmp_path, HOSTILE), str(SAMPLES), run=process)
    tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    heard: list[str] = []
    tab.on("console", lambda one: heard.append(one.text))
    tab.on("pageerror", lambda one: heard.append(str(one)))
    tab.on("dialog", lambda one: heard.append(one.message))
    requests: list[str] = []
    tab.on("request", lambda one: requests.append(one.url))
    url = (tmp_path / "out.html").as_uri()
    tab.goto(url)
    shown = tab.inner_text("body")
    assert heard == []
    assert requests == [url]
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert "<script>alert(1)</script>" in shown
    assert "␛[31m" in shown
    assert "⟨U+202E⟩gnp.exe" in shown
    assert "You can return any item within thirty days" in shown
    background = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(13, 17, 23)")
    # Whatever somebody injected into the page, its policy prevents these.
    assert tab.evaluate(
        """() => { const one = document.createElement('script'); one.textContent = 'window.ran = 1';
        document.body.append(one); return window.ran === undefined; }"""
    )
    tab.close()


@pytest.mark.slow
def test_it_can_be_printed(browser: Any, tmp_path: Path) -> None:
    page(tmp_path, str(SAMPLES), run=process)
    tab = browser.new_page()
    tab.goto((tmp_path / "out.html").as_uri())
    assert tab.pdf().startswith(b"%PDF")
    tab.emulate_media(media="print", color_scheme="dark")
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    tab.close()
