"""From words to cases: targets among them, folders, filters, shards."""

from __future__ import annotations

from pathlib import Path

import pytest

from tavus_cli.errors import UsageError
from tavus_cli.suite.plan import (
    Shard,
    cases_of,
    chosen,
    is_many,
    names_of,
    parse_shard,
    parse_share,
    recordings,
    split,
)

MAX = "sim:?speed=max"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three scripts, one that is named oddly, and two recordings."""
    monkeypatch.chdir(tmp_path)
    for name in ("b.tavus", "a.tavus", "notes.md"):
        (tmp_path / "tests").mkdir(exist_ok=True)
        (tmp_path / "tests" / name).write_text("hello\n")
    (tmp_path / "odd").write_text("hello\n")
    (tmp_path / "talk.jsonl").write_text("{}\n")
    (tmp_path / "talk").write_text("\n {}\n")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "targets", "scripts"),
    [
        (["odd"], [], ["odd"]),
        (["sim", "odd"], ["sim"], ["odd"]),
        (["talk.jsonl", "odd"], ["talk.jsonl"], ["odd"]),
        (["talk", "odd"], ["talk"], ["odd"]),  # a recording by its content
        (["odd", "tests/a.tavus"], [], ["odd", "tests/a.tavus"]),
        (["c7f3a91d20be4b58", "tests"], ["c7f3a91d20be4b58"], ["tests/a.tavus", "tests/b.tavus"]),
        (["tests", "tests/a.tavus", "odd"], [], ["tests/a.tavus", "tests/b.tavus", "odd"]),
        (["-", "odd"], ["-"], ["odd"]),
        (["sim:", "-"], ["sim:"], ["-"]),
    ],
)
def test_words_are_a_target_perhaps_and_scripts(
    folder: Path, words: list[str], targets: list[str], scripts: list[str]
) -> None:
    assert split(words) == (targets, scripts)
    assert is_many(words) == (len(scripts) > 1)


def test_a_folder_without_scripts_is_reported(folder: Path) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(UsageError, match="no script in it"):
        split(["empty"])


def test_a_filter_knows_names_and_paths() -> None:
    all = ["x/barge_in.tavus", "x/latency.tavus", "y/barge.tavus"]
    assert chosen(all, None) == all
    assert chosen(all, "barge*") == [all[0], all[2]]
    assert chosen(all, "x/*") == all[:2]
    assert chosen(all, "latency.tavus") == [all[1]]
    with pytest.raises(UsageError, match="matches none of barge_in, latency, barge"):
        chosen(all, "nothing*")


def test_shards_divide_the_suite_and_keep_repeats_together() -> None:
    scripts, targets = [f"{n}.tavus" for n in range(5)], [MAX, "sim"]
    whole = cases_of(scripts, targets, 3, None, new=False)
    assert [one.number for one in whole] == list(range(1, 31))
    assert [one.repeat for one in whole[:4]] == [1, 2, 3, 1]
    parts = [cases_of(scripts, targets, 3, Shard(n, 4), new=False) for n in range(1, 5)]
    assert sorted((one for part in parts for one in part), key=lambda one: one.number) == whole
    for part in parts:
        assert {len([one for one in part if one.group == group.group]) for group in part} == {3}
    assert cases_of(["a"], [MAX], 3, Shard(2, 2), new=False) == []
    assert cases_of(["a"], [None], 1, None, new=True)[0].shown == "new"


def test_what_is_wrong_is_reported() -> None:
    assert (parse_shard("2/5"), parse_share("80%"), parse_share("0.8")) == (Shard(2, 5), 0.8, 0.8)
    for text in ("0/5", "6/5", "2", "a/b", "2/5/1"):
        with pytest.raises(UsageError, match="such as 2/5"):
            parse_shard(text)
    for text in ("1.5", "-1", "nan", "most", "120%"):
        with pytest.raises(UsageError, match=r"such as 0\.8"):
            parse_share(text)
    with pytest.raises(UsageError, match="failed or all"):
        recordings("some", "x")
    with pytest.raises(UsageError, match="over 100,000 runs"):
        cases_of(["a"], ["sim"], 100_001, None, new=False)


def test_names_are_short_where_they_can_be() -> None:
    assert names_of(["x/a.tavus", "y/a.tavus", "y/b.tavus", "c.txt"]) == {
        "x/a.tavus": "x/a.tavus",
        "y/a.tavus": "y/a.tavus",
        "y/b.tavus": "b",
        "c.txt": "c.txt",
    }
