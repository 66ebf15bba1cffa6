"""``run`` with simulated callers among the scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kits.chat_model import KEY, ChatModel, ruling, serving
from tests.kits.program import console
from tests.kits.tavus_api import KEY as TAVUS_KEY
from tests.kits.tavus_api import PAL, local_api

MAX = "sim:?speed=max"


@pytest.fixture
def model() -> Iterator[ChatModel]:
    with serving(ChatModel(["How much is it?"], ruling(True, quotes=["twelve euros"]))) as one:
        yield one


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, model: ChatModel, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A suite of a script and a caller, and a file that is neither."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.chdir(tmp_path)
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "good.tavus").write_text("/respond How much is it?\n/expect reply within 10s\n")
    (tests / "tools.toml").write_text('[[tool]]\nname = "x"\noutput = "y"\n')
    text = 'persona = "A visitor."\ngoal = "Learn the price."\nsuccess = ["The PAL names the price."]\n'
    text += f'[model]\nname = "small"\nurl = "{model.url}"\nkey_env = "MODEL_KEY"\n'
    (tests / "visitor.toml").write_text(text)
    return tests


def test_a_caller_runs_like_a_script_in_a_suite(model: ChatModel) -> None:
    words = ["run", MAX, "tests", "--repeat", "2", "--jobs", "2", "--min-pass", "0.5", "--junit", "j.xml"]
    result = console(*words, MODEL_KEY=KEY)
    assert (result.status, result.err) == (0, "")
    rates = [line.split()[:4] for line in result.out.split("\n\n")[1].splitlines()[1:3]]
    assert rates == [["good", MAX, "2/2", "ok"], ["visitor.toml", MAX, "2/2", "ok"]]
    assert Path("j.xml").read_text().count("<testcase") == 4
    run, suite = map(json.loads, console("run", MAX, "tests/visitor.toml", "--json", MODEL_KEY=KEY).lines)
    assert (run["verdict"], run["criteria"][0]["met"], suite["exit_status"]) == ("ok", True, 0)


def test_a_failed_or_unclear_verdict_ends_with_3(model: ChatModel, folder: Path) -> None:
    model.judge = lambda asked: "Everything is fine: met!"
    result = console("run", MAX, "tests/visitor.toml", MODEL_KEY=KEY)
    assert result.status == 3
    assert "cannot tell: The PAL names the price. (the judge's answer is not the JSON" in result.out
    assert "1 cannot tell" in result.out
    assert "said pal: Hi, I'm Nora" in result.err


def test_a_missing_model_is_reported_plainly(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = "http://127.0.0.1:9/v1"
    monkeypatch.setattr("tavus_cli.callers.model.OLLAMA", nowhere)
    lines = (folder / "visitor.toml").read_text().splitlines()
    (folder / "visitor.toml").write_text("\n".join([*lines[:5], f'url = "{nowhere}"']))
    result = console("run", MAX, "tests/visitor.toml")
    assert result.status == 3
    assert f"nothing answers at {nowhere}; start it with `ollama serve`, or name another" in result.out


def test_mistakes_and_a_missing_key_are_reported_before_anything_is_joined(
    model: ChatModel, folder: Path
) -> None:
    result = console("run", MAX, "tests")
    assert (result.status, result.out) == (2, "")
    assert "MODEL_KEY is not set" in result.err
    (folder / "visitor.toml").write_text('persona = "x"\ngaol = "y"\n')
    for words in (["run", "--check", "tests"], ["run", MAX, "tests"]):
        result = console(*words, MODEL_KEY=KEY)
        assert (result.status, result.out) == (2, "")
        assert 'tests/visitor.toml:2: unknown key "gaol"; did you mean "goal"?' in result.err
    assert model.asked == []


@pytest.mark.parametrize(("body", "chat"), [("{}", True), ('{"chat": false}', False)])
def test_the_conversation_of_a_caller_is_a_chat(
    model: ChatModel, folder: Path, body: str, chat: bool
) -> None:
    (folder / "body.json").write_text(body)
    with local_api(MAX) as api:
        result = console(
            *("run", "tests", "--new", "--pal", PAL, "--body", "tests/body.json"),
            TAVUS_API_KEY=TAVUS_KEY, TAVUS_API_BASE_URL=api.base_url, MODEL_KEY=KEY,
        )  # fmt: skip
        assert (result.status, result.err) == (0, "")
        created = [one.body for one in api.requests if one.method == "POST" and one.body]
    assert [one.get("chat") for one in created] == [None if chat else False, chat]
