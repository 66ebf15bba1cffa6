"""Look-ups at the start that get no answer, from a keyring or the API, are bounded and can be stopped."""

from __future__ import annotations

import itertools
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kits.program import CONSOLE, SECONDS, Result, environ, process
from tests.kits.tavus_api import KEY, LocalApi, local_api

ID = "c000000000000001"
SILENT = {
    "PYTHON_KEYRING_BACKEND": "tests.kits.keyring_file.SilentKeyring",
    "PYTHONPATH": str(Path(__file__).parents[2]),
}
HINT = "the keyring did not answer within 3 s: unlock it, or set TAVUS_API_KEY"


@pytest.fixture
def script(tmp_path: Path) -> str:
    path = tmp_path / "hello.tavus"
    path.write_text("/respond hello\n")
    return str(path)


# -- a keyring that does not answer --------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["auth", "status"],
        pytest.param(["auth", "logout"], marks=pytest.mark.slow),
        pytest.param(["conversation", "list"], marks=pytest.mark.slow),
        pytest.param(["conversation", "get", ID], marks=pytest.mark.slow),
        pytest.param(["conversation", "end", ID, "--yes"], marks=pytest.mark.slow),
        pytest.param(["conversation", "create", "--pal", "p1"], marks=pytest.mark.slow),
        pytest.param(["join", "--new", "--pal", "p1"], marks=pytest.mark.slow),
        ["join", "https://tavus.daily.co/c0ffee00", "--end-on-exit"],
    ],
    ids=str,
)
def test_a_silent_keyring_says_what_to_set(arguments: list[str]) -> None:
    assert process(*arguments, **SILENT) == Result(1, "", f"tavus-console: {HINT}\n")


@pytest.mark.parametrize(
    "command", ["tail", *(pytest.param(one, marks=pytest.mark.slow) for one in ("send", "join", "run"))]
)
def test_a_silent_keyring_does_not_keep_an_id_from_being_joined(command: str, script: str) -> None:
    arguments = [command, ID]
    more = {"send": ["respond", "hi"], "run": [script]}.get(command, [])
    result = process(*arguments, *more, "--daily-proxy", "https://127.0.0.1:9/", **SILENT)
    assert result.err.startswith(f"tavus-console: {HINT}; joining https://tavus.daily.co/{ID}\n")
    assert result.status == 5


# -- an API that does not answer -----------------------------------------------------------------------


@pytest.fixture
def api() -> Iterator[LocalApi]:
    """An API that accepts requests, and answers none before the test is over."""
    over = threading.Event()
    with local_api() as one:
        one.before = lambda request: over.wait()
        yield one
        over.set()


STOPS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
LOOKING_UP = [
    ["tail", ID],
    ["send", ID, "respond", "hi"],
    ["run", ID],
    ["join", ID],
    ["doctor", "--room", ID],
    ["session", "start", ID],
    ["conversation", "list"],
    ["conversation", "get", ID],
    ["conversation", "end", ID, "--yes"],
    ["auth", "login"],
]


@pytest.mark.parametrize(
    ("arguments", "number", "status"),
    [(one, *stop) for one, stop in zip(LOOKING_UP, itertools.cycle(STOPS), strict=False)],
    ids=str,
)
def test_a_signal_stops_a_look_up(
    arguments: list[str], number: int, status: int, api: LocalApi, script: str
) -> None:
    more = [script] if arguments[0] == "run" else []
    result = _stopped([*arguments, *more], number, api)
    if arguments[:2] == ["conversation", "end"]:
        told = f"tavus-console: stopped: may not have ended: tavus-console conversation end {ID}\n"
        assert result == Result(status, "", told)
    else:
        assert result == Result(status, "", "")


@pytest.mark.parametrize(("number", "status"), STOPS)
def test_a_stopped_creation_warns_that_it_may_be_billed(number: int, status: int, api: LocalApi) -> None:
    result = _stopped(["conversation", "create", "--pal", "p1"], number, api)
    assert result.status == status
    assert "a conversation may have been created" in result.err
    assert len(result.err.splitlines()) == 1


def _stopped(arguments: list[str], number: int, api: LocalApi) -> Result:
    """The signal comes once the API has been asked."""
    asked = threading.Event()
    wait = api.before

    def before(request: object) -> None:
        asked.set()
        wait(request)  # type: ignore[arg-type]

    api.before = before
    with subprocess.Popen(
        [CONSOLE, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ(TAVUS_API_BASE_URL=api.base_url, TAVUS_API_KEY=KEY),
    ) as child:
        assert child.stdin is not None
        child.stdin.write(f"{KEY}\n")
        child.stdin.flush()
        assert asked.wait(SECONDS)
        child.send_signal(number)
        out, err = child.communicate(timeout=SECONDS)
    return Result(child.returncode, out, err)
