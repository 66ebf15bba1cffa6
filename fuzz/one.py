"""``python -m fuzz.one TARGET CORPUS [OPTIONS of libFuzzer]``: one target under atheris."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["tavus_cli"]):
    from fuzz.targets import TARGETS

name = sys.argv.pop(1)
atheris.Setup(sys.argv, TARGETS[name])
atheris.Fuzz()
