"""Environment variables that Daily's client reads by itself (docs/daily.md)."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from tavus_cli.errors import CannotJoin


@contextlib.contextmanager
def silent_log() -> Iterator[None]:
    """Whatever its log level, the client writes JSON lines to descriptor 2 unless RUST_LOG forbids it.

    The client reads the variable once, in init(); it is restored afterwards for the programs we start. A
    value that names Daily comes from somebody debugging it and is kept; any other is meant for other
    programs.
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
    """Raises CannotJoin if the file cannot be read: the client would fail after 25 s without a reason."""
    path = os.environ.get("SSL_CERT_FILE")
    if path and not os.access(path, os.R_OK):
        raise CannotJoin(f"SSL_CERT_FILE names a file that cannot be read: {path}")
