"""Print pip constraints: the lowest version that pyproject.toml allows of each package it names."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

OURS = "tavus-console"

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))["project"]
extras = project["optional-dependencies"].values()
for requirement in [*project["dependencies"], *(one for extra in extras for one in extra)]:
    if not requirement.startswith(OURS):
        found = re.fullmatch(r"([\w.-]+)>=([\w.]+)(?:,<[\w.]+)?(?:;.*)?", requirement)
        if found is None:
            raise SystemExit(f"pyproject.toml: {requirement!r} has no lowest version")
        print(f"{found[1]}=={found[2]}")
