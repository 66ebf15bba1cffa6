"""Reading scripts and specs: their values, and every mistake reported with its line."""

from __future__ import annotations

import contextlib
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tavus_cli.errors import UsageError
from tavus_cli.language.patterns import Pattern, TooSlow
from tavus_cli.rooms.sim.faults import FaultRates
from tavus_cli.rooms.sim.model import SimScript
from tavus_cli.rooms.sim.script import DEFAULT_SCRIPT, default_script, load_script, parse_script, parse_spec
from tests.kits.conversations import some

FULL = """
name = "Nora"
greeting = "Hi."
default = ["One.", "Two."]
respond_waits = true
shutdown_after = 60

[timing]
words_per_minute = 200
think = 0.5

[tools.get_hours]
on_resolve = "generate_response"
arguments = { day = "mon" }
timeout = 3

[[objective]]
name = "day"
match = '(\\w+)day'
variables = { day = "{1}" }
confirm = "manual"

[[reply]]
match = "hours?"
tool = "get_hours"
then = [{ after = 1, user = "Hm." }, { guardrail = "rude", reason = "x" }]

[[reply]]
match = "bye"
say = "Bye."
tool = "end_call"

[[reply.then]]
analysis = "fine"

[[at]]
after = 2
raw = { any = [1, 2026-01-01] }

[faults]
reorder = 0.2
"""


def wrong(text: str) -> str:
    with pytest.raises(UsageError) as caught:
        parse_script(text, "s.toml")
    return str(caught.value)


def test_a_full_script() -> None:
    script = parse_script(FULL, "s.toml")
    assert script.timing.words_per_minute == 200
    assert script.timing.join == 0.4  # what is not given has its default
    assert script.default == ("One.", "Two.")
    assert script.respond_waits
    assert script.tools["get_hours"].timeout == 3
    assert script.replies[0].match is not None
    assert script.replies[0].match.search("What are your HOURS")
    user, guardrail = script.replies[0].then
    assert (user.kind, user.value, user.after) == ("user", "Hm.", 1)
    assert guardrail.more == {"reason": "x"}
    assert script.replies[1].then[0].kind == "analysis"
    assert script.at[0].value == {"any": [1, "2026-01-01"]}
    assert script.objectives[0].confirm == "manual"
    assert script.faults == FaultRates(reorder=0.2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = \n", "s.toml:1: Invalid value"),
        ('name = "x"\nname = "y"\n', "s.toml:2: Cannot overwrite a value"),
        ('greeting = "x\n', "s.toml:1: Illegal character '\\n'"),
        ('\n\ngreetings = "x"', 's.toml:3: unknown key "greetings"; did you mean "greeting"?'),
        (
            "zzz = 1",
            's.toml:1: unknown key "zzz"; known are name, replica_id, greeting, context, default, '
            "respond_waits, shutdown_after, shutdown_reason, timing, reply, tools, objective, at, faults",
        ),
        ("greeting = 1", 's.toml:1: "greeting" must be a string'),
        ("respond_waits = 1", 's.toml:1: "respond_waits" must be true or false'),
        ("default = []", 's.toml:1: "default" must be a string or a list of strings'),
        ("shutdown_after = -1", 's.toml:1: "shutdown_after" must be a number from 0 to 86400'),
        ("shutdown_after = true", 's.toml:1: "shutdown_after" must be a number from 0 to 86400'),
        ("shutdown_after = nan", 's.toml:1: "shutdown_after" must be a number from 0 to 86400'),
        ("timing = 1", 's.toml:1: "timing" must be a table'),
        (
            "[timing]\n# words\nwords_per_minuet = 3",
            's.toml:3: unknown key "words_per_minuet"; did you mean "words_per_minute"?',
        ),
        ("timing.think = 1\ntiming.lagg = 2", 's.toml:2: unknown key "lagg"; did you mean "lag"?'),
        ("[timing]\nheartbeat = 0", 's.toml:2: "heartbeat" must be a number from 0.01 to 86400'),
        ("[faults]\nreorder = 2", 's.toml:2: "reorder" must be a number from 0 to 1'),
        (
            '[[reply]]\nmatch = "a"\nsay = "b"\n\n[[reply]]\nmatch = "("\n',
            's.toml:6: "match" must be a regular expression: missing )',
        ),
        (
            '[[reply]]\nmatch = "a"\n[[reply]]\nsay = "b"',
            's.toml:3: "match" is missing in [[reply]]; what no other matches gets "default"',
        ),
        ('[reply]\nmatch = "a"', 's.toml:1: "reply" must be an array of tables: write [[reply]]'),
        (
            '[[reply]]\nmatch = "a"\nmatch_ = "b"\n',
            's.toml:3: unknown key "match_"; did you mean "match"?',
        ),
        (
            '[[reply]]\nmatch = "a"\ntool = "get_huors"\n\n[tools.get_hours]\n',
            's.toml:3: no [tools.get_huors] in this file; did you mean "get_hours"?',
        ),
        (
            '[tools."get hours"]\ntimeot = 1',
            's.toml:2: unknown key "timeot"; did you mean "timeout"?',
        ),
        (
            '[tools.a]\non_resolve = "x"',
            's.toml:2: "on_resolve" must be one of generate_response, add_to_context, fire_and_forget',
        ),
        (
            '[[reply]]\nmatch = "a"\nthen = [\n { after = 1, say = "x" },\n { guardrial = "x" },\n]',
            's.toml:5: unknown key "guardrial"; did you mean "guardrail"?',
        ),
        (
            '[[at]]\nafter = 1\nsay = "a"\n[[at]]\nafter = 1\nsay = "x"\nuser = "y"',
            's.toml:7: "say" and "user" need a table each',
        ),
        ("[[at]]\nafter = 3\n", "s.toml:1: nothing to do: give one of user, say, tool, perception"),
        ('[[at]]\nreason = "x"', 's.toml:2: "reason" goes with "guardrail", which is missing'),
        (
            '[[at]]\nsay = "x"\nreason = "y"',
            's.toml:3: unknown key "reason"; known are after, say',
        ),
        ("[[at]]\nraw = inf", 's.toml:2: "raw" must be a value that JSON has; inf and nan are not'),
        (
            '[[at]]\nperception = "x"\nmodality = "video"',
            's.toml:3: "modality" must be one of vision, audio',
        ),
        ('[[objective]]\nname = "x"', 's.toml:1: "match" is missing in [[objective]]'),
        (
            'greeting = """\nmatch = 1\n[[reply]]\n"""\n[[reply]]\nmatch = 1',
            's.toml:6: "match" must be a regular expression in a string',
        ),
        ('"a\\nb" = 1', 's.toml:1: unknown key "a b"; known are '),
        ("at = [" * 5_000, "s.toml:1: "),
    ],
)
def test_mistakes_are_reported_with_their_line(text: str, message: str) -> None:
    told = wrong(text)
    assert told.startswith(message), told
    assert "\n" not in told


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.toml: No such file"):
        load_script(tmp_path / "none.toml")
    with pytest.raises(UsageError, match="Is a directory"):
        load_script(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b'name = "x"\ngreeting = "caf\xe9"\n')
    with pytest.raises(UsageError, match=r"latin\.toml:2: not UTF-8 text"):
        load_script(tmp_path / "latin.toml")
    (tmp_path / "bom.toml").write_bytes(b'\xef\xbb\xbfname = "x"\n')
    assert load_script(tmp_path / "bom.toml").name == "x"
    with pytest.raises(UsageError):
        load_script("a\0b")


def test_the_default_script_is_in_the_package_and_right() -> None:
    script, checked = default_script(), load_script(DEFAULT_SCRIPT)
    assert patterns(script) == patterns(checked)
    assert script.replies
    assert script.shutdown_after is None  # with speed=max it would be over before anybody could type


@pytest.mark.parametrize("piece", ["book ", "remember that ", "a", "1", "1234 ", "monday ", "é\n", ". "])
def test_the_default_script_is_quick_on_any_text(piece: str) -> None:
    """Its patterns have no time limit: one that is not linear would end this test by its own."""
    for text in (piece * 20_000, f"book {piece * 20_000}", f"book {piece * 40}"):
        for own, checked in zip(every(default_script()), every(load_script(DEFAULT_SCRIPT)), strict=True):
            found = own.search(text)
            with contextlib.suppress(TooSlow):
                assert (found and found.span()) == ((same := checked.search(text)) and same.span())


def every(script: SimScript) -> list[Pattern]:
    found = [one.match for one in script.replies] + [one.match for one in script.objectives]
    return [one for one in found if one is not None]


def patterns(script: SimScript) -> list[str]:
    return [one.text for one in every(script)]


@some
@given(st.integers(0, 40))
def test_an_unknown_key_anywhere_is_reported_with_its_line(position: int) -> None:
    lines = FULL.splitlines()
    position = min(position, len(lines))
    broken = [*lines[:position], "zzzz = 0", *lines[position:]]
    tomllib.loads("\n".join(broken))
    told = wrong("\n".join(broken))
    assert told.startswith(f's.toml:{position + 1}: unknown key "zzzz"'), told


@some
@given(st.text(alphabet=st.sampled_from("[]{}=\"'#.,\n ab1reply say"), max_size=60) | st.text(max_size=40))
def test_any_text_is_a_script_or_a_usage_error(text: str) -> None:
    try:
        parse_script(text, "s.toml")
    except UsageError as error:
        assert re.match(r"s\.toml:\d+: ", str(error))  # noqa: PT017
        assert "\n" not in str(error)  # noqa: PT017


def test_specs(tmp_path: Path) -> None:
    script, options = parse_spec("sim")
    assert (options.seed, options.speed, script.name) == (0, 1.0, "Nora")
    _, options = parse_spec("sim:?seed=7&reorder=0.2&speed=max&rate=100&burst=5&events=9&leave=3")
    assert (options.seed, options.speed, options.rate, options.burst, options.events) == (7, None, 100, 5, 9)
    assert options.faults == FaultRates(reorder=0.2, leave=3)
    file = tmp_path / "my ?script.toml"
    file.write_text('name = "Zoe"\n[faults]\ndrop = 0.5\nlate = 0.5', "utf-8")
    script, options = parse_spec(f"sim:{file}?drop=0.1")
    assert script.name == "Zoe"
    assert options.faults == FaultRates(drop=0.1, late=0.5)  # the spec's over the script's


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("sim:?reoder=0.2", 'sim: unknown parameter "reoder"; did you mean "reorder"?'),
        ("sim:?Seed=1", 'sim: unknown parameter "Seed"; did you mean "seed"?'),
        ("sim:?zzz=1", 'sim: unknown parameter "zzz"; known are seed, speed, rate, burst, events, reorder, '),
        ("sim:?reorder=2", 'sim: reorder must be a number from 0 to 1, not "2"'),
        ("sim:?reorder=nan", 'sim: reorder must be a number from 0 to 1, not "nan"'),
        ("sim:?reorder", 'sim: reorder must be a number, not ""'),
        ("sim:?speed=fast", 'sim: speed must be a number, not "fast"'),
        ("sim:?speed=0", 'sim: speed must be a number above 0 up to 1000, not "0"'),
        ("sim:?seed=-1", 'sim: seed must be a whole number, not "-1"'),
        ("sim:none.toml", "none.toml: No such file or directory"),
        ("simulated", '"simulated" is not a simulated room: write sim, sim:FILE.toml or sim:?seed=7'),
    ],
)
def test_bad_specs(spec: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_spec(spec)
    assert str(caught.value).startswith(message)


def test_the_manual_is_right_and_complete() -> None:
    manual = (Path(__file__).parents[3] / "docs" / "sim.md").read_text("utf-8")
    examples = re.findall(r"```toml\n(.*?)```", manual, re.DOTALL)
    assert len(examples) >= 5
    for example in examples:
        parse_script(example, "docs/sim.md")
    for message in (
        wrong("zzz = 1"),
        wrong("[timing]\nzzz = 1"),
        wrong("[tools.a]\nzzz = 1"),
        wrong("[[at]]"),
    ):
        for key in re.split(r", | are | of ", message)[1:]:
            assert f"`{key}`" in manual or f"[{key}" in manual, key
    with pytest.raises(UsageError) as caught:
        parse_spec("sim:?zzz=1")
    for parameter in str(caught.value).partition("known are ")[2].split(", "):
        assert f"`{parameter}`" in manual, parameter
