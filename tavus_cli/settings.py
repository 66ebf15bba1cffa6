"""Where things are kept, and what the environment says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

APP = "tavus-console"


def history_file(environ: Mapping[str, str]) -> Path:
    """What was typed at the prompt; TAVUS_CONSOLE_HISTORY names another file."""
    if named := environ.get("TAVUS_CONSOLE_HISTORY"):
        return Path(named)
    from platformdirs import user_state_path

    return user_state_path(APP) / "history"
