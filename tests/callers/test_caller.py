"""The file of a simulated caller: its keys, and a plain error for each mistake."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tavus_cli.callers.caller import Caller, Model, is_caller, key_of, parse
from tavus_cli.errors import UsageError

FILE = """persona = "A hurried visitor."
goal = "Learn the price."
success = ["The PAL names the price."]
max_turns = 4
greeting = "2s"

[model]
url = "https://models.example/v1/"
name = "small"
key_env = "MODEL_KEY"
timeout = "20s"
max_tokens = 5000
"""


def test_a_file_is_read_as_it_says() -> None:
    model = Model("small", "https://models.example/v1", "MODEL_KEY", 20.0, 5_000)
    assert parse(FILE, "c.toml") == Caller(
        "c.toml", "A hurried visitor.", "Learn the price.", ("The PAL names the price.",), model, 4, 2.0
    )


def test_the_file_in_the_manual_is_valid() -> None:
    page = (Path(__file__).parents[2] / "docs" / "testing.md").read_text("utf-8")
    (block,) = re.findall(r"^```toml\n(.*?)^```", page, re.M | re.S)
    assert len(parse(block, "c.toml").success) == 2


def test_without_a_url_it_is_ollama_on_this_machine() -> None:
    short = parse('persona = "a"\ngoal = "b"\nsuccess = ["c"]\nmodel = { name = "llama3.2" }\n', "c.toml")
    assert (short.model.url, short.model.key_env, short.max_turns) == ("http://127.0.0.1:11434/v1", "", 10)
    assert short.model.local


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("persona = ", "# ", 'c.toml: "persona" is missing: who is the caller?'),
        ("goal = ", "# ", 'c.toml: "goal" is missing'),
        ("success = ", "# ", 'c.toml: "success" is missing'),
        ('name = "small"', "", 'c.toml:7: "name" is missing'),
        ("goal =", "gaol =", 'c.toml:2: unknown key "gaol"; did you mean "goal"?'),
        ("max_turns = 4", "max_turns = 0", 'c.toml:4: "max_turns" must be a whole number from 1 to 100'),
        ('["The PAL names the price."]', "[]", 'c.toml:3: "success" must be a list of 1 to 20 criteria'),
        ('["The PAL names the price."]', '["a", "a"]', 'must be a list of criteria, each of them once'),
        ('"2s"', '"soon"', 'c.toml:5: "greeting" must be a time such as'),
        ("https://models.example/v1/", "models.example", 'c.toml:8: "url" must be an address such as'),
        ("https://models", "https://me:pass@models", 'c.toml:8: "url" must be an address without a password'),
        ("https:", "http:", "c.toml:8: http:// would send the key unencrypted: use https://"),
        ("MODEL_KEY", "sk-1234", 'c.toml:10: "key_env" must be the name of an environment variable'),
        ("MODEL_KEY", "TAVUS_API_KEY", "this one holds the key of Tavus"),
        ('key_env = "MODEL_KEY"', 'key = "sk-1"', "c.toml:10: a key is not written into the file"),
        ("[model]", "[model", "c.toml:7: "),
    ],
)  # fmt: skip
def test_a_mistake_says_its_line_and_what_to_write(old: str, new: str, told: str) -> None:
    with pytest.raises(UsageError, match=re.escape(told)):
        parse(FILE.replace(old, new), "c.toml")


def test_the_key_comes_from_the_environment() -> None:
    model = parse(FILE, "c.toml").model
    assert key_of(model, {"MODEL_KEY": " sk-12345678\n"}) == "sk-12345678"
    assert key_of(Model("small"), {}) == ""
    with pytest.raises(UsageError, match="MODEL_KEY is not set: it must hold the key of the model at https"):
        key_of(model, {})
    with pytest.raises(UsageError, match="does not hold a key") as raised:
        key_of(model, {"MODEL_KEY": "sk-secret and more"})
    assert "secret" not in str(raised.value)


def test_other_files_are_not_taken_for_callers() -> None:
    assert is_caller(FILE)
    assert not is_caller('[[tool]]\nname = "get_hours"\ncommand = "./x"\n')
    assert not is_caller('name = "Nora"\n[[objective]]\nname = "x"\n')
