"""No secret is shown or written: every command, with every secret, in every place it can be."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.errors import ConsoleError, keep_password, keep_secret, redacted, without_keys, without_known
from tavus_cli.terminal.editor import open_editor
from tests.kits.program import CONSOLE, environ
from tests.kits.tavus_api import PAL, LocalApi, Odd, local_api

ID = "c000000000000001"
SECRET = "s3cr3t-Of-The-Test"  # as a token, a key, or a password
PARTS = (SECRET[:10], SECRET[-10:])  # where it was cut before it was taken out

# -- the one place ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://x.daily.co/r?t=abc tail", "https://x.daily.co/r?t=… tail"),
        ("https://x.daily.co/r?a=1&token=abc&b=2", "https://x.daily.co/r?a=1&token=…&b=2"),
        ("https://x.daily.co/r#t=abc'", "https://x.daily.co/r#t=…'"),
        (
            "(expected https://NAME.daily.co/ROOM[?t=TOKEN])",
            "(expected https://NAME.daily.co/ROOM[?t=TOKEN])",
        ),
        ("https://user:p@ss/w:rd@host:1/", "https://user:…@host:1/"),
        ("//:pw@host", "//:…@host"),
        ('{"meeting_token": "abc", "a": 1}', '{"meeting_token": "…", "a": 1}'),
        ("x-api-key: abc", "x-api-key: …"),
        ("nobody@example.com: no key", "nobody@example.com: no key"),
        ("https://host:8080/a?b=c", "https://host:8080/a?b=c"),
        ("https://x/r?X-Amz-Signature=abc&author=me", "https://x/r?X-Amz-Signature=…&author=me"),
        ("Authorization: Bearer abc, x", "Authorization: Bearer …, x"),
        ('{"Proxy-Authorization": "Basic abc="}', '{"Proxy-Authorization": "Basic …"}'),
    ],
)
def test_secrets_are_recognised_by_their_place(text: str, shown: str) -> None:
    assert redacted(text) == shown
    assert redacted(shown) == shown
    assert str(ConsoleError(text)) == shown


def test_registered_secrets_are_recognised_anywhere() -> None:
    keep_secret("Known/Secret 1", "short", None)
    assert redacted("a Known/Secret 1, Known%2FSecret%201 and short") == "a …, … and short"
    keep_password("https://me:od/d@pa ss!!@host")
    assert redacted("Invalid port: od/d@pa ss!!") == "Invalid port: …"
    assert redacted("got Basic bWU6b2QvZEBwYSBzcyEh") == "got Basic …"
    keep_secret('with"quo\\tes', "with", "a-part-of", "this-is-a-part-of-it")
    assert redacted(json.dumps('with"quo\\tes')) == '"…"'
    assert redacted("this-is-a-part-of-it") == "…"
    assert without_known("?t=abc this-is-a-part-of-it") == "?t=abc …"


@given(st.text())
def test_any_text_can_be_redacted_twice(text: str) -> None:
    assert redacted(redacted(text)) == redacted(text)


@pytest.mark.parametrize(
    "piece",
    ["//:", "//a:b@", "?t=", "?token", "api_key=", "authorization: bearer ", '"api_key ', "//a:", "https://"],
)
def test_redacting_a_long_text_is_fast(piece: str) -> None:
    """Each of a million characters is examined a few times; a backtracking pattern would take hours."""
    redacted("@ " + piece * (1_000_000 // len(piece)))


def test_programs_get_no_key() -> None:
    keys = {"TAVUS_API_KEY": "1", "TAVUS_PROD_API_KEY": "2", "TAVUS_EU_1_API_KEY": "3"}
    assert without_keys(keys | {"PATH": "/", "MY_TAVUS_API_KEY_FILE": "x"}) == {
        "PATH": "/",
        "MY_TAVUS_API_KEY_FILE": "x",
    }


def test_the_editor_gets_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAVUS_API_KEY", SECRET)
    open_editor(tmp_path / "seen", {"EDITOR": "sh -c 'env > $0'"})
    assert SECRET not in (tmp_path / "seen").read_text()


# -- every command ---------------------------------------------------------------------------------------

ROOMS = (
    ("join", "TARGET"),
    ("tail", "TARGET", "--record", "FOLDER/r.jsonl"),
    ("tail", "TARGET", "--json"),
    ("send", "TARGET", "respond", "hi"),
    ("send", "TARGET", "respond", "hi", "--json"),
    ("run", "TARGET", "FOLDER/script", "--junit", "FOLDER/j.xml"),
    ("run", "TARGET", "FOLDER/script", "--json", "--junit", "FOLDER/j.xml"),
    ("run", "--target", "TARGET", "--target", "sim:?speed=max", "FOLDER/script", "--junit", "FOLDER/j.xml"),
    ("tools", "TARGET", "--tools", "FOLDER/tools.toml", "--tool-log", "FOLDER/log"),
    ("doctor", "--room", "TARGET"),
    ("doctor", "--room", "TARGET", "--json"),
    ("session", "start", "TARGET"),
    ("session", "start", "TARGET", "--json"),
    ("replay", "TARGET"),
    ("report", "TARGET"),
    ("session", "stop", "TARGET"),
    ("conversation", "get", "TARGET"),
    ("conversation", "end", "TARGET", "--yes", "--json"),
    ("help", "TARGET"),
    ("TARGET",),
    ("tail", "TARGET", "TARGET"),
    ("tail", "--TARGET"),
    ("run", "TARGET", "FOLDER/script", "--repeat", "2", "--results", "FOLDER/res.jsonl", "--keep", "all"),
    ("run", "TARGET", "FOLDER/caller.toml", "--junit", "FOLDER/j.xml"),
    ("script", "from", "TARGET"),
    ("redact", "TARGET"),
    ("webhooks", "trigger", "system.shutdown", "--to", "TARGET"),
    ("conversation", "create", "--pal", PAL, "--callback-url", "TARGET"),
    ("webhooks", "listen", "--forward-to", "TARGET"),
    ("conversation", "list", "--base-url", "TARGET"),
    ("run", "sim:?speed=max", "FOLDER/script", "--record", "TARGET"),
    ("run", "sim:?speed=max", "FOLDER/script", "TARGET"),
    ("run", "sim:?speed=max", "FOLDER/script", "--baseline", "TARGET"),
    ("run", "sim:?speed=max", "FOLDER/script", "--tools", "TARGET", "--json"),
)
URLS = (
    f"https://x.daily.co/r?t={SECRET}",
    f"https://x.daily.co/r?token={SECRET}",
    f"https://x.daily.co/r?a=b&t={SECRET}&t={SECRET}",
    f"https://x.daily.co/r#t={SECRET}",
    f"https://me:{SECRET}@x.daily.co/r",
    f"http://x.daily.co/r?t={SECRET}",
    f"https://[?t={SECRET}",
    f"x.daily.co/r?t={SECRET}",
)
API = (
    ("conversation", "list"),
    ("conversation", "list", "--json"),
    ("conversation", "get", ID),
    ("conversation", "create", "--pal", PAL),
    ("conversation", "end", ID, "--yes"),
    ("join", ID),
    ("join", "--new", "--pal", PAL),
    ("run", ID, "FOLDER/script", "--json", "--junit", "FOLDER/j.xml"),
    ("doctor", "--json"),
    ("auth", "status"),
    ("auth", "login"),
    ("config", "show"),
    ("config", "show", "--json"),
    ("webhooks", "pull", ID),
    ("session", "start", "--new", "--pal", PAL),
    ("run", "FOLDER/script", "--new", "--pal", PAL, "--max-cost-minutes", "9", "--junit", "FOLDER/j.xml"),
    ("run", "FOLDER/script", "--new", "--pal", PAL, "--max-cost-minutes", "9", "--json"),
)
PROXIES = (
    f"https://me:{SECRET}@127.0.0.1:9/",
    f"https://me:a/{SECRET}@127.0.0.1:9/",
    f"http://me:{SECRET}/@b@127.0.0.1:9",
    f"https://me:{SECRET}@[::1/",
    f"https://{SECRET}x:{SECRET}@h:port/",
)


class Place:
    """A folder of its own for all that a command may write."""

    def __init__(self, folder: Path, base_url: str) -> None:
        self.folder = folder
        (folder / "script").write_text("/wait 10ms\n")
        (folder / "tools.toml").write_text('[[tool]]\nname = "get_hours"\ncommand = ["true"]\n')
        (folder / "caller.toml").write_text(
            'persona = "x"\ngoal = "y"\nsuccess = ["z"]\n[model]\nname = "m"\nurl = "http://127.0.0.1:9/v1"\n'
        )
        (folder / "words").write_text(f"/respond see {URLS[0]}\n/expect reply text~'{URLS[0]}' within 50ms\n")
        self.given()
        self.variables = {
            "HOME": str(folder),
            "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "TAVUS_CONSOLE_RUNTIME": str(folder / "run"),
            "TAVUS_API_BASE_URL": base_url,
            "TAVUS_DAILY_PROXY": "https://127.0.0.1:9/",
            "TAVUS_CONSOLE_JOIN_TIMEOUT": "2s",
        }

    def given(self) -> None:
        """All that is in the folder by now is the test's own."""
        self._given = sorted(self.folder.rglob("*"))

    def shows(self, arguments: tuple[str, ...], target: str = "", stdin: str = "", **variables: str) -> None:
        """Fails if the secret is in what the command prints or writes."""
        words = [one.replace("FOLDER", str(self.folder)).replace("TARGET", target) for one in arguments]
        done = subprocess.run(
            [CONSOLE, *words],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=self.folder,
            env=environ(**self.variables | variables),
        )
        for text in (done.stdout, done.stderr):
            assert not any(part in text for part in PARTS), (words, text)
            assert "Traceback" not in text, (words, text)
        for path in set(self.folder.rglob("*")) - set(self._given):
            if path.is_file() and path.parent.name != "tokens":  # that is where one is kept, for "join ID"
                assert not any(part.encode() in path.read_bytes() for part in PARTS), (words, path)
            assert SECRET not in path.name


@pytest.fixture
def api() -> Iterator[LocalApi]:
    with local_api(behind="sim:?speed=max") as one:
        yield one


@pytest.fixture
def place(tmp_path: Path, api: LocalApi) -> Place:
    return Place(tmp_path, api.base_url)


def _some(fast: tuple[str, ...], arguments: tuple[str, ...]) -> object:
    marks = [] if arguments in (fast,) else [pytest.mark.slow]
    return pytest.param(arguments, id=" ".join(arguments)[:50], marks=marks)


@pytest.mark.parametrize("arguments", [_some(ROOMS[6], one) for one in ROOMS])
def test_the_token_of_a_room(arguments: tuple[str, ...], place: Place) -> None:
    for url in URLS:
        place.shows(arguments, url)
    if "-" not in arguments[0] and arguments[0] in ("join", "tail", "send", "run"):
        answer = {"conversation_id": ID, "conversation_url": URLS[0][:20], "meeting_token": SECRET}
        place.shows(arguments, "-", stdin=json.dumps(answer))
        place.shows(arguments, "-", stdin=URLS[0])


WORDS = (
    ("run", "sim:?speed=max", "FOLDER/words", "--junit", "FOLDER/j.xml", "--report", "FOLDER/r.html"),
    ("run", "sim:?speed=max", "FOLDER/words", "--json", "--verbose"),
    ("run", "sim:?speed=max", "FOLDER/words", "--repeat", "2", "--junit", "FOLDER/j.xml"),
    ("run", "sim:?speed=max", "FOLDER/words", "--repeat", "2", "--results", "FOLDER/res.jsonl", "--json"),
)


@pytest.mark.parametrize("arguments", [_some(WORDS[0], one) for one in WORDS])
def test_the_token_in_the_words_of_a_script(arguments: tuple[str, ...], place: Place) -> None:
    place.shows(arguments)


@pytest.mark.parametrize("arguments", [_some(API[0], one) for one in API])
def test_the_key(arguments: tuple[str, ...], place: Place, api: LocalApi) -> None:
    for name in ("TAVUS_API_KEY", "TAVUS_PROD_API_KEY"):
        for status in (0, 200, 400, 401, 500, 302):
            api.odd.clear()
            said = {"error": f"no {SECRET} {ID}", "conversation_id": ID, "meeting_token": SECRET}
            told = {"data": [said | {"conversation_url": f"https://x.daily.co/r?t={SECRET}"}]}
            headers = {"location": f"https://x/{SECRET}", "retry-after": "99"}
            if status:
                api.odd.extend(Odd(status, json.dumps(said | told), headers) for _ in range(4))
            place.shows(arguments, stdin=f"{SECRET}\n", **{name: SECRET})
        api.odd.clear()
        place.shows(
            arguments, **{name: f"{SECRET} with a space", "TAVUS_API_BASE_URL": "https://127.0.0.1:9"}
        )


@pytest.mark.parametrize("arguments", [_some(API[11], one) for one in (*ROOMS[:13], *API)])
def test_the_password_of_a_proxy(arguments: tuple[str, ...], place: Place) -> None:
    for proxy in PROXIES:
        place.shows(arguments, "https://x.daily.co/r", TAVUS_DAILY_PROXY=proxy)
        https = {"TAVUS_API_KEY": "k" * 16, "TAVUS_API_BASE_URL": f"https://127.0.0.2:{_closed()}"}
        place.shows(arguments, "sim:?speed=max", HTTPS_PROXY=proxy, ALL_PROXY=proxy, **https)
    if arguments[0] in ("join", "tail", "send", "doctor"):
        place.shows((*arguments, "--daily-proxy", PROXIES[0]), "https://x.daily.co/r")


class Echo(BaseHTTPRequestHandler):
    """A tool, a model, a handler of webhooks or a collector: its answer repeats the request's secrets."""

    server: EchoServer

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", "0")))
        said = "x" * self.server.padding + f"{self.path} {self.headers.as_string()}"
        self.send_response(self.server.status)
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said.encode())

    def log_message(self, format: str, *arguments: object) -> None:
        pass


class EchoServer(ThreadingHTTPServer):
    daemon_threads = True
    status, padding = 200, 0


@pytest.fixture
def echo() -> Iterator[EchoServer]:
    with EchoServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


ANSWERED = (
    (
        "join",
        "sim:?speed=max",
        "--tools",
        "FOLDER/echo.toml",
        "--tool-log",
        "FOLDER/l",
        "--record",
        "FOLDER/r",
    ),
    ("webhooks", "trigger", "system.shutdown", "--to", "URL"),
    ("run", "sim:?speed=max", "FOLDER/model.toml", "--junit", "FOLDER/j.xml", "--report", "FOLDER/r.html"),
    (
        "run",
        "sim:?speed=max",
        "FOLDER/model.toml",
        "FOLDER/script",
        "--json",
        "--results",
        "FOLDER/res.jsonl",
    ),
    ("run", "sim:?speed=max", "FOLDER/words", "--otlp", "URL", "--otlp-content"),
    ("run", "sim:?speed=max", "FOLDER/words", "--otlp", "FOLDER/traces", "--otlp-content"),
    ("tail", "sim:?speed=max", "--tools", "FOLDER/echo.toml", "--for", "1s"),
)


@pytest.mark.parametrize("arguments", [_some(ANSWERED[0], one) for one in ANSWERED])
def test_an_answer_that_repeats_what_was_sent(
    arguments: tuple[str, ...], place: Place, echo: EchoServer
) -> None:
    """Also where it is cut in the middle of the secret."""
    address = f"127.0.0.1:{echo.server_address[1]}"
    url = f"http://me:{SECRET}@{address}/x?sig={SECRET}&token={SECRET}"
    headers = 'headers = { Authorization = "THE_KEY", X-Its-Own = "THE_KEY" }'
    (place.folder / "echo.toml").write_text(f'[[tool]]\nname = "get_hours"\nurl = "{url}"\n{headers}\n')
    model = f'[model]\nname = "m"\nurl = "http://{address}/v1"\nkey_env = "THE_KEY"\n'
    (place.folder / "model.toml").write_text(f'persona = "x"\ngoal = "y"\nsuccess = ["z"]\n{model}')
    place.given()
    cuts = ((200, 0), (400, 0), (400, 185)) if arguments != ANSWERED[0] else ((400, 0),)
    for echo.status, echo.padding in cuts:
        words = tuple(one.replace("URL", url) for one in arguments)
        place.shows(words, stdin="When are you open?\n", THE_KEY=SECRET)


def _closed() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
    return port


def test_the_password_of_a_proxy_among_the_settings(place: Place) -> None:
    folder = place.folder / "config" / "tavus-console"
    folder.mkdir(parents=True)
    for proxy in PROXIES:
        (folder / "config.toml").write_text(f"daily_proxy = {json.dumps(proxy)}\n")
        place.given()
        del place.variables["TAVUS_DAILY_PROXY"]
        for arguments in (API[11], API[12], ROOMS[1], ROOMS[6]):
            place.shows(arguments, "https://x.daily.co/r")
        place.variables["TAVUS_DAILY_PROXY"] = ""


def test_the_server_of_a_session_has_no_key(place: Place, api: LocalApi) -> None:
    api.behind = "sim"
    name = api.add()
    variables = environ(**place.variables, TAVUS_API_KEY="tvs-test-0123456789abcdef")
    start = [CONSOLE, "session", "start", name, "--json"]
    done = subprocess.run(start, capture_output=True, text=True, check=True, env=variables, timeout=60)
    try:
        pid = json.loads(done.stdout)["pid"]
        data = Path(f"/proc/{pid}/environ").read_bytes() if os.path.isdir("/proc/self") else b"PATH="
        assert b"API_KEY" not in data
        assert b"PATH=" in data
    finally:
        subprocess.run([CONSOLE, "session", "stop", "--all"], check=True, env=variables, timeout=60)
