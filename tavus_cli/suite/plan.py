"""The plan of a suite: from the arguments of the command line to cases, the same on every machine."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Literal

from tavus_cli.errors import UsageError
from tavus_cli.language.patterns import glob
from tavus_cli.suite.case import Case
from tavus_cli.suite.programs import SUFFIXES, files_in
from tavus_cli.target import parse, shown

MOST_RUNS = 100_000  # of one suite
NEW = "new"  # the target shown for a run in a new conversation
RECORDINGS = (".jsonl", ".jsonl.gz", ".jsonl.zst")
_PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")  # gzip, zstd


@dataclass(frozen=True, slots=True)
class Recordings:
    """Which recordings are kept, and in which folder."""

    keep: Literal["failed", "all"]
    folder: str


@dataclass(frozen=True, slots=True)
class Shard:
    """The ``index``-th of ``count`` machines that share a suite, from 1."""

    index: int
    count: int


@dataclass(frozen=True, slots=True)
class SuiteOptions:
    """How often and where scripts run, when they pass, and what is kept. ``run_timeout`` in seconds.

    ``min_pass``: the share of its runs that a script must pass on a target. ``filter``: a glob for scripts.
    ``results`` and ``baseline`` are files.
    """

    repeat: int = 1
    jobs: int = 1
    run_timeout: float = 300.0
    min_pass: float = 1.0
    filter: str | None = None
    shard: Shard | None = None
    fail_fast: bool = False
    results: str | None = None
    baseline: str | None = None
    recordings: Recordings | None = None


def parse_shard(text: str) -> Shard:
    """ "2/5". Raises UsageError."""
    match = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text, re.ASCII)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise UsageError(f'--shard must be such as 2/5, the second of five, not "{text}"')
    return Shard(int(match[1]), int(match[2]))


def parse_share(text: str) -> float:
    """ "0.8", "80%". Raises UsageError."""
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise UsageError(f'--min-pass must be a share such as 0.8 or 80%, not "{text}"')
    return share


def recordings(keep: str | None, folder: str) -> Recordings | None:
    """Raises UsageError."""
    match keep:
        case None:
            return None
        case "failed" | "all":
            return Recordings(keep, folder)
    raise UsageError(f'--keep must be failed or all, not "{keep}"')


def split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The TARGET, if the first word is one, and the scripts; a FOLDER stands for its scripts. Raises
    UsageError.
    """
    first = words[0] if len(words) > 1 and _is_target(words[0]) else None
    scripts: list[str] = []
    for word in words if first is None else words[1:]:
        scripts += files_in(word) if os.path.isdir(word) else [word]
    return [] if first is None else [first], list(dict.fromkeys(scripts))


def is_many(words: Sequence[str]) -> bool:
    """Whether the words name several scripts, or one that only a suite can run."""
    _, scripts = split(words)
    folder = any(os.path.isdir(word) for word in words)
    special = scripts[0].endswith(tuple(one for one in SUFFIXES if one != ".tavus"))
    return len(scripts) > 1 or folder or special


def _is_target(word: str) -> bool:
    """Whether the first of several words is a TARGET.

    A file is one if it is a recording, by its name or content.
    """
    if os.path.isdir(word):
        return False
    if not os.path.isfile(word) or word.endswith(RECORDINGS):
        return True
    if word.endswith(SUFFIXES):
        return False
    try:
        with open(word, "rb") as file:
            begins = file.read(16).lstrip(b"\xef\xbb\xbf \t\r\n")
    except OSError:
        return False
    return begins.startswith((b"{", *_PACKED))


def chosen(scripts: Iterable[str], pattern: str | None) -> list[str]:
    """The scripts whose path or name matches the glob. Raises UsageError if none does."""
    if pattern is None:
        return list(scripts)
    matches = glob(pattern)
    all = list(scripts)
    found = [one for one in all if any(map(matches, (one, os.path.basename(one), _stem(one))))]
    if not found:
        raise UsageError(f'--filter "{pattern}" matches none of {", ".join(map(_stem, all[:5]))}')
    return found


def cases_of(
    scripts: Sequence[str], targets: Sequence[str | None], repeat: int, shard: Shard | None, *, new: bool
) -> list[Case]:
    """The cases, script by script and target by target.

    A shard has every ``count``-th pair of script and target, with all its repeats, so that its rates are
    complete. Raises UsageError.
    """
    if len(scripts) * len(targets) * repeat > MOST_RUNS:
        raise UsageError(f"over {MOST_RUNS:,} runs: repeat less, or divide them with --shard")
    numbers = count(1)
    cases = []
    for group, (script, target) in enumerate((one, where) for one in scripts for where in targets):
        runs = [next(numbers) for _ in range(repeat)]
        if shard is None or group % shard.count == shard.index - 1:
            words = NEW if new else shown(parse(target))
            cases += [Case(number, script, target, n, words) for n, number in enumerate(runs, 1)]
    return cases


def names_of(scripts: Iterable[str]) -> dict[str, str]:
    """The name of each script: its file's name without ".tavus", or its path if two have the same name."""
    all = list(dict.fromkeys(scripts))
    stems = [_stem(one) for one in all]
    return {one: stem if stems.count(stem) == 1 else one for one, stem in zip(all, stems, strict=True)}


def _stem(path: str) -> str:
    name = os.path.basename(path)
    return name.removesuffix(".tavus") or name
