"""``python -m fuzz [TARGET…] [--seconds N]``: each target for this long. Findings are printed, and fail.

If atheris is installed (``pip install atheris``: Linux and macOS), coverage guides the search; otherwise
hypothesis makes the bytes and shrinks findings.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from fuzz.targets import SEEDS, TARGETS

EXAMPLES = 2_000  # of hypothesis, between two looks at the clock
CASE_SECONDS = 20  # an input that takes longer is a finding


def by_hypothesis(name: str, seconds: float) -> bool:
    """Whether nothing was found. Pieces of the seeds are joined, cut and changed."""
    piece = st.sampled_from(SEEDS[name]) | st.binary(max_size=60)
    cut = st.tuples(piece, st.integers(0, 500), st.integers(0, 500)).map(lambda one: one[0][min(one[1:]) :])
    data = st.lists(piece | cut, max_size=8).map(b"".join)
    until, number = time.monotonic() + seconds, 0
    while time.monotonic() < until:

        @seed(number)
        @settings(
            max_examples=EXAMPLES,
            deadline=CASE_SECONDS * 1000,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
            print_blob=False,
        )
        @given(data)
        def search(data: bytes) -> None:
            if time.monotonic() < until:
                TARGETS[name](data)

        try:
            search()
        except Exception as error:
            print(f"{name}: {type(error).__name__}: {error}", *getattr(error, "__notes__", ()), sep="\n")
            return False
        number += 1
    return True


def by_atheris(name: str, seconds: float) -> bool:
    """In a separate process, which a finding ends."""
    with tempfile.TemporaryDirectory() as corpus:
        for number, data in enumerate(SEEDS[name]):
            (Path(corpus) / str(number)).write_bytes(data)
        limits = [f"-max_total_time={seconds:.0f}", f"-timeout={CASE_SECONDS}", "-verbosity=0"]
        child = [sys.executable, "-m", "fuzz.one", name, corpus, *limits, "-artifact_prefix=fuzz-"]
        return subprocess.run(child, check=False).returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="fuzz")
    parser.add_argument("targets", nargs="*", choices=[[], *TARGETS], metavar="TARGET")
    parser.add_argument("--seconds", type=float, default=60.0)
    given_ = parser.parse_args()
    search = by_atheris if importlib.util.find_spec("atheris") else by_hypothesis
    found = []
    for name in given_.targets or TARGETS:
        print(f"{name}: {given_.seconds:g} s, {search.__name__.removeprefix('by_')}", flush=True)
        if not search(name, given_.seconds):
            found.append(name)
    print("found something in: " + ", ".join(found) if found else "found nothing")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
