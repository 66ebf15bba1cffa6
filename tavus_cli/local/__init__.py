"""Tavus on this machine: API, Daily's signalling, webhooks. Needs the extra `local`: imported late."""

from __future__ import annotations

from importlib.util import find_spec

from tavus_cli.errors import ConsoleError, install


def require() -> None:
    """Raises ConsoleError if the extra is not installed."""
    missing = [name for name in ("aiohttp", "trustme") if find_spec(name) is None]
    if missing:
        raise ConsoleError(f"this command needs {' and '.join(missing)}: {install('local')}")
