"""Secrets kept in a keyring, or contained in a recording: no command shows or writes them elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kits.program import Result, process
from tests.kits.tavus_api import KEY, LocalApi, Odd, local_api

ID = "c000000000000001"
TOKEN = "m33ting-t0ken.Kept-In-A-Keyring"
ROOM = "https://x.daily.co/r"  # behind a proxy that nobody serves
RING = "ring.json"


class Kept:
    """A keyring that holds the API key and the meeting token of ID, and a folder for all that is written."""

    def __init__(self, folder: Path, api: LocalApi) -> None:
        self.folder, self.api = folder, api
        (folder / "script").write_text("/wait 10ms\n")
        ring = {"tavus-console/prod": KEY, f"tavus-console/token of {ID}": TOKEN}
        (folder / RING).write_text(json.dumps(ring))
        tokens = folder / "state" / "tavus-console" / "tokens"
        tokens.mkdir(parents=True)
        (tokens / ID).write_text(json.dumps({"until": 9e9}))
        self.variables = {
            "HOME": str(folder),
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "TAVUS_CONSOLE_RUNTIME": str(folder / "run"),
            "TAVUS_CONSOLE_JOIN_TIMEOUT": "2s",
            "TAVUS_DAILY_PROXY": "https://127.0.0.1:9/",
            "TAVUS_API_BASE_URL": api.base_url,
            "TAVUS_API_KEY": "",
            "TAVUS_PROD_API_KEY": "",
            "PYTHONPATH": str(Path(__file__).parent.parent),
            "PYTHON_KEYRING_BACKEND": "tests.kits.keyring_file.FileKeyring",
            "TEST_KEYRING": str(folder / RING),
        }

    def run(self, *arguments: str) -> Result:
        """Fails if a secret is in what it prints or writes, except in the keyring's own file."""
        words = [one.replace("FOLDER", str(self.folder)) for one in arguments]
        result = process(*words, **self.variables)
        assert "Traceback" not in result.err
        written = [one for one in self.folder.rglob("*") if one.is_file() and one.name != RING]
        texts = {"out": result.out.encode(), "err": result.err.encode()}
        texts |= {str(one): one.read_bytes() for one in written}
        for secret in (KEY, TOKEN):
            assert not [name for name, text in texts.items() if secret.encode() in text], result
        return result


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    with local_api(behind=ROOM) as api:
        yield Kept(tmp_path, api)


COMMANDS = (
    ("auth", "status"),
    ("auth", "status", "--json"),
    ("conversation", "list"),
    ("conversation", "list", "--json"),
    ("join", ID),
    ("tail", ID, "--record", "FOLDER/r.jsonl"),
    ("run", ID, "FOLDER/script", "--junit", "FOLDER/j.xml"),
    ("run", ID, "FOLDER/script", "--json", "--junit", "FOLDER/j.xml"),
    ("session", "start", ID),
    ("doctor", "--json"),
)
FAST = (COMMANDS[0], COMMANDS[2], COMMANDS[6])


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(one, id=" ".join(one), marks=[] if one in FAST else [pytest.mark.slow])
        for one in COMMANDS
    ],
)
def test_a_keyring_keeps_its_secrets(arguments: tuple[str, ...], kept: Kept) -> None:
    kept.api.add(conversation_url=ROOM)
    result = kept.run(*arguments)
    sent = [one.headers.get("x-api-key") for one in kept.api.requests]
    assert KEY in sent or "the keyring" in result.out, result  # or there was nothing to show
    for status in (400, 401, 500):
        echo = json.dumps({"error": f"no {KEY} for {ROOM}?t={TOKEN}", "message": KEY, "meeting_token": TOKEN})
        kept.api.odd.extend(Odd(status, echo, {"retry-after": "99"}) for _ in range(4))
        assert kept.run(*arguments).status != 2
        kept.api.odd.clear()
    kept.variables["TAVUS_API_BASE_URL"] = "http://127.0.0.1:9"
    kept.run(*arguments)


# -- recordings -------------------------------------------------------------------------------------------

LINK = f"https://x.daily.co/r?t={TOKEN}"


def _recording(folder: Path) -> str:
    """The token in every place of a message that anybody may fill."""
    said = f'see {LINK} "now" or https://x.daily.co/r?a=b&t={TOKEN}\\'
    rows: list[tuple[str, dict[str, object]]] = [
        ("conversation.utterance", {"role": "user", "speech": said}),
        ("conversation.utterance", {"role": "pal", "speech": said}),
        (
            "conversation.tool_call",
            {"name": LINK, "tool_call_id": LINK, "arguments": json.dumps({LINK: LINK})},
        ),
        ("conversation.tool_result", {"tool_call_id": LINK, "output": said}),
        (f"conversation.{LINK}", {LINK: LINK}),
        ("system.pal_joined", {"conversation_url": LINK, "meeting_token": TOKEN}),
        ("system.shutdown", {"reason": LINK}),
    ]
    path = folder / "talk.jsonl"
    with path.open("w") as file:
        for number, (kind, properties) in enumerate(rows):
            one = {
                "message_type": kind.partition(".")[0],
                "event_type": kind,
                "conversation_id": "c1",
                "seq": number + 1,
                "turn_idx": 1,
                "timestamp": f"2026-11-24T09:20:0{number}Z",
                "properties": properties,
            }
            file.write(json.dumps(one) + "\n")
    return str(path)


@pytest.mark.parametrize(
    "arguments",
    [
        ("report", "FILE"),
        ("report", "FILE", "--json"),
        ("report", "FILE", "--markdown"),
        ("report", "FILE", "--html", "FOLDER/r.html"),
        *(("report", "FILE", "--transcript", one) for one in ("txt", "md", "srt", "vtt")),
        ("redact", "FILE"),
    ],
    ids=" ".join,
)
def test_a_recording_is_shown_without_the_tokens_in_it(arguments: tuple[str, ...], tmp_path: Path) -> None:
    file = _recording(tmp_path)
    words = [one.replace("FILE", file).replace("FOLDER", str(tmp_path)) for one in arguments]
    summary = tmp_path / "summary.md"
    result = process(*words, GITHUB_STEP_SUMMARY=str(summary))
    assert (result.status, "Traceback" in result.err) == (0, False)
    pages = [one.read_text() for one in (tmp_path / "r.html", summary) if one.exists()]
    for text in (result.out, result.err, *pages):
        assert TOKEN not in text.replace("\\", "")
    if "--json" in arguments:
        (one,) = json.loads(result.out)["recordings"]
        assert 'see https://x.daily.co/r?t=… "now"' in one["transcript"][0]["text"]
