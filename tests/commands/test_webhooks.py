"""``webhooks``: examples, recordings and forwarding, against handlers that answer, fail, or are not there."""

from __future__ import annotations

import io
import json
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tavus_cli.commands.webhooks import _show
from tavus_cli.session.environment import Environment
from tests.commands.test_local import runtime, started
from tests.kits.program import SECONDS, Result, console
from tests.kits.tavus_api import KEY, LocalApi, Odd, local_api

__all__ = ["runtime"]  # a fixture
TYPE = "system.shutdown"
JSON = {"content-type": "application/json"}


def bodies(handler: LocalApi) -> list[Any]:
    return [one.body for one in handler.requests]


@pytest.fixture
def handler() -> Any:
    """A handler that keeps its requests; any server that accepts JSON would do."""
    with local_api() as one:
        yield one


def answered(handler: LocalApi, *answers: Odd) -> str:
    handler.odd.extend(answers)
    return f"{handler.base_url}/hook"


def test_an_example_is_posted_and_the_answer_shown(handler: LocalApi) -> None:
    url = answered(handler, Odd(200, "thank you\x1b[31m " + "x" * 1000))
    result = console("webhooks", "trigger", TYPE, "--to", url, "--conversation-id", "c123456")
    assert (result.status, result.err) == (0, "")
    assert result.out.startswith("system.shutdown  200 in ")
    assert "thank you" in result.out
    assert "\x1b" not in result.out
    assert len(result.out) < 400
    [body] = bodies(handler)
    assert (body["event_type"], body["conversation_id"], body["webhook_url"]) == (TYPE, "c123456", url)


@pytest.mark.parametrize(("status", "ends"), [(200, 0), (204, 0), (302, 0), (404, 0), (500, 1), (503, 1)])
def test_a_5xx_ends_with_1(handler: LocalApi, status: int, ends: int) -> None:
    url = answered(handler, Odd(status, "", {"Location": handler.base_url} if status == 302 else {}))
    result = console("webhooks", "trigger", TYPE, "--to", url)
    assert (result.status, len(handler.requests)) == (ends, 1)
    assert f"  {status} in " in result.out


def test_no_answer_ends_with_1(handler: LocalApi) -> None:
    cut = console("webhooks", "trigger", TYPE, "--to", answered(handler, Odd(cut=True)))
    assert (cut.status, "no answer" in cut.out) == (1, True)
    nobody = console("webhooks", "trigger", TYPE, "--to", "http://127.0.0.1:9/")
    assert (nobody.status, "no answer" in nobody.out, nobody.out.count("\n")) == (1, True, 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trigger", "system.shutdwn", "--to", "http://127.0.0.1/"], 'unknown webhook "system.shutdwn"'),
        (["trigger", TYPE, "--to", "http://example.com/"], "allow it with --allow-remote"),
        (["trigger", TYPE, "--to", "example.com"], "must begin with http"),
        (["trigger", TYPE, "--to", "http://[/"], "not a valid URL"),
        (["trigger", TYPE], "--to"),
        (["resend", "/nowhere.jsonl", "--to", "http://127.0.0.1/"], "/nowhere.jsonl: No such file"),
        (["listen", "--forward-to", "http://example.com/"], "--forward-to leads to example.com"),
    ],
)
def test_what_is_wrong_is_one_line(arguments: list[str], words: str) -> None:
    result = console("webhooks", *arguments)
    assert (result.status, result.out, result.err.count("\n")) == (2, "", 1)
    assert words in result.err


def resent(tmp_path: Path, handler: LocalApi, text: str, *more: str) -> Result:
    file = tmp_path / "hooks.jsonl"
    file.write_text(text)
    return console("webhooks", "resend", str(file), "--to", f"{handler.base_url}/hook", *more)


def test_recorded_ones_in_their_order(tmp_path: Path, handler: LocalApi) -> None:
    answered(handler, *[Odd()] * 10)
    rows = [
        {"event_type": "system.replica_joined"},
        {"event_type": TYPE, "n": 2**60},
        {"objective_name": "o"},
    ]
    text = "\n".join(json.dumps(one) for one in rows) + "\n\n"
    assert resent(tmp_path, handler, text).status == 0
    assert bodies(handler) == rows
    for only in ("shutdown", TYPE, "*.shutdown", "nothing,shutdown"):
        handler.requests.clear()
        assert resent(tmp_path, handler, text, "--only", only).status == 0
        assert bodies(handler) == [rows[1]]
    handler.requests.clear()
    assert resent(tmp_path, handler, text, "--only", "objective").status == 0
    assert bodies(handler) == [rows[2]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no webhook"),
        ('{"a": 1}\n{"b": ', "hooks.jsonl:2: not a JSON object"),
        ("[1]\n", "hooks.jsonl:1: not a JSON object"),
        ("\ufeffx", "hooks.jsonl:1: not a JSON object"),
    ],
)
def test_an_invalid_file_to_resend(tmp_path: Path, handler: LocalApi, text: str, words: str) -> None:
    result = resent(tmp_path, handler, text)
    assert (result.status, words in result.err, handler.requests) == (2, True, [])


def test_pull_posts_what_the_api_knows(handler: LocalApi) -> None:
    with local_api() as api:
        variables = {"TAVUS_API_BASE_URL": api.base_url, "TAVUS_API_KEY": KEY}
        answered(handler, *[Odd()] * 10)
        name = api.add(status="ended")
        to = ["--forward-to", f"{handler.base_url}/hook"]
        result = console("webhooks", "pull", name, *to, **variables)
        assert result.status == 0
        assert [one["event_type"] for one in bodies(handler)] == ["system.replica_joined", TYPE]
        assert bodies(handler)[1]["properties"]["shutdown_reason"] == "ended"
        assert console("webhooks", "pull", "c9", *to, **variables).status == 1


def test_listening_forwards_records_and_answers_as_the_handler(
    tmp_path: Path, runtime: dict[str, str], handler: LocalApi
) -> None:
    forward = answered(handler, Odd(200), Odd(418, "short and stout"), Odd(cut=True))
    options = ["--forward-to", forward, "--record", "hooks.jsonl"]
    with started("webhooks", "listen", "--port", "0", *options, cwd=tmp_path, **runtime) as hook:
        url = f"http://127.0.0.1:{hook.port}/any/path"
        statuses = [console("webhooks", "trigger", TYPE, "--to", url).out.split()[1] for _ in range(3)]
        assert statuses == ["200", "418", "502"]
        hook.until(hook.err, "418 in")
        hook.until(hook.err, "no answer")
        hook.until(hook.out, TYPE, 3)
        kept = (tmp_path / "hooks.jsonl").read_text().splitlines()
        assert [json.loads(line)["event_type"] for line in kept] == [TYPE] * 3
        assert (tmp_path / "hooks.jsonl").stat().st_mode & 0o777 == 0o600
        assert [json.loads(line)["event_type"] for line in hook.out] == [TYPE] * 3
        for method, body, headers, status in (
            ("GET", "", {}, 405),
            ("POST", "not json", JSON, 400),
            ("POST", "{}", {"content-type": "text/plain"}, 415),
            ("POST", "{}", JSON | {"Host": "evil.example.com"}, 403),
            ("POST", "{}", JSON | {"Origin": "https://evil.example.com"}, 403),
            ("POST", '"' + "x" * 2**20 + '"', JSON, 413),
        ):
            connection = HTTPConnection("127.0.0.1", hook.port, timeout=SECONDS)
            connection.request(method, "/", body, headers)
            assert connection.getresponse().status == status
            connection.close()
        assert len(hook.out) == 3
        assert hook.stop() == 130


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"event_type": TYPE, "conversation_id": "c1", "properties": {"a": 1}}, f'  {TYPE}  c1  {{"a":1}}\n'),
        ({"conversation_id": "c1", "objective_name": "o"}, "  objective  c1  "),
        ({"conversation_id": "c1", "properties": {"guardrail": "g"}}, '  guardrail  c1  {"guardrail":"g"}'),
        ({"conversation_id": "\x1b[31m"}, "  webhook  "),
        ({"event_type": TYPE, "properties": {"a": "x" * 1000}}, "…\n"),
    ],
)
def test_a_row_on_a_terminal(body: Any, shown: str) -> None:
    out = Terminal()
    _show(body, Environment(io.StringIO(), out, io.StringIO(), {}))
    assert shown in out.getvalue()
    assert "\x1b" not in out.getvalue()
    assert out.getvalue().count("\n") == 1


def test_a_full_disk_ends_only_the_recording(tmp_path: Path, runtime: dict[str, str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with started(
        "webhooks", "listen", "--port", "0", "--record", "/dev/full", cwd=tmp_path, **runtime
    ) as hook:
        url = f"http://127.0.0.1:{hook.port}/"
        assert [console("webhooks", "trigger", TYPE, "--to", url).status for _ in range(2)] == [0, 0]
        assert "the recording ends here" in hook.until(hook.err, "--record")
        hook.until(hook.out, TYPE)


def test_a_port_that_is_taken_and_an_open_address(tmp_path: Path, runtime: dict[str, str]) -> None:
    with started("webhooks", "listen", "--port", "0", cwd=tmp_path, **runtime) as hook:
        second = console("webhooks", "listen", "--port", str(hook.port), "--host", "127.0.0.1")
        assert (second.status, second.err.count("\n")) == (1, 2)
        assert "others on this network may be able to reach" in second.err
        assert "cannot listen on 127.0.0.1" in second.err
    nowhere = console("webhooks", "listen", "--record", str(tmp_path / "none" / "x.jsonl"))
    assert (nowhere.status, nowhere.err.count("\n")) == (2, 1)
    wanted = console("local", "--port", "0", "--host", "192.0.2.1")
    assert (wanted.status, "cannot serve on 192.0.2.1" in wanted.err) == (1, True)
