"""What of the environment Daily's client reads by itself (docs/daily.md)."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from tavus_cli.errors import CannotJoin


@contextlib.contextmanager
def silent_log() -> Iterator[None]:
    """Whatever its log level, the client writes JSON lines to descriptor 2 unless RUST_LOG says no.

    It is read once, in init(), so it is put back for the programs we start. One that names Daily is
    someone looking for a fault; any other was meant for other programs.
    """
    before = os.environ.get("RUST_LOG")
    if before is None or "daily" not in before:
        os.environ["RUST_LOG"] = "off"
    try:
        yield
    finally:
        os.environ.pop("RUST_LOG")
        if before is not None:
            os.environ["RUST_LOG"] = before


def check_authorities() -> None:
    """Raises CannotJoin for a file that cannot be read: it costs the client 25 s, and it does not say why."""
    path = os.environ.get("SSL_CERT_FILE")
    if path and not os.access(path, os.R_OK):
        raise CannotJoin(f"SSL_CERT_FILE names a file that cannot be read: {path}")
