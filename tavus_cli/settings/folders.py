"""Where a user's files belong on this system: settings, history, what is remembered, sockets."""

from __future__ import annotations

from pathlib import Path

APP = "tavus-console"


def config_folder() -> Path:
    from platformdirs import user_config_path

    return user_config_path(APP)


def state_folder() -> Path:
    from platformdirs import user_state_path

    return user_state_path(APP)


def runtime_folder() -> Path:
    """For sockets, as the completion scripts look for them."""
    import warnings

    from platformdirs import user_runtime_path

    with warnings.catch_warnings():  # it warns if XDG_RUNTIME_DIR is not set
        warnings.simplefilter("ignore")
        return user_runtime_path(APP)
