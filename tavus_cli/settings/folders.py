"""Where a user's files belong on this system: settings, history, what is remembered, sockets."""

from __future__ import annotations

import os
import sys
from pathlib import Path

APP = "tavus-console"


def config_folder() -> Path:
    if (found := _on_linux("XDG_CONFIG_HOME", "~/.config")) is not None:
        return found
    from platformdirs import user_config_path

    return user_config_path(APP)


def state_folder() -> Path:
    if (found := _on_linux("XDG_STATE_HOME", "~/.local/state")) is not None:
        return found
    from platformdirs import user_state_path

    return user_state_path(APP)


def runtime_folder() -> Path:
    """For sockets, as the completion scripts look for them."""
    if sys.platform != "linux":
        from platformdirs import user_runtime_path

        return user_runtime_path(APP)
    base, user = os.environ.get("XDG_RUNTIME_DIR", ""), os.geteuid()
    if not os.path.isabs(base):
        base = f"/run/user/{user}"
        if not os.access(base, os.W_OK):
            base = os.path.join(os.environ.get("TMPDIR") or "/tmp", f"runtime-{user}")
    return Path(base, APP)


def _on_linux(variable: str, usual: str) -> Path | None:
    """The same folder as from platformdirs, which takes 3 ms of every start to import.

    None on other systems, and where the variable or the home folder is not an absolute path.
    """
    if sys.platform != "linux":
        return None
    path = os.environ.get(variable) or os.path.expanduser(usual)
    return Path(path, APP) if os.path.isabs(path) else None
